"""Speaking with Shopify's GraphQL Admin API: one endpoint, a leaky bucket, errors in part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions.backends.contract import ShopOrder, same_number
from actions.backends.errors import (
    Ambiguous,
    BackendDown,
    Misconfigured,
    NotFound,
    NotPossible,
    Unauthorised,
)
from actions.backends.http import Answer, AnswerLost, Http, Pace, place
from actions.backends.shopify_read import CUSTOMER, ORDERS, order

#: From this version on refundCreate must have an idempotency key
#: (https://shopify.dev/changelog/making-idempotency-mandatory-for-inventory-adjustments-and-refund-mutations).
VERSION = "2026-04"
_PAGE = 20


class ShopifyApi:
    """The API of one shop; `url` is ``https://NAME.myshopify.com``."""

    def __init__(self, url: str, token: str, version: str, pace: Pace | None) -> None:
        self.name = f"Shopify at {place(url)}"
        self._http = Http(
            self.name,
            f"{url.rstrip('/')}/admin/api/{version}",
            {"X-Shopify-Access-Token": token},
            pace,
            self._throttled,
        )

    async def close(self) -> None:
        """Let connections go."""
        await self._http.close()

    async def node(
        self, number: str, *, refunds: bool = False
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the order as the API has it, and what it would not tell."""
        variables = {"first": 3, "query": f"name:{quoted(number)}", "refunds": refunds}
        data, missing = await self.ask("orders", ORDERS, variables)
        nodes = (data.get("orders") or {}).get("nodes") or []
        found = [node for node in nodes if node and same_number(str(node.get("name")), number)]
        if not found:
            raise NotFound(self.name, "order")
        if len(found) > 1:
            raise NotPossible(self.name, "several orders have this number")
        return found[0], missing

    async def orders(self, query: str, limit: int) -> list[ShopOrder]:
        """Return the newest orders that a search finds, page by page."""
        made: list[ShopOrder] = []
        after: str | None = None
        while len(made) < limit:
            variables = {
                "first": min(_PAGE, limit - len(made)),
                "query": query,
                "after": after,
                "refunds": False,
            }
            data, missing = await self.ask("orders", ORDERS, variables)
            page = data.get("orders") or {}
            made += [order(node, missing) for node in page.get("nodes") or [] if node]
            info = page.get("pageInfo") or {}
            after = info.get("endCursor")
            if not info.get("hasNextPage") or not after:
                break
        return made

    async def customer(self, email: str) -> dict[str, Any]:
        """Return the customer of a mail address. Raises NotFound."""
        variables = {"identifier": {"emailAddress": email.strip().lower()}}
        data, _ = await self.ask("customer", CUSTOMER, variables)
        node = data.get("customerByIdentifier")
        if not node:
            raise NotFound(self.name, "account")
        return dict(node)

    async def mailed(self, name: str, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Do a mutation that mails. Raises NotPossible, `AnswerLost`."""
        data, _ = await self.ask(name, query, variables, safe=False)
        errors = (data.get(name) or {}).get("userErrors") or []
        if errors:
            raise self.refused(errors)
        if not data.get(name):
            raise AnswerLost(self.name, "it says nothing of what was asked for")
        return {}

    async def ask(
        self, name: str, query: str, variables: Mapping[str, Any], *, safe: bool = True
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the data of a query, and the fields that were refused in part.

        Raises `AnswerLost` for a mutation that may have taken place.
        """
        body = {"query": query, "operationName": name, "variables": dict(variables)}
        effect = query.startswith("mutation")
        answer = await self._http.call("POST", "/graphql.json", body=body, safe=safe, effect=effect)
        if answer.status in (402, 423):
            raise BackendDown(self.name, "the shop is frozen or locked", 3600.0)
        if answer.status >= 400:
            what = f"the API answered {answer.status}: is the url right, and the version known?"
            raise Misconfigured(self.name, what)
        if not isinstance(answer.body, dict):
            raise Misconfigured(self.name, "its url answers with what is no GraphQL")
        found = answer.body
        data, errors = found.get("data"), _errors(found)
        codes = {str((e.get("extensions") or {}).get("code", "")) for e in errors}
        if "INTERNAL_SERVER_ERROR" in codes and effect:
            raise AnswerLost(self.name, "it has an error of its own")
        if "INTERNAL_SERVER_ERROR" in codes:
            raise BackendDown(self.name, "it has an error of its own")
        if any(code.startswith("IDEMPOTENCY_") for code in codes):
            raise Ambiguous(self.name, "the shop is still at the same request", 10.0)
        if errors and (not isinstance(data, dict) or not any(data.values())):
            if "ACCESS_DENIED" in codes:
                raise Unauthorised(self.name, f"its token lacks a scope for {name}")
            raise Misconfigured(
                self.name, f"the API does not understand {name}: is its version right?"
            )
        missing = {str(part) for e in errors for part in e.get("path") or [] if part != "orders"}
        return dict(data or {}), tuple(sorted(missing - {"nodes"}))

    def _throttled(self, answer: Answer) -> float | None:
        """Return when to ask again, None for what was answered.

        https://shopify.dev/docs/apps/build/apis/graphql-admin/rate-limits: every answer tells
        what is left of a leaky bucket, and how fast it fills again.
        """
        body = answer.body if isinstance(answer.body, dict) else {}
        cost = (body.get("extensions") or {}).get("cost") or {}
        status = cost.get("throttleStatus") or {}
        try:
            lacking = float(cost["requestedQueryCost"]) - float(status["currentlyAvailable"])
            seconds = max(lacking, 0.0) / max(float(status["restoreRate"]), 0.001)
        except (KeyError, TypeError, ValueError):
            seconds = 0.0
        codes = {(e.get("extensions") or {}).get("code") for e in _errors(body)}
        if "THROTTLED" in codes:
            return seconds or 1.0
        if seconds:
            self._http.slow_down(seconds)
        return None

    def refused(self, errors: list[dict[str, Any]]) -> NotPossible:
        """Return why it was refused; the messages may repeat what a customer wrote."""
        names = sorted({str(e["code"]) for e in errors if e.get("code")})
        fields = sorted({".".join(map(str, e["field"])) for e in errors if e.get("field")})
        told = ", ".join([*names, *fields])
        return NotPossible(self.name, f"the shop refused it{f' ({told})' if told else ''}")


def _errors(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    errors = body.get("errors")
    # With 401 and 404 it is a text.
    return [e for e in errors if isinstance(e, dict)] if isinstance(errors, list) else []


def quoted(text: str) -> str:
    """Return a value of Shopify's search syntax (https://shopify.dev/docs/api/usage/search-syntax)."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

"""A stand-in for Shopify's GraphQL Admin API, as strict as the real one.

``POST /shopify/admin/api/{version}/graphql.json``, so that a backend's `url` is the sandbox's
with ``/shopify``. Shapes as in `actions.backends.shopify_read`, of which it knows nothing; the
documentation's pages are named where they matter.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from actions.backends.contract import Money
from bot.sandbox import graphql
from bot.sandbox.faults import Faults
from bot.sandbox.graphql import Field, GraphQLWrong
from bot.sandbox.shop_books import Books, Mail, Sale
from bot.sandbox.shopify_schema import INPUTS, SCHEMA
from bot.sandbox.shopify_shapes import order, payment

Json = dict[str, Any]

CHANNEL = "shopify"
TOKEN = "shpat_sandbox"  # noqa: S105
#: Versions of the API that there are; a fourth of a year each, a year long.
VERSIONS = ("2026-01", "2026-04", "2026-07", "2026-10")
#: From here on refunds need @idempotent.
_STRICT = "2026-04"
_MOST_POINTS = 1000
_REMEMBERED_SECONDS = 24 * 3600.0
_BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105
_GID = re.compile(r"gid://shopify/(\w+)/([0-9]{1,18})")
_TERM = re.compile(r'(\w+):(?:"((?:[^"\\]|\\.)*)"|(\S+))')

_REASONS = ("CUSTOMER", "DECLINED", "FRAUD", "INVENTORY", "STAFF", "OTHER")


class Shopify:
    """The API of one shop.

    Tests set `hidden`, names of fields that the token may not see, `points` and `restore`,
    what the leaky bucket holds and gets a second, and `clock`.
    """

    def __init__(self, books: Books, faults: Faults) -> None:
        self.books = books
        self.hidden: frozenset[str] = frozenset()
        self.points, self.restore = 2000.0, 100.0
        self.clock = time.monotonic
        self._faults = faults
        self._level, self._seen = self.points, self.clock()
        self._keys: dict[str, tuple[float, str, Json]] = {}

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes under /shopify."""
        return [web.post("/shopify/admin/api/{version}/graphql.json", self._post)]

    async def _post(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
        except ValueError:
            body = None
        name = str(body.get("operationName") or "") if isinstance(body, dict) else ""

        async def handle() -> web.Response:
            return self._handle(request, body)

        return await self._faults.call(request, CHANNEL, name, handle, _refuse)

    def _handle(self, request: web.Request, body: Any) -> web.Response:
        if request.headers.get("X-Shopify-Access-Token") != TOKEN:
            return web.json_response({"errors": _BAD_TOKEN}, status=401)
        version = request.match_info["version"]
        if version not in VERSIONS:
            return web.json_response({"errors": "Not Found"}, status=404)
        if request.content_type != "application/json" or not isinstance(body, dict):
            return web.json_response({"errors": {"query": "Required"}}, status=400)
        try:
            operation = graphql.read(str(body.get("query", "")), body.get("variables") or {})
            if body.get("operationName") not in (None, operation.name):
                raise GraphQLWrong("No operation named so", "missingOperation")
            root = "QueryRoot" if operation.kind == "query" else "Mutation"
            graphql.check(operation.fields, root, SCHEMA)
            asked = graphql.cost(operation.fields) + (10 if root == "Mutation" else 0)
            if asked > _MOST_POINTS:
                raise GraphQLWrong(f"Query cost is {asked}", "MAX_COST_EXCEEDED")
            if not self._pour(asked):
                raise GraphQLWrong("Throttled", "THROTTLED")
            data, errors = {}, []
            for field in operation.fields:
                value = self._answer(field, version)
                data[field.key] = graphql.project(value, field.fields, self.hidden)
                errors += self._denied(field, [field.key])
        except GraphQLWrong as wrong:
            answer: Json = {"errors": [wrong.error]}
            if wrong.error["extensions"] == {"code": "THROTTLED"}:
                answer["extensions"] = self._cost(asked, None)
            return web.json_response(answer)
        actual = min(asked, graphql.objects(data))
        self._level += asked - actual
        answer = {"data": data, "extensions": self._cost(asked, actual)}
        if errors:
            answer["errors"] = errors
        return web.json_response(answer)

    def _pour(self, points: int) -> bool:
        now = self.clock()
        self._level = min(self.points, self._level + (now - self._seen) * self.restore)
        self._seen = now
        if points > self._level:
            return False
        self._level -= points
        return True

    def _cost(self, asked: int, actual: int | None) -> Json:
        status = {
            "maximumAvailable": self.points,
            "currentlyAvailable": int(self._level),
            "restoreRate": self.restore,
        }
        cost = {"requestedQueryCost": asked, "actualQueryCost": actual, "throttleStatus": status}
        return {"cost": cost}

    def _denied(self, field: Field, path: list[str]) -> list[Json]:
        """Return the errors beside the data for fields that the token may not see."""
        made: list[Json] = []
        for inner in field.fields:
            where = [*path, inner.key]
            if inner.name in self.hidden:
                message = f"Access denied for {inner.name} field."
                code = {"code": "ACCESS_DENIED"}
                made.append({"message": message, "path": where, "extensions": code})
            else:
                made += self._denied(inner, where)
        return made

    def _answer(self, field: Field, version: str) -> Any:
        _check_inputs(field)
        match field.name:
            case "shop":
                return {"name": "Larkfield Goods", "currencyCode": "GBP"}
            case "orders":
                return self._orders(field.arguments)
            case "customerByIdentifier":
                return self._customer(field.arguments["identifier"])
            case "orderCancel":
                return self._cancel(field.arguments)
            case "orderUpdate":
                return self._update(field.arguments["input"])
            case "refundCreate":
                return self._idempotent(field, version)
            case "customerSendAccountInviteEmail":
                return self._invite(field.arguments["customerId"])
            case _:
                return self._invoice(field.arguments)

    def _orders(self, arguments: Mapping[str, Any]) -> Json:
        first = arguments.get("first")
        if not isinstance(first, int) or not 1 <= first <= 250:
            raise GraphQLWrong("first must be between 1 and 250", "BAD_REQUEST")
        found = [s for s in self.books.newest() if _fits(s, str(arguments.get("query") or ""))]
        after = arguments.get("after")
        start = int(str(after).removeprefix("cursor")) if after else 0
        page = found[start : start + first]
        end = start + len(page)
        info = {"hasNextPage": end < len(found), "endCursor": f"cursor{end}" if page else None}
        return {"nodes": [order(sale) for sale in page], "pageInfo": info}

    def _customer(self, identifier: Mapping[str, Any]) -> Json | None:
        # https://shopify.dev/docs/api/admin-graphql/latest/input-objects/CustomerIdentifierInput
        found = self.books.customers.get(str(identifier.get("emailAddress") or ""))
        if found is None:
            return None
        return {
            "id": f"gid://shopify/Customer/{found.id}",
            "displayName": found.name,
            "state": "ENABLED" if found.active else "DISABLED",
            "defaultEmailAddress": {"emailAddress": found.email},
            "defaultPhoneNumber": None,
        }

    def _sale(self, gid: Any) -> Sale | None:
        found = _GID.fullmatch(str(gid))
        if found is None or found[1] != "Order":
            raise GraphQLWrong(f"Invalid global id '{gid}'", "INVALID_VARIABLE")
        return self.books.by_id(int(found[2]))

    def _cancel(self, arguments: Mapping[str, Any]) -> Json:
        sale = self._sale(arguments["orderId"])
        if arguments["reason"] not in _REASONS:
            raise GraphQLWrong("reason is no OrderCancelReason", "argumentLiteralsIncompatible")
        if sale is None:
            error = {"field": ["orderId"], "message": "Order does not exist", "code": "NOT_FOUND"}
        elif not self.books.cancel(sale, str(arguments.get("staffNote") or "")):
            message = "Cannot cancel an order that is cancelled or fulfilled"
            error = {"field": ["orderId"], "message": message, "code": "INVALID"}
        else:
            job = {"id": f"gid://shopify/Job/{self.books.id()}", "done": False}
            return {"job": job, "orderCancelUserErrors": [], "userErrors": []}
        return {"job": None, "orderCancelUserErrors": [error], "userErrors": []}

    def _update(self, given: Mapping[str, Any]) -> Json:
        sale = self._sale(given["id"])
        if sale is None:
            return _user_error(["id"], "Order does not exist")
        address = given.get("shippingAddress")
        if address is not None:
            if not address.get("address1") or not address.get("lastName"):
                return _user_error(["shippingAddress"], "Address is not complete")
            names = [address.get("firstName", ""), address["lastName"]]
            sale.address = type(sale.address)(
                name=" ".join(filter(None, names)),
                line1=address["address1"],
                line2=address.get("address2", ""),
                city=address.get("city", ""),
                region=address.get("province", ""),
                postcode=address.get("zip", ""),
                country=address.get("countryCode", "") or sale.address.country,
            )
        return {"order": order(sale), "userErrors": []}

    def _idempotent(self, field: Field, version: str) -> Json:
        """https://shopify.dev/docs/api/usage/implementing-idempotency."""
        key = field.directives.get("idempotent", {}).get("key")
        if not key:
            if version >= _STRICT:
                message = "The @idempotent directive is required for this mutation"
                raise GraphQLWrong(message, "BAD_REQUEST")
            return self._refund(field.arguments["input"])
        given = json.dumps(field.arguments, sort_keys=True)
        at, params, result = self._keys.get(str(key), (0.0, "", {}))
        if result and self.clock() - at < _REMEMBERED_SECONDS:
            if params != given:
                message = "The same idempotency key cannot be used with different parameters"
                raise GraphQLWrong(message, "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
            return result
        result = self._refund(field.arguments["input"])
        if not result["userErrors"]:
            self._keys[str(key)] = (self.clock(), given, result)
        return result

    def _refund(self, given: Mapping[str, Any]) -> Json:
        sale = self._sale(given["orderId"])
        if sale is None:
            return _user_error(["orderId"], "Order does not exist")
        total = 0
        for part in given.get("transactions") or []:
            amount = Money.read(part.get("amount"), sale.currency)
            if part.get("kind") != "REFUND" or part.get("parentId") != payment(sale):
                return _user_error(["transactions"], "Parent transaction is invalid")
            total += amount.minor if amount is not None else 0
        if given.get("currency") not in (None, sale.currency):
            return _user_error(["currency"], "Currency does not match the order's")
        back = self.books.refund(sale, total, str(given.get("note") or ""))
        if back is None:
            return _user_error(["transactions"], "Refund amount exceeds what can be refunded")
        return {"refund": {"id": f"gid://shopify/Refund/{back.id}"}, "userErrors": []}

    def _invite(self, gid: Any) -> Json:
        found = _GID.fullmatch(str(gid))
        customers = self.books.customers.values()
        customer = next((c for c in customers if found and str(c.id) == found[2]), None)
        if customer is None or customer.active:
            error = {"field": ["customerId"], "message": "Cannot be invited", "code": "INVALID"}
            return {"customer": None, "userErrors": [error]}
        self.books.mails.append(Mail(customer.email, "Activate your account", ""))
        return {"customer": {"id": str(gid)}, "userErrors": []}

    def _invoice(self, arguments: Mapping[str, Any]) -> Json:
        # https://shopify.dev/docs/api/admin-graphql/latest/mutations/orderInvoiceSend
        sale, mail = self._sale(arguments["id"]), arguments.get("email") or {}
        if sale is None:
            return _user_error(["id"], "Order does not exist")
        to, said = str(mail.get("to") or sale.email), str(mail.get("customMessage") or "")
        self.books.mails.append(Mail(to, str(mail.get("subject") or "Invoice"), said))
        return {"order": order(sale), "userErrors": []}


def _check_inputs(field: Field) -> None:
    """Refuse arguments, and fields of input objects, that there are not."""
    wanted = INPUTS[field.name]
    for name, value in field.arguments.items():
        if name not in wanted:
            message = f"Field '{field.name}' doesn't accept argument '{name}'"
            raise GraphQLWrong(message, "argumentNotAccepted")
        inner = wanted[name]
        if inner is None or not isinstance(value, Mapping):
            continue
        for key in value:
            if key not in inner:
                message = f"{name} was provided invalid value for {key} (not defined)"
                raise GraphQLWrong(message, "INVALID_VARIABLE")


def _fits(sale: Sale, query: str) -> bool:
    """Tell whether an order fits a search (https://shopify.dev/docs/api/usage/search-syntax)."""
    if " OR " in query:
        return any(_fits(sale, part) for part in query.split(" OR "))
    for name, quoted, plain in _TERM.findall(query):
        value = (quoted or plain).replace('\\"', '"')
        # Without its sign, too.
        if name == "name" and sale.number != value.lstrip("#"):
            return False
        if name == "email" and sale.email != value.lower():
            return False
        if name == "fulfillment_status" and (value == "shipped") != (sale.shipped is not None):
            return False
    return True


def _user_error(field: list[str], message: str) -> Json:
    return {"userErrors": [{"field": field, "message": message}]}


def _refuse(status: int, retry_after: int) -> web.Response:
    if status == 429:
        body = {"errors": "Exceeded the rate limit for api client."}
        return web.json_response(body, status=429, headers={"Retry-After": str(retry_after)})
    return web.json_response({"errors": "Internal Server Error"}, status=status)

"""A shop of WooCommerce, by its REST API v3 (https://developer.woocommerce.com/docs/apis/rest-api/).

Its keys are made under WooCommerce, Settings, Advanced, REST API, with read and write access.

What the API does not have: idempotency keys, so that refunds go through `Effects`; tracking
numbers, which are read where the extension Shipment Tracking keeps them; a mail with a new
password, for which customers have a page; mails of any words, so that a code goes out as a
note to the customer on his newest order.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from actions.backends.contract import (
    Account,
    Address,
    Done,
    Money,
    Parcel,
    Refunded,
    ShopOrder,
    allowed,
    completed,
    mark,
    over,
    same_place,
    too_late,
)
from actions.backends.effects import SETTLED_SECONDS, Effects, Sent, or_unknown, unknown
from actions.backends.errors import Misconfigured, NotFound, NotPossible
from actions.backends.http import Answer, Http, Pace, code_of, place
from actions.backends.orders import CANCELLED
from actions.backends.woocommerce_read import CANCELLED_BY, meta, order, refund_of, shipping
from bot.message import clean
from bot.store import AsyncStore

#: Days after an order was completed from which on it counts as delivered.
DELIVERED_AFTER = 7
_PAGE = 50
#: Orders among which a parcel's number is looked for.
_TRACKED = 200
_NOTE = 300
_CANNOT_REFUND = "woocommerce_rest_cannot_create_order_refund"


class WooShop:
    """Implements `actions.backends.contract.Shop`.

    `url` is the site's, before ``/wp-json``; `store` keeps what was begun, see `Effects`.
    Nothing tells when a parcel arrives: for the rules it has `delivered_after` days after it was
    completed, 0 for never.
    """

    def __init__(
        self,
        url: str,
        key: str,
        secret: str,
        store: AsyncStore,
        *,
        pace: Pace | None = None,
        settled: float = SETTLED_SECONDS,
        delivered_after: int = DELIVERED_AFTER,
    ) -> None:
        self.name = f"WooCommerce at {place(url)}"
        self._site = url.rstrip("/")
        self._delivered_after = delivered_after
        self._effects = Effects(f"woocommerce:{place(url)}", store, settled)
        login = base64.b64encode(f"{key}:{secret}".encode()).decode()
        headers = {"Authorization": f"Basic {login}"}
        self._http = Http(self.name, f"{self._site}/wp-json/wc/v3", headers, pace)

    async def find(self, number: str) -> ShopOrder:
        """See `Orders`."""
        return self._read(await self._row(number))

    async def of_customer(self, email: str, limit: int = 20) -> list[ShopOrder]:
        """See `Orders`. Those of guests, too: the search knows the address on the bill."""
        wanted = email.strip().lower()
        found = [self._read(row) for row in await self._rows({"search": wanted}, limit)]
        return [one for one in found if one.email == wanted]

    async def cancel(self, key: str, number: str, why: str = "") -> Done:
        """See `Orders`."""
        sign = mark("cancel", key)
        row = await self._row(number)
        known = self._read(row)
        if known.status == CANCELLED and meta(row, CANCELLED_BY) == sign:
            return Done(key, again=True)
        against = too_late(known, "cancelled")
        if against:
            raise NotPossible(self.name, against)
        body = {
            "status": "cancelled",
            "meta_data": [{"key": CANCELLED_BY, "value": sign}],
        }
        with or_unknown(self.name):
            await self._change(row, body)
        return Done(key)

    async def change_address(self, key: str, number: str, address: Address) -> Done:
        """See `Orders`."""

        async def look() -> dict[str, Any] | None:
            return {} if same_place((await self.find(number)).address, address) else None

        async def act(sent: Sent) -> dict[str, Any]:
            row = await self._row(number)
            known = self._read(row)
            against = too_late(known, "sent elsewhere")
            if against:
                raise NotPossible(self.name, against)
            await self._change(row, {"shipping": shipping(completed(address, known))})
            return {}

        _, again = await self._effects.once(mark("address", key), act, look)
        return Done(key, again=again)

    async def of_order(self, number: str) -> tuple[Parcel, ...]:
        """See `Shipments`."""
        return (await self.find(number)).parcels

    async def track(self, tracking: str) -> Parcel:
        """See `Shipments`. Only the newest 200 orders that were sent are looked at."""
        if tracking:
            for row in await self._rows({"status": "completed"}, _TRACKED):
                for parcel in self._read(row).parcels:
                    if parcel.tracking == tracking:
                        return parcel
        raise NotFound(self.name, "parcel")

    async def account(self, email: str) -> Account:
        """See `Accounts`. A guest who has ordered has none, and is told of by his order."""
        wanted = email.strip().lower()
        answer = await self._get("/customers", {"email": wanted, "role": "all"})
        for row in answer.body if isinstance(answer.body, list) else []:
            if str(row.get("email", "")).lower() == wanted:
                name = f"{row.get('first_name') or ''} {row.get('last_name') or ''}".strip()
                phone = str((row.get("billing") or {}).get("phone") or "")
                return Account(str(row["id"]), wanted, name, phone)
        newest = await self.of_customer(wanted, 1)
        if not newest:
            raise NotFound(self.name, "account")
        return Account("", wanted, newest[0].name, newest[0].phone)

    async def reset_password(self, key: str, email: str) -> Done:
        """See `Accounts`. The API cannot."""
        await self.account(email)
        page = f"{self._site}/my-account/lost-password/"
        raise NotPossible(self.name, f"the shop mails a new password only from its page {page}")

    async def send_code(self, key: str, email: str, code: str, minutes: int) -> Done:
        """See `Accounts`. Goes out as a note on the customer's newest order."""
        newest = await self.of_customer(email, 1)
        if not newest:
            await self.account(email)
            raise NotPossible(self.name, "the shop mails only customers who have ordered")

        async def act(sent: Sent) -> dict[str, Any]:
            note = f"Your code is {code}. It is valid for {minutes} minutes."
            body = {"note": note, "customer_note": True}
            answer = await self._http.call("POST", f"/orders/{newest[0].id}/notes", body=body)
            self._ok(answer, "order")
            return {}

        _, again = await self._effects.once(mark("code", key), act, None)
        return Done(key, again=again)

    async def refund(
        self,
        key: str,
        number: str,
        money: Money,
        why: str = "",
        forbids: Callable[[ShopOrder], str] = allowed,
        by: str = "",
    ) -> Refunded:
        """See `Payments`.

        The mark is in the reason, which WooCommerce keeps before it asks the payment's
        gateway; ``meta_data`` it keeps only afterwards.
        """
        sign = f"ref {mark('refund', key)[:13]}"

        async def look() -> dict[str, Any] | None:
            given = await self._given(await self._row(number), sign)
            return None if given is None else _plain(number, given)

        async def act(sent: Sent) -> dict[str, Any]:
            async with self._effects.alone(number, sign):
                return await pay(_money(sent.given))

        async def pay(wanted: Money) -> dict[str, Any]:
            row = await self._row(number)
            given = await self._given(row, sign)
            if given is not None:
                return _plain(number, given)
            known = self._read(row)
            against = forbids(known) or over(known, wanted)
            if against:
                raise NotPossible(self.name, against)
            body = {
                "amount": wanted.plain(),
                "reason": f"{clean(why)[:_NOTE]} [{sign}]".strip(),
                "api_refund": True,
            }
            # A gateway's no is a status 500, see create_item in WooCommerce's controller.
            answer = await self._http.call(
                "POST",
                f"/orders/{known.id}/refunds",
                body=body,
                final=lambda a: code_of(a) == _CANNOT_REFUND,
            )
            self._ok(answer, "order")
            return _plain(number, wanted)

        first = _plain(number, money)
        done, again = await self._effects.once(mark("refund", key), act, look, given=first)
        return Refunded(key, str(done["order"]), _money(done), again=again)

    async def ask(self) -> str:
        """See `Shop`."""
        answer = await self._get("/orders", {"per_page": "1"})
        return f"{self.name}, {answer.headers.get('x-wp-total', '?')} orders"

    async def close(self) -> None:
        """See `Shop`."""
        await self._http.close()

    async def _given(self, row: Mapping[str, Any], sign: str) -> Money | None:
        """Return what a refund with that sign has given back, None without one.

        It is written down before the payment's gateway is asked, and deleted when that says
        no: see wc_create_refund. Raises Ambiguous until the gateway has said yes.
        """
        given = refund_of(row, sign)
        if given is None:
            return None
        answer = await self._get(f"/orders/{row['id']}/refunds", {"per_page": "100"})
        rows = answer.body if isinstance(answer.body, list) else []
        for one in rows:
            if sign in str(one.get("reason") or "") and one.get("refunded_payment") is False:
                raise unknown(self.name, 30.0)
        return given

    def _read(self, row: Mapping[str, Any]) -> ShopOrder:
        return order(row, self._delivered_after)

    async def _row(self, number: str) -> dict[str, Any]:
        """Return the order as the API has it; extensions give numbers that are not the id."""
        if number.isascii() and number.isdigit():
            answer = await self._http.call("GET", f"/orders/{number}")
            if answer.status == 200 and isinstance(answer.body, dict):
                if str(answer.body.get("number")) == number:
                    return answer.body
            elif answer.status != 404 or not code_of(answer).startswith("woocommerce_"):
                self._ok(answer, "order")
        found = [r for r in await self._rows({"search": number}, 10) if str(r["number"]) == number]
        if not found:
            raise NotFound(self.name, "order")
        return found[0]

    async def _rows(self, query: Mapping[str, str], limit: int) -> list[dict[str, Any]]:
        """Return the newest orders that fit, page by page.

        https://developer.woocommerce.com/docs/apis/rest-api/#pagination
        """
        made: list[dict[str, Any]] = []
        page, size = 1, min(_PAGE, limit)
        while len(made) < limit:
            asked = {**query, "page": str(page), "per_page": str(size), "orderby": "date"}
            answer = await self._get("/orders", {**asked, "order": "desc"})
            rows = answer.body if isinstance(answer.body, list) else []
            made += [row for row in rows if isinstance(row, dict)]
            pages = answer.headers.get("x-wp-totalpages", "")
            if not rows or not pages.isdigit() or page >= int(pages):
                break
            page += 1
        return made[:limit]

    async def _get(self, path: str, query: Mapping[str, str]) -> Answer:
        answer = await self._http.call("GET", path, query=query)
        self._ok(answer, "order")
        return answer

    async def _change(self, row: Mapping[str, Any], body: Mapping[str, Any]) -> None:
        # The same change twice is one.
        answer = await self._http.call("PUT", f"/orders/{row['id']}", body=dict(body), safe=True)
        self._ok(answer, "order")

    def _ok(self, answer: Answer, kind: str) -> None:
        """Raise for an answer that is none. Messages may repeat what a customer wrote."""
        if answer.status < 400:
            return
        code = code_of(answer)
        if answer.status == 404 and (not code or code == "rest_no_route"):
            raise Misconfigured(self.name, "there is no WooCommerce API at its url")
        if answer.status == 404:
            raise NotFound(self.name, kind)
        if code == _CANNOT_REFUND:
            reason = "the amount or the order's way of payment does not allow an automatic refund"
            raise NotPossible(self.name, reason)
        told = f" ({code})" if code else f" ({answer.status})"
        raise NotPossible(self.name, f"the shop refused it{told}")


def _money(plain: Mapping[str, Any]) -> Money:
    return Money(int(plain["minor"]), str(plain["currency"]))


def _plain(number: str, money: Money) -> dict[str, Any]:
    return {"order": number, "minor": money.minor, "currency": money.currency}

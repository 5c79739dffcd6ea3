"""A shop of Shopify, by its GraphQL Admin API (https://shopify.dev/docs/api/admin-graphql).

The token is that of a custom app with the scopes read_orders, write_orders, read_customers,
write_customers and read_fulfillments. Orders older than 60 days need read_all_orders.

What the API does not have: a mail with a code goes out as a message with the invoice of the
customer's newest order (orderInvoiceSend); a parcel's number is looked for among the newest
orders; of an account that is active nobody but its owner can ask for a new password.
"""

from __future__ import annotations

import asyncio
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
from actions.backends.errors import (
    Ambiguous,
    NotFound,
    NotPossible,
    Unauthorised,
)
from actions.backends.http import AnswerLost, Pace, place
from actions.backends.orders import CANCELLED
from actions.backends.shopify_api import VERSION, ShopifyApi, quoted
from actions.backends.shopify_read import (
    CANCEL,
    INVITE,
    INVOICE,
    MOST_REFUNDS,
    REFUND,
    SHOP,
    UPDATE,
    order,
    parents,
)
from actions.backends.shopify_read import (
    money as amount_of,
)
from bot.message import clean
from bot.store import AsyncStore

#: Orders among which a parcel's number is looked for.
_TRACKED = 200
# A cancellation is a job of the shop's: how often, and after how many seconds, it is looked at.
_LOOKS, _LOOK_SECONDS = 4, 0.4
_NOTE = 300


class ShopifyShop:
    """Implements `actions.backends.contract.Shop`.

    `url` is ``https://NAME.myshopify.com``; `store` keeps what was begun, see `Effects`.
    """

    def __init__(
        self,
        url: str,
        token: str,
        store: AsyncStore,
        *,
        version: str = VERSION,
        pace: Pace | None = None,
        settled: float = SETTLED_SECONDS,
    ) -> None:
        self._api = ShopifyApi(url, token, version, pace)
        self.name = self._api.name
        self._effects = Effects(f"shopify:{place(url)}", store, settled)

    async def find(self, number: str) -> ShopOrder:
        """See `Orders`."""
        return order(*await self._api.node(number))

    async def of_customer(self, email: str, limit: int = 20) -> list[ShopOrder]:
        """See `Orders`."""
        wanted = email.strip().lower()
        found = await self._api.orders(f"email:{quoted(wanted)}", limit)
        # A search finds what is like it; one customer's orders are nobody else's.
        return [one for one in found if one.email == wanted]

    async def cancel(self, key: str, number: str, why: str = "") -> Done:
        """See `Orders`. The shop cancels by a job of its own, see `Done.pending`."""
        sign = mark("cancel", key)
        node, missing = await self._api.node(number)
        if _cancelled_by(node, sign):
            return Done(key, again=True)
        against = too_late(order(node, missing), "cancelled")
        if against:
            raise NotPossible(self.name, against)
        variables = {
            "orderId": node["id"],
            "reason": "CUSTOMER",
            "refundMethod": {"originalPaymentMethodsRefund": False},
            "restock": True,
            "notifyCustomer": True,
            "staffNote": _noted(why, sign),
        }
        with or_unknown(self.name):
            data, _ = await self._api.ask("orderCancel", CANCEL, variables)
        errors = (data.get("orderCancel") or {}).get("orderCancelUserErrors") or []
        for look in range(_LOOKS):
            node, _ = await self._api.node(number)
            if _cancelled_by(node, sign):
                return Done(key)
            if errors:
                # It may be our own first request that was lost, and has been seen to by now.
                raise self._api.refused(errors)
            if look + 1 < _LOOKS:
                await asyncio.sleep(_LOOK_SECONDS)
        return Done(key, pending=True)

    async def change_address(self, key: str, number: str, address: Address) -> Done:
        """See `Orders`."""

        async def look() -> dict[str, Any] | None:
            return {} if same_place(order(*await self._api.node(number)).address, address) else None

        async def act(sent: Sent) -> dict[str, Any]:
            node, missing = await self._api.node(number)
            known = order(node, missing)
            against = too_late(known, "sent elsewhere")
            if against:
                raise NotPossible(self.name, against)
            given = {"id": node["id"], "shippingAddress": _input(completed(address, known))}
            data, _ = await self._api.ask("orderUpdate", UPDATE, {"input": given})
            done = data.get("orderUpdate") or {}
            if done.get("userErrors"):
                raise self._api.refused(done["userErrors"])
            if not done.get("order"):
                raise AnswerLost(self.name, "it says nothing of the order")
            return {}

        _, again = await self._effects.once(mark("address", key), act, look)
        return Done(key, again=again)

    async def of_order(self, number: str) -> tuple[Parcel, ...]:
        """See `Shipments`."""
        found = await self.find(number)
        if "parcels" in found.missing:
            raise Unauthorised(self.name, "its token may not read fulfillments")
        return found.parcels

    async def track(self, tracking: str) -> Parcel:
        """See `Shipments`. Only the newest 200 orders that were sent are looked at."""
        if tracking:
            query = "fulfillment_status:shipped OR fulfillment_status:partial"
            for found in await self._api.orders(query, _TRACKED):
                for parcel in found.parcels:
                    if parcel.tracking == tracking:
                        return parcel
        raise NotFound(self.name, "parcel")

    async def account(self, email: str) -> Account:
        """See `Accounts`."""
        node = await self._api.customer(email)
        mail, phone = node.get("defaultEmailAddress") or {}, node.get("defaultPhoneNumber") or {}
        return Account(
            id=str(node["id"]),
            email=str(mail.get("emailAddress") or email).lower(),
            name=str(node.get("displayName") or ""),
            phone=str(phone.get("phoneNumber") or ""),
        )

    async def reset_password(self, key: str, email: str) -> Done:
        """See `Accounts`. Mails an invitation to an account that is not active yet."""
        node = await self._api.customer(email)
        if node.get("state") == "ENABLED":
            reason = "the account is active: the shop's sign-in page mails a new password itself"
            raise NotPossible(self.name, reason)

        async def act(sent: Sent) -> dict[str, Any]:
            variables = {"customerId": node["id"]}
            name = "customerSendAccountInviteEmail"
            return await self._api.mailed(name, INVITE, variables)

        _, again = await self._effects.once(mark("reset", key), act, None)
        return Done(key, again=again)

    async def send_code(self, key: str, email: str, code: str, minutes: int) -> Done:
        """See `Accounts`. Goes out with the invoice of the customer's newest order."""
        to = (await self.account(email)).email
        newest = await self.of_customer(to, 1)
        if not newest:
            raise NotPossible(self.name, "the shop mails only customers who have ordered")

        async def act(sent: Sent) -> dict[str, Any]:
            said = f"Your code is {code}. It is valid for {minutes} minutes."
            mail = {"to": to, "subject": "Your code", "customMessage": said}
            return await self._api.mailed(
                "orderInvoiceSend", INVOICE, {"id": newest[0].id, "email": mail}
            )

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

        Shopify forgets an idempotency key after 24 hours
        (https://shopify.dev/docs/api/usage/implementing-idempotency), so that the refund's note
        has it, too, and is looked for first.
        """
        sign = mark("refund", key)
        async with self._effects.alone(number, sign):
            return await self._refund(key, sign, number, money, why, forbids, by)

    async def _refund(
        self,
        key: str,
        sign: str,
        number: str,
        money: Money,
        why: str,
        forbids: Callable[[ShopOrder], str],
        by: str,
    ) -> Refunded:
        node, missing = await self._api.node(number, refunds=True)
        there = self._refunded(key, number, node, sign, again=True)
        if there is not None:
            return there
        if len(node.get("refunds") or []) >= MOST_REFUNDS:
            raise NotPossible(self.name, f"it has been refunded in {MOST_REFUNDS} parts already")
        known = order(node, missing)
        against = forbids(known) or over(known, money)
        if against:
            raise NotPossible(self.name, against)
        variables = {
            "key": sign,
            "input": {
                "orderId": node["id"],
                "note": _noted(f"{why} ({by})" if by else why, sign),
                "notify": True,
                "currency": money.currency,
                "transactions": self._transactions(node, money),
            },
        }
        with or_unknown(self.name):
            data, _ = await self._api.ask("refundCreate", REFUND, variables)
        done = data.get("refundCreate") or {}
        errors = done.get("userErrors") or []
        if done.get("refund") and not errors:
            return Refunded(key, known.number, money)
        # Somebody else with the same key, or our own first request whose answer was lost.
        node, _ = await self._api.node(number, refunds=True)
        there = self._refunded(key, number, node, sign, again=True)
        if there is not None:
            return there
        if any(str(e.get("code", "")).startswith("IDEMPOTENCY_") for e in errors):
            raise Ambiguous(self.name, "the shop is still at the same refund", 10.0)
        if not errors:
            raise unknown(self.name, 10.0)
        raise self._api.refused(errors)

    async def ask(self) -> str:
        """See `Shop`."""
        data, _ = await self._api.ask("shop", SHOP, {})
        found = data.get("shop") or {}
        return f"{self.name}, {found.get('currencyCode', '?')}"

    async def close(self) -> None:
        """See `Shop`."""
        await self._api.close()

    def _transactions(self, node: Mapping[str, Any], amount: Money) -> list[dict[str, str]]:
        """Return to which payments of an order an amount goes back."""
        left, made = amount.minor, []
        for parent in parents(node, amount.currency):
            part = min(left, parent.left)
            if part > 0:
                left -= part
                made.append(
                    {
                        "orderId": str(node["id"]),
                        "parentId": parent.id,
                        "gateway": parent.gateway,
                        "kind": "REFUND",
                        "amount": Money(part, amount.currency).plain(),
                    }
                )
        if left:
            raise NotPossible(self.name, "its payments cannot be refunded by the shop")
        return made

    def _refunded(
        self, key: str, number: str, node: Mapping[str, Any], sign: str, *, again: bool
    ) -> Refunded | None:
        for refund in node.get("refunds") or []:
            if sign in str(refund.get("note") or ""):
                given = amount_of(refund.get("totalRefundedSet"))
                if given is not None:
                    return Refunded(key, number, given, again=again)
        return None


def _noted(why: str, sign: str) -> str:
    return f"{clean(why)[:_NOTE]} [frontdesk {sign}]".strip()


def _cancelled_by(node: Mapping[str, Any], sign: str) -> bool:
    note = (node.get("cancellation") or {}).get("staffNote")
    return order(node).status == CANCELLED and sign in str(note or "")


def _input(address: Address) -> dict[str, str]:
    first, _, last = address.name.rpartition(" ")
    given = {
        "firstName": first,
        "lastName": last,
        "address1": address.line1,
        "address2": address.line2,
        "city": address.city,
        "province": address.region,
        "zip": address.postcode,
        "countryCode": address.country,
    }
    # The second line of the old address is not one of the new.
    return {name: value for name, value in given.items() if value or name == "address2"}

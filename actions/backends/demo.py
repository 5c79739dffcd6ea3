"""The demonstration shop, whose books are the bot's own store."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from mongoengine import Document, StringField

from actions.backends.contract import (
    Account,
    Address,
    Done,
    Item,
    Money,
    Parcel,
    Refunded,
    ShopOrder,
    allowed,
    completed,
    mark,
    over,
    too_late,
)
from actions.backends.effects import Effect, Effects, Sent
from actions.backends.errors import NotFound, NotPossible
from actions.backends.orders import CANCELLED, PLACED, Order, OrdersBackend
from actions.backends.payments import PAID, PaymentsBackend, Refund
from bot.message import clean, utcnow
from bot.store import AsyncStore
from bot.store.fields import UtcField

_LONGEST = 200


class Mail(Document):
    """A mail of the demonstration shop; `_id` is the `mark` of what caused it."""

    id = StringField(primary_key=True)
    to = StringField(required=True)
    subject = StringField(required=True)
    body = StringField(required=True)
    at = UtcField(required=True)

    meta = {
        "collection": "demo_mails",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("to", "at")],
    }


class DemoShop:
    """Implements `actions.backends.contract.Shop`; `store` has been given `DOCUMENTS`.

    Its being down is the bot's: every method raises StoreDown then.
    """

    name = "the demonstration shop"

    def __init__(self, store: AsyncStore) -> None:
        self._store = store
        self._effects = Effects("demo", store)

    async def find(self, number: str) -> ShopOrder:
        """See `Orders`."""
        return seen(await self._order(number))

    async def of_customer(self, email: str, limit: int = 20) -> list[ShopOrder]:
        """See `Orders`."""
        where = {"email": email.strip().lower()}
        rows = await self._store.find(Order, where, sort=("-placed",), limit=limit)
        return [seen(row) for row in rows]

    async def cancel(self, key: str, number: str, why: str = "") -> Done:
        """See `Orders`."""
        done = await self._store.change(
            Order,
            {"id": number, "status": PLACED},
            set={"status": CANCELLED, "cancelled_by": key},
        )
        if done is not None:
            return Done(key)
        order = await self._order(number)
        if order.status == CANCELLED and order.cancelled_by == key:
            return Done(key, again=True)
        raise NotPossible(self.name, too_late(seen(order), "cancelled"))

    async def change_address(self, key: str, number: str, address: Address) -> Done:
        """See `Orders`."""

        async def act(sent: Sent) -> dict[str, Any]:
            whole = completed(address, await self.find(number))
            plain = {field: clean(text)[:_LONGEST] for field, text in asdict(whole).items()}
            done = await self._store.change(
                Order, {"id": number, "status": PLACED}, set={"address": plain}
            )
            if done is None:
                raise NotPossible(self.name, too_late(await self.find(number), "sent elsewhere"))
            return {}

        # The store has it at once, or not at all.
        sign = mark("address", key)
        _, again = await self._effects.once(sign, act, None, safe=True)
        return Done(key, again=again)

    async def of_order(self, number: str) -> tuple[Parcel, ...]:
        """See `Shipments`."""
        return (await self.find(number)).parcels

    async def track(self, tracking: str) -> Parcel:
        """See `Shipments`."""
        rows = await self._store.find(Order, {"tracking": tracking}, limit=1)
        if not tracking or not rows:
            raise NotFound(self.name, "parcel")
        return seen(rows[0]).parcels[0]

    async def account(self, email: str) -> Account:
        """See `Accounts`."""
        orders = await self.of_customer(email, 1)
        if not orders:
            raise NotFound(self.name, "account")
        return Account(orders[0].email, orders[0].email, orders[0].name, orders[0].phone)

    async def reset_password(self, key: str, email: str) -> Done:
        """See `Accounts`."""
        link = f"https://larkfield.example/password/{mark('link', key)}"
        body = f"Choose a new password here, within 30 minutes: {link}"
        return await self._mail("reset", key, email, "Your new password", body)

    async def send_code(self, key: str, email: str, code: str, minutes: int) -> Done:
        """See `Accounts`."""
        body = f"Your code is {code}. It is valid for {minutes} minutes."
        return await self._mail("code", key, email, "Your code", body)

    async def refund(
        self,
        key: str,
        number: str,
        money: Money,
        why: str = "",
        forbids: Callable[[ShopOrder], str] = allowed,
        by: str = "",
    ) -> Refunded:
        """See `Payments`."""
        before = await self._store.get(Refund, f"refund:{key}")
        row = await asyncio.to_thread(
            lambda: PaymentsBackend(self._store.sync).refund(
                key, number, money.minor, _Forbidden(money, forbids), agent=by, why=why
            )
        )
        order = await self._order(str(row.order))
        if row.status != PAID:
            raise NotPossible(self.name, str(row.against))
        given = Money(int(row.pence), str(order.currency))
        again = before is not None and before.status == PAID
        return Refunded(key, str(row.order), given, again)

    async def ask(self) -> str:
        """See `Shop`."""
        return f"{self.name}, {await self._store.count(Order, {})} orders"

    async def close(self) -> None:
        """See `Shop`. The store is its opener's."""

    async def _mail(self, verb: str, key: str, email: str, subject: str, body: str) -> Done:
        to = (await self.account(email)).email
        mail = Mail(id=mark(verb, key), to=to, subject=subject, body=body, at=utcnow())
        new = await self._store.insert_new([mail])
        return Done(key, again=not new[0])

    async def _order(self, number: str) -> Order:
        order = await self._store.get(Order, number)
        if order is None:
            raise NotFound(self.name, "order")
        return order


#: What the store is to know of it.
DOCUMENTS: tuple[type[Document], ...] = (Order, Refund, Mail, Effect)


async def opened(store: AsyncStore, *, seed: bool) -> DemoShop:
    """Return the shop of a store, with the demonstration orders in it if `seed` and it is empty."""
    if seed:
        await store.count(Order, {})
        await asyncio.to_thread(OrdersBackend(store.sync).seed)
    return DemoShop(store)


def seen(order: Order) -> ShopOrder:
    """Return an order of the store as backends tell of it."""
    currency = str(order.currency or "GBP")
    refunded = Money(int(order.refunded or 0), currency)
    status = str(order.status)
    parcel = Parcel(
        order=str(order.id),
        status=status,
        carrier=str(order.carrier or ""),
        tracking=str(order.tracking or ""),
        shipped=_at(order.shipped),
        eta=_at(order.eta),
        delivered=_at(order.delivered),
    )
    return ShopOrder(
        number=str(order.id),
        id=str(order.id),
        status=status,
        placed=_at(order.placed),
        items=tuple(Item(str(i["name"]), int(i["quantity"])) for i in order.items),
        paid=Money(int(order.total), currency) if order.total else None,
        refunded=refunded,
        name=str(order.customer),
        email=str(order.email or ""),
        phone=str(order.phone or ""),
        address=Address(**order.address) if order.address else None,
        parcels=(parcel,) if order.shipped or order.tracking else (),
        eta=_at(order.eta),
    )


def _at(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


class _Forbidden:
    """What the protocol's refunds are held against, see `payments.Against`."""

    def __init__(self, money: Money, forbids: Callable[[ShopOrder], str]) -> None:
        self._money = money
        self._forbids = forbids

    def against(self, order: Order | None, pence: int, *, by_agent: bool, at: datetime) -> str:
        if order is None:
            return "there is no such order"
        facts = seen(order)
        return self._forbids(facts) or over(facts, Money(pence, self._money.currency))

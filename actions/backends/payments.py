"""Money given back, each thing that was the cause of it once, and never more than was paid.

A refund is asked for, then taken from what its order has left by one compare-and-set, then
marked as paid. Whoever does the same again, after a crash between any two of these or at
the same time, finds itself among the order's refunds and takes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from mongoengine import Document, IntField, StringField

from actions.backends.orders import Order
from bot.message import clean, utcnow
from bot.store import Store
from bot.store.fields import UtcField

ASKED, PAID, REFUSED = "asked", "paid", "refused"


class Refund(Document):
    """`_id` is ``refund:`` and the id of what caused it, a deed or a message.

    `pence` is the amount, `agent` the id of who did it ("" for the customer himself), `why`
    the reason that he gave, `against` what forbade it. Its reservation in `Order.refunds` is
    what counts; `status` follows it.
    """

    id = StringField(primary_key=True)
    order = StringField(required=True)
    pence = IntField(required=True)
    status = StringField(default=ASKED, choices=(ASKED, PAID, REFUSED))
    agent = StringField(default="")
    why = StringField(default="")
    against = StringField(default="")
    at = UtcField(required=True)
    settled = UtcField()

    meta = {
        "collection": "refunds",
        "auto_create_index": False,
        "index_background": False,
        "indexes": [("order", "at"), ("status", "at")],
    }


class Against(Protocol):
    """What may forbid a refund, as `actions.rules.Refunds` does."""

    def against(self, order: Order | None, pence: int, *, by_agent: bool, at: datetime) -> str:
        """Return why so many pence may not be given back, "" when they may."""


class PaymentsBackend:
    """Gives money back in a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def prepare(self) -> None:
        """Create the collections where they are missing. Raises StoreDown."""
        self._store.ensure(Order, Refund)

    def refund(
        self, cause: str, number: str, pence: int, rules: Against, *, agent: str = "", why: str = ""
    ) -> Refund:
        """Give `pence` of an order back, if the rules let it be, and return what became of it.

        Of several calls with the same `cause` the first one decides order and amount. Raises
        StoreDown; whether it was paid then is told by calling it again.
        """
        asked = Refund(
            id=f"refund:{cause}",
            order=number,
            pence=pence,
            agent=agent,
            why=clean(why)[:500],
            at=utcnow(),
        )
        self._store.insert_new([asked])
        row = self._store.get(Refund, asked.id) or asked
        return row if row.status != ASKED else self._settle(row, rules)

    def _settle(self, row: Refund, rules: Against) -> Refund:
        while True:
            order = self._store.get(Order, row.order)
            parts = list(order.refunds or []) if order is not None else []
            if any(part["id"] == row.id for part in parts):
                return self._end(row, PAID)
            against = rules.against(order, row.pence, by_agent=bool(row.agent), at=row.at)
            if order is None or against:
                return self._end(row, REFUSED, against)
            # It only ever grows, so that the same number is the same list of refunds.
            taken = self._store.change(
                Order,
                {"id": order.id, "refunded": order.refunded},
                set={
                    "refunded": (order.refunded or 0) + row.pence,
                    "refunds": [*parts, {"id": row.id, "pence": row.pence}],
                },
            )
            if taken is not None:
                return self._end(row, PAID)

    def _end(self, row: Refund, status: str, against: str = "") -> Refund:
        where = {"id": row.id} if status == PAID else {"id": row.id, "status": ASKED}
        done = {"status": status, "against": against, "settled": utcnow()}
        return self._store.change(Refund, where, set=done) or self._store.get(Refund, row.id) or row

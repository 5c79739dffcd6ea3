"""What a scenario says of the shop's books: orders, refunds, returns, cases, who has the talk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from actions import backends
from actions.backends import demo
from actions.backends.orders import Order
from actions.backends.payments import PAID, Refund
from actions.backends.returns import Return
from actions.money import pounds, read_pence
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, Case
from bot.store.conversations import AGENT, BOT, Conversation

#: What the books are kept in, beside the bot's own documents.
BOOKS = (*demo.DOCUMENTS, Return)
_CASE = ("topic", "priority", "why", "summary", "language", "to", "agent", "rating", "status")


async def open_books(store: AsyncStore, orders: Mapping[str, Mapping[str, Any]]) -> None:
    """Open the shop that ``FRONTDESK_STORE_URL`` names, with its own orders and these.

    Of an order may be said: ``customer``, ``items`` (name: pieces), ``status``, ``paid``
    (as in £12.00), and how many days ago it was ``placed``, ``shipped`` and ``delivered``.
    """
    backends.orders()
    backends.payments()
    backends.returns()
    now = utcnow()
    for number, told in orders.items():
        days = {k: now - timedelta(days=told[k]) for k in ("shipped", "delivered") if k in told}
        await store.insert(
            Order(
                id=number,
                customer=told.get("customer", "Amara Osei"),
                items=[{"name": n, "quantity": q} for n, q in told["items"].items()],
                status=told["status"],
                placed=now - timedelta(days=told.get("placed", 1)),
                eta=now + timedelta(days=2),
                email=told.get("mail", ""),
                total=read_pence(told.get("paid", "0.00")) or 0,
                **days,
            )
        )


class Ledger:
    """The books of one scenario's store."""

    def __init__(self, store: AsyncStore) -> None:
        self._store = store

    async def against(self, what: str, wanted: Any, conversations: Sequence[str]) -> str:
        """Return what is not as a scenario says, "" when it is."""
        name, _, number = what.rpartition(" ")
        if name == "order":
            order = await self._store.get(Order, number)
            found: Any = order.status if order else "unknown"
        elif name == "refunds of":
            rows = await self._store.find(Refund, {"order": number, "status": PAID})
            found = [pounds(row.pence) for row in rows]
            wanted = [] if wanted == "none" else wanted
        elif name == "returns of":
            found = await self._store.count(Return, {"order": number})
        elif what in ("case", "cases"):
            return await self._cases(wanted, conversations)
        elif what == "with":
            found = await self._holder(conversations[-1])
        elif what == "opted out":
            held = await self._store.get(Conversation, conversations[-1])
            found = bool(held and held.opted_out)
        else:
            return (
                "should be 'order N', 'refunds of N', 'returns of N', 'case', 'cases', 'with' or "
                "'opted out'"
            )
        return "" if found == wanted else f"is {found}, not {wanted}"

    async def _holder(self, key: str) -> str:
        held = await self._store.get(Conversation, key)
        if held is None or held.holder == BOT:
            return "the bot"
        return str(held.agent) if held.holder == AGENT else "the team"

    async def _cases(self, wanted: Any, conversations: Sequence[str]) -> str:
        rows = [
            row
            for key in conversations
            for row in await self._store.find(Case, {"conversation": key}, sort=("at",))
        ]
        if wanted == "none":
            wanted = []
        wanted = wanted if isinstance(wanted, list) else [wanted]
        if len(rows) != len(wanted):
            listed = "; ".join(f"{row.topic}, {row.priority}: {row.why}" for row in rows)
            return f"there are {len(rows)}, not {len(wanted)}: {listed or 'none'}"
        for row, one in zip(rows, wanted, strict=True):
            wrong = _against(row, one)
            if wrong:
                return wrong
        return ""


def _against(case: Case, wanted: Mapping[str, Any]) -> str:
    for key, value in wanted.items():
        if key == "open":
            if (case.status == OPEN) != value:
                return f"its status is {case.status}"
        elif key == "details":
            if str(value) not in str(case.details):
                return f"its details are {case.details}, nothing of {value}"
        elif key not in _CASE:
            return f"{key} should be one of {', '.join(_CASE)}, open, details"
        elif str(value) not in str(getattr(case, key)):
            return f"its {key} is {getattr(case, key)!r}, not {value!r}"
    return ""

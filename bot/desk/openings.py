"""Since when a case is open, and what was said since; read from the store."""

from __future__ import annotations

from bot.desk.clock import Opening, answered, asks, micro, moment
from bot.desk.routing_file import UNDELIVERED
from bot.store import AsyncStore
from bot.store.cases import Case
from bot.store.journal import REOPENED, Entry
from bot.store.messages import RECEIPT_ORDER, SENDING, UNKNOWN, Message

#: How the id begins of a case that was made for who waited without one.
FOUND = "waiting:"

_ROWS = 50
# What was said before an agent took a conversation unasked, and may have been the answer.
_BEFORE = 20
_REACHED = (*RECEIPT_ORDER, SENDING, UNKNOWN)


async def opening_of(store: AsyncStore, case: Case) -> Opening:
    """Return how a case was opened last.

    Who takes a conversation while the bot composes its answer takes that over, too: the
    customer waits since he wrote.
    """
    if case.opened > 1:
        entries = await store.find(Entry, {"case": case.id, "kind": REOPENED})
        last = max(entries, key=lambda entry: entry.arrived, default=None)
        if last is not None:
            return Opening(last.at, last.id, waits=not last.agent)
    made = case.topic == UNDELIVERED or str(case.id).startswith(FOUND)
    # A case has the id of the message that made it, unless an agent opened it unasked.
    if made or await store.get(Message, case.id) is not None:
        return Opening(case.at, case.id, waits=True)
    where = {"conversation": case.conversation, "arrived": {"$lt": micro(case.at)}}
    for row in await store.find(Message, where, sort=("-arrived",), limit=_BEFORE):
        if row.direction == "out" and row.status in _REACHED:
            break
        if asks(row):
            return Opening(moment(row.arrived), row.id, waits=True)
    return Opening(case.at, case.id, waits=False)


async def rows_since(store: AsyncStore, conversation: str, since: int) -> list[Message]:
    """Return the messages since a moment, but none from before an agent's last answer.

    `since` is as `Message.arrived`; the newest comes first.
    """
    rows: list[Message] = []
    before: dict[str, int] = {}
    while True:
        where = {"conversation": conversation, "arrived": {"$gte": since, **before}}
        page = await store.find(Message, where, sort=("-arrived",), limit=_ROWS)
        rows += page
        if len(page) < _ROWS or any(answered(row) for row in page):
            return rows
        before = {"$lt": page[-1].arrived}

"""The inbox: which conversations there are for agents, the most urgent first."""

from __future__ import annotations

import time
from collections import Counter, OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from bot.console.names import Names
from bot.desk.clock import clock
from bot.desk.openings import opening_of
from bot.desk.routing import Routing
from bot.desk.timeline import words
from bot.message import Address, Event, Reaction
from bot.perception.contract import PRIORITIES
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.messages import DONE, FAILED, SENT, Message

View = Literal["waiting", "mine", "all", "closed", "bot"]
VIEWS: tuple[View, ...] = ("waiting", "mine", "all", "closed", "bot")
#: Rows of a list; of the recent past: messages looked through, and of each conversation.
MOST = 100
_RECENT = 400
LAST = 40
_LINE = 160
_REMEMBERED, _FRESH = 1000, 30.0


@dataclass(frozen=True)
class Overview:
    """What the tabs count, and a `mark` that differs whenever a list may."""

    mark: Hashable
    waiting: int
    open: int
    held: Counter[str]

    def counts(self, agent: str) -> dict[str, int]:
        """Return the numbers on an agent's tabs."""
        return {"waiting": self.waiting, "mine": self.held[agent], "all": self.open}


async def overview(store: AsyncStore) -> Overview:
    """Look over the whole desk. It reads what is open, and four rows more."""
    cases, held = await _open(store)
    newest: list[Hashable] = []
    for direction, status in (("in", DONE), ("out", SENT), ("out", FAILED)):
        where = {"direction": direction, "status": status}
        newest += [
            (row.id, row.due) for row in await store.find(Message, where, sort=("-due",), limit=1)
        ]
    closed = await store.find(Case, {"status": RESOLVED}, sort=("-resolved",), limit=1)
    return Overview(
        mark=(
            tuple((c.id, c.priority, c.topic, c.agent, c.opened) for c in cases),
            tuple((h.id, h.holder, h.agent, h.epoch, h.last_in) for h in held),
            tuple(newest),
            tuple((c.id, c.resolved, c.rating) for c in closed),
        ),
        waiting=sum(row.holder == WAITING for row in held),
        open=len({row.conversation for row in cases} | {row.id for row in held}),
        held=Counter(str(row.agent) for row in held if row.holder == AGENT),
    )


_Pair = tuple[Conversation, "Case | None"]


class Lists:
    """Reads the views for one gateway.

    Of each conversation that was shown lately the last messages are remembered, while the
    newest one is the same, for some seconds: every page asks again at every change.
    """

    def __init__(self, store: AsyncStore, names: Names, routing: Routing) -> None:
        self._store = store
        self._names = names
        self._routing = routing
        self._known: OrderedDict[str, tuple[float, list[Message]]] = OrderedDict()

    async def read(self, view: View, agent: str) -> dict[str, Any]:
        """Return the rows of a view as plain values, and whether there are `more`."""
        if view == "closed":
            found = await _closed(self._store)
        elif view == "bot":
            found = await _with_bot(self._store)
        else:
            found = _chosen(await _all_open(self._store), view, agent)
        rows = [await self._row(*pair) for pair in found[:MOST]]
        if view not in ("closed", "bot"):
            rows.sort(
                key=lambda row: (-row["urgency"], row["due"] or row["since"] or "~", row["at"])
            )
        return {"rows": rows, "more": len(found) > MOST}

    async def _last(self, conversation: str) -> list[Message]:
        where = {"conversation": conversation}
        newest = await self._store.find(Message, where, sort=("-arrived",), limit=1)
        known = self._known.get(conversation)
        now = time.monotonic()
        if newest and known and now < known[0] and _alike(newest[0], known[1][0]):
            self._known.move_to_end(conversation)
            return known[1]
        rows = await self._store.find(Message, where, sort=("-arrived",), limit=LAST)
        self._known[conversation] = now + _FRESH, rows
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return rows

    async def _row(self, held: Conversation, case: Case | None) -> dict[str, Any]:
        last = await self._last(held.id)
        since, due = await standing(self._store, held, case, last, self._routing)
        closed = case is not None and case.status == RESOLVED
        address = Address.parse(held.id)
        return {
            "conversation": held.id,
            "name": name_of(held, last),
            "channel": address.channel,
            "account": address.account,
            "holder": held.holder,
            "agent": held.agent or "",
            "agent_name": await self._names.of(held.agent or ""),
            "case": case.id if case else "",
            "topic": case.topic if case else "",
            "priority": case.priority if case else "",
            "urgency": urgency(case),
            "summary": case.summary or "" if case else "",
            "at": iso(case.at if case else held.created),
            "since": iso(since),
            "due": iso(due),
            "language": held.language or "",
            "last": _line(last),
            "resolved": iso(case.resolved) if closed and case else "",
            "rating": int(case.rating or 0) if case else 0,
        }


async def _open(store: AsyncStore) -> tuple[list[Case], list[Conversation]]:
    # All of them: the most urgent one may be the newest.
    cases = await store.find(Case, {"status": OPEN}, sort=("at",))
    held: list[Conversation] = []
    for holder in (WAITING, AGENT):
        held += await store.find(Conversation, {"holder": holder}, sort=("id",))
    return cases, held


async def _all_open(store: AsyncStore) -> list[_Pair]:
    cases, held = await _open(store)
    known = {row.id: row for row in held}
    shown: dict[str, Case] = {}
    for case in sorted(cases, key=lambda case: bool(case.part_of)):
        shown.setdefault(str(case.conversation), case)
    missing = sorted(shown.keys() - known.keys())
    if missing:
        for row in await store.find(Conversation, {"id": {"$in": missing}}):
            known[row.id] = row
    pairs = [(row, shown.get(id)) for id, row in known.items()]
    return sorted(pairs, key=lambda p: (-urgency(p[1]), p[1].at if p[1] else p[0].created))


def _chosen(pairs: Sequence[_Pair], view: View, agent: str) -> list[_Pair]:
    if view == "waiting":
        return [pair for pair in pairs if pair[0].holder == WAITING]
    if view == "mine":
        return [pair for pair in pairs if pair[0].holder == AGENT and pair[0].agent == agent]
    return list(pairs)


async def _closed(store: AsyncStore) -> list[_Pair]:
    cases = await store.find(Case, {"status": RESOLVED}, sort=("-resolved",), limit=MOST + 1)
    ids = sorted({str(case.conversation) for case in cases})
    rows = await store.find(Conversation, {"id": {"$in": ids}}) if ids else []
    known = {row.id: row for row in rows}
    return [(known[c.conversation], c) for c in cases if c.conversation in known and not c.part_of]


async def _with_bot(store: AsyncStore) -> list[_Pair]:
    where = {"direction": "in", "status": DONE}
    recent = await store.find(Message, where, sort=("-due",), limit=_RECENT)
    ids = list(dict.fromkeys(str(row.conversation) for row in recent))
    rows = await store.find(Conversation, {"id": {"$in": ids}}) if ids else []
    known = {row.id: row for row in rows if row.holder == BOT}
    return [(known[id], None) for id in ids if id in known]


async def standing(
    store: AsyncStore,
    held: Conversation,
    case: Case | None,
    last: Sequence[Message],
    routing: Routing,
) -> tuple[datetime | None, datetime | None]:
    """Return since when a customer waits for an agent, and by when an answer is due; None each.

    `last` are the conversation's last messages.
    """
    if case is None or case.status != OPEN:
        return (held.last_in if held.holder == WAITING else None), None
    opening = await opening_of(store, case)
    due = clock(case, held, last, opening=opening, routing=routing)
    return (due.waiting_since, due.due) if due is not None else (None, None)


def urgency(case: Case | None) -> int:
    """Return the place of a case's priority, 0 for the lowest and for none."""
    return PRIORITIES.index(case.priority) if case and case.priority in PRIORITIES else 0


def name_of(held: Conversation, last: Sequence[Message]) -> str:
    """Return what a customer is called, by the newest that is known; the address without any.

    That of a visitor of the web chat is long, and only its beginning is shown.
    """
    told = [row.profile for row in last if row.direction == "in"]
    names = [str((profile or {}).get("name") or "") for profile in (*told, held.profile)]
    address = Address.parse(held.id)
    nobody = f"Visitor {address.user[:6]}" if address.channel == "webchat" else address.user
    return next((name for name in names if name.strip()), nobody)


def iso(at: datetime | None) -> str:
    """Return a time as the page reads it, "" for none."""
    return at.isoformat() if at is not None else ""


def _line(last: Sequence[Message]) -> dict[str, str]:
    for row in last:
        if (row.content or {}).get("kind") not in (Event.kind, Reaction.kind):
            incoming = row.direction == "in"
            return {
                "who": "customer" if incoming else ("agent" if row.agent else "bot"),
                "name": "" if incoming else str(row.agent or ""),
                "text": words(dict(row.content or {}))[:_LINE],
                "at": iso(row.sent),
            }
    return {"who": "", "name": "", "text": "", "at": ""}


def _alike(one: Message, other: Message) -> bool:
    return (one.id, one.status, one.content) == (other.id, other.status, other.content)

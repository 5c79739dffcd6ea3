"""Sees to it that nobody is forgotten: reminders, idle conversations, failed deliveries."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.desk.clock import Clock, agent_had_last_word, clock, in_words, micro, moment
from bot.desk.forgotten import find_forgotten
from bot.desk.idle import close_idle, finish, unfinished
from bot.desk.journal import note_down
from bot.desk.openings import opening_of, rows_since
from bot.desk.routing import Route, Routing
from bot.desk.undelivered import Undelivered
from bot.message import Address, utcnow
from bot.perception.contract import PRIORITIES
from bot.rounds import Rounds
from bot.settings import Limits
from bot.store import AsyncStore, StoreDown
from bot.store.cases import OPEN, Case
from bot.store.conversations import Conversation
from bot.store.deeds import PENDING, Deed
from bot.store.journal import REMINDED, Entry
from bot.store.messages import Message
from connectors import connector_class
from connectors.base import Capabilities

log = logging.getLogger(__name__)

#: Of a reminder, in `Entry.details`: where it is to be seen, each time by more people.
STAGES = ("thread", "channel", "on_call")

_PAGE = 200
# What one process began to close another goes on with after this long, but not much later:
# a customer who is told so days afterwards is told nonsense.
_GRACE, _NO_MORE = timedelta(seconds=10), timedelta(minutes=30)
_LOOK_AGAIN = timedelta(minutes=1)


def _capabilities(channel: str) -> Capabilities:
    return connector_class(channel).capabilities


class Deadlines(Rounds):
    """Looks after all open cases for one worker process; any number may do so at once.

    `told` is called after something new is to be seen in the journal or to be sent.
    `pace` is how many seconds lie between two rounds.
    """

    def __init__(
        self,
        store: AsyncStore,
        routing: Routing,
        limits: Limits,
        told: Callable[[], None],
        *,
        capabilities: Callable[[str], Capabilities] = _capabilities,
        pace: float = 5.0,
    ) -> None:
        super().__init__(limits)
        self._store = store
        self._routing = routing
        self._told = told
        self._capabilities = capabilities
        self._pace = pace
        self._undelivered = Undelivered(store, routing)
        self._next_round = 0.0
        self._next_search = 0.0
        # Until when a conversation need not be looked at, whatever is written in it: nobody
        # who begins to wait later can have waited too long before that.
        self._resting: dict[str, datetime] = {}
        spans = [s for w in routing.within.values() for s in (w.first, w.next)]
        spans += [routing.idle] if routing.idle else []
        self._rest = min((_LOOK_AGAIN, *(span / 2 for span in spans)))

    async def _round(self) -> None:
        if time.monotonic() < self._next_round:
            return
        self._next_round = time.monotonic() + self._pace
        await self.look()

    async def look(self) -> None:
        """Go through everything once. Raises StoreDown."""
        now = utcnow()
        if self._routing.undelivered and await self._undelivered.look():
            self._told()
        for case in await unfinished(self._store, now - _NO_MORE, now - _GRACE):
            await finish(self._store, case, self._routing, self._capabilities)
            self._told()
        if time.monotonic() >= self._next_search:
            self._next_search = time.monotonic() + _LOOK_AGAIN.total_seconds()
            if await find_forgotten(self._store, self._routing):
                self._told()
        found = await self._open_cases()
        self._resting = {key: at for key, at in self._resting.items() if key in found}
        for conversation, cases in found.items():
            if self._stopping:
                return
            if self._resting.get(conversation, now) > now:
                continue
            try:
                self._resting[conversation] = await self._look_at(conversation, cases)
            except StoreDown:
                raise
            except Exception:
                log.exception("%s: its deadlines could not be looked at", conversation)
                self._resting[conversation] = now + _LOOK_AGAIN

    async def _open_cases(self) -> dict[str, list[Case]]:
        """Return the open cases by conversation, the oldest first."""
        found: dict[str, list[Case]] = defaultdict(list)
        skip = 0
        while True:
            page = await self._store.find(
                Case, {"status": OPEN}, sort=("at", "id"), limit=_PAGE, skip=skip
            )
            for case in page:
                if all(case.id != known.id for known in found[case.conversation]):
                    found[case.conversation].append(case)
            if len(page) < _PAGE:
                return dict(found)
            skip += _PAGE

    async def _look_at(self, conversation: str, cases: Sequence[Case]) -> datetime:
        """Do what is due in a conversation; return when to look again."""
        held = await self._store.get(Conversation, conversation)
        again = utcnow() + self._rest
        if held is None:
            return again
        root = cases[0]
        opening = await opening_of(self._store, root)
        rows = await rows_since(self._store, conversation, micro(opening.at))
        for case in _to_watch(cases):
            opened = opening if case is root else await opening_of(self._store, case)
            due = clock(case, held, rows, opening=opened, routing=self._routing)
            if due is not None and not due.first:
                # Later answers are to all that was asked: as urgent as the most urgent.
                due = replace(due, due=self._next_due(due, cases)) if case is root else None
            if due is not None:
                again = min(again, await self._remind(root, case, cases, due) or again)
        if self._routing.idle is not None and agent_had_last_word(rows):
            again = min(again, await self._if_idle(cases, held, rows, self._routing.idle))
        return again

    def _next_due(self, due: Clock, cases: Sequence[Case]) -> datetime:
        return self._routing.due(due.waiting_since, _most_urgent(cases), first=False)

    async def _remind(
        self, root: Case, case: Case, cases: Sequence[Case], due: Clock
    ) -> datetime | None:
        """Write the reminder of the last stage that is reached; return when the next one is."""
        now = utcnow()
        priority = case.priority if due.first else _most_urgent(cases)
        times = [self._routing.later(due.due, span, priority) for span in self._routing.remind]
        reached = sum(at < now for at in times)
        if reached:
            stage = STAGES[reached - 1]
            waited = now - due.waiting_since
            answer = "a first answer" if due.first else "an answer"
            new = await note_down(
                self._store,
                f"remind:{case.id}:{due.cause}:{stage}",
                REMINDED,
                root.conversation,
                case=root.id,
                text=f"Waiting for {in_words(waited)} for {answer} (due {self._clock(due.due)}).",
                details={
                    "stage": stage,
                    "minutes": int(waited.total_seconds() // 60),
                    "on_call": list(self._route(case).on_call) if stage == STAGES[-1] else [],
                    "first": due.first,
                    "due": due.due.isoformat(),
                },
            )
            if new:
                self._told()
        return times[reached] if reached < len(times) else None

    def _route(self, case: Case) -> Route:
        """Return where a case went, or would go now when the file has changed."""
        channel = Address.parse(case.conversation).channel
        return self._routing.named(case.to or "") or self._routing.route(
            topic=case.topic, language=case.language or "", channel=channel, priority=case.priority
        )

    def _clock(self, at: datetime) -> str:
        """Return the time of day, and the date if that is not today."""
        zone = self._routing.hours.zone
        local, today = at.astimezone(zone), utcnow().astimezone(zone)
        return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M}"

    async def _if_idle(
        self, cases: Sequence[Case], held: Conversation, rows: Sequence[Message], idle: timedelta
    ) -> datetime:
        """Close the conversation when it is time to; return when that will be."""
        where = {"conversation": held.id}
        entries = await self._store.find(Entry, where, sort=("-arrived",), limit=1)
        seen = max([row.arrived for row in rows] + [entry.arrived for entry in entries])
        closes = moment(seen) + idle
        now = utcnow()
        if closes > now:
            return closes
        # An agent's words may lie in a deed that no worker has come to.
        if await self._store.count(Deed, {**where, "status": PENDING}):
            return now
        if await close_idle(self._store, cases, held, seen, self._routing, self._capabilities):
            self._told()
        return now


def _to_watch(cases: Sequence[Case]) -> list[Case]:
    """Return the oldest case, and each that is more urgent than all before it."""
    found: list[Case] = []
    for case in cases:
        if not found or _urgency(case) > _urgency(found[-1]):
            found.append(case)
    return found


def _most_urgent(cases: Sequence[Case]) -> str:
    return str(max(cases, key=_urgency).priority)


def _urgency(case: Case) -> int:
    return PRIORITIES.index(case.priority) if case.priority in PRIORITIES else -1

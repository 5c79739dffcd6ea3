"""A message that could not be delivered for good becomes a case, unless a person is at it."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.desk.closing import TOLD
from bot.desk.idle import ENDED, RULE, WITH
from bot.desk.journal import note_down
from bot.desk.language import language_of
from bot.desk.routing import NORMAL, Routing
from bot.desk.routing_file import UNDELIVERED
from bot.desk.tier import tier_of
from bot.llm.masking import redact
from bot.message import Address, utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.consents import ALL
from bot.store.conversations import Conversation
from bot.store.dead_letters import SEND, DeadLetter
from bot.store.journal import OPENED
from bot.store.messages import FAILED, Message

#: Only letters from the last so long are looked at: every process is down less long than that,
#: and what is older an operator has seen by ``bot dead``.
LOOK_BACK = timedelta(hours=1)
_PAGE = 200
_CASES = 20
# How long a reason may be shown, in characters.
_REASON = 200
# What the outbox writes down of these is no failure that a person could do anything about.
_REFUSED_BY_CUSTOMER = ("OptedOut", "NoMarketing")


class Undelivered:
    """Looks for such messages for one process, at each letter once if it can be settled."""

    def __init__(self, store: AsyncStore, routing: Routing) -> None:
        self._store = store
        self._routing = routing
        self._settled: dict[object, datetime] = {}

    async def look(self) -> int:
        """Make cases of new dead letters; return how many were made."""
        since = utcnow() - LOOK_BACK
        self._settled = {id: at for id, at in self._settled.items() if at >= since}
        made = 0
        while True:
            where = {"stage": SEND, "at": {"$gte": since}}
            letters = await self._store.find(DeadLetter, where, sort=("at",), limit=_PAGE)
            for letter in letters:
                # Given up again after a replay it has the same id, and another time.
                if self._settled.get(letter.id) == letter.at:
                    continue
                case = await self._case(letter)
                if case is not None:
                    made += await self._open(case)
            if len(letters) < _PAGE or letters[-1].at == since:
                return made
            since = letters[-1].at

    async def _case(self, letter: DeadLetter) -> Case | None:
        """Return the case of a letter, None when it is to make none (now)."""
        row = await self._store.get(Message, letter.ref)
        if row is not None and row.status != FAILED:
            # It is held until the customer writes, or the letter is older than the row's end.
            return None
        self._settled[letter.id] = letter.at
        if row is None or row.notice or not (row.turn or row.agent) or letter.replayed:
            return None
        if _of_the_end(row):
            return None
        if str(letter.reason).startswith(_REFUSED_BY_CUSTOMER):
            return None
        held = await self._store.get(Conversation, row.conversation)
        if held is None or held.opted_out == ALL:
            return None
        where = {"conversation": row.conversation}
        cases = await self._store.find(Case, where, sort=("-at",), limit=_CASES)
        if any(_knows(case, letter) for case in cases):
            return None
        language = await language_of(self._store, row.conversation)
        route = self._routing.route(
            topic=UNDELIVERED,
            language=language,
            channel=Address.parse(row.conversation).channel,
            tier=await tier_of(self._store, row.conversation),
            priority=NORMAL,
        )
        reason = redact(str(letter.reason))[:_REASON]
        whose = "an agent's message" if row.agent else "the bot's answer"
        return Case(
            id=f"{UNDELIVERED}:{letter.id}",
            conversation=row.conversation,
            topic=UNDELIVERED,
            priority=NORMAL,
            why=f"{whose} could not be delivered: {reason}",
            summary=f"The customer did not get {whose}.",
            details={"message": row.id, "reason": reason},
            language=language,
            to=route.name,
            at=utcnow(),
        )

    async def _open(self, case: Case) -> int:
        (new,) = await self._store.insert_new([case])
        if not new:
            return 0
        where = {"conversation": case.conversation}
        cases = await self._store.find(Case, where, sort=("-at",), limit=_CASES)
        older = [c for c in cases if c.status == OPEN and (c.at, c.id) < (case.at, case.id)]
        if older:
            # Another was opened in the same moment.
            oldest = min(older, key=lambda c: (c.at, c.id))
            closing = {
                "status": RESOLVED,
                "part_of": oldest.id,
                "resolution": f"{WITH}{oldest.id}",
                "closed_by": RULE,
                "resolved": utcnow(),
            }
            await self._store.change(Case, {"id": case.id, "status": OPEN}, set=closing)
            return 0
        await note_down(
            self._store,
            f"opened:{case.id}",
            OPENED,
            case.conversation,
            case=case.id,
            text=str(case.why),
        )
        return 1


def _knows(case: Case, letter: DeadLetter) -> bool:
    """Tell whether a person has the case before him, or had after the failure."""
    return case.status == OPEN or bool(case.resolved and case.resolved >= letter.at)


def _of_the_end(row: Message) -> bool:
    """Tell whether a message only ended something: a goodbye, the question how it was."""
    by_agent = str(row.id).startswith(f"{row.conversation}{TOLD}")
    return by_agent or str(row.turn or "").startswith(ENDED)

"""Who waits for a person without a case, so that no list shows him, gets one.

It should not happen. A process that dies at the wrong instant, or a hand in the store, may
make it so, and then nobody else would ever see it.
"""

from __future__ import annotations

from bot.desk.clock import answered, asks, moment
from bot.desk.handoff import reopen
from bot.desk.journal import note_down
from bot.desk.language import language_of
from bot.desk.openings import FOUND
from bot.desk.routing import NORMAL, Routing
from bot.desk.tier import tier_of
from bot.desk.timeline import words
from bot.llm.masking import parts_of_name, redact
from bot.message import Address, utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import WAITING, Conversation
from bot.store.journal import OPENED, REOPENED
from bot.store.messages import Message

_PAGE = 200
_CASES = 20
_ROWS = 20
_SUMMARY = 300
_WHY = "waited for a person without an open case"


async def find_forgotten(store: AsyncStore, routing: Routing) -> int:
    """Open a case for each who waits without one, the last closed one again; return how many."""
    found = skip = 0
    while True:
        where = {"holder": WAITING}
        page = await store.find(
            Conversation, where, sort=("epoch", "last_in"), limit=_PAGE, skip=skip
        )
        for held in page:
            found += await _see_to(store, routing, held)
        if len(page) < _PAGE:
            return found
        skip += _PAGE


async def _see_to(store: AsyncStore, routing: Routing, held: Conversation) -> int:
    where = {"conversation": held.id}
    cases = await store.find(Case, where, sort=("-at",), limit=_CASES)
    if any(case.status == OPEN for case in cases):
        return 0
    # Who closes a case frees the conversation first: one that still waits after its cases
    # were read was not being closed meanwhile.
    now = await store.get(Conversation, held.id)
    if now is None or now.holder != WAITING or now.epoch != held.epoch:
        return 0
    # The epoch grows before a case can be closed again, so this happens once.
    id = f"{FOUND}{held.id}:{held.epoch}"
    closed = [case for case in cases if case.status == RESOLVED and not case.part_of]
    last = max(closed, key=lambda case: case.resolved or case.at, default=None)
    if last is not None:
        await note_down(store, f"reopened:{id}", REOPENED, held.id, case=last.id, text=_WHY)
        return int(await reopen(store, last))
    (new,) = await store.insert_new([await _case(store, routing, now, id)])
    await note_down(store, f"opened:{id}", OPENED, held.id, case=id, text=_WHY)
    return int(new)


async def _case(store: AsyncStore, routing: Routing, held: Conversation, id: str) -> Case:
    rows = await store.find(Message, {"conversation": held.id}, sort=("-arrived",), limit=_ROWS)
    asked: Message | None = None
    for row in rows:
        if answered(row):
            break
        if asks(row):
            asked = row
            break
    language = await language_of(store, held.id)
    route = routing.route(
        topic="human",
        language=language,
        channel=Address.parse(held.id).channel,
        tier=await tier_of(store, held.id),
        priority=NORMAL,
    )
    said = words(dict(asked.content)) if asked is not None else ""
    return Case(
        id=id,
        conversation=held.id,
        topic="human",
        priority=NORMAL,
        why=_WHY,
        summary=redact(said, parts_of_name((held.profile or {}).get("name")))[:_SUMMARY],
        language=language,
        to=route.name,
        at=moment(asked.arrived) if asked is not None else utcnow(),
    )

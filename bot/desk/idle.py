"""Closing a conversation in which nobody wrote any more.

It is done in steps each of which may be the last of this process: the bot gets the
conversation, the cases are closed, the oldest one last, the customer is told, the journal
has it. What was left undone after the cases were closed is found by `unfinished`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.desk.clock import in_words
from bot.desk.handoff import move, place_after_all
from bot.desk.journal import note_down
from bot.desk.language import language_of
from bot.desk.rating import question
from bot.desk.routing import Routing
from bot.message import Address, Content, Text, utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.consents import ALL
from bot.store.conversations import AGENT, BOT, Conversation
from bot.store.deeds import PENDING, Deed
from bot.store.journal import CLOSED, Entry
from bot.store.messages import Message, queued
from connectors.base import Capabilities
from connectors.render import render

#: What closed a case without an agent, in `Case.closed_by`.
RULE = "rule"
#: How the resolution begins of a case that was closed along with an older one.
WITH = "with "
#: How the entry of a closing begins, and the `Message.turn` of what is said at it.
ENDED = "closed:"

# Less than a window's rest is not to be relied on.
_WINDOW_END = timedelta(minutes=10)
_RECENT = 30


async def close_idle(
    store: AsyncStore,
    cases: Sequence[Case],
    held: Conversation,
    seen: int,
    routing: Routing,
    can: Callable[[str], Capabilities],
) -> bool:
    """Close a conversation's open cases, the oldest of which is the first of `cases`.

    `held` is the conversation, and `seen` the `arrived` of the last message or entry, from
    when it was found idle. False when somebody wrote or took it meanwhile: all is then
    as it was, but for the epoch.
    """
    freed: Conversation | None = held
    if held.holder != BOT:
        freed = await move(store, held.id, held.epoch, BOT)
    if freed is None:
        return False
    # A message from before the bot had it again was an agent's to answer, and its turn is
    # silent: it is seen now, or it comes after and the bot answers it.
    if await _stirred(store, held.id, seen):
        if held.holder != BOT:
            await move(store, held.id, freed.epoch, held.holder, held.agent or "")
        return False
    root, *others = cases
    idle = in_words(routing.idle or timedelta())
    for case in (*others, root):
        said = f"nobody wrote for {idle}" if case is root else f"{WITH}{root.id}"
        closing = {
            "status": RESOLVED,
            "resolution": said,
            "closed_by": RULE,
            "resolved": utcnow(),
        }
        await store.change(Case, {"id": case.id, "status": OPEN}, set=closing)
    now = await store.get(Conversation, held.id)
    if now is not None and now.holder == AGENT:
        await _reopen(store, cases, now.agent or "")
        return False
    closed = await store.get(Case, root.id)
    if closed is not None and closed.status == RESOLVED:
        await finish(store, closed, routing, can)
    return True


async def _stirred(store: AsyncStore, conversation: str, seen: int) -> bool:
    newer = {"conversation": conversation, "arrived": {"$gt": seen}}
    pending = {"conversation": conversation, "status": PENDING}
    return bool(
        await store.count(Message, newer)
        or await store.count(Entry, newer)
        or await store.count(Deed, pending)
    )


async def _reopen(store: AsyncStore, cases: Sequence[Case], agent: str) -> None:
    """Undo the closing of cases: an agent took the conversation at that very moment."""
    for case in cases:
        now = await store.get(Case, case.id)
        if now is not None and now.closed_by == RULE:
            before = {"status": OPEN, "resolution": "", "closed_by": "", "agent": agent}
            where = {"id": case.id, "status": RESOLVED}
            await store.change(Case, where, set=before, unset=("resolved",))


async def unfinished(store: AsyncStore, since: datetime, until: datetime) -> list[Case]:
    """Return what was closed by rule in that time and is not in the journal."""
    where = {"status": RESOLVED, "resolved": {"$gte": since, "$lte": until}}
    closed = await store.find(Case, where, sort=("resolved",))
    own = [c for c in closed if c.closed_by == RULE and not c.resolution.startswith(WITH)]
    return [case for case in own if await store.get(Entry, _entry(case)) is None]


async def finish(
    store: AsyncStore, case: Case, routing: Routing, can: Callable[[str], Capabilities]
) -> None:
    """Tell the customer that his case was closed by rule, ask how it was; once each.

    It is opened again instead when an agent took the conversation as it was closed, and has
    no case of it now.
    """
    held = await store.get(Conversation, case.conversation)
    if held is not None and held.holder == AGENT:
        cases = await store.find(Case, {"conversation": held.id}, sort=("at",))
        if not any(one.status == OPEN for one in cases):
            along = f"{WITH}{case.id}"
            closed = [one for one in cases if one.id == case.id or one.resolution == along]
            await _reopen(store, closed, held.agent or "")
            return
    if held is not None and held.holder == BOT:
        rows = await _words(store, case, held, routing, can)
        if rows:
            await store.insert_new(rows)
    await note_down(
        store,
        _entry(case),
        CLOSED,
        case.conversation,
        case=case.id,
        text=f"Closed: {case.resolution}.",
        details={"opened": case.opened},
    )


def _entry(case: Case) -> str:
    return f"{ENDED}{case.id}:{case.opened}"


async def _words(
    store: AsyncStore,
    case: Case,
    held: Conversation,
    routing: Routing,
    can: Callable[[str], Capabilities],
) -> list[Message]:
    """Return the rows of the outbox; none when they could not be sent or would be untrue."""
    channel = Address.parse(held.id).channel
    capabilities = can(channel)
    where = {"conversation": held.id}
    rows = await store.find(Message, where, sort=("-arrived",), limit=_RECENT)
    incoming = [row.sent for row in rows if row.direction == "in"]
    last_in = max((*incoming, *([held.last_in] if held.last_in else ())), default=None)
    if held.opted_out == ALL or (last_in and case.resolved and last_in > case.resolved):
        return []
    hours = capabilities.window_hours
    if hours is not None:
        # Beyond the window they would be held, and a template would ask him to write.
        left = (last_in or held.created) + timedelta(hours=hours) - utcnow()
        if left < _WINDOW_END:
            return []
    language = held.language or case.language or await language_of(store, held.id)
    said = routing.says("idle", language)
    contents: list[tuple[str, Content]] = [("idle", Text(said))] if said else []
    if routing.rate:
        asked = question(routing, language, case.id)
        contents += [("rating", asked)] if asked.text else []
    order = await place_after_all(store, held.id)
    more: dict[str, Any] = {
        "epoch": held.epoch,
        # The outbox drops what has a turn as soon as an agent takes the conversation.
        "turn": _entry(case),
    }
    named = [
        (f"{held.id}:{name}:{case.id}:{case.opened}:{n}", part)
        for name, content in contents
        for n, part in enumerate(render(content, capabilities))
    ]
    return [
        queued(id, held.id, part, order=order + place, **more)
        for place, (id, part) in enumerate(named)
    ]

"""A conversation goes from the bot to a person, and back.

The bot hands over by the commit of a turn. What follows from that is derived and may be
done again: a case, and the conversation's holder. The epoch stays as it is, for what
the bot said before, and in that very turn, is still to go out; it grows when an agent takes
the conversation or gives it back, and then everything of the bot that is unsent is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.desk.journal import note_down
from bot.desk.routing import Routing
from bot.desk.tier import tier_of
from bot.llm.masking import redact
from bot.message import Address, Content, utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.journal import REOPENED
from bot.store.messages import Message, queued
from bot.store.turns import Turn

_SUMMARY = 300
#: How the reason of a case begins that says what is wanted: ``wants order 1047 cancelled; …``.
_WANTS = "wants "
#: Behind everything of a turn, and before everything of the next one; see `bot.deriving`.
_AFTER_TURN, _BEFORE_NEXT = 500, 999


class NotYours(Exception):
    """Somebody else has the conversation; the text says who, `agent` is the id, "" for nobody."""

    def __init__(self, text: str, agent: str = "") -> None:
        super().__init__(text)
        self.agent = agent


def case_of(turn: Turn, handoff: Mapping[str, Any], said: str, known: Sequence[str] = ()) -> Case:
    """Return the case that a turn makes; `said` are the customer's words, `known` his names."""
    why = str(handoff["why"])
    # The last words may be a code, a yes, or the answer to a form: of these nobody learns what
    # is wanted.
    wish = why.removeprefix(_WANTS).partition("; ")[0] if why.startswith(_WANTS) else said
    return Case(
        id=turn.id,
        conversation=turn.conversation,
        topic=str(handoff["topic"]),
        priority=str(handoff["priority"]),
        why=why,
        summary=redact(wish, known)[:_SUMMARY],
        language=str((turn.perception or {}).get("language") or ""),
        at=turn.at,
    )


async def open_cases(store: AsyncStore, conversation: str) -> list[Case]:
    """Return a conversation's open cases, the oldest first."""
    rows = await store.find(Case, {"conversation": conversation}, sort=("at",))
    return [row for row in rows if row.status == OPEN]


async def hand_over(
    store: AsyncStore,
    turn: Turn,
    handoff: Mapping[str, Any],
    said: str,
    known: Sequence[str] = (),
    routing: Routing | None = None,
) -> None:
    """Do what follows from a turn in which the bot gave up the conversation.

    The handoff's `again` names the case that it opens once more, see `bot.desk.again`; else
    it makes one, which is part of an older one that is open. Done again it changes nothing,
    also when an agent has been there meanwhile.
    """
    if handoff.get("again"):
        words = redact(said, known)[:_SUMMARY]
        await open_again(store, turn, handoff["again"], str(handoff["why"]), words)
    else:
        case = case_of(turn, handoff, said, known)
        others = await open_cases(store, turn.conversation)
        older = next((c for c in others if c.id != case.id), None)
        case.part_of = (older.part_of or older.id) if older else ""
        if routing is not None:
            route = routing.route(
                topic=case.topic,
                language=case.language,
                channel=Address.parse(turn.conversation).channel,
                tier=await tier_of(store, turn.conversation),
                priority=case.priority,
            )
            case.to = route.name
        if any(await store.insert_new([case])):
            await _joined(store, case)
    await store.change(
        Conversation,
        {"id": turn.conversation, "holder": BOT, "epoch": turn.epoch},
        set={"holder": WAITING},
    )


async def _joined(store: AsyncStore, case: Case) -> None:
    """Give a new case to the agent who took the conversation unasked in the same moment."""
    held = await store.get(Conversation, case.conversation)
    if held is None or held.holder != AGENT:
        return
    others = await open_cases(store, case.conversation)
    root = next((c.id for c in others if c.id != case.id), "")
    change = {"agent": held.agent, **({"part_of": root} if root else {})}
    await store.change(Case, {"id": case.id, "status": OPEN}, set=change)


async def open_again(
    store: AsyncStore, turn: Turn, marked: Mapping[str, Any], why: str, summary: str
) -> None:
    """Open a case again because of a turn, see `bot.desk.again`; done again it changes nothing.

    `summary` is what is wanted now, with personal data masked.
    """
    case = await store.get(Case, str(marked["case"]))
    if case is None:
        return
    id = f"reopened:{turn.id}"
    if case.status == RESOLVED and int(case.opened or 1) == marked["opened"]:
        if summary:
            await store.change(Case, {"id": case.id}, set={"summary": summary})
        await reopen(store, case)
    await note_down(store, id, REOPENED, turn.conversation, case=case.id, text=why)


async def take(store: AsyncStore, conversation: str, agent: str) -> Conversation:
    """Give a conversation to an agent; from then on nothing of the bot goes out.

    Taking what one has is no error. Raises NotYours when another agent has it.
    """
    while True:
        held = await store.get(Conversation, conversation)
        if held is None:
            raise NotYours(f"there is no conversation {conversation}")
        if held.holder == AGENT:
            if held.agent == agent:
                return held
            raise NotYours(_has(held), held.agent)
        taken = await store.change(
            Conversation,
            {"id": conversation, "holder": held.holder, "epoch": held.epoch},
            set={"holder": AGENT, "agent": agent},
            inc={"epoch": 1},
        )
        if taken is not None:
            return taken


async def move(
    store: AsyncStore, conversation: str, epoch: int, holder: str, agent: str = ""
) -> Conversation | None:
    """Give a conversation to somebody, if it has not changed hands since `epoch`; else None.

    Nothing of the bot that is unsent goes out after it.
    """
    return await store.change(
        Conversation,
        {"id": conversation, "epoch": epoch},
        set={"holder": holder, "agent": agent},
        inc={"epoch": 1},
    )


def said_id(conversation: str, id: str, n: int) -> str:
    """Return the `_id` of the `n`-th message (from 0) that an agent's deed `id` made."""
    return f"{conversation}:agent:{id}:{n}"


async def place_after_all(store: AsyncStore, conversation: str) -> int:
    """Return the order of a message after all that has been said, and before the next turn.

    No other has it: the feed of a web chat goes on after the order of the last one it showed.
    """
    where = {"conversation": conversation}
    last = await store.find(Turn, where, sort=("-seq",), limit=1)
    said = await store.find(Message, {**where, "direction": "out"}, sort=("-order",), limit=1)
    turn = (last[0].seq if last else 0) * 1000
    after = max(turn + _AFTER_TURN, (said[0].order if said else 0) + 1)
    return min(after, turn + _BEFORE_NEXT)


async def say_contents(
    store: AsyncStore,
    conversation: Conversation,
    contents: Sequence[Content],
    agent: str,
    id: str,
) -> list[bool]:
    """Send what an agent says, which the channel can, one request each; `agent` is a name.

    It comes after all that has been said; `id` makes saying it again no second message. Returns
    for each whether it is new.
    """
    order = await place_after_all(store, conversation.id)
    rows = [
        queued(
            said_id(conversation.id, id, n),
            conversation.id,
            content,
            order=order + n,
            epoch=conversation.epoch,
            agent=agent,
        )
        for n, content in enumerate(contents)
    ]
    return await store.insert_new(rows)


async def resolve(store: AsyncStore, case: Case, agent: str, resolution: str) -> bool:
    """Close a case; False when it was closed already."""
    done = await store.change(
        Case,
        {"id": case.id, "status": OPEN},
        set={
            "status": RESOLVED,
            "agent": agent,
            "closed_by": agent,
            "resolution": redact(resolution),
            "resolved": utcnow(),
        },
    )
    return done is not None


async def reopen(store: AsyncStore, case: Case) -> bool:
    """Open a case that is closed; False when it is open."""
    done = await store.change(
        Case,
        {"id": case.id, "status": RESOLVED},
        set={"status": OPEN, "closed_by": ""},
        unset=("resolved",),
        inc={"opened": 1},
    )
    return done is not None


def _has(held: Conversation) -> str:
    return f"{held.agent or 'another agent'} has this conversation"

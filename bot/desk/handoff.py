"""A conversation goes from the bot to a person, and back.

The bot hands over by the commit of a turn. What follows from that is derived and may be
done again: a case, and the conversation's holder. The epoch stays as it is, for what
the bot said before, and in that very turn, is still to go out; it grows when an agent takes
the conversation or gives it back, and then everything of the bot that is unsent is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.llm.masking import redact
from bot.message import Text, utcnow
from bot.store import AsyncStore
from bot.store.cases import OPEN, RESOLVED, Case
from bot.store.conversations import AGENT, BOT, WAITING, Conversation
from bot.store.messages import queued
from bot.store.turns import Turn
from connectors.base import Capabilities
from connectors.render import render

_SUMMARY = 300
#: Behind everything of a turn, before everything of the next one; see `Turns.outbound`.
_AFTER_TURN = 999


class NotYours(Exception):
    """Somebody else has the conversation; the text says who."""


def case_of(turn: Turn, handoff: Mapping[str, Any], said: str, known: Sequence[str] = ()) -> Case:
    """Return the case that a turn makes; `said` are the customer's words, `known` his names."""
    return Case(
        id=turn.id,
        conversation=turn.conversation,
        topic=str(handoff["topic"]),
        priority=str(handoff["priority"]),
        why=str(handoff["why"]),
        summary=redact(said, known)[:_SUMMARY],
        at=turn.at,
    )


async def hand_over(
    store: AsyncStore,
    turn: Turn,
    handoff: Mapping[str, Any],
    said: str,
    known: Sequence[str] = (),
) -> None:
    """Do what follows from a turn in which the bot gave up the conversation.

    Done again it changes nothing, also when an agent has been there meanwhile.
    """
    await store.insert_new([case_of(turn, handoff, said, known)])
    await store.change(
        Conversation,
        {"id": turn.conversation, "holder": BOT, "epoch": turn.epoch},
        set={"holder": WAITING},
    )


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
            raise NotYours(f"{held.agent or 'another agent'} has this conversation")
        taken = await store.change(
            Conversation,
            {"id": conversation, "holder": held.holder, "epoch": held.epoch},
            set={"holder": AGENT, "agent": agent},
            inc={"epoch": 1},
        )
        if taken is not None:
            return taken


async def give_back(store: AsyncStore, conversation: str, agent: str) -> Conversation | None:
    """Let the bot answer again. Returns None when it was the bot's already.

    Raises NotYours when another agent has it.
    """
    while True:
        held = await store.get(Conversation, conversation)
        if held is None or held.holder == BOT:
            return None
        if held.holder == AGENT and held.agent != agent:
            raise NotYours(f"{held.agent or 'another agent'} has this conversation")
        freed = await store.change(
            Conversation,
            {"id": conversation, "holder": held.holder, "epoch": held.epoch},
            set={"holder": BOT, "agent": ""},
            inc={"epoch": 1},
        )
        if freed is not None:
            return freed


async def say(
    store: AsyncStore,
    conversation: Conversation,
    text: str,
    agent: str,
    id: str,
    can: Capabilities,
) -> bool:
    """Send an agent's words; `id` makes saying it again no second message.

    They come after all that has been said, cut into as many messages as the channel, which
    `can` do so much, needs for them. Returns False when that id was said before.
    """
    last = await store.find(Turn, {"conversation": conversation.id}, sort=("-seq",), limit=1)
    order = (last[0].seq if last else 0) * 1000 + _AFTER_TURN
    rows = [
        queued(
            f"{conversation.id}:agent:{id}:{n}",
            conversation.id,
            content,
            order=order,
            epoch=conversation.epoch,
            agent=agent,
        )
        for n, content in enumerate(render(Text(text), can))
    ]
    return any(await store.insert_new(rows)) if rows else False


async def resolve(store: AsyncStore, case: Case, agent: str, resolution: str) -> bool:
    """Close a case; False when it was closed already."""
    done = await store.change(
        Case,
        {"id": case.id, "status": OPEN},
        set={
            "status": RESOLVED,
            "agent": agent,
            "resolution": redact(resolution),
            "resolved": utcnow(),
        },
    )
    return done is not None


async def reopen(store: AsyncStore, case: Case) -> bool:
    """Open a case that is closed; False when it is open."""
    done = await store.change(
        Case, {"id": case.id, "status": RESOLVED}, set={"status": OPEN}, unset=("resolved",)
    )
    return done is not None


async def close(store: AsyncStore, case: Case, agent: str, resolution: str) -> tuple[bool, bool]:
    """Close a case, and the others that its conversation has by now; the bot answers again.

    Returns whether it was open, and whether the bot did not have the conversation. Raises
    NotYours when another agent has it, or takes it at this very moment: the case is open
    then.
    """
    # Before the bot answers again: what a customer writes after that is a case of its own.
    where = {"conversation": case.conversation}
    others = [row for row in await store.find(Case, where, sort=("at",)) if row.status == OPEN]
    freed = await give_back(store, case.conversation, agent)
    done = await resolve(store, case, agent, resolution)
    for other in others:
        await resolve(store, other, agent, f"with {case.id}")
    held = await store.get(Conversation, case.conversation)
    if held is not None and held.holder == AGENT:
        await reopen(store, case)
        raise NotYours(f"{held.agent or 'another agent'} took this conversation meanwhile")
    return done, freed is not None

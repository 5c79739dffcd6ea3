"""What an agent and a customer said to each other since the bot answered last."""

from __future__ import annotations

from bot.desk.assist.reading import as_it_stands
from bot.desk.timeline import timeline
from bot.dialogue.contract import Spoken
from bot.store import AsyncStore
from bot.store.conversations import BOT
from bot.store.messages import Message
from bot.store.turns import Turn

#: So many messages are looked at; an agent's conversation is rarely longer, and what was
#: said before that says little about the next question.
_MOST = 40


async def meanwhile(store: AsyncStore, message: Message) -> tuple[Spoken, ...]:
    """Return the words between the bot's last turn and `message`, the oldest first.

    As they stand after edits and deletions. () when no agent said anything. Pictures without
    words and notes are left out.
    """
    where = {"conversation": message.conversation}
    turns = await store.find(Turn, where, sort=("-seq",), limit=_MOST)
    heard = next((turn.id for turn in turns if _is_the_bots(turn)), "")
    last = await store.get(Message, heard) if heard else None
    lines = await timeline(
        store, message.conversation, after=last.arrived if last else 0, limit=_MOST
    )
    said = [
        Spoken(line.text, line.name if line.who == "agent" else "", line.arrived / 1_000_000)
        for line in as_it_stands([line for line in lines if line.arrived < message.arrived])
        if line.who in ("customer", "agent")
    ]
    return tuple(said) if any(spoken.agent for spoken in said) else ()


def _is_the_bots(turn: Turn) -> bool:
    decision = turn.decision or {}
    return decision.get("by") == BOT and not decision.get("unheard")

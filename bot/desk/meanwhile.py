"""What an agent and a customer said to each other since the bot answered last."""

from __future__ import annotations

from bot.desk.watch import words_of
from bot.dialogue.contract import Spoken
from bot.message import decode
from bot.store import AsyncStore
from bot.store.conversations import BOT
from bot.store.messages import DROPPED, FAILED, Message
from bot.store.turns import Turn

#: So many messages are looked at; an agent's conversation is rarely longer, and what was
#: said before that says little about the next question.
_MOST = 40


async def meanwhile(store: AsyncStore, message: Message) -> tuple[Spoken, ...]:
    """Return the words between the bot's last turn and `message`, the oldest first.

    () when no agent said anything. Pictures, buttons and notes are left out.
    """
    where = {"conversation": message.conversation}
    turns = await store.find(Turn, where, sort=("-seq",), limit=_MOST)
    heard = next((turn.id for turn in turns if (turn.decision or {}).get("by") == BOT), "")
    last = await store.get(Message, heard) if heard else None
    before = {"$lt": message.arrived, "$gt": last.arrived if last else 0}
    rows = await store.find(Message, {**where, "arrived": before}, sort=("-arrived",), limit=_MOST)
    said: list[Spoken] = []
    for row in reversed(rows):
        if row.direction == "out" and (not row.agent or row.status in (DROPPED, FAILED)):
            continue
        text = words_of(decode(row.content)) if row.direction == "in" else _written(row)
        if text:
            agent = str(row.agent) if row.direction == "out" else ""
            said.append(Spoken(text, agent, row.arrived / 1_000_000))
    return tuple(said) if any(spoken.agent for spoken in said) else ()


def _written(row: Message) -> str:
    content = row.content or {}
    return str(content.get("text") or content.get("caption") or "")

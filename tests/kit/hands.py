"""A conversation changes hands, by no more than the store's part of it: no deed, no journal."""

from __future__ import annotations

from bot.desk.handoff import move, say_contents
from bot.message import Text
from bot.store import AsyncStore
from bot.store.conversations import BOT, Conversation
from connectors.render import render
from tests.kit.channel import CAN


async def given_back(store: AsyncStore, conversation: str) -> Conversation:
    """The bot answers again."""
    held = await store.get(Conversation, conversation)
    assert held is not None
    freed = await move(store, conversation, held.epoch, BOT)
    assert freed is not None
    return freed


async def said(store: AsyncStore, held: Conversation, text: str, agent: str, id: str) -> bool:
    """An agent says something, in as many messages as it needs; whether it is new."""
    return any(await say_contents(store, held, render(Text(text), CAN), agent, id))

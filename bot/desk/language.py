"""In what language to write to a customer when no turn of his is at hand."""

from __future__ import annotations

from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.turns import Turn

# A turn in which nobody looked, of a button say, tells nothing; those before it may.
_TURNS = 5


async def language_of(store: AsyncStore, conversation: str) -> str:
    """Return the language (ISO 639-1) of a conversation, "" when it is not known.

    It is what the conversation says of itself, else what was perceived last.
    """
    held = await store.get(Conversation, conversation)
    if held is not None and held.language:
        return str(held.language)
    turns = await store.find(Turn, {"conversation": conversation}, sort=("-seq",), limit=_TURNS)
    found = (str((turn.perception or {}).get("language") or "") for turn in turns)
    return next((language for language in found if language), "")

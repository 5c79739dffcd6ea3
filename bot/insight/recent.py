"""The conversations that were had last, for whoever looks for one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from bot.dialogue.why.explaining import mask_of, words_of
from bot.store import AsyncStore
from bot.store.conversations import Conversation
from bot.store.messages import Message
from bot.store.turns import Turn

_TURNS, _SHOWN = 150, 40
#: Ends every text that begins with what stands before it.
_HIGHEST = "\U0010ffff"


async def recent(store: AsyncStore) -> list[dict[str, Any]]:
    """Return the last conversations, the newest first; what was said is masked.

    ``{id, channel, at, said, intent, confidence, turns, by}`` of the last turn, `at` in
    milliseconds since 1970. Raises StoreDown.
    """
    turns = await store.find(Turn, {}, sort=("-at",), limit=_TURNS)
    last: dict[str, Turn] = {}
    for turn in turns:
        last.setdefault(str(turn.conversation), turn)
    return await _told(store, list(last.values())[:_SHOWN])


async def search(store: AsyncStore, text: str) -> list[dict[str, Any]]:
    """Return conversations by the id of one, of a message in it, or how its id begins.

    As `recent`. Raises StoreDown.
    """
    message = await store.get(Message, text)
    if message is not None:
        keys = [str(message.conversation)]
    else:
        where = {"id": {"$gte": text, "$lt": text + _HIGHEST}}
        keys = [str(one.id) for one in await store.find(Conversation, where, limit=_SHOWN)]
    last = []
    for key in keys:
        last += await store.find(Turn, {"conversation": key}, sort=("-seq",), limit=1)
    return await _told(store, sorted(last, key=lambda one: one.at, reverse=True))


async def _told(store: AsyncStore, turns: Sequence[Turn]) -> list[dict[str, Any]]:
    if not turns:
        return []
    found = await store.find(Message, {"id": {"$in": [one.id for one in turns]}})
    rows = {str(row.id): row for row in found}
    return await asyncio.to_thread(lambda: [_line(one, rows.get(str(one.id))) for one in turns])


def _line(turn: Turn, row: Message | None) -> dict[str, Any]:
    mask = mask_of(row.profile if row else None)
    parse = turn.parse or {}
    decision = turn.decision or {}
    return {
        "id": str(turn.conversation),
        "channel": str(turn.conversation).partition(":")[0],
        "at": int(turn.at.timestamp() * 1000),
        "said": words_of(turn.heard or (row.content if row else None), mask)[:160],
        "intent": str(parse.get("intent") or ""),
        "confidence": float(parse.get("confidence") or 0.0),
        "turns": int(turn.seq),
        "by": "failed" if decision.get("failure") else str(decision.get("by") or ""),
        "handed": bool(decision.get("handoff")),
    }

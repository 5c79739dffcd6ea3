"""Answers that are the same for everyone, kept for a while in this process."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace

from cachetools import TTLCache

from bot.llm.contract import Ask, Reply

#: How many answers are kept, and for how many seconds.
SIZE = 1_000
SECONDS = 600.0


class Answers:
    """The least recently used goes first. Nothing is kept of asks that are not cacheable."""

    def __init__(self, size: int = SIZE, seconds: float = SECONDS) -> None:
        self._kept: TTLCache[str, Reply] = TTLCache(size, seconds)

    def get(self, ask: Ask, model: str) -> Reply | None:
        """Return the answer a model has given before, at no cost."""
        if not _may(ask):
            return None
        found = self._kept.get(_key(ask, model))
        if found is None:
            return None
        return replace(found, tokens_in=0, tokens_out=0, cost=0.0, took_ms=0, cached=True, tried=())

    def put(self, ask: Ask, model: str, reply: Reply) -> None:
        """Keep an answer if it may be kept."""
        if _may(ask) and not reply.calls:
            self._kept[_key(ask, model)] = reply


def _may(ask: Ask) -> bool:
    # What names its customer is that customer's, whatever the asker thought.
    return ask.cacheable and not ask.tools and not ask.known


def _key(ask: Ask, model: str) -> str:
    said = [asdict(message) for message in ask.messages]
    parts = [model, ask.tokens, ask.schema, said]
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True, default=dict)
    return hashlib.sha256(text.encode()).hexdigest()

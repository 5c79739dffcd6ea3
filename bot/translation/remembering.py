"""Keeps translations of the bot's own words: in this process, and in the store for all."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from cachetools import LRUCache

from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.translations import Kept

#: Rows that are kept at the most, and how many go when there are more.
MOST, _GO = 20_000, 1_000
_HERE = 2_000
#: A row that is used is marked so no more often than this.
_MARK_AGAIN = timedelta(days=7)
_LOOK_EVERY = 200


class Remembered:
    """Implements `Remembers` over a store; what changes has another key and is asked for anew."""

    def __init__(self, store: AsyncStore, *, most: int = MOST) -> None:
        self._store = store
        self._most = most
        self._here: LRUCache[str, str] = LRUCache(_HERE)
        self._kept = 0

    async def find(
        self, engine: str, pair: tuple[str, str], texts: Sequence[str]
    ) -> dict[str, str]:
        """See `Remembers`. Raises StoreDown."""
        keys = {key_of(engine, pair, text): text for text in texts}
        found = {text: self._here[key] for key, text in keys.items() if key in self._here}
        away = [key for key, text in keys.items() if text not in found]
        if not away:
            return found
        now = utcnow()
        for row in await self._store.find(Kept, {"id": {"$in": away}}):
            found[keys[row.id]] = self._here[row.id] = str(row.text)
            if now - row.used > _MARK_AGAIN:
                await self._store.change(Kept, {"id": row.id}, set={"used": now})
        return found

    async def keep(self, engine: str, pair: tuple[str, str], made: dict[str, str]) -> None:
        """See `Remembers`. Raises StoreDown."""
        now = utcnow()
        rows = []
        for text, words in made.items():
            key = key_of(engine, pair, text)
            self._here[key] = words
            rows.append(Kept(id=key, pair="-".join(pair), text=words, used=now))
        await self._store.insert_new(rows)
        before, self._kept = self._kept, self._kept + len(rows)
        if before == 0 or self._kept // _LOOK_EVERY != before // _LOOK_EVERY:
            await self._bound()

    async def _bound(self) -> None:
        if await self._store.count(Kept, {}) <= self._most:
            return
        oldest = await self._store.find(Kept, {}, sort=("used",), limit=min(_GO, self._most))
        await self._store.delete(Kept, {"id": {"$in": [row.id for row in oldest]}})


def key_of(engine: str, pair: tuple[str, str], text: str) -> str:
    """Return the `_id` of a translation."""
    return hashlib.sha256("\0".join((engine, *pair, text)).encode()).hexdigest()

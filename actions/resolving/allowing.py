"""How often a day somebody may have a tool: each time is taken before anything is done.

A tool's `per_day` is so many places, for a person over all his chats, for an account and for an
order. A wish takes one of each by the store's insert or compare-and-set, so that of two at the same
moment only as many go on as there are places. What became of nothing gives them back; who is
killed in between finds his own when he is back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.steps import Allowance

DAY = timedelta(days=1)


async def allow(store: AsyncStore, whose: Sequence[str], tool: str, per_day: int, key: str) -> bool:
    """Take a place of each of `whose` for the wish `key`; False, and none taken, without one.

    The same key may ask again. `per_day` 0 is no bound. Raises StoreDown.
    """
    if not per_day:
        return True
    await store.delete(Allowance, {"at": {"$lt": utcnow() - DAY}})
    by = _digest("by", key)
    for one in whose:
        if not await _taken(store, [_digest(one, tool, str(n)) for n in range(per_day)], by):
            await release(store, key)
            return False
    return True


async def release(store: AsyncStore, key: str) -> None:
    """Give back what a wish has taken, for nothing was done. Raises StoreDown."""
    await store.delete(Allowance, {"by": _digest("by", key)})


async def _taken(store: AsyncStore, places: Sequence[str], by: str) -> bool:
    rows = {str(row.id): row for row in await store.find(Allowance, {"id": {"$in": list(places)}})}
    if any(row.by == by for row in rows.values()):
        return True
    for place in places:
        if place not in rows:
            (new,) = await store.insert_new([Allowance(id=place, by=by, at=utcnow())])
            if new:
                return True
    return False


def _digest(*parts: str) -> str:
    # Keys hold addresses, and these rows stay when their customer is forgotten.
    return hashlib.sha256("\n".join(("allowance", *parts)).encode()).hexdigest()[:32]

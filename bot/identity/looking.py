"""Order numbers that there are not: who tries many of them is looking for other people's."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from bot.identity.meeting import customer_of
from bot.message import Address, utcnow
from bot.store import AsyncStore
from bot.store.proofs import Miss

#: Different numbers without an order that a person may ask for in `PERIOD`.
MOST_MISSES, PERIOD = 10, timedelta(hours=1)


async def missed_enough(store: AsyncStore, here: Address) -> bool:
    """Tell whether who writes from an address has asked for too many. Raises StoreDown."""
    person = (await customer_of(store, here)).id
    since = {"person": person, "at": {"$gte": utcnow() - PERIOD}}
    return await store.count(Miss, since) >= MOST_MISSES


async def missed(store: AsyncStore, here: Address, number: str) -> None:
    """Note that there is no order of that number; once for each. Raises StoreDown."""
    person, now = (await customer_of(store, here)).id, utcnow()
    await store.delete(Miss, {"at": {"$lt": now - PERIOD}})
    id_ = hashlib.sha256(f"miss\n{person}\n{number}".encode()).hexdigest()[:32]
    await store.insert_new([Miss(id=id_, person=person, at=now)])

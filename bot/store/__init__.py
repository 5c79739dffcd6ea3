"""Where everything is kept: documents, and the two stores that hold them alike."""

from __future__ import annotations

from pathlib import Path

from bot.store.aio import AsyncStore
from bot.store.contract import Store
from bot.store.errors import Duplicate, StoreDown, StoreError, Unindexed

__all__ = [
    "AsyncStore",
    "Duplicate",
    "Store",
    "StoreDown",
    "StoreError",
    "Unindexed",
    "open_store",
]


def open_store(url: str) -> Store:
    """Open ``sqlite:PATH`` or ``mongodb://…`` (``mongodb+srv://…``).

    Neither connects yet: a store that is down is met, and recovered from, at the
    first use. Raises ValueError for another scheme.
    """
    if url.startswith("sqlite:"):
        from bot.store.sqlite import SqliteStore

        return SqliteStore(Path(url.removeprefix("sqlite:")))
    if url.startswith(("mongodb://", "mongodb+srv://")):
        from bot.store.mongo import MongoStore

        return MongoStore(url)
    raise ValueError(f"store url {url.split(':')[0]}: is neither sqlite: nor mongodb://")

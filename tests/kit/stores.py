"""Both kinds of store, for what has to work alike on each."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

import mongomock
from mongoengine import Document

from bot.store import AsyncStore
from bot.store.mongo import MongoStore
from bot.store.sqlite import SqliteStore

KINDS = ("sqlite", "mongomock")


def store_of_kind(kind: str, folder: Path, documents: Sequence[type[Document]]) -> AsyncStore:
    """Open an empty store of one of `KINDS`; SQLite's file is in `folder`."""
    if kind == "sqlite":
        return AsyncStore(SqliteStore(folder / "bot.db"), documents)
    url = f"mongodb://mock/frontdesk_test_{uuid.uuid4().hex[:12]}"
    return AsyncStore(MongoStore(url, client_class=mongomock.MongoClient), documents)

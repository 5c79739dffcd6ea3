"""Both kinds of store, for what has to work alike on each."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import mongomock
from mongoengine import Document

from bot.store import AsyncStore
from bot.store.documents import DOCUMENTS
from bot.store.mongo import MongoStore
from bot.store.sqlite import SqliteStore

KINDS = ("sqlite", "mongomock")


def sqlite_in(folder: Path) -> SqliteStore:
    """Open an empty SQLite store in which every collection there is has been made.

    A copy of one that is made once: making them takes longer than most tests.
    """
    shutil.copyfile(_template(), folder / "bot.db")
    return SqliteStore(folder / "bot.db")


@lru_cache(maxsize=1)
def _template() -> Path:
    made = Path(tempfile.mkdtemp()) / "template.db"
    store = SqliteStore(made)
    store.ensure(*DOCUMENTS)
    store.close()
    return made


def store_of_kind(kind: str, folder: Path, documents: Sequence[type[Document]]) -> AsyncStore:
    """Open an empty store of one of `KINDS`; SQLite's file is in `folder`."""
    if kind == "sqlite":
        return AsyncStore(sqlite_in(folder), documents)
    url = f"mongodb://mock/frontdesk_test_{uuid.uuid4().hex[:12]}"
    return AsyncStore(MongoStore(url, client_class=mongomock.MongoClient), documents)

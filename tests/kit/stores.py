"""Both kinds of store, for what has to work alike on each."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import mongomock
from mongoengine import Document

from bot.store import AsyncStore
from bot.store.documents import DOCUMENTS
from bot.store.errors import StoreError
from bot.store.mongo import MongoStore
from bot.store.sqlite import SqliteStore

R = TypeVar("R")

KINDS = ("sqlite", "mongomock")


def sqlite_in(folder: Path) -> SqliteStore:
    """Open an empty SQLite store in which every collection there is has been made.

    A copy of one that is made once: making them takes longer than most tests.
    """
    shutil.copyfile(_template(), folder / "bot.db")
    return SqliteStore(folder / "bot.db")


class Prompt(AsyncStore):
    """An `AsyncStore` without threads, whose calls are done where they are asked for.

    Others have their turn before and after a call, as they have while threads do it. Handing a
    call to a thread and back takes several times what SQLite takes for it.
    """

    async def _run(self, call: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        if self._closed:
            raise StoreError("the store has been closed")
        await asyncio.sleep(0)
        done = self._call(call, *args, **kwargs)
        await asyncio.sleep(0)
        return done


def store_in(folder: Path) -> AsyncStore:
    """Open an empty store of the cheapest kind: every collection is there, and no threads."""
    return Prompt(sqlite_in(folder))


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

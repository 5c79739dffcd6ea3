"""The store for asyncio: each call runs in a small pool of threads of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from mongoengine import Document

from bot.store.contract import Store, Where
from bot.store.errors import StoreError

D = TypeVar("D", bound=Document)
R = TypeVar("R")


class AsyncStore:
    """The verbs of `Store`, awaitable. `sync` is the store itself, for other threads.

    The collections of `documents` are made before the first call that reaches the
    store, so that a process may start while the store is down.
    """

    def __init__(
        self, store: Store, documents: Sequence[type[Document]] = (), threads: int = 4
    ) -> None:
        self.sync = store
        self._documents = tuple(documents)
        self._ensuring = threading.Lock()
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self._closed = False

    async def _run(self, call: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        if self._closed:
            raise StoreError("the store has been closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, partial(self._call, call, *args, **kwargs))

    def _call(self, call: Callable[..., R], *args: Any, **kwargs: Any) -> R:
        if self._documents:
            with self._ensuring:
                self.sync.ensure(*self._documents)
                self._documents = ()
        return call(*args, **kwargs)

    async def insert(self, document: Document) -> None:
        """See `Store.insert`."""
        await self._run(self.sync.insert, document)

    async def insert_new(self, documents: Sequence[Document]) -> list[bool]:
        """See `Store.insert_new`."""
        return await self._run(self.sync.insert_new, documents)

    async def put(self, document: Document) -> None:
        """See `Store.put`."""
        await self._run(self.sync.put, document)

    async def get(self, cls: type[D], id: Any) -> D | None:
        """See `Store.get`."""
        return await self._run(self.sync.get, cls, id)

    async def find(self, cls: type[D], where: Where, **options: Any) -> list[D]:
        """See `Store.find`."""
        return await self._run(self.sync.find, cls, where, **options)

    async def change(self, cls: type[D], where: Where, **change: Any) -> D | None:
        """See `Store.change`."""
        return await self._run(self.sync.change, cls, where, **change)

    async def claim(self, cls: type[D], where: Where, **change: Any) -> D | None:
        """See `Store.claim`."""
        return await self._run(self.sync.claim, cls, where, **change)

    async def count(self, cls: type[Document], where: Where) -> int:
        """See `Store.count`."""
        return await self._run(self.sync.count, cls, where)

    async def delete(self, cls: type[Document], where: Where) -> int:
        """See `Store.delete`."""
        return await self._run(self.sync.delete, cls, where)

    async def scrub(self) -> None:
        """See `Store.scrub`."""
        await self._run(self.sync.scrub)

    async def ping(self) -> None:
        """See `Store.ping`."""
        await self._run(self.sync.ping)

    async def close(self) -> None:
        """Close the store and the threads. Closing twice is no error."""
        if not self._closed:
            # Not by `_run`: one that is down has no collections made, and is closed all the same.
            await asyncio.get_running_loop().run_in_executor(self._pool, self.sync.close)
            self._closed = True
            self._pool.shutdown(wait=False)

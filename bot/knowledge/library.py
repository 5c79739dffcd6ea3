"""The knowledge base as a worker has it: an index in memory, renewed when articles change."""

from __future__ import annotations

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from bot.knowledge.contract import CUSTOMERS, Hit
from bot.knowledge.embedding import Embedder
from bot.knowledge.errors import EmbeddingsUnavailable
from bot.knowledge.index import Index
from bot.knowledge.stored import load, load_vectors
from bot.knowledge.sync import EDITION
from bot.store import AsyncStore, StoreError
from bot.store.articles import Edition

log = logging.getLogger(__name__)


class Library:
    """Search in what the store holds, for one event loop.

    Whether there is a new edition is looked at when it is used, at most every
    `look_seconds`; while a new index is made, in a thread, the old one is searched. The first
    one searches by words alone until the embedding model is loaded, which takes seconds.
    Until there is an index at all a search waits, for `wait_seconds` at most.
    """

    def __init__(
        self,
        store: AsyncStore,
        embedder: Embedder | None = None,
        *,
        look_seconds: float = 2.0,
        wait_seconds: float = 10.0,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._look_seconds = look_seconds
        self._wait_seconds = wait_seconds
        self._index: Index | None = None
        self._edition: int | None = None
        self._looked = float("-inf")
        self._renewing: asyncio.Task[None] | None = None
        self._failed = ""
        # Apart, so that no search waits for the seconds that an index takes to be made.
        self._searching = ThreadPoolExecutor(1, thread_name_prefix="search")
        self._making = ThreadPoolExecutor(1, thread_name_prefix="index")

    @property
    def edition(self) -> int | None:
        """The number of the edition that is searched, with its vectors; None before."""
        return self._edition

    async def search(
        self,
        query: str,
        *,
        k: int = 5,
        language: str | None = None,
        product: str | None = None,
        audience: str = CUSTOMERS,
    ) -> list[Hit]:
        """See `Index.search`. Nothing is found while there is no index and the store is down."""
        self._look()
        if self._index is None and self._renewing is not None:
            deadline = time.monotonic() + self._wait_seconds
            while self._index is None and not self._renewing.done():
                left = deadline - time.monotonic()
                if left <= 0:
                    log.warning("a question was not looked up: the articles are not loaded yet")
                    break
                # Short, for the index is there before the task is through.
                await asyncio.wait({self._renewing}, timeout=min(left, 0.05))
        index = self._index
        if index is None:
            return []
        call = partial(
            index.search, query, k=k, language=language, product=product, audience=audience
        )
        return await asyncio.get_running_loop().run_in_executor(self._searching, call)

    async def ready(self) -> None:
        """Wait until the present edition is loaded whole, or cannot be."""
        self._look(now=True)
        if self._renewing is not None:
            await asyncio.wait({self._renewing})

    async def close(self) -> None:
        """Let go of the threads. Closing twice is no error."""
        if self._renewing is not None:
            self._renewing.cancel()
            with suppress(asyncio.CancelledError):
                await self._renewing
        self._searching.shutdown(wait=False, cancel_futures=True)
        self._making.shutdown(wait=False, cancel_futures=True)

    def _look(self, *, now: bool = False) -> None:
        """Begin to look for a new edition if it is time to."""
        if self._renewing is not None and not self._renewing.done():
            return
        if now or time.monotonic() - self._looked >= self._look_seconds:
            self._looked = time.monotonic()
            self._renewing = asyncio.get_running_loop().create_task(self._renew())

    async def _renew(self) -> None:
        try:
            await self._load()
        except StoreError as error:
            self._tell(f"the articles were not looked at, the store: {error}")
        except Exception:
            # A document of a newer version, say. What there is goes on being searched.
            log.exception("the articles were not loaded")
        else:
            self._failed = ""

    async def _load(self) -> None:
        edition = await self._store.get(Edition, EDITION)
        number = int(edition.number) if edition is not None else 0
        if number == self._edition:
            return
        # After its number was read: what is written meanwhile comes with the next number.
        passages = await load(self._store)
        loop = asyncio.get_running_loop()
        index = await loop.run_in_executor(self._making, Index, passages)
        if self._embedder is not None and passages:
            if self._index is None:
                self._index = index
            index = await self._with_vectors(index, self._embedder)
        self._index, self._edition = index, number
        log.info("articles: edition %d, %d passages", number, len(passages))

    async def _with_vectors(self, index: Index, embedder: Embedder) -> Index:
        loop = asyncio.get_running_loop()
        try:
            # Loads the model, here and not at the first question.
            await loop.run_in_executor(self._making, embedder.encode, [""])
            model = await loop.run_in_executor(self._making, lambda: embedder.model)
        except EmbeddingsUnavailable as error:
            log.error("articles are searched by words alone: %s", error)
            return index
        vectors = await load_vectors(self._store, model, index.passages)
        if vectors is None:
            log.warning("no passage has a vector of %s; `bot knowledge sync` makes them", model)
        return await loop.run_in_executor(self._making, index.with_vectors, vectors, embedder)

    def _tell(self, what: str) -> None:
        """Log a failure once, not every two seconds."""
        if what != self._failed:
            log.warning(what)
            self._failed = what

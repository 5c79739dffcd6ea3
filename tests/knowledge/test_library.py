"""The knowledge base in a worker: loaded on use, renewed, and there when the store is not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from bot.knowledge.embedding import TransformerEmbedder
from bot.knowledge.library import Library
from bot.knowledge.sync import sync
from bot.store import AsyncStore, StoreDown
from bot.store.documents import DOCUMENTS
from bot.store.sqlite import SqliteStore
from tests.kit.waiting import PATIENCE, until
from tests.knowledge.kit import SHOP, Hashes, article


@pytest.fixture
async def library_of() -> AsyncIterator[Callable[..., Library]]:
    opened: list[Library] = []

    def make(*args: Any, **kwargs: Any) -> Library:
        opened.append(Library(*args, **{"look_seconds": 0.0, **kwargs}))
        return opened[-1]

    yield make
    for library in opened:
        await library.close()
        await library.close()


async def found(library: Library, question: str, **kwargs: Any) -> list[str]:
    return [hit.passage.id for hit in await library.search(question, **kwargs)]


class Moody:
    """A store that can be down, and that hangs while `go` is not set."""

    def __init__(self, path: Path) -> None:
        self._store = SqliteStore(path)
        self.down, self.calls = False, 0
        self.go = threading.Event()
        self.go.set()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)

        def through(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            if self.down:
                raise StoreDown("no")
            assert self.go.wait(PATIENCE)
            return call(*args, **kwargs)

        return call if name in ("ensure", "close") else through


@pytest.fixture
async def moody(tmp_path: Path) -> AsyncIterator[tuple[Moody, AsyncStore]]:
    store = Moody(tmp_path / "bot.db")
    opened = AsyncStore(store, DOCUMENTS)  # type: ignore[arg-type]
    yield store, opened
    await opened.close()


async def test_the_first_search_waits_for_the_articles(
    store: AsyncStore, library_of: Callable[..., Library]
) -> None:
    await sync(store, SHOP)
    assert (await found(library_of(store), "customs in Norway"))[0] == "delivery/norway#0"


async def test_no_articles_yet_and_then_some(
    store: AsyncStore, library_of: Callable[..., Library]
) -> None:
    library = library_of(store)
    assert await found(library, "customs") == []
    await sync(store, SHOP)
    await library.ready()
    assert await found(library, "customs") == ["delivery/norway#0"]
    await sync(store, [article("a/b", "Customs are paid by us.")])
    await library.ready()
    assert library.edition == 2
    assert await found(library, "customs") == ["a/b#0"]


async def test_it_notices_by_being_used(
    store: AsyncStore, library_of: Callable[..., Library]
) -> None:
    library = library_of(store)
    await sync(store, SHOP)
    await library.ready()
    await sync(store, [article("a/b", "Customs are paid by us.")])

    async def noticed() -> bool:
        return await found(library, "customs") == ["a/b#0"]

    await until(noticed)


async def test_it_does_not_look_all_the_time(
    moody: tuple[Moody, AsyncStore], library_of: Callable[..., Library]
) -> None:
    control, store = moody
    await sync(store, SHOP)
    library = library_of(store, look_seconds=60.0)
    await library.ready()
    calls = control.calls
    for _ in range(20):
        await library.search("customs")
    assert control.calls == calls


async def test_the_store_going_down_takes_nothing_away(
    moody: tuple[Moody, AsyncStore],
    library_of: Callable[..., Library],
    caplog: pytest.LogCaptureFixture,
) -> None:
    control, store = moody
    await sync(store, SHOP)
    library = library_of(store)
    await library.ready()
    control.down = True
    for _ in range(5):
        await library.ready()
        assert await found(library, "customs") == ["delivery/norway#0"]
    # Told once, not at every look.
    assert caplog.text.count("were not looked at") == 1


async def test_a_store_that_is_down_from_the_start(
    moody: tuple[Moody, AsyncStore], library_of: Callable[..., Library]
) -> None:
    control, store = moody
    await sync(store, SHOP)
    control.down = True
    library = library_of(store)
    assert await found(library, "customs") == []
    control.down = False
    assert await found(library, "customs") == ["delivery/norway#0"]


async def test_a_store_that_hangs_is_not_waited_for_for_ever(
    moody: tuple[Moody, AsyncStore], library_of: Callable[..., Library]
) -> None:
    control, store = moody
    await sync(store, SHOP)
    control.go.clear()
    library = library_of(store, wait_seconds=0.2)
    assert await found(library, "customs") == []
    control.go.set()


class Slow(Hashes):
    """An embedder that takes until `go` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def encode(self, texts: Any) -> Any:
        assert self.go.wait(PATIENCE)
        return super().encode(texts)


async def test_words_are_searched_while_the_model_loads(
    store: AsyncStore, library_of: Callable[..., Library]
) -> None:
    await sync(store, SHOP, Hashes())
    slow = Slow()
    library = library_of(store, slow)
    (hit, *_) = await library.search("customs in Norway")
    assert hit.cosine == 0
    slow.go.set()
    await library.ready()
    (hit, *_) = await library.search("customs in Norway")
    assert hit.cosine > 0


async def test_the_event_loop_goes_on_during_a_search(
    store: AsyncStore, library_of: Callable[..., Library]
) -> None:
    await sync(store, SHOP, Hashes())
    slow = Slow()
    slow.go.set()
    library = library_of(store, slow, look_seconds=60.0)
    await library.ready()
    slow.go.clear()
    searching = asyncio.create_task(library.search("customs"))
    for _ in range(5):
        await asyncio.sleep(0.01)
        assert not searching.done()
    slow.go.set()
    assert await searching


async def test_a_model_that_cannot_be_loaded_leaves_words(
    store: AsyncStore, library_of: Callable[..., Library], caplog: pytest.LogCaptureFixture
) -> None:
    await sync(store, SHOP)
    library = library_of(store, TransformerEmbedder("/nowhere/at/all"))
    await library.ready()
    assert await found(library, "customs") == ["delivery/norway#0"]
    assert "searched by words alone" in caplog.text


async def test_meaning_end_to_end(
    store: AsyncStore, library_of: Callable[..., Library], minilm: TransformerEmbedder
) -> None:
    await sync(store, SHOP, minilm)
    library = library_of(store, minilm)
    await library.ready()
    hit = (await library.search("removing limescale"))[0]
    assert hit.passage.id == "products/kettle#0"
    assert hit.cosine > 0

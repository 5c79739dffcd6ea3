"""Taking articles over: incremental, interrupted anywhere, two at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.knowledge.contract import Article
from bot.knowledge.embedding import TransformerEmbedder
from bot.knowledge.errors import ArticleInvalid, EmbeddingsUnavailable, NoArticles
from bot.knowledge.passages import cut_all
from bot.knowledge.stored import article_of, load, load_vectors, passages_of
from bot.knowledge.sync import sync
from bot.settings.problems import Problem
from bot.store import AsyncStore, StoreDown, open_store
from bot.store.articles import Edition, StoredArticle, StoredVector
from bot.store.documents import DOCUMENTS
from bot.store.sqlite import SqliteStore
from tests.knowledge.kit import SHOP, Hashes, article, passages

SALE = "Sale items can be returned within 21 days.\n\n## How\n\nWith the label."
CHANGED = (
    *(replace(a, body=SALE) if a.id == "returns/sale" else a for a in SHOP[:4] + SHOP[5:]),
    article("payment/cards", "Visa and Mastercard."),
)


async def assert_holds(store: AsyncStore, articles: tuple[Article, ...], model: str) -> None:
    """Everything of the articles is there, with vectors, and nothing else."""
    expected = sorted(passages(articles), key=lambda p: (p.article, p.id))
    found = await load(store)
    assert sorted(found, key=lambda p: (p.article, p.id)) == expected
    vectors = await load_vectors(store, model, found)
    assert vectors is not None
    assert (abs((vectors**2).sum(axis=1) - 1) < 1e-5).all()


async def test_first_again_and_changed(store: AsyncStore) -> None:
    embedder = Hashes()
    first = await sync(store, SHOP, embedder)
    assert (len(first.added), first.changed, first.removed, first.edition) == (7, (), (), 1)
    assert first.embedded == len(passages()) == len(embedder.texts)
    await assert_holds(store, SHOP, embedder.model)

    again = await sync(store, SHOP, embedder)
    assert (again.added, again.changed, len(again.unchanged)) == ((), (), 7)
    assert (again.embedded, again.edition) == (0, 1)

    embedder.texts.clear()
    report = await sync(store, CHANGED, embedder)
    assert report.added == ("payment/cards",)
    assert report.changed == ("returns/sale",)
    assert report.removed == ("products/pan",)
    assert (report.embedded, report.edition) == (3, 2)
    assert sorted(embedder.texts) == [
        "Cards. Visa and Mastercard.",
        "Sale. How. With the label.",
        "Sale. Sale items can be returned within 21 days.",
    ]
    await assert_holds(store, CHANGED, embedder.model)
    # Vectors of what is gone are gone too.
    assert await store.count(StoredVector, {}) == len(passages(CHANGED))


async def test_what_is_read_back_is_what_was_given(store: AsyncStore) -> None:
    from datetime import date

    given = replace(SHOP[0], updated=date(2026, 3, 14), tags=("a", "b"), url="https://x.example/")
    await sync(store, [given])
    (row,) = await store.find(StoredArticle, {})
    assert article_of(row) == given
    assert passages_of(row) == cut_all([given])[given.id]


async def test_moved_files_are_no_change(store: AsyncStore) -> None:
    await sync(store, SHOP)
    report = await sync(store, [replace(a, file="/elsewhere/x.md", line=9) for a in SHOP])
    assert (len(report.unchanged), report.edition) == (7, 1)


async def test_what_is_said_of_an_article_changes_it_without_new_vectors(
    store: AsyncStore,
) -> None:
    embedder = Hashes()
    await sync(store, SHOP, embedder)
    report = await sync(store, [replace(SHOP[0], product="mugs"), *SHOP[1:]], embedder)
    assert (report.changed, report.embedded, report.edition) == (("delivery/uk",), 0, 2)
    assert {p.product for p in await load(store) if p.article == "delivery/uk"} == {"mugs"}


async def test_another_article_that_is_linked_to_changes_its_linkers(store: AsyncStore) -> None:
    linking = article("a", "See [it](b.md).")
    await sync(store, [linking, article("b", "Text.")])
    report = await sync(store, [linking, article("b", "Text.", url="https://x.example/b")])
    assert report.changed == ("a", "b")
    assert (await load(store))[0].text == "See [it](https://x.example/b)."


async def test_another_model_has_vectors_of_its_own(store: AsyncStore) -> None:
    await sync(store, SHOP)
    assert await load_vectors(store, "hashes-1", await load(store)) is None
    report = await sync(store, SHOP, Hashes())
    assert (len(report.unchanged), report.embedded, report.edition) == (7, 8, 2)
    report = await sync(store, SHOP, Hashes("hashes-2"))
    assert (report.embedded, report.edition) == (8, 3)
    await assert_holds(store, SHOP, "hashes-2")
    # Nobody uses those of the first any more.
    assert {row.model for row in await store.find(StoredVector, {})} == {"hashes-2"}
    # A machine that searches by words alone takes nothing away.
    await sync(store, SHOP)
    await assert_holds(store, SHOP, "hashes-2")


async def test_a_lost_vector_is_made_again(store: AsyncStore) -> None:
    embedder = Hashes()
    await sync(store, SHOP, embedder)
    (row, *_) = await store.find(StoredVector, {})
    await store.delete(StoredVector, {"id": row.id})
    report = await sync(store, SHOP, embedder)
    assert (report.embedded, report.edition) == (1, 2)
    await assert_holds(store, SHOP, embedder.model)


async def test_nothing_wipes_the_knowledge_base_by_mistake(store: AsyncStore) -> None:
    broken = ArticleInvalid("returns/sale", [Problem("returns/sale.md", 1, "has no title")])
    await sync(store, SHOP)
    for problems in ((), (broken,)):
        with pytest.raises(NoArticles):
            await sync(store, [], problems=problems)
    assert len(await load(store)) == len(passages())
    report = await sync(store, [], problems=[broken], allow_empty=True)
    # What is broken is not gone.
    assert [p.article for p in await load(store)] == ["returns/sale"]
    assert report.problems == (broken,)
    report = await sync(store, [], allow_empty=True)
    assert (report.removed, report.edition) == (("returns/sale",), 3)


async def test_a_broken_file_keeps_its_article(store: AsyncStore) -> None:
    await sync(store, SHOP)
    broken = ArticleInvalid("returns/sale", [Problem("returns/sale.md", 1, "has no title")])
    others = [a for a in SHOP if a.id != "returns/sale"]
    report = await sync(store, others, problems=[broken])
    assert (report.removed, report.edition) == ((), 1)
    assert (await sync(store, others)).removed == ("returns/sale",)


async def test_links_to_a_broken_file_lead_on_to_its_article(store: AsyncStore) -> None:
    linking = article("a", "See [it](b.md).")
    await sync(store, [linking, article("b", "Text.", url="https://x.example/b")])
    broken = ArticleInvalid("b", [Problem("b.md", 1, "has no title")])
    report = await sync(store, [linking], problems=[broken])
    assert (report.changed, report.removed, report.edition) == ((), (), 1)
    report = await sync(store, [linking])
    assert (report.changed, report.removed) == (("a",), ("b",))


async def test_a_folder_that_cannot_be_read_keeps_its_articles(store: AsyncStore) -> None:
    await sync(store, SHOP)
    others = [a for a in SHOP if not a.id.startswith(("returns/", "products/"))]
    report = await sync(
        store, others, problems=[ArticleInvalid("products/", [Problem("products", 0, "no")])]
    )
    assert report.removed == ("returns/sale",)
    whole = ArticleInvalid("/", [Problem("knowledge", 0, "no")])
    assert (await sync(store, [], problems=[whole], allow_empty=True)).removed == ()


async def test_a_model_that_cannot_be_loaded_changes_nothing(store: AsyncStore) -> None:
    with pytest.raises(EmbeddingsUnavailable):
        await sync(store, SHOP, TransformerEmbedder("/nowhere/at/all"))
    assert await store.count(StoredArticle, {}) == 0
    assert await store.get(Edition, "knowledge") is None


class Dying:
    """A store that is down from one call on: before it did the call, or after."""

    def __init__(self, store: SqliteStore, left: int, *, after: bool) -> None:
        self._store, self.left, self._after = store, left, after

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)
        if name in ("ensure", "close"):
            return call

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left < 0 or (self.left == 0 and not self._after):
                raise StoreDown("interrupted")
            made = call(*args, **kwargs)
            if self.left == 0:
                raise StoreDown("interrupted")
            return made

        return counted


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_interrupted_at_every_call(tmp_path: Path, after: bool) -> None:
    embedder = Hashes()
    versions = {
        (a.id, n): ps
        for n, arts in enumerate((SHOP, CHANGED))
        for a in arts
        for ps in [cut_all([a])[a.id]]
    }
    calls = 0
    for n in range(1, 200):
        real = SqliteStore(tmp_path / f"{n}.db")
        plain = AsyncStore(real, DOCUMENTS)
        await sync(plain, SHOP, embedder)
        before = (await plain.get(Edition, "knowledge")).number
        dying = Dying(real, n, after=after)
        try:
            await sync(AsyncStore(dying, DOCUMENTS), CHANGED, embedder)  # type: ignore[arg-type]
        except StoreDown:
            calls = n
        else:
            await plain.close()
            break
        # A reader at this moment sees whole articles of one version or the other.
        found = await load(plain)
        for id in {p.article for p in found}:
            own = [p for p in found if p.article == id]
            assert own in (versions.get((id, 0)), versions.get((id, 1)))
        seen = (await plain.get(Edition, "knowledge")).number
        partly = found != sorted(passages(SHOP), key=lambda p: p.id) or seen > before
        report = await sync(plain, CHANGED, embedder)
        await assert_holds(plain, CHANGED, embedder.model)
        # Whoever read in between, or before, learns that there is something new.
        assert report.edition > before
        assert partly or report.added
        await plain.close()
    assert calls > 8


@pytest.mark.parametrize("same", [True, False], ids=["same", "different"])
async def test_two_at_once(tmp_path: Path, same: bool) -> None:
    url = f"sqlite:{tmp_path / 'bot.db'}"
    for round in range(4):
        stores = [AsyncStore(open_store(url), DOCUMENTS) for _ in range(2)]
        embedder = Hashes()
        await sync(stores[0], SHOP[:4], embedder)
        before = (await stores[0].get(Edition, "knowledge")).number
        one, other = (CHANGED, CHANGED) if same else (CHANGED, SHOP)
        done = asyncio.Event()
        versions = {a.id: [] for a in (*SHOP, *CHANGED)}
        for arts in (SHOP, CHANGED):
            for a in arts:
                versions[a.id].append(cut_all([a])[a.id])

        async def watch(
            store: AsyncStore, versions: dict[str, list[Any]], done: asyncio.Event
        ) -> int:
            looks = 0
            while not done.is_set():
                found = await load(store)
                for id in {p.article for p in found}:
                    assert [p for p in found if p.article == id] in versions[id]
                looks += 1
            return looks

        watcher = asyncio.create_task(watch(stores[1], versions, done))
        await asyncio.gather(sync(stores[0], one, embedder), sync(stores[1], other, embedder))
        done.set()
        assert await watcher > 0
        assert (await stores[0].get(Edition, "knowledge")).number > before
        # Afterwards one more makes it right whatever was left.
        await sync(stores[round % 2], CHANGED, embedder)
        await assert_holds(stores[0], CHANGED, embedder.model)
        for opened in stores:
            await opened.close()

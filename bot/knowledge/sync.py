"""Taking articles over into the store, from which every worker reads them.

In this order, so that it may be interrupted anywhere and run again: the vectors of new
passages, then each article in one document with its passages (see `bot.knowledge.stored`),
then articles that are gone, then the edition, then vectors nobody needs. What is done
already is found done the next time. The edition remembers the state it stands for, so that
one whose growing was interrupted grows the next time, though nothing else is left to do.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from bot.knowledge.contract import Article, Passage
from bot.knowledge.embedding import Embedder
from bot.knowledge.errors import ArticleInvalid, NoArticles
from bot.knowledge.passages import cut_all, embedded
from bot.knowledge.stored import article_of, batches, digests_of, to_row, vector_id
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.articles import Edition, StoredArticle, StoredVector

EDITION = "knowledge"
#: Passages embedded between two writes: what an interruption costs at most.
_EMBEDDED_AT_ONCE = 64
#: How often the edition is looked at again when others sync at the same moment.
_TRIES = 5


@dataclass(frozen=True)
class Report:
    """What a sync did: ids of articles, how many passages were embedded, the problems given.

    `edition` is the number afterwards.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]
    embedded: int
    edition: int
    problems: tuple[ArticleInvalid, ...] = ()


async def sync(
    store: AsyncStore,
    articles: Sequence[Article],
    embedder: Embedder | None = None,
    *,
    problems: Sequence[ArticleInvalid] = (),
    allow_empty: bool = False,
) -> Report:
    """Make the store hold these articles.

    Articles with `problems` stay as they are in the store, and all below a folder with one: a
    slip in a file must not take it from the customers. Vectors of other models than the
    embedder's are deleted. Raises NoArticles when there are none, unless `allow_empty`;
    EmbeddingsUnavailable before anything is written; StoreDown, after which it may be
    called again.
    """
    if not articles and not allow_empty:
        raise NoArticles("there is no usable article, so that everything known would be lost")
    loop = asyncio.get_running_loop()
    before = {row.id: row for row in await store.find(StoredArticle, {})}
    given = {article.id for article in articles}
    kept = {id for id in before.keys() - given if _spared(id, problems)}
    # Others go on leading to them.
    beside = [article_of(before[id]) for id in sorted(kept)]
    cut = await loop.run_in_executor(None, cut_all, articles, beside)
    rows = {article.id: to_row(article, cut[article.id]) for article in articles}

    count = 0
    if embedder is not None:
        passages = [passage for some in cut.values() for passage in some]
        count = await _embed(store, passages, embedder)
    added: list[str] = []
    changed: list[str] = []
    unchanged: list[str] = []
    for id, row in sorted(rows.items()):
        old = before.get(id)
        if old is not None and old.digest == row.digest:
            unchanged.append(id)
            continue
        await store.put(row)
        (added if old is None else changed).append(id)
    removed = sorted(before.keys() - rows.keys() - kept)
    for some in batches(removed):
        await store.delete(StoredArticle, {"id": {"$in": list(some)}})
    model = embedder.model if embedder is not None else ""
    edition = await _number(store, model, grown=count > 0)
    if embedder is not None:
        gone = [before[id] for id in (*changed, *removed) if id in before]
        await _forget(store, model, gone)
        # With another model configured, what the one before made is of no use to anybody.
        await store.delete(StoredVector, {"model": {"$ne": model}})
    return Report(
        added=tuple(added),
        changed=tuple(changed),
        removed=tuple(removed),
        unchanged=tuple(unchanged),
        embedded=count,
        edition=edition,
        problems=tuple(problems),
    )


def _spared(id: str, problems: Sequence[ArticleInvalid]) -> bool:
    """Tell whether an article is the one with a problem, or in the folder with one."""
    return any(
        id == found.article
        or (found.article.endswith("/") and id.startswith(found.article.lstrip("/")))
        for found in problems
    )


async def _embed(store: AsyncStore, passages: Sequence[Passage], embedder: Embedder) -> int:
    """Make and store the vectors that are missing; return how many there were."""
    loop = asyncio.get_running_loop()
    model = await loop.run_in_executor(None, lambda: embedder.model)
    by_digest = {passage.digest: passage for passage in passages}
    missing: list[str] = []
    for some in batches(list(by_digest)):
        ids = [vector_id(model, digest) for digest in some]
        # Mostly all are there, which can be counted without reading them.
        if await store.count(StoredVector, {"id": {"$in": ids}}) < len(ids):
            found = await store.find(StoredVector, {"id": {"$in": ids}})
            there = {row.digest for row in found}
            missing += [digest for digest in some if digest not in there]
    # Alike in length, so that little is padded.
    missing.sort(key=lambda digest: (len(by_digest[digest].text), digest))
    for some in batches(missing, _EMBEDDED_AT_ONCE):
        texts = [embedded(by_digest[digest]) for digest in some]
        vectors = await loop.run_in_executor(None, embedder.encode, texts)
        await store.insert_new(
            [
                StoredVector(
                    id=vector_id(model, digest),
                    model=model,
                    digest=digest,
                    vector=vector.astype("<f4").tobytes(),
                )
                for digest, vector in zip(some, vectors, strict=True)
            ]
        )
    return len(missing)


async def _number(store: AsyncStore, model: str, *, grown: bool) -> int:
    """Let the edition grow if it does not stand for what is stored; return its number."""
    number = 0
    for _ in range(_TRIES):
        state = _state(await store.find(StoredArticle, {}), model)
        edition = await store.get(Edition, EDITION)
        if edition is not None and edition.state == state and not grown:
            return int(edition.number)
        if edition is None:
            await store.insert_new([Edition(id=EDITION, number=0, at=utcnow())])
        after = await store.change(
            Edition, {"id": EDITION}, inc={"number": 1}, set={"at": utcnow(), "state": state}
        )
        number = int(after.number) if after is not None else number
        # Once more, for another sync may have written since the state was read.
        grown = False
    return number


def _state(rows: Sequence[StoredArticle], model: str) -> str:
    seen = hashlib.sha256(model.encode())
    for row in sorted(rows, key=lambda row: str(row.id)):
        seen.update(f"\n{row.id}\t{row.digest}".encode())
    return seen.hexdigest()


async def _forget(store: AsyncStore, model: str, gone: Sequence[StoredArticle]) -> None:
    """Delete the vectors of passages that no article has any more.

    One that another sync has found there and counts on is missing then; searches go
    without it, and the next sync makes it again.
    """
    dropped = set().union(*(digests_of(row) for row in gone)) if gone else set()
    if dropped:
        for row in await store.find(StoredArticle, {}):
            dropped -= digests_of(row)
    for some in batches(sorted(dropped)):
        ids = [vector_id(model, digest) for digest in some]
        await store.delete(StoredVector, {"id": {"$in": ids}})

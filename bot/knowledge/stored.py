"""Articles and passages as the store keeps them.

One document holds an article with all its passages. So a reader sees the whole of one
version or of another, never half, whoever writes at that moment and wherever that is
interrupted; and two that write at once leave one of two whole versions. An article is
at most half a megabyte, and so is its document.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import TYPE_CHECKING, Any

from bot.knowledge.contract import Article, Passage
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.articles import StoredArticle, StoredVector

if TYPE_CHECKING:
    import numpy as np

#: Bound on the ids of one question to the store; SQLite's own is 32,766.
BATCH = 500


def to_row(article: Article, passages: Sequence[Passage]) -> StoredArticle:
    """Return the document of an article."""
    # Where its file lies differs from machine to machine and is no change of the article.
    said = asdict(replace(article, file="", line=1))
    said["tags"] = list(article.tags)
    said["updated"] = article.updated.isoformat() if article.updated else None
    said["passages"] = [
        {"headings": list(passage.headings), "text": passage.text, "digest": passage.digest}
        for passage in passages
    ]
    written = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return StoredArticle(
        id=article.id,
        digest=hashlib.sha256(written.encode()).hexdigest(),
        article=said,
        passages=len(passages),
        at=utcnow(),
    )


def article_of(row: StoredArticle) -> Article:
    """Return the article of a document."""
    said: dict[str, Any] = {name: row.article[name] for name in row.article if name != "passages"}
    said["tags"] = tuple(said["tags"])
    said["updated"] = date.fromisoformat(said["updated"]) if said["updated"] else None
    return Article(**said)


def passages_of(row: StoredArticle) -> list[Passage]:
    """Return the passages of a document, in order."""
    said = row.article
    return [
        Passage(
            id=f"{row.id}#{n}",
            article=row.id,
            title=said["title"],
            headings=tuple(passage["headings"]),
            text=passage["text"],
            digest=passage["digest"],
            language=said["language"],
            tags=tuple(said["tags"]),
            product=said["product"],
            audience=said["audience"],
            url=said["url"],
        )
        for n, passage in enumerate(said["passages"])
    ]


def digests_of(row: StoredArticle) -> set[str]:
    """Return the digests of a document's passages."""
    return {passage["digest"] for passage in row.article["passages"]}


def vector_id(model: str, digest: str) -> str:
    """Return the `_id` of a vector."""
    return f"{model}:{digest}"


async def load(store: AsyncStore) -> list[Passage]:
    """Return all passages, by article id. Raises StoreDown."""
    rows = await store.find(StoredArticle, {}, sort=("id",))
    return [passage for row in rows for passage in passages_of(row)]


async def load_vectors(
    store: AsyncStore, model: str, passages: Sequence[Passage]
) -> np.ndarray | None:
    """Return the passages' vectors of this model, a row for each, 0 for one without.

    None when there is not a single one. Raises StoreDown.
    """
    import numpy as np

    found: dict[str, np.ndarray] = {}
    digests = list(dict.fromkeys(passage.digest for passage in passages))
    for some in batches(digests):
        ids = [vector_id(model, digest) for digest in some]
        for row in await store.find(StoredVector, {"id": {"$in": ids}}):
            found[row.digest] = np.frombuffer(bytes(row.vector), "<f4")
    if not found:
        return None
    width = len(next(iter(found.values())))
    vectors = np.zeros((len(passages), width), np.float32)
    for n, passage in enumerate(passages):
        vector = found.get(passage.digest)
        if vector is not None and len(vector) == width:
            vectors[n] = vector
    return vectors


def batches(items: Sequence[str], size: int = BATCH) -> Iterable[Sequence[str]]:
    """Yield the items in runs of `size`."""
    return (items[start : start + size] for start in range(0, len(items), size))

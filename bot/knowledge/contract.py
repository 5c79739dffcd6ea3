"""The values that the parts of the knowledge base give each other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

#: Whom an article is for. What is for agents is never shown to customers.
CUSTOMERS, AGENTS = "customers", "agents"


@dataclass(frozen=True, slots=True)
class Article:
    """One article. `id` is its path below the knowledge folder without suffix, ``returns/sale``.

    `body` is Markdown; `line` is the line of `file` it begins in, for messages about it.
    `language` is ISO 639-1. `product` is "" for what is about all of them. `url` is where
    customers can read it, "" when nowhere. `updated` is None when the article does not say.
    """

    id: str
    title: str
    body: str
    language: str = "en"
    tags: tuple[str, ...] = ()
    product: str = ""
    audience: str = CUSTOMERS
    updated: date | None = None
    url: str = ""
    file: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of an article that answers by itself. `id` is ``ARTICLE#n``, n from 0.

    `headings` is the path of headings it stands under, outermost first, without the
    title. `text` is light Markdown. `digest` is the SHA-256, in hex, of title, headings and
    text: what is embedded.
    """

    id: str
    article: str
    title: str
    headings: tuple[str, ...]
    text: str
    digest: str
    language: str = "en"
    tags: tuple[str, ...] = ()
    product: str = ""
    audience: str = CUSTOMERS
    url: str = ""

    @property
    def heading(self) -> str:
        """Title and headings, as one line."""
        return " › ".join((self.title, *self.headings))


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, and why.

    `score` orders hits of one search and means nothing across searches. `lexical` is the
    BM25 score, `cosine` that of the embeddings (0.0 without them), `fuzzy` that of
    character n-grams (typos), `coverage` the share, by rarity, of the question's words that
    stand in the passage, its title or headings; the last three are between 0 and 1.
    """

    passage: Passage
    score: float
    lexical: float
    cosine: float
    fuzzy: float
    coverage: float

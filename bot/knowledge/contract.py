"""The values that the parts of the knowledge base give each other."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

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


@dataclass(frozen=True, slots=True)
class About:
    """Who asks, and where.

    `limit` is how many characters of an answer the channel likes. `past` are the messages
    before this one, ``(role, text)`` with role "user" or "assistant". `previous` is the
    question that was answered before this one, "" for none. `known` are strings of the
    customer's profile that no third party's model is to see. `memory` is what is known of
    the customer, one fact a line. `seen` is what a model saw in pictures that came with the
    question, "" for none.
    """

    conversation: str
    channel: str = ""
    language: str = "en"
    limit: int = 900
    past: tuple[tuple[Literal["user", "assistant"], str], ...] = ()
    previous: str = ""
    known: tuple[str, ...] = ()
    memory: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """An article that an answer comes from."""

    article: str
    title: str
    url: str
    passage: str

    @classmethod
    def of(cls, passage: Passage) -> Source:
        """Return where a passage is from."""
        return cls(passage.article, passage.title, passage.url, passage.id)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be said, and why.

    `how` is "model", "quote", "offer" (`sources` are the articles that may answer it), "none"
    (no article does) or "unclear" (it does not look like a question to a company). `text` is
    "" with the last three. `question` is the one that was looked up, `base` the one that
    another question right after it may lean on. `gap` is why it belongs to the gaps, "" when
    it does not. `escalate` is the sensitive topic that the model saw, "" for none.
    """

    how: Literal["model", "quote", "offer", "none", "unclear"]
    text: str
    question: str
    confidence: float
    sources: tuple[Source, ...] = ()
    nearest: tuple[str, ...] = ()
    why: tuple[str, ...] = ()
    gap: str = ""
    escalate: str = ""
    base: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What an installation says of itself to the model; see ``data/prompts/answer.md``.

    `rules` are the company's own, which come before what articles and customers say.
    """

    company: str
    rules: str = ""
    topics: Mapping[str, str] = field(default_factory=dict)
    domains: Collection[str] = ()

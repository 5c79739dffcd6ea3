"""What is told of one message, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


class NoSuchMessage(LookupError):
    """There is no message and no conversation of that id."""


@dataclass(frozen=True)
class Ranked:
    """An intent and how likely it was, between 0 and 1."""

    intent: str
    confidence: float


@dataclass(frozen=True)
class Entity:
    """Something found in the words; `by` is the component that found it."""

    name: str
    value: str
    by: str = ""


@dataclass(frozen=True)
class Seen:
    """What `bot.perception` saw, see its `Perception`. `sensitive` is a topic or ""."""

    language: str
    sure: float
    sentiment: float
    mood: float
    urgency: float
    frustrated: bool
    sensitive: str = ""
    sensitive_why: str = ""
    why: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """An action, the policy that decided for it and how sure that was.

    `source` is the rule or story it comes from, as far as the files tell, and `place` its
    ``file:line``; "" where nothing is known, as of what a policy has learned. `responses` are
    the responses it said, each with its ``file:line`` or "". `kind` is rule or story, `told` the
    name of it, both "" for what is neither.
    """

    action: str
    policy: str
    confidence: float
    source: str = ""
    place: str = ""
    responses: tuple[tuple[str, str], ...] = ()
    kind: str = ""
    told: str = ""


@dataclass(frozen=True)
class Answered:
    """How a question was answered from the articles: `sources` are passages, `why` reasons."""

    how: str
    question: str
    confidence: float
    sources: tuple[str, ...]
    why: tuple[str, ...]


@dataclass(frozen=True)
class ToolStep:
    """A tool that a model asked for: with what, what the rules said, and what came of it."""

    tool: str
    args: str
    verdict: str
    result: str
    ms: int = 0


@dataclass(frozen=True)
class Handed:
    """The conversation was given to a person: topic, reason and priority."""

    topic: str
    why: str
    priority: str


@dataclass(frozen=True)
class Translated:
    """What a message of another language was to the bot. `heard` and `said` are words.

    `why` is why there was no translation, "" when there was. `told` says that the customer was
    told so.
    """

    source: str
    target: str
    engine: str
    heard: str = ""
    said: tuple[str, ...] = ()
    why: str = ""
    told: bool = False


@dataclass(frozen=True)
class Reply:
    """What was said, and what became of it: a status of `bot.store.messages`.

    `by` is the agent who said it, "" for the bot.
    """

    id: str
    text: str
    status: str
    reason: str = ""
    sent: datetime | None = None
    by: str = ""


@dataclass(frozen=True)
class Explanation:
    """One message and everything that was made of it.

    `said` are its words, or what kind of content it was in brackets; of words and values,
    personal data is masked unless it was asked for. `by` is who had the conversation: bot,
    waiting, agent or customer, "" while nothing was decided (`note` then says why).
    `ranking` begins with the intent that was taken. `slots` are those that changed.
    `told` is when a waiting customer was told so, ISO 8601. `consent` is what the message meant
    for being written to. `took_ms` is the time from the message's turn to its commit.
    """

    message: str
    conversation: str
    at: datetime
    said: str
    status: str
    note: str = ""
    seq: int = 0
    model: str = ""
    took_ms: int = 0
    by: str = ""
    folded: tuple[str, ...] = ()
    ranking: tuple[Ranked, ...] = ()
    entities: tuple[Entity, ...] = ()
    seen: Seen | None = None
    steps: tuple[Step, ...] = ()
    slots: Mapping[str, str] = field(default_factory=dict)
    answered: Answered | None = None
    handed: Handed | None = None
    told: str = ""
    translated: Translated | None = None
    consent: str = ""
    failure: str = ""
    detail: str = ""
    replies: tuple[Reply, ...] = ()
    tools: tuple[ToolStep, ...] = ()

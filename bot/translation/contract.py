"""What is asked of a translation, what comes back, and the ways in which there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

#: Whose words they are: "hear" a customer's, "say" the bot's, with what is one customer's in
#: them, "fixed" the bot's own texts that are the same for everybody.
Purpose = Literal["hear", "say", "fixed"]


class TranslationError(Exception):
    """There is no translation. The text holds nobody's words."""


class NotTranslated(TranslationError):
    """What an engine gave was no faithful translation; the text says in what way."""


class EngineFailed(TranslationError):
    """The engine did not answer: it is down, refuses, or its budget is spent."""


class UnsupportedPair(TranslationError):
    """The engine does not know these two languages, or there is no engine."""


@dataclass(frozen=True, slots=True)
class Job:
    """What an engine is to know beside the texts.

    `conversation` is whose budget pays, `known` are the customer's names. `wrong` says what
    was wrong with an earlier attempt, "" for the first.
    """

    conversation: str
    purpose: Purpose
    known: tuple[str, ...] = ()
    wrong: str = ""


class Engine(Protocol):
    """Something that translates. It is given texts with tokens in them, and may lose these."""

    @property
    def name(self) -> str:
        """What it is, for people and for the key of what is kept."""

    @property
    def repairs(self) -> bool:
        """Tell whether it does better when it is told what was wrong."""

    def can(self, source: str, target: str) -> bool:
        """Tell whether it knows the languages (ISO 639-1)."""

    def token(self, number: int, taken: str) -> str:
        """Return what is put into a text for a protected part; `taken` is the text."""

    async def translate(
        self, texts: Sequence[str], source: str, target: str, job: Job
    ) -> list[str]:
        """Return as many texts. Raises EngineFailed, UnsupportedPair."""

    async def close(self) -> None:
        """Let go of connections and threads."""


@dataclass(frozen=True, slots=True)
class Origin:
    """The response of the domain that a reply was made of.

    `variants` are the response's own, as the domain has them; `alike` are those of the same
    response in other languages, which designers wrote themselves, by ISO 639-1.
    """

    name: str
    variants: Sequence[Mapping[str, Any]] = ()
    alike: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def origin(name: str, responses: Mapping[str, Sequence[Mapping[str, Any]]]) -> Origin | None:
    """Return the origin of what was said as the response `name`; None for "" and unknown ones."""
    if name not in responses:
        return None
    begins = f"{name}_"
    alike = {
        other[len(begins) :]: found
        for other, found in responses.items()
        if other.startswith(begins) and len(other) == len(begins) + 2
    }
    return Origin(name, responses[name], alike)

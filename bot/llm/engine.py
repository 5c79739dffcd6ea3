"""What one model is asked, what it gives back, and the ways in which it fails.

The client decides what follows from a failure; a model only says which it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from bot.llm.contract import Said, Tool, ToolCall

# English has four bytes of UTF-8 a token, other languages of Europe about three.
_BYTES_A_TOKEN = 3.5
# What the frame of one message costs, in tokens.
_FRAME = 4
# What one picture costs, of the size that is sent: OpenAI's tiles and Anthropic's pixels / 750
# both come to about this at 1568 pixels. https://platform.openai.com/docs/guides/images-vision
_IMAGE = 1_600


@dataclass(frozen=True, slots=True)
class Request:
    """An `Ask` as one model gets it: masked, with what is left of the time, in seconds."""

    messages: tuple[Said, ...]
    purpose: str
    tokens: int
    seconds: float
    schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said. `notes` are words for the log: what was wrong and was passed over."""

    text: str
    tokens_in: int
    tokens_out: int
    calls: tuple[ToolCall, ...] = ()
    truncated: bool = False
    notes: tuple[str, ...] = ()


class Engine(Protocol):
    """One model, wherever it runs."""

    async def complete(self, request: Request) -> Answer:
        """Answer. Raises ModelFailed, and no other error but cancellation."""

    async def close(self) -> None:
        """Let go of what it holds. Closing twice is no error."""


class ModelFailed(Exception):
    """A model gave nothing usable. The text holds nothing of prompt, answer or key.

    `outcome` is a word for metrics. `spent` are the tokens, in and out, that may be charged
    all the same.
    """

    outcome = "failed"

    def __init__(self, text: str, spent: tuple[int, int] = (0, 0)) -> None:
        super().__init__(text)
        self.spent = spent


class Unwell(ModelFailed):
    """It cannot answer now, another may: overload, a server error, no connection, time is up.

    `after` is in how many seconds it asks to be tried again, None when it does not say.
    """

    outcome = "unwell"

    def __init__(
        self, text: str, spent: tuple[int, int] = (0, 0), after: float | None = None
    ) -> None:
        super().__init__(text, spent)
        self.after = after


class Misconfigured(ModelFailed):
    """It will not answer anything until an operator changes something: key, model, address."""

    outcome = "misconfigured"


class Unfit(ModelFailed):
    """It cannot take this question, such as one that is too long; others it can."""

    outcome = "unfit"


class Unusable(ModelFailed):
    """It answered, but not with anything that can be used."""

    outcome = "unusable"


class Declined(ModelFailed):
    """It, or a filter before it, will not answer this."""

    outcome = "declined"


def estimate(text: str) -> int:
    """Guess how many tokens a text has."""
    return round(len(text.encode("utf-8", "replace")) / _BYTES_A_TOKEN)


def estimate_all(messages: Sequence[Said]) -> int:
    """Guess how many tokens messages have."""
    return sum(estimate(said.text) + _FRAME + _IMAGE * len(said.images) for said in messages)

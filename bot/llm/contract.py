"""What is asked of a language model, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a chat. `call` is the id of the tool call that a "tool" message answers.

    `images` are pictures that belong to it, as ``data:image/…;base64,…`` URLs. They are never
    masked: a model gets them only when its settings say ``vision: true``.
    """

    role: Role
    text: str
    call: str = ""
    calls: tuple[ToolCall, ...] = ()
    images: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model asks to be called, `arguments` as they were read from its JSON."""

    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that a model may ask for; `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a model.

    `conversation` is whose budget pays, `purpose` a word for logs and metrics. `schema` is a
    JSON schema that the answer's text should follow, None for free text. `tokens` is the
    most that the answer may have. `cacheable` only when the answer depends on nothing that
    is one customer's. `known` are the customer's own words for himself (name) that must be
    masked though no pattern finds them.
    """

    messages: tuple[Said, ...]
    conversation: str
    purpose: str
    tokens: int = 500
    schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] = ()
    cacheable: bool = False
    known: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said. `cost` is in the currency of the settings, `took_ms` in milliseconds."""

    text: str
    model: str
    tokens_in: int
    tokens_out: int
    cost: float
    took_ms: int
    calls: tuple[ToolCall, ...] = ()
    cached: bool = False
    tried: tuple[str, ...] = field(default=())


class Talks(Protocol):
    """What the rest of the house needs of language models."""

    @property
    def available(self) -> bool:
        """Tell whether any model is configured."""

    async def ask(self, ask: Ask) -> Reply:
        """Ask the models in order until one answers. Raises `bot.llm.errors.LlmError`."""

    async def close(self) -> None:
        """Let go of connections. Closing twice is no error."""


Messages = Sequence[Said]

"""What a turn gives the brain and gets back; free of Rasa, so that it costs nothing to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.message import Content


@dataclass(frozen=True)
class Failure:
    """Why a message could not be answered: for the operator, never for the customer.

    `detail` is a traceback; it holds neither secrets nor the customer's words.
    """

    action: str
    reason: str
    detail: str


@dataclass(frozen=True)
class Outcome:
    """What the brain made of one message.

    `events` are new Rasa events as dictionaries, `state` is the state after them,
    `parse` holds intent, confidence and entities. With a `failure`, `events` is
    empty, `state` is the one before, and `replies` is one apology.
    """

    events: list[dict[str, Any]]
    replies: list[Content]
    state: dict[str, Any]
    parse: dict[str, Any]
    failure: Failure | None

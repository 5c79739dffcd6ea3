"""What was seen in a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

PRIORITIES = ("low", "normal", "high", "urgent")


@dataclass(frozen=True, slots=True)
class Sensitive:
    """A matter that is a person's, never the bot's.

    `topic` is its name in ``data/escalation.yml``, `says` the first sentence for the customer
    in the customer's language ("" for none), `why` what gave it away, for people (``pattern
    "my lawyer"``). `priority` is one of `PRIORITIES`.
    """

    topic: str
    priority: str
    says: str
    why: str


@dataclass(frozen=True, slots=True)
class Perception:
    """What one message, and the conversation up to it, looks like.

    `language` is ISO 639-1, `sure` between 0 and 1. `sentiment` of this message is between -1
    and 1; `mood` is that of the conversation, `urgency` between 0 and 1. `frustrated` says
    that the mood is bad enough for a person. `why` has a line for each judgement.
    """

    language: str
    sure: float
    sentiment: float
    mood: float
    urgency: float
    frustrated: bool
    sensitive: Sensitive | None
    why: tuple[str, ...] = ()

    def encode(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**asdict(self), "why": list(self.why)}

    @classmethod
    def decode(cls, value: Mapping[str, Any]) -> Perception:
        """Read back what `encode` returned."""
        sensitive = value.get("sensitive")
        return cls(
            **{
                **value,
                "sensitive": Sensitive(**sensitive) if sensitive else None,
                "why": tuple(value.get("why") or ()),
            }
        )

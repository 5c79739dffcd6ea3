"""What is known of a person, as it is handed around."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.store.memory import FACT, ORDER, PREFERENCE, SUMMARY

#: Of an open case; cases are read where they are, and never copied.
MATTER = "matter"
KINDS = (FACT, PREFERENCE, ORDER, MATTER, SUMMARY)

#: Characters of a value, of a summary, and how many are known of a person at most.
LONGEST, LONGEST_SUMMARY, MOST = 300, 800, 40


class NotRemembered(ValueError):
    """It is not to be remembered; the text says why, and quotes nothing."""


@dataclass(frozen=True, slots=True)
class Known:
    """One thing that is known. `source` is the id of a turn, deed or case.

    `about` says in words what `value` is; `channel` is where it was said.
    """

    kind: str
    key: str
    about: str
    value: str
    source: str
    by: str
    at: datetime
    channel: str = ""

    def plain(self) -> dict[str, Any]:
        """Return it as plain values, the time in ISO 8601."""
        return {
            "kind": self.kind,
            "key": self.key,
            "about": self.about,
            "value": self.value,
            "source": self.source,
            "by": self.by,
            "at": self.at.isoformat(),
            "channel": self.channel,
        }

    @property
    def line(self) -> str:
        """It in one line, for people and prompts."""
        return f"{self.about}: {self.value} ({self.at.day} {self.at:%b %Y})"


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known of one person, the newest first. `last` is when he wrote before, or None."""

    known: tuple[Known, ...] = ()
    last: datetime | None = None

    def of(self, kind: str, key: str = "") -> tuple[Known, ...]:
        """Return what is known of a kind, with `key` of that alone."""
        return tuple(k for k in self.known if k.kind == kind and key in ("", k.key))

    def lines(self) -> list[str]:
        """Return all of it, a line each, in the order of `KINDS`."""
        return [one.line for kind in KINDS for one in self.of(kind)]

    def encode(self) -> dict[str, Any]:
        """Return it as plain values, for the metadata of a message."""
        if not self.known and self.last is None:
            return {}
        last = self.last.isoformat() if self.last else ""
        return {"known": [one.plain() for one in self.known], "last": last}

    @classmethod
    def decode(cls, told: Mapping[str, Any] | None) -> Memory:
        """Read back what `encode` returned."""
        if not told:
            return cls()
        known = tuple(
            Known(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in told["known"]
        )
        return cls(known, datetime.fromisoformat(told["last"]) if told["last"] else None)


@dataclass(frozen=True, slots=True)
class Noticed:
    """A fact that a turn tells."""

    kind: str
    key: str
    about: str
    value: str
    days: int

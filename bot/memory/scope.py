"""What is forgotten of one address, and whose the lease of it is meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from bot.store.memory import Forgetting

#: How long a conversation is leased, and a forgetting claimed, without being renewed.
LEASE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Scope:
    """An address of a forgetting: all of it, or with `until` (µs since 1970) what was before."""

    address: str
    until: int = 0

    def has(self, at: datetime | int) -> bool:
        """Tell whether what is of that time, or arrived then (µs since 1970), is a part of it."""
        if not self.until:
            return True
        return (at if isinstance(at, int) else int(at.timestamp() * 1_000_000)) <= self.until

    def end(self, field: str) -> Any:
        """Return `until` as a document's `field` has it: ``arrived`` is in µs, others are times."""
        if field == "arrived":
            return self.until
        return datetime.fromtimestamp(self.until / 1e6, timezone.utc)


def name_of(row: Forgetting) -> str:
    """Return whose the lease of a conversation is: whoever goes on with it has it too."""
    return f"forgetting/{row.id}"

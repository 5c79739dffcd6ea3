"""A clock that tests set: what the bot reads of the time of day, and how old things are.

Timers (`time.monotonic`, `asyncio.sleep`) go on as they are: nothing waits longer or shorter.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

_NOW, _TIME, _TIME_NS = datetime.now, time.time, time.time_ns
#: Where the shop is.
ZONE = ZoneInfo("Europe/London")
#: A Monday of a week without holidays, before the clocks change.
_MONDAY = datetime(2026, 11, 23, tzinfo=ZONE)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Clock:
    """The time for one test; it goes on by itself from what was `set`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._ahead = timedelta(0)
        clock = self

        class Now(datetime):
            @classmethod
            def now(cls, tz=None):  # type: ignore[no-untyped-def, override]
                return _NOW(tz) + clock._ahead

        monkeypatch.setattr("bot.message.datetime", Now)
        monkeypatch.setattr(time, "time", lambda: _TIME() + clock._ahead.total_seconds())
        monkeypatch.setattr(time, "time_ns", lambda: _TIME_NS() + clock._ahead // _US * 1000)
        # What arrived in an earlier test arrived later by this clock.
        monkeypatch.setattr("bot.store.messages._last_arrival", 0)

    def set(self, day: str, hour: int, minute: int = 0) -> None:
        """Make it that time of that day of the week, in the shop's zone. Raises ValueError."""
        at = _MONDAY + timedelta(days=_DAYS.index(day.lower()), hours=hour, minutes=minute)
        self._ahead = at - _NOW(ZONE)

    def pass_(self, span: timedelta) -> None:
        """Let time pass."""
        self._ahead += span


_US = timedelta(microseconds=1)

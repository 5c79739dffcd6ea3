"""Business hours: when somebody is here, and counting in such time.

All moments are aware. Hours are what a clock on the wall shows: at the change to summer time
an hour that does not exist is skipped, at the change back one that comes twice is open
both times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

_MIDNIGHT = time(0)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
# A week of the plan after the last holiday, and one more for a change of the clocks.
_SURELY = 15


@dataclass(frozen=True, slots=True)
class Hours:
    """Business hours. `week` has seven lists, Monday first, of (from, to) in local time.

    A `to` of midnight is the end of the day. The spans of a day are in order and do not overlap.
    """

    zone: ZoneInfo
    week: tuple[tuple[tuple[time, time], ...], ...]
    holidays: frozenset[date] = frozenset()

    def spans(self, day: date) -> list[tuple[datetime, datetime]]:
        """Return when a day is open, in UTC, in order and without overlaps."""
        if day in self.holidays:
            return []
        found: list[tuple[datetime, datetime]] = []
        for begin, end in self.week[day.weekday()]:
            start = self._utc(day, begin, fold=0)
            stop = self._utc(day + _DAY if end == _MIDNIGHT else day, end, fold=1)
            if found:
                start = max(start, found[-1][1])
            if start < stop:
                found.append((start, stop))
        return found

    def _utc(self, day: date, at: time, *, fold: int) -> datetime:
        """Return the moment at which the clock on the wall shows `at`, or first shows more."""
        local = datetime.combine(day, at, self.zone)
        early = local.replace(fold=1).astimezone(timezone.utc)
        late = local.replace(fold=0).astimezone(timezone.utc)
        if early >= late:
            # Once, or twice: then fold=1 is the second time.
            return early if fold else late
        # It is skipped. The clocks change between both; the second before is not yet changed.
        while late - early > _SECOND:
            middle = early + timedelta(seconds=(late - early) // _SECOND // 2)
            if middle.astimezone(self.zone).replace(tzinfo=None) < local.replace(tzinfo=None):
                early = middle
            else:
                late = middle
        return late

    def is_open(self, at: datetime) -> bool:
        """Tell whether somebody is here at that moment."""
        return any(begin <= at < end for begin, end in self.spans(at.astimezone(self.zone).date()))

    def opens(self, at: datetime) -> datetime | None:
        """Return when somebody will next be here, `at` itself when now; None for never."""
        for begin, end in self._from(at):
            if at < end:
                return max(begin, at)
        return None

    def after(self, since: datetime, span: timedelta) -> datetime:
        """Return the moment by which `span` of business time has gone by.

        Where no hour is open ever, all time counts. The result is in UTC.
        """
        # Adding to a time of a zone moves the clock on the wall, whatever it does meanwhile.
        since, left = since.astimezone(timezone.utc), span
        for begin, end in self._from(since):
            start = max(begin, since)
            if start >= end:
                continue
            if left <= end - start:
                return start + left
            left -= end - start
        return since + span

    def _from(self, at: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield what is open from the day of `at` on; ends only where nothing ever is."""
        day = at.astimezone(self.zone).date()
        barren = max((h - day for h in self.holidays), default=timedelta()).days + _SURELY
        empty = 0
        while empty <= max(barren, _SURELY):
            spans = self.spans(day)
            yield from spans
            empty = 0 if spans else empty + 1
            day += _DAY

"""Reading times from a file: spans of time, times of day, business hours, holidays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

from bot.desk.hours import Hours
from bot.settings.fields import Field
from bot.settings.nodes import Broken, Entry, Items, Node, Origin, Scalar, Table, is_null
from bot.settings.validate import Validator, kind_of

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
CLOSED = "closed"

_HOURS = re.compile(r"(\d{1,2}):(\d{2}) ?[-–] ?(\d{1,2}):(\d{2})")
_SPAN = re.compile(r"(-?\d{1,6}(?:\.\d{1,3})?) ?(s|sec|min|h|d|days?|hours?|minutes?|seconds?)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_HOURS_RIGHT = "should be as in '09:00-18:00', [09:00-12:30, 13:30-18:00] or closed"
_SPAN_RIGHT = "should be as in '90 s', '15 min', '2 h' or '3 d'"
_LAST = 24 * 60


class HoursCheck(Validator):
    """Reads times, and what else is common to files of the desk."""

    def keys(self, table: Table, path: str, known: Iterable[str]) -> None:
        """Tell of each key that is none of `known`."""
        names = dict.fromkeys(known)
        for key, entry in table.entries.items():
            if key not in names:
                self.unknown(key, entry, path, names)

    def mapping(self, entry: Entry | None, path: str, right: str) -> Table | None:
        """Return a mapping, None when it is not there or no such thing."""
        if entry is None or is_null(entry.node) or isinstance(entry.node, Broken):
            return None
        if isinstance(entry.node, Table):
            return entry.node
        self.tell(entry.origin, f"{path} is {kind_of(entry.node)}", right)
        return None

    def needed(self, entry: Entry | None, path: str, above: Origin, right: str) -> Table | None:
        """Return a mapping that must be there."""
        if entry is None:
            self.tell(above, f"there is no {path}", right)
        elif is_null(entry.node):
            self.tell(entry.origin, f"{path} is empty", right)
        return self.mapping(entry, path, right)

    def listed(self, entry: Entry | None, path: str) -> list[tuple[str, Origin]]:
        """Return the texts of a list with their places; none when one of them was wrong."""
        if entry is None or is_null(entry.node) or isinstance(entry.node, Broken):
            return []
        kind = Field(path, path, "list", False, False, False, (), {})
        texts = self.texts(kind, entry.node, path)
        items: tuple[Node, ...] = entry.node.items if isinstance(entry.node, Items) else ()
        if not isinstance(texts, tuple):
            return []
        return [(text, item.origin) for text, item in zip(texts, items, strict=True)]

    def flag(self, entry: Entry | None, path: str, default: bool) -> bool:
        """Return true or false."""
        if entry is None:
            return default
        found = self.value(Field(path, path, "bool", False, False, False, (), {}), entry, path)
        return found if isinstance(found, bool) else default

    def choice(self, entry: Entry | None, path: str, choices: tuple[str, ...], default: str) -> str:
        """Return one of `choices`."""
        if entry is None:
            return default
        kind = Field(path, path, "choice", False, False, False, choices, {})
        found = self.value(kind, entry, path)
        return found if isinstance(found, str) else default

    def span(
        self,
        entry: Entry | None,
        path: str,
        above: Origin,
        *,
        least: timedelta,
        most: timedelta,
        never: bool = False,
    ) -> timedelta:
        """Return a span of time from `least` to `most`; `never` says that it may be that."""
        right = _SPAN_RIGHT + (", or never" if never else "")
        if entry is None:
            self.tell(above, f"there is no {path}", right)
            return least
        if isinstance(entry.node, Broken):
            return least
        if not isinstance(entry.node, Scalar) or is_null(entry.node):
            self.tell(entry.origin, f"{path} is {kind_of(entry.node)}", right)
            return least
        found = _SPAN.fullmatch(entry.node.text.strip())
        if found is None:
            self.tell(entry.origin, f"{path} is {entry.node.text[:40]!r}", right)
            return least
        made = timedelta(**{_UNITS[found[2][0]]: float(found[1])})
        if made < timedelta():
            self.tell(entry.origin, f"{path} is negative", right)
        elif made < least:
            self.tell(entry.origin, f"{path} is {found[0]!r}", f"should be at least {_said(least)}")
        elif made > most:
            self.tell(entry.origin, f"{path} is {found[0]!r}", f"should be at most {_said(most)}")
        return made

    def hours(self, entry: Entry | None, top: Origin) -> Hours | None:
        """Return the business hours."""
        right = "should be a mapping with zone, mon, tue, wed, thu, fri, sat, sun and holidays"
        table = self.needed(entry, "hours", top, right)
        if table is None:
            return None
        self.keys(table, "hours", ("zone", *DAYS, *_RANGES, "holidays"))
        where = entry.origin if entry else top
        zone = self.zone(table.entries.get("zone"), where)
        week: dict[str, tuple[tuple[time, time], ...]] = {}
        lines: dict[str, int] = {}
        for key, value in table.entries.items():
            for day in _RANGES.get(key, (key,) if key in DAYS else ()):
                if day in week:
                    what = f"hours.{key} sets {day}, which line {lines[day]} has set"
                    self.tell(value.origin, what, "each day is set once")
                    break
                lines[day] = value.origin.line
                week[day] = ()
            else:
                if key in DAYS or key in _RANGES:
                    spans = self.spans(value, f"hours.{key}")
                    week |= dict.fromkeys(_RANGES.get(key, (key,)), spans)
        missing = [day for day in DAYS if day not in week]
        for day in missing:
            self.tell(where, f"hours has no {day}", f"add '{day}: closed', or when it is open")
        if not missing and not any(week.values()) and not self.problems:
            self.tell(where, "hours has no day that is open", "customers are told when you open")
        holidays = self.holidays(table.entries.get("holidays"))
        if zone is None:
            return None
        return Hours(zone, tuple(week.get(day, ()) for day in DAYS), holidays)

    def zone(self, entry: Entry | None, above: Origin) -> ZoneInfo | None:
        """Return a time zone."""
        right = "should be a name of the IANA time zone database, as in 'Europe/London'"
        name = self.text(entry, "hours.zone", "")
        if not name:
            self.tell(entry.origin if entry else above, "hours has no zone", right)
            return None
        try:
            return ZoneInfo(name)
        # A name may also be a directory of the database, or lead out of it.
        except (KeyError, ValueError, OSError):
            where = entry.origin if entry else above
            self.tell(where, f"hours.zone is {name[:40]!r}, which is no time zone", right)
            return None

    def spans(self, entry: Entry, path: str) -> tuple[tuple[time, time], ...]:
        """Return when a day is open."""
        node = entry.node
        if isinstance(node, Scalar) and node.text == CLOSED:
            return ()
        items = node.items if isinstance(node, Items) else (node,)
        made: list[tuple[time, time]] = []
        last, last_said = 0, ""
        for n, item in enumerate(items):
            inside = f"{path}[{n}]" if isinstance(node, Items) else path
            if isinstance(item, Broken):
                return ()
            found = _HOURS.fullmatch(item.text.strip()) if isinstance(item, Scalar) else None
            if found is None:
                self.tell(item.origin, f"{inside} is {_quoted(item)}", _HOURS_RIGHT)
                continue
            hour, minute, to_hour, to_minute = (int(part) for part in found.groups())
            begin, end = hour * 60 + minute, to_hour * 60 + to_minute
            if minute > 59 or to_minute > 59 or begin >= _LAST or end > _LAST:
                what = f"{inside} is {found[0]!r}, which is no time of a day"
                self.tell(item.origin, what, "should be from 00:00 to 24:00")
            elif end <= begin:
                what = f"{inside} is {found[0]!r}, which ends before it begins"
                right = "for a night write until 24:00, and the rest on the next day"
                self.tell(item.origin, what, right)
            elif begin < last:
                what = f"{inside} is {found[0]!r}, which begins before {last_said!r} has ended"
                self.tell(item.origin, what, "put them in order, without an overlap")
            else:
                made.append((time(begin // 60, minute), time(end // 60 % 24, to_minute)))
                last, last_said = end, found[0]
        return tuple(made)

    def holidays(self, entry: Entry | None) -> frozenset[date]:
        """Return days on which nobody is here."""
        made: dict[date, int] = {}
        for n, (written, where) in enumerate(self.listed(entry, "hours.holidays")):
            path = f"hours.holidays[{n}]"
            try:
                day = date.fromisoformat(written) if _DATE.fullmatch(written) else None
            except ValueError:
                day = None
            if day is None:
                right = "should be a day, as in 2026-12-25"
                self.tell(where, f"{path} is {written[:40]!r}", right)
            elif day in made:
                what = f"{path} is {written}, which line {made[day]} has already"
                self.tell(where, what, "take one out")
            else:
                made[day] = where.line
        return frozenset(made)


#: ``mon-fri`` and the like.
_RANGES = {
    f"{first}-{last}": DAYS[n : m + 1]
    for n, first in enumerate(DAYS)
    for m, last in enumerate(DAYS)
    if n < m
}


def _quoted(node: Node) -> str:
    text = isinstance(node, Scalar) and not is_null(node)
    return repr(node.text[:40]) if text and isinstance(node, Scalar) else kind_of(node)


def _said(span: timedelta) -> str:
    if span.days:
        return f"{span.days} d"
    seconds = int(span.total_seconds())
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"

"""One line for each thing that is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Literal

from bot.settings.problems import closest, suggestion

Level = Literal["error", "warning"]
#: A bot of it would not be what was written, or there would be none; it may be meant so.
ERROR: Level = "error"
WARNING: Level = "warning"

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
#: Of one kind of fault, so many are told.
_MOST_OF_A_KIND = 50
_SHOWN_NAMES = 8
#: What names of one kind have in common says nothing of which was meant.
_SHARED = re.compile(r"(?:utter|action|validate)_(?:ask_)?")


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong in which line, and what would be right.

    `file` is as below the project's root. `line` counts from 1; 0 when no line is to blame,
    as of a missing file. `kind` names the check, for those who filter.
    """

    file: str
    line: int
    level: Level = field(compare=False)
    what: str
    right: str = ""
    kind: str = ""

    def __str__(self) -> str:
        """One line without a line break."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        link = ", " if self.right.startswith("should ") else "; "
        text = f"{place}: {self.level}: {self.what}{link if self.right else ''}{self.right}"
        return _UNPRINTABLE.sub("?", text)


@dataclass(frozen=True)
class Place:
    """A line of a file below the root."""

    file: str
    line: int


class Findings:
    """Collects them, each once, and of one kind no endless list."""

    def __init__(self) -> None:
        self._all: dict[Finding, None] = {}
        self._count: dict[tuple[str, str], int] = {}
        self._wrong: set[tuple[str, int]] = set()

    def error(self, at: Place, kind: str, what: str, right: str = "") -> None:
        """Tell what makes the bot another one than was written, or impossible."""
        self._tell(at, ERROR, kind, what, right)

    def warn(self, at: Place, kind: str, what: str, right: str = "") -> None:
        """Tell what may be meant so."""
        self._tell(at, WARNING, kind, what, right)

    def drop(self, kinds: Collection[str]) -> None:
        """Take back what was told of these kinds."""
        self._all = {found: None for found in self._all if found.kind not in kinds}

    def told(self, at: Place) -> bool:
        """Tell whether an error of that line has been told."""
        return (at.file, at.line) in self._wrong

    def all(self) -> list[Finding]:
        """Return them by file and line."""
        return sorted(self._all)

    def _tell(self, at: Place, level: Level, kind: str, what: str, right: str) -> None:
        found = Finding(at.file, at.line, level, what, right, kind)
        if level == ERROR:
            self._wrong.add((at.file, at.line))
        if found in self._all:
            return
        count = self._count[at.file, kind] = self._count.get((at.file, kind), 0) + 1
        if count <= _MOST_OF_A_KIND:
            self._all[found] = None
        elif count == _MOST_OF_A_KIND + 1:
            more = Finding(at.file, at.line, level, "and more of this kind", "", kind)
            self._all[more] = None


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    """Return those that are errors."""
    return [found for found in findings if found.level == ERROR]


def near(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean x?``, or a few of what is known when nothing resembles `name`."""
    known = sorted(known)
    shared = _SHARED.match(name)
    if shared:
        begins = shared[0]
        own = {one.removeprefix(begins): one for one in known if one.startswith(begins)}
        meant = closest(name.removeprefix(begins), own)
        if meant:
            return f"did you mean {own[meant]}?"
        said = f"known: {', '.join(known)}"
    else:
        said = suggestion(name, known)
    if said.startswith("known:") and len(known) > _SHOWN_NAMES:
        return ""
    return said if known else ""


def lacking(name: str, known: Iterable[str], section: str) -> str:
    """Return what would be right for a name that the domain has not in that section."""
    return near(name, known) or f"add it below '{section}:' in the domain"

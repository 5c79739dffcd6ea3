"""Text as a reader sees it: what hides a number from a pattern is undone, positions are kept."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

# Seen as nothing, though not all are of the category Cf: fillers, selectors, joiners.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800")
_DASHES = frozenset("\u2212\u02d7\u2043\u30fc\uff70\u4e00")
_DOTS = frozenset("\u2024\u3002\uff61\u00b7\u2022\u2219")


@dataclass(frozen=True, slots=True)
class Surface:
    """`text` with ASCII digits, dashes and spaces and nothing invisible.

    `starts` and `ends` have, for each of its characters, where it begins and ends in the
    original; None when both are the same.
    """

    text: str
    starts: list[int] | None = None
    ends: list[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the original the characters from `start` to `end` (exclusive) are."""
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def surface(text: str) -> Surface:
    """Return the surface of `text`."""
    if text.isascii():
        return Surface(text)
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for i, c in enumerate(text):
        for plain in _plain(c):
            out.append(plain)
            starts.append(i)
            ends.append(i + 1)
    return Surface("".join(out), starts, ends)


def unseen(c: str) -> bool:
    """Tell whether a character takes part in a text without being seen."""
    return (
        unicodedata.category(c) == "Cf"
        or c in _UNSEEN
        or "\ufe00" <= c <= "\ufe0f"
        or "\U000e0100" <= c <= "\U000e01ef"
    )


def _plain(c: str) -> str:
    if c < "\x80":
        return c
    if unseen(c):
        return ""
    digit = unicodedata.digit(c, None)
    if digit is not None:
        return str(digit)
    category = unicodedata.category(c)
    if category == "Pd" or c in _DASHES:
        return "-"
    if category == "Zs":
        return " "
    if c in _DOTS:
        return "."
    return unicodedata.normalize("NFKC", c)

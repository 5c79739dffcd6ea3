"""Slips of the hand that make a file no YAML, told by what was done, where it was done.

A parser notices them later, sometimes dozens of lines below, and has another name for them.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ruamel.yaml.error import MarkedYAMLError


class Slip(NamedTuple):
    """What is wrong in which line, from 1, and what would be right."""

    line: int
    what: str
    right: str


_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
# Rasa reads these in a file of plain ASCII, wherever they stand.
_ESCAPE = re.compile(r"\\u(?![0-9a-fA-F]{4})|\\U(?![0-9a-fA-F]{8})")
_TAB = re.compile(r"^ *\t[ \t]*\S", re.MULTILINE)
_MERGE = re.compile(r"^(?:<{7}|>{7})(?= |\r?$)", re.MULTILINE)
#: Spaces that are none for YAML: at the beginning of a line, and anywhere before what is meant.
_ALIKE = "\u00a0\u2000-\u200a\u202f\u3000"
_AT_ONCE = re.compile(f"^[{_ALIKE}][ {_ALIKE}]*[^ {_ALIKE}\\s]", re.MULTILINE)
_BEFORE = re.compile(f"^ *[{_ALIKE}]")
_COLON = re.compile(r":(?:\s|$)")
_OPENS = re.compile(r"(?:^|[:\-?,\[{]\s)\s*([\"'])")


def slip_before(text: str) -> Slip | None:
    """Find a slip that no parser need be asked about."""
    bad = _FORBIDDEN.search(text)
    if bad:
        what = f"has the character U+{ord(bad[0]):04X}, which cannot stand in YAML"
        return Slip(_line(text, bad.start()), what, "take it out")
    merge = _MERGE.search(text)
    if merge:
        what = f"has {merge[0]} of a merge of two versions that was not finished"
        right = "keep the lines of one version, and take out <<<<<<<, ======= and >>>>>>>"
        return Slip(_line(text, merge.start()), what, right)
    tab = _TAB.search(text)
    if tab:
        return Slip(_line(text, tab.start()), "is indented with a tab", "use spaces")
    alike = _AT_ONCE.search(text)
    if alike:
        return _alike(_line(text, alike.start()), alike[0][0])
    escape = _ESCAPE.search(text) if text.isascii() else None
    if escape:
        what = f"has {escape[0]} without the digits of a character"
        right = f"should be {escape[0]}00e9 or the like".replace("U00", "U000000")
        return Slip(_line(text, escape.start()), what, right)
    return None


def slip_behind(error: MarkedYAMLError, text: str) -> Slip | None:
    """Find the slip that made ruamel's parser fail with `error`; None when it is not clear."""
    mark = error.problem_mark
    said = str(error.problem or "")
    lines = text.split("\n")
    if mark is None or mark.line >= len(lines):
        return None
    alike = _BEFORE.match(lines[mark.line])
    if alike:
        return _alike(mark.line + 1, alike[0][-1])
    if said.startswith("could not find expected ':'") and error.context_mark is not None:
        return _no_colon(error.context_mark.line, lines)
    if said.startswith("mapping values are not allowed"):
        above = mark.line - 1
        while above > 0 and not lines[above].strip():
            above -= 1
        # With a colon in it, it is this line that has one too many.
        if above >= 0 and lines[above].strip() and not _COLON.search(lines[above]):
            return _no_colon(above, lines)
    if said.startswith("expected <block end>, but found '<scalar>'"):
        return _quote(mark.line, lines[mark.line][: mark.column].rstrip(), lines)
    return None


def _alike(line: int, space: str) -> Slip:
    what = f"is indented with U+{ord(space):04X}, which only looks like a space"
    return Slip(line, what, "use spaces")


def _no_colon(line: int, lines: list[str]) -> Slip:
    begun = lines[line].strip().removeprefix("- ").split()
    if not begun:
        return Slip(line + 1, "has no colon", "write 'key: value'")
    first, more = begun[0], " …" if len(begun) > 1 else ""
    return Slip(line + 1, f"has no colon after {first[:40]}", f"write '{first[:40]}:{more}'")


def _quote(line: int, read: str, lines: list[str]) -> Slip | None:
    """Find the quote that ends where `read` does, and should not."""
    if not read.endswith(("'", '"')):
        return None
    mark = read[-1]
    opened = _OPENS.search(read)
    if opened and opened[1] == mark and opened.end() < len(read):
        what = f"has a {mark} inside a text that stands in {mark}…{mark}"
        right = "write it twice, as in ''" if mark == "'" else 'write \\" for it'
        return Slip(line + 1, what, right)
    for above in range(line - 1, -1, -1):
        opened = _OPENS.search(lines[above])
        if opened and opened[1] == mark and mark not in lines[above][opened.end() :]:
            return Slip(above + 1, "has a quote that is never closed", "close it")
    return None


def _line(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1

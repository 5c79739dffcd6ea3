"""What a designers' page asks with, checked. Every function raises `Refused`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.console.guard import Refused
from bot.learning import Mark
from bot.message import clean

#: Characters of a name or an id.
NAME = 1000
_MARKS = 100
_DIGITS = 9


def text_in(
    given: Mapping[str, Any], name: str, most: int, *, wanted: bool = False, lines: bool = False
) -> str:
    """Return a text of up to `most` characters; "" when it is missing and not `wanted`.

    White space at both ends is left out, but of `lines`.
    """
    value = given.get(name, "")
    if not isinstance(value, str):
        raise Refused(400, f"{name}: should be a text")
    value = clean(value) if lines else clean(value).strip()
    if len(value) > most:
        raise Refused(400, f"{name}: has {len(value)} characters, {most} are allowed")
    if wanted and not value.strip():
        raise Refused(400, f"{name}: is missing")
    return value


def one_of(given: Mapping[str, Any], name: str, known: Sequence[str], default: str) -> str:
    """Return one of the `known` words."""
    value = given.get(name) or default
    if value != default and value not in known:
        raise Refused(400, f"{name}: should be one of {', '.join(known)}")
    return str(value)


def number_in(given: Mapping[str, Any], name: str) -> int:
    """Return a whole number from 0 on, 0 when it is missing; a query's are texts."""
    value = str(given.get(name) or "0")
    if not (value.isascii() and value.isdigit() and len(value) <= _DIGITS):
        raise Refused(400, f"{name}: should be a whole number")
    return int(value)


def marks_in(given: Mapping[str, Any], text: str) -> tuple[Mark, ...]:
    """Return the entities marked in a `text`, in order."""
    value = given.get("marks", [])
    if not isinstance(value, list) or len(value) > _MARKS:
        raise Refused(400, f"marks: should be a list of up to {_MARKS}")
    marks = sorted((_mark(one, n) for n, one in enumerate(value)), key=lambda m: m.start)
    end = 0
    for mark in marks:
        if not end <= mark.start < mark.end <= len(text):
            raise Refused(400, "marks: should be within the text, and not overlap")
        end = mark.end
    return tuple(marks)


def _mark(value: Any, n: int) -> Mark:
    if not isinstance(value, dict):
        raise Refused(400, f"marks[{n}]: should be an object")
    start, end = value.get("start"), value.get("end")
    # True is a number to Python.
    if type(start) is not int or type(end) is not int:
        raise Refused(400, f"marks[{n}]: start and end should be whole numbers")
    words = {name: text_in(value, name, NAME) for name in ("value", "role", "group")}
    return Mark(start, end, text_in(value, "entity", NAME, wanted=True), **words)

"""What the terminal and the console say to the learning inbox, and what they are told."""

from __future__ import annotations

from dataclasses import dataclass


class NoSuchLesson(LookupError):
    """There is no lesson of that id, or no conversation."""


class NotAllowed(ValueError):
    """What was decided cannot be so; the text says what and what would be right."""


class CannotWrite(OSError):
    """The files cannot be written here; what was decided is kept in the store."""


@dataclass(frozen=True)
class Mark:
    """An entity in a text: characters `start` to `end`, the end not included.

    `value` is what is meant when it is not what stands there (a synonym), else "".
    """

    start: int
    end: int
    entity: str
    value: str = ""
    role: str = ""
    group: str = ""


@dataclass(frozen=True)
class Decided:
    """What a designer made of a lesson: the example to be learned.

    `text` is without personal data; `marks` do not overlap and are in order.
    """

    intent: str
    text: str
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class Written:
    """Where something was written; `new` is False when it stood there already.

    `file` is as below the project's root, `line` counts from 1. `warnings` are what the check of
    the project says of these files now, a line each.
    """

    file: str
    line: int
    new: bool = True
    warnings: tuple[str, ...] = ()

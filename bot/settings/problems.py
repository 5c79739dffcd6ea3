"""One line for each thing that is wrong, and never a secret in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

#: The `file` of what an environment variable got wrong.
ENVIRONMENT = "environment"

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True)
class Problem:
    """What is wrong in which line, and what would be right.

    `line` counts from 1; 0 when no line is to blame (a missing file, the environment).
    ``str()`` is one line without a line break.
    """

    file: str
    line: int
    what: str
    right: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        link = ", " if self.right.startswith("should ") else "; "
        text = f"{place}: {self.what}{link if self.right else ''}{self.right}"
        return _UNPRINTABLE.sub("?", text)


class SettingsInvalid(Exception):
    """The settings cannot be used. `problems` holds all of them, by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(
            sorted(problems, key=lambda p: (p.file == ENVIRONMENT, p.file, p.line))
        )
        super().__init__("\n".join(map(str, self.problems)))


def listing(names: Iterable[str], word: str = "or") -> str:
    """Return ``a, b or c``."""
    *head, last = names
    return f"{', '.join(head)} {word} {last}" if head else last


def closest(name: str, known: Iterable[str]) -> str:
    """Return the known name that was probably meant, "" without one."""
    wanted = name.lower().replace("-", "_")
    return next(iter(get_close_matches(wanted, list(known), 1, 0.6)), "")


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return ``did you mean token?``, or what is known when nothing resembles `name`."""
    known = list(known)
    meant = closest(name, known)
    return f"did you mean {meant}?" if meant else f"known: {', '.join(known)}"


#: Letters too many in a name that is only mistyped.
_MISTYPED = 2


def showable(key: str, known: Iterable[str], has_value: bool) -> bool:
    """Tell whether an unknown key may be quoted.

    A forgotten space after a colon makes ``token:123:ABC`` one key without a value: what
    does not look like a name, or like any known one and has no value, may be a secret.
    So may be the end of what is longer than the name it looks like.
    """
    if not _NAME.fullmatch(key):
        return False
    meant = closest(key, known)
    return has_value or (bool(meant) and len(key) <= len(meant) + _MISTYPED)

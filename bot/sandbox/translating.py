"""How the sandbox's models translate: sentence by sentence, out of a table they know by heart.

A sentence that is not in it stays as it is, as with a model that does not know a language; and
a model that obeys anybody does here, too, what the text asks.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from pathlib import Path

_TABLE = Path(__file__).with_name("phrases.yml")
_ASKED = re.compile(r"from the language\s+(\w\w)\s+into\s+the\s+language\s+(\w\w)")
_PLACE = re.compile(r"\{(\d)\}")
_GREETING = re.compile(
    r"(?i)(?:hallo|guten tag|hi|bonjour|salut|hola|ciao|buongiorno|olá|hello),? +"
)
#: What may stand in a place: what was taken out of a text, or a figure.
_HELD = r"(⟦\d+⟧|\d+)"
_ENDS = re.compile(r"(?<=[.!?])\s+(?=[^\s])")
_EDGE = " .!?¡¿…"


def languages_of(system: str) -> tuple[str, str] | None:
    """Return the languages that a prompt asks to translate from and to."""
    found = _ASKED.search(system)
    return (found[1], found[2]) if found else None


def translated(text: str, source: str, target: str) -> str:
    """Return a text with those of its sentences translated that are known."""
    whole = _sentence(text, source, target)
    if whole is not None:
        return whole
    return " ".join(
        _sentence(one, source, target) or one for one in _ENDS.split(text.strip()) if one
    )


def _sentence(said: str, source: str, target: str) -> str | None:
    for pattern, order, other in _table(source, target):
        match = pattern.fullmatch(_plain(said))
        if match:
            values = dict(zip(order, match.groups(), strict=True))
            made = _PLACE.sub(lambda place, values=values: values[place[1]], other)  # type: ignore[misc]
            # As the text has it: with or without an end.
            end = said.strip()[-1:]
            made = made.rstrip(" .!?") if end not in ".!?:" else made
            return made if made[-1:] in ".!?:" or end not in ".!?" else f"{made}{end}"
    greeting = _GREETING.match(said)
    rest = _sentence(said[greeting.end() :], source, target) if greeting else None
    if greeting and rest:
        return f"{_sentence('Hello', 'en', target) or 'Hello'}, {rest}"
    return _date(said.strip(), source, target)


def _date(said: str, source: str, target: str) -> str | None:
    """Return a day such as “Monday, 24 November” in the other language, None for anything else."""
    from babel.dates import format_skeleton, get_day_names, get_month_names

    words = re.fullmatch(r"(?:([^\W\d]+),? )?(\d{1,2}) ([^\W\d]+)", said)
    if not words:
        return None
    days, months = get_day_names("wide", locale=source), get_month_names("wide", locale=source)
    day = next((n for n, name in days.items() if name == words[1]), None)
    month = next((n for n, name in months.items() if name == words[3]), None)
    if month is None or (words[1] and day is None):
        return None
    try:
        # A leap year has every day there is.
        there = format_skeleton("MMMMd", date(2024, month, int(words[2])), locale=target)
    except ValueError:
        return None
    if day is None:
        return str(there)
    comma = "" if target in ("fr", "it") else ","
    return f"{get_day_names('wide', locale=target)[day]}{comma} {there}"


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip(_EDGE).casefold().replace("’", "'")


@lru_cache(maxsize=64)
def _table(source: str, target: str) -> list[tuple[re.Pattern[str], list[str], str]]:
    rows = []
    for row in _phrases():
        if source not in row or target not in row:
            continue
        plain = _plain(row[source])
        parts = _PLACE.split(plain)
        made = "".join(_HELD if n % 2 else re.escape(part) for n, part in enumerate(parts))
        rows.append((re.compile(made), parts[1::2], row[target]))
    return rows


@lru_cache(maxsize=1)
def _phrases() -> list[dict[str, str]]:
    import yaml

    found: list[dict[str, str]] = yaml.safe_load(_TABLE.read_text("utf-8"))
    return found

"""Scenarios as support managers write them: ``tests/scenarios/*.yml``, read and checked.

What a file may hold is told in ``tests/scenarios/README.md``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from connectors import CHANNELS

AGENTS = ("anna", "ben")
#: What agents do, by the words for it.
DEEDS: Mapping[str, str] = {
    "takes over": "take",
    "gives back": "back",
    "closes the case": "resolve",
}
#: Customers' files, by the words for them.
FILES: Mapping[str, tuple[str, str, str]] = {
    "photo": ("image", "image/png", "photo.png"),
    "voice": ("voice", "audio/ogg", "voice.ogg"),
    "video": ("video", "video/mp4", "video.mp4"),
    "document": ("document", "application/pdf", "letter.pdf"),
    "sticker": ("sticker", "image/webp", "sticker.webp"),
}
_HEAD = ("scenario", "about", "who", "on", "at", "model", "mail", "orders", "talk")
_DOES = (
    "customer",
    "sends",
    "presses",
    "reacts",
    "bot",
    "on",
    "later",
    "again",
    "killed",
    "mail",
    "operator",
    "shop",
)
_BOT = ("says", "not", "matches", "buttons", "keeps")
_UNITS = {"minute": 60, "hour": 3600, "day": 86400, "week": 7 * 86400}
_SPAN = re.compile(r"(\d+) (minute|hour|day|week)s?")
_AT = re.compile(r"(?:(\w+) )?(\d\d?):(\d\d)")


class Unreadable(Exception):
    """A scenario that cannot be played; the text names file and line, and what would be right."""


@dataclass(frozen=True)
class Step:
    """One line of a scenario: who does `what`, with which `value`. `line` counts from 1."""

    what: str
    value: Any
    line: int
    agent: str = ""


@dataclass(frozen=True)
class Scenario:
    """A conversation. `orders` are what the shop has beside its demonstration orders."""

    title: str
    file: str
    line: int
    who: str
    channel: str
    at: tuple[str, int, int]
    model: str
    mail: bool
    steps: tuple[Step, ...]
    orders: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{Path(self.file).stem}: {self.title}"


def read(path: Path) -> list[Scenario]:
    """Return the scenarios of a file. Raises Unreadable."""
    return parse(path.read_text("utf-8"), path.name)


def parse(text: str, name: str) -> list[Scenario]:
    """Return the scenarios of a file's text. Raises Unreadable."""
    loaded = YAML().load(text)
    if not isinstance(loaded, Sequence) or isinstance(loaded, str):
        raise Unreadable(f"{name}: should be a list of scenarios")
    return [_scenario(one, name) for one in loaded]


def span(text: str) -> timedelta | None:
    """Read '3 days', None when it is no such thing."""
    found = _SPAN.fullmatch(text)
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]]) if found else None


def _scenario(one: Any, file: str) -> Scenario:
    line = _line(one)
    if not isinstance(one, Mapping) or "scenario" not in one or "talk" not in one:
        raise Unreadable(f"{file}:{line}: a scenario has 'scenario' (its title) and 'talk'")
    _known(one, _HEAD, file, line)
    channel = str(one.get("on", "whatsapp"))
    if channel not in CHANNELS:
        raise Unreadable(f"{file}:{line}: on: should be one of {', '.join(CHANNELS)}")
    at = _AT.fullmatch(str(one.get("at", "Tuesday 10:00")))
    if at is None:
        raise Unreadable(f"{file}:{line}: at: should be as in 'Tuesday 10:00'")
    return Scenario(
        title=str(one["scenario"]),
        file=file,
        line=line,
        who=str(one.get("who", "Amara Osei")),
        channel=channel,
        at=(at[1] or "Tuesday", int(at[2]), int(at[3])),
        model=str(one.get("model", "")),
        mail=bool(one.get("mail", False)),
        steps=tuple(_step(step, file) for step in one["talk"]),
        orders={str(k): v for k, v in (one.get("orders") or {}).items()},
    )


def _step(step: Any, file: str) -> Step:
    line = _line(step)
    if not isinstance(step, Mapping) or len(step) != 1:
        raise Unreadable(f"{file}:{line}: each line of a talk says one thing, as in 'customer: …'")
    ((what, value),) = step.items()
    agent, _, verb = str(what).partition(" ")
    if agent in AGENTS and verb in ("", "says"):
        if not verb and str(value).partition(":")[0] not in DEEDS:
            raise Unreadable(
                f"{file}:{line}: {agent} can do: {', '.join(DEEDS)}; or '{agent} says'"
            )
        return Step(verb or "does", str(value), line, agent)
    if what not in _DOES:
        raise Unreadable(
            f"{file}:{line}: {what!r} should be one of {', '.join(_DOES)}, or an agent"
        )
    if what == "later" and span(str(value)) is None:
        raise Unreadable(f"{file}:{line}: later: should be as in '20 minutes' or '3 days'")
    if what == "on" and value not in CHANNELS:
        raise Unreadable(f"{file}:{line}: on: should be one of {', '.join(CHANNELS)}")
    if what == "sends" and _file(value)[0] not in FILES:
        raise Unreadable(f"{file}:{line}: sends: should be one of {', '.join(FILES)}")
    if what == "killed" and value not in ("before the commit", "after the commit"):
        raise Unreadable(
            f"{file}:{line}: killed: should be 'before the commit' or 'after the commit'"
        )
    if what == "bot":
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, Mapping):
                _known(each, _BOT, file, line)
    return Step(str(what), value, line)


def _file(value: Any) -> tuple[str, str]:
    """Return which sort of file, and its caption."""
    if isinstance(value, Mapping):
        ((kind, caption),) = value.items()
        return str(kind), str(caption)
    return str(value), ""


def _known(found: Mapping[str, Any], known: Sequence[str], file: str, line: int) -> None:
    for key in found:
        if key not in known:
            raise Unreadable(f"{file}:{line}: {key!r} should be one of {', '.join(known)}")


def _line(node: Any) -> int:
    place = getattr(node, "lc", None)
    return place.line + 1 if place is not None and place.line is not None else 1


file_of = _file

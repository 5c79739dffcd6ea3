"""Reading ``data/desk.yml``: the custom actions that agents may run."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.desk.assist.files import ListCheck, origin_of
from bot.settings.nodes import Table
from bot.settings.problems import Problem, SettingsInvalid, suggestion
from bot.settings.yaml_lines import parse, read

DESK_FILE = Path("data/desk.yml")

#: From where the value of an argument may be known: an order that the conversation speaks of,
#: one of those that can still be cancelled, what the rules let an agent give back of it.
Fill = Literal["", "order", "cancellable", "refundable"]


@dataclass(frozen=True)
class Argument:
    """What an action needs. `pattern` is a regular expression that the whole value matches."""

    name: str
    title: str
    pattern: str = ""
    fill: Fill = ""
    optional: bool = False


@dataclass(frozen=True, slots=True)
class DeskAction:
    """An action of agents. With `confirm` it is run only for who has said so once more."""

    name: str
    title: str
    action: str
    args: tuple[Argument, ...] = ()
    confirm: bool = False


@dataclass(frozen=True)
class _Row:
    name: str
    title: str
    action: str
    confirm: bool = False


def load_desk(
    path: Path = DESK_FILE, *, known: Collection[str] | None = None
) -> Mapping[str, DeskAction]:
    """Read the file; actions by name. `known` are the custom actions that exist, to check them.

    Raises SettingsInvalid with everything that is wrong, each with its line.
    """
    problems: list[Problem] = []
    return _made(read(path, str(path), problems), known, problems)


def parse_desk(
    text: str, name: str = "desk.yml", *, known: Collection[str] | None = None
) -> Mapping[str, DeskAction]:
    """Read the text of such a file; see `load_desk`."""
    problems: list[Problem] = []
    return _made(parse(text, name, problems), known, problems)


def _made(
    top: Table | None, known: Collection[str] | None, problems: list[Problem]
) -> Mapping[str, DeskAction]:
    check = ListCheck(problems)
    table = check.top(top, "actions")
    made: dict[str, DeskAction] = {}
    met: dict[str, int] = {}
    for path, node in check.mappings(table.entries.get("actions"), "actions", table.origin):
        row = check.fits(_Row, node, path, "args")
        args = _arguments(check, node, path)
        if row is None or not check.named(row.name, node, "name", path, met):
            continue
        if known is not None and row.action not in known:
            what = f"{path}.action is {row.action!r}, which is no custom action"
            check.tell(origin_of(node, "action"), what, suggestion(row.action, sorted(known)))
        made[row.name] = DeskAction(row.name, row.title, row.action, args, row.confirm)
    if problems:
        raise SettingsInvalid(problems)
    return made


def _arguments(check: ListCheck, node: Table, path: str) -> tuple[Argument, ...]:
    if "args" not in node.entries:
        return ()
    made: list[Argument] = []
    met: dict[str, int] = {}
    inside = f"{path}.args"
    for place, item in check.mappings(node.entries["args"], inside, node.origin):
        argument = check.fits(Argument, item, place)
        if argument is None or not check.named(argument.name, item, "name", place, met):
            continue
        try:
            re.compile(argument.pattern)
        except re.error as error:
            what = f"{place}.pattern is no regular expression"
            check.tell(origin_of(item, "pattern"), what, str(error.msg))
        made.append(argument)
    if any(a.fill == "refundable" for a in made) and all(a.fill != "order" for a in made):
        what = f"{inside} wants what can be refunded but no order"
        check.tell(node.entries["args"].origin, what, "add an argument with 'fill: order'")
    return tuple(made)

"""What the environment says: ``${VAR}`` inside values, and ``FRONTDESK__A__B`` overrides."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bot.settings.nodes import Broken, Entry, Items, Node, Origin, Scalar, Table, is_null
from bot.settings.problems import ENVIRONMENT, Problem

PREFIX = "FRONTDESK__"

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_PART = re.compile(r"[a-z0-9_-]+")


@dataclass(frozen=True)
class Expanded:
    """A scalar after expansion.

    `text` is None when a variable is `missing` or when a ``${`` names none (`malformed`).
    `variables` are those it holds: their values are never shown.
    """

    text: str | None
    variables: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    malformed: bool = False


def expand(scalar: Scalar, environ: Mapping[str, str]) -> Expanded:
    """Replace each ``${VAR}`` once; what a variable holds is not expanded again."""
    if scalar.literal:
        return Expanded(scalar.text)
    names = tuple(dict.fromkeys(_VARIABLE.findall(scalar.text)))
    if "${" in _VARIABLE.sub("", scalar.text):
        return Expanded(None, names, malformed=True)
    missing = tuple(name for name in names if name not in environ)
    if missing:
        return Expanded(None, names, missing)
    return Expanded(_VARIABLE.sub(lambda m: environ[m[1]], scalar.text), names)


def overrides(environ: Mapping[str, str], problems: list[Problem]) -> Iterator[Override]:
    """Yield what the environment sets, so that list items come in their order."""
    found = []
    for name, value in environ.items():
        if not name.startswith(PREFIX):
            continue
        path = tuple(name.removeprefix(PREFIX).lower().split("__"))
        if all(map(_PART.fullmatch, path)):
            found.append(Override(name, path, value))
        else:
            right = f"should be like {PREFIX}SERVER__PORT"
            problems.append(Problem(ENVIRONMENT, 0, f"{name} is not the path of a setting", right))
    yield from sorted(found, key=lambda o: [(int(p) if _index(p) else -1, p) for p in o.path])


@dataclass(frozen=True)
class Override:
    """One variable, the path it names (lower case), and its value."""

    variable: str
    path: tuple[str, ...]
    value: str

    def put(self, table: Table, problems: list[Problem]) -> Table:
        """Return `table` with the value at the path; what is above it is made where missing."""
        made = self._put(table, self.path, problems)
        return made if isinstance(made, Table) else table

    def _put(self, node: Node | None, path: tuple[str, ...], problems: list[Problem]) -> Node:
        origin = Origin(ENVIRONMENT, 0, self.variable)
        if isinstance(node, Broken):
            return node
        if not path:
            if isinstance(node, (Table, Items)):
                right = f"name one of its settings, as in {self.variable}__…"
                what = f"{self.variable} names a section or list"
                return self._refuse(node, what, right, problems)
            return Scalar(self.value, origin, literal=True)
        head, *rest = path
        if node is None or is_null(node):
            node = Items((), origin) if _index(head) else Table({}, origin)
        if isinstance(node, Items) and _index(head):
            return self._put_item(node, int(head), tuple(rest), problems)
        if not isinstance(node, Table):
            place = "__".join(self.path[: len(self.path) - len(path)]).upper()
            kind = "a list" if isinstance(node, Items) else "a single value"
            right = "should name an item, the first being 0" if isinstance(node, Items) else ""
            what = f"{self.variable} goes inside {place}, which is {kind}"
            return self._refuse(node, what, right, problems)
        key = next((k for k in node.entries if k.lower() == head), head)
        old = node.entries.get(key)
        inner = self._put(old.node if old else None, tuple(rest), problems)
        entry = Entry(inner, old.origin if old and rest else origin)
        return Table({**node.entries, key: entry}, node.origin)

    def _put_item(
        self, node: Items, index: int, rest: tuple[str, ...], problems: list[Problem]
    ) -> Node:
        if index > len(node.items):
            what = f"{self.variable} sets item {index} of a list of {len(node.items)}"
            right = f"the next is {len(node.items)}"
            return self._refuse(node, what, right, problems)
        old = node.items[index] if index < len(node.items) else None
        inner = self._put(old, rest, problems)
        return Items((*node.items[:index], inner, *node.items[index + 1 :]), node.origin)

    def _refuse(self, node: Node, what: str, right: str, problems: list[Problem]) -> Node:
        problems.append(Problem(ENVIRONMENT, 0, what, right))
        return node


def _index(part: str) -> bool:
    return part.isdecimal() and part.isascii() and len(part) < 6

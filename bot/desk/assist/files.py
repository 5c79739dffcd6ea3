"""What the files of the assist have in common: a list of named things, told with its lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.settings.nodes import Broken, Entry, Items, Node, Origin, Table, is_null
from bot.settings.problems import Problem, SettingsInvalid
from bot.settings.validate import Validator, kind_of

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class ListCheck(Validator):
    """Reads the mappings of a list; each has a name of its own."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__({}, problems)

    def top(self, top: Table | None, *keys: str) -> Table:
        """Return the top of the file, having told the keys that it does not have.

        Raises SettingsInvalid for a file that is none.
        """
        if top is None:
            raise SettingsInvalid(self.problems)
        for key, entry in top.entries.items():
            if key not in keys:
                self.unknown(key, entry, "", dict.fromkeys(keys))
        return top

    def mappings(
        self, entry: Entry | None, path: str, above: Origin
    ) -> Iterator[tuple[str, Table]]:
        """Give the path and node of each mapping of a list that must not be empty."""
        nodes = self.items(entry, path, "mappings")
        if not nodes and (entry is None or is_null(entry.node) or isinstance(entry.node, Items)):
            self.tell(entry.origin if entry else above, f"there are no {path}")
        for n, node in enumerate(nodes):
            inside = f"{path}[{n}]"
            if isinstance(node, Table):
                yield inside, node
            elif not isinstance(node, Broken):
                self.tell(node.origin, f"{inside} is {kind_of(node)}", "should be a mapping")

    def fits(self, cls: type, table: Table, path: str, *apart: str) -> Any:
        """Return an instance of the dataclass `cls`, None when it is wrong.

        The keys in `apart` are read elsewhere.
        """
        entries = {key: entry for key, entry in table.entries.items() if key not in apart}
        read = self.table(cls, Table(entries, table.origin), path, table.origin)
        return self.make(cls, read, path, table.origin) if read.good else None

    def named(self, name: str, table: Table, key: str, path: str, met: dict[str, int]) -> bool:
        """Tell whether a name is one, and the first of its kind; remembers it in `met`."""
        where = origin_of(table, key)
        if not _NAME.fullmatch(name):
            right = "should be small letters, digits and '_'"
            self.tell(where, f"{path}.{key} is no name", right)
        elif name in met:
            what = f"{path}.{key} is {name!r}, which is taken in line {met[name]}"
            self.tell(where, what, "give each a name of its own")
        else:
            met[name] = where.line
            return True
        return False


def origin_of(node: Node, key: str) -> Origin:
    """Return where a key of a mapping stands; where the mapping does, without it."""
    if isinstance(node, Table) and key in node.entries:
        return node.entries[key].node.origin
    return node.origin

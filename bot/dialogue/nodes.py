"""YAML with line numbers: what the checks of designers' files walk over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

#: Node of ruamel.yaml; its own classes are told apart by the kind of `value`.
Node = Any


@dataclass
class Findings:
    """What was found wrong (`errors`) and what only looks so (`notes`), a line each."""

    errors: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def error(self, path: Path, node: Node, what: str) -> None:
        """Add an error at a node."""
        self.errors.append(f"{at(path, node)}: {what}")

    def note(self, path: Path, node: Node, what: str) -> None:
        """Add a note at a node."""
        self.notes.append(f"{at(path, node)}: {what}")


def at(path: Path, node: Node) -> str:
    """Return ``file:line`` of a node."""
    return f"{path}:{node.start_mark.line + 1}"


def parse(path: Path, found: Findings) -> Node | None:
    """Return the root of a YAML file; None when it is empty or no YAML, which is then told."""
    try:
        return YAML(typ="safe").compose(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        found.errors.append(f"{path}: is not UTF-8, byte {error.start}")
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        found.errors.append(f"{path}{line}: {_plain(path, mark, error)}")
    return None


def _plain(path: Path, mark: Any, error: YAMLError) -> str:
    said = str(getattr(error, "problem", None) or error)
    lines = path.read_text("utf-8", "replace").splitlines()
    line = lines[mark.line] if mark and mark.line < len(lines) else ""
    if "\t" in line[: len(line) - len(line.lstrip())]:
        return "the line is indented with a tab; YAML takes spaces alone"
    if "mapping values are not allowed" in said:
        return f"{said}: a text with `: ` in it belongs in quotes, or the line is indented wrongly"
    return said


def is_map(node: Node) -> bool:
    """Tell whether a node is a mapping."""
    return type(node).__name__ == "MappingNode"


def is_list(node: Node) -> bool:
    """Tell whether a node is a list."""
    return type(node).__name__ == "SequenceNode"


def items(node: Node) -> list[Node]:
    """Return the items of a list; none of anything else."""
    return list(node.value) if is_list(node) else []


def pairs(node: Node) -> list[tuple[Node, Node]]:
    """Return keys and values of a mapping; none of anything else."""
    return list(node.value) if is_map(node) else []


def get(node: Node, key: str) -> Node | None:
    """Return the value under a key of a mapping; None without one or with an empty one."""
    for name, value in pairs(node):
        if name.value == key:
            return None if is_null(value) else value
    return None


def is_null(node: Node) -> bool:
    """Tell whether a node is empty: ``null``, ``~`` or nothing."""
    return node is None or str(getattr(node, "tag", "")).endswith(":null")


def text(node: Node) -> str:
    """Return the text of a scalar; "" of anything else."""
    return str(node.value) if isinstance(getattr(node, "value", None), str) else ""


def names(node: Node) -> Iterator[tuple[str, Node]]:
    """Yield the names in a list whose items are names or mappings of one name."""
    for item in items(node):
        for key in [key for key, _ in pairs(item)] or [item]:
            yield text(key), key


def check_keys(path: Path, node: Node, allowed: tuple[str, ...], found: Findings, of: str) -> None:
    """Tell of keys that are unknown, with the nearest known one, or there twice."""
    import difflib

    seen: dict[str, Node] = {}
    for key, _ in pairs(node):
        name = text(key)
        if name in seen:
            found.error(path, key, f"{name!r} is here twice, first in line {_line(seen[name])}")
        elif allowed and name not in allowed:
            near = difflib.get_close_matches(name, allowed, 1)
            right = f"is {near[0]!r} meant?" if near else f"known are {', '.join(allowed)}"
            found.error(path, key, f"{of} has no key {name!r}; {right}")
        seen.setdefault(name, key)


def twice(found: Findings, seen: dict[str, str], path: Path, node: Node, what: str) -> bool:
    """Tell of a name that is already in `seen`, and note where this one is."""
    name = text(node)
    if name in seen:
        found.error(path, node, f"{what} {name!r} is here again, it is already in {seen[name]}")
        return True
    seen[name] = at(path, node)
    return False


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1

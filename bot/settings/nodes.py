"""A settings file as a tree in which every value knows where it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Origin:
    """A line (from 1) of a file; for the environment, the name of the variable."""

    file: str
    line: int = 0
    variable: str = ""


@dataclass(frozen=True)
class Scalar:
    """A value as it was written: ``"077"`` and ``077`` are both the text ``077``.

    Kept as text, because YAML would turn the phone number ``+15550100`` and the id
    ``0012`` into other numbers. In a `literal` value ``${VAR}`` means just that.
    """

    text: str
    origin: Origin
    kind: Literal["text", "bool", "null"] = "text"
    literal: bool = False


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    origin: Origin


@dataclass(frozen=True)
class Entry:
    """One ``key: value``; `origin` is the key's."""

    node: Node
    origin: Origin


@dataclass(frozen=True)
class Table:
    """A mapping, its keys in the order of the file."""

    entries: Mapping[str, Entry]
    origin: Origin


@dataclass(frozen=True)
class Broken:
    """A value whose problem has been told already."""

    origin: Origin


Node = Scalar | Items | Table | Broken


def is_null(node: Node) -> bool:
    """Tell whether `node` is ``key:`` with nothing after it, or ``null``."""
    return isinstance(node, Scalar) and node.kind == "null"

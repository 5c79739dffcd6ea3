"""Reading YAML with the line of every value, and each fault as one line of our own words.

ruamel's messages quote the text around the fault, which in these files may be a token;
none of its words is shown.
"""

from __future__ import annotations

import re
import warnings
from bisect import bisect_left
from dataclasses import replace
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode

from bot.settings.nodes import Broken, Entry, Items, Node, Origin, Scalar, Table
from bot.settings.problems import Problem, showable

#: Bytes. ruamel needs seconds for a megabyte, and no settings file is near it.
FILE_LIMIT = 256 * 1024

_TAGS = {
    "tag:yaml.org,2002:" + name
    for name in ("str", "int", "float", "bool", "null", "timestamp", "map", "seq", "merge", "value")
}
_MERGE = "tag:yaml.org,2002:merge"
_KINDS = {"tag:yaml.org,2002:null": "null", "tag:yaml.org,2002:bool": "bool"}

# In the flow style ``{token: ${TOKEN}}`` a brace ends a plain value, so a variable is no
# YAML at all. Its characters are moved to a private block of the same length, unknown to
# the parser, and moved back in the values.
_VARIABLE = re.compile(r"\$\{[^}\r\n\"']*\}")
_SHIFT = 0xE000
_SHIFTED = re.compile("[\ue000-\ue07f]")
_FORBIDDEN = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue080-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)

#: (how ruamel's message begins, what is wrong, what would be right)
_FAULTS = (
    ("found character '\\t'", "has a tab where only spaces may stand", "use spaces"),
    (
        "found character",
        "has a value that begins with a character YAML keeps for itself",
        "put the value in quotes",
    ),
    (
        "mapping values are not allowed",
        "has a colon or an indentation that does not belong here",
        "line it up with its neighbours, and put a value that holds ': ' in quotes",
    ),
    (
        "could not find expected ':'",
        "has a line that is not 'key: value'",
        "write a colon and a space after the key",
    ),
    ("sequence entries are not allowed", "has a '- ' that does not belong here", ""),
    ("mapping keys are not allowed", "has a '? ' that does not belong here", ""),
    ("found unexpected end of stream", "has a quote that is never closed", "close it"),
    ("found unexpected document separator", "has a quote that is never closed", "close it"),
    ("found unknown escape", "has an unknown escape", "use single quotes for a plain backslash"),
    ("expected escape sequence", "has an incomplete escape in double quotes", ""),
    ("found undefined alias", "uses an alias (*name) that no anchor (&name) has set before", ""),
    ("found undefined tag", "has a tag (!name)", "leave it out"),
    ("expected ',' or", "has a list or mapping that is not closed or lacks a comma", ""),
    ("expected the node content", "has a list or mapping that is not closed", ""),
    ("expected <block end>", "is indented differently from its neighbours", "line them up"),
    (
        "found incompatible YAML",
        "asks for another version of YAML",
        "leave the %YAML line out",
    ),
)
# Faults met at the end of the file, or far below, that began where the context says.
_BEGAN_EARLIER = ("found unexpected end of stream", "found unexpected document separator")


def read(path: Path, name: str, problems: list[Problem]) -> Table | None:
    """Read the settings file at `path`, called `name` in problems.

    Returns None when it cannot be used at all, which then is among the problems. An empty
    file is an empty table.
    """
    try:
        with path.open("rb") as file:
            data = file.read(FILE_LIMIT + 1)
    except OSError as error:
        problems.append(Problem(name, 0, f"cannot be read: {error.strerror or 'no such file'}"))
        return None
    if len(data) > FILE_LIMIT:
        problems.append(Problem(name, 0, f"is larger than {FILE_LIMIT // 1024} KiB"))
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problems.append(Problem(name, line, "is not UTF-8 text", "save the file as UTF-8"))
        return None
    return parse(text, name, problems)


def parse(text: str, name: str, problems: list[Problem]) -> Table | None:
    """Parse the text of a settings file; see `read`."""
    bad = _FORBIDDEN.search(text)
    if bad:
        line = text.count("\n", 0, bad.start()) + 1
        what = f"has the character U+{ord(bad[0]):04X}, which cannot stand in YAML"
        problems.append(Problem(name, line, what, "take it out"))
        return None
    hidden = _VARIABLE.sub(lambda m: "".join(_hide(c) for c in m[0]), text)
    try:
        root = _compose(hidden)
    except MarkedYAMLError as error:
        problems.append(fault(error, name, text))
        return None
    except RecursionError:
        problems.append(_too_deep(name, _line_of(RecursionError, hidden)))
        return None
    except Exception as error:
        # The scanner lets other errors out of some malformed escapes and directives, as
        # an OverflowError of "\UFFFFFFFF"; they know no line.
        line = _line_of(type(error), hidden)
        problems.append(Problem(name, line, "is not YAML", "check escapes and directives"))
        return None
    if root is None or _KINDS.get(str(root.tag)) == "null":
        return Table({}, Origin(name, 1))
    try:
        node = _Tree(name, problems).build(root, "")
    except RecursionError:
        problems.append(_too_deep(name, 0))
        return None
    if isinstance(node, (Scalar, Items)):
        kind = "a list" if isinstance(node, Items) else "text"
        problems.append(
            Problem(name, node.origin.line, f"is {kind}", "should be 'key: value' lines")
        )
    return node if isinstance(node, Table) else None


def _compose(text: str) -> YamlNode | None:
    with warnings.catch_warnings():
        # An anchor set twice is allowed, but the warning quotes the line.
        warnings.simplefilter("ignore")
        root: YamlNode | None = YAML(typ="safe", pure=True).compose(text)
    return root


def _line_of(error: type[Exception], text: str) -> int:
    """Return the first line with which the text fails so, counted from 1."""
    lines = text.split("\n")

    def fails(count: int) -> bool:
        try:
            _compose("\n".join(lines[:count]))
        except Exception as found:
            return type(found) is error
        return False

    return bisect_left(range(len(lines)), True, lo=1, key=fails)


def _too_deep(name: str, line: int) -> Problem:
    return Problem(name, line, "is nested too deeply", "a settings file has few levels")


def _hide(character: str) -> str:
    code = ord(character)
    return chr(_SHIFT + code) if code < 0x80 else character


def _unhide(text: str) -> str:
    return _SHIFTED.sub(lambda m: chr(ord(m[0]) - _SHIFT), text)


def fault(error: MarkedYAMLError, name: str, text: str) -> Problem:
    """Return ruamel's error of a text in our own words."""
    said = str(error.problem or "")
    mark = error.problem_mark or error.context_mark
    if said.startswith(_BEGAN_EARLIER) and error.context_mark:
        mark = error.context_mark
    lines = text.split("\n")
    line = min(mark.line + 1, len(lines)) if mark else 1
    while line > 1 and not lines[line - 1].strip():
        line -= 1
    if said.startswith("but found another document"):
        if lines[line - 1].startswith("---"):
            return Problem(name, line, "begins a second document", "take the '---' out")
        said = "expected <block end>"
    if said.startswith("expected ',' or") and error.context_mark:
        begun = error.context_mark.line + 1
        if begun != line:
            what = f"has a list or mapping, begun in line {begun}, that is not closed"
            return Problem(name, line, what, "close it, or put the missing comma")
    for begins, what, right in _FAULTS:
        if said.startswith(begins):
            return Problem(name, line, what, right)
    return Problem(name, line, "is not YAML", "check quotes, brackets and indentation")


class _Tree:
    """Turns ruamel's nodes into ours. Each is built once, however many aliases name it."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = problems
        self.built: dict[int, Node | None] = {}

    def build(self, node: YamlNode, path: str) -> Node:
        origin = Origin(self.file, node.start_mark.line + 1)
        key = id(node)
        if key in self.built:
            done = self.built[key]
            return done if done is not None else self.broken(origin, path, "refers to itself")
        self.built[key] = None
        made = self.make(node, origin, path)
        self.built[key] = made
        return made

    def make(self, node: YamlNode, origin: Origin, path: str) -> Node:
        if str(node.tag) not in _TAGS:
            return self.broken(origin, path, "has a tag (!name)", "leave it out")
        if isinstance(node, ScalarNode):
            kind = _KINDS.get(str(node.tag), "text")
            return Scalar(_unhide(str(node.value)), origin, kind)  # type: ignore[arg-type]
        if isinstance(node, SequenceNode):
            items = (self.build(item, f"{path}[{n}]") for n, item in enumerate(node.value))
            return Items(tuple(items), origin)
        if isinstance(node, MappingNode):
            return self.table(node, origin, path)
        raise TypeError(f"no such node in YAML: {type(node)}")

    def table(self, node: MappingNode, origin: Origin, path: str) -> Table:
        entries: dict[str, Entry] = {}
        merged: list[Table] = []
        for key_node, value_node in node.value:
            where = Origin(self.file, key_node.start_mark.line + 1)
            if not isinstance(key_node, ScalarNode):
                self.broken(where, path, "has a key that is a list or mapping")
                continue
            key = _unhide(str(key_node.value))
            inside = f"{path}.{key}" if path else key
            value = self.build(value_node, inside)
            if key_node.tag == _MERGE:
                merged += self.sources(value, where, path)
            elif key in entries:
                has_value = not (isinstance(value, Scalar) and value.kind == "null")
                shown = inside if has_value and _safe(inside) else "a key"
                what = f"{shown} is given twice, first in line {entries[key].origin.line}"
                self.problems.append(Problem(self.file, where.line, what, "keep one of them"))
            else:
                if isinstance(value, Scalar) and value.kind == "null":
                    value = replace(value, origin=where)
                entries[key] = Entry(value, where)
        for table in merged:
            for key, entry in table.entries.items():
                entries.setdefault(key, entry)
        return Table(entries, origin)

    def sources(self, value: Node, where: Origin, path: str) -> list[Table]:
        found = value.items if isinstance(value, Items) else (value,)
        if not all(isinstance(f, (Table, Broken)) for f in found):
            self.broken(where, path, "merges (<<) what is not a mapping", "merge *name of one")
        return [f for f in found if isinstance(f, Table)]

    def broken(self, origin: Origin, path: str, what: str, right: str = "") -> Broken:
        said = f"{path} {what}" if path and _safe(path) else what
        self.problems.append(Problem(self.file, origin.line, said, right))
        return Broken(origin)


def _safe(path: str) -> bool:
    """Tell whether every part of a path looks like a name and so may be shown."""
    return all(showable(part, (), True) for part in re.sub(r"\[\d+\]", "", path).split("."))

"""Designers' YAML as a tree in which every value and key knows its line.

Read by libyaml where there is one, a hundred times faster than in Python: a project has
megabytes of examples.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as YamlNode

from bot.dialogue.checking.finding import Findings, Place
from bot.dialogue.checking.slips import slip_before, slip_behind
from bot.settings.yaml_lines import fault

#: Bytes. Nobody edits such a file by hand.
FILE_LIMIT = 16 * 1024 * 1024
#: Characters; above, ruamel's own words of a fault, which take seconds a megabyte, are not had.
_EXPLAINED = 512 * 1024
_DEEPEST = 60

_TAGS = "tag:yaml.org,2002:"
_MERGE = _TAGS + "merge"
#: Without a space after it: more likely a number than a remark.
_COMMENT = re.compile(r"[ \t]+(#[^\s#]\S*)")
_KINDS = {"str", "int", "float", "bool", "null", "timestamp", "value", "merge", "map", "seq"}
#: Values; a hand-written file with aliases has far fewer.
_LARGEST = 200_000
# In a text without quotes this is a variable of the environment for Rasa.
_VARIABLE = re.compile(r"(?:^|\s)\$\{([^}]*)\}")


@dataclass(frozen=True)
class Text:
    """A scalar. `block` says that its lines begin in the line after `at`.

    `folded` says that what looks like lines in the file is one.
    """

    value: str
    at: Place
    kind: str = "str"
    block: bool = False
    folded: bool = False

    @property
    def null(self) -> bool:
        """Tell whether nothing stands there."""
        return self.kind == "null"

    def lines(self) -> Iterator[tuple[str, Place]]:
        """Return its lines, each with its place."""
        for n, line in enumerate(self.value.split("\n")):
            yield line, Place(self.at.file, self.at.line + n + 1) if self.block else self.at


@dataclass(frozen=True)
class Seq:
    """A list."""

    items: tuple[Node, ...]
    at: Place


@dataclass(frozen=True)
class Pair:
    """A key with its value; `at` is where the key stands."""

    value: Node
    at: Place


@dataclass(frozen=True)
class Map:
    """A mapping in the order of the file."""

    pairs: dict[str, Pair]
    at: Place

    def get(self, key: str) -> Node | None:
        """Return the value of a key; None without it or with nothing after it."""
        pair = self.pairs.get(key)
        if pair is None or (isinstance(pair.value, Text) and pair.value.null):
            return None
        return pair.value


Node = Text | Seq | Map


def text_of(node: Node | None) -> str:
    """Return the words of a scalar, "" for everything else."""
    return node.value if isinstance(node, Text) and not node.null else ""


def plain(node: Node | None) -> object:
    """Return a tree as dictionaries, lists and scalars, as YAML 1.2 reads them."""
    if isinstance(node, Map):
        return {key: plain(pair.value) for key, pair in node.pairs.items()}
    if isinstance(node, Seq):
        return [plain(item) for item in node.items]
    if node is None or node.kind == "null":
        return None
    if node.kind == "bool":
        return node.value.lower() == "true"
    for kind, read in (("int", int), ("float", float)):
        if node.kind == kind:
            try:
                return read(node.value)
            except ValueError:
                return node.value
    return node.value


def read(path: Path, name: str, findings: Findings) -> Map | None:
    """Read a file, called `name` in findings. None when nothing can be made of it."""
    here = Place(name, 0)
    try:
        if path.stat().st_size > FILE_LIMIT:
            findings.error(here, "file", f"is larger than {FILE_LIMIT >> 20} MiB", "split it")
            return None
        data = path.read_bytes()
    except OSError as error:
        findings.error(here, "file", f"cannot be read: {error.strerror or 'no such file'}")
        return None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        findings.error(Place(name, line), "file", "is not UTF-8 text", "save the file as UTF-8")
        return None
    return parse(text, name, findings)


def parse(text: str, name: str, findings: Findings) -> Map | None:
    """Parse the text of a file; see `read`."""
    slip = slip_before(text)
    if slip:
        findings.error(Place(name, slip.line), "yaml", slip.what, slip.right)
        return None
    try:
        # Between words libyaml takes tabs that Rasa's parser does not.
        root = _compose(text, pure="\t" in text and _explained(text))
    except RecursionError:
        findings.error(Place(name, 0), "yaml", "is nested too deeply")
        return None
    except YAMLError as error:
        findings.error(*_fault(error, name, text))
        return None
    except Exception:
        findings.error(Place(name, 0), "yaml", "is not YAML", "check quotes, escapes and brackets")
        return None
    if root is None:
        return Map({}, Place(name, 1))
    node = _Tree(name, findings, text).build(root, 0)
    if isinstance(node, Map):
        return node
    if not (isinstance(node, Text) and node.null):
        kind = "a list" if isinstance(node, Seq) else "text"
        findings.error(Place(name, 1), "yaml", f"is {kind}", "should be 'key: value' lines")
    return Map({}, Place(name, 1))


def _compose(text: str, *, pure: bool) -> YamlNode | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        root: YamlNode | None = YAML(typ="safe", pure=pure).compose(text)
    return root


def _depth(text: str) -> int:
    """Return how deep brackets are nested, roughly; ruamel needs their square in time."""
    depth = deepest = 0
    for character in text:
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _explained(text: str) -> bool:
    return len(text) <= _EXPLAINED and _depth(text) <= _DEEPEST


def _fault(error: YAMLError, name: str, text: str) -> tuple[Place, str, str, str]:
    """Return what `Findings.error` takes; libyaml and ruamel have other words for a fault."""
    if _explained(text):
        try:
            _compose(text, pure=True)
        except MarkedYAMLError as known:
            slip = slip_behind(known, text)
            if slip:
                return Place(name, slip.line), "yaml", slip.what, slip.right
            problem = fault(known, name, text)
            return Place(name, problem.line), "yaml", problem.what, problem.right
        except Exception:
            return Place(name, 0), "yaml", "is not YAML", "check quotes, escapes and brackets"
    mark = getattr(error, "problem_mark", None)
    line = min(mark.line + 1, text.count("\n") + 1) if mark else 0
    return Place(name, line), "yaml", "is not YAML", "check quotes, brackets and indentation"


def _parts(node: Node) -> Iterator[Node]:
    if isinstance(node, Seq):
        yield from node.items
    elif isinstance(node, Map):
        for pair in node.pairs.values():
            yield pair.value


class _Tree:
    """Turns the parser's nodes into ours. Each is built once, however many aliases name it."""

    def __init__(self, file: str, findings: Findings, text: str) -> None:
        self.file = file
        self.findings = findings
        self.lines = text.split("\n") if _COMMENT.search(text) else []
        self.built: dict[int, Node | None] = {}
        self.sizes: dict[int, int] = {}

    def build(self, node: YamlNode, depth: int) -> Node:
        at = Place(self.file, node.start_mark.line + 1)
        key = id(node)
        if key in self.built:
            done = self.built[key]
            if done is not None:
                return done
            self.findings.error(at, "yaml", "refers to itself")
            return Text("", at, "null")
        if depth > _DEEPEST:
            self.findings.error(at, "yaml", "is nested too deeply")
            return Text("", at, "null")
        self.built[key] = None
        made = self.make(node, at, depth)
        size = 1 + sum(self.sizes.get(id(part), 1) for part in _parts(made))
        if size > _LARGEST:
            what = "is too large with all that its aliases stand for"
            self.findings.error(at, "yaml", what, "write it without *")
            made, size = Text("", at, "null"), 1
        self.built[key] = made
        self.sizes[id(made)] = size
        return made

    def make(self, node: YamlNode, at: Place, depth: int) -> Node:
        tag = str(node.tag)
        kind = tag.removeprefix(_TAGS)
        if kind == "!env_var":
            # Rasa's own, once that is imported.
            kind = "str"
        if kind not in _KINDS:
            self.findings.error(at, "yaml", "has a tag (!name)", "leave it out")
            kind = "str"
        if isinstance(node, ScalarNode):
            if not node.style:
                self.variable(str(node.value), at)
                self.comment(node)
            return Text(str(node.value), at, kind, node.style == "|", node.style == ">")
        if isinstance(node, SequenceNode):
            return Seq(tuple(self.build(item, depth + 1) for item in node.value), at)
        if isinstance(node, MappingNode):
            return self.table(node, at, depth)
        raise TypeError(f"no such node in YAML: {type(node)}")

    def variable(self, text: str, at: Place) -> None:
        for name in _VARIABLE.findall(text) if "${" in text else ():
            if name not in os.environ:
                what = f"has ${{{name}}}, a variable of the environment that is not set"
                self.findings.error(at, "variable", what, "put the text in quotes, if it is none")

    def comment(self, node: ScalarNode) -> None:
        end = node.end_mark
        cut = _COMMENT.match(self.lines[end.line], end.column) if self.lines else None
        if cut is not None and node.value:
            at = Place(self.file, end.line + 1)
            what = f"{cut[1]} begins a comment, and is no part of the text before it"
            self.findings.warn(at, "comment", what, "put the text in quotes, if it should be")

    def table(self, node: MappingNode, at: Place, depth: int) -> Map:
        pairs: dict[str, Pair] = {}
        merged: list[Map] = []
        for key_node, value_node in node.value:
            where = Place(self.file, key_node.start_mark.line + 1)
            value = self.build(value_node, depth + 1)
            if not isinstance(key_node, ScalarNode):
                what = "has a key that is a list or mapping"
                self.findings.error(where, "yaml", what, "a key is a name")
                continue
            key = str(key_node.value)
            if key_node.tag == _MERGE:
                sources = value.items if isinstance(value, Seq) else (value,)
                merged += [source for source in sources if isinstance(source, Map)]
            elif key_node.tag != _TAGS + "str":
                self.findings.error(where, "yaml", f"has the key {key}", f'should be "{key}"')
            elif key in pairs:
                what = f"{key} is given twice, first in line {pairs[key].at.line}"
                self.findings.error(where, "twice", what, "keep one of them")
            else:
                pairs[key] = Pair(value, where)
        for other in merged:
            for key, pair in other.pairs.items():
                pairs.setdefault(key, pair)
        return Map(pairs, at)

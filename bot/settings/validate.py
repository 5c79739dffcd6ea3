"""Fitting a tree onto dataclasses, telling everything that does not fit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from dataclasses import fields as dataclass_fields
from typing import Any

from bot.settings.environment import PREFIX, Expanded, expand
from bot.settings.fields import Field, Wrong, fields_of
from bot.settings.nodes import Broken, Entry, Items, Node, Origin, Scalar, Table, is_null
from bot.settings.problems import Problem, closest, showable, suggestion

_ACCOUNT = re.compile(r"[A-Za-z0-9_.-]{1,64}")
# Of any kind: a key or token is sent in HTTP headers, where a line break splits the header.
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SHOWN = 40


@dataclass(frozen=True)
class Read:
    """What became of one mapping: its good values by field name, and whether all were good.

    `hidden` are the texts among them that must not be shown: secrets, URLs, and what came
    from the environment.
    """

    values: Mapping[str, Any]
    good: bool
    hidden: tuple[str, ...] = ()


class Validator:
    """Collects `problems` while it makes values of nodes."""

    def __init__(self, environ: Mapping[str, str], problems: list[Problem]) -> None:
        self.environ = environ
        self.problems = problems
        self._hidden: list[str] = []

    def tell(self, origin: Origin, what: str, right: str = "") -> None:
        """Note a problem."""
        self.problems.append(Problem(origin.file, origin.line, what, right))

    def section(self, cls: type, entry: Entry | None, path: str) -> Any:
        """Return an instance of the dataclass `cls`; without good input, of its defaults."""
        if entry is None or is_null(entry.node):
            return cls()
        read = self.table(cls, entry.node, path, entry.origin)
        made = self.make(cls, read, path, entry.origin) if read.good else None
        return cls() if made is None else made

    def items(self, entry: Entry | None, path: str, of: str) -> tuple[Node, ...]:
        """Return the nodes of a list of mappings."""
        if entry is None or is_null(entry.node) or isinstance(entry.node, Broken):
            return ()
        if isinstance(entry.node, Items):
            return entry.node.items
        right = f"should be a list of {of}"
        if isinstance(entry.node, Table):
            right += ": put '- ' before the first key and indent the others"
        self.tell(entry.origin, f"{path} is {kind_of(entry.node)}", right)
        return ()

    def accounts(self, channel: str, cls: type, entry: Entry) -> tuple[Any, ...]:
        """Return the accounts of a channel, instances of the connector's `Account`."""
        made, first = [], dict[str, Origin]()
        for n, node in enumerate(self.items(entry, channel, "accounts")):
            path = f"{channel}[{n}]"
            read = self.table(cls, node, path, node.origin)
            name = read.values.get("account")
            if name is not None:
                where = _origin(node, "account")
                told = where.variable or f"{path}.account"
                if not _ACCOUNT.fullmatch(name) or not name.strip("."):
                    right = "should be at most 64 letters, digits, '-', '_' or '.'"
                    self.tell(where, f"{told} is not a name for addresses", right)
                    continue
                if name in first:
                    at = first[name]
                    given = f"in line {at.line}" if at.line else f"by {at.variable}"
                    what = f"{told} is '{name}', which is taken {given}"
                    self.tell(where, what, "give each account a name of its own")
                    continue
                first[name] = where
            account = self.make(cls, read, path, node.origin) if read.good else None
            made += [account] if account is not None else []
        return tuple(made)

    def make(self, cls: type, read: Read, path: str, origin: Origin) -> Any:
        """Return ``cls(**values)``, or None when its `__post_init__` refuses them.

        A ValueError there is what a field alone cannot tell; its words are shown unless
        they hold a value that must not be.
        """
        try:
            return cls(**read.values)
        except ValueError as error:
            said = " ".join(str(error).split())
            if any(_holds(said, text) for text in read.hidden):
                said = "its settings do not fit together"
            self.tell(origin, f"{path}: {said}")
            return None

    def table(self, cls: type, node: Node, path: str, origin: Origin) -> Read:
        """Read a mapping field by field."""
        if isinstance(node, Broken):
            return Read({}, False)
        if not isinstance(node, Table):
            keys = ", ".join(f.key for f in fields_of(cls) if f.required) or "its settings"
            self.tell(origin, f"{path} is {kind_of(node)}", f"should be a mapping with {keys}")
            return Read({}, False)
        before, hidden = len(self.problems), len(self._hidden)
        broken = False
        meant = set()
        values: dict[str, Any] = {}
        known = {f.key: f for f in fields_of(cls)}
        for key, entry in node.entries.items():
            broken |= isinstance(entry.node, Broken)
            if key not in known:
                self.unknown(key, entry, path, known)
                # Told once: the misspelt key, not also that the right one is missing.
                meant.add(_meant(key, known))
                continue
            value = self.value(known[key], entry, f"{path}.{key}")
            if value is not MISSING:
                values[known[key].name] = value
        for field in known.values():
            if field.required and field.key not in node.entries and field.key not in meant:
                right = "it is required"
                if origin.variable:
                    variable = re.sub(r"\[(\d+)\]", r"__\1", path).replace(".", "__").upper()
                    right = f"set {PREFIX}{variable}__{field.key.upper()}"
                self.tell(origin, f"{path} has no {field.key}", right)
        good = len(self.problems) == before and not broken
        return Read(values, good, tuple(self._hidden[hidden:]))

    def text(self, entry: Entry | None, name: str, default: str) -> str:
        """Return a text that stands by itself at the top of a file."""
        if entry is None:
            return default
        field = Field(name, name, "text", False, False, False, (), {})
        value = self.value(field, entry, name)
        return value if isinstance(value, str) and value else default

    def unknown(self, key: str, entry: Entry, path: str, known: Mapping[str, Any]) -> None:
        """Note a key that is not known, quoting it only when it is surely not a secret."""
        begins, colon, _ = key.partition(":")
        inside = f"{path}.{key}" if path else key
        if entry.origin.variable:
            name = entry.origin.variable
            if isinstance(entry.node, Scalar) and entry.node.origin.variable:
                name = entry.node.origin.variable
            self.tell(entry.origin, f"{name}: {key} is not a known key", suggestion(key, known))
        elif showable(key, known, has_value=not is_null(entry.node)):
            self.tell(entry.origin, f"{inside} is not a known key", suggestion(key, known))
        elif colon and begins in known:
            what = f"{path}.{begins} has no space after its colon" if path else "a colon"
            self.tell(entry.origin, what, f"write '{begins}: ' before the value")
        else:
            what = f"{path or 'the file'} has a key that is not a name"
            self.tell(entry.origin, what, f"known: {', '.join(known)}")

    def value(self, field: Field, entry: Entry, path: str) -> Any:
        """Return the value of one field, MISSING when there is none or it was wrong."""
        node = entry.node
        if isinstance(node, Broken):
            return MISSING
        if isinstance(node, Scalar) and node.kind == "null":
            if field.required:
                self.tell(node.origin, f"{path} is empty", field.right())
            return MISSING
        if field.kind == "list":
            return self.texts(field, node, path)
        if field.kind == "map":
            return self.named_texts(field, node, path)
        if not isinstance(node, Scalar):
            self.tell(node.origin, f"{path} is {kind_of(node)}", field.right())
            return MISSING
        return self.scalar(field, node, path)

    def texts(self, field: Field, node: Node, path: str) -> Any:
        """Return a tuple of texts, MISSING when one of them was wrong."""
        if not isinstance(node, Items):
            name = node.origin.variable or path
            right = f"set {name}__0" if node.origin.variable else field.right()
            self.tell(node.origin, f"{name} is {kind_of(node)}", right)
            return MISSING
        before = len(self.problems)
        texts = []
        for n, item in enumerate(node.items):
            if isinstance(item, Broken):
                return MISSING
            if not isinstance(item, Scalar) or is_null(item):
                self.tell(item.origin, f"{path}[{n}] is {kind_of(item)}", "should be text")
                continue
            texts.append(self.scalar(field, item, f"{path}[{n}]", "should be text"))
        return tuple(texts) if len(self.problems) == before else MISSING

    def named_texts(self, field: Field, node: Node, path: str) -> Any:
        """Return a dictionary of texts, MISSING when one of them was wrong."""
        if not isinstance(node, Table):
            self.tell(node.origin, f"{path} is {kind_of(node)}", field.right())
            return MISSING
        before = len(self.problems)
        texts = {}
        for key, entry in node.entries.items():
            if isinstance(entry.node, Broken):
                return MISSING
            if not isinstance(entry.node, Scalar) or is_null(entry.node):
                self.tell(entry.origin, f"{path} has an entry that is no text", "should be text")
                continue
            texts[key] = self.scalar(field, entry.node, f"{path}.{key}", "should be text")
        return texts if len(self.problems) == before else MISSING

    def scalar(self, field: Field, node: Scalar, path: str, right: str = "") -> Any:
        """Return the value of one scalar, MISSING when it was wrong."""
        name = node.origin.variable or path
        right = right or field.right()
        done = expand(node, self.environ)
        text = done.text
        if text is None:
            self.unexpanded(done, node.origin, name)
            return MISSING
        textual = field.kind in ("text", "list", "map")
        if textual and node.kind == "bool":
            self.tell(node.origin, f"{name} is {node.text.lower()}", f"{right}; put it in quotes")
            return MISSING
        if not textual and not done.variables:
            text = text.strip()
        if text == "" and (field.required or field.kind != "text"):
            whose = f", because {_vars(done)} is set to nothing" if done.variables else ""
            self.tell(node.origin, f"{name} is empty{whose}", right)
            return MISSING
        if textual and (_CONTROL.search(text) or text != text.strip()):
            what = "a control character" if _CONTROL.search(text.strip()) else "a space or line end"
            place = "in it" if _CONTROL.search(text.strip()) else "around it"
            whose = f", from {_vars(done)}" if done.variables else ""
            self.tell(node.origin, f"{name} has {what} {place}{whose}", "take it out")
            return MISSING
        if text and (done.variables or not field.shown):
            self._hidden.append(text)
        try:
            return field.convert(text)
        except Wrong:
            self.wrong(field, node, done, name, right)
            return MISSING

    def unexpanded(self, done: Expanded, origin: Origin, name: str) -> None:
        """Note that a ``${VAR}`` could not be replaced."""
        if done.malformed:
            right = "should be ${NAME}, of letters, digits and '_'"
            self.tell(origin, f"{name} has a '${{' that names no variable", right)
            return
        for variable in done.missing:
            right = f"set {variable} in the environment"
            self.tell(origin, f"{name} needs ${{{variable}}}, which is not set", right)

    def wrong(self, field: Field, node: Scalar, done: Expanded, name: str, right: str) -> None:
        """Note a value of the wrong type or out of bounds, quoting it only where that is safe."""
        if done.variables:
            self.tell(node.origin, f"{name} has a wrong value, from {_vars(done)}", right)
            return
        if not field.shown:
            self.tell(node.origin, f"{name} has a wrong value", right)
            return
        text = node.text if len(node.text) <= _SHOWN else node.text[:_SHOWN] + "…"
        meant = closest(text, map(str, field.choices))
        right += f"; did you mean {meant}?" if meant else ""
        self.tell(node.origin, f"{name} is {text!r}", right)


def kind_of(node: Node) -> str:
    """Return what a node is, for people."""
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Table):
        return "a mapping"
    return "empty" if is_null(node) else "text"


def secrets_of(instance: Any) -> tuple[str, ...]:
    """Return the secret texts in a settings dataclass, for keeping them out of what is shown."""
    found = (
        getattr(instance, f.name) for f in dataclass_fields(instance) if f.metadata.get("secret")
    )
    return tuple(s for s in found if isinstance(s, str) and s)


def _holds(said: str, secret: str) -> bool:
    # A short one only as a word: the token "t" of a trial is in every sentence.
    if len(secret) >= 6:
        return secret in said
    return bool(re.search(rf"(?<!\w){re.escape(secret)}(?!\w)", said))


def _meant(key: str, known: Mapping[str, Any]) -> str:
    begins, colon, _ = key.partition(":")
    return begins if colon and begins in known else closest(key, known)


def _vars(done: Expanded) -> str:
    return " and ".join(f"${{{name}}}" for name in done.variables)


def _origin(node: Node, key: str) -> Origin:
    if isinstance(node, Table) and key in node.entries:
        return node.entries[key].node.origin
    return node.origin

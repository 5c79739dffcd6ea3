"""Reading ``data/templates.yml``; everything wrong in it is told with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bot.desk.templates import PLACE, Approved
from bot.settings.fields import Field
from bot.settings.nodes import Broken, Entry, Items, Node, Table, is_null
from bot.settings.problems import Problem, SettingsInvalid, suggestion
from bot.settings.validate import Validator, kind_of
from bot.settings.yaml_lines import parse, read

TEMPLATES_FILE = Path("data/templates.yml")

_KEYS = ("name", "channel", "language", "category", "text", "parameters")
_NEEDED = ("name", "channel", "language", "text")
_CATEGORIES = ("utility", "marketing", "authentication")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,4})?")
_NAME = re.compile(r"[a-z0-9_]{1,512}")
_BRACE = re.compile(r"\{([^}]*)\}?")


def load_templates(
    path: Path = TEMPLATES_FILE, *, channels: Iterable[str] | None = None
) -> tuple[Approved, ...]:
    """Read the file; without one there are no templates. `channels` are all that exist.

    Raises SettingsInvalid with everything that is wrong, each with its line.
    """
    if not path.exists():
        return ()
    problems: list[Problem] = []
    return _made(read(path, str(path), problems), str(path), channels, problems)


def parse_templates(
    text: str, name: str = "templates.yml", *, channels: Iterable[str] | None = None
) -> tuple[Approved, ...]:
    """Read the text of such a file; see `load_templates`."""
    problems: list[Problem] = []
    return _made(parse(text, name, problems), name, channels, problems)


def _made(
    top: Table | None, name: str, channels: Iterable[str] | None, problems: list[Problem]
) -> tuple[Approved, ...]:
    if top is None:
        raise SettingsInvalid(problems)
    check = _Check(problems, None if channels is None else tuple(channels))
    for key, entry in top.entries.items():
        if key != "templates":
            check.unknown(key, entry, "", {"templates": None})
    listed = check.items(top.entries.get("templates"), "templates", "templates")
    made = [check.template(node, f"templates[{n}]") for n, node in enumerate(listed)]
    if problems:
        raise SettingsInvalid(problems)
    return tuple(template for template in made if template is not None)


class _Check(Validator):
    """Reads templates one by one and remembers in which line each was met."""

    def __init__(self, problems: list[Problem], channels: tuple[str, ...] | None) -> None:
        super().__init__({}, problems)
        self._channels = channels
        self._met: dict[tuple[str, str, str], int] = {}

    def template(self, node: Node, path: str) -> Approved | None:
        """Return one template, None when it was wrong."""
        if isinstance(node, Broken):
            return None
        if not isinstance(node, Table):
            right = "should be a mapping with name, channel, language and text"
            self.tell(node.origin, f"{path} is {kind_of(node)}", right)
            return None
        before = len(self.problems)
        entries = node.entries
        for key, entry in entries.items():
            if key not in _KEYS:
                self.unknown(key, entry, path, dict.fromkeys(_KEYS))
        for key in _NEEDED:
            if key not in entries or is_null(entries[key].node):
                origin = entries[key].origin if key in entries else node.origin
                self.tell(origin, f"{path} has no {key}", "it is required")
        name = self._text(entries, path, "name")
        channel = self._text(entries, path, "channel")
        language = self._text(entries, path, "language")
        if name and not _NAME.fullmatch(name):
            right = "should be small letters, digits and '_', as the provider has it"
            self.tell(entries["name"].origin, f"{path}.name is no template's name", right)
        if channel and self._channels is not None and channel not in self._channels:
            right = suggestion(channel, self._channels)
            self.tell(entries["channel"].origin, f"{path}.channel is {channel!r}", right)
        if language and not _LANGUAGE.fullmatch(language):
            right = "should be the provider's code, as in 'en' or 'pt_BR'"
            self.tell(entries["language"].origin, f"{path}.language is {language!r}", right)
        category = self._category(entries.get("category"), f"{path}.category")
        text = self._text(entries, path, "text")
        parameters = self._parameters(entries.get("parameters"), f"{path}.parameters")
        if text:
            self._places(entries["text"], f"{path}.text", text, parameters)
        self._once((name, channel, language), node, path)
        if len(self.problems) > before:
            return None
        return Approved(name, channel, language, category, text, parameters)

    def _text(self, entries: Any, path: str, key: str) -> str:
        return self.text(entries.get(key), f"{path}.{key}", "")

    def _category(self, entry: Entry | None, path: str) -> Any:
        if entry is None:
            return "utility"
        kind = Field(path, path, "choice", False, False, False, _CATEGORIES, {})
        found = self.value(kind, entry, path)
        return found if isinstance(found, str) else "utility"

    def _parameters(self, entry: Entry | None, path: str) -> tuple[str, ...]:
        if entry is None or is_null(entry.node) or isinstance(entry.node, Broken):
            return ()
        kind = Field(path, path, "list", False, False, False, (), {})
        found = self.texts(kind, entry.node, path)
        if not isinstance(found, tuple):
            return ()
        nodes = entry.node.items if isinstance(entry.node, Items) else ()
        for n, (name, item) in enumerate(zip(found, nodes, strict=True)):
            if name in found[:n]:
                self.tell(item.origin, f"{path}[{n}] is {name!r} again", "name each differently")
        return found

    def _places(self, entry: Entry, path: str, text: str, parameters: tuple[str, ...]) -> None:
        places = set()
        for found in _BRACE.finditer(text):
            if not PLACE.fullmatch(found[0]):
                right = "places are {1}, {2} and so on"
                self.tell(entry.origin, f"{path} has a '{{' that is no place", right)
                return
            places.add(int(found[1]))
        wanted = set(range(1, len(parameters) + 1))
        if places != wanted:
            told = ", ".join(f"{{{n}}}" for n in sorted(places)) or "no places"
            what = f"{path} has {told} and {len(parameters)} parameters"
            self.tell(entry.origin, what, "name each place once in parameters, in order")

    def _once(self, key: tuple[str, str, str], node: Node, path: str) -> None:
        if key in self._met and all(key):
            what = f"{path} is there twice, see line {self._met[key]}"
            self.tell(node.origin, what, "take one out")
        self._met.setdefault(key, node.origin.line)

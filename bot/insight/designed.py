"""Everything that designers wrote, read once and again only when a file has changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.files import Stamp, stamps
from bot.dialogue.checking.finding import Finding, Place, errors_of
from bot.dialogue.checking.nlu import Nlu
from bot.dialogue.checking.reading import Map, Node, Seq, Text, text_of
from bot.dialogue.checking.stories import Told
from bot.dialogue.checking.written import Written, written
from bot.insight.flow import Flow
from bot.insight.spoken import Module, Spoken, read_module, spoken_of

_ACTIONS = "actions"
_PAYLOAD = re.compile(r"/([^{@\s]+)")
_MOST_HEAD = 8192
_BLANK = re.compile(r"\s+")


@dataclass(frozen=True)
class Button:
    """A choice that a response offers, and the intent that it says."""

    title: str
    intent: str


@dataclass(frozen=True)
class Designed:
    """A project as it is in the files. `about` are topics' first comments.

    `broken` tells what could not be read; the rest is there all the same. `missing` says that
    there are no files at all.
    """

    domain: Domain
    nlu: Nlu
    told: Sequence[Told]
    spoken: Spoken
    flow: Flow
    buttons: dict[str, list[Button]]
    about: dict[str, str]
    broken: list[Finding]
    missing: bool


def topic_of(file: str) -> str:
    """Return the topic of a file: ``data/rules/orders.yml`` is about orders."""
    return file.rsplit("/", 1)[-1].rsplit(".", 1)[0]


def asked_by(domain: Domain, form: str, slot: str) -> str:
    """Return the response or action by which a form asks for a slot, "" if there is none.

    The order is Rasa's, https://rasa.com/docs/rasa/forms#using-custom-actions-to-ask-for-the-next-slot
    """
    for name in (f"action_ask_{form}_{slot}", f"action_ask_{slot}"):
        if name in domain.actions:
            return name
    for name in (f"utter_ask_{form}_{slot}", f"utter_ask_{slot}"):
        if name in domain.responses:
            return name
    return ""


class Designs:
    """The project below `root` with the code of its actions; `read` is for any thread."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = Lock()
        self._stamps: dict[Path, Stamp] = {}
        self._modules: dict[Path, Module] = {}
        self._made: tuple[Written, Designed] | None = None

    def read(self) -> Designed:
        """Return what the files say now; only those that have changed are read again.

        Raises nothing: what cannot be read is told of in `Designed.broken`.
        """
        with self._lock:
            project = written(self._root)
            seen = stamps(sorted((self._root / _ACTIONS).rglob("*.py")))
            if self._made is None or self._made[0] is not project or seen != self._stamps:
                self._modules = {path: self._module(path, stamp) for path, stamp in seen.items()}
                self._stamps = seen
                self._made = project, _together(project, list(self._modules.values()))
            return self._made[1]

    def _module(self, path: Path, stamp: Stamp) -> Module:
        if self._stamps.get(path) == stamp:
            return self._modules[path]
        return read_module(path, path.relative_to(self._root).as_posix())


def _together(project: Written, modules: list[Module]) -> Designed:
    domain = project.domain
    buttons = {}
    for response, variations in domain.variations.items():
        found = list(dict.fromkeys(b for one in variations for b in buttons_of(one)))
        if found:
            buttons[response] = found
    about: dict[str, str] = {}
    for file in project.data:
        if said := _comment(file.path, file.name):
            about.setdefault(topic_of(file.name), said)
    faults = {*project.faults, *(one for module in modules for one in module.faults)}
    return Designed(
        domain=domain,
        nlu=project.nlu,
        told=project.told,
        spoken=spoken_of(modules, domain.responses),
        flow=Flow.of(
            project.told,
            frozenset(domain.forms),
            frozenset(domain.responses),
            {name: [(b.title, b.intent) for b in found] for name, found in buttons.items()},
        ),
        buttons=buttons,
        about=about,
        broken=errors_of(sorted(faults)),
        missing=not (project.domains or project.data),
    )


def _comment(path: Path, name: str) -> str:
    """Return the comment at the head of a file of rules or stories: it says what it is for."""
    if not name.startswith(("data/rules/", "data/stories/")):
        return ""
    try:
        with path.open(encoding="utf-8") as file:
            lines = file.read(_MOST_HEAD).splitlines()
    except (OSError, UnicodeDecodeError):
        return ""
    said: list[str] = []
    for line in lines:
        if line.startswith("#"):
            said.append(line.lstrip("# ").strip())
        elif said or (line.strip() and not line.startswith(("version:", "---"))):
            break
    return _BLANK.sub(" ", " ".join(said))


def buttons_of(node: Node) -> Iterator[Button]:
    """Return the buttons of a variation, wherever in it they stand."""
    if isinstance(node, Seq):
        for item in node.items:
            yield from buttons_of(item)
    elif isinstance(node, Map):
        match = _PAYLOAD.match(text_of(node.get("payload")))
        if match:
            yield Button(text_of(node.get("title")), match[1])
        for pair in node.pairs.values():
            if not isinstance(pair.value, Text):
                yield from buttons_of(pair.value)


def place(at: Place | None) -> str:
    """Return ``file:line``, "" for nowhere."""
    if at is None:
        return ""
    return f"{at.file}:{at.line}" if at.line else at.file

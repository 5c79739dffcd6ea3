"""Everything that designers wrote, read once and again only when a file has changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TypeVar

from bot.dialogue.checking.domain import Domain, read_domain
from bot.dialogue.checking.finding import Finding, Findings, Place, errors_of
from bot.dialogue.checking.nlu import Nlu, read_nlu
from bot.dialogue.checking.project import DATA, domain_files, yaml_below
from bot.dialogue.checking.reading import Map, Node, Seq, Text, read, text_of
from bot.dialogue.checking.stories import Told, read_told
from bot.insight.flow import Flow
from bot.insight.spoken import Module, Spoken, read_module, spoken_of

_ACTIONS = "actions"
_PAYLOAD = re.compile(r"/([^{@\s]+)")
_MOST_HEAD = 8192
_BLANK = re.compile(r"\s+")

#: When a file was changed (ns) and how many bytes it has.
Stamp = tuple[int, int]
T = TypeVar("T")


@dataclass(frozen=True)
class Button:
    """A choice that a response offers, and the intent that it says."""

    title: str
    intent: str


@dataclass
class Designed:
    """A project as it is in the files. `about` are topics' first comments.

    `broken` tells what could not be read; the rest is there all the same. `missing` says that
    there are no files at all.
    """

    domain: Domain = field(default_factory=Domain)
    nlu: Nlu = field(default_factory=Nlu)
    told: list[Told] = field(default_factory=list)
    spoken: Spoken = field(default_factory=Spoken)
    flow: Flow = field(default_factory=Flow)
    buttons: dict[str, list[Button]] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    broken: list[Finding] = field(default_factory=list)
    missing: bool = False


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
    """The project below `root`; `read` may be called from any thread."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = Lock()
        self._stamps: dict[Path, Stamp] = {}
        self._yaml: dict[Path, tuple[Stamp, _File]] = {}
        self._code: dict[Path, tuple[Stamp, Module]] = {}
        self._made: Designed | None = None

    def read(self) -> Designed:
        """Return what the files say now; only those that have changed are read again.

        Raises nothing: what cannot be read is told of in `Designed.broken`.
        """
        with self._lock:
            yaml = [*domain_files(self._root), *_below(self._root)]
            code = sorted((self._root / _ACTIONS).rglob("*.py"))
            stamps = {path: stamp for path in (*yaml, *code) if (stamp := _stamp(path))}
            if self._made is None or stamps != self._stamps:
                files = {
                    path: self._fresh(path, stamps[path], self._yaml, self._file)
                    for path in yaml
                    if path in stamps
                }
                modules = {
                    path: self._fresh(path, stamps[path], self._code, self._module)
                    for path in code
                    if path in stamps
                }
                for kept in (self._yaml, self._code):
                    for gone in kept.keys() - stamps.keys():
                        del kept[gone]
                self._made = _together(list(files.values()), list(modules.values()))
                self._stamps = stamps
            return self._made

    def _fresh(
        self,
        path: Path,
        stamp: Stamp,
        kept: dict[Path, tuple[Stamp, T]],
        make: Callable[[Path, str], T],
    ) -> T:
        found = kept.get(path)
        if found is None or found[0] != stamp:
            found = kept[path] = (stamp, make(path, path.relative_to(self._root).as_posix()))
        return found[1]

    def _file(self, path: Path, name: str) -> _File:
        findings = Findings()
        top = read(path, name, findings)
        return _File(name, top, _comment(path, name), findings.all())

    def _module(self, path: Path, name: str) -> Module:
        return read_module(path, name)


@dataclass
class _File:
    """A file of YAML; `top` is None when it could not be read, `faults` say why."""

    name: str
    top: Map | None
    comment: str
    faults: list[Finding]


def _stamp(path: Path) -> Stamp | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def _below(root: Path) -> list[Path]:
    return [path for part in DATA for path in yaml_below(root / part)]


def _together(files: list[_File], modules: list[Module]) -> Designed:
    made, findings = Designed(missing=not files), Findings()
    for file in files:
        if file.top is not None:
            read_domain(file.top, made.domain, findings)
        if file.comment:
            made.about.setdefault(topic_of(file.name), file.comment)
    for file in files:
        if file.top is not None:
            _training(file.top, made, findings)
    made.spoken = spoken_of(modules, made.domain.responses)
    for response, variations in made.domain.variations.items():
        found = list(dict.fromkeys(b for one in variations for b in buttons_of(one)))
        if found:
            made.buttons[response] = found
    made.flow = Flow.of(
        made.told,
        frozenset(made.domain.forms),
        frozenset(made.domain.responses),
        {name: [(b.title, b.intent) for b in found] for name, found in made.buttons.items()},
    )
    faults = set(findings.all())
    faults.update(one for file in files for one in file.faults)
    faults.update(one for module in modules for one in module.faults)
    made.broken = errors_of(sorted(faults))
    return made


def _training(top: Map, made: Designed, findings: Findings) -> None:
    if "nlu" in top.pairs:
        read_nlu(top.get("nlu"), top.pairs["nlu"].at, made.nlu, made.domain, findings)
    for section in ("rules", "stories"):
        if section in top.pairs:
            at = top.pairs[section].at
            made.told += read_told(section, top.get(section), at, test=False, findings=findings)


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

"""Reading ``data/escalation.yml``; everything wrong in it is told with its line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from bot.perception.by_language import LANGUAGE, ByLanguage
from bot.perception.contract import PRIORITIES
from bot.perception.escalation import Escalation, Llm, Topic
from bot.perception.patterns import Pattern, PatternWrong, compile_pattern
from bot.settings.fields import Field
from bot.settings.nodes import Broken, Entry, Items, Node, Origin, Scalar, Table, is_null
from bot.settings.problems import Problem, SettingsInvalid, suggestion
from bot.settings.validate import kind_of
from bot.settings.yaml_lines import parse, read

ESCALATION_FILE = Path("data/escalation.yml")

_KEYS = ("default", "llm", "crisis_line", "waiting", "topics")
_OF_A_TOPIC = ("about", "priority", "intents", "patterns", "unless", "says")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PLACEHOLDER = re.compile(r"\{([^}]*)\}")
_CRISIS_LINE = "{crisis_line}"
#: A text message of four segments; it is read by somebody in distress.
LONGEST_TEXT = 600


def load_escalation(
    path: Path = ESCALATION_FILE, *, intents: Iterable[str] | None = None
) -> Escalation:
    """Read the file. `intents` are all that exist, when their names are to be checked.

    The same file is read once a process: it takes half a second, and a worker that was
    forked begins with what its parent has read. Raises SettingsInvalid with everything that
    is wrong, each with its line.
    """
    try:
        state = path.stat()
        version = (state.st_mtime_ns, state.st_size)
    except OSError:
        version = (0, 0)
    return _read(path, None if intents is None else frozenset(intents), version)


@lru_cache(maxsize=8)
def _read(path: Path, intents: frozenset[str] | None, version: tuple[int, int]) -> Escalation:
    problems: list[Problem] = []
    return _made(read(path, str(path), problems), str(path), intents, problems)


def parse_escalation(
    text: str, name: str = "escalation.yml", *, intents: Iterable[str] | None = None
) -> Escalation:
    """Read the text of such a file; see `load_escalation`."""
    problems: list[Problem] = []
    return _made(parse(text, name, problems), name, intents, problems)


def _made(
    top: Table | None, name: str, intents: Iterable[str] | None, problems: list[Problem]
) -> Escalation:
    if top is None:
        raise SettingsInvalid(problems)
    check = _Check(problems, None if intents is None else tuple(intents))
    for key, entry in top.entries.items():
        if key not in _KEYS:
            check.unknown(key, entry, "", dict.fromkeys(_KEYS))
    entries = top.entries
    check.default = check.language(entries.get("default"), top.origin)
    llm = check.choice(entries.get("llm"), "llm", get_args(Llm), "fallback")
    lines = check.texts_of(entries.get("crisis_line"), "crisis_line", top.origin, False)
    waiting = check.texts_of(entries.get("waiting"), "waiting", top.origin)
    topics = check.topics(entries.get("topics"), lines, Origin(name, top.origin.line))
    if problems:
        raise SettingsInvalid(problems)
    return Escalation(
        default=check.default,
        llm=llm,
        topics=topics,
        waiting=waiting,
    )


class _Check(ByLanguage):
    """Reads topics one by one and remembers where each intent and pattern was met."""

    def __init__(self, problems: list[Problem], intents: tuple[str, ...] | None) -> None:
        super().__init__({}, problems)
        self.intents = intents
        self.default = ""
        self._intents: dict[str, tuple[str, int]] = {}

    def language(self, entry: Entry | None, top: Origin) -> str:
        """Return the language of those texts that a customer's own language lacks."""
        found = self.text(entry, "default", "")
        if not LANGUAGE.fullmatch(found):
            what = f"default is {found!r}" if found else "there is no default"
            self.tell(entry.origin if entry else top, what, "should be a language, as in 'en'")
            return ""
        return found

    def choice(self, entry: Entry | None, path: str, choices: tuple[str, ...], default: str) -> Any:
        """Return one of `choices`."""
        if entry is None:
            return default
        kind = Field(path, path, "choice", False, False, False, choices, {})
        found = self.value(kind, entry, path)
        return found if isinstance(found, str) else default

    def texts_of(
        self, entry: Entry | None, path: str, above: Origin, needed: bool = True
    ) -> dict[str, str]:
        """Return texts by language. With `needed`, there must be the default one."""
        made = {}
        for code, text in self.languages(entry, path):
            inside = f"{path}.{code}"
            said = self.text(text, inside, "")
            if not said:
                if isinstance(text.node, Scalar) and not text.node.text:
                    self.tell(text.origin, f"{inside} is empty", "say something or leave it out")
                continue
            if len(said) > LONGEST_TEXT:
                what = f"{inside} has more than {LONGEST_TEXT} characters"
                self.tell(text.origin, what, "shorten it")
            made[code] = said
        broken = entry is not None and isinstance(entry.node, Broken)
        given = entry is not None and isinstance(entry.node, Table) and entry.node.entries
        if needed and self.default and self.default not in (given or ()) and not broken:
            what = f"{path} has no text in {self.default}, the default language"
            self.tell(entry.origin if entry else above, what, f"add '{self.default}: …' to it")
        return made

    def topics(self, entry: Entry | None, lines: Mapping[str, str], top: Origin) -> list[Topic]:
        """Return the topics."""
        if entry is None or is_null(entry.node):
            self.tell(entry.origin if entry else top, "there are no topics")
            return []
        if isinstance(entry.node, Broken):
            return []
        if not isinstance(entry.node, Table):
            what = f"topics is {kind_of(entry.node)}"
            self.tell(entry.origin, what, "should be a mapping, as in 'legal: {about: …, …}'")
            return []
        made = []
        for name, value in entry.node.entries.items():
            if not _NAME.fullmatch(name):
                right = "should be small letters, digits and '_'"
                self.tell(value.origin, "topics has a key that is no name", right)
            elif isinstance(value.node, Table):
                made.append(self.topic(name, value.origin, value.node, lines))
            elif not isinstance(value.node, Broken):
                right = "should be a mapping with about, priority, patterns and says"
                self.tell(value.origin, f"topics.{name} is {kind_of(value.node)}", right)
        return made

    def topic(self, name: str, origin: Origin, table: Table, lines: Mapping[str, str]) -> Topic:
        """Return one topic."""
        path = f"topics.{name}"
        entries = table.entries
        for key, entry in entries.items():
            if key not in _OF_A_TOPIC:
                self.unknown(key, entry, path, dict.fromkeys(_OF_A_TOPIC))
        for key in ("about", "priority"):
            if key not in entries or is_null(entries[key].node):
                where = entries[key].origin if key in entries else origin
                self.tell(where, f"{path} has no {key}", "it is required")
        about = self.text(entries.get("about"), f"{path}.about", "")
        priority = self.choice(
            entries.get("priority"), f"{path}.priority", PRIORITIES, PRIORITIES[-1]
        )
        intents = self.intents_of(entries.get("intents"), f"{path}.intents")
        patterns = self.patterns_of(entries.get("patterns"), f"{path}.patterns")
        if not intents and not patterns and not {"intents", "patterns"} & set(entries):
            self.tell(origin, f"{path} has neither patterns nor intents", "nothing would find it")
        unless = self.patterns_of(entries.get("unless"), f"{path}.unless")
        says = self.texts_of(entries.get("says"), f"{path}.says", origin)
        for code, said in says.items():
            node = entries["says"].node
            at = node.entries[code].origin if isinstance(node, Table) else origin
            says[code] = self.filled(said, f"{path}.says.{code}", code, lines, at)
        return Topic(name, about, priority, intents, patterns, unless, says)

    def filled(self, said: str, path: str, code: str, lines: Mapping[str, str], at: Origin) -> str:
        """Return a text with the crisis line of its language in it."""
        for found in _PLACEHOLDER.finditer(said):
            if found[0] != _CRISIS_LINE:
                what = f"{path} has a placeholder that is not known"
                self.tell(at, what, f"there is {_CRISIS_LINE} alone")
        if _CRISIS_LINE not in said:
            return said
        line = lines.get(code)
        if line is None:
            self.tell(at, f"{path} wants a crisis line", f"add 'crisis_line: {{{code}: …}}'")
        return said.replace(_CRISIS_LINE, line or "")

    def intents_of(self, entry: Entry | None, path: str) -> tuple[str, ...]:
        """Return the names of intents, each of one topic only."""
        names = []
        for n, (name, item) in enumerate(self.listed(entry, path)):
            inside = f"{path}[{n}]"
            if self.intents is not None and name not in self.intents:
                what = f"{inside} is {name!r}, which is no intent"
                self.tell(item.origin, what, suggestion(name, self.intents))
            elif name in self._intents:
                where, line = self._intents[name]
                what = f"{inside}: {name!r} is also in {where}, line {line}"
                self.tell(item.origin, what, "an intent is of one topic")
            else:
                self._intents[name] = (path, item.origin.line)
                names.append(name)
        return tuple(names)

    def patterns_of(self, entry: Entry | None, path: str) -> dict[str, tuple[Pattern, ...]]:
        """Return patterns by language."""
        made: dict[str, tuple[Pattern, ...]] = {}
        for code, value in self.languages(entry, path):
            good: dict[str, Pattern] = {}
            met: dict[str, int] = {}
            for n, (written, item) in enumerate(self.listed(value, f"{path}.{code}")):
                inside = f"{path}.{code}[{n}]"
                try:
                    pattern = compile_pattern(written)
                except PatternWrong as error:
                    self.tell(item.origin, f"{inside} {error}")
                    continue
                same = pattern.expression
                if same in met:
                    self.tell(item.origin, f"{inside} is there twice, see line {met[same]}")
                met.setdefault(same, item.origin.line)
                good[same] = pattern
            if good:
                made[code] = tuple(good.values())
        return made

    def listed(self, entry: Entry | None, path: str) -> list[tuple[str, Node]]:
        """Return the texts of a list with their nodes; none when one of them was wrong."""
        if entry is None or is_null(entry.node) or isinstance(entry.node, Broken):
            return []
        kind = Field(path, path, "list", False, False, False, (), {})
        texts = self.texts(kind, entry.node, path)
        items = entry.node.items if isinstance(entry.node, Items) else ()
        return list(zip(texts, items, strict=True)) if isinstance(texts, tuple) else []

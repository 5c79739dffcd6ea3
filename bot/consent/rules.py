"""What designers say about consent: ``data/consent.yml``, its words and answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bot.consent.words import LONGEST, fold
from bot.settings.fields import Field
from bot.settings.nodes import Broken, Entry, Items, Node, Origin, Table, is_null
from bot.settings.problems import Problem, SettingsInvalid, suggestion
from bot.settings.validate import Validator, kind_of
from bot.settings.yaml_lines import parse, read

CONSENT_FILE = Path("data/consent.yml")

Kind = Literal["stop", "start", "help"]

#: A text message of two to three segments; nobody reads more of such an answer.
LONGEST_ANSWER = 450
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2}|-[A-Z][a-z]{3})?")
_KEYS = ("default", "carriers", "languages")
#: The lists of a language: what their words do, and whether only where carriers rule.
_LISTS: dict[str, tuple[Kind, bool]] = {
    "stop": ("stop", False),
    "stop_carriers": ("stop", True),
    "start": ("start", False),
    "help": ("help", True),
}


@dataclass(frozen=True)
class Answers:
    """What is said in one language: to STOP, to START and to HELP."""

    stopped: str
    started: str
    helped: str


@dataclass(frozen=True)
class Keyword:
    """A folded word and what it does. `languages` are those that list it.

    With `carriers` it does so only on channels where carriers rule; elsewhere it is an
    ordinary word.
    """

    word: str
    kind: Kind
    languages: tuple[str, ...]
    carriers: bool = False


@dataclass(frozen=True)
class ConsentRules:
    """The file, read. `keywords` are by folded word, `carriers` are names of channels."""

    default: str
    carriers: frozenset[str]
    keywords: Mapping[str, Keyword] = field(repr=False)
    answers: Mapping[str, Answers] = field(repr=False)

    def keyword(self, text: str, channel: str) -> Keyword | None:
        """Return the keyword that a whole message is on a channel, None when it is none."""
        if len(text) > LONGEST:
            return None
        found = self.keywords.get(fold(text))
        if found is None or (found.carriers and channel not in self.carriers):
            return None
        return found

    def answers_in(self, *languages: str) -> Answers:
        """Return the answers in the first of these languages (BCP 47) that the file has.

        ``pt-BR`` finds ``pt`` when it is not there itself; "" is passed over.
        """
        by_code = {code.lower(): answers for code, answers in self.answers.items()}
        for language in languages:
            wanted = language.lower().replace("_", "-")
            found = by_code.get(wanted) or by_code.get(wanted.partition("-")[0])
            if found is not None:
                return found
        return self.answers[self.default]


def load_rules(
    path: Path = CONSENT_FILE, *, channels: tuple[str, ...] | None = None
) -> ConsentRules:
    """Read the file. `channels` are all that exist, when their names are to be checked.

    Raises SettingsInvalid with everything that is wrong, each with its line.
    """
    problems: list[Problem] = []
    return _made(read(path, str(path), problems), str(path), channels, problems)


def parse_rules(
    text: str, name: str = "consent.yml", *, channels: tuple[str, ...] | None = None
) -> ConsentRules:
    """Read the text of such a file; see `load_rules`."""
    problems: list[Problem] = []
    return _made(parse(text, name, problems), name, channels, problems)


@dataclass(frozen=True)
class _Language:
    """One language as it is written in the file."""

    stop: tuple[str, ...]
    start: tuple[str, ...]
    help: tuple[str, ...]
    stopped: str
    started: str
    helped: str
    stop_carriers: tuple[str, ...] = ()


def _made(
    top: Table | None, name: str, channels: tuple[str, ...] | None, problems: list[Problem]
) -> ConsentRules:
    if top is None:
        raise SettingsInvalid(problems)
    check = _Check(problems)
    for key, entry in top.entries.items():
        if key not in _KEYS:
            check.unknown(key, entry, "", dict.fromkeys(_KEYS))
    carriers = check.channels(top, channels)
    for code, entry in check.languages(top, name):
        check.language(code, entry)
    default = check.text(top.entries.get("default"), "default", "")
    if check.answers and default not in check.answers:
        given = top.entries.get("default")
        what = f"default is {default!r}" if default else "there is no default"
        right = f"should be one of the languages: {', '.join(check.answers)}"
        check.tell(given.origin if given else top.origin, what, right)
    if problems:
        raise SettingsInvalid(problems)
    return ConsentRules(default, carriers, check.keywords, check.answers)


class _Check(Validator):
    """Reads languages one by one and remembers where each word was met."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__({}, problems)
        self.keywords: dict[str, Keyword] = {}
        self.answers: dict[str, Answers] = {}
        self._met: dict[str, tuple[str, Origin]] = {}

    def channels(self, top: Table, known: tuple[str, ...] | None) -> frozenset[str]:
        """Return the channels where carriers rule."""
        entry = top.entries.get("carriers")
        if entry is None or is_null(entry.node) or isinstance(entry.node, Broken):
            return frozenset()
        kind = Field("carriers", "carriers", "list", False, False, False, (), {})
        names = self.texts(kind, entry.node, "carriers")
        if not isinstance(names, tuple):
            return frozenset()
        for n, name in enumerate(names):
            if known is not None and name not in known:
                what = f"carriers[{n}] is {name!r}, which is no channel"
                self.tell(_items(entry.node)[n].origin, what, suggestion(name, known))
        return frozenset(names)

    def languages(self, top: Table, name: str) -> list[tuple[str, Entry]]:
        """Return the languages' codes and tables."""
        entry = top.entries.get("languages")
        if entry is None or is_null(entry.node):
            self.tell(entry.origin if entry else Origin(name), "there are no languages")
            return []
        if isinstance(entry.node, Broken):
            return []
        if not isinstance(entry.node, Table):
            what = f"languages is {kind_of(entry.node)}"
            self.tell(entry.origin, what, "should be a mapping, as in 'en: {stop: [STOP], …}'")
            return []
        return list(entry.node.entries.items())

    def language(self, code: str, entry: Entry) -> None:
        """Read one language."""
        path = f"languages.{code}"
        if not _LANGUAGE.fullmatch(code):
            right = "should be as in 'en' or 'pt-BR'"
            self.tell(entry.origin, "languages has a key that is no language code", right)
            return
        read = self.table(_Language, entry.node, path, entry.origin)
        if not isinstance(entry.node, Table):
            return
        for key, (kind, carriers) in _LISTS.items():
            listed = entry.node.entries.get(key)
            for item in _items(listed.node) if listed else ():
                self.word(code, f"{path}.{key}", kind, carriers, item)
        if not read.good:
            return
        made = _Language(**read.values)
        if not made.stop:
            what = f"{path}.stop is empty"
            self.tell(entry.node.entries["stop"].origin, what, "name at least one word")
        for key in ("stopped", "started", "helped"):
            if len(getattr(made, key)) > LONGEST_ANSWER:
                what = f"{path}.{key} has more than {LONGEST_ANSWER} characters"
                self.tell(entry.node.entries[key].origin, what, "shorten it")
        self.answers[code] = Answers(made.stopped, made.started, made.helped)

    def word(self, code: str, path: str, kind: Kind, carriers: bool, item: Node) -> None:
        """Take one word of a list."""
        text = getattr(item, "text", None)
        if not isinstance(text, str) or getattr(item, "kind", "") != "text" or not text:
            # Told already, by the table.
            return
        word = fold(text)
        if not word or len(word) > LONGEST // 2:
            what = f"{path} has a word without letters" if not word else f"{path} has a sentence"
            self.tell(item.origin, what, "a keyword is what a whole message may be")
            return
        if word not in self.keywords:
            self.keywords[word] = Keyword(word, kind, (code,), carriers)
            self._met[word] = (path, item.origin)
            return
        old = self.keywords[word]
        where, first = self._met[word]
        place = f"{where}, line {first.line}"
        if (old.kind, old.carriers) != (kind, carriers):
            what = f"{path}: {word!r} is also in {place}"
            self.tell(item.origin, what, "a word can mean one thing only, in all languages")
        elif code in old.languages:
            self.tell(item.origin, f"{path}: {word!r} is there twice, see {place}", "keep one")
        else:
            self.keywords[word] = Keyword(word, kind, (*old.languages, code), carriers)


def _items(node: Node) -> tuple[Node, ...]:
    return node.items if isinstance(node, Items) else ()

"""Reading ``data/translation.yml``; everything wrong in it is told with its line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bot.perception.by_language import ByLanguage
from bot.perception.patterns import Index, Pattern, PatternWrong, compile_pattern, plain
from bot.settings.fields import Field
from bot.settings.nodes import Entry, Origin, Scalar, Table, is_null
from bot.settings.problems import Problem, SettingsInvalid
from bot.settings.yaml_lines import parse, read

TRANSLATION_FILE = Path("data/translation.yml")

#: The language of those words that a customer's own language lacks.
DEFAULT = "en"
#: Characters of a sentence, and of a button, which channels cut at twenty.
LONGEST, LONGEST_BUTTON = 300, 20
_LISTS = ("keep", "as_written")
_TEXTS = ("sorry", "button", "handed")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Words:
    """The file, read. `keep` are places of responses, `as_written` slots of forms.

    `person` is the payload of the button that fetches one. The others are by language; `asks`
    are the patterns of what asks for a person.
    """

    keep: frozenset[str] = frozenset()
    as_written: frozenset[str] = frozenset()
    person: str = "/human"
    sorry: Mapping[str, str] = field(default_factory=dict)
    button: Mapping[str, str] = field(default_factory=dict)
    handed: Mapping[str, str] = field(default_factory=dict)
    asks: Mapping[str, tuple[Pattern, ...]] = field(default_factory=dict)

    def asks_person(self, text: str) -> str:
        """Return the language in which a text asks for a person, "" for one that does not."""
        languages, index = self._asks
        return next((languages[n] for n, _, _ in index.matches(plain(text))), "")

    @cached_property
    def _asks(self) -> tuple[list[str], Index]:
        every = [(code, one) for code, some in self.asks.items() for one in some]
        return [code for code, _ in every], Index(one for _, one in every)

    def says(self, what: str, language: str) -> str:
        """Return `sorry`, `button` or `handed` in a language, or else in English."""
        texts: Mapping[str, str] = getattr(self, what)
        return texts.get(language) or texts.get(DEFAULT, "")


def load_words(path: Path = TRANSLATION_FILE) -> Words:
    """Read the file; without one nothing is said and nothing kept.

    Raises SettingsInvalid with everything that is wrong, each with its line.
    """
    if not path.exists():
        return Words()
    problems: list[Problem] = []
    return _made(read(path, str(path), problems), problems)


def parse_words(text: str, name: str = "translation.yml") -> Words:
    """Read the text of such a file; see `load_words`."""
    problems: list[Problem] = []
    return _made(parse(text, name, problems), problems)


def _made(top: Table | None, problems: list[Problem]) -> Words:
    if top is None:
        raise SettingsInvalid(problems)
    check = _Check({}, problems)
    known = dict.fromkeys((*_LISTS, *_TEXTS, "person", "asks"))
    for key, entry in top.entries.items():
        if key not in known:
            check.unknown(key, entry, "", known)
    found = top.entries
    keep, written = (check.names(found.get(key), key) for key in _LISTS)
    sorry, button, handed = (check.by_language(found.get(key), key, top.origin) for key in _TEXTS)
    asks = check.patterns(found.get("asks"), "asks")
    person = check.text(found.get("person"), "person", Words.person)
    if not person.startswith("/"):
        where = found["person"].origin if "person" in found else top.origin
        check.tell(where, "person is no payload", "should be an intent, as in /human")
    if problems:
        raise SettingsInvalid(problems)
    return Words(keep, written, person, sorry, button, handed, asks)


class _Check(ByLanguage):
    """Reads the parts of the file."""

    def names(self, entry: Entry | None, path: str) -> frozenset[str]:
        """Return a list of names."""
        if entry is None or is_null(entry.node):
            return frozenset()
        names = self.list_of(entry, path)
        for name in names:
            if not _NAME.fullmatch(name):
                right = "should be small letters, digits and '_'"
                self.tell(entry.origin, f"{path} has an entry that is no name", right)
        return frozenset(names)

    def list_of(self, entry: Entry, path: str) -> tuple[str, ...]:
        """Return the texts of a list."""
        found = self.value(Field(path, path, "list", False, False, False, (), {}), entry, path)
        return found if isinstance(found, tuple) else ()

    def patterns(self, entry: Entry | None, path: str) -> dict[str, tuple[Pattern, ...]]:
        """Return patterns by language; there may be none."""
        if entry is None or is_null(entry.node):
            return {}
        made: dict[str, tuple[Pattern, ...]] = {}
        for code, value in self.languages(entry, path):
            some = []
            for written in self.list_of(value, f"{path}.{code}"):
                try:
                    some.append(compile_pattern(written))
                except PatternWrong as error:
                    what = f"{path}.{code} has {written!r}, which is no pattern"
                    self.tell(value.origin, what, f"it {error}")
            made[code] = tuple(some)
        return made

    def by_language(self, entry: Entry | None, path: str, top: Origin) -> dict[str, str]:
        """Return texts by language, with one in English among them."""
        if entry is None or is_null(entry.node):
            self.tell(
                entry.origin if entry else top, f"there is no {path}", "add it, as in 'en: …'"
            )
            return {}
        if not isinstance(entry.node, Table):
            self.languages(entry, path)
            return {}
        most = LONGEST_BUTTON if path == "button" else LONGEST
        made: dict[str, str] = {}
        for code, value in self.languages(entry, path):
            said = self.text(value, f"{path}.{code}", "")
            if not said and isinstance(value.node, Scalar):
                self.tell(value.origin, f"{path}.{code} is empty", "say something or leave it out")
            if len(said) > most:
                what = f"{path}.{code} has more than {most} characters"
                self.tell(value.origin, what, "shorten it")
            made[code] = said
        if DEFAULT not in made:
            self.tell(entry.origin, f"{path} has no text in {DEFAULT}", f"add '{DEFAULT}: …' to it")
        return made

"""Reading ``data/canned.yml``, the replies that agents need again and again, and filling them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.desk.assist.files import ListCheck
from bot.settings.nodes import Entry, Scalar, Table, is_null
from bot.settings.problems import Problem, SettingsInvalid, suggestion
from bot.settings.validate import kind_of
from bot.settings.yaml_lines import parse, read

CANNED_FILE = Path("data/canned.yml")

#: What may stand in braces, and how a gap is called where it is not known.
FIELDS = {
    "name": "name",
    "first_name": "first name",
    "order_number": "order number",
    "agent": "your name",
    "company": "company",
    "channel": "channel",
}
#: More is no canned reply but an article.
LONGEST_TEXT = 1000
_LANGUAGE = re.compile(r"[a-z]{2}")
_FIELD = re.compile(r"\{([^{}]*)\}")
#: What makes words bold or a link, here or in Slack.
_MARKS = re.compile(r"[\\`*_~\[\]<>|]+")


@dataclass(frozen=True, slots=True)
class Canned:
    """A reply. `texts` are by language (ISO 639-1), `default` is one that is there."""

    key: str
    title: str
    default: str
    texts: Mapping[str, str]

    def text(self, language: str) -> str:
        """Return the text in a language (``de``, ``de-AT``), or in the default one."""
        code = language.lower().replace("_", "-").partition("-")[0]
        return self.texts.get(code) or self.texts[self.default]


@dataclass(frozen=True)
class _Row:
    key: str
    title: str


def fill(text: str, known: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return a text with its fields filled in, and what those are called that are not known.

    Instead of these a gap is to be seen, ``[order number]``. What is known loses the marks
    of markup: a customer names himself.
    """
    missing: list[str] = []

    def filled(found: re.Match[str]) -> str:
        value = " ".join(_MARKS.sub(" ", known.get(found[1], "")).split())
        if value:
            return value
        called = FIELDS[found[1]]
        missing.append(called)
        return f"[{called}]"

    done = _FIELD.sub(filled, text)
    return done, list(dict.fromkeys(missing))


def load_canned(path: Path = CANNED_FILE) -> Mapping[str, Canned]:
    """Read the file; replies by key.

    Raises SettingsInvalid with everything that is wrong, each with its line.
    """
    problems: list[Problem] = []
    return _made(read(path, str(path), problems), problems)


def parse_canned(text: str, name: str = "canned.yml") -> Mapping[str, Canned]:
    """Read the text of such a file; see `load_canned`."""
    problems: list[Problem] = []
    return _made(parse(text, name, problems), problems)


def _made(top: Table | None, problems: list[Problem]) -> Mapping[str, Canned]:
    check = _Check(problems)
    table = check.top(top, "default", "replies")
    given = table.entries.get("default")
    default = check.text(given, "default", "")
    if not _LANGUAGE.fullmatch(default):
        what = f"default is {default!r}" if default else "there is no default"
        where = given.origin if given else table.origin
        check.tell(where, what, "should be a language, as in 'en'")
    made: dict[str, Canned] = {}
    met: dict[str, int] = {}
    for path, node in check.mappings(table.entries.get("replies"), "replies", table.origin):
        row = check.fits(_Row, node, path, "languages")
        texts = check.texts_of(node, f"{path}.languages", default)
        if row is not None and check.named(row.key, node, "key", path, met):
            made[row.key] = Canned(row.key, row.title, default, texts)
    if problems:
        raise SettingsInvalid(problems)
    return made


class _Check(ListCheck):
    """Reads the replies one by one."""

    def texts_of(self, node: Table, path: str, default: str) -> dict[str, str]:
        """Return the texts of a reply by language; there must be the default one."""
        entry = node.entries.get("languages")
        if entry is None or not isinstance(entry.node, Table):
            what = f"{path} is {kind_of(entry.node)}" if entry else f"there is no {path}"
            where = entry.origin if entry else node.origin
            self.tell(where, what, "should be a mapping by language, as in 'en: …'")
            return {}
        texts = {}
        for code, given in entry.node.entries.items():
            if not _LANGUAGE.fullmatch(code):
                what = f"{path} has a key that is no language code"
                self.tell(given.origin, what, "should be two letters, as in 'en'")
            else:
                texts[code] = self.reply(given, f"{path}.{code}")
        if default and default not in texts:
            what = f"{path} has no text in {default}, the default language"
            self.tell(entry.origin, what, f"add '{default}: …' to it")
        return texts

    def reply(self, entry: Entry, path: str) -> str:
        """Return one text. It may have several lines."""
        if not isinstance(entry.node, Scalar) or is_null(entry.node) or not entry.node.text.strip():
            kind = "empty" if isinstance(entry.node, Scalar) else kind_of(entry.node)
            self.tell(entry.origin, f"{path} is {kind}", "should be text")
            return ""
        said = entry.node.text.strip()
        if len(said) > LONGEST_TEXT:
            self.tell(entry.origin, f"{path} has more than {LONGEST_TEXT} characters", "shorten it")
        for found in _FIELD.finditer(said):
            if found[1] not in FIELDS:
                what = f"{path} has a field that is not known"
                self.tell(entry.origin, what, suggestion(found[1], FIELDS))
        return said

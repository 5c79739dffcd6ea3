"""Reading ``data/memory.yml``; everything wrong in it is told with its line."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from bot.perception.patterns import Index, Pattern, PatternWrong, compile_pattern
from bot.settings.nodes import Broken, Entry, Scalar, Table
from bot.settings.problems import Problem, SettingsInvalid, suggestion
from bot.settings.validate import Validator, kind_of
from bot.settings.yaml_lines import parse, read

MEMORY_FILE = Path("data/memory.yml")

_KEYS = ("days", "summary_after", "never", "facts")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_VALUE, _NAME_OF = "{value}", "{Name}"
_WORD = r"[^\W_][\w'’.-]*"
# A capital and small letters: not of the whole text, which is read whatever its letters are.
_CAPITAL = r"(?-i:(?:[A-Z]['’])?[A-ZÀ-ÖØ-ÞŁŚŻŹČŠŽ][^\W\d_A-Z])[\w'’-]*"
_MOST_DAYS = 3650


@dataclass(frozen=True)
class Rule:
    """How one fact is known: of a `slot` once one of `actions` was run, or of words it `says`.

    In those ``{value}`` stands for at most so many `words`; the whole of a sentence must be so.
    ``{Name}`` is two words at least that begin with capitals: “I am {Name}”, and not “I am late”.
    No word of a value is in `but`, and with `figures` there is a figure in it. `named` are words
    by which customers mean it.
    """

    key: str
    about: str
    kind: Literal["fact", "preference", "order"] = "fact"
    slot: str = ""
    actions: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    words: int = 3
    but: tuple[str, ...] = ()
    figures: bool = False
    days: int = 0
    named: tuple[str, ...] = ()

    def takes(self, value: str) -> bool:
        """Tell whether a value is one that may be known."""
        words = re.findall(r"\w+", value.casefold())
        if self.figures and not any(c.isdigit() for c in value):
            return False
        return bool(words) and not {word.casefold() for word in self.but} & set(words)


@dataclass(frozen=True)
class MemoryRules:
    """The file, read. `days` are those of a fact that names none, `summary_after` minutes.

    What has one of the patterns `never` in it is not remembered.
    """

    rules: tuple[Rule, ...] = ()
    never: Index = field(default_factory=lambda: Index(()), compare=False, repr=False)
    days: int = 365
    summary_after: int = 0

    def named(self, text: str) -> frozenset[str]:
        """Return the keys of the facts that a text names."""
        words = set(re.findall(r"\w+", text.casefold()))
        found = {rule.key for rule in self.rules if words & {w.casefold() for w in rule.named}}
        return frozenset(found)

    def lasts(self, rule: Rule) -> int:
        """Return for how many days a fact is kept."""
        return rule.days or self.days


def load_memory(
    path: Path = MEMORY_FILE,
    *,
    slots: Collection[str] | None = None,
    actions: Collection[str] | None = None,
) -> MemoryRules:
    """Read the file; without one nothing is remembered. `slots` and `actions` are all there are.

    Raises SettingsInvalid with everything that is wrong, each with its line.
    """
    try:
        state = path.stat()
    except OSError:
        return MemoryRules()
    version = (state.st_mtime_ns, state.st_size)
    return _read(path, version, _frozen(slots), _frozen(actions))


def _frozen(names: Collection[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)


@lru_cache(maxsize=8)
def _read(
    path: Path,
    version: tuple[int, int],
    slots: frozenset[str] | None,
    actions: frozenset[str] | None,
) -> MemoryRules:
    problems: list[Problem] = []
    return _made(read(path, str(path), problems), problems, slots, actions)


def parse_memory(
    text: str,
    name: str = "memory.yml",
    *,
    slots: Collection[str] | None = None,
    actions: Collection[str] | None = None,
) -> MemoryRules:
    """Read the text of such a file; see `load_memory`."""
    problems: list[Problem] = []
    return _made(parse(text, name, problems), problems, _frozen(slots), _frozen(actions))


@dataclass(frozen=True)
class _Top:
    days: int = 365
    summary_after: int = 0


def _made(
    top: Table | None,
    problems: list[Problem],
    slots: frozenset[str] | None,
    actions: frozenset[str] | None,
) -> MemoryRules:
    if top is None:
        raise SettingsInvalid(problems)
    check = Validator({}, problems)
    for key, entry in top.entries.items():
        if key not in _KEYS:
            check.unknown(key, entry, "", dict.fromkeys(_KEYS))
    plain = {k: e for k, e in top.entries.items() if k in ("days", "summary_after")}
    read_top = check.table(_Top, Table(plain, top.origin), "memory", top.origin)
    facts = top.entries.get("facts")
    rules: list[Rule] = []
    met: dict[str, int] = {}
    for n, node in enumerate(check.items(facts, "facts", "facts")):
        path = f"facts[{n}]"
        if isinstance(node, Broken):
            continue
        if not isinstance(node, Table):
            check.tell(node.origin, f"{path} is {kind_of(node)}", "should be a mapping")
            continue
        # `not` is no name in Python.
        entries = {"but" if k == "not" else k: e for k, e in node.entries.items()}
        one = check.table(Rule, Table(entries, node.origin), path, node.origin)
        rule = check.make(Rule, one, path, node.origin) if one.good else None
        if rule is not None and _fits(check, rule, node, path, met, slots, actions):
            rules.append(rule)
    never = _patterns(check, top.entries.get("never"))
    days = read_top.values.get("days", 365)
    if read_top.good and not 1 <= days <= _MOST_DAYS:
        where = top.entries["days"].origin
        check.tell(where, f"days is {days}", f"should be from 1 to {_MOST_DAYS}")
    if problems:
        raise SettingsInvalid(problems)
    after = read_top.values.get("summary_after", 0)
    return MemoryRules(tuple(rules), Index(never), days, max(0, after))


def _patterns(check: Validator, entry: Entry | None) -> list[Pattern]:
    made = []
    for n, node in enumerate(check.items(entry, "never", "patterns")):
        if isinstance(node, Broken):
            continue
        if not isinstance(node, Scalar):
            check.tell(node.origin, f"never[{n}] is {kind_of(node)}", "should be words")
            continue
        try:
            made.append(compile_pattern(node.text))
        except PatternWrong as error:
            check.tell(node.origin, f"never[{n}] {error}")
    return made


def _fits(
    check: Validator,
    rule: Rule,
    node: Table,
    path: str,
    met: dict[str, int],
    slots: frozenset[str] | None,
    actions: frozenset[str] | None,
) -> bool:
    before = len(check.problems)

    def tell(key: str, what: str, right: str = "") -> None:
        origin = node.entries[key].origin if key in node.entries else node.origin
        check.tell(origin, f"{path}.{key} {what}", right)

    if not _NAME.fullmatch(rule.key):
        tell("key", "is no name", "should be small letters, digits and '_'")
    elif rule.key in met:
        tell("key", f"is {rule.key!r}, taken in line {met[rule.key]}", "give each its own")
    met.setdefault(rule.key, node.origin.line)
    if bool(rule.slot) == bool(rule.says):
        check.tell(node.origin, f"{path} needs either slot or says")
    if rule.slot and not rule.actions:
        check.tell(node.origin, f"{path} has no actions", "name those that deal with the slot")
    if slots is not None and rule.slot and rule.slot not in slots:
        tell("slot", f"is {rule.slot!r}, which is no slot", suggestion(rule.slot, slots))
    for action in rule.actions:
        if actions is not None and action not in actions:
            tell("actions", f"has {action!r}, which is none", suggestion(action, actions))
    for phrase in rule.says:
        if phrase.count(_VALUE) + phrase.count(_NAME_OF) != 1:
            tell("says", f"has {phrase[:40]!r}", "should have {value} or {Name} in it once")
    if not 1 <= rule.words <= 12:
        tell("words", f"is {rule.words}", "should be from 1 to 12")
    if not 0 <= rule.days <= _MOST_DAYS:
        tell("days", f"is {rule.days}", f"should be from 1 to {_MOST_DAYS}")
    return len(check.problems) == before


@lru_cache(maxsize=256)
def pattern(phrase: str, words: int) -> re.Pattern[str]:
    """Return what finds a phrase of `Rule.says` as a whole sentence."""
    name = _NAME_OF in phrase
    before, _, after = phrase.partition(_NAME_OF if name else _VALUE)
    word, least = (_CAPITAL, 1) if name else (_WORD, 0)
    value = rf"(?P<value>{word}(?:[ ,]+{word}){{{least},{max(words - 1, least)}}})"
    told = r"\s+".join(map(re.escape, before.split()))
    rest = r"\s+".join(map(re.escape, after.split()))
    middle = rf"{told}\s+{value}" if told else value
    end = rf"\s+{rest}" if rest else ""
    polite = r"(?:hi|hello|hey|please|thanks)?[\s,!]*"
    return re.compile(rf"{polite}{middle}{end}[\s,]*(?:please|thanks|thank you)?", re.IGNORECASE)

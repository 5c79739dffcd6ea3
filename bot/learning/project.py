"""The project as it is now: intents with their examples, entities, synonyms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bot.dialogue.checking import names
from bot.dialogue.checking.domain import Domain, read_domain
from bot.dialogue.checking.finding import Findings
from bot.dialogue.checking.nlu import bare, normal
from bot.dialogue.checking.project import DATA, TESTS, domain_files, stamps, yaml_below
from bot.dialogue.checking.reading import Map, Seq, read, text_of
from bot.dialogue.checking.stories import Told, read_told
from bot.dialogue.sources import HELD_OUT
from bot.learning.contract import KnownIntent, Project
from bot.learning.edits import Placed, examples_in
from bot.learning.files import can_write

_SHOWN = 5


@dataclass
class Known:
    """What the files say. `tops` are their trees, by their names below the root.

    `silent` are entities that do not influence which answer comes next.
    """

    root: Path
    domain: Domain = field(default_factory=Domain)
    tops: dict[str, Map] = field(default_factory=dict)
    examples: list[Placed] = field(default_factory=list)
    held_out: list[Placed] = field(default_factory=list)
    synonyms: dict[str, str] = field(default_factory=dict)
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    told: list[Told] = field(default_factory=list)

    @property
    def here(self) -> bool:
        """Tell whether there is a project below the root."""
        return bool(self.domain.intents) and bool(self.tops)

    def places_of(self, text: str) -> list[Placed]:
        """Return where a text is an example already, if case and signs at its end do not matter."""
        key = normal(text)
        return [one for one in self.examples if normal(one.text) == key]

    def home_of(self, intent: str) -> str:
        """Return the file with most examples of an intent, "" for none."""
        return _home(one for one in self.examples if one.intent == intent)

    def project(self) -> Project:
        """Return what a designer can choose from."""
        by_intent: dict[str, list[Placed]] = {}
        for one in self.examples:
            by_intent.setdefault(one.intent, []).append(one)
        chosen = {
            name
            for name in (*self.domain.intents, *by_intent)
            if self.domain.known_intent(name) and (name in by_intent or name not in names.MADE)
        }
        intents = []
        for name in sorted(chosen):
            mine = by_intent.get(name, [])
            step = max(1, len(mine) // _SHOWN)
            shown = tuple(bare(one.text) for one in mine[::step][:_SHOWN])
            intents.append(KnownIntent(name, _home(mine), len(mine), shown))
        return Project(
            intents=tuple(intents),
            entities={name: self.roles.get(name, ()) for name in self.domain.entities},
            groups={name: self.groups.get(name, ()) for name in self.domain.entities},
            synonyms=dict(self.synonyms),
            here=self.here,
            writable=can_write(self.root),
        )


def read_known(root: Path, *, stories: bool = False) -> Known:
    """Read the files below `root`; those that cannot be read are as if they were not there.

    With `stories` rules, stories and tests as well.
    """
    known, findings = Known(root), Findings()
    for path in domain_files(root):
        top = read(path, path.relative_to(root).as_posix(), findings) if path.is_file() else None
        if top is not None:
            read_domain(top, known.domain, findings)
            _attributes(top, known)
    for path in (path for part in DATA for path in yaml_below(root / part)):
        name = path.relative_to(root).as_posix()
        top = read(path, name, findings)
        if top is None:
            continue
        known.tops[name] = top
        known.examples += examples_in(top)
        for one in examples_in(top, "synonym"):
            known.synonyms.setdefault(one.text.casefold(), one.intent)
        if stories:
            _stories(top, known, test=False)
    held_out = root / HELD_OUT
    top = read(held_out, HELD_OUT, findings) if held_out.is_file() else None
    known.held_out += examples_in(top) if top is not None else ()
    for path in yaml_below(root / TESTS) if stories else ():
        top = read(path, path.relative_to(root).as_posix(), findings)
        if top is not None:
            _stories(top, known, test=True)
    return known


class Reader:
    """Reads a project again only when its files have changed. May be shared by threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: tuple[object, Known] | None = None

    def read(self) -> Known:
        """Return the project as it is now."""
        paths = [
            *domain_files(self._root),
            *(p for part in DATA for p in yaml_below(self._root / part)),
        ]
        seen = stamps(paths)
        if self._known is None or self._known[0] != seen:
            self._known = seen, read_known(self._root)
        return self._known[1]


def _home(examples: Iterable[Placed]) -> str:
    counts = Counter(one.file for one in examples)
    return max(counts, key=lambda file: counts[file]) if counts else ""


def _stories(top: Map, known: Known, *, test: bool) -> None:
    for section in ("rules", "stories"):
        if section in top.pairs:
            at = top.pairs[section].at
            known.told += read_told(section, top.get(section), at, test=test, findings=Findings())


def _attributes(top: Map, known: Known) -> None:
    """Note the roles and groups of entities, and which have no influence."""
    entities = top.get("entities")
    for item in entities.items if isinstance(entities, Seq) else ():
        for name, pair in item.pairs.items() if isinstance(item, Map) else ():
            for key, into in (("roles", known.roles), ("groups", known.groups)):
                listed = pair.value.get(key) if isinstance(pair.value, Map) else None
                if isinstance(listed, Seq):
                    into[name] = tuple(filter(None, map(text_of, listed.items)))
            options = pair.value if isinstance(pair.value, Map) else None
            if options and text_of(options.get("influence_conversation")).lower() == "false":
                known.silent.add(name)

"""The project as it is now: intents with their examples, entities, synonyms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.dialogue.checking import names
from bot.dialogue.checking.domain import Domain
from bot.dialogue.checking.nlu import bare, normal
from bot.dialogue.checking.reading import Map, Seq, text_of
from bot.dialogue.checking.stories import Told
from bot.dialogue.checking.written import File, Written, written
from bot.learning.contract import KnownIntent, Project
from bot.learning.edits import Placed, examples_in
from bot.learning.files import can_write

_SHOWN = 5


@dataclass
class Known:
    """What the `files` say; as with those, nobody may change it.

    `silent` are entities that do not influence which answer comes next.
    """

    files: Written
    examples: list[Placed] = field(default_factory=list)
    held_out: list[Placed] = field(default_factory=list)
    synonyms: dict[str, str] = field(default_factory=dict)
    roles: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)

    @property
    def root(self) -> Path:
        """The project's folder."""
        return self.files.root

    @property
    def domain(self) -> Domain:
        """Everything that can be named."""
        return self.files.domain

    @property
    def here(self) -> bool:
        """Tell whether there is a project below the root."""
        return bool(self.domain.intents) and any(one.top is not None for one in self.files.data)

    @property
    def told(self) -> Iterator[Told]:
        """Rules, stories and tests."""
        yield from self.files.told
        for file in self.files.tests:
            yield from file.told

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


def read_known(root: Path) -> Known:
    """Return the files below `root` as they are now.

    Those that cannot be read are as if they were not there.
    """
    return written(root).made(_known)


def _known(project: Written) -> Known:
    known = Known(project)
    for top in _tops(project.domains):
        _attributes(top, known)
    for top in _tops(project.data):
        known.examples += examples_in(top)
        for one in examples_in(top, "synonym"):
            known.synonyms.setdefault(one.text.casefold(), one.intent)
    for top in _tops(project.held_out):
        known.held_out += examples_in(top)
    return known


def _tops(files: Iterable[File]) -> Iterator[Map]:
    return (file.top for file in files if file.top is not None)


def _home(examples: Iterable[Placed]) -> str:
    counts = Counter(one.file for one in examples)
    return max(counts, key=lambda file: counts[file]) if counts else ""


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

"""What the terminal and the console say to the learning inbox, and what they are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: What a conversation is made into: something to learn from, or an end-to-end test.
STORY, TEST = "story", "test"


class NoSuchLesson(LookupError):
    """There is no lesson of that id, or no conversation."""


class NotAllowed(ValueError):
    """What was decided cannot be so; the text says what and what would be right."""


class Elsewhere(NotAllowed):
    """The text is an example of another intent already, and is not to be of two.

    `intent`, `file` and `line` say where; deciding again with `Decided.move` moves it.
    """

    def __init__(self, intent: str, file: str, line: int) -> None:
        super().__init__(
            f"this is an example of {intent} already, in {file}:{line};"
            " move it here, or leave it there"
        )
        self.intent = intent
        self.file = file
        self.line = line


class CannotWrite(OSError):
    """The files cannot be written here; what was decided is kept in the store."""


@dataclass(frozen=True)
class Mark:
    """An entity in a text: characters `start` to `end`, the end not included.

    `value` is what is meant when it is not what stands there (a synonym), else "".
    """

    start: int
    end: int
    entity: str
    value: str = ""
    role: str = ""
    group: str = ""


def marks_of(encoded: Iterable[Mapping[str, Any]] | None) -> tuple[Mark, ...]:
    """Read back what `Lesson.marks` and ``Lesson.decided["marks"]`` hold."""
    return tuple(Mark(**one) for one in encoded or ())


@dataclass(frozen=True)
class Decided:
    """What a designer made of a lesson: the example to be learned.

    `text` is without personal data; `marks` do not overlap and are in order. With `move` the
    text is taken away from another intent that has it as an example.
    """

    intent: str
    text: str
    marks: tuple[Mark, ...] = ()
    move: bool = False

    def encode(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {**asdict(self), "marks": [asdict(mark) for mark in self.marks]}

    @classmethod
    def decode(cls, value: Mapping[str, Any]) -> Decided:
        """Read back what `encode` returned."""
        return cls(**{**value, "marks": marks_of(value.get("marks"))})


@dataclass(frozen=True)
class Written:
    """Where something was written; `new` is False when it stood there already.

    `file` is as below the project's root, `line` counts from 1. `warnings` are what the check of
    the project says of these files now, a line each. `moved` is ``file:line`` of where it was
    taken away, "" when it was nowhere.
    """

    file: str
    line: int
    new: bool = True
    warnings: tuple[str, ...] = ()
    moved: str = ""


@dataclass(frozen=True)
class KnownIntent:
    """An intent that examples can be given to.

    `file` is where its examples are, "" when it has none yet; `count` how many there are,
    `examples` a few of them, without annotations.
    """

    name: str
    file: str = ""
    count: int = 0
    examples: tuple[str, ...] = ()


@dataclass(frozen=True)
class Project:
    """What a designer can choose from.

    `intents` are by name. `entities` are by name with their roles, `groups` likewise.
    `synonyms` have what is said, in lower case, and what it means. `here` is False when there
    is no project below the root (a host without the files), `writable` when its folder of data
    cannot be changed.
    """

    intents: tuple[KnownIntent, ...] = ()
    entities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    synonyms: Mapping[str, str] = field(default_factory=dict)
    here: bool = True
    writable: bool = True


@dataclass(frozen=True)
class Draft:
    """A story or test as it would be written.

    `yaml` is the item as it will stand in `file`, with its indentation; a designer may change
    it. `title` is unique among stories. `warnings` say what of the conversation is not in it.
    """

    kind: str
    conversation: str
    title: str
    file: str
    yaml: str
    warnings: tuple[str, ...] = ()

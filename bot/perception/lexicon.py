"""The words by which mood, urgency and language are told: ``lexicon/LANGUAGE.txt``.

A line is ``KIND: entry, entry``. An entry is a word, words, or the beginning of a word
(``disgust*``). Kinds are weights from -4 to 4, ``rude -3`` (a weight too), ``not`` and
``not after`` (which turn what follows or precedes), ``very``, ``little``, ``but``, ``urgent
0.4`` (up to 1), ``calm``, and ``tells``, the words that give the language away. What is in
``common.txt`` is of every language; there entries are parted by spaces, as emoji are, and
``neutral`` are words that tell no language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

from bot.perception.patterns import plain

FOLDER = Path(__file__).parent / "lexicon"
COMMON = "common"
#: Where a language has no file of its own.
FALLBACK = "en"

_SIGN = re.compile(r"[^\w\s]")
_LEAST_STEM = 3
_HEAVIEST = 4


class LexiconBroken(Exception):
    """A lexicon file cannot be read. The text names file and line, and what would be right."""


class Entries:
    """Words, phrases and beginnings of words, each with a value."""

    def __init__(self) -> None:
        self._words: dict[str, tuple[float, str]] = {}
        self._stems: dict[str, tuple[float, str]] = {}
        self._phrases: dict[str, list[tuple[list[str], float, str]]] = {}

    def add(self, entry: str, value: float) -> None:
        """Add an entry. Raises ValueError for one without letters or with ``*`` within it."""
        bare = entry.removesuffix("*")
        words = split(bare)
        if not words or "*" in bare or (bare != entry and len(words[-1]) < _LEAST_STEM):
            raise ValueError(entry)
        # Many leave the apostrophe out.
        for first, *rest in {tuple(words), tuple(word.replace("'", "") for word in words)}:
            if rest:
                rest[-1] += entry[len(bare) :]
                found = self._phrases.setdefault(first, [])
                found.append(([first, *rest], value, entry))
                found.sort(key=lambda phrase: -len(phrase[0]))
            else:
                kept = self._stems if bare != entry else self._words
                kept.setdefault(first, (value, entry))

    def find(self, words: Sequence[str], at: int) -> tuple[int, float, str] | None:
        """Return how many words from `at` on are an entry, its value, and the entry."""
        for phrase, value, entry in self._phrases.get(words[at], ()):
            if _begins(words[at : at + len(phrase)], phrase):
                return len(phrase), value, entry
        for word in (words[at], words[at].rpartition("'")[2]):
            known = self._words.get(word)
            for end in range(len(word), _LEAST_STEM - 1, -1) if self._stems else ():
                known = known or self._stems.get(word[:end])
            if known:
                return 1, *known
        return None

    def __len__(self) -> int:
        return len(self._words) + len(self._stems) + sum(map(len, self._phrases.values()))


@dataclass
class Lexicon:
    """One language's words, with those of every language."""

    weights: Entries = field(default_factory=Entries)
    before: Entries = field(default_factory=Entries)
    after: Entries = field(default_factory=Entries)
    very: Entries = field(default_factory=Entries)
    little: Entries = field(default_factory=Entries)
    but: Entries = field(default_factory=Entries)
    urgent: Entries = field(default_factory=Entries)
    calm: Entries = field(default_factory=Entries)
    #: Emoji and the like, with their weights and urgencies.
    signs: dict[str, float] = field(default_factory=dict)
    alarms: dict[str, float] = field(default_factory=dict)
    tells: frozenset[str] = frozenset()
    neutral: frozenset[str] = frozenset()

    @cached_property
    def sign_pattern(self) -> re.Pattern[str]:
        """What finds signs in a text as it was written."""
        signs = sorted({*self.signs, *self.alarms}, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, signs)) or "(?!)")


def split(text: str) -> list[str]:
    """Return the words of a text as entries have them, and ``.`` where a clause ends.

    What is negated stands in the same clause: "still nothing, useless" is no praise.
    """
    return plain(text.replace(",", ".")).replace("' ", "'").split()


@lru_cache(maxsize=32)
def lexicon(language: str) -> Lexicon:
    """Return the lexicon of a language, that of `FALLBACK` when there is none.

    Raises LexiconBroken.
    """
    path = FOLDER / f"{language}.txt"
    made = Lexicon()
    read_lexicon(path if path.is_file() else FOLDER / f"{FALLBACK}.txt", made)
    read_lexicon(FOLDER / f"{COMMON}.txt", made, by_spaces=True)
    return made


def read_lexicon(path: Path, into: Lexicon, *, by_spaces: bool = False) -> None:
    """Add a file's entries to `into`. Raises LexiconBroken."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LexiconBroken(f"{path.name}: cannot be read as UTF-8 text") from error
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        kind, colon, rest = line.partition(":")
        entries = rest.split() if by_spaces else [e.strip() for e in rest.split(",")]
        try:
            if not colon:
                raise ValueError(line)
            _take(into, kind.strip(), entries)
        except ValueError as error:
            what = f"{path.name}:{number}: {str(error)[:40]!r} is no kind or entry"
            raise LexiconBroken(f"{what}, a line is 'KIND: word, stem*, some words'") from error


def _take(into: Lexicon, kind: str, entries: Sequence[str]) -> None:
    name, _, number = kind.rpartition(" ")
    kinds = {
        "not": into.before,
        "not after": into.after,
        "very": into.very,
        "little": into.little,
        "but": into.but,
        "calm": into.calm,
    }
    if kind == "tells":
        into.tells |= {word for entry in entries for word in split(entry)}
    elif kind == "neutral":
        into.neutral |= {word for entry in entries for word in split(entry)}
    elif kind in kinds:
        for entry in entries:
            kinds[kind].add(entry, 1.0)
    elif name in ("", "rude", "urgent"):
        value = float(number)
        urgent = name == "urgent"
        if not (0 < value <= 1 if urgent else 0 < abs(value) <= _HEAVIEST):
            raise ValueError(kind)
        for entry in entries:
            # "lol" is a word, "🙂" and ":-)" are signs, as is ":D".
            if _SIGN.match(entry):
                (into.alarms if urgent else into.signs)[entry] = value
            else:
                (into.urgent if urgent else into.weights).add(entry, value)
    else:
        raise ValueError(kind)


def _begins(words: Sequence[str], phrase: Sequence[str]) -> bool:
    if list(words[:-1]) != list(phrase[:-1]) or len(words) < len(phrase):
        return False
    last = phrase[-1]
    return words[-1].startswith(last[:-1]) if last.endswith("*") else words[-1] == last

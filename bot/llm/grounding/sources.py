"""The sources as sentences and neighbourhoods, and how rare each word is among them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.llm.grounding.facts import TO, Fact
from bot.llm.grounding.promising import PROMISES
from bot.llm.grounding.reading import Sentence, Word, alike, plain, read, split

_MOST_NEXT = 3  # sentences of one neighbourhood
_BOUNDARY = re.compile(
    r"[,;:.()|]|\b(?:and|but|while|und|aber|et|mais|y|pero|e|ma|en|maar|mas|i|ale)\b"
)
# A sentence that speaks of what the one before it spoke of.
_FOLLOWS = re.compile(
    r"^\W*(?:this|that|these|those|then|we then|both|otherwise|das|dies\w*|dann|cela|ce|esto|eso|"
    r"questo|dit|isto|to|one)\b|^\W*(?:[^\s,;]+\s+){0,4}(?:it|they|er|es|sie|il|elle|ils|elles|"
    r"ellos|"
    r"essi|het|ze)\b",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^#{1,6}\s|›|^[^.!?;:,]{1,70}$")


@dataclass(frozen=True, slots=True)
class Window:
    """Up to three sentences in a row of one source, with the headings they stand under."""

    source: int
    sentences: tuple[Sentence, ...]
    stems: frozenset[str]
    facts: frozenset[tuple[str, str]]
    promises: frozenset[str]
    text: str


class Sources:
    """What an answer may draw from."""

    def __init__(self, texts: Sequence[str], language: str) -> None:
        self.sentences: list[Sentence] = []
        self.windows: list[Window] = []
        self.topics: dict[int, frozenset[str]] = {}
        for number, text in enumerate(texts):
            self._add(number, plain(text), language)
        order = {id(sentence): i for i, sentence in enumerate(self.sentences)}
        self._before = {id(s): self.sentences[order[id(s)] - 1] for s in self.sentences[1:]}
        self._count: dict[str, int] = {}
        for sentence in self.sentences:
            for stem in sentence.stems:
                self._count[stem] = self._count.get(stem, 0) + 1
        self.facts = frozenset(f for window in self.windows for f in window.facts)

    def _add(self, number: int, text: str, language: str) -> None:
        heads: list[Sentence] = []
        body: list[Sentence] = []
        under: list[tuple[Sentence, ...]] = []
        last_was_heading = False
        for i, one in enumerate(split(text)):
            is_heading = one.startswith("#") or (i == 0 and bool(_HEADING.search(one)))
            sentence = read(one, language, source=True, heading=is_heading)
            if is_heading:
                # A new heading below text replaces the one before, the first line stays.
                heads = (
                    [*heads, sentence] if last_was_heading or not heads else [heads[0], sentence]
                )
            else:
                body.append(sentence)
                under.append(tuple(heads))
            last_was_heading = is_heading
            self.sentences.append(sentence)
            self.topics[id(sentence)] = frozenset(s for h in heads for s in h.stems)
        if not body:
            body, under = heads, [() for _ in heads]
        for size in range(1, _MOST_NEXT + 1):
            for i in range(len(body) - size + 1):
                follow = all(_FOLLOWS.search(s.text) for s in body[i + 1 : i + size])
                if under[i] == under[i + size - 1] and follow:
                    self.windows.append(_window(number, body[i : i + size], under[i]))

    def before(self, sentence: Sentence) -> Sentence | None:
        """Return the sentence that stands before one of these."""
        return self._before.get(id(sentence))

    def weight(self, stem: str) -> float:
        """Return how much a stem tells: more, the fewer sentences hold it."""
        return math.log(1 + (1 + len(self.sentences)) / (1 + self._count.get(stem, 0)))


def _window(number: int, sentences: Sequence[Sentence], heads: Sequence[Sentence]) -> Window:
    everything = (*heads, *sentences)
    text = "\n".join(s.text for s in everything)
    return Window(
        number,
        tuple(sentences),
        frozenset(stem for s in everything for stem in s.stems),
        frozenset((_kind(f), f.value) for s in everything for f in s.facts),
        promises(text),
        text,
    )


def _kind(fact: Fact) -> str:
    return "weekday" if fact.kind == "through" else fact.kind


def promises(text: str) -> frozenset[str]:
    """Return the kinds of promises that a text makes or speaks of."""
    return frozenset(kind for kind, pattern in PROMISES.items() if pattern.search(text))


def has(stems: Iterable[str], stem: str) -> bool:
    """Tell whether a stem, or another of its word, is among `stems`."""
    return stem in stems or any(alike(stem, other) for other in stems)


def within(sentence: Sentence, fact: Fact) -> tuple[list[Word], list[Fact]]:
    """Return the words and facts that belong to a fact: those up to others of its kind."""
    days = ("weekday", "through")
    start, end = 0, len(sentence.text)
    for other in sentence.facts:
        if other.kind != fact.kind and not (other.kind in days and fact.kind in days):
            continue
        if _joined(sentence.text, fact, other):
            continue
        if other.end <= fact.start:
            start = max(start, _border(sentence.text, other.end, fact.start, first=True))
        elif other.start >= fact.end:
            end = min(end, _border(sentence.text, fact.end, other.start, first=False))
    words = [word for word in sentence.every if start <= word.start < end]
    return words, [f for f in sentence.facts if start <= f.start < end]


def _joined(text: str, one: Fact, other: Fact) -> bool:
    """Tell whether two facts are the ends of a range."""
    first, last = sorted((one, other), key=lambda f: f.start)
    return bool(re.fullmatch(rf"{TO}(?:[£€$]\s?)?", text[first.end : last.start], re.IGNORECASE))


def territory(sentence: Sentence, fact: Fact) -> frozenset[str]:
    """Return the stems that belong to a fact; weekdays are ``day 0`` to ``day 6``."""
    words, facts = within(sentence, fact)
    days = {f"day {f.value}" for f in facts if f.kind in ("weekday", "through")}
    return frozenset(days.union(word.stem for word in words if word in sentence.words))


def _border(text: str, start: int, end: int, *, first: bool) -> int:
    """Return where between two facts of a kind the words of the one end."""
    match = _BOUNDARY.search(text, start, end)
    if match:
        return match.start()
    # A range or a list without a mark: what lies between is of both.
    return start if first else end

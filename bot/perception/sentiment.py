"""What one message sounds like, by a lexicon: how good or bad, and how pressing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.perception.lexicon import FALLBACK, Entries, Lexicon, lexicon, split

#: How far a negation, or a word that weighs more or less, reaches.
_REACH = 3
_VERY, _LITTLE = 1.35, 0.7
#: "Not good" is less bad than "bad", "not bad" less good than "good".
_NOT_GOOD, _NOT_BAD = -0.75, -0.35
_BEFORE_BUT, _AFTER_BUT = 0.6, 1.25
_SHOUTED = 1.3
#: The larger, the more words it takes to be certain.
_SOFT = 15.0
_WORD = re.compile(r"[^\W\d_]{3,}")
_MARKS = re.compile(r"[!?！？]{2,}")
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Felt:
    """The judgement of one message: `score` from -1 to 1, `urgency` from 0 to 1.

    `certain` says that something in it was told by; without, the score is 0 for want of
    anything better. `calm` is a customer who says that there is no hurry. `told` are the
    entries and signs it was told by.
    """

    score: float
    urgency: float
    certain: bool
    calm: bool
    told: tuple[str, ...]


def feel(text: str, language: str) -> Felt:
    """Judge a message by the lexicon of its language, by English where that knows no word."""
    found = _feel(text, lexicon(language))
    if language != FALLBACK and not found.certain and not found.urgency:
        return _feel(text, lexicon(FALLBACK))
    return found


def shouts(text: str) -> bool:
    """Tell whether a text is in capitals: two words at least, and most of its letters."""
    words = _WORD.findall(text)
    loud = [word for word in words if word.isupper()]
    return len(loud) > 1 and sum(map(len, loud)) >= 0.7 * sum(map(len, words))


def _feel(text: str, words_of: Lexicon) -> Felt:
    words = split(text)
    told: list[str] = []
    total = _weigh(words, words_of, told)
    signs = words_of.sign_pattern.findall(text)
    for sign in signs:
        total += words_of.signs.get(sign, 0.0)
        told.append(sign)
    urgency, calm = _press(words, words_of, told)
    for sign in signs:
        urgency = _both(urgency, words_of.alarms.get(sign, 0.0))
    certain = bool(total) or bool(told)
    if shouts(text):
        total = total * _SHOUTED if total else -1.0
        urgency = _both(urgency, 0.1)
        told.append("capitals")
        certain = True
    marks = _MARKS.findall(text)
    if marks:
        most = min(max(map(len, marks)), 5)
        total *= 1 + 0.06 * most
        if any("?" in m or "？" in m for m in marks) and total <= 0:
            total -= 0.6
            certain = True
        urgency = _both(urgency, 0.1)
        told.append(marks[0][:3])
    score = total / (total * total + _SOFT) ** 0.5
    return Felt(score, 0.0 if calm else urgency, certain, calm, tuple(told[:_SHOWN]))


def _weigh(words: list[str], words_of: Lexicon, told: list[str]) -> float:
    found: list[tuple[int, float]] = []
    # "No funciona" negates nothing that follows.
    used: set[int] = set()
    turn = -1
    at = 0
    while at < len(words):
        if words_of.but.find(words, at):
            turn = at
        entry = words_of.weights.find(words, at)
        if entry is None:
            at += 1
            continue
        length, weight, name = entry
        after = at + length
        # "Damn good" is no swearing.
        follows = words_of.weights.find(words, after) if after < len(words) else None
        if words_of.very.find(words, at) and follows and follows[1] > 0:
            at += length
            continue
        found.append((at, weight * _change(words, at, after, weight, words_of, used)))
        used.update(range(at, after))
        told.append(name)
        at += length
    if turn < 0:
        return sum(weight for _, weight in found)
    return sum(w * (_BEFORE_BUT if place < turn else _AFTER_BUT) for place, w in found)


def _change(
    words: list[str], at: int, after: int, weight: float, words_of: Lexicon, used: set[int]
) -> float:
    """Return by what the words around an entry multiply it."""
    factor, negated = 1.0, False
    for place in range(at - 1, max(at - 1 - _REACH, -1), -1):
        if words[place] == "." or words_of.but.find(words, place):
            break
        if place in used:
            continue
        if words_of.before.find(words, place):
            negated = True
        elif place >= at - 2 and words_of.very.find(words, place):
            factor *= _VERY
        elif place >= at - 2 and words_of.little.find(words, place):
            factor *= _LITTLE
    negated = negated or _turned_after(words, after, words_of.after)
    if negated:
        factor *= _NOT_GOOD if weight > 0 else _NOT_BAD
    return factor


def _turned_after(words: list[str], after: int, entries: Entries) -> bool:
    for place in range(after, min(after + _REACH, len(words))):
        if words[place] == ".":
            return False
        if entries.find(words, place):
            return True
    return False


def _press(words: list[str], words_of: Lexicon, told: list[str]) -> tuple[float, bool]:
    urgency, calm = 0.0, False
    at = 0
    while at < len(words):
        quiet = words_of.calm.find(words, at)
        entry = quiet or words_of.urgent.find(words, at)
        if entry:
            told.append(entry[2])
            calm = calm or quiet is not None
            urgency = urgency if quiet else _both(urgency, entry[1])
        at += entry[0] if entry else 1
    return urgency, calm


def _both(one: float, other: float) -> float:
    return 1 - (1 - one) * (1 - other)

"""The part of a passage that answers a question, word for word, as long as a channel likes it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from bot.knowledge.contract import Passage
from bot.knowledge.words import Stems, stop_words, words_of

_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+(?=[\"'“‘(]*[^\W\d_a-z])")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s")
_ROW = re.compile(r"\s*\|")
_RULE = re.compile(r"[\s|:-]+")


def quote(passage: Passage, question: str, limit: int) -> str:
    """Return what of a passage answers a question, at most `limit` characters, in its order.

    The whole passage if it fits. Otherwise the sentence, list item or row that has most in
    common with the question, with its neighbours for as long as there is room. Never cut
    inside a sentence, unless that alone is too long.
    """
    if len(passage.text) <= limit:
        return passage.text
    pieces = _pieces(passage.text)
    asked = stems(question, passage.language)
    scores = [_score(piece, asked, passage.language) for _, piece in pieces]
    best = max(range(len(pieces)), key=lambda n: (scores[n], -n))
    first = last = best
    length = len(pieces[best][1])
    while True:
        # What follows explains, what comes before introduces: the better of both goes on.
        sides = [
            (scores[n] + (0.5 if n > best else 0.0), n)
            for n in (first - 1, last + 1)
            if 0 <= n < len(pieces)
            and length + len(pieces[n][1]) + 1 <= limit
            # Another paragraph only if it has to do with the question.
            and (scores[n] > 0 or pieces[max(n, best)][0] != "\n\n")
        ]
        if not sides:
            break
        _, n = max(sides)
        first, last = min(first, n), max(last, n)
        length += len(pieces[n][1]) + 1
    text = _joined(pieces[first : last + 1])
    return text if len(text) <= limit else text[: max(limit - 1, 1)].rstrip() + "…"


def quote_all(passages: Sequence[Passage], question: str, limit: int) -> str:
    """Quote the first of some passages of one article, and of the others what still fits whole.

    They come in the article's order, each below its heading when there are several.
    """
    first, *others = passages
    text = quote(first, question, limit)
    shown = {_place(first): (first, text)}
    length = len(text) + len(_headed(first, ""))
    for passage in others:
        more = len(_headed(passage, passage.text)) + 2
        if length + more <= limit:
            shown[_place(passage)] = (passage, passage.text)
            length += more
    if len(shown) == 1:
        return text
    return "\n\n".join(_headed(*shown[place]) for place in sorted(shown))


def _place(passage: Passage) -> int:
    return int(passage.id.rpartition("#")[2])


def _headed(passage: Passage, text: str) -> str:
    heading = passage.headings[-1] if passage.headings else ""
    return f"**{heading}**\n{text}" if heading else text


def stems(text: str, language: str) -> frozenset[str]:
    """Return the stems of the words of a text that say something."""
    stem, silent = _stems(language), stop_words(language)
    return frozenset(stem(word) for word in words_of(text) if word not in silent)


def _pieces(text: str) -> list[tuple[str, str]]:
    """Return the sentences, list items and rows of a text, each with what stands before it."""
    pieces: list[tuple[str, str]] = []
    for block in re.split(r"\n\s*\n", text.strip()):
        between = "\n\n"
        lines = block.split("\n")
        if any(_ITEM.match(line) or _ROW.match(line) for line in lines):
            for line in lines:
                if line.strip():
                    pieces.append((between, line))
                    between = "\n"
            continue
        for sentence in _SENTENCE.split(" ".join(line.strip() for line in lines)):
            if sentence.strip():
                pieces.append((between, sentence.strip()))
                between = " "
    return pieces


def _joined(pieces: list[tuple[str, str]]) -> str:
    head, *rest = pieces
    return head[1] + "".join(between + piece for between, piece in rest)


def _score(piece: str, asked: frozenset[str], language: str) -> float:
    if _RULE.fullmatch(piece):
        return 0.0
    found = stems(piece, language)
    return float(len(asked & found) / (1 + len(found)) ** 0.3)


@lru_cache(maxsize=32)
def _stems(language: str) -> Stems:
    return Stems(language)

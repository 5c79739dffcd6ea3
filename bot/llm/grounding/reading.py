"""Takes a text apart into sentences, words and facts, so that two can be held together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bot.llm.grounding.denials import (
    EXCEPTIONS,
    NEGATIVE_PHRASES,
    NEGATORS,
    NOT_NEGATORS,
    NOTHING_TO_PAY,
    OPPOSITES,
    SCOPE_ENDS,
)
from bot.llm.grounding.facts import Fact, facts
from bot.llm.grounding.lexicon import GENERIC, IRREGULAR, LANGUAGES, SAME, SMALL_WORDS, listed
from bot.llm.masking.surface import surface

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_SPLIT = re.compile(
    r"(?<=[.!?…])[\"')\]]*\s+(?=[^\W_a-zà-ÿ]|[\"'(¿¡£€$])|\n+|"
    r"(?<=[a-z]{3}[.!?])(?=[A-ZÀ-Ý][a-zà-ÿ])"
)
_NOT_THE_END = re.compile(
    r"\b(?:e\.g|i\.e|etc|approx|no|nr|str|z\.b|bzw|ca|u\.a|p\.ex|ej|es|bijv|np|m\.in|ul|mr|mrs|"
    r"ms|dr|vs|incl|excl|"
    r"mon|tue|wed|thu|fri|sat|sun)\.$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+", re.MULTILINE)
_CITATION = re.compile(r"\s?\[(?:\^?\d{1,2}|[\w/\-]+#\d+)(?:\s?,\s?(?:\d{1,2}|[\w/\-]+#\d+))*\]")
_MARKDOWN_LINK = re.compile(r"!?\[([^\[\]]*)\]\(([^()\s]*)[^()]*\)")
_PHRASES = (
    (NOTHING_TO_PAY, "free"),
    (
        re.compile(r"\b(?:send|sending|sent|bring|bringing|ship)((?: [\w']+){0,4}?) back\b", re.I),
        r"return\1",
    ),
    (re.compile(r"\b(?:(?:get|getting) (?:your|the) )?money back\b", re.I), "refund"),
    (re.compile(r"\bpick(?:ed|ing)?(?: (?:it|them))? up\b|\bpick-?up\b", re.I), "collect"),
    (re.compile(r"\be-?mail", re.I), "mail"),
    (re.compile(r"\bdays off\b", re.I), "days"),
    (re.compile(r"\bnon[- ](?=[a-z])", re.I), "not "),
    (re.compile(r"\bchange (?:your|my|their) mind\b", re.I), "return"),
)
_OWN = re.compile(r"[,;:.!?()|]|-(?=\s)")
_CLAUSE_END = re.compile(r"[;:.!?()|]|\s-\s")
_AUXILIARY = listed(
    "can are is may will must be do does has have kann können ist sind peut peuvent puede pueden"
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word: its stem, where it stands, whether it is denied, and how it was written.

    `beside` a denial stand the other words of its sentence, ``gift cards cannot be sold``.
    """

    stem: str
    start: int
    denied: bool
    said: str
    beside: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence. `words` are those that carry something, `every` all but the smallest."""

    text: str
    words: tuple[Word, ...]
    every: tuple[Word, ...]
    facts: tuple[Fact, ...]
    heading: bool = False

    @property
    def stems(self) -> frozenset[str]:
        """The stems of all its words."""
        return frozenset(word.stem for word in self.every)


def plain(text: str) -> str:
    """Return `text` without Markdown, citations and what cannot be seen, one quote for all."""
    text = (
        surface(text).text.replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    )
    text = _MARKDOWN_LINK.sub(r"\1 \2", _CITATION.sub("", text))
    text = re.sub(r"[*_`~]{1,3}(?=\S)|(?<=\S)[*_`~]{1,3}", "", text)
    for pattern, word in _PHRASES:
        text = pattern.sub(word, text)
    return text


def guess(text: str) -> str:
    """Return which of the languages `text` is most likely in, by its small words."""
    words = [w.lower() for w in _WORD.findall(text)]
    counts = {code: sum(w in small for w in words) for code, small in SMALL_WORDS.items()}
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] > counts["en"] else "en"


def split(text: str) -> list[str]:
    """Return the sentences of a plain text."""
    out: list[str] = []
    at = 0
    for match in _SPLIT.finditer(text):
        head = text[at : match.start()]
        if _NOT_THE_END.search(head) and "\n" not in match.group():
            continue
        out.append(head)
        at = match.end()
    out.append(text[at:])
    return [s for s in (_BULLET.sub("", one).strip() for one in out) if s]


def read(text: str, language: str, *, source: bool = False, heading: bool = False) -> Sentence:
    """Return one plain sentence taken apart."""
    text = re.sub(r"^#+\s*", "", text)
    found = tuple(facts(text, language, source=source))
    taken = [(f.start, f.end) for f in found]
    small = SMALL_WORDS.get(language, frozenset()) | (
        SMALL_WORDS["en"] if language == "en" else frozenset()
    )
    words: list[Word] = []
    every: list[Word] = []
    denials = _denials(text, language)
    beside = any(denied for _, _, denied in denials)
    for said, start, denied in denials:
        raw = _SHORTENED.sub("", said) if language == "en" else said
        if any(s <= start < e for s, e in taken) or raw in small or len(raw) < 2:
            continue
        negative = raw in OPPOSITES
        word = Word(stem(OPPOSITES.get(raw, raw), language), start, denied != negative, raw, beside)
        if _negates(said, language):
            continue
        every.append(word)
        if not (language == "en" and raw in GENERIC):
            words.append(word)
    return Sentence(text, tuple(words), tuple(every), found, heading)


def _denials(text: str, language: str) -> list[tuple[str, int, bool]]:
    """Return each word, where it begins, and whether a negation reaches it."""
    harmless = [m.span() for m in NEGATIVE_PHRASES.finditer(text)]
    tokens = [(m.group().lower(), m.start()) for m in _WORD.finditer(text)]
    small = SMALL_WORDS.get(language, frozenset())
    denied = [False] * len(tokens)
    for i, (word, start) in enumerate(tokens):
        if word in ("excluding",) or EXCEPTIONS.match(word):
            for j in range(i + 1, min(len(tokens), i + 6)):
                if tokens[j][0] in _AUXILIARY or _OWN.search(text, start, tokens[j][1]):
                    break
                denied[j] = not denied[j]
            continue
        if not _negates(word, language) or any(s <= start < e for s, e in harmless):
            continue
        reached = 0
        for j in range(i + 1, len(tokens)):
            if tokens[j][0] in SCOPE_ENDS or _CLAUSE_END.search(text, start, tokens[j][1]):
                break
            if _negates(tokens[j][0], language):
                continue
            denied[j] = True
            reached += tokens[j][0] not in small
        # "Wir liefern nicht.", "is excluded": what is denied stands before it.
        if not reached or language in ("de", "nl"):
            for j in range(i - 1, max(-1, i - 5), -1):
                if tokens[j][0] in SCOPE_ENDS or _OWN.search(text, tokens[j][1], start):
                    break
                denied[j] = True
    return [(word, start, no) for (word, start), no in zip(tokens, denied, strict=True)]


def _negates(word: str, language: str) -> bool:
    if word.endswith("n't"):
        return True
    return word in NEGATORS and word not in NOT_NEGATORS.get(language, frozenset())


_SHORTENED = re.compile(r"'(?:ll|ve|re|d|m|s)$")
_SAME = {other: group.split()[0] for group in map(" ".join, SAME) for other in group.split()}


def stem(word: str, language: str) -> str:
    """Return the stem of a word in lower case, that of its synonyms in English."""
    if language == "en":
        word = IRREGULAR.get(word, word)
    found = str(_stemmer(LANGUAGES.get(language, "english")).stemWord(word))
    return _SAME.get(found, found) if language == "en" else found


@lru_cache(maxsize=16)
def _stemmer(name: str) -> Any:
    import Stemmer

    return Stemmer.Stemmer(name)


def alike(one: str, other: str) -> bool:
    """Tell whether two stems are of one word, ``personalis`` and ``personal``."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    return (
        len(short) >= 5
        and len(short) >= 0.7 * len(long)
        and long.startswith(short[: max(5, len(short) - 1)])
    )

"""The notation in which designers say what customers write: ``my (lawyer|solicitor)``.

A pattern is words. ``lawyer*`` is any word that begins so, ``*anwalt`` any that ends so,
``(a|b c)`` one of these, ``(a|b)?`` one of these or nothing, ``...`` up to four words. It is
looked for anywhere in a message, as whole words, whatever the case, accents, punctuation and
apostrophes: ``can't`` is ``cant`` and ``CAN’T``, ``Anwält`` is ``anwalt`` and ``anwaelt``. It
never reaches over the end of a sentence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

#: Characters of a message that are looked at; who writes more has said it by then.
LONGEST = 8000
#: The most words that ``...`` stands for.
GAP = 4

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´′＇", "'"))
# What Unicode does not take apart into a letter and its mark.
_PLAIN = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})
# Of Latin, Greek and Cyrillic letters; the vowels of Hebrew and Arabic, and what stands on an alef.
_MARKS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")
_INITIALS = re.compile(r"(?<=\b\w)\.(?=\w\b)")
_SENTENCE_END = re.compile(r"[.!?;…\n\r\u2028\u2029]+")
_APOSTROPHE = re.compile(r"(?:(?<=\w)'(?=(\w))|')")
_NO_WORD = re.compile(r"[^\w'.]+|_+")
_SPACES = re.compile(r"\s+")
_WORD = re.compile(r"[^\W_]+")
#: Letters by which patterns are looked up.
_KEY = 4
#: Letters beside a ``*``; with fewer it would be nearly any word.
_LEAST = 3

_TOKEN = re.compile(r"\s*(?:(\.\.\.)|([(|)])(\?)?|(\*?[^\W_]+(?:['-][^\W_]+)*'?\*?)(\?)?|(\S))")
_UMLAUTS = {"ä": "ae?", "ö": "oe?", "ü": "ue?"}


class PatternWrong(ValueError):
    """A pattern cannot be used. The text says what is wrong, and what would be right."""


def plain(text: str) -> str:
    """Return the first `LONGEST` characters of a message as patterns see it.

    Lower case without accents, invisible characters and punctuation, words parted by one
    space; `` . `` where a sentence ends.
    """
    text = text[:LONGEST].translate(_APOSTROPHES)
    if not text.isascii():
        visible = "".join(c for c in text if unicodedata.category(c) != "Cf")
        text = unicodedata.normalize("NFKD", visible)
    text = text.casefold()
    if not text.isascii():
        # Folding makes accents of its own, as the dot of a Turkish capital I.
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_PLAIN)
    text = _INITIALS.sub("", text)
    # ``l'avocat`` is two words, ``can't`` one; either is one with a space for patterns.
    text = _APOSTROPHE.sub(lambda m: "' " if m[1] else " ", text)
    text = _NO_WORD.sub(" ", _SENTENCE_END.sub(" . ", text))
    return _SPACES.sub(" ", text).strip()


@dataclass(frozen=True)
class Pattern:
    """A pattern, as `written` by a designer, and the regular `expression` it means.

    Every text that it matches has a word which begins as one of `keys`.
    """

    written: str
    expression: str
    keys: frozenset[str]

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The expression, compiled at first use: most of many hundred are never needed."""
        return re.compile(self.expression)


def compile_pattern(written: str) -> Pattern:
    """Return the pattern. Raises PatternWrong."""
    tokens = _Tokens(written)
    items = _sequence(tokens)
    if tokens.left:
        raise PatternWrong("has a ')' or '|' outside of brackets, write (a|b)")
    return Pattern(written, rf"(?<!\w){_regex(items)}(?!\w)", _keys(items))


class Index:
    """Many patterns, of which a message needs to be compared with few."""

    def __init__(self, patterns: Iterable[Pattern]) -> None:
        self._by_key: dict[str, list[tuple[int, Pattern]]] = {}
        for n, pattern in enumerate(patterns):
            for key in pattern.keys:
                self._by_key.setdefault(key, []).append((n, pattern))

    def matches(self, text: str) -> Iterator[tuple[int, Pattern, tuple[int, int]]]:
        """Yield (place among the patterns, pattern, span) of all in a `plain` text."""
        seen: dict[int, Pattern] = dict(self._by_key.get("", ()))
        for word in set(_WORD.findall(text)):
            for end in range(1, min(_KEY, len(word)) + 1):
                seen.update(self._by_key.get(word[:end], ()))
        for n in sorted(seen):
            for found in seen[n].regex.finditer(text):
                yield n, seen[n], found.span()


@dataclass(frozen=True)
class _Item:
    """A word, alternatives (each a sequence), or with neither a gap."""

    word: str = ""
    choices: tuple[tuple[_Item, ...], ...] = ()
    optional: bool = False

    @property
    def gap(self) -> bool:
        return not self.word and not self.choices


class _Tokens:
    """What a pattern is made of, one by one. A token is (text, whether ``?`` follows)."""

    def __init__(self, written: str) -> None:
        self.left: list[tuple[str, bool]] = []
        text = unicodedata.normalize("NFC", written).strip().casefold()
        for found in _TOKEN.finditer(text):
            gap, bracket, maybe, word, may_be, odd = found.groups()
            if odd:
                raise PatternWrong(f"has {odd!r}, patterns are words, (a|b), (a|b)?, * and ...")
            if bracket and maybe and bracket != ")":
                raise PatternWrong("has a '?' that follows neither a word nor a ')'")
            token = gap or bracket or word
            bare = token.strip("*")
            if word and bare != token and len(bare) < _LEAST:
                raise PatternWrong(f"has {token!r}, give '*' at least {_LEAST} letters")
            self.left.append((token, bool(maybe or may_be)))
        self.left.reverse()


def _sequence(tokens: _Tokens) -> tuple[_Item, ...]:
    """Read up to the end, or to the ``|`` or ``)`` that ends an alternative."""
    items: list[_Item] = []
    while tokens.left and tokens.left[-1][0] not in "|)":
        text, optional = tokens.left.pop()
        if text == "...":
            items.append(_Item())
        elif text != "(":
            items.append(_Item(word=text, optional=optional))
        else:
            choices = [_sequence(tokens)]
            while tokens.left and tokens.left[-1][0] == "|":
                tokens.left.pop()
                choices.append(_sequence(tokens))
            if not tokens.left:
                raise PatternWrong("has a '(' that is never closed")
            items.append(_Item(choices=tuple(choices), optional=tokens.left.pop()[1]))
    if not items:
        raise PatternWrong("is empty, or has an empty alternative, as in (a|); write (a)?")
    if items[0].gap or items[-1].gap:
        raise PatternWrong("begins or ends with '...', which stands between words")
    needed = [n for n, item in enumerate(items) if not item.optional and not item.gap]
    if not needed:
        raise PatternWrong("has nothing that must be there, leave a '?' out")
    if any(item.gap for item in items[: needed[0]]):
        raise PatternWrong("has '...' after what may be missing, begin with what must be there")
    return tuple(items)


def _regex(items: tuple[_Item, ...]) -> str:
    first = next(n for n, item in enumerate(items) if not item.optional and not item.gap)
    made = ""
    for n, item in enumerate(items):
        if item.gap:
            # Lazily, so that what is said twice is found twice.
            made += rf"(?: [\w']+){{0,{GAP}}}?"
            continue
        one = _word(item.word) if item.word else f"(?:{'|'.join(map(_regex, item.choices))})"
        if n < first:
            made += f"(?:{one} )?"
        elif n == first:
            made += one
        else:
            made += f"(?: {one})?" if item.optional else f" {one}"
    return made


def _word(word: str) -> str:
    made = ""
    for n, c in enumerate(word):
        if c == "*":
            made += r"\w*"
        elif c in "'-":
            made += "(?:' | )?" if n + 1 < len(word) else "'?"
        else:
            made += _UMLAUTS.get(c) or re.escape(plain(c))
    return made


def _keys(items: tuple[_Item, ...]) -> frozenset[str]:
    """Return beginnings of which one must be there: of the item that is told best by them."""
    found = []
    for item in items:
        if item.word and not item.optional:
            # Up to what may be written in two ways.
            begins = re.match(r"[^\W_äöü]*", item.word)
            found.append(frozenset({plain(begins[0])[:_KEY] if begins else ""}))
        elif item.choices and not item.optional:
            found.append(frozenset().union(*map(_keys, item.choices)))
    return max(found, key=lambda keys: (min(map(len, keys)), -len(keys)))

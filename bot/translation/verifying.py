"""Tells whether what an engine gave can be a translation of what it was given."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal, Protocol

from bot.llm.orders import orders
from bot.translation.protecting import LINK, MONEY, PLACEHOLDER, Protected, with_figures

_NUMBER = re.compile(r"\d+")
_LEFT = re.compile(r"⟦[^⟧]*⟧?|⟧")
_WORD = re.compile(r"[^\W\d_]+")
#: A translation may be so many times longer or shorter than the text, and this much besides.
_LONGER, _SHORTER, _SLACK = 2.2, 3.0, 24
#: Signs of Chinese, Japanese and Korean; each says as much as so many letters more.
_SYLLABLE, _MORE = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]"), 2
#: So many words tell what language a text is in.
_TELLING = 4
#: See `untouched`.
PERHAPS: Final = "perhaps"
SURELY: Final = "surely"
_MARKS = ("**", "`", "~~", "](")
_ASKS, _QUESTION = re.compile("[?？؟]"), re.compile("[?？؟;՞]")
#: In these a question needs no mark.
_UNMARKED = ("ja", "th")


class Tells(Protocol):
    """What tells the language of a text."""

    def clearly(self, text: str) -> str:
        """Return the language (ISO 639-1) that a text is clearly in, "" for none."""

    def betrays(self, text: str, source: str, target: str) -> bool:
        """Tell whether a text, however short, has words of `source` that `target` has not."""

    def means(self, text: str) -> bool:
        """Tell whether a text has words beside those that are the same in all languages."""


def problem(source: Protected, given: str, *, languages: tuple[str, str], tells: Tells) -> str:
    """Return what is wrong with a translation of `source`, "" when nothing is.

    `given` has the tokens of `source` still in it; `languages` are those from and to.
    """
    for token in source.tokens:
        if given.count(token) != source.text.count(token):
            return "a marked part is missing or there twice"
    bare = with_figures(_bare(given, source.tokens))
    before = with_figures(_bare(source.text, source.tokens))
    if _LEFT.search(bare):
        return "it has a mark that nobody made"
    if Counter(_NUMBER.findall(bare)) != Counter(_NUMBER.findall(before)):
        return "its numbers are others"
    if LINK.search(bare) and not LINK.search(before):
        return "it has a link of its own"
    if MONEY.search(bare) and not MONEY.search(before):
        return "it has an amount of its own"
    if PLACEHOLDER.search(bare) and not PLACEHOLDER.search(before):
        return "it has a placeholder of its own"
    if any(bare.count(mark) != before.count(mark) for mark in _MARKS):
        return "its marks for bold, code or links are others"
    if given.count("\n") != source.text.count("\n"):
        return "its lines are others"
    if _WORD.search(before) and not _WORD.search(bare):
        return "it has no words"
    long, short = _size(before), _size(bare)
    if short > long * _LONGER + _SLACK or long > short * _SHORTER + _SLACK:
        return "it is far longer or shorter"
    asks = _ASKS.search(before) and languages[1] not in _UNMARKED
    if asks and not _QUESTION.search(bare):
        return "it is no question any more"
    if orders(bare) and not orders(before):
        return "it speaks to a language model"
    return _other_language(before, bare, languages, tells)


def _size(text: str) -> int:
    """Return how long a text is in letters of an alphabet."""
    return len(text.strip()) + _MORE * len(_SYLLABLE.findall(text))


def _other_language(before: str, bare: str, languages: tuple[str, str], tells: Tells) -> str:
    source, target = languages
    if untouched(before, bare, languages, tells) == SURELY:
        return "it is not translated"
    if len(_WORD.findall(bare)) < _TELLING:
        return ""
    if bare.strip().casefold() == before.strip().casefold() and tells.clearly(before) == source:
        return "it is not translated"
    found = tells.clearly(bare)
    return "" if found in ("", target) else "it is in another language"


def untouched(
    before: str, given: str, languages: tuple[str, str], tells: Tells
) -> Literal["", "perhaps", "surely"]:
    """Tell whether a text came back as it was, and may not have.

    Names, figures, "OK" and "PayPal" may; "Where is it" may not. Of all else, "Mug" and "Hotel",
    nobody can tell: a second answer that is the same is believed.
    """
    words = _WORD.findall(before)
    if [w.casefold() for w in words] != [w.casefold() for w in _WORD.findall(given)]:
        return ""
    if not tells.means(before):
        return ""
    titled = len(words) > 1 and all(word[0].isupper() for word in words)
    return SURELY if not titled and tells.betrays(before, *languages) else PERHAPS


def _bare(text: str, tokens: Sequence[str]) -> str:
    for token in sorted(tokens, key=len, reverse=True):
        text = text.replace(token, " ")
    return text

"""Words as the audit and the gaps compare them: stemmed, without numbers and words of grammar."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from bot.knowledge.words import Stems, stop_words, words_of

_stems: dict[str, Stems] = {}


def fold(text: str) -> str:
    """Return text in lower case, compatibility characters made plain, accents kept."""
    return unicodedata.normalize("NFKC", text).casefold().replace("’", "'")


@lru_cache(maxsize=100_000)
def stem(word: str, language: str) -> str:
    """Return the stem of a word, the folded word itself in a language without a stemmer."""
    if language not in _stems:
        _stems[language] = Stems(language)
    return _stems[language](" ".join(words_of(word)))


def stems(text: str, language: str) -> list[str]:
    """Return the stems of the words of a text that say something, in order."""
    silent = stop_words(language)
    return [
        stem(word, language)
        for word in words_of(text)
        if word not in silent and len(word) > 1 and not word[0].isdigit()
    ]

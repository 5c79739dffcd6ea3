"""Comparing what a customer wrote with a keyword: the whole of it, never a part."""

from __future__ import annotations

import unicodedata

#: Longest message, in characters, that is looked at: no keyword is near it.
LONGEST = 100

# What Unicode does not take apart into a letter and its mark.
_PLAIN = str.maketrans({"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe"})


def fold(text: str) -> str:
    """Return `text` without case, accents, punctuation, emoji and surplus spaces.

    ``« Arrêt ! »`` and ``ARRET`` are the same, as are ``opt-out`` and ``optout``, ``İPTAL``
    and ``iptal``. Only the accents of European scripts go: elsewhere a mark is a vowel.
    """
    plain = text
    # Leaving something out can bring characters together that combine, so once more
    # until nothing changes; every step only takes away, so that ends.
    while True:
        folded = _once(plain)
        if folded == plain:
            return folded
        plain = folded


def _once(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = unicodedata.normalize("NFKD", plain).translate(_PLAIN)
    kept = "".join(c if _counts(c) else " " if c.isspace() else "" for c in plain)
    return " ".join(kept.split())


def _counts(c: str) -> bool:
    if "\u0300" <= c <= "\u036f":
        return False
    return unicodedata.category(c)[0] in "LNM"

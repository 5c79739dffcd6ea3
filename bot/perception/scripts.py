"""Languages that nobody configured, told by the letters that they are written in.

Detectors know only the languages that they are made for, and take Russian for the likeliest
of those. A script that none of them is written in needs no detector.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection

# By the first word of a letter's name in Unicode; the first language is who is likely meant.
_WRITTEN_IN = {
    "ARABIC": ("ar", "fa", "ur"),
    "ARMENIAN": ("hy",),
    "BENGALI": ("bn",),
    "CJK": ("zh", "ja"),
    "CYRILLIC": ("ru", "uk", "be", "bg", "kk", "mk", "mn", "sr"),
    "DEVANAGARI": ("hi", "mr"),
    "GEORGIAN": ("ka",),
    "GREEK": ("el",),
    "GUJARATI": ("gu",),
    "GURMUKHI": ("pa",),
    "HANGUL": ("ko",),
    "HEBREW": ("he",),
    "HIRAGANA": ("ja",),
    "KATAKANA": ("ja",),
    "TAMIL": ("ta",),
    "TELUGU": ("te",),
    "THAI": ("th",),
}
_KANA = ("HIRAGANA", "KATAKANA")
_UKRAINIAN = frozenset("іїєґ")
#: ISO 639-1 of what `by_script` may tell.
TOLD = frozenset({"uk", *(languages[0] for languages in _WRITTEN_IN.values())})

# Less is a symbol, or a name among other words.
_FEWEST, _MOST_OF_THEM = 2, 0.6


def by_script(text: str, configured: Collection[str]) -> str:
    """Return the language (ISO 639-1) of a text whose letters are of another script, else "".

    Other than the scripts of the `configured` languages, which a detector tells apart.
    """
    if text.isascii():
        # Nearly all there is, and of the one script that nobody is told by.
        return ""
    letters = [c for c in text if c.isalpha()]
    scripts = Counter(unicodedata.name(c, "").partition(" ")[0] for c in letters)
    if any(scripts[kana] for kana in _KANA):
        # Japanese is written in both.
        scripts["HIRAGANA"] += scripts.pop("KATAKANA", 0) + scripts.pop("CJK", 0)
    script, count = max(scripts.items(), key=lambda found: found[1], default=("", 0))
    languages = _WRITTEN_IN.get(script, ())
    if count < max(_FEWEST, _MOST_OF_THEM * len(letters)) or set(languages) & set(configured):
        return ""
    if script == "CYRILLIC" and _UKRAINIAN & set(text.casefold()):
        return "uk"
    return languages[0] if languages else ""

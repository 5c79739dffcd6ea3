"""Questions that mean something only after the one before: "and for Spain?"."""

from __future__ import annotations

import re

#: In words: more are a question of their own, and as few as these seldom are one.
_LONGEST, _SHORT = 9, 3
#: How such a question begins, by language: "a" and "e" are "and" in one and not in another.
_BEGINS = {
    "en": "and|what about|how about|what if|also|same for|but|then|or",
    "de": "und|aber|was ist mit|wie ist es mit|wie sieht es|oder|auch",
    "fr": "et|mais|ou|qu'en est-il|pareil pour",
    "es": "y|pero|o|qué pasa con|que pasa con|también|tambien",
    "it": "e|ma|o|anche|che dire",
    "nl": "en|maar|of|hoe zit het",
    "pt": "e|mas|ou|também|tambem",
    "pl": "a|i|ale|albo|co z|też",
}
#: Words that stand for what was spoken of.
_POINTS = {
    "en": r"it|its|that|this|these|those|they|them|one|ones|(?<!is )(?<!are )there",
    "de": r"das|dies\w*|davon|dafür|damit|dort",
    "fr": "cela|ça|ceci",
    "es": "eso|esto|ello",
    "it": "questo|quello",
    "nl": "dat|dit|daarvan",
    "pt": "isso|isto",
    "pl": "to|tego|tym",
}


def is_followup(question: str, language: str = "en") -> bool:
    """Tell whether a question in a language looks as if it needs the one before."""
    words = question.split()
    if len(words) > _LONGEST:
        return False
    code = language.partition("-")[0].lower()
    begins, points = _BEGINS.get(code), _POINTS.get(code)
    said = question.strip().lstrip("¿¡ ")
    return (
        len(words) <= _SHORT
        or bool(begins and re.match(rf"(?:{begins})\b", said, re.I))
        or bool(points and re.search(rf"\b(?:{points})\b", said, re.I))
    )


def joined(previous: str, question: str) -> str:
    """Return a question that stands by itself as well as it can without a language model."""
    return f"{previous.strip()} {question.strip()}"

"""Questions that mean something only after the one before: "and for Spain?"."""

from __future__ import annotations

import re

_LONGEST = 9
#: How such a question begins, in the languages the bot knows by itself.
_BEGINS = re.compile(
    r"(?:and|what about|how about|what if|also|same for|but|then|or|"
    r"und|aber|was ist mit|wie ist es mit|wie sieht es|oder|auch|"
    r"et|mais|ou|qu'en est-il|pareil pour|"
    r"y|pero|o|qué pasa con|que pasa con|también|tambien|"
    r"e|ma|anche|che dire|"
    r"en|maar|of|hoe zit het|"
    r"mas|ou|também|tambem|"
    r"a|ale|albo|co z|też)\b",
    re.I,
)
#: Words that stand for what was spoken of.
_POINTS = re.compile(
    r"\b(?:it|its|that|this|these|those|they|them|one|ones|there|"
    r"das|dies\w*|davon|dafür|damit|dort|cela|ça|ceci|eso|esto|ello|questo|quello|"
    r"dat|dit|daarvan|isso|isto|to|tego|tym)\b",
    re.I,
)


def is_followup(question: str) -> bool:
    """Tell whether a question looks as if it needs the one before."""
    words = question.split()
    if len(words) > _LONGEST:
        return False
    said = question.strip().lstrip("¿¡ ")
    return bool(_BEGINS.match(said)) or len(words) <= 3 or bool(_POINTS.search(said))


def joined(previous: str, question: str) -> str:
    """Return a question that stands by itself as well as it can without a language model."""
    return f"{previous.strip()} {question.strip()}"

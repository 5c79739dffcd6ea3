"""On which side of a span of time something holds: within 30 days is not after 30 days."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.llm.grounding.facts import Fact
from bot.llm.grounding.reading import Sentence

_THE = r"(?:\s+(?:the|these|those|your|first|die|den|der|les?|los|i|gli|de|os|ces|questi))?\s*$"
_WITHIN = re.compile(
    r"\b(?:within|in|inside|up to|innerhalb(?: von)?|binnen|bis zu|dans|sous|en|dentro de|entro|"
    r"dentro di|no prazo de|em|do|w ciągu)" + _THE,
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\b(?:after|beyond|past|(?:more|later|longer) than|nach|(?:mehr|später|länger) als|après|"
    r"au-delà de|plus de|después de|más de|dopo|oltre|più di|(?:meer|later|langer) dan|após|"
    r"depois de|mais de|ponad|(?:później|dłużej) niż)" + _THE,
    re.IGNORECASE,
)


def beyond(claim: Sentence, sources: Iterable[Sentence]) -> Fact | None:
    """Return a span that `claim` says something of what comes after, and sources only within."""
    for fact in claim.facts:
        if fact.kind != "duration" or not _AFTER.search(claim.text[: fact.start]):
            continue
        told = [
            bool(_WITHIN.search(sentence.text[: other.start]))
            for sentence in sources
            for other in sentence.facts
            if (other.kind, other.value) == (fact.kind, fact.value)
        ]
        if told and all(told):
            return fact
    return None

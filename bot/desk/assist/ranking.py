"""How much alike texts are, by their words: TF-IDF over stems, no model needed."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from bot.knowledge.words import Stems, stop_words, words_of

#: Characters of a text that are looked at.
_LONGEST = 2000
#: What personal data have become.
_MASKED = re.compile(r"\[[a-z]+\]")


class Ranking:
    """Texts, each with its language (ISO 639-1), to be compared with others."""

    def __init__(self, texts: Sequence[tuple[str, str]]) -> None:
        self._stems: dict[str, Stems] = {}
        counts = [self._count(text, language) for text, language in texts]
        among: Counter[str] = Counter()
        for words in counts:
            among.update(words.keys())
        self._rare = {word: math.log(1 + len(counts) / n) for word, n in among.items()}
        self._rarest = math.log(2 + len(counts))
        self._vectors = [self._weighed(words) for words in counts]

    def like(self, text: str, language: str) -> list[float]:
        """Return for each of the texts how much it is like this one, 0 to 1.

        Words that none of them has do not count, see `known`.
        """
        counts = self._count(text, language)
        wanted = self._weighed({word: n for word, n in counts.items() if word in self._rare})
        return [
            sum(weight * vector.get(word, 0.0) for word, weight in wanted.items())
            for vector in self._vectors
        ]

    def known(self, text: str, language: str) -> float:
        """Return how much of a text is in words that any of the texts has, 0 to 1."""
        weighed = self._weighed(self._count(text, language))
        return math.sqrt(sum(w * w for word, w in weighed.items() if word in self._rare))

    def _count(self, text: str, language: str) -> Counter[str]:
        code = language.partition("-")[0] or "en"
        stem = self._stems.setdefault(code, Stems(code))
        stop = stop_words(code)
        words = words_of(_MASKED.sub(" ", text[:_LONGEST]))
        # An order's number says nothing of what a text is about.
        return Counter(stem(w) for w in words if w not in stop and not w.isdecimal())

    def _weighed(self, counts: Mapping[str, int]) -> dict[str, float]:
        made = {
            word: (1 + math.log(n)) * self._rare.get(word, self._rarest)
            for word, n in counts.items()
        }
        length = math.sqrt(sum(weight * weight for weight in made.values())) or 1.0
        return {word: weight / length for word, weight in made.items()}

"""Words and pieces of words of a text, weighed: what `LinearClassifier` sees of it.

No scipy at run time: the text of a customer has some two hundred pieces, and building a
sparse matrix of one row takes longer than looking them all up.
"""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

#: Characters of a text that are looked at: a letter of a page says what it wants at once.
MOST_CHARACTERS = 1000
#: Lengths of pieces of words, the blanks around the word counted.
_PIECES = (2, 3, 4, 5)

_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_DIGITS = re.compile(r"\d+")
_BLANKS = re.compile(r"\s+")


def normal(text: str) -> str:
    """Return `text` in one case and width, with every number as 0: they are all alike."""
    text = unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).casefold()
    return _BLANKS.sub(" ", _DIGITS.sub("0", text)).strip()


def words_and_pieces(text: str) -> tuple[list[str], list[str]]:
    """Return words and pairs of words, and the pieces of words, as often as they are there."""
    words = _WORD.findall(normal(text))
    pairs = [f"{one} {two}" for one, two in itertools.pairwise(words)]
    pieces: list[str] = []
    for word in words:
        padded = f" {word} "
        for length in _PIECES:
            # The word itself is the only piece of one that is shorter.
            pieces += [padded[at : at + length] for at in range(max(1, len(padded) - length + 1))]
            if length >= len(padded):
                break
    return [f"w{word}" for word in (*words, *pairs)], [f"p{piece}" for piece in pieces]


@dataclass
class Grams:
    """A vocabulary. `rows` numbers its grams, `weights` are their inverse frequencies."""

    rows: dict[str, int]
    weights: np.ndarray

    @classmethod
    def of(cls, texts: Iterable[str], fewest: int) -> Grams:
        """Return the vocabulary of what at least `fewest` of `texts` have."""
        import numpy as np

        seen: Counter[str] = Counter()
        count = 0
        for text in texts:
            count += 1
            words, pieces = words_and_pieces(text)
            seen.update({*words, *pieces})
        kept = sorted(gram for gram, times in seen.items() if times >= fewest)
        weights = [math.log((1 + count) / (1 + seen[gram])) + 1.0 for gram in kept]
        return cls({gram: n for n, gram in enumerate(kept)}, np.array(weights, np.float32))

    def weigh(self, text: str) -> tuple[list[int], list[float]]:
        """Return rows and values of a text. Words and pieces have length 1 each."""
        rows: list[int] = []
        values: list[float] = []
        for block in words_and_pieces(text):
            mine, weights = self._block(block)
            rows += mine
            values += weights
        return rows, values

    def _block(self, grams: Sequence[str]) -> tuple[list[int], list[float]]:
        known = Counter(row for row in map(self.rows.get, grams) if row is not None)
        rows = list(known)
        values = [
            (1.0 + math.log(times)) * float(self.weights[row]) for row, times in known.items()
        ]
        length = math.sqrt(sum(value * value for value in values)) or 1.0
        return rows, [value / length for value in values]

"""Search by words: BM25, how much of a question is covered, and words with typos.

BM25 is computed here, on scipy's sparse matrices: weights of fields, a vocabulary for each
language and the share that is covered come from the same counts. (bm25s would do a third
of it; importing it starts JAX: 150 MB and five threads in every worker.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bot.knowledge.contract import Passage
from bot.knowledge.markdown import plain
from bot.knowledge.words import Stems, stop_words, words_of

if TYPE_CHECKING:
    import numpy as np

#: BM25's saturation and length normalisation; passages are alike in length.
_K1, _B = 1.2, 0.5
#: How often a word of these counts, one of the text counting once.
_TITLE, _HEADING, _TAG = 3.0, 2.0, 1.0
#: Different words of a question that are looked at.
_MOST_WORDS = 64
#: Words at least so alike (cosine of character n-grams) may be one word with a typo,
#: and so many of them are tried.
_ALIKE, _TRIED = 0.45, 4
#: Letters of the shortest word whose typos are looked for: "pan" is near to too much.
_SHORTEST = 4


@dataclass(frozen=True)
class Found:
    """What words say of each passage; arrays of one value for each.

    `relative` is `lexical` as a share of what a passage with every word could get at most.
    """

    lexical: np.ndarray
    relative: np.ndarray
    fuzzy: np.ndarray
    coverage: np.ndarray


class Lexicon:
    """The words of passages, in the passages' order. Not changed once made."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        self._size = len(passages)
        self._languages: dict[str, _Language] = {}
        rows: dict[str, list[int]] = {}
        for n, passage in enumerate(passages):
            rows.setdefault(passage.language, []).append(n)
        for language, own in rows.items():
            self._languages[language] = _Language(
                language, [passages[n] for n in own], own, self._size
            )

    def look(self, question: str, languages: Iterable[str] | None = None) -> Found:
        """Look a question up in the passages of these languages, of all by default."""
        import numpy as np

        total = Found(*(np.zeros(self._size, np.float32) for _ in range(4)))
        words = words_of(question)
        for language in self._languages if languages is None else languages:
            part = self._languages.get(language)
            if part is not None:
                part.look(words, total)
        return total


class _Language:
    """The passages of one language. `rows` are their places among all."""

    def __init__(
        self, language: str, passages: Sequence[Passage], rows: Sequence[int], size: int
    ) -> None:
        import numpy as np
        from scipy.sparse import csc_matrix

        self._stem = Stems(language)
        self._stop = stop_words(language)
        self._rows = np.array(rows)
        self._column: dict[str, int] = {}
        self._surface: dict[str, int] = {}
        at: list[int] = []
        columns: list[int] = []
        counts: list[float] = []
        seen: list[bool] = []
        lengths = np.zeros(len(passages), np.float32)
        for n, passage in enumerate(passages):
            weights: dict[int, float] = {}
            shown: set[int] = set()
            for text, weight in _fields(passage):
                for word in words_of(text):
                    column = self._learn(word)
                    weights[column] = weights.get(column, 0.0) + weight
                    lengths[n] += weight
                    shown.add(column)
            for tag in passage.tags:
                for word in words_of(tag):
                    column = self._learn(word)
                    weights[column] = weights.get(column, 0.0) + _TAG
            at += [n] * len(weights)
            columns += weights.keys()
            counts += weights.values()
            seen += [column in shown for column in weights]
        shape = (len(passages), len(self._column))
        row, place = np.array(at, np.int32), np.array(columns, np.int32)
        count = np.array(counts, np.float32)
        documents = np.bincount(place, minlength=shape[1]).astype(np.float32)
        self._rarity = np.log1p((shape[0] - documents + 0.5) / (documents + 0.5))
        self._unheard = float(np.log1p((shape[0] + 0.5) / 0.5))
        long = _K1 * (1 - _B + _B * lengths / max(float(lengths.mean()), 1.0))
        score = self._rarity[place] * count * (_K1 + 1) / (count + long[row])
        self._scores = csc_matrix((score.astype(np.float32), (row, place)), shape)
        self._present = csc_matrix((np.array(seen, np.float32), (row, place)), shape)
        self._typos = _Typos(self._surface)

    def _learn(self, word: str) -> int:
        column = self._surface.get(word)
        if column is None:
            column = self._column.setdefault(self._stem(word), len(self._column))
            self._surface[word] = column
        return column

    def look(self, words: Sequence[str], total: Found) -> None:
        """Add what these words say of the passages to `total`."""
        import numpy as np

        asked = list(dict.fromkeys(word for word in words if word not in self._stop))
        known: dict[int, None] = {}
        unknown = []
        for word in asked[:_MOST_WORDS]:
            column = self._column.get(self._stem(word))
            if column is None:
                unknown.append(word)
            else:
                known[column] = None
        if not known and not unknown:
            return
        columns = np.array(list(known), np.int64)
        rarity = self._rarity[columns]
        whole = float(rarity.sum()) + self._unheard * len(unknown)
        lexical = np.asarray(self._scores[:, columns].sum(axis=1)).ravel()
        covered = self._present[:, columns] @ rarity
        near = covered.copy()
        for word in unknown:
            near += self._alike(word)
        rows = self._rows
        total.lexical[rows] = lexical
        total.relative[rows] = lexical / (whole * (_K1 + 1))
        total.coverage[rows] = np.minimum(covered / whole, 1.0)
        total.fuzzy[rows] = np.minimum(near / whole, 1.0)

    def _alike(self, word: str) -> Any:
        """Return, by passage, the weight of the word in it that `word` is most like."""
        import numpy as np

        best = np.zeros(len(self._rows), np.float32)
        for column, alike in self._typos.of(word):
            value = self._unheard * alike
            best = np.maximum(best, self._present[:, column].toarray().ravel() * value)
        return best


def _fields(passage: Passage) -> tuple[tuple[str, float], ...]:
    return (
        (passage.title, _TITLE),
        *((heading, _HEADING) for heading in passage.headings),
        (plain(passage.text), 1.0),
    )


class _Typos:
    """The words that a misspelt one is like, by TF-IDF of their characters."""

    def __init__(self, words: dict[str, int]) -> None:
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer

        kept = [word for word in words if len(word) >= _SHORTEST and not word.isdigit()]
        self._columns = [words[word] for word in kept]
        self._grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), dtype=np.float32)
        self._matrix = self._grams.fit_transform(kept).T.tocsr() if kept else None
        self._of = lru_cache(maxsize=2000)(self._look)

    def of(self, word: str) -> list[tuple[int, float]]:
        """Return columns and how alike their words are, the most alike first."""
        if self._matrix is None or len(word) < _SHORTEST or any(c.isdigit() for c in word):
            return []
        return self._of(word)

    def _look(self, word: str) -> list[tuple[int, float]]:
        import numpy as np

        alike = (self._grams.transform([word]) @ self._matrix).toarray().ravel()
        count = min(_TRIED, len(alike))
        best = np.argpartition(-alike, count - 1)[:count]
        found: dict[int, float] = {}
        for n in best[np.argsort(-alike[best])]:
            if alike[n] >= _ALIKE:
                found.setdefault(self._columns[n], float(alike[n]))
        return list(found.items())

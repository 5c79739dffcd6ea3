"""Questions that mean the same, put together.

Not agglomerative: chains of questions, each like the next, would end in one heap. Each group
has a middle that all its members are like, taken where most are (Butina's method), so the
middle is the typical question, and the result does not depend on the order of what is given.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from bot.knowledge.auditing.words import fold, stems

if TYPE_CHECKING:
    import numpy as np

#: Similarity from which on two questions are one, by words and letters, and by embeddings.
LIKE_WORDS, LIKE_VECTORS = 0.38, 0.62
_CHUNK = 1024


def group(
    questions: Sequence[str],
    vectors: Sequence[Sequence[float]] | None = None,
    languages: Sequence[str] | None = None,
    weights: Sequence[int] | None = None,
) -> list[list[int]]:
    """Return groups of indexes into `questions`, the heaviest first, each its middle first.

    `vectors` are unit embeddings, one a question; without them words and letters are
    compared, within a language. `weights` say how often each question counts.
    """
    if not questions:
        return []
    spoken = list(languages or [""] * len(questions))
    weight = list(weights or [1] * len(questions))
    # The same question asked a thousand times is compared once.
    holders: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, question in enumerate(questions):
        key = " ".join(re.findall(r"\w+", fold(question)))
        holders[key, "" if vectors is not None else spoken[number]].append(number)
    keys = sorted(holders)
    heavy = [sum(weight[n] for n in holders[key]) for key in keys]
    near = _near_vectors(vectors, keys, holders) if vectors is not None else _near_words(keys)
    groups = []
    for members in _butina(near, heavy):
        groups.append([n for member in members for n in holders[keys[member]]])
    return sorted(groups, key=lambda g: (-sum(weight[n] for n in g), questions[g[0]], g[0]))


def _butina(near: list[list[tuple[int, float]]], heavy: Sequence[int]) -> list[list[int]]:
    """Return groups, each its middle first and then the nearest."""
    score = [sum(heavy[other] * like for other, like in row) for row in near]
    taken: set[int] = set()
    groups = []
    for middle in sorted(range(len(near)), key=lambda n: (-score[n], n)):
        if middle in taken:
            continue
        free = [(other, like) for other, like in near[middle] if other not in taken]
        free.sort(key=lambda pair: (pair[0] != middle, -pair[1], pair[0]))
        members = [other for other, _ in free]
        taken.update(members)
        groups.append(members)
    return groups


def _near_vectors(
    vectors: Sequence[Sequence[float]],
    keys: Sequence[tuple[str, str]],
    holders: dict[tuple[str, str], list[int]],
) -> list[list[tuple[int, float]]]:
    import numpy as np

    matrix = np.asarray([vectors[holders[key][0]] for key in keys], dtype=np.float32)
    return [
        row
        for start in range(0, len(keys), _CHUNK)
        for row in _rows(matrix[start : start + _CHUNK] @ matrix.T, LIKE_VECTORS, start)
    ]


def _near_words(keys: Sequence[tuple[str, str]]) -> list[list[tuple[int, float]]]:
    near: list[list[tuple[int, float]]] = [[] for _ in keys]
    for language in sorted({spoken for _, spoken in keys}):
        here = [n for n, (_, spoken) in enumerate(keys) if spoken == language]
        matrix = _features([keys[n][0] for n in here], language)
        for start in range(0, len(here), _CHUNK):
            likeness = (matrix[start : start + _CHUNK] @ matrix.T).toarray()
            for offset, row in enumerate(_rows(likeness, LIKE_WORDS, start)):
                near[here[start + offset]] = [(here[other], like) for other, like in row]
    return near


def _rows(likeness: np.ndarray, least: float, start: int) -> list[list[tuple[int, float]]]:
    import numpy as np

    rows = []
    for offset, row in enumerate(likeness):
        # A question is like itself, even one without a telling word.
        row[start + offset] = 1.0
        columns = np.flatnonzero(row >= least)
        rows.append([(int(column), round(float(row[column]), 4)) for column in columns])
    return rows


def _features(texts: Sequence[str], language: str) -> Any:
    """Return unit rows: stems say what is meant, letters forgive typos."""
    import numpy as np
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    told = [stems(text, language or "en") or text.split() for text in texts]
    by_words = TfidfVectorizer(analyzer=list, sublinear_tf=True, dtype=np.float32)
    by_letters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(3, 4), sublinear_tf=True, dtype=np.float32
    )
    parts = []
    for share, vectorizer, given in (
        (0.6, by_words, told),
        (0.4, by_letters, [" ".join(words) for words in told]),
    ):
        try:
            parts.append(vectorizer.fit_transform(given) * share**0.5)
        except ValueError:
            # Nothing but signs.
            continue
    if not parts:
        from scipy.sparse import csr_matrix

        return csr_matrix((len(texts), 1), dtype=np.float32)
    return normalize(hstack(parts).tocsr())

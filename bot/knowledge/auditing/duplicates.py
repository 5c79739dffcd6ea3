"""Passages of two articles that say the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from bot.knowledge.auditing.findings import DUPLICATE, LOW, MEDIUM, Corpus, Finding
from bot.knowledge.auditing.sentences import plain
from bot.knowledge.auditing.words import fold, stems
from bot.knowledge.contract import Passage

_SHINGLE = 3
#: Passages of fewer telling words are alike by chance.
_LEAST_WORDS = 8
#: Share of shingles that both have, and of the shorter one's that the longer one has.
_ALIKE, _CONTAINED = 0.6, 0.85
#: Cosine from which on two passages are taken to say the same.
_CLOSE = 0.93
#: A shingle of more passages than this is a phrase of the house.
_COMMON = 50


def duplicates(
    corpus: Corpus, vectors: Mapping[str, Sequence[float]] | None = None
) -> Iterator[Finding]:
    """Find near-duplicates, each pair of articles once.

    `vectors` are unit embeddings by a passage's digest; with them passages are found, too,
    that say the same in other words.
    """
    found: dict[tuple[str, str], list[tuple[float, str, Passage, Passage]]] = defaultdict(list)
    for score, how, one, other in (*_by_shingles(corpus), *_by_vectors(corpus, vectors or {})):
        found[one.article, other.article].append((score, how, one, other))
    for (_, _), pairs in sorted(found.items()):
        score, how, one, other = max(pairs, key=lambda pair: (pair[0], pair[2].id, pair[3].id))
        file, line = corpus.place(one)
        other_file, other_line = corpus.place(other)
        count = len({(a.id, b.id) for _, _, a, b in pairs})
        more = f", and {count - 1} more of its passages" if count > 1 else ""
        yield Finding(
            DUPLICATE,
            MEDIUM if score > 0.95 else LOW,
            file,
            line,
            f"says {how} as {other_file}:{other_line} ({score:.0%} alike){more}",
            "say it in one of them and link to it from the other: of two, one is forgotten",
            (
                (f"{file}:{line}", _begin(one.text)),
                (f"{other_file}:{other_line}", _begin(other.text)),
            ),
        )


def _begin(text: str) -> str:
    words = plain(" ".join(text.split()))
    return words if len(words) <= 160 else f"{words[:160].rpartition(' ')[0]} …"


def _by_shingles(corpus: Corpus) -> Iterator[tuple[float, str, Passage, Passage]]:
    shingles: list[tuple[Passage, set[tuple[str, ...]]]] = []
    postings: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for passage in corpus.passages:
        words = fold(plain(" ".join(passage.text.split()))).split()
        if len(stems(passage.text, passage.language)) < _LEAST_WORDS:
            continue
        words = [word.strip(".,;:!?()[]„“”\"'|-*#>") for word in words]
        words = [word for word in words if word]
        cut = {tuple(words[n : n + _SHINGLE]) for n in range(len(words) - _SHINGLE + 1)}
        for shingle in cut:
            postings[shingle].append(len(shingles))
        shingles.append((passage, cut))
    shared: Counter[tuple[int, int]] = Counter()
    for holders in postings.values():
        if len(holders) > _COMMON:
            continue
        for pair in combinations(holders, 2):
            shared[pair] += 1
    for (first, second), count in shared.items():
        (one, mine), (other, theirs) = shingles[first], shingles[second]
        if one.article == other.article or one.language != other.language:
            continue
        alike = count / (len(mine) + len(theirs) - count)
        contained = count / min(len(mine), len(theirs))
        if alike >= _ALIKE or contained >= _CONTAINED:
            yield max(alike, contained), "the same", *_ordered(one, other)


def _by_vectors(
    corpus: Corpus, vectors: Mapping[str, Sequence[float]]
) -> Iterator[tuple[float, str, Passage, Passage]]:
    embedded = [
        passage
        for passage in corpus.passages
        if passage.digest in vectors and len(stems(passage.text, passage.language)) >= _LEAST_WORDS
    ]
    if len(embedded) < 2:
        return
    import numpy as np

    matrix = np.asarray([vectors[passage.digest] for passage in embedded], dtype=np.float32)
    for start in range(0, len(embedded), 512):
        close = np.argwhere(matrix[start : start + 512] @ matrix[start:].T >= _CLOSE)
        for row, column in close.tolist():
            first, second = _ordered(embedded[start + row], embedded[start + column])
            if (
                row < column
                and first.article != second.article
                and first.language == second.language
            ):
                score = min(1.0, float(matrix[start + row] @ matrix[start + column]))
                yield score, "in other words the same", first, second


def _ordered(one: Passage, other: Passage) -> tuple[Passage, Passage]:
    return (one, other) if one.article < other.article else (other, one)

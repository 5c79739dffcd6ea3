"""Finding passages: words, meanings and typos, fused."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from bot.knowledge.contract import AGENTS, CUSTOMERS, Hit, Passage
from bot.knowledge.embedding import Embedder
from bot.knowledge.errors import EmbeddingsUnavailable
from bot.knowledge.lexicon import Found, Lexicon

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

#: Characters of a question that are looked at.
LONGEST = 2000

# What each part counts: the cosine, BM25 as a share of its possible best, n-grams. Fitted on
# the 152 answerable questions of split "dev" of bench/answers, with MiniLM; hit@1 (hit@5):
# BM25 alone .49 (.61), cosine alone .56 (.80), ranks fused reciprocally .55 (.71), these .65
# (.81). Between .5 and 1 for words and .2 and .35 for n-grams hit@1 stays above .63. Ranks lose
# because they do not tell a passage that has all words from one that has the one common word.
_MEANING, _WORDS, _TYPOS = 1.0, 0.6, 0.25


class Index:
    """Passages made searchable. It is never changed, and may be searched by several threads.

    `vectors` is float32 with a row for each passage, of length 1, or 0 for one without a
    vector; None searches by words alone, as does an `embedder` of None.
    """

    def __init__(
        self,
        passages: Sequence[Passage],
        vectors: np.ndarray | None = None,
        embedder: Embedder | None = None,
        *,
        lexicon: Lexicon | None = None,
    ) -> None:
        import numpy as np

        if vectors is not None and len(vectors) != len(passages):
            raise ValueError(f"{len(vectors)} vectors for {len(passages)} passages")
        self.passages = tuple(passages)
        self._vectors = vectors if embedder is not None and len(passages) else None
        # Looked up in one language and then in all, a question is embedded once.
        self._vector_of = lru_cache(maxsize=64)(partial(_vector, embedder)) if embedder else None
        self._lexicon = Lexicon(self.passages) if lexicon is None else lexicon
        self._language = np.array([passage.language for passage in self.passages], dtype=str)
        self._product = np.array([passage.product for passage in self.passages], dtype=str)
        self._audience = np.array([passage.audience for passage in self.passages], dtype=str)

    def with_vectors(self, vectors: np.ndarray | None, embedder: Embedder) -> Index:
        """Return an index of the same passages that searches by meaning too."""
        return Index(self.passages, vectors, embedder, lexicon=self._lexicon)

    def search(
        self,
        question: str,
        *,
        k: int = 5,
        language: str | None = None,
        product: str | None = None,
        audience: str = CUSTOMERS,
    ) -> list[Hit]:
        """Return the `k` passages that answer best, the best first; none when none fits at all.

        With `language` only its passages are searched. With `product` those of other
        products are left out, not those for all. Customers are never shown what is for
        agents; agents see both. Only the first `LONGEST` characters of a question count.
        """
        import numpy as np

        if k < 1:
            raise ValueError(f"k is {k}, should be at least 1")
        allowed = self._allowed(language, product, audience)
        question = question[:LONGEST].strip()
        if not question or not allowed.any():
            return []
        found = self._lexicon.look(question, None if language is None else (language,))
        cosine = self._cosines(question)
        score = np.where(allowed, _fused(found, cosine), 0.0)
        count = min(k, len(score))
        best = np.argpartition(-score, count - 1)[:count]
        # By place where scores are the same, so that the same question has the same answer.
        best = best[np.lexsort((best, -score[best]))]
        return [
            Hit(
                passage=self.passages[n],
                score=float(score[n]),
                lexical=float(found.lexical[n]),
                cosine=float(cosine[n]) if cosine is not None else 0.0,
                fuzzy=float(found.fuzzy[n]),
                coverage=float(found.coverage[n]),
            )
            for n in best
            if score[n] > 0
        ]

    def _allowed(self, language: str | None, product: str | None, audience: str) -> np.ndarray:
        import numpy as np

        allowed = np.ones(len(self.passages), bool)
        if audience != AGENTS:
            allowed &= self._audience == audience
        if language is not None:
            allowed &= self._language == language
        if product is not None:
            allowed &= (self._product == product) | (self._product == "")
        return allowed

    def _cosines(self, question: str) -> np.ndarray | None:
        """Return the cosine with each passage, 0 for a negative one; None without vectors."""
        import numpy as np

        if self._vectors is None or self._vector_of is None:
            return None
        try:
            vector = self._vector_of(question)
        except EmbeddingsUnavailable as error:
            log.error("searched by words alone: %s", error)
            return None
        cosine: np.ndarray = np.clip(self._vectors @ vector, 0.0, 1.0)
        return cosine


def _vector(embedder: Embedder, question: str) -> np.ndarray:
    vector: np.ndarray = embedder.encode([question])[0]
    return vector


def _fused(found: Found, cosine: np.ndarray | None) -> np.ndarray:
    score = _WORDS * found.relative + _TYPOS * found.fuzzy
    return score if cosine is None else score + _MEANING * cosine

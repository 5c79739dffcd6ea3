"""How likely it is that a passage answers a question: what decides between an answer and none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.knowledge.contract import Hit


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic regression on what a search tells of its best hits."""

    bias: float
    cosine: float
    coverage: float
    fuzzy: float
    margin: float


#: Fitted by ``python -m bench.answers --fit`` on the questions of its split ``dev``; what they
#: are worth is measured on the other half. Without embeddings words have to tell it all.
WITH_VECTORS = Weights(bias=-3.80, cosine=5.23, coverage=-1.83, fuzzy=4.02, margin=2.36)
WITHOUT_VECTORS = Weights(bias=-2.99, cosine=0.0, coverage=1.34, fuzzy=2.80, margin=2.08)

#: Quoted from here on: of ten such quotes eight are of the right article. Below it the likeliest
#: articles are offered, and below `SOME` the customer is told honestly that there is no answer.
ENOUGH = 0.6
SOME = 0.3


def confidence(hits: Sequence[Hit]) -> float:
    """Return how likely the first hit answers the question, between 0 and 1; 0 without hits."""
    if not hits:
        return 0.0
    weights = WITH_VECTORS if any(hit.cosine for hit in hits) else WITHOUT_VECTORS
    return _logistic(weights, features(hits))


def features(hits: Sequence[Hit]) -> tuple[float, float, float, float]:
    """Return cosine, coverage, fuzzy and margin of the best hit, all between 0 and 1.

    The margin is how far it stands out from the best hit of another article.
    """
    best = hits[0]
    others = [hit for hit in hits[1:] if hit.passage.article != best.passage.article]
    # Alone among none it stands out from nothing.
    margin = best.score - others[0].score if others else 0.0
    relative = margin / best.score if best.score > 0 else 0.0
    return best.cosine, best.coverage, best.fuzzy, max(0.0, min(1.0, relative))


def _logistic(weights: Weights, of: tuple[float, float, float, float]) -> float:
    cosine, coverage, fuzzy, margin = of
    z = (
        weights.bias
        + weights.cosine * cosine
        + weights.coverage * coverage
        + weights.fuzzy * fuzzy
        + weights.margin * margin
    )
    return 1.0 / (1.0 + math.exp(-z))

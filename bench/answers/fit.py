"""Fits what `bot.knowledge.confidence` weighs, on the questions of split "dev"."""

from __future__ import annotations

from collections.abc import Sequence

from bench.answers.questions import Question
from bench.answers.shelf import Shelf
from bot.knowledge.confidence import features
from bot.knowledge.followup import joined


async def fit(shelf: Shelf, questions: Sequence[Question]) -> str:
    """Return the line of `Weights` that tells best whether the first hit is right."""
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    rows, right = [], []
    for question in questions:
        asked = joined(question.after, question.text) if question.after else question.text
        hits = await shelf.search(asked, k=8, language=question.language)
        if not hits:
            continue
        rows.append(features(hits))
        right.append(hits[0].passage.article in question.articles)
    model = LogisticRegression(C=10.0, max_iter=1000).fit(np.array(rows), np.array(right))
    names = ("cosine", "coverage", "fuzzy", "margin")
    weights = ", ".join(
        f"{name}={value:.2f}" for name, value in zip(names, model.coef_[0], strict=True)
    )
    return f"Weights(bias={model.intercept_[0]:.2f}, {weights})  # of {len(rows)} questions"

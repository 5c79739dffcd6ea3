"""The named failures of the knowledge base."""

from __future__ import annotations

from collections.abc import Sequence

from bot.settings.problems import Problem


class KnowledgeError(Exception):
    """Base of all failures of the knowledge base."""


class ArticleInvalid(KnowledgeError):
    """A file is no article, or a folder cannot be read.

    `article` is the id it would have, ``returns/`` for a folder, ``/`` for that of all;
    `problems` are in file order.
    """

    def __init__(self, article: str, problems: Sequence[Problem]) -> None:
        self.article = article
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(map(str, self.problems)))


class NoArticles(KnowledgeError):
    """There is not one article to take over, so that what is known would be lost."""


class EmbeddingsUnavailable(KnowledgeError):
    """The embedding model `model` cannot be loaded; the text says why."""

    def __init__(self, model: str, reason: str) -> None:
        self.model = model
        super().__init__(f"knowledge.embeddings: the model {model} cannot be loaded: {reason}")

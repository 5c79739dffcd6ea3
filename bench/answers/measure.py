"""What is counted, and how it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.answers.questions import Question
from bot.knowledge.contract import Answer, Hit


@dataclass
class Search:
    """How often the right article is found, over the questions that have one."""

    asked: int = 0
    first: int = 0
    among_five: int = 0

    def count(self, question: Question, hits: Sequence[Hit]) -> None:
        """Count one search."""
        if not question.answerable:
            return
        found = list(dict.fromkeys(hit.passage.article for hit in hits))
        self.asked += 1
        self.first += found[:1] != [] and found[0] in question.articles
        self.among_five += any(article in question.articles for article in found[:5])


@dataclass
class Answers:
    """What became of all questions.

    A sent answer is `supported` when all of it is backed by the articles that it names,
    `right` when those are the ones that answer the question and the fact that was asked for
    stands in it.
    """

    questions: int = 0
    none: int = 0
    refused: int = 0
    refused_rightly: int = 0
    sent: int = 0
    supported: int = 0
    right: int = 0
    right_article: int = 0
    by_model: int = 0
    offered: int = 0
    offered_rightly: int = 0
    wrong: list[str] = field(default_factory=list)

    def count(self, question: Question, answer: Answer, *, supported: bool) -> None:
        """Count one answer."""
        self.questions += 1
        self.none += not question.answerable
        if answer.how in ("none", "unclear"):
            self.refused += 1
            self.refused_rightly += not question.answerable
            if question.answerable:
                self.wrong.append(f"refused  {question.text}")
            return
        if answer.how == "offer":
            self.offered += 1
            named = {source.article for source in answer.sources}
            self.offered_rightly += bool(named & set(question.articles))
            return
        self.sent += 1
        self.by_model += answer.how == "model"
        self.supported += supported
        named = {source.article for source in answer.sources}
        about = bool(named & set(question.articles))
        self.right_article += about
        right = about and question.fact.casefold() in answer.text.casefold()
        self.right += right
        if not right:
            kind = "lacking " if about else "beside  "
            self.wrong.append(f"{kind} {question.text} -> {', '.join(sorted(named))}")

    def row(self, name: str) -> str:
        """Return one row of the table."""
        answerable = self.questions - self.none
        return (
            f"{name:34} sent {self.sent:3d} (by the model {self.by_model:3d})  "
            f"supported {_share(self.supported, self.sent)}  "
            f"right {_share(self.right, self.sent)} of sent, "
            f"{_share(self.right, answerable)} of answerable; "
            f"article right {_share(self.right_article, self.sent)}  "
            f"offered {self.offered:3d}, the right one among them "
            f"{_share(self.offered_rightly, self.offered)}  "
            f"refusals: precision {_share(self.refused_rightly, self.refused)}, "
            f"recall {_share(self.refused_rightly, self.none)}"
        )


def _share(part: int, whole: int) -> str:
    return f"{part / whole:6.1%}" if whole else "     -"


def search_row(name: str, counted: Search) -> str:
    """Return one row of the table of searches."""
    return (
        f"{name:34} hit@1 {_share(counted.first, counted.asked)}  "
        f"hit@5 {_share(counted.among_five, counted.asked)}  of {counted.asked}"
    )

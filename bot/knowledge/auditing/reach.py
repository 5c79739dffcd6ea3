"""What customers ask against what search finds: articles nobody gets, questions without one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bot.knowledge.auditing.findings import (
    HIGH,
    LOW,
    MEDIUM,
    UNANSWERED,
    UNREACHED,
    Corpus,
    Finding,
    file_of,
)
from bot.knowledge.clusters import group
from bot.knowledge.confidence import SOME, confidence
from bot.knowledge.contract import AGENTS, Hit

Search = Callable[[str], list[Hit]]
_TOP = 3
#: Words that were asked so often are many customers'.
_MANY = 5


def answers(hits: Sequence[Hit]) -> bool:
    """Tell whether customers would be shown these passages for the question."""
    return confidence(hits) >= SOME


def reach(
    corpus: Corpus,
    search: Search,
    questions: Sequence[str],
    answered: Callable[[Sequence[Hit]], bool] = answers,
) -> Iterator[Finding]:
    """Find articles that are never among the first three, and questions nothing answers.

    `questions` are those of the history, repeated as they were asked. Titles of articles are
    asked as well; an article for agents is left out.
    """
    times: dict[str, int] = {}
    for question in questions:
        times[question] = times.get(question, 0) + 1
    reached: set[str] = set()
    open_questions: list[str] = []
    for question in times:
        hits = search(question)
        if answered(hits):
            reached.update(_articles(hits))
        else:
            open_questions.append(question)
    for article in corpus.articles:
        if article.id not in reached:
            # Its own words are the easiest question there is.
            reached.update(_articles(search(article.title)))
    yield from _unanswered(open_questions, times)
    for article in corpus.articles:
        if article.id not in reached and article.audience != AGENTS:
            yield Finding(
                UNREACHED,
                LOW if times else MEDIUM,
                file_of(article),
                1,
                f"“{article.title}” is not among the first {_TOP} for any question, "
                "its own title included",
                "name in its title and first sentence what customers call it, or drop it",
            )


def _articles(hits: Sequence[Hit]) -> list[str]:
    return list(dict.fromkeys(hit.passage.article for hit in hits))[:_TOP]


def _unanswered(open_questions: list[str], times: dict[str, int]) -> Iterator[Finding]:
    for members in group(open_questions):
        asked = [open_questions[n] for n in members]
        count = sum(times[question] for question in asked)
        yield Finding(
            UNANSWERED,
            HIGH if count >= _MANY else MEDIUM,
            "",
            0,
            f"“{asked[0]}” was asked {count} {'time' if count == 1 else 'times'}, "
            "and no article answers it",
            "write an article, or say the customers' words in the one that is about it",
            tuple(("", question) for question in asked[1:4]),
        )

"""The audit of the knowledge base before customers are answered from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

from bot.knowledge.auditing import reach as reaching
from bot.knowledge.auditing.contradictions import contradictions
from bot.knowledge.auditing.dates import stale
from bot.knowledge.auditing.duplicates import duplicates
from bot.knowledge.auditing.findings import Audit, Corpus, Finding, ordered
from bot.knowledge.auditing.links import links
from bot.knowledge.auditing.terms import terms
from bot.knowledge.contract import Article, Hit, Passage

__all__ = ["Audit", "Finding", "audit"]


def audit(
    articles: Sequence[Article],
    passages: Sequence[Passage],
    *,
    search: reaching.Search | None,
    questions: Sequence[str],
    vectors: Mapping[str, Sequence[float]] | None = None,
    today: date,
    stale_days: int,
    known_terms: Collection[str] = (),
    answered: Callable[[Sequence[Hit]], bool] = reaching.answers,
) -> Audit:
    """Look for everything that is wrong with the articles. Nothing is asked of the network.

    `search` gives the passages for a question, best first; None leaves out what nobody
    reaches and what nothing answers, which `answered` judges. `questions` are the history's.
    `vectors` are unit embeddings by a passage's digest. `stale_days` is after how many days
    an article is old, `known_terms` what customers need not be told the meaning of.
    """
    corpus = Corpus(tuple(articles), tuple(passages))
    findings = [
        *contradictions(corpus),
        *duplicates(corpus, vectors),
        *stale(corpus, today, stale_days),
        *links(corpus),
        *terms(corpus, known_terms),
    ]
    if search is not None:
        findings += reaching.reach(corpus, search, questions, answered)
    return Audit(ordered(findings), len(articles), len(passages), len(questions))

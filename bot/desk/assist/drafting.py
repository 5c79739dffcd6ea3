"""A draft of an answer: from the articles, else from what agents said in a case like it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bot.desk.assist.orders import orders_in, told
from bot.desk.assist.reading import Reading, read
from bot.desk.assist.similar import alike, precedent
from bot.desk.contract import Done
from bot.desk.journal import note_down
from bot.knowledge.contract import About, Answer
from bot.llm.masking import redact
from bot.message import clean, utcnow
from bot.store import AsyncStore
from bot.store.articles import StoredArticle
from bot.store.deeds import Deed
from bot.store.journal import DRAFTED
from bot.store.reviews import Review

if TYPE_CHECKING:
    from actions.backends.contract import ShopOrder

#: How a draft that rests on a case was made, beside `Answer.how`.
CASE = "case"
#: What `Answer.how` is where there is an answer.
_ANSWERS = ("model", "quote")
#: Words of a message that may be a question by itself, and how many of them are tried.
_QUESTION, _PARTS = 3, 3
_TITLE = 120
#: Characters of an answer where the channel has no limit of its own.
_LIMIT = 900


class Answers(Protocol):
    """What drafting needs of `bot.knowledge.answering.Answering`."""

    async def answer(self, question: str, about: About) -> Answer:
        """Answer a question from what customers may read."""


@dataclass(frozen=True, slots=True)
class _Draft:
    text: str
    how: str
    sources: list[dict[str, str]]


async def draft(store: AsyncStore, answering: Answers, deed: Deed) -> Done:
    """Draft an answer to what the customer wrote last, or say honestly that there is none.

    Redone, the deed gives the same draft. Raises StoreError.
    """
    kept = await store.get(Review, deed.id)
    if kept is None:
        reading = await read(store, deed.conversation)
        if not reading.question:
            return Done(False, "The customer has not written anything to answer.")
        answer = await _answered(answering, reading)
        facts = [_order_source(order) for order in await orders_in(reading.texts)]
        made = await _made(store, reading, answer)
        if made is None:
            return await _none(store, reading, answer, facts)
        kept = await _keep(store, deed, reading, answer.question, made, facts)
    # Of a deed whose worker died before it was written down, too.
    await note_down(
        store,
        entry := f"draft:{deed.id}",
        DRAFTED,
        deed.conversation,
        case=str(kept.case),
        agent=deed.agent,
        name=deed.name,
        via=deed.via,
        text=str(kept.draft),
        details={"review": kept.id, "how": kept.how, "sources": list(kept.sources or [])},
    )
    return _shown(kept, entry)


async def _answered(answering: Answers, reading: Reading) -> Answer:
    """Answer what the customer wrote in a row, else the last part of it that can be answered."""
    about = _about(reading)
    whole = await answering.answer(reading.question, about)
    if whole.how in _ANSWERS or whole.escalate or len(reading.parts) == 1:
        return whole
    for part in [part for part in reading.parts if len(part.split()) >= _QUESTION][:_PARTS]:
        answer = await answering.answer(part, about)
        if answer.how in _ANSWERS or answer.escalate:
            return answer
    return whole


def _about(reading: Reading) -> About:
    # It brings rasa-sdk along, which the gateway has no use for.
    from actions.answer import LIMITS

    return About(
        conversation=reading.conversation,
        channel=reading.channel,
        language=reading.language,
        limit=LIMITS.get(reading.channel, _LIMIT),
        past=reading.past,
        previous=reading.previous,
        known=reading.known,
    )


async def _made(store: AsyncStore, reading: Reading, answer: Answer) -> _Draft | None:
    if answer.how in _ANSWERS:
        articles = {source.article: source for source in answer.sources}
        sources = [_source(a.title, a.url, article=a.article) for a in articles.values()]
        return _Draft(answer.text, answer.how, sources)
    if answer.escalate:
        return None
    before = await precedent(store, reading, await alike(store, reading))
    if before is None:
        return None
    title = f"A resolved case: {before.case.summary}"[:_TITLE]
    return _Draft(before.text, CASE, [_source(title, case=str(before.case.id))])


async def _keep(
    store: AsyncStore,
    deed: Deed,
    reading: Reading,
    question: str,
    made: _Draft,
    facts: Sequence[dict[str, str]],
) -> Review:
    review = Review(
        id=deed.id,
        conversation=deed.conversation,
        case=reading.case.id if reading.case else "",
        agent=deed.agent,
        question=clean(redact(question, reading.known)),
        draft=clean(made.text),
        sources=[*facts, *made.sources],
        how=made.how,
        at=utcnow(),
    )
    (new,) = await store.insert_new([review])
    return review if new else (await store.get(Review, deed.id) or review)


def _shown(review: Review, entry: str) -> Done:
    sources = list(review.sources or [])
    named = ", ".join(f"“{source['title']}”" for source in sources)
    how = "in an agent's words from a case like this" if review.how == CASE else "from the articles"
    return Done(
        True,
        f"A draft {how}; it rests on {named}.",
        {
            "review": str(review.id),
            "text": str(review.draft),
            "sources": sources,
            "how": str(review.how),
            "question": str(review.question),
        },
        entry=entry,
    )


async def _none(
    store: AsyncStore, reading: Reading, answer: Answer, facts: Sequence[dict[str, str]]
) -> Done:
    if answer.how == "offer":
        nearest = [_source(a.title, a.url, article=a.article) for a in answer.sources]
    else:
        nearest = await _nearest(store, answer.nearest)
    if answer.escalate:
        said = f"This may be a sensitive matter ({answer.escalate}): no draft of it is made."
    else:
        near = ", ".join(f"“{source['title']}”" for source in nearest)
        said = f"No article covers this{'; the nearest: ' + near if near else ''}."
    known = " ".join(f"{fact['title']}." for fact in facts)
    data: dict[str, Any] = {
        "nearest": nearest,
        "orders": list(facts),
        "question": redact(reading.question, reading.known),
    }
    return Done(False, f"{said} {known}".strip(), data)


async def _nearest(store: AsyncStore, passages: Sequence[str]) -> list[dict[str, str]]:
    found = []
    for article in dict.fromkeys(passage.partition("#")[0] for passage in passages):
        row = await store.get(StoredArticle, article)
        if row is not None:
            told_of = dict(row.article)
            title, url = str(told_of.get("title") or article), str(told_of.get("url") or "")
            found.append(_source(title, url, article=article))
    return found


def _order_source(order: ShopOrder) -> dict[str, str]:
    return _source(told(order), order=order.number)


def _source(title: str, url: str = "", *, article: str = "", **more: str) -> dict[str, str]:
    return {"title": title, "url": url, "article": article, **more}

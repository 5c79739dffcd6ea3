"""Drafts of answers, resolved cases like the open one, and what became of a draft."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.desk.assist.assist import Assist
from bot.desk.assist.ranking import Ranking
from bot.desk.assist.reading import read
from bot.desk.assist.reviews import decide, discard
from bot.desk.people import People
from bot.knowledge.answering import Answering
from bot.knowledge.contract import AGENTS, Sheet
from bot.knowledge.library import Library
from bot.knowledge.sync import sync
from bot.llm.client import open_llm
from bot.llm.contract import Talks
from bot.llm.prompts import load_prompts
from bot.message import Choice, Deletion, Edit, Media, Reaction
from bot.settings import ConsoleAccount
from bot.store import AsyncStore
from bot.store.journal import DRAFTED, Entry
from bot.store.messages import Message
from bot.store.reviews import DISCARDED, EDITED, SENT, SHOWN, Review
from tests.desk.assist_kit import Talk
from tests.kit.chat import Server, chat_server
from tests.kit.settings import settings_in
from tests.knowledge.kit import SHOP, article

ROOT = Path(__file__).parents[2]
PEOPLE = People([ConsoleAccount("anna", "a long password", "Anna Keller", "U0ANNA")])
ARTICLES = (
    *SHOP,
    article("desk/norway", "Norway customs: agents may pay half.", audience=AGENTS),
    article("returns/how", "Return unused goods within 30 days. Refunds take 5–7 working days."),
)


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRONTDESK_STORE_URL", f"sqlite:{tmp_path / 'bot.db'}")


@pytest.fixture
async def talk(store: AsyncStore) -> Talk:
    await sync(store, ARTICLES)
    return await Talk(store).begin()


async def assist_of(store: AsyncStore, talks: Talks | None = None) -> Assist:
    library = Library(store)
    prompts = load_prompts(ROOT / "data" / "prompts")
    answering = Answering(library, talks, prompts, Sheet("Larkfield Goods"))
    return Assist(store, answering=answering, runs=NoRuns(), people=PEOPLE, canned={}, actions={})


class NoRuns:
    async def run(self, call: Any) -> Any:
        raise AssertionError("nothing is to be run")

    def close(self) -> None:
        pass


@pytest.fixture
async def assist(store: AsyncStore) -> Assist:
    return await assist_of(store)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with chat_server() as started:
        yield started


async def test_a_draft_quotes_the_article_and_names_it(talk: Talk, assist: Assist) -> None:
    await talk.customer("hello")
    await talk.bot("Hello! What can I do for you?")
    await talk.customer("I live in Oslo")
    await talk.customer("do I pay customs in Norway?")
    done = await assist.draft(talk.deed("draft", id="d1"))
    assert done.ok
    assert "customs" in done.data["text"]
    assert "half" not in done.data["text"]
    assert done.data["how"] == "quote"
    assert done.data["question"] == "I live in Oslo\ndo I pay customs in Norway?"
    assert done.data["sources"] == [{"title": "Norway", "url": "", "article": "delivery/norway"}]
    review = await talk.store.get(Review, "d1")
    assert review is not None
    assert (review.outcome, review.draft, review.agent) == (SHOWN, done.data["text"], "anna")
    entry = await talk.store.get(Entry, done.entry)
    assert entry is not None
    assert (entry.kind, entry.agent, entry.text) == (DRAFTED, "anna", done.data["text"])


async def test_redone_it_is_the_same_draft_whatever_was_said_since(
    talk: Talk, assist: Assist
) -> None:
    await talk.customer("do I pay customs in Norway?")
    deed = talk.deed("draft")
    first = await assist.draft(deed)
    await talk.customer("how do I descale the kettle?")
    again, also = await asyncio.gather(assist.draft(deed), assist.draft(deed))
    assert first == again == also
    assert await talk.store.count(Entry, {"conversation": talk.key}) == 1
    # Two questions in a row are two articles' matter: the last one is answered.
    other = await assist.draft(talk.deed("draft"))
    assert "vinegar" in other.data["text"]
    assert other.data["question"] == "how do I descale the kettle?"


async def test_a_model_drafts_from_the_articles_and_sees_no_personal_data(
    talk: Talk, server: Server, tmp_path: Path
) -> None:
    settings = settings_in(tmp_path, llm=(server.model(mask="always"),))
    llm = open_llm(settings, talk.store)
    assist = await assist_of(talk.store, llm)
    await talk.customer("I am Mei Tanaka, mei@mail.example, +442079460123")
    await talk.bot("How can I help?")
    await talk.customer("Can I return unused goods?")
    done = await assist.draft(talk.deed("draft"))
    assert done.ok
    assert done.data["how"] == "model"
    assert "30 days" in done.data["text"]
    assert [source["article"] for source in done.data["sources"]] == ["returns/how"]
    (body,) = server.bodies
    for personal in ("mei@mail.example", "2079460123", "Tanaka"):
        assert personal not in str(body)
    await llm.close()


async def test_where_no_article_fits_that_is_said(talk: Talk, assist: Assist) -> None:
    await talk.customer("my order 1042: can you engrave a lamp for a wedding in Norway?")
    done = await assist.draft(talk.deed("draft"))
    assert not done.ok
    assert done.text.startswith("No article covers this; the nearest: “")
    assert done.data["nearest"][0]["article"] == "delivery/norway"
    assert done.data["orders"][0]["title"].startswith("Order 1042 (3 items): shipped, expected ")
    assert await talk.store.count(Review, {}) == 0
    nobody = await Talk(talk.store, "new").begin()
    assert not (await assist.draft(nobody.deed("draft"))).ok


async def test_the_orders_of_a_conversation_are_told_beside_the_draft(
    talk: Talk, assist: Assist
) -> None:
    await talk.customer("my order is 1044, or was it 9999?")
    await talk.customer("do I pay customs in Norway? Tanaka")
    done = await assist.draft(talk.deed("draft"))
    assert done.data["question"].endswith("do I pay customs in Norway? [name]")
    (order, source) = done.data["sources"]
    assert order["order"] == "1044"
    assert order["title"].startswith("Order 1044 (6 items): delivered, on ")
    assert source["article"] == "delivery/norway"
    assert "1044" not in done.data["text"]


async def test_the_question_is_what_was_asked_before_the_person_was_asked_for(talk: Talk) -> None:
    await talk.customer("hi", "greet")
    await talk.bot("Hello!")
    await talk.customer("do I pay customs", "question")
    await talk.customer("in Norway?", "question")
    await talk.bot("I don't know that. Would you like to talk to a person?")
    await talk.customer(Choice("/human", "Talk to a person"), "human")
    await talk.bot("I'm passing you on.")
    reading = await read(talk.store, talk.key)
    assert reading.question == "do I pay customs\nin Norway?"
    assert [text for _, text in reading.past] == ["hi", "Hello!"]
    assert reading.previous == "hi"
    await talk.customer("hello??")
    assert (await read(talk.store, talk.key)).question == "hello??"


async def test_what_was_changed_or_taken_back_is_read_as_it_stands(talk: Talk) -> None:
    await talk.customer("do you sell lamps?")
    slip = await talk.customer("my PIN is 1234")
    first = await talk.customer("do you ship to Sweden?")
    await talk.customer(Edit(first, "do you ship to Norway?"))
    await talk.customer(Deletion(slip))
    await talk.customer(Reaction(first, "👍"))
    await talk.customer(Media("image", ref="x", caption="this one"))
    await talk.customer(Media("image", ref="y"))
    reading = await read(talk.store, talk.key)
    assert reading.question == "do you sell lamps?\ndo you ship to Norway?\nthis one"


def test_words_make_texts_alike() -> None:
    texts = [("The kettle leaks", "en"), ("Kettles leaking at the lid", "en"), ("A rug", "en")]
    like = Ranking(texts).like("my kettle is leaking", "en")
    assert like[0] > 0.5
    assert like[1] > 0.3
    assert like[2] == 0.0
    # Of a question of which no text knows most, the little that is alike proves nothing.
    strange = "kettle patents of Norway"
    ranking = Ranking(texts)
    assert ranking.like(strange, "en")[0] > 0.5
    assert ranking.known(strange, "en") < 0.5 < ranking.known("a leaking kettle 1042 [name]", "en")
    assert Ranking([]).like("x", "en") == []
    assert Ranking(texts).like("", "en") == [0.0, 0.0, 0.0]
    assert Ranking([("Die Lampen flackern", "de")]).like("welche Lampe", "de")[0] > 0.3


async def past_case(store: AsyncStore, user: str, name: str, words: list[str]) -> Talk:
    talk = await Talk(store, user, name=name, ago=timedelta(days=3)).begin()
    await talk.customer("my enamel kettle whistles no more, what can I do?")
    for text in words:
        await talk.agent(text)
    await talk.resolved("my enamel kettle whistles no more, what can I do?", "cleaned the whistle")
    return talk


async def test_similar_cases_are_the_resolved_ones_best_first(talk: Talk, assist: Assist) -> None:
    store = talk.store
    for n in range(8):
        other = await Talk(store, f"o{n}", ago=timedelta(days=n + 1)).begin()
        await other.resolved(f"delivery of a parcel number {n} is late", "asked the carrier")
    kettle = await past_case(store, "tom", "Tom Lindqvist", [])
    legal = await Talk(store, "law").begin()
    await legal.resolved("will write to somebody", "passed on", "legal")
    await (await Talk(store, "open").begin()).case("the kettle does not whistle")
    await talk.resolved("the kettle whistle of a part", "with it", part_of="x")
    await talk.case("the whistle of my kettle is quiet", "legal")
    done = await assist.similar(talk.deed("similar"))
    cases = done.data["cases"]
    assert [case["summary"][:25] for case in cases] == [
        *("my enamel kettle whistles", "will write to somebody"),
    ]
    best = cases[0]
    assert best["id"].startswith(kettle.key)
    assert (best["resolution"], best["agent"]) == ("cleaned the whistle", "Anna Keller")
    assert best["resolved"].endswith("+00:00")
    await talk.customer("and the delivery of my parcel is late")
    done = await assist.similar(talk.deed("similar"))
    assert len(done.data["cases"]) == 5
    assert done.text == "5 resolved cases are like this one."


async def test_never_the_same_case(talk: Talk, assist: Assist) -> None:
    await talk.case("the kettle whistles")
    done = await assist.similar(talk.deed("similar"))
    assert done.data["cases"] == []


GOOD_WORDS = "Boil the kettle with vinegar, then pull the whistle off and rinse it under hot water."


async def test_without_an_article_what_an_agent_said_before_is_a_draft(
    talk: Talk, assist: Assist
) -> None:
    await past_case(
        talk.store, "tom", "Tom Lindqvist", [f"Hi Tom, {GOOD_WORDS}", "You're welcome!"]
    )
    await talk.customer("the enamel whistle makes no sound whistles any more?")
    await talk.case("my enamel kettle whistles no more")
    done = await assist.draft(talk.deed("draft"))
    assert done.ok, done
    assert (done.data["how"], done.data["text"]) == ("case", GOOD_WORDS)
    (source,) = done.data["sources"]
    assert source["case"].startswith("telegram:shop:tom:")
    assert source["article"] == ""


@pytest.mark.parametrize(
    "words",
    [
        "Tom Lindqvist can boil the kettle with vinegar and rinse the whistle of it well.",
        "Boil the kettle of order 1042 with vinegar, then rinse the whistle under hot water.",
        "We give you £5 for the kettle whistle; boil it with vinegar until it whistles again.",
        "Write to tom@mail.example about the kettle whistle, or boil it with some vinegar.",
        "The kettle whistles.",
    ],
)
async def test_nothing_of_another_customer_is_said_again(
    talk: Talk, assist: Assist, words: str
) -> None:
    await past_case(talk.store, "tom", "Tom Lindqvist", [words])
    await talk.customer("the enamel whistle makes no sound whistles any more?")
    await talk.case("my enamel kettle whistles no more")
    done = await assist.draft(talk.deed("draft"))
    assert not done.ok
    assert await talk.store.count(Review, {}) == 0


@pytest.fixture
async def review(talk: Talk, assist: Assist) -> Review:
    await talk.customer("do I pay customs in Norway?")
    await assist.draft(talk.deed("draft", id="d1"))
    found = await talk.store.get(Review, "d1")
    assert found is not None
    return found


@pytest.mark.parametrize(("more", "outcome"), [("", SENT), (" \n", SENT), (" Bye!", EDITED)])
async def test_what_the_agent_made_of_it_is_kept_once(
    store: AsyncStore, review: Review, more: str, outcome: str
) -> None:
    said = f"{review.draft}{more}"
    for text in (said, "something else"):
        done = await decide(store, "d1", "ben", text)
        assert done is not None
        assert (done.outcome, done.sent, done.agent) == (outcome, said, "ben")
    after = await discard(store, "d1", "anna")
    assert after is not None
    assert (after.outcome, after.draft) == (outcome, review.draft)


async def test_a_draft_may_be_discarded(store: AsyncStore, review: Review) -> None:
    outcomes = await asyncio.gather(
        discard(store, "d1", "anna"), decide(store, "d1", "ben", "x"), discard(store, "d1", "eve")
    )
    kept = await store.get(Review, "d1")
    assert kept is not None
    assert {done.outcome for done in outcomes if done} == {kept.outcome}
    assert kept.outcome in (DISCARDED, EDITED)
    assert await decide(store, "nothing", "anna", "x") is None
    assert await discard(store, "nothing", "anna") is None


async def test_a_draft_sends_nothing(talk: Talk, review: Review) -> None:
    rows = await talk.store.find(Message, {"conversation": talk.key})
    assert [row.direction for row in rows] == ["in"]


async def test_a_part_of_a_case_that_is_closed_is_the_case_that_agents_see(talk: Talk) -> None:
    first = await talk.case("a part of it", part_of="closed")
    found = (await read(talk.store, talk.key)).case
    assert found is not None
    assert found.id == first.id
    own = await talk.case("of its own")
    found = (await read(talk.store, talk.key)).case
    assert found is not None
    assert found.id == own.id

"""Turns become lessons, once, whoever looks and however often."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.learning.gathering import KEPT, Gatherer, threshold_of, topics_of
from bot.learning.lessons import forget
from bot.lesson_words import CORRECTED, DISMISSED, HANDED, OPEN, RATED, UNSURE
from bot.message import Choice, Deletion, utcnow
from bot.settings import Limits
from bot.store import AsyncStore
from bot.store.documents import DOCUMENTS
from bot.store.lessons import Gathered, Lesson
from tests.kit.lessons import CONVERSATION, commit, found, turn
from tests.kit.stores import KINDS, store_of_kind
from tests.kit.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
ODD = "wher can i park my bike"


def gatherer(store: AsyncStore) -> Gatherer:
    return Gatherer(store, Limits(), ROOT, pace=0.0)


async def lessons(store: AsyncStore) -> list[Lesson]:
    return await store.find(Lesson, {}, sort=("at",))


def now() -> datetime:
    return utcnow() - timedelta(minutes=5)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_message_becomes_a_lesson_without_personal_data(kind: str, tmp_path: Path) -> None:
    store = store_of_kind(kind, tmp_path, DOCUMENTS)
    text = "i am Tom Lindqvist, where is my lamp 77042"
    entities = [
        found(text, "77042", "order_number"),
        found(text, "lamp", "product", value="Oak desk lamp", extractor="RegexEntityExtractor"),
    ]
    await commit(store, turn(1, text, "order_status", 0.45, entities=entities, at=now()))
    assert await gatherer(store).look() == 1
    (one,) = await lessons(store)
    assert "Lindqvist" not in one.text
    assert "77042" not in one.text
    assert [(m["entity"], one.text[m["start"] : m["end"]]) for m in one.marks] == [
        ("product", "lamp"),
        ("order_number", one.text[-5:]),
    ]
    assert [m["value"] for m in one.marks] == ["Oak desk lamp", ""]
    assert (one.intent, one.confidence, one.status, one.language) == (
        "order_status",
        0.45,
        OPEN,
        "en",
    )
    assert one.reasons == {UNSURE: "understood as order_status, 0.45 sure"}
    await store.close()


async def test_looking_again_in_another_process_changes_nothing(store: AsyncStore) -> None:
    await commit(store, turn(1, ODD, "nlu_fallback", 0.4, at=now()))
    assert [await gatherer(store).look() for _ in range(3)] == [1, 0, 0]
    assert len(await lessons(store)) == 1


async def test_only_one_process_looks_at_a_time(store: AsyncStore) -> None:
    await commit(store, turn(1, ODD, "nlu_fallback", 0.4, at=now()))
    busy = Gatherer(store, Limits(), ROOT, pace=30.0)
    assert await busy.look() == 1
    await commit(store, turn(2, "my rug is itchy", "nlu_fallback", 0.4, at=now()))
    assert await Gatherer(store, Limits(), ROOT, pace=30.0).look() == 0
    await store.change(Gathered, {"id": "turns"}, set={"until": now()})
    assert await Gatherer(store, Limits(), ROOT, pace=30.0).look() == 1


async def test_an_idle_round_is_two_calls(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await commit(store, turn(1, ODD, "nlu_fallback", 0.4, at=now()))
    one = gatherer(store)
    await one.look()
    calls: list[str] = []
    run = store._run

    async def counted(call: object, *args: object, **kwargs: object) -> object:
        calls.append(str(call))
        return await run(call, *args, **kwargs)

    monkeypatch.setattr(store, "_run", counted)
    await one.look()
    assert len(calls) == 2


async def test_what_comes_later_is_added_to_the_lesson(store: AsyncStore) -> None:
    one = gatherer(store)
    first = turn(1, "my rug is so itchy", "delivery_damaged", 0.5, at=now())
    await commit(store, first)
    await one.look()
    await commit(store, turn(2, "that is not what i asked", "answer_missed", at=now()))
    assert await one.look() == 0
    (lesson,) = await lessons(store)
    assert set(lesson.reasons) == {UNSURE, CORRECTED}
    assert lesson.reason == f"{CORRECTED} {UNSURE}"
    assert lesson.weight > 50


async def test_texts_that_are_alike_stand_in_the_inbox_once_and_weigh_more(
    store: AsyncStore,
) -> None:
    one = gatherer(store)
    for n, text in enumerate(["Park my bike 4711?", "park my bike, 4712", "PARK my bike 4713!"]):
        await commit(store, turn(n + 1, text, "nlu_fallback", 0.4, at=now()))
        await one.look()
    weights = [lesson.weight for lesson in await lessons(store)]
    assert weights[:2] == [0, 0]
    assert weights[2] > 16
    assert len({lesson.alike for lesson in await lessons(store)}) == 1


async def test_of_dozens_that_are_alike_one_stands_in_the_inbox(store: AsyncStore) -> None:
    many = [turn(n, f"park my bike {n}", "nlu_fallback", 0.4, at=now()) for n in range(1, 26)]
    await commit(store, *many)
    assert await gatherer(store).look() == 25
    assert len([one for one in await lessons(store) if one.weight > 0]) == 1


async def test_what_was_dismissed_does_not_come_again(store: AsyncStore) -> None:
    one = gatherer(store)
    await commit(store, turn(1, "lorem ipsum", "nlu_fallback", 0.4, at=now()))
    await one.look()
    change = {"status": DISMISSED, "decided_at": utcnow()}
    await store.change(Lesson, {"status": OPEN}, set=change)
    await commit(store, turn(2, "Lorem ipsum!", "nlu_fallback", 0.4, at=now()))
    assert await one.look() == 0


async def test_nothing_to_learn_makes_no_lesson(store: AsyncStore) -> None:
    texts = ["77042", "👍", "/start", "x" * 3000]
    await commit(
        store, *(turn(n, text, "nlu_fallback", 0.4, at=now()) for n, text in enumerate(texts, 1))
    )
    assert await gatherer(store).look() == 0


async def test_what_the_customer_takes_back_is_deleted(store: AsyncStore) -> None:
    one = gatherer(store)
    first = turn(1, ODD, "nlu_fallback", 0.4, at=now())
    await commit(store, first)
    await one.look()
    await commit(store, turn(2, Deletion(first.id.removeprefix("line:shop:")), by="bot", at=now()))
    await one.look()
    assert await lessons(store) == []


async def test_a_customer_is_forgotten_and_others_who_said_the_same_come_forward(
    store: AsyncStore,
) -> None:
    one = gatherer(store)
    mine = turn(1, ODD, "nlu_fallback", 0.4, at=now(), conversation="line:shop:ann")
    await commit(store, mine)
    await one.look()
    await commit(store, turn(1, ODD, "nlu_fallback", 0.4, at=now()))
    await one.look()
    assert [lesson.weight > 0 for lesson in await lessons(store)] == [False, True]
    assert await forget(store, [CONVERSATION]) == 1
    (left,) = await lessons(store)
    assert (left.conversation, left.weight > 0) == ("line:shop:ann", True)


async def test_a_bad_rating_reaches_back_to_what_was_before_the_person(store: AsyncStore) -> None:
    human = {"topic": "human", "why": "x", "priority": "normal"}
    before = turn(1, "my rug is so itchy", at=now())
    case = turn(2, "a human please", "human", handoff=human, at=now())
    agents = [turn(n, f"message {n}", by="agent", at=now()) for n in range(3, 15)]
    stars = turn(15, Choice("x", "★"), by="waiting", rated={"case": case.id, "stars": 1}, at=now())
    await commit(store, before, case, *agents, stars)
    await gatherer(store).look()
    (lesson,) = await lessons(store)
    assert (lesson.id, set(lesson.reasons)) == (before.id, {HANDED, RATED})


async def test_it_goes_round_until_it_is_stopped(store: AsyncStore) -> None:
    await commit(store, turn(1, ODD, "nlu_fallback", 0.4, at=now()))
    one = gatherer(store)
    running = asyncio.create_task(one.run())
    while not await lessons(store):
        await asyncio.sleep(0.02)
    await one.stop()
    await asyncio.wait_for(running, PATIENCE)


async def test_old_lessons_go(store: AsyncStore) -> None:
    old = utcnow() - KEPT - timedelta(hours=1)
    await store.insert(Lesson(id="old", conversation=CONVERSATION, at=old))
    await gatherer(store).look()
    assert await lessons(store) == []


async def test_more_turns_than_a_round_takes_are_taken_by_the_next(
    store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.learning.gathering._PAGE", 3)
    monkeypatch.setattr("bot.learning.gathering._PAGES", 2)
    words = ["ants", "bees", "cats", "dogs", "eels", "foxes", "goats", "hens", "ibis", "jays"]
    at = utcnow() - timedelta(hours=1)
    for n, word in enumerate(words):
        await commit(
            store,
            turn(
                n + 1, f"i like {word} a lot", "nlu_fallback", 0.4, at=at + timedelta(minutes=5 * n)
            ),
        )
    made = [await gatherer(store).look() for _ in range(4)]
    assert sum(made) == len(words)
    assert made[0] < len(words)


def test_the_projects_own_settings_are_read() -> None:
    assert threshold_of(ROOT / "config.yml") == 0.4
    assert {"bereavement", "medical", "legal", "hardship"} <= topics_of(
        ROOT / "data/escalation.yml"
    )

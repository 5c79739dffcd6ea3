"""The "Learn" page's API, with the store and a small project behind it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.learning import Decided, Mark
from bot.lesson_words import CONFIRMED, DISMISSED, OPEN, WRITTEN
from bot.store import AsyncStore
from bot.store.lessons import Lesson
from tests.kit.console import Browser, Served, browsing, serving, settings_of
from tests.kit.designs import sound_project
from tests.kit.inbox import KEY, a_talk, lesson, three_lessons

FIRST, SECOND, THIRD = (f"{KEY}:in-{n}" for n in (1, 2, 3))
NLU = "data/nlu/all.yml"
BEN = ("ben", "staple of another one")
PARCEL = {
    "id": FIRST,
    "seen": OPEN,
    "intent": "order",
    "text": "😀 wher is my parcl 1042 pls",
    "marks": [{"start": 19, "end": 23, "entity": "number", "value": "", "role": "", "group": ""}],
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return sound_project(tmp_path / "project")


@pytest.fixture
async def served(store: AsyncStore, tmp_path: Path, project: Path) -> AsyncIterator[Served]:
    await three_lessons(store)
    async with serving(store, settings_of(tmp_path), clerk=False, root=project) as made:
        yield made


@pytest.fixture
async def anna(served: Served) -> AsyncIterator[Browser]:
    async with browsing(served, "anna") as made:
        yield made


async def is_now(store: AsyncStore, id: str) -> Lesson:
    found = await store.get(Lesson, id)
    assert found is not None
    return found


async def ids(browser: Browser, **query: str) -> list[str]:
    status, told = await browser.get("design/lessons", **query)
    assert status == 200, told
    return [row["id"] for row in told["rows"]]


async def test_it_is_for_who_has_logged_in_and_for_our_own_page(served: Served) -> None:
    async with browsing(served) as nobody:
        assert (await nobody.get("design/lessons"))[0] == 401
        assert (await nobody.post("/api/design/confirm", PARCEL))[0] == 401
    async with browsing(served, *BEN) as ben:
        assert (await ben.get("design/lessons"))[0] == 200
        told = await ben.post("/api/design/confirm", PARCEL, Origin="https://elsewhere.example")
        assert told[0] == 403


async def test_the_list_and_one_of_it(anna: Browser, store: AsyncStore) -> None:
    await store.insert(lesson(9, "wher is my parcl 9", alike="alike-1", weight=0))
    _, told = await anna.get("design/lessons")
    first = told["rows"][0]
    assert [row["id"] for row in told["rows"]] == [FIRST, SECOND, THIRD]
    assert (first["alike"], first["intent"], first["reasons"]) == (2, "order", {"unsure": "0.41"})
    assert told["counts"]["handed"] == 1
    assert await ids(anna, reason="handed") == [THIRD]
    assert await ids(anna, status="dismissed") == []

    _, one = await anna.get("design/lesson", id=FIRST)
    assert (one["text"], one["marks"]) == (PARCEL["text"], PARCEL["marks"])
    assert one["ranking"][1] == ["greet", 0.33]
    assert [other["text"] for other in one["others"]] == ["wher is my parcl 9"]
    assert (one["conversation"], one["seq"]) == (KEY, 1)

    _, known = await anna.get("design/project")
    assert [intent["name"] for intent in known["intents"]] == ["greet", "order", "stop"]
    assert "where is 1042" in known["intents"][1]["examples"]
    assert known["entities"][0]["name"] == "number"
    assert known["here"]
    assert known["writable"]


async def test_a_decision_is_written_once_however_often_it_is_sent(
    anna: Browser, store: AsyncStore, project: Path
) -> None:
    told = await asyncio.gather(*(anna.post("/api/design/confirm", PARCEL) for _ in range(3)))
    assert {status for status, _ in told} == {200}
    assert {(one["file"], one["line"]) for _, one in told} == {(NLU, told[0][1]["line"])}
    lines = (project / NLU).read_text("utf-8").splitlines()
    stands = "      - 😀 wher is my parcl [1042](number) pls"
    assert lines.count(stands) == 1
    assert lines[told[0][1]["line"] - 1] == stands
    now = await is_now(store, FIRST)
    assert (now.status, now.decided_by) == (WRITTEN, "anna")
    assert await ids(anna) == [SECOND, THIRD]


async def test_a_gateway_that_died_between_store_and_file(
    anna: Browser, store: AsyncStore, project: Path
) -> None:
    mark = Mark(19, 23, "number")
    decided = Decided(str(PARCEL["intent"]), str(PARCEL["text"]), (mark,)).encode()
    kept = {"status": CONFIRMED, "decided": decided, "decided_by": "anna"}
    assert await store.change(Lesson, {"id": FIRST}, set=kept)
    assert (await anna.get("design/lessons"))[1]["counts"]["confirmed"] == 1
    # The page asks again, not knowing what became of it.
    status, told = await anna.post("/api/design/confirm", PARCEL)
    assert (status, told["new"]) == (200, True)
    assert (project / NLU).read_text("utf-8").count("wher is my parcl") == 1
    assert (await is_now(store, FIRST)).status == WRITTEN


async def test_another_one_was_quicker(served: Served, anna: Browser, store: AsyncStore) -> None:
    async with browsing(served, *BEN) as ben:
        assert (await ben.post("/api/design/confirm", {**PARCEL, "intent": "stop"}))[0] == 200
        status, told = await anna.post("/api/design/confirm", PARCEL)
        assert (status, told["error"]) == (409, "ben has confirmed this as stop meanwhile.")
        status, told = await anna.post("/api/design/dismiss", {"id": FIRST})
        assert (status, told["error"]) == (409, "ben has confirmed this as stop meanwhile.")

        assert (await ben.post("/api/design/dismiss", {"id": SECOND}))[0] == 200
        assert (await anna.post("/api/design/dismiss", {"id": SECOND}))[0] == 200
        say = {"id": SECOND, "intent": "greet", "text": "evening all"}
        status, told = await anna.post("/api/design/confirm", say)
        assert (status, told["error"]) == (409, "ben has dismissed this meanwhile.")
    assert (await is_now(store, FIRST)).decided["intent"] == "stop"
    assert (await is_now(store, SECOND)).status == DISMISSED


async def test_an_example_of_another_intent(anna: Browser, store: AsyncStore) -> None:
    say = {"id": SECOND, "intent": "greet", "text": "never mind"}
    status, told = await anna.post("/api/design/confirm", say)
    assert status == 409
    assert told["elsewhere"]["intent"] == "stop"
    assert told["elsewhere"]["file"] == NLU
    assert (await is_now(store, SECOND)).status == OPEN
    status, told = await anna.post("/api/design/confirm", {**say, "move": True})
    assert status == 200, told
    assert told["moved"].startswith(f"{NLU}:")


async def test_without_the_files_it_is_kept(
    store: AsyncStore, tmp_path: Path, project: Path
) -> None:
    await three_lessons(store)
    empty = tmp_path / "empty"
    empty.mkdir()
    settings = settings_of(tmp_path)
    async with (
        serving(store, settings, clerk=False, root=empty) as far,
        browsing(far, "anna") as anna,
    ):
        assert (await anna.get("design/project"))[1]["here"] is False
        status, told = await anna.post("/api/design/confirm", PARCEL)
        assert status == 200
        assert told["kept"]
        assert (await anna.post("/api/design/write", {}))[0] == 409
    assert (await is_now(store, FIRST)).status == CONFIRMED

    async with (
        serving(store, settings, clerk=False, root=project) as near,
        browsing(near, "anna") as anna,
    ):
        status, told = await anna.post("/api/design/write", {})
        assert status == 200
        assert [one["file"] for one in told["written"]] == [NLU]
    assert (await is_now(store, FIRST)).status == WRITTEN


async def test_marked_text_is_read(anna: Browser) -> None:
    status, told = await anna.post("/api/design/marked", {"text": "is [1042](number) here"})
    assert (status, told["text"]) == (200, "is 1042 here")
    assert told["marks"][0]["start"] == 3
    status, told = await anna.post("/api/design/marked", {"text": "is [1042](number"})
    assert (status, told["at"]) == (422, 9)
    assert told["error"].startswith("character 10: ")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"intent": ""}, "intent: is missing"),
    ({"intent": "greett"}, "greett"),
    ({"text": " "}, "text: is missing"),
    ({"text": "x" * 5001, "marks": []}, "5000 are allowed"),
    ({"marks": "x"}, "marks: should be a list"),
    ({"marks": [3]}, "marks[0]: should be an object"),
    ({"marks": [{"start": True, "end": 4, "entity": "number"}]}, "whole numbers"),
    ({"marks": [{"start": 0, "end": 99, "entity": "number"}]}, "within the text"),
    ({"marks": [{"start": 4, "end": 4, "entity": "number"}]}, "within the text"),
    ({"marks": [{"start": 0, "end": 2, "entity": "number"}] * 2}, "not overlap"),
    ({"marks": [{"start": 0, "end": 2, "entity": "nmber"}]}, "nmber"),
    ({"seen": "closed"}, "seen: should be one of"),
    ({"id": "none"}, "none"),
    ({"id": 3}, "id: should be a text"),
]


async def test_what_is_no_decision(anna: Browser, project: Path) -> None:
    before = (project / NLU).read_bytes()
    for change, problem in WRONG:
        status, told = await anna.post("/api/design/confirm", {**PARCEL, **change})
        assert status in (400, 404, 422), change
        assert problem in told["error"]
    assert (project / NLU).read_bytes() == before


async def test_queries_that_are_none(anna: Browser) -> None:
    for name, query in (
        ("lessons", {"status": "x"}),
        ("lessons", {"reason": "x"}),
        ("lesson", {}),
        ("draft", {"conversation": KEY, "first": "-1"}),
        ("draft", {"conversation": KEY, "kind": "x"}),
        ("draft", {"conversation": KEY, "last": "9" * 5000}),
    ):
        assert (await anna.get(f"design/{name}", **query))[0] == 400
    assert (await anna.get("design/lessons", after="gone"))[0] == 409
    assert (await anna.get("design/draft", conversation="none"))[0] == 404


async def test_a_conversation_becomes_a_story_and_a_test(
    anna: Browser, store: AsyncStore, project: Path
) -> None:
    # What is loaded already need not be loaded by a process for each draft.
    pytest.importorskip("spacy")
    await a_talk(store)
    asked = {"conversation": KEY, "kind": "story"}
    status, draft = await anna.get("design/draft", **asked, around="1")
    assert status == 200, draft
    # The session that the message is of, not the newest one.
    assert draft["last"] == 2
    assert draft["file"].startswith("data/stories/")
    assert "- intent: greet" in draft["yaml"]
    assert "- intent: order" not in draft["yaml"]

    yaml = draft["yaml"].replace("utter_stopped", "utter_greet")
    say = {**asked, "title": draft["title"], "yaml": yaml, "file": draft["file"]}
    status, told = await anna.post("/api/design/story", say)
    assert status == 200, told
    lines = (project / draft["file"]).read_text("utf-8").splitlines()
    assert draft["title"] in lines[told["line"] - 1]
    status, again = await anna.post("/api/design/story", say)
    assert (status, again["new"], again["line"]) == (200, False, told["line"])

    for change in ({"yaml": "- rule: x"}, {"file": "data/stories/../../x.yml"}, {"kind": "test"}):
        status, told = await anna.post("/api/design/story", {**say, **change})
        assert status == 422, change
        assert told["error"]

    _, test = await anna.get("design/draft", conversation=KEY, kind="test")
    assert test["file"].startswith("tests/stories/test_")
    assert "where is [" in test["yaml"]
    say = {"conversation": KEY, "kind": "test", "yaml": test["yaml"], "file": test["file"]}
    assert (await anna.post("/api/design/story", say))[0] == 200
    assert test["yaml"] in (project / test["file"]).read_text("utf-8")

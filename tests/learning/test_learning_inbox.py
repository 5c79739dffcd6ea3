"""What designers decide in the inbox lands in the right file, or is kept until it can."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bot.learning import (
    CannotWrite,
    Decided,
    Draft,
    Elsewhere,
    Learning,
    Mark,
    NoSuchLesson,
    NotAllowed,
)
from bot.learning.lessons import joined
from bot.lesson_words import CONFIRMED, DISMISSED, OPEN, UNSURE, WRITTEN
from bot.message import utcnow
from bot.store import AsyncStore
from bot.store.lessons import Lesson
from tests.kit.tiny import spoil, tiny_bot

NLU = "data/nlu/all.yml"
HOURS = Decided("hours", "at what time do you close")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tiny_bot(tmp_path / "bot")
    spoil(folder / "domain.yml", "slots:", "entities: [city, name: {roles: [from, to]}]\nslots:")
    return folder


@pytest.fixture
def learning(store: AsyncStore, root: Path) -> Learning:
    return Learning(store, root)


async def lesson(store: AsyncStore, id: str = "a", alike: str = "x", **more: object) -> str:
    row = Lesson(
        id=id, conversation="line:shop:tom", at=utcnow(), text="at what time do you close",
        alike=alike, **{"reasons": {UNSURE: "x"}, "reason": UNSURE, "weight": 10, **more},
    )  # fmt: skip
    await store.insert(row)
    return id


async def status(store: AsyncStore, id: str = "a") -> str:
    found = await store.get(Lesson, id)
    assert found is not None
    return str(found.status)


async def test_the_inbox_has_the_heaviest_first_in_pages(
    store: AsyncStore, learning: Learning
) -> None:
    for n, weight in enumerate([5, 30, 30, 10, 0]):
        await lesson(store, f"l{n}", f"x{n}", weight=weight)
    first = await learning.inbox(limit=2)
    assert {one.id for one in first} == {"l1", "l2"}
    rest = await learning.inbox(limit=9, after=first[-1].id)
    assert [one.id for one in rest] == ["l3", "l0"]
    assert await learning.inbox(reason="rated") == []
    both = {"unsure": "0.41 sure", "handed": "the customer wanted a person"}
    await lesson(store, "l5", "x5", weight=1, reasons=both, reason=joined(both))
    assert {one.id for one in await learning.inbox(reason="handed")} == {"l5"}
    assert "l5" in {one.id for one in await learning.inbox(reason="unsure")}
    counts = await learning.counts()
    assert (counts["open"], counts["unsure"], counts["handed"], counts["rated"]) == (5, 5, 1, 0)
    with pytest.raises(NoSuchLesson):
        await learning.lesson("nobody")


async def test_a_confirmed_example_is_in_the_file_of_its_intent(
    store: AsyncStore, learning: Learning, root: Path
) -> None:
    await lesson(store)
    await lesson(store, "b", weight=0)
    before = (root / NLU).read_text("utf-8")
    done = await learning.confirm("a", HOURS, "anna")
    assert (done.file, done.new) == (NLU, True)
    lines = (root / NLU).read_text("utf-8").splitlines(keepends=True)
    assert lines[done.line - 1] == "      - at what time do you close\n"
    assert "".join(lines[: done.line - 1] + lines[done.line :]) == before
    kept = await learning.lesson("a")
    assert (kept.status, kept.file, kept.line, kept.decided_by) == (WRITTEN, NLU, done.line, "anna")
    assert Decided.decode(kept.decided) == HOURS
    assert await status(store, "b") == WRITTEN
    assert [one.id for one in await learning.alike(kept)] == ["b"]
    # A button is pressed twice.
    assert (await learning.confirm("a", HOURS, "anna")).new is False
    with pytest.raises(NotAllowed, match=r"written into data/nlu/all\.yml:"):
        await learning.confirm("a", replace(HOURS, intent="bye"), "anna")
    with pytest.raises(NotAllowed, match="take it out of there"):
        await learning.dismiss("a", "anna")


async def test_an_example_that_is_there_is_not_written_again(
    store: AsyncStore, learning: Learning, root: Path
) -> None:
    await lesson(store)
    before = (root / NLU).read_bytes()
    done = await learning.confirm("a", Decided("hours", "When are you OPEN."), "anna")
    assert (done.new, done.line) == (
        False,
        before.decode().split("\n").index("      - when are you open") + 1,
    )
    assert (root / NLU).read_bytes() == before


async def test_the_example_of_another_intent_is_moved_when_that_is_wanted(
    store: AsyncStore, learning: Learning, root: Path
) -> None:
    await lesson(store)
    decided = Decided("hours", "hi there")
    with pytest.raises(Elsewhere, match=r"example of greet already, in data/nlu/all.yml:6") as told:
        await learning.confirm("a", decided, "anna")
    assert (told.value.intent, told.value.line) == ("greet", 6)
    assert await status(store) == OPEN
    done = await learning.confirm("a", replace(decided, move=True), "anna")
    assert done.moved == "data/nlu/all.yml:6"
    lines = (root / NLU).read_text("utf-8").splitlines()
    assert [n for n, line in enumerate(lines, 1) if line.strip() == "- hi there"] == [done.line]


@pytest.mark.parametrize(
    ("decided", "what"),
    [
        (Decided("hour", "x y"), "no intent of the domain; did you mean hours"),
        (Decided("hours", "x y", (Mark(0, 1, "citty"),)), "did you mean city"),
        (Decided("hours", "write to ann@gmail.com"), "a mail address"),
        (Decided("hours", "  "), "empty"),
    ],
)
async def test_what_cannot_be_so_is_refused_and_nothing_is_kept(
    store: AsyncStore, learning: Learning, root: Path, decided: Decided, what: str
) -> None:
    await lesson(store)
    before = (root / NLU).read_bytes()
    with pytest.raises(NotAllowed, match=what):
        await learning.confirm("a", decided, "anna")
    assert await status(store) == OPEN
    assert (root / NLU).read_bytes() == before


async def test_what_makes_the_project_wrong_is_put_back(
    store: AsyncStore, learning: Learning, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lesson(store)
    # An entity that no domain knows: what is refused before is let through here.
    monkeypatch.setattr("bot.learning.writing.annotated", lambda *a: "at [noon](time)")
    before = (root / NLU).read_bytes()
    with pytest.raises(NotAllowed, match=r"all.yml:\d+: error: annotates time"):
        await learning.confirm("a", HOURS, "anna")
    assert (root / NLU).read_bytes() == before
    assert await status(store) == OPEN


async def test_errors_that_were_there_before_do_not_matter(
    store: AsyncStore, learning: Learning, root: Path
) -> None:
    await lesson(store)
    spoil(root / "data/rules/all.yml", "utter_bye", "utter_nothing")
    assert (await learning.confirm("a", HOURS, "anna")).new


async def test_without_files_the_decision_is_kept_and_written_where_they_are(
    store: AsyncStore, tmp_path: Path, root: Path
) -> None:
    await lesson(store)
    elsewhere = Learning(store, tmp_path)
    assert elsewhere.project().here is False
    with pytest.raises(CannotWrite):
        await elsewhere.confirm("a", HOURS, "anna")
    assert await status(store) == CONFIRMED
    (done,) = await Learning(store, root).write("ben")
    assert "at what time" in (root / NLU).read_text("utf-8").splitlines()[done.line - 1]
    assert await status(store) == WRITTEN
    assert await Learning(store, root).write("ben") == []


async def test_a_decision_that_cannot_be_any_more_is_open_again(
    store: AsyncStore, learning: Learning
) -> None:
    await lesson(store, status=CONFIRMED, decided=Decided("gone", "x y").encode())
    assert await learning.write("ben") == []
    assert await status(store) == OPEN


async def test_a_folder_that_cannot_be_written_keeps_the_decision(
    store: AsyncStore, learning: Learning, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await lesson(store)

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    # The tests may run as root, who may write everywhere.
    monkeypatch.setattr("bot.whole_files.tempfile.mkstemp", refuse)
    with pytest.raises(CannotWrite, match=r"all.yml cannot be written: Permission denied"):
        await learning.confirm("a", HOURS, "anna")
    assert await status(store) == CONFIRMED


async def test_mode_and_links_of_a_file_are_kept(
    store: AsyncStore, learning: Learning, root: Path
) -> None:
    await lesson(store)
    real = root / "shared.yml"
    os.rename(root / NLU, real)
    (root / NLU).symlink_to(real)
    real.chmod(0o640)
    await learning.confirm("a", HOURS, "anna")
    assert (root / NLU).is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    assert "at what time" in real.read_text("utf-8")
    assert [path.name for path in (root / "data/nlu").iterdir()] == ["all.yml"]


async def test_an_intent_without_examples_gets_a_file(
    store: AsyncStore, learning: Learning, root: Path
) -> None:
    spoil(root / "domain.yml", "[greet, bye, hours]", "[greet, bye, hours, thank]")
    for n, text in enumerate(["thanks", "thank you, [Tom]"]):
        marks = (Mark(11, 14, "name", role="to"),) if n else ()
        await lesson(store, f"t{n}", f"t{n}")
        await learning.confirm(
            f"t{n}", Decided("thank", text.strip("[]").replace("[", ""), marks), "anna"
        )
    assert (
        (root / "data/nlu/learned.yml")
        .read_text("utf-8")
        .endswith(
            "nlu:\n  - intent: thank\n    examples: |\n      - thanks\n"
            '      - thank you, [Tom]{"entity": "name", "role": "to"}\n'
        )
    )


async def test_what_is_held_out_for_measuring_is_warned_of(
    store: AsyncStore, learning: Learning
) -> None:
    await lesson(store)
    done = await learning.confirm("a", Decided("bye", "see you around"), "anna")
    assert any("tests/nlu/heldout.yml" in line for line in done.warnings)


async def test_several_who_confirm_at_once_lose_nothing(
    store: AsyncStore, learning: Learning, root: Path
) -> None:
    texts = [f"do you open at {word}" for word in ("six", "seven", "eight", "nine", "ten")]
    for text in texts:
        await lesson(store, text, text)
    own = [Learning(store, root) for _ in texts]
    done = await asyncio.gather(
        *(
            one.confirm(text, Decided("hours", text), "anna")
            for one, text in zip(own, texts, strict=True)
        )
    )
    lines = (root / NLU).read_text("utf-8").splitlines()
    assert [lines.count(f"      - {text}") for text in texts] == [1] * len(texts)
    assert len({one.line for one in done}) == len(texts)


async def test_dismissing_takes_those_alike_along(store: AsyncStore, learning: Learning) -> None:
    await lesson(store)
    await lesson(store, "b", weight=0)
    await lesson(store, "c", "other")
    await learning.dismiss("a", "anna")
    assert [await status(store, id) for id in "abc"] == [DISMISSED, DISMISSED, OPEN]


def test_the_project_tells_what_can_be_chosen_and_sees_changes(
    learning: Learning, root: Path
) -> None:
    project = learning.project()
    hours = next(one for one in project.intents if one.name == "hours")
    assert (hours.file, hours.count, hours.examples[0]) == (NLU, 5, "when are you open")
    assert dict(project.entities) == {"city": (), "name": ("from", "to")}
    assert project.here
    assert project.writable
    with (root / NLU).open("a", encoding="utf-8") as file:
        file.write("  - synonym: Rome\n    examples: |\n      - Roma\n")
    assert learning.project().synonyms == {"roma": "Rome"}


STORY = "- story: Hours first\n  steps:\n    - user: |\n        when are you open\n      intent: hours\n    - action: utter_hours\n"  # noqa: E501
DRAFT = Draft("test", "line:shop:tom", "Hours first", "tests/stories/test_all.yml", STORY)


async def test_a_draft_is_written_once_at_the_end_of_its_file(
    learning: Learning, root: Path
) -> None:
    path = root / DRAFT.file
    before = path.read_text("utf-8")
    done = await learning.save(DRAFT, "anna")
    after = path.read_text("utf-8")
    assert after.startswith(before)
    assert after.splitlines()[done.line - 1] == "  - story: Hours first"
    assert (await learning.save(DRAFT, "anna")).new is False
    assert path.read_text("utf-8") == after


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"file": "tests/stories/all.yml"}, "no place for it"),
        ({"file": "tests/stories/../../test_x.yml"}, "no place for it"),
        ({"file": "data/rules/test_x.yml"}, "no place for it"),
        ({"yaml": STORY.replace("Hours first", "Hello and goodbye")}, "name it otherwise"),
        ({"yaml": STORY.replace("intent: hours", "intent: hour")}, "hour is no intent"),
        ({"yaml": STORY.replace("- action", "action")}, "put this right first"),
        ({"yaml": STORY.replace("are you", "is ann@gmail.com")}, "a mail address"),
        ({"yaml": STORY + STORY}, "not one story"),
        ({"yaml": "hello"}, "not one story"),
    ],
)
async def test_a_draft_that_cannot_be_so_changes_nothing(
    learning: Learning, root: Path, change: dict[str, str], what: str
) -> None:
    before = (root / DRAFT.file).read_bytes()
    with pytest.raises(NotAllowed, match=what):
        await learning.save(replace(DRAFT, **change), "anna")
    assert (root / DRAFT.file).read_bytes() == before

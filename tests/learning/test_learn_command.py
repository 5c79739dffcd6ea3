from __future__ import annotations

import argparse
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.cli import parser
from bot.learn_command import learn
from bot.learning import Decided, Learning
from bot.lesson_words import CONFIRMED, DISMISSED, OPEN, WRITTEN
from bot.settings import Settings
from bot.store import AsyncStore
from bot.store.lessons import Lesson
from tests.kit.designs import sound_project
from tests.kit.inbox import KEY, a_talk, lesson, three_lessons
from tests.kit.settings import settings_in

FIRST, SECOND, THIRD = (f"{KEY}:in-{n}" for n in (1, 2, 3))
NLU = "data/nlu/all.yml"


@dataclass
class Terminal:
    """A project, an instance, and a designer in front of it."""

    root: Path
    settings: Settings
    store: AsyncStore
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    async def bot_learn(self, *words: str, typed: str = "") -> tuple[int, str, str]:
        """Run ``bot learn``, with what is typed; return its status and what it said."""
        self.monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        args: argparse.Namespace = parser().parse_args(["learn", *words])
        status = await learn(args, self.settings, self.root)
        told = self.capsys.readouterr()
        assert "\x1b" not in told.out + told.err
        return status, told.out, told.err

    async def is_now(self, id: str) -> Lesson:
        found = await self.store.get(Lesson, id)
        assert found is not None
        return found

    def nlu(self) -> str:
        return (self.root / NLU).read_text("utf-8")

    def stands_at(self, said: str, line: str) -> None:
        """Assert that a place that was said has this line in it."""
        where = next(word for word in said.replace(":", " ").split() if word.isdecimal())
        assert self.nlu().splitlines()[int(where) - 1].strip() == line


@pytest.fixture
async def terminal(
    tmp_path: Path,
    store: AsyncStore,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Terminal:
    await three_lessons(store)
    root = sound_project(tmp_path / "project")
    return Terminal(root, settings_in(tmp_path), store, capsys, monkeypatch)


async def test_the_list_as_lines_and_as_json(terminal: Terminal) -> None:
    status, out, _ = await terminal.bot_learn("list")
    rows = out.splitlines()
    assert status == 0
    assert rows[0].split()[:3] == [FIRST, "order", "0.41"]
    assert "wher is my parcl [1042](number) pls" in rows[0]
    assert rows[2].endswith(" [31m<img src=x onerror=alert(1)>")
    assert "3 open (2 not sure, 0 corrected, 0 rated badly, 1 handed over)" in out

    _, out, _ = await terminal.bot_learn("list", "--reason", "handed", "--json")
    (one,) = map(json.loads, out.splitlines())
    assert one["id"] == THIRD
    assert one["text"] == "\x1b[31m<img src=x onerror=alert(1)>"

    _, out, _ = await terminal.bot_learn("list", "--status", "written")
    assert out == "nothing is written\n"


async def test_one_is_confirmed_as_it_was_understood(terminal: Terminal) -> None:
    status, out, _ = await terminal.bot_learn("confirm", FIRST)
    assert status == 0
    assert out.startswith(f"{NLU}:")
    assert ": order" in out
    terminal.stands_at(out, "- 😀 wher is my parcl [1042](number) pls")
    now = await terminal.is_now(FIRST)
    assert (now.status, now.file) == (WRITTEN, NLU)

    # Again, as after a power cut: it stands there once.
    status, out, _ = await terminal.bot_learn("confirm", FIRST)
    assert (status, terminal.nlu().count("wher is my parcl")) == (0, 1)
    assert "where it stood already" in out


async def test_one_is_changed_and_one_dismissed(terminal: Terminal) -> None:
    marked = 'hand [20417]{"entity": "number", "value": "1043"} back'
    status, out, err = await terminal.bot_learn("confirm", SECOND, "stop", "--text", marked)
    assert status == 0, err
    terminal.stands_at(out, f"- {marked}")
    assert "evening all" not in terminal.nlu()

    assert (await terminal.bot_learn("dismiss", THIRD))[0] == 0
    assert (await terminal.is_now(THIRD)).status == DISMISSED
    _, out, _ = await terminal.bot_learn("list")
    assert [row.split()[0] for row in out.splitlines() if row.startswith(KEY)] == [FIRST]


async def test_what_cannot_be_is_said_and_changes_nothing(terminal: Terminal) -> None:
    before = terminal.nlu()
    for words, status, problem in (
        (("confirm", SECOND, "--text", "[all](number"), 2, "character 6: this ( is never closed"),
        (("confirm", SECOND, "greett"), 2, "greett"),
        (("confirm", SECOND, "greet", "--text", "[all](nmber)"), 2, "nmber"),
        (("confirm", "none"), 1, "bot learn list"),
        (("dismiss", "none"), 1, "bot learn list"),
        (("story", "none"), 1, "none"),
    ):
        told = await terminal.bot_learn(*words)
        assert told[0] == status, told
        assert problem in told[2]
    assert terminal.nlu() == before
    assert (await terminal.is_now(SECOND)).status == OPEN


async def test_an_example_of_another_intent_is_moved_when_told_so(terminal: Terminal) -> None:
    await terminal.store.insert(lesson(4, "never mind"))
    status, _, err = await terminal.bot_learn("confirm", f"{KEY}:in-4", "greet")
    assert status == 2
    assert f"example of stop already, in {NLU}:" in err
    status, out, _ = await terminal.bot_learn("confirm", f"{KEY}:in-4", "greet", "--move")
    assert status == 0
    assert "taken away from" in out
    assert terminal.nlu().count("never mind") == 1


async def test_decided_without_the_files_and_written_where_they_are(
    terminal: Terminal, tmp_path: Path
) -> None:
    here, terminal.root = terminal.root, tmp_path / "elsewhere"
    terminal.root.mkdir()
    status, _, err = await terminal.bot_learn("confirm", FIRST, "order")
    assert status == 1
    assert err
    assert (await terminal.is_now(FIRST)).status == CONFIRMED

    terminal.root = here
    _, out, _ = await terminal.bot_learn("list")
    assert "1 decided but in no file yet: `bot learn write`" in out
    status, out, _ = await terminal.bot_learn("write")
    assert status == 0
    terminal.stands_at(out, "- 😀 wher is my parcl [1042](number) pls")
    assert (await terminal.bot_learn("write"))[1].startswith("nothing is decided")


async def test_one_after_the_other(terminal: Terminal) -> None:
    typed = (
        "9\n",  # no such number
        "what\n",  # no such intent
        "e\nwhere is [1042](number\n",  # not closed
        "e\nwhere is my parcel [1042](number)\n",
        "1\n",  # order
        "w\n",  # it has no turn to explain
        "gre\n",  # greet, by its beginning
        "d\n",
    )
    status, out, _ = await terminal.bot_learn(typed="".join(typed))
    assert status == 0, out
    assert "1. order 0.41   as: " in out
    assert "because: not sure (0.41)" in out
    assert "there is no number 9" in out
    assert "what is no intent of the bot" in out
    assert "this ( is never closed" in out
    assert out.endswith("3 decided, 0 open\n")
    assert "- where is my parcel [1042](number)\n" in terminal.nlu()
    assert "- evening all\n" in terminal.nlu()
    assert (await terminal.is_now(THIRD)).status == DISMISSED
    assert (await terminal.bot_learn())[1] == "nothing to learn from is left\n"


async def test_the_end_of_the_input_leaves_the_rest_open(terminal: Terminal) -> None:
    status, out, _ = await terminal.bot_learn(typed="s\n")
    assert (status, out.splitlines()[-1]) == (0, "0 decided, 3 open")
    status, out, _ = await terminal.bot_learn(typed="q\n1\n")
    assert (status, out.splitlines()[-1]) == (0, "0 decided, 3 open")


async def test_another_designer_was_quicker(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Typed(io.StringIO):
        """Ben decides while Anna reads."""

        def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
            decided = Decided("stop", "evening all")
            row = Lesson(**{**_fields(first), "status": CONFIRMED, "decided_by": "ben"})
            row.decided = decided.encode()
            terminal.store.sync.put(row)
            return super().readline()

    first = await terminal.is_now(FIRST)
    args = parser().parse_args(["learn"])
    monkeypatch.setattr("sys.stdin", Typed("1\nq\n"))
    before = terminal.nlu()
    assert await learn(args, terminal.settings, terminal.root) == 0
    assert "ben has decided this meanwhile" in terminal.capsys.readouterr().out
    assert terminal.nlu() == before
    assert (await terminal.is_now(FIRST)).decided_by == "ben"


def _fields(row: Lesson) -> dict[str, object]:
    return {name: getattr(row, name) for name in row._fields}


async def test_alike_ones_are_decided_together(terminal: Terminal) -> None:
    await terminal.store.insert_new(
        [lesson(n, f"good day {n}", alike="day", weight=500 * (n == 5)) for n in (5, 6)]
    )
    status, out, _ = await terminal.bot_learn(typed="2\nq\n")
    assert status == 0
    assert "2 alike" in out
    assert {(await terminal.is_now(f"{KEY}:in-{n}")).status for n in (5, 6)} == {WRITTEN}
    assert (await Learning(terminal.store, terminal.root).counts())[OPEN] == 3


async def test_a_conversation_becomes_a_story_and_a_test(terminal: Terminal) -> None:
    # What is loaded already need not be loaded by a process for each draft.
    pytest.importorskip("spacy")
    await a_talk(terminal.store)
    before = {path: path.read_bytes() for path in terminal.root.rglob("*.yml")}
    status, out, _ = await terminal.bot_learn("story", KEY, "--last", "2", "--dry-run")
    assert status == 0
    assert out.startswith("# data/stories/")
    assert "- action: utter_stopped" in out
    assert {path: path.read_bytes() for path in terminal.root.rglob("*.yml")} == before

    words = ("story", KEY, "--last", "2", "--title", "A customer leaves")
    status, out, err = await terminal.bot_learn(*words)
    assert status == 0, err
    file, line = out.splitlines()[0].split(":")
    lines = (terminal.root / file).read_text("utf-8").splitlines()
    assert lines[int(line) - 1] == "  - story: A customer leaves"

    status, out, err = await terminal.bot_learn("story", KEY, "--test")
    assert status == 0, err
    assert out.startswith("tests/stories/test_")
    status, _, err = await terminal.bot_learn("story", KEY, "--first", "9")
    assert (status, "no such turns" in err) == (1, True)
    for words in (("story", KEY, "--first", "0"), ("story",), ("list", "--reason", "x")):
        with pytest.raises(SystemExit) as left:
            await terminal.bot_learn(*words)
        assert left.value.code == 2

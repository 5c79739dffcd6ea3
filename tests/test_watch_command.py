"""``bot watch``, with a project in a folder and a training that is told from outside."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.dialogue.live import LiveWords
from bot.watch_command import _POLL, _SETTLE, Trained, Watching, look, train_niced
from tests.kit.designs import DOMAIN, sound_project
from tests.kit.waiting import PATIENCE, until

#: Seconds that nobody works. What the work takes is counted without others' at this machine.
WAITS = _POLL + _SETTLE


class Desk:
    """What a designer sees, and what reaches the bot."""

    def __init__(self, root: Path, **options: float) -> None:
        self.root = root
        self.lines: list[str] = []
        self.live: list[LiveWords] = []
        self.fits = True
        self.withdrawn: list[str] = []
        self.trainings = 0
        self.outcome: list[Trained] = []
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.watching = Watching(
            root,
            self.lines.append,
            train=self.train,
            publish=self.publish,
            withdraw=self.withdraw,
            quiet=options.get("quiet", 0.0),
            taken_up=0.0,
        )

    async def train(self) -> Trained:
        self.trainings += 1
        await self.may_end.wait()
        return self.outcome.pop(0) if self.outcome else Trained(True, ["models/new.tar.gz"])

    async def publish(self, words: LiveWords) -> bool:
        if self.fits:
            self.live.append(words)
        return self.fits

    async def withdraw(self, digest: str) -> bool:
        self.withdrawn.append(digest)
        return True

    def save(self, old: str, new: str, name: str = "domain.yml") -> float:
        """Save a file; return the seconds that this process has worked until now."""
        path = self.root / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
        return time.process_time()

    async def until(self, done: Callable[[], object]) -> None:
        try:
            await until(done, pause=0.02)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.lines}") from None

    async def __aenter__(self) -> Desk:
        self.task = asyncio.create_task(self.watching.run())
        await self.until(lambda: self.live and self.trainings)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return sound_project(tmp_path)


async def test_a_save_is_told_checked_and_live_within_two_seconds(root: Path) -> None:
    async with Desk(root) as desk:
        saved = desk.save("Hello!", "Hello there!")
        await desk.until(lambda: "responses are live" in desk.lines)
        assert time.process_time() - saved + WAITS < 2.0
        assert "domain.yml changed" in desk.lines
        assert "all is well" in desk.lines
        assert desk.live[-1].responses["utter_greet"][0]["text"] == "Hello there!"


async def test_words_that_the_model_cannot_say_yet_are_told_to_wait(root: Path) -> None:
    async with Desk(root) as desk:
        desk.fits = False
        desk.save("Hello!", "Hello there!")
        waits = "responses wait for the next model: not only words have changed"
        await desk.until(lambda: waits in desk.lines)
        desk.fits = True
        desk.save("Hello there!", "Hello again!")
        await desk.until(lambda: desk.lines.count("responses are live") == 1)
        assert [w.responses["utter_greet"][0]["text"] for w in desk.live] == [
            "Hello!",
            "Hello again!",
        ]


async def test_what_is_saved_during_a_check_is_checked_before_it_is_live(root: Path) -> None:
    desk = Desk(root)

    def say(line: str) -> None:
        if not desk.lines:
            desk.save("Hello!", "Hello there!")
        desk.lines.append(line)

    desk.watching.say = say
    async with desk:
        await desk.until(lambda: "responses are live" in desk.lines)
    assert desk.lines[:4] == [
        "all is well",
        "domain.yml changed",
        "all is well",
        "responses are live",
    ]
    assert [w.responses["utter_greet"][0]["text"] for w in desk.live] == ["Hello there!"]


async def test_a_fault_is_told_with_its_line_and_reaches_nothing(root: Path) -> None:
    async with Desk(root) as desk:
        await desk.until(lambda: desk.withdrawn)
        saved = desk.save('- text: "Which number?"', "- txt: no")
        await desk.until(lambda: any(line.startswith("2 errors") for line in desk.lines))
        assert time.process_time() - saved + WAITS < 2.0
        assert any(line.startswith("domain.yml:32: error: ") for line in desk.lines)
        await asyncio.sleep(0.5)
        assert (len(desk.live), desk.trainings) == (1, 1)
        desk.save("- txt: no", '- text: "Which one?"')
        await desk.until(lambda: len(desk.live) == 2 and desk.trainings == 2)


async def test_training_is_one_at_a_time_and_again_if_something_changed_meanwhile(
    root: Path,
) -> None:
    desk = Desk(root)
    desk.may_end.clear()
    async with desk:
        desk.save("Hello!", "Hello 1!")
        await desk.until(lambda: len(desk.live) == 2)
        desk.save("Hello 1!", "Hello 2!")
        await desk.until(lambda: len(desk.live) == 3)
        assert desk.trainings == 1
        desk.may_end.set()
        await desk.until(lambda: desk.trainings == 2)
        await desk.until(lambda: len(desk.withdrawn) == 2)
        # The words of the first training had been replaced by then, those of the second not.
        assert desk.withdrawn[-1] == desk.live[-1].digest != desk.withdrawn[0]


async def test_words_stay_live_while_no_model_has_them(root: Path) -> None:
    desk = Desk(root)
    desk.outcome = [Trained(False, ["intent greet got worse"])]
    async with desk:
        await desk.until(lambda: any("without a model to use" in line for line in desk.lines))
        assert "  intent greet got worse" in desk.lines
        assert not desk.withdrawn


async def test_nothing_is_trained_twice_for_the_same_files(root: Path) -> None:
    async with Desk(root) as desk:
        await desk.until(lambda: desk.withdrawn)
        desk.save("Hello!", "Hello!")
        await desk.until(lambda: desk.lines.count("all is well") == 2)
        await asyncio.sleep(0.5)
        assert (desk.trainings, len(desk.live)) == (1, 1)


async def test_it_goes_on_whatever_happens_to_the_files(root: Path) -> None:
    async with Desk(root) as desk:
        (root / "domain.yml").unlink()
        await desk.until(lambda: any("domain.yml: error: is missing" in li for li in desk.lines))
        (root / "domain.yml").mkdir()
        await asyncio.sleep(0.5)
        (root / "domain.yml").rmdir()
        (root / "data/rules/all.yml").write_bytes(b"\xff\xfe")
        await desk.until(lambda: any("is not UTF-8" in line for line in desk.lines))
        (root / "domain.yml").write_text(DOMAIN, "utf-8")
        (root / "data/rules/all.yml").write_text("rules: []\n", "utf-8")
        await desk.until(lambda: any(line.endswith(", no error") for line in desk.lines))
        assert not desk.task.done()


async def test_a_store_that_fails_ends_nothing(root: Path) -> None:
    from bot.store import StoreDown

    async with Desk(root) as desk:

        async def down(words: LiveWords) -> None:
            raise StoreDown("is down")

        desk.watching.publish = down
        desk.save("Hello!", "Hello there!")
        await desk.until(lambda: "the store: is down" in desk.lines)
        desk.watching.publish = desk.publish
        desk.save("Hello there!", "Hello all!")
        await desk.until(lambda: len(desk.live) == 2)


def test_files_of_editors_and_articles_are_not_watched(root: Path) -> None:
    before = look(root)
    (root / "data" / "nlu" / ".all.yml.swp").write_text("x")
    (root / "data" / "knowledge").mkdir()
    (root / "data" / "knowledge" / "a.md").write_text("x")
    assert look(root) == before
    (root / "data" / "nlu" / "more.yml").write_text("nlu: []")
    assert look(root) != before


async def test_training_is_niced_its_words_are_kept_and_it_ends_when_cancelled() -> None:
    code = "import os; print('\\rone\\rtwo'); print(os.nice(0)); raise SystemExit(1)"
    done = await train_niced([sys.executable, "-c", code])
    # The tests may be niced themselves.
    niced = str(min(19, os.nice(0) + 15))
    assert (done.ok, list(done.said)) == (False, ["one", "two", niced])
    began = time.monotonic()
    waiting = asyncio.create_task(
        train_niced([sys.executable, "-c", "input(); import time; time.sleep(60)"])
    )
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    sleeping = asyncio.create_task(
        train_niced([sys.executable, "-c", "import time; time.sleep(60)"])
    )
    await asyncio.sleep(0.3)
    sleeping.cancel()
    await asyncio.gather(sleeping, return_exceptions=True)
    assert time.monotonic() - began < PATIENCE


def test_the_command_ends_at_ctrl_c(root: Path) -> None:
    command = [sys.executable, "-m", "bot.cli", "watch", "--no-train", "--var", str(root / "var")]
    environ = {"PYTHONPATH": str(Path(__file__).parents[1]), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(
        command, cwd=root, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[0]
    assert "all is well" in first, first + rest
    assert process.returncode == 0, rest

"""Real child processes: small programs in the place of the bot's roles."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from bot.supervisor import Child, Supervisor
from tests.kit.waiting import PATIENCE, until

PROGRAM = """
import os, select, signal, sys, time
from pathlib import Path

role, directory = sys.argv[1], Path(sys.argv[2])
def mark(what):
    (directory / f"{role}.{os.getpid()}.{what}").touch()

if role == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
told = []
if role != "deaf":
    signal.signal(signal.SIGTERM, lambda *_: told.append(1))
mark("born")
if role == "failing":
    sys.exit(3)
assert os.environ["FRONTDESK_SUPERVISED"] == "1"
mark(os.environ.get("COLOUR", "plain"))
while not told:
    readable, _, _ = select.select([0], [], [], 0.02)
    if readable and role != "deaf" and not os.read(0, 100):
        mark("orphaned")
        sys.exit(0)
    if readable and role == "deaf":
        time.sleep(0.02)
mark("finished")
"""

OUTER = """
import asyncio, sys
from bot.supervisor import Child, Supervisor

async def main():
    supervisor = Supervisor()
    for role in sys.argv[2:]:
        program = (sys.executable, "-c", open(sys.argv[1] + "/program").read())
        supervisor.start(Child(role, (sys.argv[1],), program=program))
    await asyncio.sleep(3600)

asyncio.run(main())
"""


class House:
    """A supervisor, and the marks that its children leave."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.supervisor = Supervisor()

    def start(self, role: str, **environ: str) -> Child:
        child = Child(
            role, (str(self.directory),), environ, program=(sys.executable, "-c", PROGRAM)
        )
        self.supervisor.start(child)
        return child

    def marked(self, role: str, what: str) -> set[int]:
        return {int(p.name.split(".")[1]) for p in self.directory.glob(f"{role}.*.{what}")}


@pytest.fixture
def event_loop_policy() -> asyncio.AbstractEventLoopPolicy:
    """That of `bot run`: uvloop, which comes with Rasa, takes the mask off its children."""
    return asyncio.DefaultEventLoopPolicy()


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    built = House(tmp_path)
    yield built
    await built.supervisor.stop()


async def test_a_killed_child_is_started_again_and_the_others_stay(house: House) -> None:
    house.start("gateway", COLOUR="blue")
    house.start("worker")
    (first,) = await until(lambda: house.marked("gateway", "blue"))
    await until(lambda: house.marked("worker", "plain"))
    os.kill(first, signal.SIGKILL)
    await until(lambda: len(house.marked("gateway", "blue")) == 2)
    assert len(house.marked("worker", "born")) == 1


async def test_stopping_lets_all_finish(house: House) -> None:
    for role in ("gateway", "worker"):
        house.start(role)
        await until(lambda role=role: house.marked(role, "plain"))
        # As Ctrl-C in a terminal does, whatever they are at.
        for pid in house.marked(role, "plain"):
            os.kill(pid, signal.SIGINT)
    await house.supervisor.stop()
    for role in ("gateway", "worker"):
        assert house.marked(role, "finished") == house.marked(role, "born")
        assert len(house.marked(role, "born")) == 1


async def test_a_child_that_does_not_stop_is_killed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.supervisor.STOP_SECONDS", 0.3)
    child = house.start("deaf")
    await until(lambda: house.marked("deaf", "plain"))
    await house.supervisor.stop()
    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL


async def test_a_child_that_fails_is_tried_again_and_stopping_does_not_wait_for_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.start("failing")
    await until(lambda: len(house.marked("failing", "born")) == 2)
    # The pause of this one is longer than a test.
    monkeypatch.setattr("bot.supervisor._FIRST_PAUSE", 3600.0)
    slow = Supervisor(longest_pause=3600.0)
    slow.start(Child("failing", (str(house.directory),), program=(sys.executable, "-c", PROGRAM)))
    await until(lambda: len(house.marked("failing", "born")) >= 3)
    await asyncio.wait_for(slow.stop(), PATIENCE)


async def test_the_pause_before_another_try_grows_no_longer_than_it_may(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.supervisor = Supervisor(longest_pause=0.01)
    house.start("failing")
    try:
        await until(lambda: len(house.marked("failing", "born")) >= 6)
    finally:
        await house.supervisor.stop()


async def test_a_child_that_cannot_be_started_is_tried_again(house: House, tmp_path: Path) -> None:
    script = tmp_path / "late"
    child = Child("worker", (str(tmp_path),), program=(str(script), "-c", PROGRAM))
    house.supervisor.start(child)
    await asyncio.sleep(0.15)
    script.symlink_to(sys.executable)
    await until(lambda: house.marked("worker", "plain"))


async def test_stopping_while_a_child_is_being_started_leaves_none_behind(house: House) -> None:
    child = house.start("worker")
    await asyncio.sleep(0)
    await house.supervisor.stop()
    assert child.process is None or child.process.returncode is not None


async def test_the_children_of_a_killed_supervisor_end_by_themselves(tmp_path: Path) -> None:
    (tmp_path / "program").write_text(PROGRAM)
    outer = subprocess.Popen(
        [sys.executable, "-c", OUTER, str(tmp_path), "gateway", "worker"],
        env={**os.environ, "PYTHONPATH": os.getcwd()},
    )
    house = House(tmp_path)
    roles = ("gateway", "worker")
    await until(lambda: all(house.marked(role, "plain") for role in roles))
    pids = [pid for role in roles for pid in house.marked(role, "born")]
    outer.kill()
    outer.wait()
    await until(lambda: all(house.marked(role, "orphaned") for role in roles))
    await until(lambda: not any(psutil.pid_exists(pid) for pid in pids))

"""Real processes: a program that keeps workers, and what becomes of all of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.kit.waiting import PATIENCE, until

# Each worker leaves its pid, and ends as it is told to by the file "how".
PROGRAM = """
import os, select, signal, sys, threading, time
from pathlib import Path
from bot import zygote

directory = Path(sys.argv[1])
count, patience = int(sys.argv[2]), float(sys.argv[3])
how = sys.argv[4]

# As the libraries that are imported before a fork do.
threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()

def work(leash):
    (directory / f"{os.getpid()}.born").touch()
    if how == "raise":
        raise RuntimeError("broken")
    if how == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (directory / f"{os.getpid()}.deaf").touch()
        time.sleep(3600)
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(1))
    (directory / f"{os.getpid()}.ready").touch()
    while not told:
        readable, _, _ = select.select([leash], [], [], 0.02)
        if readable:
            (directory / f"{os.getpid()}.unleashed").touch()
            return 0
    (directory / f"{os.getpid()}.finished").touch()
    return 0

sys.exit(zygote.keep(count, work, stop_seconds=patience))
"""


class Zygote:
    def __init__(self, directory: Path, count: int, how: str, supervised: bool) -> None:
        self.directory = directory
        environ = {**os.environ, "PYTHONPATH": os.getcwd()}
        environ.pop("FRONTDESK_SUPERVISED", None)
        if supervised:
            environ["FRONTDESK_SUPERVISED"] = "1"
        patience = "0.5" if how == "stubborn" else "9"
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(directory), str(count), patience, how],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
        )

    def marked(self, mark: str) -> set[int]:
        return {int(path.stem) for path in self.directory.glob(f"*.{mark}")}

    def living(self, mark: str = "ready") -> set[int]:
        return {pid for pid in self.marked(mark) if _runs(pid)}


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


Begin = Callable[..., Zygote]


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    started: list[Zygote] = []

    def start(count: int = 2, how: str = "work", supervised: bool = False) -> Zygote:
        started.append(Zygote(tmp_path, count, how, supervised))
        return started[-1]

    yield start
    for zygote in started:
        zygote.process.kill()
        zygote.process.communicate()
        for pid in zygote.living("born"):
            os.kill(pid, signal.SIGKILL)


async def test_a_killed_worker_is_forked_again(begin: Begin) -> None:
    zygote = begin(count=2)
    first = await until(lambda: len(zygote.living()) == 2 and zygote.living())
    victim = min(first)
    os.kill(victim, signal.SIGKILL)
    second = await until(lambda: len(zygote.living() - {victim}) == 2 and zygote.living())
    assert len(first & second) == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_told_to_stop_all_finish_and_it_ends_with_0(begin: Begin, number: int) -> None:
    zygote = begin(count=3)
    workers = await until(lambda: len(zygote.living()) == 3 and zygote.living())
    zygote.process.send_signal(number)
    assert zygote.process.wait(PATIENCE) == 0
    assert zygote.marked("finished") == workers
    assert not zygote.living()


async def test_the_workers_of_a_killed_zygote_end_by_themselves(begin: Begin) -> None:
    zygote = begin(count=3)
    workers = await until(lambda: len(zygote.living()) == 3 and zygote.living())
    zygote.process.kill()
    await until(lambda: not zygote.living())
    assert zygote.marked("unleashed") == workers


async def test_a_worker_that_is_forked_later_does_not_hold_the_leash_of_another(
    begin: Begin,
) -> None:
    zygote = begin(count=2)
    first = await until(lambda: len(zygote.living()) == 2 and zygote.living())
    os.kill(min(first), signal.SIGKILL)
    await until(lambda: len(zygote.marked("ready")) == 3)
    zygote.process.kill()
    await until(lambda: not zygote.living())


async def test_under_a_supervisor_the_end_of_its_input_stops_it(begin: Begin) -> None:
    zygote = begin(count=2, supervised=True)
    workers = await until(lambda: len(zygote.living()) == 2 and zygote.living())
    assert zygote.process.stdin is not None
    zygote.process.stdin.close()
    assert zygote.process.wait(PATIENCE) == 0
    assert zygote.marked("finished") == workers


async def test_without_a_supervisor_the_end_of_its_input_means_nothing(begin: Begin) -> None:
    zygote = begin(count=1)
    first = await until(zygote.living)
    assert zygote.process.stdin is not None
    zygote.process.stdin.close()
    os.kill(min(first), signal.SIGKILL)
    await until(lambda: zygote.living() - first)
    assert zygote.process.poll() is None


async def test_a_worker_that_does_not_stop_is_killed(begin: Begin) -> None:
    zygote = begin(count=2, how="stubborn")
    await until(lambda: len(zygote.living("deaf")) == 2)
    zygote.process.terminate()
    assert zygote.process.wait(PATIENCE) == 0
    assert not zygote.living("born")


async def test_workers_that_fail_at_once_are_tried_again_more_and_more_slowly(
    begin: Begin,
) -> None:
    zygote = begin(count=1, how="raise")
    await until(lambda: len(zygote.marked("born")) >= 4)
    born = [p.stat().st_mtime for p in zygote.directory.glob("*.born")]
    born.sort()
    # 0.05 s, 0.1 s, 0.2 s at least.
    assert born[3] - born[0] >= 0.3
    assert zygote.process.poll() is None
    zygote.process.terminate()
    assert zygote.process.wait(PATIENCE) == 0

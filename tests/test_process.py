from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bot import process
from bot.process import is_dead, me
from tests.kit.waiting import until

ASK = "from bot.process import me; print(me(), flush=True); input()"


def other() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", ASK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def test_a_process_knows_itself_to_be_alive() -> None:
    assert me() == me()
    assert not is_dead(me())


def test_another_process_is_dead_once_it_was_killed_even_before_it_is_reaped() -> None:
    child = other()
    assert child.stdout is not None
    owner = child.stdout.readline().strip()
    assert owner != me()
    assert not is_dead(owner)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_dead(owner)
    child.wait()
    child.communicate()
    assert is_dead(owner)


def test_a_stopped_process_is_not_dead() -> None:
    child = other()
    assert child.stdout is not None
    owner = child.stdout.readline().strip()
    try:
        os.kill(child.pid, 19)
        assert not is_dead(owner)
    finally:
        child.kill()
        child.communicate()


async def test_a_forked_child_is_another_owner(tmp_path: Path) -> None:
    mine, said = me(), tmp_path / "owner"
    pid = os.fork()
    if pid == 0:
        said.write_text(me())
        os._exit(0)
    os.waitpid(pid, 0)
    owner = await until(said.read_text)
    assert owner.split("/")[0] == mine.split("/")[0]
    assert owner != mine
    assert is_dead(owner)


def test_a_pid_that_was_given_to_another_process_is_dead() -> None:
    machine, pid, started = me().split("/")
    assert is_dead(f"{machine}/{pid}/{int(started) - 1}")


@pytest.mark.parametrize(
    "owner",
    ["", "x", "x/1", "elsewhere/1/1", "elsewhere/999999999/1", f"{me().split('/')[0]}/abc/1"],
)
def test_whoever_is_not_known_to_be_of_this_machine_may_live(owner: str) -> None:
    assert not is_dead(owner)


def test_a_container_with_the_same_host_name_is_another_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine = me().split("/")[0]
    elsewhere = machine[:-1] + ("0" if machine[-1] != "0" else "1")
    assert not is_dead(f"{elsewhere}/999999999/1")


def test_setting_the_clock_kills_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    owner = me()
    monkeypatch.setattr("psutil.boot_time", lambda: 0.0)
    monkeypatch.setattr("psutil._pslinux.BOOT_TIME", 0.0, raising=False)
    process._me.cache_clear()
    assert me() == owner
    assert not is_dead(owner)

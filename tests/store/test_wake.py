"""Processes wake each other, over real sockets and a real Redis."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from bot.store.wake import Bells, LocalBell, RedisBell, open_bells
from tests.kit.ports import free_port
from tests.kit.redis import RedisServer
from tests.kit.waiting import PATIENCE

LONG = 20.0
"""Seconds no test should ever wait out: what is waited for comes at once or is an error."""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short path for the sockets: with pytest's own under xdist they are put elsewhere."""
    with tempfile.TemporaryDirectory(prefix="wake-") as made:
        yield Path(made)


@asynccontextmanager
async def opened(bells: Bells) -> AsyncIterator[Bells]:
    await bells.open()
    try:
        yield bells
    finally:
        await bells.close()


async def test_a_ring_wakes_the_listeners_of_its_topic(tmp_path: Path) -> None:
    async with (
        opened(open_bells(tmp_path, None, {"in", "out"})) as worker,
        opened(open_bells(tmp_path, None, {"sent"})) as gateway,
    ):
        waiting = asyncio.create_task(worker.wait(LONG))
        await asyncio.sleep(0)
        gateway.ring("in")
        assert await waiting == {"in"}
        assert await gateway.wait(0.05) == set()


async def test_rings_between_two_waits_are_not_lost(tmp_path: Path) -> None:
    async with opened(open_bells(tmp_path, None, {"in", "out"})) as bells:
        for _ in range(1000):
            bells.ring("in")
        bells.ring("out")
        heard: set[str] = set()
        while heard != {"in", "out"}:
            rung = await bells.wait(LONG)
            assert rung, "a ring was lost"
            heard |= rung
        assert await bells.wait(0.05) == set()


async def test_a_cancelled_wait_loses_no_ring(tmp_path: Path) -> None:
    async with opened(open_bells(tmp_path, None, {"in"})) as bells:
        waiting = asyncio.create_task(bells.wait(LONG))
        await asyncio.sleep(0)
        waiting.cancel()
        bells.ring("in")
        assert await bells.wait(LONG) == {"in"}


async def test_any_thread_may_ring(tmp_path: Path) -> None:
    async with opened(open_bells(tmp_path, None, {"in"})) as bells:
        thread = threading.Thread(target=bells.ring, args=("in",))
        thread.start()
        assert await bells.wait(LONG) == {"in"}
        thread.join()


RINGER = """
import asyncio, sys
from pathlib import Path
from bot.store.wake import open_bells
async def main():
    bells = open_bells(Path(sys.argv[1]), None, {"sent"})
    await bells.open()
    bells.ring("in")
    print("rung", flush=True)
    print(*await bells.wait(20))
asyncio.run(main())
"""


async def test_two_processes_wake_each_other(tmp_path: Path) -> None:
    async with opened(open_bells(tmp_path, None, {"in"})) as bells:
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RINGER, str(tmp_path), stdout=subprocess.PIPE
        )
        assert other.stdout is not None
        assert await other.stdout.readline() == b"rung\n"
        assert await bells.wait(LONG) == {"in"}
        bells.ring("sent")
        assert await other.stdout.readline() == b"sent\n"
        assert await other.wait() == 0


async def test_sockets_of_killed_processes_are_cleared_away(tmp_path: Path) -> None:
    async with opened(open_bells(tmp_path, None, {"in"})) as bells:
        other = await asyncio.create_subprocess_exec(
            sys.executable, "-c", RINGER, str(tmp_path), stdout=subprocess.PIPE
        )
        assert other.stdout is not None
        await other.stdout.readline()
        other.kill()
        await other.wait()
        left = [p for p in (tmp_path / "wake").iterdir() if p.name.startswith("sent-")]
        assert len(left) == 1
        bells.ring("sent")
        assert not left[0].exists()
        assert len(list((tmp_path / "wake").iterdir())) == 1, "the living one's stays"


async def test_closing_takes_the_sockets_away(tmp_path: Path) -> None:
    bells = open_bells(tmp_path, None, {"in", "out"})
    bells.ring("in")
    await bells.open()
    assert len(list((tmp_path / "wake").iterdir())) == 2
    await bells.close()
    await bells.close()
    bells.ring("in")
    assert list((tmp_path / "wake").iterdir()) == []


async def test_a_listener_that_does_not_listen_stops_nobody(tmp_path: Path) -> None:
    async with opened(open_bells(tmp_path, None, {"in"})) as bells:
        deaf = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        deaf.bind(str(tmp_path / "wake" / "in-1-1.sock"))
        for _ in range(2000):
            bells.ring("in")
        assert await bells.wait(LONG) == {"in"}
        assert (tmp_path / "wake" / "in-1-1.sock").exists()
        deaf.close()


async def test_a_directory_with_a_long_path_has_a_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as short:
        monkeypatch.setattr(tempfile, "tempdir", short)
        var = tmp_path / ("d" * 100) / ("e" * 100)
        async with (
            opened(open_bells(var, None, {"in"})) as one,
            opened(open_bells(var, None, {"sent"})) as two,
            opened(open_bells(var / "other", None, {"sent"})) as stranger,
        ):
            one.ring("sent")
            assert await two.wait(LONG) == {"sent"}
            assert await stranger.wait(0.05) == set()
            for directory in Path(short).iterdir():
                assert stat.S_IMODE(directory.stat().st_mode) == 0o700


async def test_a_stand_in_made_by_somebody_else_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with tempfile.TemporaryDirectory() as short, tempfile.TemporaryDirectory() as lured:
        monkeypatch.setattr(tempfile, "tempdir", short)
        var = tmp_path / ("d" * 200)
        async with opened(open_bells(var, None, {"in"})):
            (directory,) = Path(short).iterdir()
        directory.rmdir()
        directory.symlink_to(lured)
        async with opened(open_bells(var, None, {"in"})) as bells:
            bells.ring("in")
            assert await bells.wait(0.05) == set()
        assert list(Path(lured).iterdir()) == []
        assert "polling only" in caplog.text


async def test_where_no_socket_can_be_made_there_is_polling(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "wake").write_text("a file where the directory should be")
    async with opened(open_bells(tmp_path, None, {"in"})) as bells:
        bells.ring("in")
        bells.ring("in")
        assert await bells.wait(0.05) == set()
    assert caplog.text.count("polling only") == 1


async def test_a_topic_is_a_short_word(tmp_path: Path) -> None:
    for topic in ("", "../in", "in-out", "x" * 40):
        with pytest.raises(ValueError, match="short word"):
            LocalBell(tmp_path, {topic})


# Redis.


async def until_heard(ringer: Bells, listener: Bells, topic: str) -> None:
    """Ring until it is heard: a subscription needs a moment to stand."""
    for _ in range(200):
        ringer.ring(topic)
        if topic in await listener.wait(0.1):
            return
    raise AssertionError(f"{topic} was never heard")


async def settle(bells: Bells) -> None:
    """Hear out what a new subscription reports as possibly missed."""
    while await bells.wait(0.3):
        pass


async def test_hosts_wake_each_other_through_redis(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        opened(open_bells(tmp_path / "host1", redis_server.url, {"in", "out"})) as worker,
        opened(open_bells(tmp_path / "host2", redis_server.url, {"sent"})) as gateway,
    ):
        await until_heard(gateway, worker, "in")
        await until_heard(worker, gateway, "sent")
        await settle(worker)
        gateway.ring("out")
        assert await worker.wait(LONG) == {"out"}


async def test_redis_comes_late_goes_and_comes_back(
    redis_server: RedisServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    redis_server.stop()
    async with (
        opened(open_bells(tmp_path / "host1", redis_server.url, {"in"})) as worker,
        opened(open_bells(tmp_path / "host2", redis_server.url)) as gateway,
    ):
        gateway.ring("in")
        assert await worker.wait(0.2) == set()
        redis_server.start()
        await until_heard(gateway, worker, "in")
        redis_server.stop()
        for _ in range(3):
            gateway.ring("in")
            await worker.wait(0.1)
        worker.ring("in")
        assert await worker.wait(LONG) == {"in"}, "the own machine is still woken"
        redis_server.start()
        await until_heard(gateway, worker, "in")
    assert "hunter2" not in caplog.text
    assert caplog.text.count("redis is away") <= 4


async def test_after_a_gap_every_topic_counts_as_rung(redis_server: RedisServer) -> None:
    async with opened(RedisBell(redis_server.url, {"in", "out"})) as bells:
        assert await bells.wait(LONG) == {"in", "out"}
        await settle(bells)
        redis_server.stop()
        redis_server.start()
        assert await bells.wait(LONG) == {"in", "out"}


async def test_closing_and_ringing_at_odd_times_does_not_raise(redis_server: RedisServer) -> None:
    bells = RedisBell(redis_server.url, {"in"})
    bells.ring("in")
    await bells.open()
    for _ in range(500):
        bells.ring("in")
    await bells.close()
    bells.ring("in")
    await bells.close()


async def test_closing_in_the_midst_of_a_ring_comes_to_an_end(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.ending._AGAIN", 0.05)
    for steps in range(8):
        bells = RedisBell(redis_server.url)
        await bells.open()
        bells.ring("in")
        pool = bells._publisher.connection_pool
        while not pool._available_connections:
            await asyncio.sleep(0.005)
        # From the second on the connection is there, and looked at first.
        bells.ring("in")
        for _ in range(steps):
            await asyncio.sleep(0)
        await asyncio.wait_for(bells.close(), PATIENCE)


@pytest.mark.parametrize("url", ["http://u:hunter2@h", "redis://:hunter2@h:port", "redis"])
def test_a_wrong_redis_url_is_refused_without_being_shown(url: str) -> None:
    with pytest.raises(ValueError, match="no redis://") as caught:
        RedisBell(url, {"in"})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_process_may_ring_after_its_loop_is_gone(tmp_path: Path) -> None:
    bells = open_bells(tmp_path, f"redis://127.0.0.1:{free_port()}/0", {"in"})

    async def use() -> None:
        await bells.open()

    asyncio.run(use())
    bells.ring("in")
    assert os.path.isdir(tmp_path / "wake")

from __future__ import annotations

import asyncio
import time

import pytest

from bot.rate import LocalRate, rates
from tests.kit.ports import free_port
from tests.kit.redis import RedisServer


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("bot.rate.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


async def sent_in(rate: LocalRate, clock: Clock, seconds: float) -> int:
    """How many go through when one asks again as soon as one is told to."""
    sent, end = 0, clock.now + seconds
    while clock.now <= end:
        wait = await rate.take()
        if wait:
            clock.now += wait
        else:
            sent += 1
    return sent


@pytest.mark.parametrize(
    ("per_second", "seconds", "most"), [(1.0, 10, 11), (30.0, 10, 330), (0.2, 60, 13)]
)
async def test_no_more_go_through_than_the_rate_and_one_seconds_worth(
    clock: Clock, per_second: float, seconds: float, most: int
) -> None:
    sent = await sent_in(LocalRate(per_second), clock, seconds)
    assert most - 2 <= sent <= most


async def test_a_pause_holds_everything_back_and_the_longest_counts(clock: Clock) -> None:
    rate = LocalRate(10)
    await rate.pause(30)
    await rate.pause(5)
    assert await rate.take() == pytest.approx(30)
    clock.now += 29
    assert await rate.take() == pytest.approx(1)
    clock.now += 1.001
    assert await rate.take() == 0.0


async def test_idle_time_is_not_saved_up(clock: Clock) -> None:
    rate = LocalRate(5)
    clock.now += 3600
    assert await sent_in(rate, clock, 0) == 5


@pytest.mark.parametrize("nothing", [0.0, -1.0, float("nan")])
def test_a_rate_that_sends_nothing_is_refused(nothing: float) -> None:
    with pytest.raises(ValueError, match="sends nothing"):
        LocalRate(nothing)


# -- shared by Redis


async def test_hosts_share_a_rate_through_redis(redis_server: RedisServer) -> None:
    hosts = [rates(redis_server.url, 1)("telegram:shop", 40.0) for _ in range(4)]
    other = rates(redis_server.url, 1)("telegram:other", 40.0)
    sent, began = 0, time.monotonic()
    while (took := time.monotonic() - began) < 0.5:
        for host in hosts:
            sent += not await host.take()
        await asyncio.sleep(0.001)
    # A second's worth at once, and what half a second brings.
    assert 40 <= sent <= 40 + 40 * took + 4
    assert await other.take() == 0.0


async def test_a_pause_counts_for_every_host(redis_server: RedisServer) -> None:
    here, there = (rates(redis_server.url, 1)("whatsapp:shop", 80.0) for _ in range(2))
    assert await there.take() == 0.0
    await here.pause(7.0)
    assert await there.take() == pytest.approx(7.0, abs=0.5)


async def test_without_redis_each_process_keeps_to_its_share(clock: Clock) -> None:
    make = rates("", 4)
    sent = 0
    for _ in range(4):
        clock.now = 1000.0
        rate = make("telegram:shop", 40.0)
        assert isinstance(rate, LocalRate)
        sent += await sent_in(rate, clock, 10)
    assert 396 <= sent <= 440


async def test_while_redis_is_away_each_process_keeps_to_its_share(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    rate = rates(redis_server.url, 2)("telegram:shop", 4.0)
    redis_server.stop()
    assert [await rate.take(), await rate.take()] == [0.0, 0.0]
    assert await rate.take() > 0
    assert "the rate is not shared" in caplog.text
    assert "hunter2" not in caplog.text
    nobody = rates(f"redis://127.0.0.1:{free_port()}/0", 1)("telegram:shop", 4.0)
    assert await nobody.take() == 0.0

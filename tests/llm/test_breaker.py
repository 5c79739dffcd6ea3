from __future__ import annotations

import pytest

from bot.llm.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, pause_seconds=10, cap_seconds=35, clock=clock)


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        assert breaker.enter()
        breaker.failed()


def test_it_opens_after_failures_in_a_row_and_not_before(breaker):
    fail(breaker, 2)
    assert breaker.enter()
    breaker.succeeded()
    fail(breaker, 2)
    assert breaker.enter()
    breaker.failed()
    assert not breaker.enter()
    assert breaker.wait == 10


def test_one_probe_goes_through_after_the_pause(breaker, clock):
    fail(breaker, 3)
    clock.now += 9.9
    assert not breaker.enter()
    clock.now += 0.1
    assert breaker.enter()
    assert not breaker.enter()
    breaker.succeeded()
    assert breaker.enter()
    assert breaker.enter()


def test_each_failed_probe_doubles_the_pause_up_to_the_cap(breaker, clock):
    fail(breaker, 3)
    waits = []
    for _ in range(3):
        clock.now += breaker.wait
        fail(breaker)
        waits.append(breaker.wait)
    assert waits == [20, 35, 35]


def test_a_probe_that_was_abandoned_leaves_room_for_the_next(breaker, clock):
    fail(breaker, 3)
    clock.now += 10
    assert breaker.enter()
    breaker.abandoned()
    assert breaker.enter()


def test_retry_after_opens_it_at_once_but_not_for_ever(breaker):
    assert breaker.enter()
    breaker.failed(after=7)
    assert not breaker.enter()
    assert breaker.wait == 7
    breaker.failed(after=100_000)
    assert breaker.wait == 35


def test_a_shorter_pause_does_not_end_a_longer_one(breaker):
    breaker.pause(600)
    breaker.failed(after=1)
    assert breaker.wait == 600

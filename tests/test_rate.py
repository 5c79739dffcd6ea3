from __future__ import annotations

import pytest

from bot.rate import Rate


class Clock:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("bot.rate.time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def sent_in(rate: Rate, clock: Clock, seconds: float) -> int:
    """How many go through when one asks again as soon as one is told to."""
    sent, end = 0, clock.now + seconds
    while clock.now <= end:
        wait = rate.take()
        if wait:
            clock.now += wait
        else:
            sent += 1
    return sent


@pytest.mark.parametrize(
    ("per_second", "seconds", "most"), [(1.0, 10, 11), (30.0, 10, 330), (0.2, 60, 13)]
)
def test_no_more_go_through_than_the_rate_and_one_seconds_worth(
    clock: Clock, per_second: float, seconds: float, most: int
) -> None:
    sent = sent_in(Rate(per_second), clock, seconds)
    assert most - 2 <= sent <= most


def test_a_pause_holds_everything_back_and_the_longest_counts(clock: Clock) -> None:
    rate = Rate(10)
    rate.pause(30)
    rate.pause(5)
    assert rate.take() == pytest.approx(30)
    clock.now += 29
    assert rate.take() == pytest.approx(1)
    clock.now += 1.001
    assert rate.take() == 0.0


def test_idle_time_is_not_saved_up(clock: Clock) -> None:
    rate = Rate(5)
    clock.now += 3600
    assert sent_in(rate, clock, 0) == 5


@pytest.mark.parametrize("nothing", [0.0, -1.0, float("nan")])
def test_a_rate_that_sends_nothing_is_refused(nothing: float) -> None:
    with pytest.raises(ValueError, match="sends nothing"):
        Rate(nothing)

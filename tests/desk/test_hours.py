"""Business hours: holidays, the change of the clocks both ways, counting in open time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.desk.hours import Hours

LONDON = ZoneInfo("Europe/London")
WORKDAY = ((time(9), time(18)),)
SHOP = Hours(
    LONDON,
    (*[WORKDAY] * 5, ((time(10), time(16)),), ()),
    frozenset({date(2026, 12, 25), date(2026, 12, 26), date(2026, 12, 28)}),
)
ALL_DAY = ((time(0), time(0)),)


def at(text: str, zone: ZoneInfo = LONDON) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("moment", "is_open", "opens"),
    [
        ("2026-12-04T08:59", False, "2026-12-04T09:00"),
        ("2026-12-04T09:00", True, "2026-12-04T09:00"),
        ("2026-12-04T17:59", True, "2026-12-04T17:59"),
        ("2026-12-04T18:00", False, "2026-12-05T10:00"),
        ("2026-12-05T16:00", False, "2026-12-07T09:00"),
        ("2026-12-06T12:00", False, "2026-12-07T09:00"),
        # Friday and Saturday are holidays, then Sunday, then Monday is one.
        ("2026-12-24T18:00", False, "2026-12-29T09:00"),
        ("2026-12-25T12:00", False, "2026-12-29T09:00"),
        # Summer time: nine o'clock in London is eight in UTC.
        ("2026-06-05T09:00", True, "2026-06-05T09:00"),
    ],
)
def test_when_somebody_is_here(moment: str, is_open: bool, opens: str) -> None:
    assert SHOP.is_open(at(moment)) is is_open
    assert SHOP.opens(at(moment)) == at(opens)


def test_a_moment_may_be_given_in_any_zone() -> None:
    assert SHOP.is_open(utc("2026-06-05T08:00"))
    assert not SHOP.is_open(utc("2026-06-05T17:30"))
    assert SHOP.is_open(utc("2026-12-04T17:30"))


@pytest.mark.parametrize(
    ("since", "minutes", "due"),
    [
        ("2026-12-04T10:00", 30, "2026-12-04T10:30"),
        ("2026-12-04T17:50", 15, "2026-12-05T10:05"),
        ("2026-12-04T17:45", 15, "2026-12-04T18:00"),
        ("2026-12-04T23:00", 15, "2026-12-05T10:15"),
        ("2026-12-06T12:00", 9 * 60 + 1, "2026-12-08T09:01"),
        ("2026-12-24T17:00", 120, "2026-12-29T10:00"),
    ],
)
def test_counting_in_open_time(since: str, minutes: int, due: str) -> None:
    assert SHOP.after(at(since), timedelta(minutes=minutes)) == at(due)


def test_several_spans_a_day_leave_the_break_out() -> None:
    spans = ((time(9), time(12, 30)), (time(13, 30), time(18)))
    hours = Hours(LONDON, (spans,) * 7)
    assert not hours.is_open(at("2026-12-04T13:00"))
    assert hours.opens(at("2026-12-04T13:00")) == at("2026-12-04T13:30")
    assert hours.after(at("2026-12-04T12:15"), timedelta(hours=1)) == at("2026-12-04T14:15")


def test_the_day_of_twenty_three_hours_and_that_of_twenty_five() -> None:
    hours = Hours(LONDON, (ALL_DAY,) * 7)
    lengths = {
        day: sum((end - begin for begin, end in hours.spans(date(2026, *day))), timedelta())
        for day in [(3, 28), (3, 29), (10, 24), (10, 25)]
    }
    assert [length / timedelta(hours=1) for length in lengths.values()] == [24, 23, 24, 25]
    # Without a gap between the days, and one of 24 hours counts as time does.
    since = utc("2026-03-28T12:00")
    assert hours.after(since, timedelta(hours=30)) == since + timedelta(hours=30)


@pytest.mark.parametrize(
    ("begin", "end", "opens", "closes"),
    [
        # On 29 March 2026 the clocks of London go from 01:00 to 02:00, which is 01:00 in UTC.
        (time(1, 30), time(4), "2026-03-29T01:00", "2026-03-29T03:00"),
        (time(0, 30), time(1, 30), "2026-03-29T00:30", "2026-03-29T01:00"),
        (time(2), time(3), "2026-03-29T01:00", "2026-03-29T02:00"),
    ],
)
def test_in_spring_an_hour_that_does_not_exist_is_skipped(
    begin: time, end: time, opens: str, closes: str
) -> None:
    hours = Hours(LONDON, (((begin, end),),) * 7)
    assert hours.spans(date(2026, 3, 29)) == [(utc(opens), utc(closes))]


def test_what_is_open_only_in_the_skipped_hour_is_closed_that_day() -> None:
    hours = Hours(LONDON, (((time(1, 10), time(1, 50)),),) * 7)
    assert hours.spans(date(2026, 3, 29)) == []
    assert hours.opens(utc("2026-03-29T00:50")) == utc("2026-03-30T00:10")


def test_in_autumn_an_hour_that_comes_twice_is_open_both_times() -> None:
    # On 25 October 2026 the clocks go from 02:00 back to 01:00, which is 01:00 in UTC.
    hours = Hours(LONDON, (((time(1), time(1, 30)),),) * 7)
    assert hours.spans(date(2026, 10, 25)) == [(utc("2026-10-25T00:00"), utc("2026-10-25T01:30"))]
    two = ((time(1), time(1, 15)), (time(1, 30), time(2)))
    spans = Hours(LONDON, (two,) * 7).spans(date(2026, 10, 25))
    assert spans == [
        (utc("2026-10-25T00:00"), utc("2026-10-25T01:15")),
        (utc("2026-10-25T01:15"), utc("2026-10-25T02:00")),
    ]


def test_the_change_on_the_other_half_of_the_globe() -> None:
    sydney = ZoneInfo("Australia/Sydney")
    hours = Hours(sydney, (WORKDAY,) * 7)
    friday, monday = at("2026-10-02T17:30", sydney), at("2026-10-05T09:30", sydney)
    assert hours.after(friday, timedelta(hours=19)) == monday
    # A night between them is an hour shorter: midnight comes at 14:00, then at 13:00 in UTC.
    assert monday.astimezone(timezone.utc) - friday.astimezone(timezone.utc) == timedelta(hours=63)


def test_a_moment_given_in_local_time_counts_as_in_any_other() -> None:
    night = ((time(22), time(0)),), ((time(0), time(6)),)
    hours = Hours(LONDON, (*[()] * 5, *night))
    since = at("2026-03-28T23:30")
    assert hours.after(since, timedelta(hours=3)) == at("2026-03-29T03:30")
    assert hours.after(since.astimezone(timezone.utc), timedelta(hours=3)) == utc(
        "2026-03-29T02:30"
    )


def test_where_nothing_is_ever_open() -> None:
    never = Hours(LONDON, ((),) * 7)
    assert never.opens(at("2026-12-04T10:00")) is None
    assert never.after(at("2026-12-04T10:00"), timedelta(hours=1)) == at("2026-12-04T11:00")


def test_a_year_of_holidays_is_looked_beyond() -> None:
    holidays = frozenset(date(2026, 1, 1) + timedelta(n) for n in range(365))
    hours = Hours(LONDON, SHOP.week, holidays)
    assert hours.opens(at("2026-01-01T10:00")) == at("2027-01-01T09:00")


ZONES = st.sampled_from(
    ["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]
).map(ZoneInfo)


@st.composite
def weeks(draw: st.DrawFn) -> tuple[tuple[tuple[time, time], ...], ...]:
    week = []
    for _ in range(7):
        cuts = sorted(draw(st.sets(st.integers(0, 96), max_size=6)))
        pairs = zip(cuts[::2], cuts[1::2], strict=False)
        week.append(tuple((clock(a), clock(b)) for a, b in pairs))
    assume(any(week))
    return tuple(week)


def clock(quarters: int) -> time:
    return time(quarters // 4 % 24, quarters % 4 * 15)


# Around both changes of the clocks of every zone above.
MOMENTS = st.integers(0, 366 * 24 * 60).map(
    lambda m: utc("2026-01-01T00:00") + timedelta(minutes=m)
)
SPANS = st.integers(1, 3000).map(lambda m: timedelta(minutes=m))
HOURS = st.builds(
    Hours,
    ZONES,
    weeks(),
    st.frozensets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=9),
)


@settings(max_examples=60, deadline=None)
@given(HOURS, MOMENTS, MOMENTS, SPANS)
def test_what_is_due_is_due_in_open_time_and_in_order(
    hours: Hours, one: datetime, other: datetime, span: timedelta
) -> None:
    first, second = sorted((one, other))
    due = hours.after(first, span)
    # At the very end of a span one may be due, never after it.
    assert hours.is_open(due - timedelta(microseconds=1))
    assert due <= hours.after(second, span)
    assert due <= hours.after(first, span + timedelta(minutes=1))
    assert due - first >= span
    opens = hours.opens(first)
    assert opens is not None
    assert opens >= first
    assert hours.is_open(opens)
    assert hours.is_open(first) == (opens == first)


@settings(max_examples=60, deadline=None)
@given(HOURS, MOMENTS, SPANS, SPANS)
def test_counting_in_two_steps_is_counting_in_one(
    hours: Hours, since: datetime, one: timedelta, two: timedelta
) -> None:
    assert hours.after(hours.after(since, one), two) == hours.after(since, one + two)

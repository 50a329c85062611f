"""Laws of the working calendar: monotone, additive, inverse of counting."""

from __future__ import annotations

import datetime as dt

from hypothesis import assume, given
from hypothesis import strategies as st

from core.clock import WorkingCalendar


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    hours = {}
    for weekday in draw(st.sets(st.integers(1, 7), min_size=1)):
        edges = sorted(draw(st.sets(st.integers(0, 23), min_size=2, max_size=6)))
        edges = edges[: len(edges) // 2 * 2]
        hours[weekday] = tuple((dt.time(a), dt.time(b)) for a, b in zip(edges[::2], edges[1::2], strict=True))
    days = st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    return WorkingCalendar(
        draw(st.sampled_from(["UTC", "Europe/London", "Asia/Shanghai", "America/Toronto", "Asia/Kathmandu"])),
        hours,
        holidays=draw(st.frozensets(days, max_size=20)),
        workdays=draw(st.frozensets(days, max_size=5)),
        makeup_weekday=next(iter(hours)),
    )


starts = st.integers(0, 364 * 86_400).map(
    lambda second: dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=second)
)
# Quarters of an hour are exact in floating point, so that the laws hold to the microsecond.
quarters = st.integers(0, 4 * 200).map(lambda quarter: quarter / 4)


@given(calendars(), starts, starts, quarters)
def test_a_later_start_never_ends_earlier(
    calendar: WorkingCalendar, one: dt.datetime, other: dt.datetime, hours: float
) -> None:
    early, late = sorted((one, other))
    assert calendar.add_hours(early, hours) <= calendar.add_hours(late, hours)


@given(calendars(), starts, quarters, quarters)
def test_a_longer_limit_never_ends_earlier(
    calendar: WorkingCalendar, start: dt.datetime, one: float, other: float
) -> None:
    short, long = sorted((one, other))
    assert calendar.add_hours(start, short) <= calendar.add_hours(start, long)


@given(calendars(), starts, quarters, quarters)
def test_hours_add_up(calendar: WorkingCalendar, start: dt.datetime, one: float, other: float) -> None:
    assert calendar.add_hours(calendar.add_hours(start, one), other) == calendar.add_hours(start, one + other)


@given(calendars(), starts, quarters)
def test_counting_is_the_inverse_of_adding(calendar: WorkingCalendar, start: dt.datetime, hours: float) -> None:
    assert calendar.working_hours_between(start, calendar.add_hours(start, hours)) == hours


@given(calendars(), starts, starts, starts)
def test_counted_hours_of_two_stretches_add_up(
    calendar: WorkingCalendar, one: dt.datetime, two: dt.datetime, three: dt.datetime
) -> None:
    first, middle, last = sorted((one, two, three))
    parts = calendar.working_hours_between(first, middle) + calendar.working_hours_between(middle, last)
    assert abs(parts - calendar.working_hours_between(first, last)) < 1e-6


@given(calendars(), starts, st.integers(0, 30), st.integers(0, 30))
def test_working_days_add_up(calendar: WorkingCalendar, start: dt.datetime, one: int, other: int) -> None:
    middle = calendar.add_workdays(start, one)
    assume(one > 0)
    assert calendar.add_workdays(middle, other) == calendar.add_workdays(start, one + other)
    assert calendar.is_workday(middle.astimezone(calendar.zone).date())

"""The working calendar: a long table with the weekday spelled out."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from core.clock import ALWAYS, WorkingCalendar, aware, now, past_day
from core.errors import InvalidInput

NINE_TO_FIVE = ((dt.time(9), dt.time(17)),)
WITH_LUNCH = ((dt.time(8, 30), dt.time(12)), (dt.time(14), dt.time(17, 30)))
WEEKDAYS = dict.fromkeys(range(1, 6), NINE_TO_FIVE)

LONDON = WorkingCalendar(
    "Europe/London",
    WEEKDAYS,
    holidays=frozenset(
        {
            dt.date(2026, 4, 3),
            dt.date(2026, 4, 6),
            dt.date(2026, 12, 25),
            dt.date(2026, 12, 28),
            dt.date(2027, 1, 1),
        },
    ),
)
SHANGHAI = WorkingCalendar(
    "Asia/Shanghai",
    dict.fromkeys(range(1, 6), WITH_LUNCH),
    holidays=frozenset(dt.date(2026, 2, 15) + dt.timedelta(days=i) for i in range(9)),
    workdays=frozenset({dt.date(2026, 2, 14), dt.date(2026, 2, 28)}),
)
NIGHT = WorkingCalendar(
    "Europe/Berlin", {day: ((dt.time(0), dt.time(6)), (dt.time(22), dt.time(0))) for day in range(1, 8)}
)


def at(calendar: WorkingCalendar, text: str) -> dt.datetime:
    """Return a moment written as weekday and local time, e.g. ``Fri 2026-07-03 16:00``; the weekday must be right."""
    weekday, stamp = text.split(" ", 1)
    local = dt.datetime.fromisoformat(stamp).replace(tzinfo=calendar.zone)
    assert local.strftime("%a") == weekday, f"{stamp} is a {local:%A}"
    return local


@pytest.mark.parametrize(
    ("calendar", "start", "hours", "end"),
    [
        (LONDON, "Wed 2026-07-01 10:00", 4, "Wed 2026-07-01 14:00"),
        (LONDON, "Wed 2026-07-01 09:00", 8, "Wed 2026-07-01 17:00"),
        (LONDON, "Wed 2026-07-01 09:00", 8.25, "Thu 2026-07-02 09:15"),
        (LONDON, "Wed 2026-07-01 07:00", 1, "Wed 2026-07-01 10:00"),
        (LONDON, "Wed 2026-07-01 17:00", 1, "Thu 2026-07-02 10:00"),
        (LONDON, "Wed 2026-07-01 23:59", 1, "Thu 2026-07-02 10:00"),
        (LONDON, "Thu 2026-07-02 00:00", 1, "Thu 2026-07-02 10:00"),
        (LONDON, "Fri 2026-07-03 16:00", 1, "Fri 2026-07-03 17:00"),
        (LONDON, "Fri 2026-07-03 16:00", 1.5, "Mon 2026-07-06 09:30"),
        (LONDON, "Fri 2026-07-03 16:00", 4, "Mon 2026-07-06 12:00"),
        (LONDON, "Sat 2026-07-04 12:00", 0, "Mon 2026-07-06 09:00"),
        (LONDON, "Sat 2026-07-04 12:00", 2, "Mon 2026-07-06 11:00"),
        (LONDON, "Sun 2026-07-05 23:30", 16, "Tue 2026-07-07 17:00"),
        # Good Friday and Easter Monday make one bridge of four days.
        (LONDON, "Thu 2026-04-02 16:00", 2, "Tue 2026-04-07 10:00"),
        (LONDON, "Thu 2026-04-02 16:00", 17, "Wed 2026-04-08 17:00"),
        # Christmas on a Friday, observed Boxing Day on the Monday.
        (LONDON, "Thu 2026-12-24 16:30", 1, "Tue 2026-12-29 09:30"),
        (LONDON, "Thu 2026-12-31 16:30", 1, "Mon 2027-01-04 09:30"),
        # The clocks go forward on Sunday 29 March and back on Sunday 25 October.
        (LONDON, "Fri 2026-03-27 16:00", 2, "Mon 2026-03-30 10:00"),
        (LONDON, "Fri 2026-10-23 16:00", 2, "Mon 2026-10-26 10:00"),
        (SHANGHAI, "Tue 2026-03-03 11:00", 2, "Tue 2026-03-03 15:00"),
        (SHANGHAI, "Tue 2026-03-03 12:30", 1.5, "Tue 2026-03-03 15:30"),
        (SHANGHAI, "Tue 2026-03-03 17:00", 1.5, "Wed 2026-03-04 09:30"),
        # Saturday 14 February is a make-up workday, then the Spring Festival until Monday 23.
        (SHANGHAI, "Fri 2026-02-13 17:00", 1, "Sat 2026-02-14 09:00"),
        (SHANGHAI, "Sat 2026-02-14 17:00", 1, "Tue 2026-02-24 09:00"),
        (SHANGHAI, "Wed 2026-02-18 10:00", 4, "Tue 2026-02-24 14:30"),
        (SHANGHAI, "Fri 2026-02-27 17:30", 7, "Sat 2026-02-28 17:30"),
        (NIGHT, "Mon 2026-06-01 12:00", 2, "Tue 2026-06-02 00:00"),
        (NIGHT, "Mon 2026-06-01 23:00", 2, "Tue 2026-06-02 01:00"),
        # In the night of 29 March an hour is missing, in that of 25 October one comes twice.
        (NIGHT, "Sat 2026-03-28 23:00", 6, "Sun 2026-03-29 06:00"),
        (NIGHT, "Sat 2026-10-24 23:00", 8, "Sun 2026-10-25 06:00"),
    ],
)
def test_working_hours_end_where_the_office_would_say(
    calendar: WorkingCalendar, start: str, hours: float, end: str
) -> None:
    assert calendar.add_hours(at(calendar, start), hours) == at(calendar, end).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("calendar", "start", "days", "end"),
    [
        (LONDON, "Wed 2026-07-01 10:00", 0, "Wed 2026-07-01 17:00"),
        (LONDON, "Sat 2026-07-04 10:00", 0, "Mon 2026-07-06 17:00"),
        (LONDON, "Wed 2026-07-01 10:00", 1, "Thu 2026-07-02 17:00"),
        (LONDON, "Wed 2026-07-01 23:30", 1, "Thu 2026-07-02 17:00"),
        (LONDON, "Fri 2026-07-03 10:00", 1, "Mon 2026-07-06 17:00"),
        (LONDON, "Sat 2026-07-04 10:00", 1, "Mon 2026-07-06 17:00"),
        (LONDON, "Sun 2026-07-05 10:00", 7, "Tue 2026-07-14 17:00"),
        (LONDON, "Thu 2026-04-02 10:00", 1, "Tue 2026-04-07 17:00"),
        (LONDON, "Wed 2026-12-23 10:00", 5, "Mon 2027-01-04 17:00"),
        (SHANGHAI, "Fri 2026-02-13 10:00", 1, "Sat 2026-02-14 17:30"),
        (SHANGHAI, "Fri 2026-02-13 10:00", 2, "Tue 2026-02-24 17:30"),
        # 24 to 28 February are five workdays, then three weeks of five.
        (SHANGHAI, "Sat 2026-02-14 10:00", 20, "Fri 2026-03-20 17:30"),
        (NIGHT, "Mon 2026-06-01 12:00", 1, "Wed 2026-06-03 00:00"),
    ],
)
def test_working_days_end_with_the_last_hour_of_the_last_day(
    calendar: WorkingCalendar, start: str, days: int, end: str
) -> None:
    assert calendar.add_workdays(at(calendar, start), days) == at(calendar, end).astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("Wed 2026-07-01 10:00", 0, "Thu 2026-07-02 00:00"),
        ("Fri 2026-07-03 23:59", 1, "Sun 2026-07-05 00:00"),
        ("Fri 2026-03-27 10:00", 2, "Mon 2026-03-30 00:00"),
        ("Sat 2026-02-28 00:00", 1, "Mon 2026-03-02 00:00"),
    ],
)
def test_calendar_days_end_at_local_midnight(start: str, days: int, end: str) -> None:
    assert LONDON.add_calendar_days(at(LONDON, start), days) == at(LONDON, end).astimezone(dt.UTC)


def test_urgent_hours_run_day_and_night_through_the_change_of_clocks() -> None:
    start = at(LONDON, "Sat 2026-03-28 23:00")
    assert ALWAYS.add_hours(start, 3) == at(LONDON, "Sun 2026-03-29 03:00").astimezone(dt.UTC)


def test_a_moment_in_another_zone_counts_by_the_office_zone() -> None:
    start = dt.datetime(2026, 7, 3, 20, 0, tzinfo=ZoneInfo("America/New_York"))  # Saturday 01:00 in London
    assert LONDON.add_hours(start, 1) == at(LONDON, "Mon 2026-07-06 10:00").astimezone(dt.UTC)


@pytest.mark.parametrize(
    ("calendar", "start", "end", "hours"),
    [
        (LONDON, "Wed 2026-07-01 10:00", "Wed 2026-07-01 10:00", 0),
        (LONDON, "Thu 2026-07-02 10:00", "Wed 2026-07-01 10:00", 0),
        (LONDON, "Wed 2026-07-01 10:00", "Thu 2026-07-02 10:00", 8),
        (LONDON, "Fri 2026-07-03 16:00", "Mon 2026-07-06 10:00", 2),
        (LONDON, "Sat 2026-07-04 00:00", "Mon 2026-07-06 00:00", 0),
        (SHANGHAI, "Fri 2026-02-13 17:00", "Tue 2026-02-24 09:00", 8),
        (NIGHT, "Sat 2026-10-24 12:00", "Sun 2026-10-25 12:00", 9),
    ],
)
def test_working_hours_between(calendar: WorkingCalendar, start: str, end: str, hours: float) -> None:
    assert calendar.working_hours_between(at(calendar, start), at(calendar, end)) == hours


@pytest.mark.parametrize("begin", [dt.time(2, 15), dt.time(2, 30)])
def test_a_shift_inside_the_missing_hour_counts_no_hour_twice_or_backwards(begin: dt.time) -> None:
    spans = ((begin, dt.time(2, 45)), (dt.time(3), dt.time(4)))
    calendar = WorkingCalendar("Europe/Berlin", {7: spans})
    midnight = at(calendar, "Sun 2026-03-29 00:00")
    worked = calendar.working_hours_between(midnight, midnight + dt.timedelta(days=1))
    assert 0 < worked <= 1.25
    assert calendar.add_hours(midnight, worked) <= at(calendar, "Sun 2026-03-29 04:00").astimezone(dt.UTC)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no time zone"):
        aware(dt.datetime(2026, 7, 1, 10, 0))  # noqa: DTZ001


def test_negative_limits_are_refused() -> None:
    with pytest.raises(InvalidInput, match="negative"):
        LONDON.add_hours(now(), -1)
    with pytest.raises(InvalidInput, match="negative"):
        LONDON.add_workdays(now(), -1)


def test_a_calendar_that_never_opens_says_so() -> None:
    closed = WorkingCalendar("UTC", {})
    with pytest.raises(InvalidInput, match="ten years"):
        closed.add_hours(now(), 1)
    with pytest.raises(InvalidInput, match="ten years"):
        closed.add_workdays(now(), 1)


@pytest.mark.parametrize(
    "spans",
    [
        ((dt.time(17), dt.time(9)),),
        ((dt.time(9), dt.time(12)), (dt.time(11), dt.time(15))),
        ((dt.time(9), dt.time(0)), (dt.time(10), dt.time(11))),
    ],
)
def test_hours_that_overlap_or_run_backwards_are_refused(spans: tuple[tuple[dt.time, dt.time], ...]) -> None:
    with pytest.raises(InvalidInput, match="weekday 1"):
        WorkingCalendar("UTC", {1: spans})


@pytest.mark.parametrize(
    "words", ["", "yesterday", "2026-02-30", "0001-01-01", "1899-12-31", "2026-11-23", "9999-12-31"]
)
def test_nothing_is_asked_as_of_nonsense_or_of_days_to_come(words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        past_day(words, dt.date(2026, 11, 22))
    assert refused.value.hint


def test_today_and_days_before_can_be_asked_about() -> None:
    for words in ("1900-01-01", "2026-11-21", "2026-11-22"):
        assert past_day(words, dt.date(2026, 11, 22)).isoformat() == words

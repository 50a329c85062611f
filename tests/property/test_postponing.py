"""Laws of a postponement: by the deadline's own clock, never earlier, and taken back it leaves no trace."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from core.clock import WorkingCalendar
from incidents.deadlines import Limit, Pause, countdown, due_at, paused, running_calendar
from tests.property.test_deadlines import MINUTE, calendars, limits, starts

lengths = st.integers(0, 40 * 1440).map(lambda minutes: minutes * MINUTE)


@given(calendars(), limits(), starts, lengths)
def test_postponed_and_resumed_at_once_nothing_changes(
    calendar: WorkingCalendar, limit: Limit, start: dt.datetime, later: dt.timedelta
) -> None:
    due = due_at(limit, calendar, start)
    at = start + later
    assert paused(due, running_calendar(limit, calendar), Pause(at, at)) == due


@given(calendars(), limits(), starts, lengths, st.tuples(lengths, lengths))
def test_a_longer_postponement_never_ends_earlier(
    calendar: WorkingCalendar,
    limit: Limit,
    start: dt.datetime,
    later: dt.timedelta,
    spans: tuple[dt.timedelta, dt.timedelta],
) -> None:
    first, more = spans
    due, running, at = due_at(limit, calendar, start), running_calendar(limit, calendar), start + later
    short = paused(due, running, Pause(at, at + first))
    assert due <= short <= paused(due, running, Pause(at, at + first + more))


@given(calendars(), limits(), starts, lengths, lengths)
def test_the_deadline_moves_by_what_its_clock_counts_and_a_late_one_stays(
    calendar: WorkingCalendar, limit: Limit, start: dt.datetime, later: dt.timedelta, length: dt.timedelta
) -> None:
    due, running, at = due_at(limit, calendar, start), running_calendar(limit, calendar), start + later
    pause = Pause(at, at + length)
    moved = paused(due, running, pause)
    counted = dt.timedelta() if at >= due else running.time_between(at, at + length)
    assert running.time_between(due, moved) == counted
    if at >= due:
        assert moved == due


@given(calendars(), limits(), starts, lengths, lengths)
def test_it_is_the_deadline_of_the_stage_clock(
    calendar: WorkingCalendar, limit: Limit, start: dt.datetime, later: dt.timedelta, length: dt.timedelta
) -> None:
    due, running = due_at(limit, calendar, start), running_calendar(limit, calendar)
    pause = Pause(start + later, start + later + length)
    told = countdown(limit, calendar, start, pauses=[pause]).due()
    assert told is not None
    moved = paused(due, running, pause)
    # The end of one day and the beginning of the next are the same moment of working time.
    first, last = sorted((told, moved))
    assert running.time_between(first, last) == dt.timedelta()

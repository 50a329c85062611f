"""Laws of deadlines: against a clock that looks at every minute, and what must hold whatever the calendar.

Opening hours lie between 05:00 and 23:00 or run all day, so that no edge falls into an hour that a
change of the clocks takes out or repeats: there people themselves differ about what was meant.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from core.clock import WorkingCalendar
from incidents.deadlines import UNITS, Countdown, Limit, Pause, countdown, countdown_to, due_at, extended
from incidents.deadlines_many import due_many, used_many

MINUTE = dt.timedelta(minutes=1)
BEGIN = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ZONES = ["UTC", "Europe/London", "Asia/Shanghai", "America/Toronto", "Asia/Kathmandu", "Australia/Lord_Howe"]


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    hours: dict[int, tuple[tuple[dt.time, dt.time], ...]] = {}
    for weekday in draw(st.sets(st.integers(1, 7), min_size=3)):
        if draw(st.integers(0, 9)) == 0:
            hours[weekday] = ((dt.time(0), dt.time(0)),)
            continue
        edges = sorted(draw(st.sets(st.integers(5 * 4, 23 * 4), min_size=2, max_size=6)))
        edges = edges[: len(edges) // 2 * 2]
        times = [dt.time(edge // 4, edge % 4 * 15) for edge in edges]
        hours[weekday] = tuple(zip(times[::2], times[1::2], strict=True))
    days = st.dates(dt.date(2026, 1, 1), dt.date(2026, 12, 31))
    return WorkingCalendar(
        draw(st.sampled_from(ZONES)),
        hours,
        holidays=draw(st.frozensets(days, max_size=20)),
        workdays=draw(st.frozensets(days, max_size=5)),
        makeup_weekday=next(iter(hours)),
    )


# Around the changes of the clocks as often as anywhere else.
starts = st.one_of(
    st.integers(0, 364 * 1440),
    st.integers(60 * 1440, 95 * 1440),
    st.integers(270 * 1440, 308 * 1440),
).map(lambda minute: BEGIN + minute * MINUTE)
units = st.sampled_from(UNITS)


@st.composite
def limits(draw: st.DrawFn, *, most_hours: int = 60, most_days: int = 15) -> Limit:
    unit = draw(units)
    if unit.endswith("_days"):
        return Limit(draw(st.integers(0, most_days)), unit)
    return Limit(draw(st.integers(1, 4 * most_hours)) / 4, unit)


@st.composite
def holds(draw: st.DrawFn, start: dt.datetime) -> list[Pause]:
    made = []
    for _ in range(draw(st.integers(0, 3))):
        begin = start + draw(st.integers(-600, 8 * 1440)) * MINUTE
        made.append(Pause(begin, begin + draw(st.integers(0, 3 * 1440)) * MINUTE))
    return made


def counts(calendar: WorkingCalendar, unit: str, minute: dt.datetime) -> bool:
    """Return whether a clock of the unit runs in the minute that begins here, by the wall clock of the office."""
    if unit in {"urgent_hours", "calendar_days"}:
        return True
    local = minute.astimezone(calendar.zone)
    if local.date() in calendar.workdays:
        spans = calendar.hours.get(calendar.makeup_weekday, ())
    elif local.date() in calendar.holidays:
        spans = ()
    else:
        spans = calendar.hours.get(local.isoweekday(), ())
    at = local.time()
    return any(begin <= at and (at < end or end == dt.time(0)) for begin, end in spans)


def plain_due(limit: Limit, calendar: WorkingCalendar, start: dt.datetime) -> dt.datetime:
    """Return the deadline without pauses, minute by minute."""
    if limit.unit == "calendar_days":
        last = start.astimezone(calendar.zone).date() + dt.timedelta(days=int(limit.value))
        moment = start
        while moment.astimezone(calendar.zone).date() <= last:
            moment += MINUTE
        return moment
    if limit.unit == "working_days":
        first = start.astimezone(calendar.zone).date()
        moment, seen, day, closes = start.replace(hour=0, minute=0) - dt.timedelta(days=1), 0, None, start
        while True:
            local = moment.astimezone(calendar.zone).date()
            enough = seen == limit.value and limit.value > 0 and day != local
            if enough or (limit.value == 0 and day is not None and day != local):
                return closes
            if local >= first and counts(calendar, limit.unit, moment):
                if day != local and (local > first or limit.value == 0):
                    seen, day = seen + 1, local
                if day == local:
                    closes = moment + MINUTE
            moment += MINUTE
    return walk(Countdown(calendar, start, start), limit.unit, int(limit.value * 60))


def walk(clock: Countdown, unit: str, minutes: int, pauses: list[Pause] | None = None) -> dt.datetime:
    """Return when a clock counted so many minutes outside the pauses."""
    moment = clock.start
    while minutes:
        held = any(pause.begin <= moment and pause.end is not None and moment < pause.end for pause in pauses or [])
        minutes -= not held and counts(clock.running, unit, moment)
        moment += MINUTE
    return moment


@settings(max_examples=40, deadline=None)
@given(calendars(), starts, limits(most_hours=30, most_days=6))
def test_deadlines_are_those_of_a_clock_that_looks_at_every_minute(
    calendar: WorkingCalendar, start: dt.datetime, limit: Limit
) -> None:
    assert due_at(limit, calendar, start) == plain_due(limit, calendar, start)


@settings(max_examples=40, deadline=None)
@given(calendars(), starts, limits(most_hours=20, most_days=3), st.data())
def test_paused_deadlines_are_too(
    calendar: WorkingCalendar, start: dt.datetime, limit: Limit, data: st.DataObject
) -> None:
    pauses = data.draw(holds(start))
    clock = countdown(limit, calendar, start, pauses=pauses)
    minutes = clock.whole // MINUTE
    plain = due_at(limit, calendar, start)
    expected = max(plain, walk(Countdown(calendar, start, plain), limit.unit, minutes, pauses))
    if clock.whole:
        assert clock.due() == expected
        assert clock.used(expected) == clock.whole


@given(calendars(), starts, limits(), st.data())
def test_a_pause_never_makes_it_earlier_and_one_without_length_changes_nothing(
    calendar: WorkingCalendar, start: dt.datetime, limit: Limit, data: st.DataObject
) -> None:
    pauses = data.draw(holds(start))
    base, paused = countdown(limit, calendar, start), countdown(limit, calendar, start, pauses=pauses)
    due, later = base.due(), paused.due()
    assert due is not None
    assert later is not None
    assert later >= due
    at = start + data.draw(st.integers(0, 5 * 1440)) * MINUTE
    assert countdown(limit, calendar, start, pauses=[*pauses, Pause(at, at)]).due() == later
    longer = [*pauses, Pause(at, at + data.draw(st.integers(1, 1440)) * MINUTE)]
    again = countdown(limit, calendar, start, pauses=longer).due()
    assert again is not None
    assert again >= later


@given(calendars(), starts, limits(), st.data())
def test_a_deadline_that_stands_gives_back_the_time_it_was_made_of(
    calendar: WorkingCalendar, start: dt.datetime, limit: Limit, data: st.DataObject
) -> None:
    made = countdown(limit, calendar, start, pauses=data.draw(holds(start)))
    due = made.due()
    assert due is not None
    back = countdown_to(due, made.running, start, pauses=made.pauses)
    assert back.whole == made.whole
    at = start + data.draw(st.integers(0, 20 * 1440)) * MINUTE
    assert back.share(at) == made.share(at)
    assert not made.whole or back.due() == due


@given(calendars(), starts, limits(), st.data())
def test_used_time_grows_adds_up_and_undoes_the_deadline(
    calendar: WorkingCalendar, start: dt.datetime, limit: Limit, data: st.DataObject
) -> None:
    clock = countdown(limit, calendar, start, pauses=data.draw(holds(start)))
    due = clock.due()
    assert due is not None
    assert clock.used(due) >= clock.whole
    early, late = sorted(start + data.draw(st.integers(0, 20 * 1440)) * MINUTE for _ in range(2))
    assert clock.used(early) <= clock.used(late)
    assert clock.used(late) + clock.remaining(late) == clock.whole
    shares = [moment for _, moment in clock.warnings() if moment is not None]
    assert shares == sorted(shares)
    assert shares[-1] == due


@given(calendars(), starts, starts, limits())
def test_a_later_start_is_never_due_earlier(
    calendar: WorkingCalendar, one: dt.datetime, other: dt.datetime, limit: Limit
) -> None:
    early, late = sorted((one, other))
    assert due_at(limit, calendar, early) <= due_at(limit, calendar, late)


@given(calendars(), starts, units, st.integers(1, 10), st.integers(1, 10))
def test_an_extension_is_a_longer_limit(
    calendar: WorkingCalendar, start: dt.datetime, unit: str, value: int, more: int
) -> None:
    due = due_at(Limit(value, unit), calendar, start)
    assert extended(due, Limit(more, unit), calendar) == due_at(Limit(value + more, unit), calendar, start)


@given(calendars(), st.lists(starts, min_size=1, max_size=20), limits())
def test_many_at_once_are_the_same_as_one_by_one(
    calendar: WorkingCalendar, moments: list[dt.datetime], limit: Limit
) -> None:
    given_ = np.array([moment.replace(tzinfo=None) for moment in moments], dtype="datetime64[us]")
    one_by_one = [due_at(limit, calendar, moment) for moment in moments]
    found = due_many(limit, calendar, given_)
    assert [moment.replace(tzinfo=dt.UTC) for moment in found.tolist()] == one_by_one
    used = used_many(limit, calendar, given_, found)
    expected = [
        countdown(limit, calendar, moment).used(due) / dt.timedelta(hours=1)
        for moment, due in zip(moments, one_by_one, strict=True)
    ]
    assert np.allclose(used, expected)

"""Random rosters for property tests, and the plainest way to work them out."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from people.roster import DAY_MIN, Assignment, Away, DayException, Pattern, Plan, Step

FIRST = dt.date(2026, 3, 16)
DAYS = 28
ZONES = ("UTC", "Europe/London", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo")
"""Several change their clocks within the days, one of them by half an hour and one at midnight."""


@st.composite
def patterns(draw: st.DrawFn, identity: int) -> Pattern:
    cycle = draw(st.integers(1, 10))
    steps: list[Step] = []
    for day in range(cycle):
        if draw(st.booleans()):
            start = draw(st.integers(0, DAY_MIN - 1))
            length = draw(st.integers(1, DAY_MIN))
            steps.append(Step(day, start, start + length, draw(st.integers(0, length - 1))))
    return Pattern(identity, f"P{identity}", "x", None, cycle, tuple(steps))


@st.composite
def plans(draw: st.DrawFn, workers: int = 4) -> Plan:
    known = tuple(draw(patterns(identity)) for identity in range(1, draw(st.integers(1, 3)) + 1))
    assignments, exceptions, away = [], [], []
    employed = {}
    for worker in range(1, workers + 1):
        at = FIRST + dt.timedelta(days=draw(st.integers(-20, 5)))
        while at < FIRST + dt.timedelta(days=DAYS) and draw(st.booleans()):
            last = at + dt.timedelta(days=draw(st.integers(0, 20))) if draw(st.booleans()) else None
            anchor = at + dt.timedelta(days=draw(st.integers(-9, 9)))
            pattern = draw(st.sampled_from(known))
            assignments.append(Assignment(len(assignments), worker, pattern.id, anchor, at, last))
            if last is None:
                break
            at = last + dt.timedelta(days=draw(st.integers(1, 4)))
        for day in draw(st.sets(st.integers(0, DAYS - 1), max_size=6)):
            on = FIRST + dt.timedelta(days=day)
            if draw(st.booleans()):
                start = draw(st.integers(0, DAY_MIN - 1))
                exceptions.append(DayException(worker, on, start, start + draw(st.integers(1, DAY_MIN)), 0))
            else:
                exceptions.append(DayException(worker, on, None, None))
        if draw(st.booleans()):
            since = FIRST + dt.timedelta(days=draw(st.integers(-5, DAYS)))
            deputy = draw(st.sampled_from([None, *(other for other in range(1, workers + 1) if other != worker)]))
            away.append(Away(worker, deputy, since, since + dt.timedelta(days=draw(st.integers(0, 9)))))
        if draw(st.booleans()):
            employed[worker] = (FIRST + dt.timedelta(days=draw(st.integers(-5, 9))), None)
    return Plan(known, tuple(assignments), tuple(exceptions), tuple(away), employed)


def naive_day(plan: Plan, worker: int, day: dt.date) -> tuple[int, int, int] | None:
    """Return start, end and break of a worker on a day, in minutes, asked one by one."""
    since, until = plan.employed.get(worker, (None, None))
    if (since and day < since) or (until and day > until):
        return None
    if any(each.worker_id == worker and each.from_on <= day <= each.to_on for each in plan.away):
        return None
    for each in plan.exceptions:
        if each.worker_id == worker and each.day == day:
            return None if each.start_min is None else (each.start_min, each.end_min or 0, each.break_min)
    for each in plan.assignments:
        if each.worker_id == worker and each.valid_from <= day and (each.valid_to is None or day <= each.valid_to):
            pattern = next(one for one in plan.patterns if one.id == each.pattern_id)
            for step in pattern.steps:
                if step.day == (day - each.anchor_on).days % pattern.cycle_days:
                    return step.start_min, step.end_min, step.break_min
            return None
    return None


def naive_moment(day: dt.date, minutes: int, zone: ZoneInfo) -> int:
    """Return a local time as seconds since 1970, by the standard library."""
    local = dt.datetime.combine(day, dt.time()) + dt.timedelta(minutes=minutes)
    return int(local.replace(tzinfo=zone).timestamp())


def naive_shifts(plan: Plan, worker: int, zone: ZoneInfo, days: int = DAYS) -> list[tuple[int, int, int, int]]:
    """Return day, start, end and work of each shift in seconds; one that runs into the next pushes it back."""
    found: list[tuple[int, int, int, int]] = []
    ended = 0
    for at in range(days):
        day = FIRST + dt.timedelta(days=at)
        hours = naive_day(plan, worker, day)
        if hours is None:
            ended = 0
            continue
        start, end = (naive_moment(day, minutes, zone) for minutes in hours[:2])
        start, ended = max(start, ended), end
        if start < end:
            found.append((at, start, end, max(0, end - start - hours[2] * 60)))
    return found

"""Rosters: equal to the plainest way, no shift of a worker over another, rules as by brute force, no nameless gap."""

from __future__ import annotations

import datetime as dt
import itertools
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from people.cover import Home, Reason, State, cover_of, gaps, states_at, windows
from people.roster import DAY_MIN, Assignment, Pattern, Plan, Step, expand, moments, on_day, ordinal, shifts_of
from people.roster_rules import Rule, Rules, violations
from tests.plans import DAYS, FIRST, ZONES, naive_day, naive_moment, naive_shifts, plans

WORKERS = (1, 2, 3, 4)
zones = st.sampled_from(ZONES).map(ZoneInfo)
H = 3600


@given(plans())
def test_the_days_are_those_of_the_plainest_way(plan):
    roster = expand(plan, WORKERS, FIRST, DAYS)
    for row, worker in enumerate(WORKERS):
        for at in range(DAYS):
            found = tuple(int(part[row, at]) for part in (roster.start_min, roster.end_min, roster.break_min))
            assert found == (naive_day(plan, worker, roster.day(at)) or (-1, -1, 0))


@given(st.integers(1, 366), st.sets(st.integers(0, 365), max_size=40), st.integers(-800, 800), st.integers(0, 366))
def test_a_pattern_through_a_year(cycle, worked, anchor, since):
    steps = tuple(Step(day, 480, 960, 30) for day in sorted(worked) if day < cycle)
    first = dt.date(2027, 12, 15)
    given_ = Assignment(1, 7, 1, first + dt.timedelta(days=anchor), first + dt.timedelta(days=since))
    plan = Plan((Pattern(1, "P", "x", None, cycle, steps),), (given_,))
    roster = expand(plan, [7], first, 400)  # over a leap day
    days = {step.day for step in steps}
    expected = [at >= since and (at - anchor) % cycle in days for at in range(400)]
    assert (roster.start_min[0] >= 0).tolist() == expected


@given(plans(), zones)
def test_shifts_are_those_of_the_plainest_way_and_none_overlaps_another(plan, zone):
    shifts = shifts_of(expand(plan, WORKERS, FIRST, DAYS), zone)
    rows = list(zip(shifts.worker, shifts.day, shifts.start_s, shifts.end_s, shifts.work_s, strict=True))
    for row, worker in enumerate(WORKERS):
        mine = [tuple(int(part) for part in each[1:]) for each in rows if each[0] == row]
        assert mine == naive_shifts(plan, worker, zone)
        for one, after in itertools.pairwise(mine):
            assert one[1] < one[2] <= after[1] < after[2]


@given(zones, st.lists(st.integers(0, 400 * DAY_MIN), min_size=1, max_size=30))
def test_local_times_are_those_of_the_standard_library(zone, minutes):
    base = ordinal(dt.date(2026, 1, 1)) * DAY_MIN
    found = moments(np.array(minutes, dtype=np.int64) + base, zone)
    day = dt.date(2026, 1, 1)
    assert found.tolist() == [naive_moment(day, each, zone) for each in minutes]


@given(plans(), zones, st.integers(0, 12), st.integers(1, 5), st.floats(1, 60))
def test_rules_as_by_brute_force(plan, zone, rest_h, row_days, week_h):
    rules = Rules(max_day_h=7, max_week_h=week_h, min_rest_h=rest_h, max_days_row=row_days, min_break_min=20)
    roster = expand(plan, WORKERS, FIRST, DAYS)
    last = FIRST + dt.timedelta(days=DAYS - 1)
    found = violations(roster, shifts_of(roster, zone), rules, first=FIRST, last=last)
    expected = {
        (worker, FIRST + dt.timedelta(days=at), rule)
        for worker in WORKERS
        for at, rule in _broken(plan, worker, naive_shifts(plan, worker, zone), rules)
    }
    assert {(each.worker_id, each.day, each.rule) for each in found} == expected
    assert len(found) == len(expected)


def _broken(plan, worker, mine, rules):
    """Yield the day and the rule of everything a worker's shifts break, asked one by one."""
    worked = {at for at, *_ in mine}
    for at, start, end, work in mine:
        hours = naive_day(plan, worker, FIRST + dt.timedelta(days=at))
        if work > rules.max_day_h * H:
            yield at, Rule.DAY_HOURS
        if end - start > 6 * H and hours is not None and hours[2] < rules.min_break_min:
            yield at, Rule.BREAK
        if any(0 <= start - one[2] < rules.min_rest_h * H for one in mine if one[1] < start):
            yield at, Rule.REST
        if _first_of_row(worked, at) == at - rules.max_days_row:
            yield at, Rule.DAYS_ROW
    for week in range(DAYS // 7):
        if sum(work for at, *_, work in mine if at // 7 == week) > rules.max_week_h * H + 1:
            yield week * 7, Rule.WEEK_HOURS


def _first_of_row(worked, at):
    while at - 1 in worked:
        at -= 1
    return at


@settings(max_examples=60)
@given(plans(), zones, st.integers(0, 720), st.integers(721, DAY_MIN), st.integers(0, 2))
def test_every_moment_of_need_has_somebody_or_a_named_gap(plan, zone, from_min, to_min, need):
    roster = expand(plan, WORKERS, FIRST, DAYS)
    shifts = shifts_of(roster, zone)
    homes = [Home(10, (0, 1), need), Home(20, (2,), 1), Home(30, (), 1)]
    window = windows(roster, zone, from_min, to_min)
    cover = cover_of(roster, shifts, homes, window)
    short = gaps(roster, cover, homes, window)
    worked = {worker: naive_shifts(plan, worker, zone) for worker in WORKERS}
    for index, home in enumerate(homes):
        for day in range(1, DAYS):
            mine = [gap for gap in short if (gap.grid, gap.day) == (index, day)]
            for moment in np.linspace(window[0][day], window[1][day], 7, endpoint=False).astype(int).tolist():
                there = _there(plan, worked, home, moment)
                held = [gap for gap in mine if gap.start_s <= moment < gap.end_s]
                assert len(held) == (len(there) < home.need)
                for gap in held:
                    assert gap.present == len(there)
                    assert isinstance(gap.reason, Reason)


def _there(plan, worked, home, moment):
    """Return the workers who cover a grid at a moment: its own, and who stands in on the day of the own shift."""
    on = {worker: [at for at, start, end, _ in mine if start <= moment < end] for worker, mine in worked.items()}
    there = {row + 1 for row in home.workers if on[row + 1]}
    for each in plan.away:
        since = plan.employed.get(each.worker_id, (None, None))[0]
        for at in on.get(each.deputy_id, []):
            day = FIRST + dt.timedelta(days=at)
            if each.worker_id - 1 in home.workers and each.from_on <= day <= each.to_on and not (since and day < since):
                there.add(each.deputy_id)
    return there


@given(plans(), zones, st.integers(DAY_MIN, (DAYS - 2) * DAY_MIN))
def test_who_is_on_duty_at_a_moment(plan, zone, minute):
    moment = dt.datetime.fromtimestamp(naive_moment(FIRST, minute, zone), zone)
    found = on_day(plan, WORKERS, moment, zone)
    today = (moment.date() - FIRST).days
    for worker in WORKERS:
        mine = naive_shifts(plan, worker, zone)
        now = [each for each in mine if each[1] <= moment.timestamp() < each[2]]
        each = found[worker]
        # The day before decides alone what it pushes back: further back than two days nothing is asked.
        if now and now[0][0] >= today - 1:
            assert each.start is not None
            assert each.start <= moment < each.end
        else:
            assert each.start is None or not each.start <= moment < each.end


def test_a_night_with_a_change_of_the_clocks_has_its_true_length():
    zone = ZoneInfo("Europe/London")
    night = Pattern(1, "N", "Night", None, 1, (Step(0, 21 * 60, 30 * 60),))
    plan = Plan((night,), (Assignment(1, 1, 1, FIRST, FIRST),))
    shifts = shifts_of(expand(plan, [1], dt.date(2026, 3, 27), 3), zone)
    assert [length // H for length in (shifts.end_s - shifts.start_s).tolist()] == [9, 8, 9]
    shifts = shifts_of(expand(plan, [1], dt.date(2026, 10, 23), 3), zone)
    assert [length // H for length in (shifts.end_s - shifts.start_s).tolist()] == [9, 10, 9]


def test_states_at_a_moment_say_who_or_why():
    day = Pattern(1, "D", "Day", None, 1, (Step(0, 480, 960),))
    plan = Plan((day,), (Assignment(1, 1, 1, FIRST, FIRST), Assignment(2, 3, 1, FIRST, FIRST)))
    roster = expand(plan, WORKERS, FIRST, 2)
    utc = ZoneInfo("UTC")
    homes = [Home(1, (0,)), Home(2, (1,)), Home(3, ()), Home(4, (2, 3), 2)]
    whole, needed = windows(roster, utc, 0, DAY_MIN), windows(roster, utc, 540, 1020)
    cover = cover_of(roster, shifts_of(roster, utc), homes, whole)

    def at(minute: int) -> list[tuple[State, Reason | None]]:
        moment_s = naive_moment(FIRST, minute, utc)
        found = states_at(roster, cover, homes, needed, moment_s=moment_s, day=0)
        return [(each.state, each.reason) for each in found]

    assert at(600) == [
        (State.HOME, None),
        (State.UNCOVERED, Reason.FREE_DAY),
        (State.UNCOVERED, Reason.NO_WORKER),
        (State.UNCOVERED, Reason.TOO_FEW),
    ]
    assert at(1000)[0] == (State.UNCOVERED, Reason.OFF_SHIFT)
    assert at(1100) == [(State.REST, None)] * 4

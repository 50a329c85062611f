"""What holds for every standing plan: what is safe, what it is measured against, and how it is kept."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.classify import MARGIN_S, as_it_runs, judge, summarise
from dispatch.model import Place, Whereabouts
from dispatch.plan import result_of, solve
from dispatch.plan_arrays import compile_problem
from dispatch.plan_model import Break, Commitment, Problem, Stop, Task, Worker
from dispatch.situation_model import Crew, Situation, WorkRow, begun, left_s, rest_of
from dispatch.snapshot import Kept, pack, unpack

NOON = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)
CREW = [Crew(number, f"W{number}", Place(Whereabouts.HOME_GRID, 0.0, 0.0)) for number in (1, 2, 3)]
CODES = {each.id: each.code for each in CREW}
STATES = st.sampled_from(["", "waiting", "accepted", "on_way", "started"])


@st.composite
def situations(draw):
    rows, tasks, running, commitments, barred = [], [], {}, {}, set()
    count = draw(st.integers(1, 8))
    for k in range(count):
        state, worker = draw(STATES), draw(st.sampled_from([1, 2, 3]))
        due_min = draw(st.one_of(st.none(), st.integers(-60, 400)))
        planned = draw(st.one_of(st.none(), st.integers(0, 300)))
        name = f"N{k}"
        row = WorkRow(
            incident_id=k,
            number=name,
            class_id=1,
            class_en="Lamp",
            class_zh="路灯",
            status="filed",
            priority=draw(st.integers(1, 4)),
            emergency=draw(st.booleans()),
            due_at=None if due_min is None else NOON + dt.timedelta(minutes=due_min),
            postponed_until=None,
            unit_id=draw(st.sampled_from([None, 7])),
            lon=0.0,
            lat=0.0,
            version=1,
            grid=None,
            task_id=None if not state else 100 + k,
            state={"on_way": "accepted"}.get(state, state),
            worker_id=None if not state else worker,
            on_way_at=NOON if state == "on_way" else None,
            arrived_at=NOON - dt.timedelta(minutes=5) if state == "started" else None,
            planned_start=None if planned is None or not state else NOON + dt.timedelta(minutes=planned),
        )
        refused = (
            frozenset({draw(st.sampled_from(["W1", "W2", "W3"]))}) if not state and draw(st.booleans()) else frozenset()
        )
        barred |= {name} if refused else set()
        if state:
            running.setdefault(CODES[worker], []).append(name)
        if begun(row):
            left = left_s(row, 600.0, NOON) if state == "started" else None
            commitments.setdefault(worker, []).append(Commitment(name, left))
        rows.append(row)
        tasks.append(
            Task(
                id=name,
                service_s=600.0,
                priority=min(2, row.priority - 1),
                due_s=math.inf if due_min is None else 60.0 * due_min,
                excluded=refused,
                pinned=frozenset({CODES[worker]}) if begun(row) else frozenset(),
                accepted_by=CODES[worker] if row.state == "accepted" else None,
            )
        )
    for each in commitments.values():
        each.sort(key=lambda one: one.left_s is None)
    people = [Worker(each.code, end_s=4 * 3600.0, commitments=tuple(commitments.get(each.id, ()))) for each in CREW]
    size = len(people) + count
    ways = np.array(draw(st.lists(st.integers(1, 1800), min_size=size * size, max_size=size * size)), np.float32)
    problem = Problem(tasks, people, ways.reshape(size, size))
    order = {code: tuple(each) for code, each in running.items()}
    return Situation(NOON, problem, rows, CREW, order, frozenset(barred), (), np.zeros((size, 2)))


@settings(max_examples=30)
@given(situations())
def test_what_is_safe_and_what_needs_a_person(situation):
    result = solve(situation.problem, Stop(rounds=30))
    judged = judge(situation, result)
    assert sorted(each.work.number for each in judged) == sorted(task for r in result.routes.values() for task in r)
    for each in judged:
        gives = each.change in {"new", "moved"}
        assert gives or each.needs is None
        assert (each.change == "fixed") == begun(each.work)
        assert (each.change == "new") == (each.work.task_id is None)
        if each.change in {"fixed", "kept", "retimed"}:
            assert each.worker_id == each.work.worker_id
        if gives and each.needs is None:
            assert not each.work.emergency
            assert each.work.unit_id is not None
            assert each.work.number not in situation.barred
            assert each.change == "new" or each.work.state != "accepted"
            assert each.late_s == 0
            assert each.slack_s is None or each.slack_s >= MARGIN_S
        assert (each.slack_s is None) == (each.work.due_at is None)
        assert each.late_s == (0 if each.slack_s is None else max(0.0, -each.slack_s))
    for code in {each.worker_id for each in judged}:
        places = [each.place_in_route for each in judged if each.worker_id == code]
        assert places == list(range(1, len(places) + 1))


@settings(max_examples=30)
@given(situations())
def test_the_plan_is_measured_on_the_same_work(situation):
    result = solve(situation.problem, Stop(rounds=30))
    compiled = compile_problem(situation.problem)
    runs = as_it_runs(situation, compiled, result)
    names = [situation.problem.tasks[compiled.tasks[j]].id for route in runs for j in route]
    assert sorted(names) == sorted(task for route in result.routes.values() for task in route)
    summary = summarise(situation, compiled, result, judge(situation, result))
    assert summary.open_tasks == len(situation.work)
    judged = judge(situation, result)
    late = {each.work.number for each in judged if each.late_s > 0 and not begun(each.work)}
    soon = [row for row in situation.work if row.due_at and NOON <= row.due_at <= NOON + dt.timedelta(hours=1)]
    absent = {each.task for each in result.unserved}
    assert summary.breaches_next_hour == sum(row.number in late | absent for row in soon)
    told = sum(each.change in {"new", "moved", "retimed"} for each in judged)
    assert summary.safe + summary.need_you == told + len(absent)
    assert summary.need_you == sum(each.needs is not None for each in judged) + len(absent)
    as_given = result_of(compiled, runs, explain=False)
    assert math.isclose(summary.driving_saved_s, as_given.travel_s - result.travel_s, abs_tol=1.0)


@settings(max_examples=20)
@given(situations(), st.booleans())
def test_a_kept_problem_is_read_as_it_was(situation, hole):
    ways = situation.problem.travel_s.copy()
    if hole:
        ways[0, -1], ways[-1, 0] = np.inf, np.nan
    problem = Problem(situation.problem.tasks, situation.problem.workers, ways)
    result = solve(problem, Stop(rounds=10))
    incidents = {row.number: row.incident_id for row in situation.work}
    workers = {each.code: each.id for each in CREW}
    read = unpack(pack(Kept(problem, result.routes, incidents, workers, situation.places)))
    assert read is not None
    assert (list(read.problem.tasks), list(read.problem.workers)) == (list(problem.tasks), list(problem.workers))
    assert np.array_equal(read.problem.travel_s, ways, equal_nan=True)
    assert read.problem.weights == problem.weights
    assert (dict(read.routes), read.incidents, read.workers) == (dict(result.routes), incidents, workers)


@given(st.integers(-600, 600), st.integers(0, 90))
def test_a_break_lies_ahead_or_is_over(minutes_ago, length):
    start = NOON - dt.timedelta(minutes=minutes_ago)
    rests = rest_of(start, start + dt.timedelta(hours=8), length, NOON)
    over = minutes_ago >= 0.6 * 480
    assert len(rests) == (0 if over or length == 0 else 1)
    for rest in rests:
        assert isinstance(rest, Break)
        assert 0 <= rest.earliest_s <= rest.latest_s
        assert rest.length_s == 60 * length

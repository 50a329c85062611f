"""Tasks for several workers: when they begin, and the reason of who would come too late."""

from __future__ import annotations

import datetime as dt

import numpy as np

from dispatch.explain import explain
from dispatch.plan import solve
from dispatch.plan_model import Commitment, Problem, Stop, Task, Weights, Worker
from dispatch.situation_model import Company, WorkRow, companies

ROUNDS = Stop(seconds=60, rounds=40)


def beside(minutes: list[float], tasks: list[Task], workers: list[Worker], prices: Weights | None = None) -> Problem:
    """Every task is so many minutes from each worker, and all tasks lie at one place."""
    count = len(workers)
    ways = np.zeros((count + len(tasks), count + len(tasks)), np.float32)
    ways[:count, count:] = np.array(minutes)[:, None] * 60
    ways[count:, :count] = ways[:count, count:].T
    return Problem(tasks, workers, ways, prices or Weights())


def test_the_first_waits_for_the_last_and_the_third_would_come_too_late() -> None:
    crew = [Worker("near", end_s=28800.0), Worker("far", end_s=28800.0), Worker("farther", end_s=28800.0)]
    problem = beside([5, 20, 50], [Task("manhole", 600.0, workers=2), Task("after", 60.0)], crew)
    result = solve(problem, ROUNDS)
    starts = {visit.worker: visit.start_s for visit in result.visits if visit.task == "manhole"}
    assert starts == {"near": 1200.0, "far": 1200.0}
    told = explain(problem, result.routes, "manhole")
    assert told.rejected["farther"].kind == "meets"
    assert "30 min" in told.rejected["farther"].en


def test_nobody_is_sent_when_they_cannot_be_there_together() -> None:
    crew = [Worker("early", end_s=3600.0), Worker("late", 7200.0, 14400.0)]
    result = solve(beside([5, 5], [Task("manhole", 600.0, workers=2)], crew), ROUNDS)
    assert not any(result.routes.values())
    assert [each.why.kind for each in result.unserved] == ["together", "together"]
    assert result.unserved[0].why.zh


def test_who_joins_work_that_has_begun_does_not_hold_it_up() -> None:
    crew = [
        Worker("there", end_s=28800.0, commitments=(Commitment("manhole", 1800.0),)),
        Worker("comes", end_s=28800.0),
    ]
    result = solve(beside([0, 10], [Task("manhole", 1800.0, workers=2)], crew), ROUNDS)
    assert {visit.worker: visit.start_s for visit in result.visits} == {"there": 0.0, "comes": 600.0}


def row(incident: int, worker: int | None, *, joint: bool = False, out: bool = False, workers: int = 3) -> WorkRow:
    """Return a task of an incident that takes three."""
    given = (incident, "N", 1, "", "", "dispatched", 3, False, None, None, 1, 0.0, 0.0, 1, None)
    more = {"task_id": worker, "worker_id": worker, "joint": joint, "state": "accepted" if out else "waiting"}
    now = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)
    return WorkRow(*given, workers=workers, on_way_at=now if out else None, **more)


def test_who_goes_together_stays_together_once_all_are_told() -> None:
    codes = {1: "A", 2: "B", 3: "C"}
    both = [row(9, 2, joint=True), row(9, 3, joint=True)]
    assert companies([row(9, 1), *both], codes, set()) == {9: Company(3, frozenset("ABC"))}
    # Who has set out is planned by himself; the others stay.
    out = [row(9, 2, joint=True, out=True), row(9, 3, joint=True)]
    assert companies([row(9, 1), *out], codes, set()) == {9: Company(2, frozenset("AC"), frozenset("B"))}
    # One is missing: the plan looks for him beside those who are told.
    assert companies([row(9, 1), both[0]], codes, set()) == {9: Company(2, there=frozenset("B"))}
    # Somebody was called in beyond what the class takes, and one is off shift.
    assert companies([row(9, 1, workers=1), both[0]], codes, set()) == {9: Company(2, frozenset("AB"))}
    assert companies([row(9, 1), *both], {1: "A", 2: "B"}, set()) == {9: Company(2, there=frozenset("B"))}
    # A hand gave it to the lead: nobody is looked for, and whom it called in does not lead as well.
    assert companies([row(9, 1), both[0]], codes, {9}) == {9: Company(1, there=frozenset("B"))}
    # What is begun no plan moves, and nobody comes along where nobody was called.
    assert companies([row(9, 1, out=True), both[0]], codes, set()) == {}
    assert companies([row(9, 1)], codes, set()) == {}

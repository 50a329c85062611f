"""Tasks for several workers: when they begin, and the reason of who would come too late."""

from __future__ import annotations

import numpy as np

from dispatch.explain import explain
from dispatch.plan import solve
from dispatch.plan_model import Commitment, Problem, Stop, Task, Weights, Worker

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

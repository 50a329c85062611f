"""The margin before deadlines and the price of a change: what they cost, and that what is told of them is true."""

import dataclasses

import numpy as np
import pytest

from dispatch.explain import explain
from dispatch.plan import solve
from dispatch.plan_model import Problem, Stop, Task, Weights, Worker

AIM = Weights(margin_s=(180.0, 600.0, 1200.0), owner_s=0.0)


def line(tasks: list[Task], workers: list[Worker], weights: Weights) -> Problem:
    """Everybody and everything ten minutes from each other."""
    places = len(tasks) + len(workers)
    ways = np.full((places, places), 600.0, np.float32)
    np.fill_diagonal(ways, 0.0)
    return Problem(tasks, workers, ways, weights)


def test_the_plan_aims_before_the_deadline_and_lateness_counts_from_the_deadline():
    tasks = [Task("long", 1800.0, 2, due_s=30_000.0), Task("short", 60.0, 2, due_s=3600.0)]
    plain, aimed = (
        solve(line(tasks, [Worker("w", end_s=9e4)], weights), Stop(60, rounds=200), initial={"w": ["long", "short"]})
        for weights in (Weights(), AIM)
    )
    assert plain.lateness_s == aimed.lateness_s == 0
    assert aimed.routes["w"] == ("short", "long")
    assert plain.terms["margin"] == aimed.terms["margin"] == 0


def test_a_task_brings_its_own_aim_but_never_one_after_its_deadline():
    task = Task("t", 60.0, 1, due_s=1000.0)
    assert task.aimed_s(AIM) == 400.0
    assert dataclasses.replace(task, aim_s=100.0).aimed_s(AIM) == 100.0
    assert dataclasses.replace(task, aim_s=5000.0).aimed_s(AIM) == 1000.0
    assert np.isinf(dataclasses.replace(task, due_s=np.inf, aim_s=5.0).aimed_s(AIM))


def test_who_leaves_less_than_the_margin_is_told_so_and_not_called_late():
    tasks = [Task("t", 60.0, 2, due_s=1500.0), Task("other", 60.0, 2, due_s=1500.0)]
    problem = line(tasks, [Worker("near", end_s=9e4), Worker("busy", end_s=9e4)], AIM)
    told = explain(problem, {"near": ["t"], "busy": ["other"]}, "t")
    against = told.others[0].against
    assert told.others[0].late_s == 0
    assert against is not None
    assert against.kind in {"tight_here", "tight_there"}
    assert against.figures["minutes"] == 4
    result = solve(problem, Stop(60, rounds=50), initial={"near": ["t"], "busy": ["other"]})
    assert result.violations == 0
    assert result.terms["margin"] == pytest.approx(2 * 8 * (300 + 600))  # 15 min before the deadline, 20 aimed at
    assert result.terms["lateness"] == 0


@pytest.mark.parametrize("busy", [(), ("long",)])
def test_who_would_be_late_is_called_late_also_where_the_margin_costs_more(busy: tuple[str, ...]):
    tasks = [Task("t", 60.0, 2, due_s=3000.0), Task("long", 500.0, 2)]
    problem = line(tasks, [Worker("near", end_s=9e4), Worker("far", end_s=9e4)], AIM)
    problem.travel_s[1, 2] = problem.travel_s[3, 2] = 3060.0
    told = explain(problem, {"near": ["t"], "far": busy}, "t")
    [other] = told.others
    assert (other.late_s, other.terms["margin"] > other.terms["lateness"] > 0) == (60.0, True)
    assert other.against is not None
    assert (other.against.kind, other.against.figures["minutes"]) == ("late_here", 1)


def test_what_was_only_sent_is_called_back_for_less_than_what_was_accepted():
    sent, taken = Task("sent", 60.0, sent_to="far"), Task("taken", 60.0, accepted_by="far")
    ways = np.array([[0, 9e3, 100, 100], [9e3, 0, 450, 450], [100, 450, 0, 900], [100, 450, 900, 0]], np.float32)
    problem = Problem([sent, taken], [Worker("near"), Worker("far")], ways)
    result = solve(problem, Stop(60, rounds=200), initial={"far": ["sent", "taken"]})
    assert result.routes == {"near": ("sent",), "far": ("taken",)}
    assert (result.changed, result.terms["change"]) == (1, 200.0)

"""Who could go to an incident that the standing plan leaves aside: asked of the plan's own problem and costs."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy.orm import Session

from dispatch import store_situation
from dispatch.closures import network_now
from dispatch.explain import Explanation, explain
from dispatch.plan_arrays import compile_problem
from dispatch.plan_model import Id, Problem, Task
from dispatch.situation import new_task, read_situation, ways_to
from dispatch.standing_ask import FRESH, newest_loaded
from geodata.territory import TerritoryInfo

EVERYBODY = 10_000
Routes = Mapping[Id, Sequence[Id]]


def explain_for(
    session: Session, territory: TerritoryInfo, incident_id: int, moment: dt.datetime
) -> Explanation | None:
    """Return who is best for an incident and what speaks against the others; None when it does not exist.

    The routes are those of the standing plan where it is young, else what is given out. Whoever has the incident is
    one among the others: what he has begun is not held against them.
    """
    row = store_situation.one(session, territory.id, incident_id)
    if row is None:
        return None
    task = new_task(session, territory, row, moment)
    loaded = newest_loaded(session, territory.id, moment - FRESH)
    if loaded is not None:
        kept = loaded.kept
        problem, places, routes = kept.problem, kept.places, kept.routes
        names = [name for name, one in kept.incidents.items() if one == incident_id]
        late_s = (moment - loaded.at).total_seconds()
        task = dataclasses.replace(task, due_s=task.due_s + late_s)
    else:
        now = read_situation(session, territory, moment)
        problem, places, routes = now.problem, now.places, now.running
        rows = zip(now.problem.tasks, now.work, strict=True)
        names = [each.id for each, work in rows if work.incident_id == incident_id]
    known = min(names, key=lambda each: len(str(each)), default=None)
    if known is None:
        network = network_now(session, territory, "drive", moment)
        to_s, from_s = ways_to(network, (row.lon, row.lat), places)
        problem = _with(problem, task, to_s, from_s)
    else:
        problem = _freed(problem, dataclasses.replace(task, id=known, workers=1))
        task = dataclasses.replace(task, id=known)
    return _explained(problem, _without(routes, task.id), task.id)


def _with(problem: Problem, task: Task, to_s: np.ndarray, from_s: np.ndarray) -> Problem:
    """Return a problem with one more task, and the ways to every place and back."""
    places, worker_at, task_at, worker_to = len(problem.travel_s), *problem.rows()
    ways = np.full((places + 1, places + 1), np.inf, np.float32)
    ways[:places, :places] = problem.travel_s
    ways[places, :places], ways[:places, places], ways[places, places] = to_s, from_s, 0.0
    return dataclasses.replace(
        problem,
        tasks=[*problem.tasks, dataclasses.replace(task, workers=1)],
        travel_s=ways,
        worker_at=worker_at,
        task_at=np.append(task_at, places),
        worker_to=worker_to,
    )


def _freed(problem: Problem, task: Task) -> Problem:
    """Return a problem in which a task of it is open to everybody."""
    workers = [
        dataclasses.replace(each, commitments=tuple(one for one in each.commitments if one.task != task.id))
        for each in problem.workers
    ]
    return dataclasses.replace(
        problem, tasks=[task if each.id == task.id else each for each in problem.tasks], workers=workers
    )


def _without(routes: Routes, task: Id) -> dict[Id, list[Id]]:
    return {worker: [each for each in route if each != task] for worker, route in routes.items()}


def _explained(problem: Problem, routes: dict[Id, list[Id]], task: Id) -> Explanation:
    """Return the ranking, each compared with the best: the best gets the task first, then the others are asked."""
    compiled = compile_problem(problem)
    if all(problem.tasks[int(k)].id != task for k in compiled.tasks):
        return Explanation(task, None, (), {})
    known = {problem.tasks[int(k)].id for k in compiled.tasks}
    routes = {worker: [each for each in route if each in known] for worker, route in routes.items()}
    found = explain(problem, routes, task, EVERYBODY, compiled)
    if not found.others:
        return found
    best = found.others[0]
    route = routes.setdefault(best.worker, [])
    route.insert(0 if best.follows is None else route.index(best.follows) + 1, task)
    return explain(problem, routes, task, EVERYBODY, compiled)

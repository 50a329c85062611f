"""What of a plan is safe to publish and what needs a person, and what the plan saves against what runs."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dispatch.plan_arrays import Compiled
from dispatch.plan_cost import RoutePrice, price_route
from dispatch.plan_kernels import HOME
from dispatch.plan_model import Id, Reason, Result, Task, Visit
from dispatch.plan_words import listed, minutes
from dispatch.situation_model import Situation, WorkRow, begun
from dispatch.standing_model import Change, Summary
from dispatch.standing_words import reason

MARGIN_S = 600.0
"""With less time to spare before the deadline a person looks."""
HELP = "help"
"""Kind of a stop of who comes along with who answers for a task, and has a part of his own."""
SAME_TIME_S = 300.0
"""A begin that shifts by no more is the same."""
HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Judged:
    """A stop of the plan as it is kept; see `dispatch.standing_model.PlanRow`."""

    work: WorkRow
    worker_id: int
    place_in_route: int
    start_at: dt.datetime
    end_at: dt.datetime
    travel_s: float
    late_s: float
    slack_s: float | None
    change: Change
    needs: Reason | None


def judge(situation: Situation, result: Result) -> list[Judged]:
    """Return the stops of a plan, by worker and place in the route, each with what changes and why a person looks."""
    at = {task.id: k for k, task in enumerate(situation.problem.tasks)}
    crew = {each.code: each.id for each in situation.crew}
    codes = {each.id: each.code for each in situation.crew}
    leads = leaders(situation, result)
    judged, place, before = [], 0, None
    for visit in result.visits:
        place = place + 1 if visit.worker == before else 1
        before = visit.worker
        k = at[visit.task]
        row, task = situation.work[k], situation.problem.tasks[k]
        worker_id = crew[str(visit.worker)]
        together = leads.get(task.id, ())
        if together and visit.worker != together[0]:
            row = _part(situation, row, worker_id)
        elif row.joint:
            row = dataclasses.replace(row, kind=HELP)
        start_at, end_at = (situation.at + dt.timedelta(seconds=each) for each in (visit.start_s, visit.end_s))
        late_s, slack_s = _times(row, task, visit, situation.at)
        change = change_of(row, worker_id, start_at)
        barred = task.excluded if task.id in situation.barred else frozenset()
        here = row.worker_id is None or row.worker_id in codes
        had = codes.get(row.worker_id or 0) or situation.absent.get(row.worker_id or 0)
        needs = needs_person(row, change, late_s, slack_s, barred, had, on_shift=here)
        judged.append(Judged(row, worker_id, place, start_at, end_at, visit.travel_s, late_s, slack_s, change, needs))
    return judged


def _part(situation: Situation, row: WorkRow, worker_id: int) -> WorkRow:
    """Return the work of who comes along: his part where he was told already, else one that nobody has."""
    told = situation.parts.get(row.incident_id, {}).get(worker_id)
    if told is not None:
        return dataclasses.replace(told, kind=HELP)
    return dataclasses.replace(
        row, kind=HELP, joint=True, task_id=None, task_version=None, worker_id=None, state="", planned_start=None
    )


def leaders(situation: Situation, result: Result) -> dict[Id, tuple[Id, ...]]:
    """Return task to its workers, where there are several: first who has it or begins first, who answers for it."""
    codes = {each.id: each.code for each in situation.crew}
    has = {
        task.id: codes.get(row.worker_id or 0)
        for task, row in zip(situation.problem.tasks, situation.work, strict=True)
        if task.workers > 1
    }
    found: dict[Id, list[tuple[bool, float, str]]] = {}
    for visit in result.visits:
        if visit.task in has:
            found.setdefault(visit.task, []).append((visit.worker != has[visit.task], visit.start_s, str(visit.worker)))
    return {task: tuple(code for _, _, code in sorted(each)) for task, each in found.items()}


def _times(row: WorkRow, task: Task, visit: Visit, moment: dt.datetime) -> tuple[float, float | None]:
    """Return how late a stop is begun, and the time to spare; what is begun already counts from when it was."""
    if not np.isfinite(task.due_s):
        return 0.0, None
    begin_s = visit.start_s if row.arrived_at is None else (row.arrived_at - moment).total_seconds()
    return max(0.0, begin_s - task.due_s), task.due_s - begin_s


def change_of(row: WorkRow, worker_id: int, start_at: dt.datetime) -> Change:
    """Return what the plan changes for a piece of work."""
    if begun(row):
        return "fixed"
    if row.task_id is None:
        return "new"
    if row.worker_id != worker_id:
        return "moved"
    if row.planned_start is None or abs((row.planned_start - start_at).total_seconds()) > SAME_TIME_S:
        return "retimed"
    return "kept"


def needs_person(  # noqa: PLR0911, PLR0917  (a return a reason; what it rests on)
    row: WorkRow,
    change: Change,
    late_s: float,
    slack_s: float | None,
    barred: frozenset[Id],
    had: str | None,
    *,
    on_shift: bool = True,
) -> Reason | None:
    """Return why a person has to look before a stop is published; None when it is safe.

    Only what gives work to somebody can need one: who keeps it at another time is merely told. ``had`` is who has
    it now, and ``on_shift`` whether that worker is.
    """
    if change not in {"new", "moved"}:
        return None
    if row.emergency:
        return reason("emergency")
    if row.unit_id is None:
        return reason("no_unit")
    if barred:
        return reason("refused", workers=listed(barred))
    if change == "moved" and not on_shift:
        return reason("off_shift", worker=had or "?")
    if row.state == "accepted" and change == "moved":
        return reason("accepted", worker=had or "?")
    if late_s > 0:
        return reason("late", minutes=minutes(late_s))
    if slack_s is not None and slack_s < MARGIN_S:
        return reason("close_call", minutes=int(slack_s // 60))
    return None


def summarise(situation: Situation, compiled: Compiled, result: Result, judged: Sequence[Judged]) -> Summary:
    """Return the plan in one line, against what runs."""
    plan = [price_route(compiled, w, route) for w, route in enumerate(_indices(compiled, result.routes))]
    runs = [price_route(compiled, w, route) for w, route in enumerate(as_it_runs(situation, compiled, result))]
    soon = sum(0 <= (task.due_s) <= HOUR_S for task in _unserved_tasks(situation, result))
    soon += sum(each.late_s > 0 and _due_within(situation, each) for each in judged if not begun(each.work))
    changing = {each.work.incident_id for each in judged if each.change in {"new", "moved", "retimed"}}
    asking = {each.work.incident_id for each in judged if each.needs is not None}
    return Summary(
        safe=len(changing - asking),
        need_you=len(asking) + len({each.task for each in result.unserved}) + len(situation.left),
        driving_saved_s=_travel(runs) - _travel(plan),
        breaches_avoided=_late(runs) - _late(plan),
        open_tasks=len(situation.work),
        workers=len(situation.crew),
        breaches_next_hour=int(soon),
    )


def _due_within(situation: Situation, each: Judged) -> bool:
    due = each.start_at + dt.timedelta(seconds=each.slack_s or 0.0)
    return 0 <= (due - situation.at).total_seconds() <= HOUR_S


def _unserved_tasks(situation: Situation, result: Result) -> list[Task]:
    absent = {each.task for each in result.unserved}
    return [task for task in situation.problem.tasks if task.id in absent]


def _travel(prices: Sequence[RoutePrice]) -> float:
    return sum(each.travel_s for each in prices)


def _late(prices: Sequence[RoutePrice]) -> int:
    return sum(visit.late_s > 0 for each in prices for visit in each.visits)


def _indices(compiled: Compiled, routes: Mapping[Id, Sequence[Id]]) -> list[list[int]]:
    number = {compiled.problem.tasks[k].id: j for j, k in enumerate(compiled.tasks)}
    return [
        [number[task] for task in routes.get(compiled.problem.workers[k].id, ()) if task in number]
        for k in compiled.workers
    ]


def as_it_runs(situation: Situation, compiled: Compiled, result: Result) -> list[list[int]]:
    """Return the routes as they would go on without the plan, tasks of the arrays a worker.

    What is given out stays as it is; what nobody has goes, the most urgent first, to the nearest who is idle, and
    when nobody is, to whoever is nearest after his last task. Work the plan leaves out is in neither.
    """
    served = {j for route in _indices(compiled, result.routes) for j in route}
    routes = [[j for j in route if j in served] for route in _indices(compiled, situation.running)]
    given = {j for route in routes for j in route}
    ways, extra, tasks = compiled.core.ways[0], compiled.core.extra, situation.problem.tasks
    tail = np.array([route[-1] if route else compiled.core.hand[w, HOME] for w, route in enumerate(routes)], np.int64)
    idle = np.array([not route for route in routes], bool)
    rest = [(tasks[compiled.tasks[j]], j) for j in served - given]
    for _, j in sorted(rest, key=lambda each: (each[0].priority, each[0].due_s, str(each[0].id))):
        reach = np.where(np.isfinite(extra[j]), ways[tail, j], np.inf)
        free = np.where(idle, reach, np.inf)
        w = int(np.argmin(free if np.isfinite(free).any() else reach))
        routes[w].append(j)
        tail[w], idle[w] = j, False
    return routes

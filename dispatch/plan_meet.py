"""Tasks for several workers are begun together: when that is, and the plan with those moments fixed (pure).

A moment is tried for each of them, the one at which all copies cost least; it is fixed as a window, and the search
goes on within such windows. What is planned then waits for the last of its copies alone, which may let others wait in
turn: the earliest moments at which all that holds. Work that is being done on site has begun; who joins it does not
wait. What cannot meet is left out whole.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from dispatch.plan_arrays import Compiled, horizon
from dispatch.plan_cost import price_route
from dispatch.plan_kernels import COST, EARLY, F8, LAST, PRIZE, ROOM, SIZE, STAYS, STOP, WHO, insert
from dispatch.plan_model import Id
from dispatch.plan_routes import named
from dispatch.standing import Standing

_CLOSE_S = 1e-6
TRIED = 12
"""Moments that are tried for a task for several workers."""
PLACED = 60
"""So many of them are placed anew between two parts of the search."""


def groups_of(compiled: Compiled) -> tuple[tuple[int, ...], ...]:
    """Return the tasks of the arrays that have to be begun together, group by group; without those begun on site."""
    begun = {
        compiled.fixed[w][place]
        for w, k in enumerate(compiled.workers)
        for place, each in enumerate(compiled.problem.workers[k].commitments)
        if each.left_s is not None
    }
    rows = (tuple(int(j) for j in row if j >= 0) for row in compiled.mates)
    return tuple(row for row in rows if not begun.intersection(row))


def met(
    compiled: Compiled, routes: Sequence[Sequence[int]], groups: Sequence[Sequence[int]]
) -> tuple[Compiled, list[list[int]]]:
    """Return the arrays with the moments at which groups are begun, and the routes without those that cannot meet."""
    kept = [list(route) for route in routes]
    stays = compiled.core.link[:, STAYS] > 0
    while True:
        here = {j: w for w, route in enumerate(kept) for j in route}
        loose = [each for each in groups if any(j in here and not stays[j] for j in each)]
        wrong: Sequence[int] | None = next((each for each in loose if not all(j in here for j in each)), None)
        if wrong is None:
            present = [tuple(j for j in each if j in here) for each in groups]
            task, wrong = _moments(compiled, kept, [each for each in present if each], loose)
        if wrong is None:
            arrays = dataclasses.replace(compiled, core=compiled.core._replace(task=task))
            # What was taken out may have been the short way between two others.
            loose_ends = (w for w, route in enumerate(kept) if not all(stays[j] for j in route))
            long = next((w for w in loose_ends if _broken(arrays, w, kept[w])), None)
            if long is None:
                return arrays, kept
            last = next(j for j in reversed(kept[long]) if not stays[j])
            wrong = next((each for each in groups if last in each), (last,))
        gone = {j for j in wrong if not stays[j]}
        kept = [[j for j in route if j not in gone] for route in kept]


def _moments(
    compiled: Compiled,
    routes: Sequence[Sequence[int]],
    groups: Sequence[tuple[int, ...]],
    loose: Sequence[Sequence[int]],
) -> tuple[F8, Sequence[int] | None]:
    """Return the table of tasks with the moments of meeting, and one of the ``loose`` groups when it cannot meet."""
    task, given = compiled.core.task.copy(), compiled.core.task
    trial = dataclasses.replace(compiled, core=compiled.core._replace(task=task))
    here = {j: w for w, route in enumerate(routes) for j in route}
    touched = {here[j] for each in groups for j in each}
    stale, begun = sorted(touched), dict[int, float]()
    for _ in range(2 * sum(len(each) for each in groups) + 2):
        for w in stale:
            visits = price_route(trial, w, routes[w]).visits
            begun |= {j: visit.start_s for j, visit in zip(routes[w], visits, strict=True)}
        again = set()
        for each in groups:
            task[list(each), EARLY] = max(begun[j] for j in each)
            again |= {here[j] for j in each if begun[j] < task[j, EARLY] - _CLOSE_S}
        stale = sorted(again)
        if not stale:
            break
    for some in loose:  # one that waits for another without end, or too long
        waits = any(here[j] in stale for j in some)
        if waits or task[some[0], EARLY] > min(given[j, LAST] for j in some) + _CLOSE_S:
            return task, some
        if any(_broken(trial, here[j], routes[here[j]]) for j in some):
            return task, some
    for each in groups:
        task[list(each), LAST] = np.minimum(task[list(each), LAST], task[each[0], EARLY])
    return task, None


def _broken(compiled: Compiled, w: int, route: Sequence[int]) -> bool:
    """Return whether a route breaks a limit."""
    core, price = compiled.core, price_route(compiled, w, route)
    late = any(visit.start_s > core.task[j, LAST] + _CLOSE_S for j, visit in zip(route, price.visits, strict=True))
    size = sum(core.task[j, SIZE] for j in route)
    return late or not price.end_s <= core.crew[w, STOP] + _CLOSE_S or size > core.crew[w, ROOM] + 1e-9


def as_planned(
    compiled: Compiled, routes: Mapping[Id, Sequence[Id]], groups: Sequence[Sequence[int]]
) -> tuple[Compiled, list[list[int]]]:
    """Return the same as `met` for a plan that goes by the names of workers and tasks."""
    problem, free = compiled.problem, dict[Id, list[int]]()
    rows = [list(each) for each in compiled.fixed]
    bound = {j for row in rows for j in row}
    for j in reversed(range(len(compiled.tasks))):
        if j not in bound:
            free.setdefault(problem.tasks[compiled.tasks[j]].id, []).append(j)
    for w, k in enumerate(compiled.workers):
        mine = {problem.tasks[compiled.tasks[j]].id for j in rows[w]}
        for name in dict.fromkeys(each for each in routes.get(problem.workers[k].id, ()) if each not in mine):
            if free.get(name) and compiled.core.extra[free[name][-1], w] < np.inf:
                rows[w].append(free[name].pop())
    return met(compiled, rows, groups)


def with_moments(compiled: Compiled, routes: Mapping[Id, Sequence[Id]]) -> Compiled:
    """Return the arrays with the moments at which the groups of a plan are begun, for who asks about the plan."""
    groups = groups_of(compiled)
    return as_planned(compiled, routes, groups)[0] if groups else compiled


def placed(
    compiled: Compiled, routes: Sequence[Sequence[int]], groups: Sequence[Sequence[int]], turn: int
) -> tuple[Compiled, list[list[int]]]:
    """Return arrays and routes in which groups begin when it costs least; absent ones first, then others in turn."""
    stays, task = compiled.core.link[:, STAYS] > 0, compiled.core.task.copy()
    standing = Standing(compiled, named(compiled, routes))
    core, loose = standing.core, [each for each in groups if not any(stays[j] for j in each)]
    absent = [each for each in loose if all(core.link[j, WHO] < 0 for j in each)]
    others = [each for each in loose if all(core.link[j, WHO] >= 0 for j in each)]
    at = turn * PLACED % max(len(others), 1)
    for each in (absent + others[at:] + others[:at])[:PLACED]:
        given = standing.compiled.problem.tasks[standing.compiled.tasks[each[0]]]
        before = {w: standing.route(w) for w in {int(core.link[j, WHO]) for j in each} if w >= 0}
        was = (float(core.task[each[0], EARLY]), float(core.task[each[0], LAST]))
        cost_s = sum(float(core.crew[w, COST]) for w in before)
        for j in each:
            standing.take_out(j)
        freed_s = cost_s - sum(float(core.crew[w, COST]) for w in before)
        limit_s = freed_s if before else float(core.task[list(each), PRIZE].sum())
        end_s = min(given.latest_s, max(given.due_s, given.earliest_s), horizon(compiled.problem.workers))
        moments = np.linspace(given.earliest_s, max(given.earliest_s, end_s - given.service_s), TRIED)
        best = min(((_at(standing, each, moment), moment) for moment in [*moments, was[0]]), default=(np.inf, 0.0))
        if best[0] < limit_s - _CLOSE_S:
            _at(standing, each, best[1], keep=True)
            was = (best[1], best[1])
        else:
            for w, route in before.items():
                standing.set_route(w, route)
        core.task[list(each), EARLY], core.task[list(each), LAST] = was
        task[list(each), EARLY], task[list(each), LAST] = was
    arrays = dataclasses.replace(compiled, core=compiled.core._replace(task=task))
    return arrays, [standing.route(w) for w in range(len(compiled.workers))]


def _at(standing: Standing, group: Sequence[int], moment: float, *, keep: bool = False) -> float:
    """Return what a group adds when it is begun at a moment; inf when it cannot be."""
    core, cost_s, inside = standing.core, 0.0, []
    core.task[list(group), EARLY] = core.task[list(group), LAST] = moment
    for j in group:
        more_s, w, p = standing.best(j)
        cost_s += more_s
        if w < 0:
            break
        insert(core, w, j, p)
        inside.append(j)
    if not keep:
        for j in inside:
            standing.take_out(j)
    return cost_s if len(inside) == len(group) else np.inf

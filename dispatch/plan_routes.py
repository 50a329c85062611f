"""Routes of a plan as the lists of the compiled core, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dispatch.plan_arrays import Compiled
from dispatch.plan_kernels import (
    ABSENT,
    AFTER,
    BACK,
    FIXED,
    GROUP,
    HEAD,
    LAST,
    LEAVE,
    ROOM,
    START,
    STAYS,
    STOP,
    TAIL,
    USED,
    WHO,
    Core,
    Lists,
    relink,
)
from dispatch.plan_model import Id


def new_routes(compiled: Compiled, seed: int, initial: Mapping[Id, Sequence[Id]] | None = None) -> tuple[Core, Lists]:
    """Return routes with what is being done now and, as far as it may be, what ``initial`` says."""
    base = compiled.core
    tasks, workers = len(base.task), len(base.hand)
    core = base._replace(task=base.task.copy(), link=base.link.copy(), crew=base.crew.copy(), hand=base.hand.copy())
    lists = Lists(
        near=compiled.near,
        begin=compiled.begin,
        fleet=compiled.fleet,
        mates=compiled.mates,
        absent=np.zeros(tasks, np.int32),
        random=np.array([np.random.SeedSequence(seed).generate_state(1, np.uint64)[0] | np.uint64(1)], np.uint64),
        totals=np.zeros(3),
        best_after=np.full(tasks, -1, np.int32),
        best_head=np.full(workers, -1, np.int32),
    )
    free: dict[Id, list[int]] = {}
    for j in reversed(range(tasks)):
        if not core.link[j, STAYS]:
            free.setdefault(compiled.problem.tasks[compiled.tasks[j]].id, []).append(j)
    for w in range(workers):
        wanted, who = list(compiled.fixed[w]), compiled.problem.workers[compiled.workers[w]]
        bound = {each.task for each in who.commitments}
        for task in dict.fromkeys(each for each in (initial or {}).get(who.id, ()) if each not in bound):
            if free.get(task) and core.extra[free[task][-1], w] < np.inf:
                wanted += [free[task].pop()]
        _begin_with(core, lists, w, wanted)
    absent = np.flatnonzero(core.link[:, WHO] < 0)
    lists.absent[: len(absent)] = absent
    lists.totals[ABSENT] = len(absent)
    return core, lists


def _begin_with(core: Core, lists: Lists, w: int, wanted: list[int]) -> None:
    """Give a worker these tasks without those that break a hard limit."""
    while True:
        relink(core, w, np.array(wanted, np.int32), 0, len(wanted))
        route = wanted[core.hand[w, FIXED] :]
        wrong = [j for j in route if core.task[j, START] > core.task[j, LAST] + 1e-6 or _twice(core, lists, w, j)]
        if not wrong and route and (_overruns(core, w) or core.crew[w, USED] > core.crew[w, ROOM] + 1e-9):
            wrong = route[-1:]
        if not wrong:
            return
        core.link[wrong[0], WHO] = -1
        wanted.remove(wrong[0])


def _twice(core: Core, lists: Lists, w: int, j: int) -> bool:
    """Return whether a worker has two parts of the same task."""
    mates = lists.mates[core.link[j, GROUP]] if core.link[j, GROUP] >= 0 else np.zeros(0, np.int32)
    return bool((core.link[mates[mates >= 0], WHO] == w).sum() > 1)


def _overruns(core: Core, w: int) -> bool:
    """Return whether a route ends too late, or runs over a way that is not there."""
    tail = core.hand[w, TAIL]
    end = core.task[tail, LEAVE]
    if core.hand[w, BACK] >= 0:
        end += core.ways[0, tail, core.hand[w, BACK]]
    return not end <= core.crew[w, STOP] + 1e-6 or not np.isfinite(end)


def best_routes(lists: Lists) -> list[list[int]]:
    """Return the best routes seen, tasks of the arrays a worker."""
    routes = []
    for head in lists.best_head:
        route, j = [], int(head)
        while j >= 0:
            route.append(j)
            j = int(lists.best_after[j])
        routes.append(route)
    return routes


def routes_now(core: Core) -> list[list[int]]:
    """Return the routes as they stand, tasks of the arrays a worker."""
    routes = []
    for head in core.hand[:, HEAD]:
        route, j = [], int(head)
        while j >= 0:
            route.append(j)
            j = int(core.link[j, AFTER])
        routes.append(route)
    return routes


def named(compiled: Compiled, routes: Sequence[Sequence[int]]) -> dict[Id, tuple[Id, ...]]:
    """Return routes of the arrays by the names of workers and tasks."""
    problem = compiled.problem
    return {
        problem.workers[k].id: tuple(problem.tasks[compiled.tasks[j]].id for j in routes[w])
        for w, k in enumerate(compiled.workers)
    }

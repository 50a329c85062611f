"""Why nobody is sent to a task: what binds, and what would free it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dispatch.plan_arrays import Compiled
from dispatch.plan_cost import price_route
from dispatch.plan_kernels import PRIZE, WHO
from dispatch.plan_model import Id, Reason, Task, Unserved
from dispatch.plan_words import TERM_WORDS, labelled, minutes, reason
from dispatch.standing import Standing

EXPLAINED = 200
"""So many tasks are looked into; of the others only what can be told without trying."""


def why_unserved(compiled: Compiled, routes: Mapping[Id, Sequence[Id]]) -> tuple[Unserved, ...]:
    """Return why each task of the problem that is in no route is not, those with wrong figures first.

    A task for several workers stands there as often as somebody is missing.
    """
    problem, found = compiled.problem, []
    for k, why in compiled.checked.tasks.items():
        way_out = (
            "way_pin" if why.kind.startswith("pin_") else "way_place" if why.kind == "off_network" else "way_figures"
        )
        found.append(Unserved(problem.tasks[k].id, why, reason(way_out)))
    if sum(len(route) for route in routes.values()) == len(compiled.tasks):
        return tuple(found)
    standing = Standing(compiled, routes)
    for number, j in enumerate(np.flatnonzero(standing.core.link[:, WHO] < 0).tolist()):
        task = problem.tasks[compiled.tasks[j]]
        found.append(Unserved(task.id, *_binding(standing, task, j, deep=number < EXPLAINED)))
    return tuple(found)


def _binding(standing: Standing, task: Task, j: int, *, deep: bool) -> tuple[Reason, Reason]:  # noqa: C901, PLR0911  (a return a kind)
    """Return what binds a task, and the way out."""
    compiled, core = standing.compiled, standing.core
    workers = {w: compiled.problem.workers[k] for w, k in enumerate(compiled.workers)}
    people = reason("way_people")
    if not workers:
        return reason("nobody"), people
    missing = {w: (task.skills | task.equipment) - (who.skills | who.equipment) for w, who in workers.items()}
    able = [w for w in workers if not missing[w]]
    if not able:
        fewest = min(missing.values(), key=lambda each: (len(each), sorted(each)))
        return reason("skill", missing=labelled(task.skills | task.equipment)), reason(
            "way_skill", missing=labelled(fewest)
        )
    free = [w for w in able if workers[w].id not in task.excluded and (not task.pinned or workers[w].id in task.pinned)]
    if not free:
        return reason("excluded"), reason("way_excluded")
    roomy = [w for w in free if workers[w].capacity >= task.size]
    if not roomy:
        most = max(workers[w].capacity for w in free)
        return reason("too_big", value=task.size, most=most), people
    if not deep:
        return reason("full", count=len(roomy)), people
    cost, w, p = standing.best(j)
    if w >= 0:
        prize = float(core.task[j, PRIZE])
        if task.workers > 1 and cost < prize:
            return reason("together", count=task.workers), people
        name = workers[w].id
        heaviest = _heaviest(standing, j, w, p)
        why = reason("price", worker=name, more=round(cost), prize=round(prize), heaviest=heaviest[0], zh=heaviest[1])
        return why, reason("way_prize", worker=name, more=round(cost))
    alone = {w: standing.overrun_s(j, w, alone=True) for w in roomy}
    near = {w: each for w, each in alone.items() if max(each) < float("inf")}
    if not near:
        return reason("no_way"), reason("way_place")
    if all(each != (0.0, 0.0) for each in near.values()):
        w = min(near, key=lambda w: sum(near[w]))
        over_s, late_s = near[w]
        kind, by_s = ("closes", late_s) if late_s > 0 else ("too_far", over_s)
        why = reason(kind, worker=workers[w].id, minutes=minutes(by_s))
        return why, people if late_s > 0 else reason("way_overtime", worker=workers[w].id, minutes=minutes(over_s))
    overruns = {w: standing.overrun_s(j, w) for w, each in near.items() if each == (0.0, 0.0)}
    why = reason("full", count=len(overruns))
    fits = [w for w, (over_s, late_s) in overruns.items() if late_s == 0 and 0 < over_s < float("inf")]
    if not fits:
        return why, people
    w = min(fits, key=lambda w: overruns[w][0])
    return why, reason("way_overtime", worker=workers[w].id, minutes=minutes(overruns[w][0]))


def _heaviest(standing: Standing, j: int, w: int, p: int) -> tuple[str, str]:
    """Return the largest part of what sending a worker would add, as half a sentence in both languages."""
    route = standing.route(w)
    after = list(route)
    after.insert(route.index(p) + 1 if p >= 0 else 0, j)
    was, would = (price_route(standing.compiled, w, each).terms for each in (route, after))
    term = max(would, key=lambda name: would[name] - was[name])
    en, zh = TERM_WORDS[term]
    by = round(would[term] - was[term])
    return f"; most of it is {en} ({by} s)", f"，其中{zh}占 {by} 秒"

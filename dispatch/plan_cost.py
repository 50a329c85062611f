"""What a plan costs, told by term: a plain walk along each route, apart from the compiled core that searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dispatch.plan_arrays import Compiled, change_cost, horizon, unserved_cost
from dispatch.plan_kernels import BACK, EARLY, HOME, SERVICE
from dispatch.plan_model import TERMS, Visit


@dataclass(frozen=True, slots=True)
class RoutePrice:
    """A route with its times and the terms of its cost in seconds (``unserved`` is never among them)."""

    visits: tuple[Visit, ...]
    terms: Mapping[str, float]
    travel_s: float
    end_s: float
    changed: int

    @property
    def cost_s(self) -> float:
        """Return the sum of the terms."""
        return sum(self.terms.values())


def price_route(compiled: Compiled, worker: int, tasks: Sequence[int]) -> RoutePrice:
    """Return times and cost of a route; ``worker`` and ``tasks`` are indices of the arrays."""
    core, problem = compiled.core, compiled.problem
    who, weights = problem.workers[compiled.workers[worker]], problem.weights
    stay = set(compiled.fixed[worker])
    terms = dict.fromkeys(TERMS, 0.0)
    at, clock, rests, travel, load, changed = int(core.hand[worker, HOME]), who.start_s, list(who.breaks), 0.0, 0.0, 0
    rests.sort(key=lambda rest: rest.earliest_s)
    visits = []
    for j in tasks:
        task = problem.tasks[compiled.tasks[j]]
        leg, service, earliest = float(core.ways[0, at, j]), float(core.task[j, SERVICE]), float(core.task[j, EARLY])
        while rests and max(clock + leg, earliest) + service > rests[0].latest_s:
            clock = max(clock, rests[0].earliest_s) + rests[0].length_s
            rests.pop(0)
        clock = max(clock + leg, earliest)
        travel, load, late = travel + leg, load + leg + service, max(0.0, clock - task.due_s)
        terms["response"] += weights.response[task.priority] * clock
        past, second_s = clock - task.aimed_s(weights), weights.lateness[task.priority]
        overdue_s = second_s * (late + weights.late_step_s) if late > 0 else 0.0
        terms["lateness"] += overdue_s
        terms["margin"] += second_s * (past + weights.late_step_s) - overdue_s if past > 0 else 0.0
        if j not in stay:
            if task.grid is not None and task.grid not in who.grids and task.grid in compiled.owned:
                terms["owner"] += weights.owner_s if task.owner_s is None else task.owner_s
            if task.had_by() in compiled.present and task.had_by() != who.id:
                terms["change"] += change_cost(task, weights)
                changed += 1
        visits.append(Visit(task.id, who.id, leg, clock, clock + service, late))
        clock += service
        at = j
    if tasks and core.hand[worker, BACK] >= 0:
        leg = float(core.ways[0, at, core.hand[worker, BACK]])
        clock, travel, load = clock + leg, travel + leg, load + leg
    terms["travel"] = weights.travel * travel
    if tasks:
        terms["overtime"] = weights.overtime * max(0.0, clock - who.end_s)
        terms["fairness"] = weights.fairness * load**2 / (2 * max(1.0, who.end_s - who.start_s))
    return RoutePrice(tuple(visits), terms, travel, clock, changed)


def price_left_out(compiled: Compiled, tasks: Sequence[int]) -> float:
    """Return the cost of leaving tasks of the arrays out."""
    end = horizon([compiled.problem.workers[k] for k in compiled.workers])
    each = (compiled.problem.tasks[compiled.tasks[j]] for j in tasks)
    return sum(unserved_cost(task, compiled.problem.weights, end) for task in each)

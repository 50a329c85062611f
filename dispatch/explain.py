"""Why this worker: the one chosen and the best others in the same cost terms, and what speaks against each.

Every figure is the difference a task makes to the cost of a route, priced by the plain walk; the terms of a
choice add up to its cost. A rejected worker gets the one reason that weighs most.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import NotFound
from dispatch.plan_arrays import Compiled, compile_problem
from dispatch.plan_cost import RoutePrice, price_route
from dispatch.plan_kernels import ROOM, STAYS, USED, WHO
from dispatch.plan_meet import with_moments
from dispatch.plan_model import TERMS, Id, Problem, Reason, Task, Visit, Worker
from dispatch.plan_words import lacks, listed, minutes, reason
from dispatch.standing import Standing

NAMED = 3
"""So many others are told of."""
_SAME_S = 0.5


@dataclass(frozen=True, slots=True)
class Choice:
    """One worker for a task, at the best place in the route.

    Attributes
    ----------
    cost_s, terms
        What the task adds to the plan with this worker; the terms add up to the cost.
    follows
        The task it comes after; None when it is the first.
    start_s, late_s
        When it would be begun, and how late that is.
    against
        Compared with the one chosen, what weighs most against; None for the chosen one.
    """

    worker: Id
    cost_s: float
    terms: Mapping[str, float]
    follows: Id | None
    start_s: float
    late_s: float
    against: Reason | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Who is sent to a task and why nobody else.

    Attributes
    ----------
    chosen
        As the plan has it; None when nobody is sent.
    others
        The best others, the cheapest first.
    rejected
        Who may not or cannot, each with the reason.
    """

    task: Id
    chosen: Choice | None
    others: tuple[Choice, ...]
    rejected: Mapping[Id, Reason]


def explain(
    problem: Problem, routes: Mapping[Id, Sequence[Id]], task: Id, named: int = NAMED, compiled: Compiled | None = None
) -> Explanation:
    """Return why the plan sends whom it sends to a task.

    Parameters
    ----------
    compiled
        The problem's arrays, where several tasks are asked about.

    Raises
    ------
    NotFound
        When the task is not in the plan or its figures cannot be used.
    """
    compiled = with_moments(compiled or compile_problem(problem), routes)
    standing = Standing(compiled, routes)
    j = _index(standing, task)
    who = problem.tasks[compiled.tasks[j]]
    before = {w: standing.route(w) for w in range(len(compiled.workers))}
    stays = bool(standing.core.link[j, STAYS])
    chosen_w = -1 if stays else standing.take_out(j)
    if stays:
        chosen_w = next(w for w, route in before.items() if j in route)
    rejected: dict[Id, Reason] = {}
    offers: list[tuple[Choice, int]] = []
    chosen: Choice | None = None
    for w, k in enumerate(compiled.workers):
        worker = problem.workers[int(k)]
        without = [each for each in before[w] if each != j]
        if w == chosen_w:
            chosen = _choice(compiled, w, without, before[w], j)
        elif stays:
            rejected[worker.id] = reason("committed_other", worker=problem.workers[int(compiled.workers[chosen_w])].id)
        else:
            found = standing.with_worker(j, w)
            if found is None:
                rejected[worker.id] = _why_not(standing, who, worker, j, w)
            else:
                place = without.index(found[1]) + 1 if found[1] >= 0 else 0
                offers.append((_choice(compiled, w, without, [*without[:place], j, *without[place:]], j), w))
    offers.sort(key=lambda each: (each[0].cost_s, str(each[0].worker)))
    others = [_against(compiled, who, choice, chosen, (j, w, before[w])) for choice, w in offers[:named]]
    return Explanation(task, chosen, tuple(others), rejected)


def _index(standing: Standing, task: Id) -> int:
    """Return the task of the arrays; of a task for several, the first that has a worker."""
    compiled = standing.compiled
    found = [j for j, k in enumerate(compiled.tasks) if compiled.problem.tasks[int(k)].id == task]
    if not found:
        raise NotFound(f"The task {task} is not in this plan.", hint="Its figures may be wrong; see what is unserved.")
    return min(found, key=lambda j: (standing.core.link[j, WHO] < 0, j))


def _choice(compiled: Compiled, w: int, without: Sequence[int], having: Sequence[int], j: int) -> Choice:
    """Return what a task adds to a route, by term."""
    was, would = price_route(compiled, w, without), price_route(compiled, w, having)
    terms = {name: would.terms[name] - was.terms[name] for name in TERMS}
    place = list(having).index(j)
    visit = would.visits[place]
    follows = would.visits[place - 1].task if place else None
    worker = compiled.problem.workers[int(compiled.workers[w])].id
    return Choice(worker, would.cost_s - was.cost_s, terms, follows, visit.start_s, visit.late_s)


def _why_not(  # noqa: PLR0911  (a return a limit)
    standing: Standing, task: Task, worker: Worker, j: int, w: int
) -> Reason:
    """Return the limit that keeps a worker from a task."""
    core = standing.core
    missing = lacks(task, worker)
    if missing is not None:
        return missing
    if worker.id in task.excluded:
        return reason("barred")
    if task.pinned and worker.id not in task.pinned:
        return reason("pinned", workers=listed(task.pinned))
    left = float(core.crew[w, ROOM] - core.crew[w, USED])
    if left + 1e-9 < task.size:
        return reason("no_room", left=left, value=task.size)
    if any(
        standing.compiled.problem.tasks[int(standing.compiled.tasks[each])].id == task.id for each in standing.route(w)
    ):
        return reason("companion")
    over_s, late_s = standing.overrun_s(j, w)
    if not math.isfinite(over_s):
        return reason("unreachable")
    if over_s > 0:
        return reason("no_time", minutes=minutes(over_s))
    kind = "meets" if task.workers > 1 else "closed"
    return reason(kind, minutes=minutes(late_s)) if late_s > 0 else reason("no_time_here")


def _against(
    compiled: Compiled, task: Task, choice: Choice, chosen: Choice | None, where: tuple[int, int, Sequence[int]]
) -> Choice:
    """Return a choice with what weighs most against it, compared with the chosen one."""
    if chosen is None or not math.isfinite(chosen.cost_s):  # without it, no way would lead on to the next task
        return choice
    more = {name: choice.terms[name] - chosen.terms[name] for name in TERMS}
    term = max(more, key=lambda name: more[name])
    if more[term] <= _SAME_S:
        return dataclasses.replace(choice, against=reason("same"))
    if term == "margin" and more["lateness"] > 0:  # what is late has used up its margin too
        term = "lateness"
    weights = compiled.problem.weights
    told = {
        "travel": lambda: reason("farther", minutes=minutes(more["travel"] / max(weights.travel, 1e-9))),
        "response": lambda: reason("later", minutes=minutes(max(0.0, choice.start_s - chosen.start_s))),
        "lateness": lambda: _late(compiled, choice, *where),
        "margin": lambda: _tight(compiled, choice, *where),
        "overtime": lambda: reason("overtime", minutes=minutes(choice.terms["overtime"] / max(weights.overtime, 1e-9))),
        "change": lambda: reason("accepted", worker=str(task.had_by()), minutes=minutes(more["change"])),
        "owner": lambda: reason("not_owner", minutes=minutes(more["owner"])),
        "fairness": lambda: reason("busier", minutes=minutes(more["fairness"])),
    }[term]()
    return dataclasses.replace(choice, against=told)


def _late(compiled: Compiled, choice: Choice, j: int, w: int, before: Sequence[int]) -> Reason:
    """Return the reason of a choice that makes something late: this task, or one behind it."""
    later = _later(compiled, choice, before, j, w)
    if later is None or later[0] == compiled.problem.tasks[int(compiled.tasks[j])].id:
        return reason("late_here", minutes=minutes(choice.late_s))
    return reason("late_there", task=later[0], minutes=minutes(later[1]))


def _tight(compiled: Compiled, choice: Choice, j: int, w: int, before: Sequence[int]) -> Reason:
    """Return the reason of a choice that leaves less time before a deadline than is aimed at, here or behind it."""
    problem = compiled.problem
    route = [problem.tasks[int(compiled.tasks[each])] for each in [*before, j]]
    tasks = {task.id: task for task in route}
    was, would = _both(compiled, choice, before, j, w)
    past_s: dict[Id, float] = {
        visit.task: max(0.0, visit.start_s - tasks[visit.task].aimed_s(problem.weights)) for visit in was.visits
    }
    more_s = {
        visit: visit.start_s - tasks[visit.task].aimed_s(problem.weights) - past_s.get(visit.task, 0.0)
        for visit in would.visits
        if visit.late_s <= 0 and visit.start_s > tasks[visit.task].aimed_s(problem.weights)
    }
    if not more_s:
        return _late(compiled, choice, j, w, before)
    worst = max(more_s, key=lambda visit: more_s[visit])
    left = minutes(tasks[worst.task].due_s - worst.start_s)
    if worst.task == route[-1].id:
        return reason("tight_here", minutes=left)
    return reason("tight_there", task=worst.task, minutes=left)


def _later(compiled: Compiled, choice: Choice, before: Sequence[int], j: int, w: int) -> tuple[Id, float] | None:
    """Return the task that the choice makes late most, and how late it then is."""
    was, would = _both(compiled, choice, before, j, w)
    late_s: dict[Id, float] = {visit.task: visit.late_s for visit in was.visits}
    worst: Visit | None = max(would.visits, key=lambda visit: visit.late_s - late_s.get(visit.task, 0.0), default=None)
    return None if worst is None or worst.late_s <= 0 else (worst.task, worst.late_s)


def _both(compiled: Compiled, choice: Choice, before: Sequence[int], j: int, w: int) -> tuple[RoutePrice, RoutePrice]:
    """Return the route without the task, and with it where the choice puts it."""
    without = [each for each in before if each != j]
    was, place = price_route(compiled, w, without), 0
    if choice.follows is not None:
        place = [visit.task for visit in was.visits].index(choice.follows) + 1
    return was, price_route(compiled, w, [*without[:place], j, *without[place:]])

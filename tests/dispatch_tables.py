"""Small dispatch problems for tests: one a number, and the best answer by trying all."""

from __future__ import annotations

import dataclasses
import itertools
import math
import random
from collections.abc import Mapping, Sequence

import numpy as np

from dispatch.plan_arrays import horizon, unserved_cost
from dispatch.plan_model import Break, Commitment, Id, Problem, Task, Weights, Worker

SKILLS = ("a", "b", "c")
GRIDS = ("north", "south")
WEIGHTS = (
    Weights(),
    Weights(response=(2.0, 1.0, 0.5), fairness=1.5, margin_s=(180.0, 600.0, 1200.0)),
    Weights(late_step_s=0.0, lateness=(5.0, 2.0, 1.0), unserved_s=(3000.0, 2000.0, 1000.0)),
)
INF = math.inf


def problem_of(number: int, most_tasks: int = 5, *, several: bool = False) -> Problem:
    """The problem of a number: up to three workers, ways that need not keep the triangle inequality."""
    lot = random.Random(number)

    def some(names: Sequence[str], most: int) -> frozenset[str]:
        return frozenset(lot.sample(names, lot.randint(0, most)))

    work = [
        Task(
            f"t{k}",
            lot.randint(0, 30) * 60.0,
            lot.randint(0, 2),
            lot.choice([0.0, 0.0, 1800.0]),
            lot.choice([INF, 900.0, 3600.0, 7200.0]),
            lot.choice([INF, INF, INF, 5400.0]),
            some(SKILLS, 1),
            size=float(lot.randint(0, 3)),
            prize_s=lot.choice([None, None, 1500.0]),
            grid=lot.choice([None, *GRIDS]),
            workers=lot.choice([1, 1, 1, 2]) if several else 1,
            accepted_by=lot.choice([None, "w0", "w1"]),
            sent_to=lot.choice([None, "w0", "w1"]),
            aim_s=lot.choice([None, None, 1200.0]),
            excluded=some(["w0", "w1", "w2"], 1),
            pinned=frozenset(lot.choice([(), (), (), ("w0",), ("w1", "w2")])),
        )
        for k in range(lot.randint(1, most_tasks))
    ]
    people = [
        Worker(
            f"w{k}",
            lot.choice([0.0, 600.0]),
            lot.choice([5400.0, 10800.0]),
            lot.choice([0.0, 900.0]),
            lot.choice([(), (), (Break(1800.0, 3600.0, 1200.0),)]),
            some(SKILLS, 2) | {lot.choice(SKILLS)},
            capacity=lot.choice([INF, 5.0]),
            grids=some(GRIDS, 1),
        )
        for k in range(lot.randint(1, 3))
    ]
    if lot.random() < 0.5:
        bound = Commitment(lot.choice(work).id, lot.choice([None, 300.0]))
        people[0] = dataclasses.replace(people[0], commitments=(bound,))
    places = len(people) + len(work)
    ways = np.random.default_rng(number).integers(30, 1500, (places, places)).astype(np.float32)
    if lot.random() < 0.3:
        ways[lot.randrange(places), lot.randrange(places)] = np.inf
    np.fill_diagonal(ways, 0)
    return Problem(work, people, ways, lot.choice(WEIGHTS))


def plain_cost(problem: Problem, routes: Mapping[Id, Sequence[Id]]) -> float | None:
    """The cost of routes, computed from the words of the cost table alone; None when a limit is broken.

    Who has to begin together waits for the last one, unless somebody is on site already.
    """
    on_site = {each.task for worker in problem.workers for each in worker.commitments if each.left_s is not None}
    several = {task.id for task in problem.tasks if task.workers > 1} - on_site
    moments: dict[Id, float] = {}
    for _ in range(40):
        walked = one_walk(problem, routes, moments)
        if walked is None:
            return None
        cost, starts = walked
        latest = {name: max(each) for name, each in starts.items() if name in several and each}
        if all(latest[name] <= moments.get(name, 0.0) + 1e-6 for name in latest):
            return cost
        moments = latest
    return None


def one_walk(  # noqa: C901, PLR0912  (one plain walk)
    problem: Problem, routes: Mapping[Id, Sequence[Id]], moments: Mapping[Id, float]
) -> tuple[float, dict[Id, list[float]]] | None:
    """The cost of routes in which nobody begins a task before its moment, and when each is begun."""
    weights, cost = problem.weights, 0.0
    number = {task.id: k for k, task in enumerate(problem.tasks)}
    ways, first = problem.travel_s.astype(float), len(problem.workers)
    doers: dict[Id, list[float]] = {task.id: [] for task in problem.tasks}
    alone = {each.task for worker in problem.workers for each in worker.commitments}
    owned = {grid for worker in problem.workers for grid in worker.grids}
    ids = {worker.id for worker in problem.workers}
    for w, worker in enumerate(problem.workers):
        route = list(routes.get(worker.id, ()))
        bound = [each.task for each in worker.commitments]
        if route[: len(bound)] != bound or len(set(route)) < len(route):
            return None
        clock, at, load, size, rests = worker.start_s, w, 0.0, 0.0, list(worker.breaks)
        committed_until = worker.end_s + worker.overtime_s
        for place, name in enumerate(route):
            task, stays = problem.tasks[number[name]], place < len(bound)
            left = worker.commitments[place].left_s if stays else None
            if place == 0 and left is not None:
                at = first + number[name]
            service = task.service_s if left is None else left
            early = max(0.0 if stays else task.earliest_s, moments.get(name, 0.0))
            leg = ways[at, first + number[name]]
            if not np.isfinite(leg):
                return None
            while rests and max(clock + leg, early) + service > rests[0].latest_s:
                clock = max(clock, rests[0].earliest_s) + rests.pop(0).length_s
            clock = max(clock + leg, early)
            late = clock - task.due_s
            allowed = (not task.pinned or worker.id in task.pinned) and worker.id not in task.excluded
            if not stays and (not allowed or not task.skills <= worker.skills or clock > task.latest_s + 1e-6):
                return None
            cost += weights.travel * leg + weights.response[task.priority] * clock
            margin = weights.margin_s[task.priority]
            past = late + margin if task.aim_s is None or task.due_s == INF else max(late, clock - task.aim_s)
            if past > 0:
                cost += weights.lateness[task.priority] * (past + weights.late_step_s)
            if not stays and task.grid in owned and task.grid not in worker.grids:
                cost += weights.owner_s
            had, price = task.accepted_by, weights.change_s
            if had is None:
                had, price = task.sent_to, weights.sent_s
            if not stays and had in ids and had != worker.id:
                cost += price
            clock += service
            load, size, at = load + leg + service, size + task.size, first + number[name]
            doers[name].append(clock - service)
            if stays:
                committed_until = max(committed_until, ways_without_breaks(problem, w, place + 1))
        if len(route) > len(bound) and (clock > committed_until + 1e-6 or size > worker.capacity):
            return None
        if route:
            cost += weights.overtime * max(0.0, clock - worker.end_s)
            cost += weights.fairness * load**2 / (2 * max(1.0, worker.end_s - worker.start_s))
    for task in problem.tasks:
        if len(doers[task.id]) > task.workers or (task.id not in alone and 0 < len(doers[task.id]) < task.workers):
            return None
        missing = task.workers - len(doers[task.id])
        cost += missing * unserved_cost(task, weights, horizon(problem.workers))
    return cost, doers


def ways_without_breaks(problem: Problem, w: int, count: int) -> float:
    """When a worker is done with the first ``count`` commitments."""
    worker, number = problem.workers[w], {task.id: k for k, task in enumerate(problem.tasks)}
    clock, at = worker.start_s, w
    for place, each in enumerate(worker.commitments[:count]):
        there = len(problem.workers) + number[each.task]
        if place > 0 or each.left_s is None:
            clock += float(problem.travel_s[at, there])
        clock += problem.tasks[number[each.task]].service_s if each.left_s is None else each.left_s
        at = there
    return clock


def best_by_trying(problem: Problem) -> float:
    """The least cost over all ways to share and order the tasks."""
    workers, best = [worker.id for worker in problem.workers], np.inf
    bound = {each.task for worker in problem.workers for each in worker.commitments}
    choices = [
        [who for n in range(task.workers + 1) for who in itertools.combinations(workers, n)]
        if task.id in bound
        else [(), *itertools.combinations(workers, task.workers)]
        for task in problem.tasks
    ]
    names = [task.id for task in problem.tasks]
    for shares in itertools.product(*choices):
        groups = [[name for name, who in zip(names, shares, strict=True) if worker in who] for worker in workers]
        for orders in itertools.product(*(itertools.permutations(group) for group in groups)):
            cost = plain_cost(problem, dict(zip(workers, orders, strict=True)))
            if cost is not None:
                best = min(best, cost)
    return float(best)

"""A problem as arrays for the compiled core."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dispatch.plan_checks import Checked, check
from dispatch.plan_kernels import (
    B1,
    BACK,
    COST,
    DUE,
    EARLY,
    END,
    F4,
    F8,
    FEW,
    FIXED,
    FREE,
    GROUP,
    HOME,
    I4,
    KIND,
    LAST,
    LAST_FIXED,
    LATE,
    PRIZE,
    RESPONSE,
    ROOM,
    SERVICE,
    SIZE,
    SPAN,
    STAYS,
    STOP,
    Core,
)
from dispatch.plan_model import Commitment, Id, Problem, Task, Weights, Worker

NEAR = 100
"""Tasks close to a task that are kept in its list."""
BEGINNINGS = 12
"""Workers whose route could begin with a task that are tried; when fewer may do it at all, their whole routes are."""
_BLOCK = 512
_WAIT, _WARP = 0.2, 1.0
"""How far away waiting and being late make a task seem (W. Kool et al., PyVRP, 2022)."""
_DAY_S = 8 * 3600.0
_FAR = np.float32(1e9)


@dataclass(frozen=True, eq=False)
class Compiled:
    """A problem ready for the core: tasks and workers that cannot be planned are gone, tasks for several are several.

    Attributes
    ----------
    tasks, workers
        Index in the problem of each task and worker of the arrays.
    fixed
        Of each worker, the tasks of the arrays that stay at the beginning of its route.
    rows
        Row of the problem's matrix of each place of the arrays.
    """

    problem: Problem
    checked: Checked
    core: Core
    near: I4
    begin: I4
    fleet: I4
    mates: I4
    tasks: NDArray[np.int64]
    workers: NDArray[np.int64]
    fixed: tuple[tuple[int, ...], ...]
    rows: NDArray[np.int64]

    @cached_property
    def present(self) -> Mapping[Id, int]:
        """Worker to its index in the arrays."""
        return {self.problem.workers[k].id: w for w, k in enumerate(self.workers)}

    @cached_property
    def owned(self) -> frozenset[str]:
        """Codes of the grids that somebody in the plan has."""
        return frozenset().union(*(self.problem.workers[k].grids for k in self.workers))


def unserved_cost(task: Task, weights: Weights, horizon_s: float) -> float:
    """Return the cost of leaving a task out: its own figure, else that of the table and the lateness until the end."""
    if task.prize_s is not None:
        return task.prize_s
    cost, late_s = weights.unserved_s[task.priority], max(0.0, horizon_s - task.aimed_s(weights))
    return cost + (weights.lateness[task.priority] * (late_s + weights.late_step_s) if late_s > 0 else 0.0)


def change_cost(task: Task, weights: Weights) -> float:
    """Return the cost of giving a task to another than who has it."""
    return weights.sent_s if task.accepted_by is None else weights.change_s


def horizon(workers: Sequence[Worker]) -> float:
    """Return when the last shift ends; eight hours when none has an end."""
    return max((each.end_s + each.overtime_s for each in workers if math.isfinite(each.end_s)), default=_DAY_S)


def compile_problem(problem: Problem) -> Compiled:
    """Return the arrays of a problem."""
    checked = check(problem)
    workers = np.array([k for k in range(len(problem.workers)) if k not in checked.workers], np.int64)
    kept = [k for k in range(len(problem.tasks)) if k not in checked.tasks]
    copies = [(k, n) for k in kept for n in range(problem.tasks[k].workers)]
    tasks = np.array([k for k, _ in copies], np.int64)
    people, work = [problem.workers[k] for k in workers], [problem.tasks[k] for k in tasks]
    fixed, left_s, on_site = _commitments(people, work)
    worker_row, task_row, end_row = problem.rows()
    home = worker_row[workers].copy()
    for w, j in on_site.items():
        home[w] = task_row[tasks[j]]
    ways, place, back, rows = _matrix(problem.travel_s, home, end_row[workers], task_row[tasks])
    extra = extra_costs(people, work, problem.weights)
    weights = problem.weights
    task = task_columns(work, weights, people)
    link = np.full((len(work), 6), -1, np.int32)
    link[:, STAYS] = link[:, FEW] = 0
    crew, hand = np.zeros((len(people), 8)), np.full((len(people), 8), -1, np.int32)
    for column, values in {
        FREE: [each.start_s for each in people],
        END: [each.end_s for each in people],
        STOP: [each.end_s + each.overtime_s for each in people],
        ROOM: [each.capacity for each in people],
        SPAN: [max(1.0, each.end_s - each.start_s) for each in people],
    }.items():
        crew[:, column] = values
    hand[:, HOME], hand[:, BACK] = place, back
    for w, stay in enumerate(fixed):
        hand[w, FIXED] = len(stay)
        for j in stay:
            link[j, STAYS] = 1
            hand[w, LAST_FIXED] = j
            extra[j, :] = np.inf
            extra[j, w], task[j, LAST], task[j, EARLY] = 0.0, np.inf, 0.0
            task[j, SERVICE] = left_s.get(j, task[j, SERVICE])
    link[:, GROUP], mates = _groups(copies)
    core = Core(
        ways,
        extra,
        task,
        link,
        crew,
        hand,
        _rests(people),
        np.array([weights.travel, weights.overtime, weights.fairness, weights.late_step_s]),
    )
    _committed_until(core, fixed)
    count = len(work)
    near = near_tasks(
        ways[0, :count, :count], task[:, EARLY], np.minimum(task[:, DUE], task[:, LAST]), task[:, SERVICE]
    )
    return Compiled(problem, checked, core, near, *_beginnings(core), mates, tasks, workers, fixed, rows)


def _matrix(
    travel_s: F4, home: NDArray[np.int64], end: NDArray[np.int64], task: NDArray[np.int64]
) -> tuple[F4, I4, I4, NDArray[np.int64]]:
    """Return the ways with places of tasks first, the rows of homes and ends in them, and their old rows."""
    first = np.unique(np.concatenate([home, end[end >= 0]]))
    rows = np.concatenate([task, first])
    ways = np.empty((2, len(rows), len(rows)), np.float32)
    ways[0] = travel_s[np.ix_(rows, rows)]
    np.fill_diagonal(ways[0], 0.0)
    ways[1] = ways[0].T
    place = np.searchsorted(first, home) + len(task)
    back = np.where(end >= 0, np.searchsorted(first, end) + len(task), -1)
    return ways, place.astype(np.int32), back.astype(np.int32), rows


def task_columns(work: Sequence[Task], weights: Weights, people: Sequence[Worker]) -> F8:
    """Return the table of tasks with what is given of them."""
    end_of_all = horizon(people)
    task = np.zeros((len(work), 16))
    for column, values in {
        EARLY: [each.earliest_s for each in work],
        DUE: [each.aimed_s(weights) for each in work],
        LAST: [each.latest_s for each in work],
        SERVICE: [each.service_s for each in work],
        SIZE: [each.size for each in work],
        RESPONSE: [weights.response[each.priority] for each in work],
        LATE: [weights.lateness[each.priority] for each in work],
        PRIZE: [unserved_cost(each, weights, end_of_all) for each in work],
    }.items():
        task[:, column] = values
    return task


def extra_costs(workers: Sequence[Worker], tasks: Sequence[Task], weights: Weights) -> F4:
    """Return what each worker costs beside the way, shape (tasks, workers); inf for who may not."""
    extra = np.zeros((len(tasks), len(workers)), np.float32)
    everybody = frozenset(range(len(workers)))
    number = {each.id: w for w, each in enumerate(workers)}
    able: dict[tuple[frozenset[str], frozenset[str]], B1] = {}
    owners: dict[str, B1] = {}
    for j, task in enumerate(tasks):
        needs = (task.skills, task.equipment)
        if needs not in able:
            able[needs] = np.array([needs[0] <= each.skills and needs[1] <= each.equipment for each in workers], bool)
        ok = able[needs]
        if task.pinned or task.excluded:
            allowed = {number[each] for each in task.pinned if each in number} if task.pinned else everybody
            allowed -= {number[each] for each in task.excluded if each in number}
            ok = ok & np.isin(np.arange(len(workers)), list(allowed))
        if task.grid is not None:
            if task.grid not in owners:
                owners[task.grid] = np.array([task.grid in each.grids for each in workers], bool)
            own = owners[task.grid]
            if own.any():
                extra[j, ~own] += weights.owner_s if task.owner_s is None else task.owner_s
        if task.had_by() in number:
            others = np.arange(len(workers)) != number[task.had_by()]  # type: ignore[index]
            extra[j, others] += change_cost(task, weights)
        extra[j, ~ok] = np.inf
    return extra


def _rests(workers: Sequence[Worker]) -> F8:
    rests = np.zeros((len(workers), max([1, *(len(each.breaks) for each in workers)]), 3))
    for w, worker in enumerate(workers):
        for b, rest in enumerate(sorted(worker.breaks, key=lambda rest: rest.earliest_s)):
            rests[w, b] = rest.earliest_s, rest.latest_s, rest.length_s
    return rests


def _groups(copies: Sequence[tuple[int, int]]) -> tuple[I4, I4]:
    """Return the group of each copy of a task for several workers, and the members of each group."""
    members: dict[int, list[int]] = {}
    for j, (task, _) in enumerate(copies):
        members.setdefault(task, []).append(j)
    several = [each for each in members.values() if len(each) > 1]
    group = np.full(len(copies), -1, np.int32)
    mates = np.full((len(several), max([1, *(len(each) for each in several)])), -1, np.int32)
    for number, each in enumerate(several):
        group[each] = number
        mates[number, : len(each)] = each
    return group, mates


def _commitments(
    workers: Sequence[Worker], tasks: Sequence[Task]
) -> tuple[tuple[tuple[int, ...], ...], dict[int, float], dict[int, int]]:
    """Return the tasks each worker is bound to, how long those on site still take, and who is on site at which."""
    free: dict[Id, list[int]] = {}
    for j, task in reversed(list(enumerate(tasks))):
        free.setdefault(task.id, []).append(j)
    fixed, left_s, on_site = [], {}, {}
    for w, worker in enumerate(workers):
        stay: list[int] = []
        each: Commitment
        for each in worker.commitments:
            j = free[each.task].pop()
            if each.left_s is not None:
                left_s[j] = each.left_s
                if not stay:
                    on_site[w] = j
            stay.append(j)
        fixed.append(tuple(stay))
    return tuple(fixed), left_s, on_site


def near_tasks(to_s: F4, early_s: F8, due_s: F8, service_s: F8, most: int = NEAR) -> I4:
    """Return for each task those that follow or precede it well, the best first, shape (tasks, at most ``most``)."""
    count = len(early_s)
    most = min(most, max(0, count - 1))
    near = np.empty((count, most), np.int32)
    if not most:
        return near
    early, due, service = (each.astype(np.float32) for each in (early_s, due_s, service_s))
    from_s = np.ascontiguousarray(to_s.T)
    for first in range(0, count, _BLOCK):
        rows = slice(first, first + _BLOCK)
        ahead = _apart(to_s[rows], (early[rows, None], due[rows, None], service[rows, None]), (early, due))
        behind = _apart(from_s[rows], (early, due, service), (early[rows, None], due[rows, None]))
        apart = np.minimum(ahead, behind)
        apart[np.arange(len(apart)), np.arange(first, first + len(apart))] = np.inf
        best = np.argpartition(apart, most - 1, axis=1)[:, :most] if most < count - 1 else None
        if best is None:
            near[rows] = np.argsort(apart, axis=1, kind="stable")[:, :most]
        else:
            order = np.argsort(np.take_along_axis(apart, best, axis=1), axis=1, kind="stable")
            near[rows] = np.take_along_axis(best, order, axis=1)
    return near


def _apart(way: F4, first: tuple[F4, F4, F4], then: tuple[F4, F4]) -> F4:
    """Return how far one task seems from the next: the way, waiting there at least, lateness at least."""
    (early, due, service), (then_early, then_due) = first, then
    way = np.minimum(way, _FAR)
    done, due, then_due = service + way, np.minimum(due, _FAR), np.minimum(then_due, _FAR)
    wait = np.maximum(np.float32(0), then_early - done - due)
    warp = np.maximum(np.float32(0), early + done - then_due)
    return np.asarray(way + np.float32(_WAIT) * wait + np.float32(_WARP) * warp, np.float32)


def _beginnings(core: Core) -> tuple[I4, I4]:
    """Return the workers each task could begin with, and those that are like another; number what is alike."""
    kinds: dict[bytes, int] = {}
    columns = np.ascontiguousarray(core.extra.T)
    hand, crew = core.hand, core.crew
    for w in range(len(hand)):
        key = (
            hand[w, [HOME, BACK]].tobytes() + crew[w, :COST].tobytes() + core.rests[w].tobytes() + columns[w].tobytes()
        )
        hand[w, KIND] = kinds.setdefault(key, len(kinds))
    alone = np.bincount(hand[:, KIND], minlength=len(kinds))[hand[:, KIND]] == 1
    reach = core.ways[1, : len(core.task)][:, hand[:, HOME]] + core.extra
    allowed = np.isfinite(core.extra).sum(axis=1)
    order = np.argsort(np.where(alone, reach, np.inf), axis=1, kind="stable")[:, :BEGINNINGS]
    begin = np.full((len(core.task), BEGINNINGS), -1, np.int32)
    begin[:, : order.shape[1]] = np.where(np.take_along_axis(reach, order, axis=1) < np.inf, order, -1)
    begin[:, : order.shape[1]][~alone[order]] = -1
    for j in np.flatnonzero((allowed > 0) & (allowed <= BEGINNINGS)):
        core.link[j, FEW] = allowed[j]
        begin[j] = -1
        begin[j, : allowed[j]] = np.flatnonzero(np.isfinite(core.extra[j]))
    fleet = np.flatnonzero(~alone)
    fleet = fleet[np.argsort(hand[fleet, KIND], kind="stable")]
    return begin, fleet.astype(np.int32)


def _committed_until(core: Core, fixed: Sequence[Sequence[int]]) -> None:
    """Let nobody's hard end lie before what is being done now is done."""
    for w, stay in enumerate(fixed):
        clock, at = core.crew[w, FREE], core.hand[w, HOME]
        for j in stay:
            clock += core.ways[0, at, j] + core.task[j, SERVICE]
            at = j
        if stay and core.hand[w, BACK] >= 0:
            clock += core.ways[0, at, core.hand[w, BACK]]
        if stay:
            core.crew[w, STOP] = max(core.crew[w, STOP], clock)

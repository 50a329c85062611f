"""What cannot be planned: tasks and workers whose figures are wrong, each with its reason; the others are planned."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dispatch.plan_model import PRIORITIES, Id, Problem, Reason, Task, Worker
from dispatch.plan_words import labelled, listed, reason

FAULTS = frozenset(
    [
        *("service", "size", "prize", "priority", "several", "moment", "window", "twice", "off_network", "times"),
        *("pin_unknown", "pin_excluded", "pin_few", "pin_skill"),
    ]
)
"""Kinds of reasons that lie in a task's own figures or pins."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Index of each task and worker that is set aside, with the reason."""

    tasks: dict[int, Reason]
    workers: dict[int, Reason]


def check(problem: Problem) -> Checked:
    """Return what has to be set aside."""
    unknown = _places_unknown(problem)
    worker_row, task_row, _ = problem.rows()
    workers: dict[int, Reason] = {}
    seen: set[Id] = set()
    for k, worker in enumerate(problem.workers):
        why = _worker(worker) or _place(problem, unknown, worker_row[k], "no_position")
        if worker.id in seen:
            why = reason("twice")
        seen.add(worker.id)
        if why is not None:
            workers[k] = why
    tasks: dict[int, Reason] = {}
    seen = set()
    for k, task in enumerate(problem.tasks):
        why = _task(task) or _place(problem, unknown, task_row[k], "off_network")
        if task.id in seen:
            why = reason("twice")
        seen.add(task.id)
        if why is not None:
            tasks[k] = why
    _commitments(problem, tasks, workers)
    present = {worker.id: worker for k, worker in enumerate(problem.workers) if k not in workers}
    busy = {each.task for worker in present.values() for each in worker.commitments}
    for k, task in enumerate(problem.tasks):
        if k not in tasks and task.pinned and task.id not in busy:
            why = _pins(task, present)
            if why is not None:
                tasks[k] = why
    return Checked(tasks, workers)


def _task(task: Task) -> Reason | None:  # noqa: PLR0911  (a return a fault)
    moments = (task.earliest_s, task.due_s, task.latest_s, task.due_s if task.aim_s is None else task.aim_s)
    if any(math.isnan(each) or each == -math.inf for each in moments) or task.earliest_s == math.inf:
        return reason("moment")
    if not 0 <= task.service_s < math.inf:
        return reason("service", value=task.service_s)
    if not 0 <= task.size < math.inf:
        return reason("size", value=task.size)
    if task.prize_s is not None and not 0 <= task.prize_s < math.inf:
        return reason("prize", value=task.prize_s)
    if task.priority not in range(PRIORITIES):
        return reason("priority", value=task.priority)
    if task.workers < 1:
        return reason("several", value=task.workers)
    if task.earliest_s > task.latest_s:
        return reason("window", earliest=task.earliest_s, latest=task.latest_s)
    return None


def _worker(worker: Worker) -> Reason | None:
    if not math.isfinite(worker.start_s) or math.isnan(worker.end_s) or not 0 <= worker.overtime_s < math.inf:
        return reason("shift")
    if not worker.capacity >= 0:
        return reason("capacity")
    for each in worker.breaks:
        if not (-math.inf < each.earliest_s <= each.latest_s < math.inf and 0 <= each.length_s < math.inf):
            return reason("rest")
    if worker.end_s <= max(0.0, worker.start_s) and not worker.commitments:
        return reason("shift_over" if worker.end_s <= 0 else "shift")
    return None


def _places_unknown(problem: Problem) -> NDArray[np.bool_]:
    """Return which rows of the matrix have to go so that no time is missing or negative, the worst first."""
    bad = ~(problem.travel_s >= 0)
    np.fill_diagonal(bad, False)
    unknown = np.zeros(len(bad), bool)
    if not bad.any():
        return unknown
    count = bad.sum(axis=0) + bad.sum(axis=1)
    while count.any():
        worst = int(count.argmax())
        unknown[worst] = True
        bad[worst], bad[:, worst] = False, False
        count = bad.sum(axis=0) + bad.sum(axis=1)
    return unknown


def _place(problem: Problem, unknown: NDArray[np.bool_], row: int, kind: str) -> Reason | None:
    """Return why a place cannot be used: no time is known of it at all, or one of its times is wrong."""
    if not unknown[row]:
        return None
    others = np.arange(len(unknown)) != row
    lost = np.isnan(problem.travel_s[row, others]).all() and np.isnan(problem.travel_s[others, row]).all()
    return reason(kind if lost else "times")


def _commitments(problem: Problem, tasks: dict[int, Reason], workers: dict[int, Reason]) -> None:
    """Set workers aside who are at a task that is not there, or at one that has enough."""
    left = {task.id: task.workers for k, task in enumerate(problem.tasks) if k not in tasks}
    worker_row, task_row, _ = problem.rows()
    place = {task.id: int(task_row[k]) for k, task in reversed(list(enumerate(problem.tasks)))}
    for k, worker in enumerate(problem.workers):
        if k in workers:
            continue
        at = int(worker_row[k])
        for each in worker.commitments:
            left_s = 0.0 if each.left_s is None else each.left_s
            if left.get(each.task, 0) < 1 or not 0 <= left_s < math.inf:
                workers[k] = reason("commitment", task=each.task)
                break
            there = place[each.task]
            here = each is worker.commitments[0] and each.left_s is not None
            if not here and not math.isfinite(problem.travel_s[at, there]):
                workers[k] = reason("no_way_on", task=each.task)
                break
            at = there
        else:
            for each in worker.commitments:
                left[each.task] -= 1


def _pins(task: Task, present: dict[Id, Worker]) -> Reason | None:
    """Return why the pins of a task contradict each other or what is there; None when they do not."""
    there = [each for each in task.pinned if each in present]
    if not there:
        return reason("pin_unknown", workers=listed(task.pinned))
    free = [each for each in there if each not in task.excluded]
    if not free:
        return reason("pin_excluded", workers=listed(there))
    missing = {each: (task.skills | task.equipment) - (present[each].skills | present[each].equipment) for each in free}
    able = [each for each in free if not missing[each]]
    if not able:
        first = min(free, key=str)
        return reason("pin_skill", workers=first, missing=labelled(missing[first]))
    if len(able) < task.workers:
        return reason("pin_few", value=task.workers, count=len(able))
    return None

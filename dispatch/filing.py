"""The first tier: one new task on a running plan, weighed against every place in every route at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dispatch.plan_arrays import Compiled, compile_problem, extra_costs, task_columns
from dispatch.plan_kernels import PRIZE, insert
from dispatch.plan_model import Id, Problem, Task
from dispatch.standing import Standing

SPARE = 16
"""New tasks a running plan takes before it has to be planned anew."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The best place for a task with one worker: what it adds to the cost, and the task it follows (None: first)."""

    worker: Id
    cost_s: float
    follows: Id | None


class Filing:
    """A running plan that weighs new tasks one by one, without being compiled anew.

    Parameters
    ----------
    compiled
        Of a problem whose last ``spare`` tasks are room for new ones, see `room_for`.
    """

    def __init__(self, compiled: Compiled, routes: Mapping[Id, Sequence[Id]], spare: int) -> None:
        self.standing = Standing(compiled, routes)
        self._left = list(range(len(compiled.tasks) - spare, len(compiled.tasks)))
        self._new: dict[int, Id] = {}

    def propose(self, task: Task, to_s: NDArray[np.float32], from_s: NDArray[np.float32]) -> Offer | None:
        """Return the cheapest place for a new task; None when nobody may or can, or leaving it out is cheaper.

        Parameters
        ----------
        to_s, from_s
            Seconds from the task to every place of the problem's matrix, and from them to it; between two new
            tasks no way is known, so they never follow each other.
        """
        j = self._write(task, to_s, from_s)
        cost, w, p = self.standing.best(j, float(self.standing.core.task[j, PRIZE]))
        if w < 0:
            return None
        return Offer(self._worker(w), cost, None if p < 0 else self.name(p))

    def accept(self, offer: Offer, task: Task) -> None:
        """Put the task proposed last where the offer says; the next one takes the next spare place."""
        j, w = self._left.pop(0), self.standing.compiled.present[offer.worker]
        _, p = self.standing.with_worker(j, w) or (0.0, -1)
        insert(self.standing.core, w, j, p)
        self._new[j] = task.id

    def _write(self, task: Task, to_s: NDArray[np.float32], from_s: NDArray[np.float32]) -> int:
        core, j, rows = self.standing.core, self._left[0], self.standing.compiled.rows
        known = np.flatnonzero(rows < len(to_s))
        core.ways[0, known, j] = core.ways[1, j, known] = from_s[rows[known]]
        core.ways[0, j, known] = core.ways[1, known, j] = to_s[rows[known]]
        people = [self.standing.compiled.problem.workers[k] for k in self.standing.compiled.workers]
        core.task[j] = task_columns([task], self.standing.compiled.problem.weights, people)[0]
        core.extra[j] = extra_costs(people, [task], self.standing.compiled.problem.weights)[0]
        return j

    def _worker(self, w: int) -> Id:
        compiled = self.standing.compiled
        return compiled.problem.workers[int(compiled.workers[w])].id

    def name(self, j: int) -> Id:
        """Return the id of a task of the arrays, also of one that was taken in."""
        compiled = self.standing.compiled
        return self._new[j] if j in self._new else compiled.problem.tasks[int(compiled.tasks[j])].id


def open_filing(problem: Problem, routes: Mapping[Id, Sequence[Id]], spare: int = SPARE) -> Filing:
    """Return a running plan that takes up to ``spare`` new tasks."""
    places, worker_at, task_at, worker_to = len(problem.travel_s), *problem.rows()
    travel_s = np.full((places + spare, places + spare), np.inf, np.float32)
    travel_s[:places, :places] = problem.travel_s
    room = [Task(f"spare {k}", 0.0, workers=1, prize_s=0.0) for k in range(spare)]
    wider = dataclasses.replace(
        problem,
        tasks=[*problem.tasks, *room],
        travel_s=travel_s,
        worker_at=worker_at,
        task_at=np.concatenate([task_at, np.arange(places, places + spare)]),
        worker_to=worker_to,
    )
    return Filing(compile_problem(wider), routes, spare)

"""A plan as it stands: who could take a task, what each would cost, and where it would go."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from dispatch.plan_arrays import Compiled
from dispatch.plan_kernels import AFTER, BACK, HEAD, LAST, LEAVE, START, STOP, TAIL, WHO, Core, Lists, insert, relink
from dispatch.plan_model import Id
from dispatch.plan_routes import new_routes
from dispatch.plan_search import best_anywhere, best_in_route, may


class Standing:
    """A compiled problem with the routes of a plan; arrays of its own, so it can be tried on."""

    def __init__(self, compiled: Compiled, routes: Mapping[Id, Sequence[Id]]) -> None:
        self.compiled = compiled
        core, lists = new_routes(compiled, 0, routes)
        self.core: Core = core._replace(ways=core.ways.copy(), extra=core.extra.copy())
        self.lists: Lists = lists

    def route(self, w: int) -> list[int]:
        """Return the tasks of a worker of the arrays, in order."""
        order, j = [], int(self.core.hand[w, HEAD])
        while j >= 0:
            order.append(j)
            j = int(self.core.link[j, AFTER])
        return order

    def set_route(self, w: int, tasks: Sequence[int]) -> None:
        """Give a worker these tasks."""
        for j in self.route(w):
            self.core.link[j, WHO] = -1
        relink(self.core, w, np.array(tasks, np.int32), 0, len(tasks))

    def take_out(self, j: int) -> int:
        """Take a task out of its route; return its worker, -1 when it had none."""
        w = int(self.core.link[j, WHO])
        if w >= 0:
            self.set_route(w, [each for each in self.route(w) if each != j])
            self.core.link[j, WHO] = -1
        return w

    def best(self, j: int, limit: float = math.inf) -> tuple[float, int, int]:
        """Return the least an absent task adds to the cost, the worker (-1 none) and the task it follows."""
        return best_anywhere(self.core, self.lists, j, limit, 0.0)

    def with_worker(self, j: int, w: int) -> tuple[float, int] | None:
        """Return what an absent task adds with one worker and the task it follows; None when it may not be."""
        if not may(self.core, self.lists, w, j):
            return None
        cost, p = best_in_route(self.core, w, j, math.inf, 0.0, 0)
        return (cost, int(p)) if cost < math.inf else None

    def overrun_s(self, j: int, w: int, *, alone: bool = False) -> tuple[float, float]:
        """Return seconds by which the shift would be overrun, and by which the task would be begun too late.

        With ``alone`` the worker has nothing else to do than what is being done now. Infinite without a way.
        """
        core, before = self.core, self.route(w)
        stop, last = core.crew[w, STOP], core.task[j, LAST]
        if alone:
            self.set_route(w, self.compiled.fixed[w])
        core.crew[w, STOP], core.task[j, LAST] = math.inf, math.inf
        cost, p = best_in_route(core, w, j, math.inf, 0.0, 0)
        over_s = late_s = math.inf
        if cost < math.inf:
            insert(core, w, j, p)
            over_s, late_s = max(0.0, self.end_s(w) - stop), max(0.0, float(core.task[j, START]) - last)
        core.crew[w, STOP], core.task[j, LAST] = stop, last
        self.set_route(w, before)
        core.link[j, WHO] = -1
        return over_s, late_s

    def end_s(self, w: int) -> float:
        """Return when a worker with tasks is done and back."""
        tail, back = int(self.core.hand[w, TAIL]), int(self.core.hand[w, BACK])
        return float(self.core.task[tail, LEAVE]) + (float(self.core.ways[0, tail, back]) if back >= 0 else 0.0)

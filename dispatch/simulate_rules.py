"""The rules by which a simulated day sends workers."""

from __future__ import annotations

import abc
import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from core.progress import Silent
from dispatch.plan import WARM, WARM_END, Search, anneal
from dispatch.plan_arrays import compile_problem
from dispatch.plan_model import Break, Id, Problem, Stop, Task, Worker
from dispatch.plan_routes import best_routes, new_routes
from dispatch.simulate_model import Day, Options, Policy
from dispatch.simulate_state import State

Send = list[tuple[int, int]]
Flags = NDArray[np.bool_]
_SILENT = Silent()


class Rule(abc.ABC):
    """Who is sent now; asked at every event until it names nobody more.

    Attributes
    ----------
    wake_s
        When it wants to be asked again, should nothing happen before; None: not.
    churn
        How often the worker meant for an incident became another one.
    """

    def __init__(self, day: Day, options: Options) -> None:
        self.day, self.options = day, options
        self.wake_s: float | None = None
        self.churn = 0

    @abc.abstractmethod
    def decide(self, state: State) -> Send:
        """Return workers who are idle with the incidents they set out for now."""


class NearestIdle(Rule):
    """In order of urgency and coming, each incident gets the nearest who is free; the others wait."""

    def decide(self, state: State) -> Send:
        """Return the sendings."""
        idle, sent = state.idle(), []
        for j in sorted(state.asked(), key=lambda j: (self.day.arrivals[j].priority, j)):
            if not idle.any():
                break
            w = nearest(state, j, idle)
            if w >= 0:
                idle[w] = False
                sent.append((w, j))
        return sent


class NearestPair(Rule):
    """Of all who are free and all that waits, the two that lie nearest go together, and again."""

    def decide(self, state: State) -> Send:
        """Return the sendings."""
        idle, waiting = np.flatnonzero(state.idle()), state.asked()
        if not len(idle) or not waiting:
            return []
        way = np.array([state.reach_s(j)[idle] for j in waiting])
        sent = []
        while way.size:
            k, v = np.unravel_index(int(way.argmin()), way.shape)
            if not np.isfinite(way[k, v]):
                break
            sent.append((int(idle[v]), waiting[int(k)]))
            way[k, :] = np.inf
            way[:, v] = np.inf
        return sent


class FixedOwner(Rule):
    """Each incident waits for the worker whose grid it lies in: the most urgent first, then as they came."""

    def decide(self, state: State) -> Send:
        """Return the sendings."""
        idle, sent = state.idle(), []
        for j in sorted(state.asked(), key=lambda j: (self.day.arrivals[j].priority, j)):
            if not idle.any():
                break
            w = self._who(state, j, idle)
            if w >= 0:
                idle[w] = False
                sent.append((w, j))
        return sent

    def _who(self, state: State, j: int, idle: Flags) -> int:
        owner = self.day.arrivals[j].owner
        if owner < 0 or not np.isfinite(state.reach_s(j)[owner]):
            return nearest(state, j, idle)
        return owner if idle[owner] else -1


class OwnerOverflow(FixedOwner):
    """The owner, where free; another one when the incident has waited long or cannot wait."""

    def _who(self, state: State, j: int, idle: Flags) -> int:
        w = super()._who(state, j, idle)
        if w >= 0:
            return w
        arrival, other = self.day.arrivals[j], nearest(state, j, idle)
        if other < 0:
            return -1
        limit = arrival.arrival_s + self.options.overflow_s
        limit = min(limit, arrival.due_s - 2 * float(state.reach_s(j)[other]))
        if state.now >= limit - 1e-9:
            return other
        self.wake_s = limit if self.wake_s is None or self.wake_s <= state.now else min(self.wake_s, limit)
        return -1


class Rolling(Rule):
    """The plan of all workers, busy and idle, made anew as things happen; who has set out never turns back."""

    def __init__(self, day: Day, options: Options) -> None:
        super().__init__(day, options)
        self._routes: dict[Id, tuple[Id, ...]] = {}
        self._meant: dict[int, int] = {}
        self._news = 0
        self._planned_s = -math.inf
        self._count = 0

    def decide(self, state: State) -> Send:
        """Return the first stop of each route whose worker is idle, after a re-plan where one is due."""
        self.wake_s = None
        if state.news != self._news:
            if state.now >= self._planned_s + self.options.debounce_s:
                self._plan(state)
                self._news = state.news
            else:
                self.wake_s = self._planned_s + self.options.debounce_s
        sent, waiting = [], set(state.asked())
        for w in np.flatnonzero(state.idle()).tolist():
            first = next((int(j) for j in self._routes.get(w, ()) if j in waiting), -1)
            if first >= 0 and np.isfinite(state.reach_s(first)[w]):
                sent.append((w, first))
        return sent

    def _plan(self, state: State) -> None:
        self._planned_s = state.now
        self._count += 1
        waiting, free_s = state.asked(), state.expected_free_s()
        if not waiting:
            return
        problem = self._problem(state, waiting, free_s)
        compiled = compile_problem(problem)
        seed = self.options.seed * 1_000_003 + self._count
        core, lists = new_routes(compiled, seed, self._routes)
        search = Search(WARM, WARM_END) if self._routes else Search()
        anneal(core, lists, Stop(math.inf, self.options.rounds), search, progress=_SILENT, began=0.0)
        self._routes = {
            problem.workers[k].id: tuple(problem.tasks[compiled.tasks[j]].id for j in route)
            for k, route in zip(compiled.workers, best_routes(lists), strict=True)
        }
        meant = {int(j): int(w) for w, route in self._routes.items() for j in route}
        self.churn += sum(self._meant.get(j, w) != w for j, w in meant.items())
        self._meant |= meant

    def _problem(self, state: State, waiting: list[int], free_s: NDArray[np.float64]) -> Problem:
        now, members = state.now, self.day.members
        there = [w for w in range(len(members)) if now < state.end_s[w]]
        barred: dict[int, set[Id]] = {}
        for w, j in state.barred:
            barred.setdefault(j, set()).add(w)
        tasks = []
        for j in waiting:
            each = self.day.arrivals[j]
            tasks.append(
                Task(
                    j,
                    each.mean_s,
                    each.priority,
                    due_s=each.due_s - now,
                    aim_s=each.due_s - self.options.margin_s[each.priority] - now,
                    skills=each.skills,
                    grid=str(each.owner) if each.owner >= 0 else None,
                    excluded=frozenset(barred.get(j, ())),
                )
            )
        workers = [
            Worker(
                w,
                start_s=max(0.0, float(free_s[w]) - now),
                end_s=float(state.end_s[w]) - now,
                skills=members[w].skills,
                grids=frozenset([str(w)]),
                overtime_s=self.options.overtime_s,
                breaks=tuple(
                    Break(each.earliest_s - now, max(each.earliest_s, each.latest_s) - now, each.length_s)
                    for each in state.breaks[w]
                ),
            )
            for w in there
        ]
        rows = np.concatenate([state.place[there], [self.day.arrivals[j].at for j in waiting]])
        return Problem(tasks, workers, self.day.travel_s[np.ix_(rows, rows)], self.options.weights)


def nearest(state: State, j: int, idle: Flags) -> int:
    """Return the nearest who is free and may do it; -1 when nobody."""
    way = np.where(idle, state.reach_s(j), np.inf)
    w = int(way.argmin())
    return w if np.isfinite(way[w]) else -1


RULES: Mapping[Policy, Callable[[Day, Options], Rule]] = {
    Policy.NEAREST_IDLE: NearestIdle,
    Policy.NEAREST_PAIR: NearestPair,
    Policy.FIXED_OWNER: FixedOwner,
    Policy.OWNER_OVERFLOW: OwnerOverflow,
    Policy.ROLLING: Rolling,
}

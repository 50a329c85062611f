"""Capacitated p-median and capacitated coverage of a whole question: facilities that stay fill up too.

Each point of demand goes to one site as a whole. In coverage nobody must be served: who finds no room within the
limit counts as left out.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress
from planning.capacitated import solve_capacitated
from planning.choice import Choice
from planning.placement import Placement, described, refused
from planning.side import Floor, Side
from planning.siting import EXISTING, UNSERVED, SitingResult, Stop

Floats = NDArray[np.float64]


def roomed(problem: Placement, side: Side, stop: Stop, *, progress: Progress, began: float) -> SitingResult:
    """Return the answer of a capacitated question; of what is there each facility takes what it has room for."""
    candidates = side.candidates
    times, capacity = problem.od_s, np.asarray(problem.capacity, dtype=np.float64)
    if problem.there_s is not None and problem.there_s.shape[1]:
        room = problem.there_capacity
        times = np.hstack([times, problem.there_s])
        capacity = np.r_[capacity, np.full(problem.there_s.shape[1], np.inf) if room is None else room]
    covering = problem.kind == "cmclp"
    there = times.shape[1] - candidates
    counted = np.flatnonzero((problem.people > 0) & (np.isfinite(times).any(axis=1) | covering))
    people = problem.people[counted]
    if covering:
        # A last candidate that is always open and has room for all: not to be served.
        costs = np.where(times[counted] <= (problem.limit_s or 0.0), 0.0, np.inf)
        costs = np.column_stack([costs, people])
        capacity = np.append(capacity, np.inf)
    else:
        costs = times[counted] * people[:, None]
    taken = costs.shape[1] - candidates
    wide = _wider(side, taken, problem)
    choice = solve_capacitated(costs, people, capacity, wide.most, seconds=stop.seconds, progress=progress, side=wide)
    if choice.status == "infeasible":
        binding = choice.binding
        return refused(problem, binding, began, counted[list(choice.unserved)] if choice.unserved else None)
    return _result(problem, choice, counted, there=there, covering=covering, began=began)


def _wider(side: Side, more: int, problem: Placement) -> Side:
    """Return the side conditions with so many more candidates that are open in any case."""
    floor: Floor | None = side.floor
    if floor is not None:
        nothing = np.zeros((len(problem.people), more), dtype=bool)
        floor = dataclasses.replace(floor, reach=np.hstack([floor.reach, nothing]))
    return Side(
        side.candidates + more, side.least + more, side.most + more,
        np.r_[side.fixed, side.candidates + np.arange(more)].astype(np.int64), side.conflicts,
        None if side.cost is None else np.r_[side.cost, np.zeros(more)], side.budget, floor,
    )  # fmt: skip


def _result(
    problem: Placement, choice: Choice, counted: NDArray[np.int64], *, there: int, covering: bool, began: float
) -> SitingResult:
    candidates = problem.od_s.shape[1]
    assignment = np.full(len(problem.people), UNSERVED, dtype=np.int64)
    own = choice.assignment
    assignment[counted] = np.where(own < candidates, own, np.where(own < candidates + there, EXISTING, UNSERVED))
    sites = np.array([site for site in choice.sites if site < candidates], dtype=np.int64)
    value, bound = choice.objective, choice.bound
    if covering:
        people = float(problem.people.sum())
        value, bound = people - value, people - bound
    made = described(problem, sites, value, bound, began=began, assignment=assignment)
    if problem.there_s is None:
        return made
    # Who goes to something that is there goes to the one with room for him, not to the nearest.
    times = made.times_s.copy()
    mine = counted[(own >= candidates) & (own < candidates + there)]
    times[mine] = problem.there_s[mine, own[(own >= candidates) & (own < candidates + there)] - candidates]
    return dataclasses.replace(made, times_s=times)

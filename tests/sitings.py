"""Small questions of siting with all that an answer can keep to, and their answers by trying every choice."""

from __future__ import annotations

import itertools

import numpy as np

from planning.kinds import INFO, KINDS
from planning.placement import Placement
from planning.weigh import objective_of, weigh

SPARE = 1e-9
"""Share of a room by which sums of people may pass it: 8 + 4 + 3 millionths are more than 15 in floating point."""


def random_problem(kind: str, seed: int) -> Placement:
    """A small question with ties, gaps in the network and, at random, each thing an answer keeps to."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    roomed = INFO[kind].needs_capacity
    demand, candidates = int(rng.integers(1, 5 if roomed else 8)), int(rng.integers(1, 4 if roomed else 7))
    od_s = rng.integers(1, 20, (demand, candidates)).astype(float) if seed % 3 else rng.random((demand, candidates)) * 9
    od_s[rng.random(od_s.shape) < (0.15 if seed % 4 == 0 else 0)] = np.inf
    people = rng.integers(0, 9, demand).astype(float)
    there = None
    if seed % 5 < 2:
        there = rng.integers(1, 25, (demand, int(rng.integers(1, 3)))).astype(float)
        there[rng.random(there.shape) < 0.2] = np.inf
    places = rng.random((candidates, 2)) * 100
    between = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    close = np.argwhere(np.triu(between < rng.uniform(5, 60), 1)) if rng.random() < 0.3 else np.empty((0, 2), int)
    p = int(rng.integers(1, candidates + 1)) if INFO[kind].needs_p or (kind == "lscp" and seed % 2) else 0
    cost = rng.integers(0, 9, candidates).astype(float)
    return Placement(
        kind, od_s, people, p, limit_s=float(rng.uniform(2, 18)), there_s=there,
        capacity=rng.integers(0, 25, candidates).astype(float), cost=cost,
        there_capacity=None if there is None else rng.integers(0, 20, there.shape[1]).astype(float),
        budget=float(rng.uniform(0.3, 1.1) * cost.sum()) if rng.random() < 0.3 else None, hour_cost=3600.0 / 5,
        between_m=between, there_m=rng.random(candidates) * 80 if there is not None else None,
        fixed=rng.choice(candidates, 1) if rng.random() < 0.25 else np.empty(0, int), conflicts=close,
        group=rng.integers(-1, 2, demand), floor=float(rng.uniform(0.1, 0.8)) if rng.random() < 0.3 else None,
    )  # fmt: skip


def roomed_value(problem: Placement, sites: list[int]) -> float:
    """The best way to send everybody somewhere with room, tried one by one; nan when there is none."""
    times, capacity = problem.od_s[:, sites], problem.capacity[sites]
    if problem.there_s is not None:
        times, capacity = np.hstack([times, problem.there_s]), np.r_[capacity, problem.there_capacity]
    every = problem.od_s if problem.there_s is None else np.hstack([problem.od_s, problem.there_s])
    covering = problem.kind == "cmclp"
    counted = np.flatnonzero((problem.people > 0) & (np.isfinite(every).any(axis=1) | covering))
    best = np.nan
    for chosen in itertools.product(range(-1 if covering else 0, times.shape[1]), repeat=len(counted)):
        goes = np.array(chosen, dtype=int)
        held = goes >= 0
        way = times[counted, np.maximum(goes, 0)]
        if not (way[held] <= (problem.limit_s if covering else np.inf)).all() or not np.isfinite(way[held]).all():
            continue
        people = problem.people[counted]
        if (np.bincount(goes[held], people[held], len(capacity)) > capacity * (1 + SPARE)).any():
            continue
        value = people[held].sum() if covering else (people * way).sum()
        best = value if np.isnan(best) else (max if covering else min)(best, value)
    return best


def brute_force(problem: Placement) -> float | None:
    """The best objective over every choice that keeps to all; None when none does."""
    side, values = problem.side(), []
    for count in range(side.least, min(side.most, side.candidates) + 1):
        for sites in itertools.combinations(range(side.candidates), count):
            chosen = np.array(sites, dtype=int)
            if not side.allows(chosen):
                continue
            if problem.kind in {"cpmp", "cmclp"}:
                value = roomed_value(problem, list(sites))
                values += [] if np.isnan(value) else [value]
                continue
            found = weigh(problem, chosen)
            values += [] if found.status == "infeasible" else [objective_of(problem, chosen)]
    if not values:
        return None
    return max(values) if INFO[problem.kind].maximised else min(values)

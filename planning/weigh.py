"""What a given choice of sites is worth, by the same count as the answer of a question."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
from numpy.typing import NDArray

from planning.backup import count_backup
from planning.dispersion import least_distance
from planning.huff import drawn, pull
from planning.placement import Placement, costs_of, costs_of_nothing, described, place, refused, rest_pull
from planning.siting import SitingResult, Stop

Ints = NDArray[np.int64]


def weigh(problem: Placement, sites: Ints, *, seconds: float = 5.0) -> SitingResult:
    """Return the choice with its objective, whom it serves and whom it leaves out; its bound is its own objective.

    Infeasible when the choice does not keep to what was asked; ``binding`` then says to what.
    """
    began = time.perf_counter()
    sites = np.unique(np.asarray(sites, dtype=np.int64))
    if problem.kind in {"cpmp", "cmclp"}:
        # Who goes where is a question of its own when room is short.
        only = dataclasses.replace(problem, p=len(sites), fixed=sites)
        return place(only, Stop(seconds=seconds))
    binding = _broken(problem, sites)
    if binding:
        return refused(problem, binding, began, _left(problem, sites) if binding == "reach" else None)
    value = objective_of(problem, sites)
    return described(problem, sites, value, value, began=began)


def objective_of(problem: Placement, sites: Ints) -> float:
    """Return the objective of a choice of an uncapacitated question, whatever it keeps to."""
    if problem.kind == "lscp":
        return float(len(sites))
    existing = problem.existing_s
    if problem.kind == "p-center":
        times = problem.od_s[:, sites].min(axis=1, initial=np.inf)
        times = times if existing is None else np.minimum(times, existing)
        counted = np.isfinite(times) & (problem.people > 0)
        return float(times[counted].max(initial=0.0))
    if problem.kind == "backup":
        limit = problem.limit_s or 0.0
        there = np.zeros(len(problem.people), dtype=np.int64)
        if problem.there_s is not None:
            there = (problem.there_s <= limit).sum(axis=1)
        return count_backup(problem.od_s <= limit, there, problem.people, sites)
    if problem.kind == "p-dispersion" and problem.between_m is not None:
        alone = np.full(len(problem.between_m), np.inf) if problem.there_m is None else problem.there_m
        found = least_distance(problem.between_m, alone, sites)
        return found if np.isfinite(found) else 0.0
    if problem.kind == "huff":
        return drawn(pull(problem.od_s), rest_pull(problem), problem.people, sites)
    total = costs_of(problem)
    cost = total.of(sites)
    if not len(sites) and existing is not None:
        cost = float(costs_of_nothing(problem, existing).sum())
    return float(problem.people.sum()) - cost if problem.kind == "mclp" else cost


def _broken(problem: Placement, sites: Ints) -> str:
    """Return what a choice does not keep to; "" when nothing."""
    side = problem.side()
    if not side.least <= len(sites) <= side.most:
        return "sites"
    if not np.isin(side.fixed, sites).all():
        return "fixed"
    if len(side.conflicts) and np.isin(side.conflicts, sites).all(axis=1).any():
        return "spacing"
    if side.budget is not None and side.cost is not None and side.cost[sites].sum() > side.budget + 1e-6:
        return "budget"
    if side.floor is not None and not side.floor.met(sites):
        return "floor"
    return "reach" if len(_left(problem, sites)) else ""


def _left(problem: Placement, sites: Ints) -> Ints:
    """Return the demand that a choice would have to serve, and does not."""
    if problem.kind not in {"lscp", "p-center"}:
        return np.empty(0, dtype=np.int64)
    times = problem.od_s[:, sites].min(axis=1, initial=np.inf)
    if problem.existing_s is not None:
        times = np.minimum(times, problem.existing_s)
    reachable = np.isfinite(problem.od_s).any(axis=1) | np.isfinite(times)
    near = times <= (problem.limit_s or 0.0) if problem.kind == "lscp" else np.isfinite(times)
    return np.flatnonzero((problem.people > 0) & reachable & ~near)

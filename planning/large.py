"""A study of so many points or candidates that it is answered by blocks, and its proof carried to every building."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress
from geodata.network import RoadNetwork, Snapped
from geodata.travel import matrix_s
from geodata.travel_own import MatrixWays
from planning.blocks import Times, solve_by_blocks
from planning.demand import Demand
from planning.model import Question
from planning.placement import Placement, described, refused
from planning.posing import Candidates, City, some
from planning.siting import SitingResult, Stop
from planning.solving import Solved

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
GAP = 0.005
SECONDS = 180.0
TOGETHER = 64


@dataclasses.dataclass(frozen=True, eq=False)
class Answered:
    """A question answered by blocks; of its travel times only those to the chosen sites are kept."""

    problem: Placement
    solved: Solved


def by_blocks(
    city: City, question: Question, where: Candidates, demand: Demand, points: Snapped, *, nearest_s: Floats,
    progress: Progress,
) -> Answered:  # fmt: skip
    """Return the answer of a p-median, the travel times of all pairs never in memory at once.

    What is there, and sites that are built in any case, are the longest way anybody has; the others are chosen.
    """
    began, terms = time.perf_counter(), question.terms
    staying = len(city.existing) > 0 and not terms.closable
    targets = city.network.snap(where.lonlat)
    fixed, p = np.unique(where.fixed), question.p + where.closable
    problem = Placement(
        "p-median", np.empty((len(demand.people), 0)), demand.people, p,
        there_s=nearest_s[:, None] if staying else None,
    )  # fmt: skip
    mine = np.unique(np.r_[where.by_hand, np.arange(where.new, len(where.lonlat))]).astype(np.int64)
    binding = "candidates" if max(p - len(where.lonlat), len(fixed) - p) > 0 else ""
    binding = binding or ("people" if demand.people.sum() <= 0 else "")
    binding = binding or ("fixed" if len(where.by_hand) and not np.isin(fixed, mine).all() else "")
    if binding:
        return Answered(problem, Solved(refused(problem, binding, began)))

    def to(rows: Ints) -> NDArray[np.float32]:
        return np.ascontiguousarray(matrix_s(city.network, points, some(targets, rows)).T)

    known = nearest_s.astype(np.float32) if staying else np.full(len(demand.people), np.inf, dtype=np.float32)
    known = np.minimum(known, to(fixed).min(axis=0)) if len(fixed) else known
    rest = np.setdiff1d(np.arange(len(where.lonlat)), fixed)
    sites, bound, longest_s = fixed, np.inf, 0.0
    if len(fixed) < p:
        stop = Stop(gap=GAP, seconds=terms.seconds or SECONDS)
        found = solve_by_blocks(
            lambda rows: np.minimum(to(rest[rows]), known), len(rest), demand.people, p - len(fixed), stop=stop,
            progress=progress,
        )  # fmt: skip
        sites, bound, longest_s = np.sort(np.r_[rest[list(found.sites)], fixed]), found.bound, found.unserved_s
    best = _weighed(problem, sites, to, bound=bound, longest_s=longest_s, began=began)
    if not np.isfinite(best.solved.result.times_s).any():
        return Answered(problem, Solved(refused(problem, "reach", began)))
    if not len(where.by_hand):
        return best
    told = {"machine": best.solved.result.objective, "machine_gap": best.solved.result.gap}
    plan = _weighed(problem, mine, to, bound=bound, longest_s=longest_s, began=began)
    return dataclasses.replace(plan, solved=dataclasses.replace(plan.solved, told=told))


def _weighed(problem: Placement, sites: Ints, to: Times, *, bound: float, longest_s: float, began: float) -> Answered:
    """Return some sites with whom they serve and how far they are from the bound."""
    od_s = to(sites).T.astype(np.float64)
    small = dataclasses.replace(problem, od_s=od_s, p=len(sites))
    nearest = od_s.min(axis=1)
    if problem.there_s is not None:
        nearest = np.minimum(nearest, problem.there_s[:, 0])
    longest_s = longest_s or 2.0 * float(nearest[np.isfinite(nearest)].max(initial=0.0))
    value = float(problem.people @ np.minimum(nearest, longest_s))
    made = described(small, np.arange(len(sites)), value, bound, began=began)
    own = np.where(made.assignment >= 0, sites[np.maximum(made.assignment, 0)], made.assignment)
    result = dataclasses.replace(made, sites=tuple(int(site) for site in sites), assignment=own, unserved_s=longest_s)
    return Answered(small, Solved(result))


def lost_s(network: RoadNetwork, places: Snapped, demand: Demand) -> Floats:
    """Return by how many seconds the way of each place may be shorter than that of its point, shape (n_places,).

    Whoever stands at the point can go to the place and on from there; so no way from the place is shorter than that
    from the point less the way between them (Francis and Lowe 1992). 0 for a point itself and where nobody lives.
    """
    lost = np.zeros(len(demand.owner))
    away = np.flatnonzero(demand.owner >= 0)
    away = away[demand.at[demand.owner[away]] != away]
    away = away[np.argsort(demand.owner[away], kind="stable")]
    which, first = np.unique(demand.owner[away], return_index=True)
    ends = np.append(first, len(away))
    for begin in range(0, len(which), TOGETHER):
        block = which[begin : begin + TOGETHER]
        mine = away[ends[begin] : ends[min(begin + TOGETHER, len(which))]]
        between = matrix_s(network, some(places, demand.at[block]), some(places, mine))
        own = between[np.searchsorted(block, demand.owner[mine]), np.arange(len(mine))].astype(np.float64)
        lost[mine] = np.maximum(own - 2.0 * places.access_s[mine], 0.0)
    return lost


def on_every_building(
    city: City, places: Snapped, demand: Demand, result: SitingResult, then_s: Floats
) -> dict[str, float] | None:
    """Return what the proof says of all buildings: objective, bound, gap, and what gathering people may have hidden.

    None where ways are a matrix, which is about its own points alone.
    """
    if isinstance(city.network, MatrixWays):
        return None
    far = result.unserved_s
    objective = float(city.people @ np.minimum(then_s, far))
    error = float(city.people @ np.minimum(lost_s(city.network, places, demand), far))
    bound = min(max(result.bound - error, 0.0), objective)
    gap = 0.0 if objective < 1e-12 else (objective - bound) / objective
    return {"objective": objective, "bound": bound, "gap": gap, "error": error}

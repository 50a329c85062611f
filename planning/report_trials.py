"""How much of a choice stays when what it rests on is drawn anew: speeds of travel, and where people live.

A trial changes every speed by a factor that is in part the same everywhere and in part one for each square
kilometre, together at most `SPEED` up or down, and gives every building a random weight (the Bayesian bootstrap;
Rubin 1981, The Annals of Statistics 9, 130-134). Then the question is answered again, by the search alone: a trial
need not be proven.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from core.progress import Progress
from geodata.network import RoadNetwork, Snapped, remade
from geodata.travel import nearest_s
from geodata.travel_own import MatrixWays
from planning.demand import Demand
from planning.kinds import INFO
from planning.model import SiteAnswer
from planning.placement import Placement, place
from planning.posing import Candidates, City
from planning.report_model import SiteTrial, Trials
from planning.siting import Stop
from planning.weigh import weigh

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COUNT = 20
SPEED = 0.15
NEAR_M = 300.0
SQUARE_M = 1000.0
SECONDS = 6.0
GAP, ROUNDS = 0.01, 80
"""A trial is content with this; only a question that takes longer than `SECONDS` depends on the machine."""


@dataclass(frozen=True, eq=False)
class Posed:
    """A question as numbers, with what it was made from.

    Attributes
    ----------
    points, places
        Demand and candidates on the streets.
    sites
        The chosen candidates in the order of their numbers.
    stays
        Facilities that could be closed and are not, as candidates.
    """

    city: City
    where: Candidates
    demand: Demand
    problem: Placement
    points: Snapped
    places: Snapped
    sites: Ints
    stays: Ints


def try_out(
    posed: Posed, answers: tuple[SiteAnswer, ...], *, seed: int, progress: Progress, count: int = COUNT
) -> Trials | None:
    """Return what became of the choice in the trials; None when no trial has an answer."""
    progress.step("Trying other speeds and people", count)
    draw = np.random.default_rng([seed, 7])
    there = posed.city.network.snap(posed.city.existing) if len(posed.city.existing) else None
    squares = _squares(posed.city.network)
    chosen = np.r_[posed.sites, posed.stays].astype(np.int64)
    rank = np.argsort([-each.people for each in answers], kind="stable")
    same, near, kept = (np.zeros(len(posed.sites), dtype=np.int64) for _ in range(3))
    behind, within, means = [], [], []
    for _ in range(count):
        problem = _drawn(posed, there, squares, draw)
        found = place(problem, Stop(gap=GAP, rounds=ROUNDS, seconds=SECONDS), seed=seed, initial=posed.sites)
        progress.advance()
        if found.status == "infeasible" or not len(posed.sites):
            continue
        sites = np.array([at for at in found.sites if at < posed.where.new], dtype=np.int64)
        same += np.isin(posed.sites, sites)
        near += _near(posed.where.xy_m[posed.sites], posed.where.xy_m[sites])
        times, served = _served(problem, posed.sites)
        kept += np.argsort(-served, kind="stable") == rank
        mine = weigh(problem, chosen, seconds=SECONDS)
        behind.append(_behind(problem, mine.objective, found.objective))
        people = problem.people
        has = np.isfinite(times)
        within.append(float(people[times <= (problem.limit_s or 0.0)].sum() / people.sum()))
        means.append(float(np.average(times[has], weights=people[has])) if has.any() else np.inf)
    if not behind:
        return None
    return Trials(
        count, len(behind), SPEED,
        tuple(
            SiteTrial(each.number, int(same[at]), int(near[at]), int(kept[at])) for at, each in enumerate(answers)
        ),
        float(np.median(behind)), float(max(behind)),
        *(float(each) for each in np.quantile(within, (0.05, 0.95))),
        *(float(each) for each in np.quantile(means, (0.05, 0.95))),
    )  # fmt: skip


def factors(squares: Ints, draw: np.random.Generator) -> Floats:
    """Return what each stretch's time is multiplied by: one over a speed at most `SPEED` off."""
    everywhere = draw.uniform(-1.0, 1.0)
    here = draw.uniform(-1.0, 1.0, size=int(squares.max(initial=0)) + 1)[squares]
    return np.asarray(1.0 / (1.0 + SPEED * (everywhere + here) / 2))


def _squares(network: RoadNetwork) -> Ints:
    """Return the number of the square kilometre of each stretch's middle."""
    if not len(network.lines):
        return np.empty(0, dtype=np.int64)
    middles = shapely.get_coordinates(shapely.line_interpolate_point(network.lines, 0.5, normalized=True))
    cells = np.floor(middles / SQUARE_M).astype(np.int64)
    return np.unique(cells, axis=0, return_inverse=True)[1].reshape(-1)


def _drawn(posed: Posed, there: Snapped | None, squares: Ints, draw: np.random.Generator) -> Placement:
    """Return the question with other speeds and other people."""
    city, problem = posed.city, posed.problem
    network = city.network
    if isinstance(network, MatrixWays):  # it says nothing of streets: all ways are longer or shorter alike
        network = network.slower(float(factors(np.zeros(1, dtype=np.int64), draw)[0]))
    else:
        slower = factors(squares, draw)
        network = remade(network, network.forward_s * slower, network.backward_s * slower)
    od_s = network.times(posed.points, posed.places).astype(np.float64)
    there_s = problem.there_s
    if there_s is not None and there is not None:
        one = there_s.shape[1] == 1 and len(there) > 1
        there_s = (
            nearest_s(network, posed.points, there)[0].astype(np.float64)[:, None]
            if one
            else network.times(posed.points, there).astype(np.float64)
        )
    lived = posed.demand.owner >= 0
    weight = city.people * draw.exponential(size=len(city.people))
    drawn = np.bincount(posed.demand.owner[lived], weights=weight[lived], minlength=len(problem.people))
    people = np.asarray(drawn * (problem.people.sum() / max(drawn.sum(), 1e-9)), dtype=np.float64)
    return dataclasses.replace(problem, od_s=od_s, there_s=there_s, people=people)


def _served(problem: Placement, sites: Ints) -> tuple[Floats, Floats]:
    """Return the way of each demand to the nearest, and how many people go to each site."""
    times = problem.od_s[:, sites]
    nearest = times.argmin(axis=1)
    shortest = times[np.arange(len(times)), nearest]
    existing = problem.existing_s
    goes = np.isfinite(shortest) if existing is None else shortest < existing
    served = np.bincount(nearest[goes], weights=problem.people[goes], minlength=len(sites)).astype(np.float64)
    return (shortest if existing is None else np.minimum(shortest, existing)), served


def _near(xy_m: Floats, found_m: Floats) -> Ints:
    if not len(found_m):
        return np.zeros(len(xy_m), dtype=np.int64)
    away = np.hypot(*(xy_m[:, None] - found_m[None]).transpose(2, 0, 1))
    return np.asarray(away.min(axis=1) <= NEAR_M, dtype=np.int64)


def _behind(problem: Placement, mine: float, best: float) -> float:
    """Return the share by which a plan is behind; none where it is not worse than what the search found."""
    lost = best - mine if INFO[problem.kind].maximised else mine - best
    wide = max(abs(best), 1e-12)
    return max(0.0, lost / wide)

"""What is given up for what: fronts of efficiency against equity, and of cost against coverage, from one question.

Each point is a plan that no other plan beats on both axes as far as is known, and each carries its proof: ``bound`` is
what no plan with the same ``x`` can beat on the other axis. The ends are the answers of the questions that look at one
axis alone. Efficiency is the mean way, equity the longest way that anybody has who has one at all: between the ends
the mean is made least while nobody has farther than a limit (the method of constraints; Haimes, Lasdon and Wismer
1971). Cost is money where sites have a price, else the number of sites; coverage is people within the time limit.
"""

from __future__ import annotations

import dataclasses
import math
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress, Silent
from planning.effort import effort_s
from planning.equity import gini
from planning.placement import Placement, described, place
from planning.siting import SitingResult, Stop

Floats = NDArray[np.float64]
Trade = Literal["efficiency-equity", "cost-coverage"]
POINTS = 7
POINTS_AT_MOST = 25
FAR = (8.0, 200.0)
"""How much more than the longest way it counts to go farther than the limit; the second where the first is no help."""
SAME = 1e-9
PROVEN = 1e-6


@dataclass(frozen=True)
class FrontPoint:
    """A plan on a front.

    Attributes
    ----------
    sites
        Indices of candidates, ascending.
    x, y
        Of the plan on the two axes of its front.
    bound
        Of ``y``: no plan with this ``x`` or a lower one does better.
    proven
        Whether ``bound`` is ``y``.
    end
        Whether it is an end: the best there is on one axis alone.
    mean_s, farthest_s
        Of the ways of those who have one, existing facilities counted; nan when nobody has.
    within
        People within the time limit; None when the question has none.
    cost
        Of the sites, in the money of the question; None when it says no prices.
    gini
        Of the lengths of the ways: 0 when all have the same.
    """

    sites: tuple[int, ...]
    x: float
    y: float
    bound: float
    proven: bool
    end: bool
    mean_s: float
    farthest_s: float
    within: float | None
    cost: float | None
    gini: float


@dataclass(frozen=True)
class Front:
    """A front.

    Attributes
    ----------
    trade
        ``efficiency-equity``: x is the longest way in seconds, y the mean way in seconds, both better when smaller.
        ``cost-coverage``: x is the cost (or the number of sites), y people within the limit, better when larger.
    points
        By ``x``, ascending; none is beaten by another on both axes.
    x_least
        What no plan can go below in x (efficiency-equity: the bound of the p-center).
    y_best
        What no plan at all can beat in y.
    priced
        Whether x is money; else sites (cost-coverage only).
    """

    trade: Trade
    points: tuple[FrontPoint, ...]
    x_least: float
    y_best: float
    priced: bool = False


def fronts(
    problem: Placement, *, points: int = POINTS, seconds: float = 30.0, seed: int = 0, progress: Progress | None = None
) -> tuple[Front, ...]:
    """Return the fronts that a question has: none, one or two.

    Parameters
    ----------
    problem
        As `planning.posing.pose` makes it, of any kind; p, terms, budget, floor, fixed sites hold for each plan, and
        the time limit is what coverage counts. The number of sites of cost against coverage goes from 1 (or the
        fixed ones) to p where sites have no price.
    points
        Of each front, about.
    seconds
        For all of it.
    """
    progress, points = progress or Silent(), int(np.clip(points, 2, POINTS_AT_MOST))
    kinds = [problem.p >= 1, problem.limit_s is not None and 0 < problem.limit_s < np.inf]
    share = seconds / max(sum(kinds), 1)
    made: list[Front | None] = []
    if kinds[0]:
        made.append(efficiency_equity(problem, points=points, seconds=share, seed=seed, progress=progress))
    if kinds[1]:
        made.append(cost_coverage(problem, points=points, seconds=share, seed=seed, progress=progress))
    return tuple(front for front in made if front is not None and front.points)


def efficiency_equity(
    problem: Placement, *, points: int = POINTS, seconds: float = 30.0, seed: int = 0, progress: Progress | None = None
) -> Front | None:
    """Return the least mean way for each longest way; None when the question has no answer."""
    progress, deadline = progress or Silent(), effort_s() + seconds
    asked = dataclasses.replace(problem, kind="p-median")
    served = _served(problem)
    people = float(problem.people[served].sum())
    if people <= 0:
        return None
    # Whom nobody can reach counts the same whatever is chosen; out with them, so that the mean is of those served.
    asked = dataclasses.replace(asked, people=np.where(served, problem.people, 0.0))
    progress.step("Fronts: efficiency and equity", points)
    share = seconds / (points + 1)
    centre = place(dataclasses.replace(asked, kind="p-center"), Stop(seconds=2 * share), seed=seed)
    progress.advance()
    median = place(asked, Stop(seconds=share), seed=seed)
    progress.advance()
    if "infeasible" in {centre.status, median.status}:
        return None
    made = [_mean_point(problem, median, people, end=True)]
    low, high = _farthest(problem, centre.sites), made[0].x
    steps = np.linspace(low, high, points)[:-1] if low < high - SAME else np.array([])
    known = np.array(centre.sites, dtype=np.int64)
    for number, limit in enumerate(steps):
        left = deadline - effort_s()
        if left <= 0:
            break
        found = _within(asked, float(limit), known, seconds=left / (len(steps) - number), seed=seed, progress=progress)
        known = np.array(found.sites, dtype=np.int64)
        made.append(_mean_point(problem, found, people, end=number == 0))
        progress.advance()
    return Front("efficiency-equity", _unbeaten(made, maximised=False), float(centre.bound), median.bound / people)


def cost_coverage(
    problem: Placement, *, points: int = POINTS, seconds: float = 30.0, seed: int = 0, progress: Progress | None = None
) -> Front | None:
    """Return the most people within the limit for each cost; None when the question has no answer or no limit."""
    if problem.limit_s is None:
        return None
    progress, deadline = progress or Silent(), effort_s() + seconds
    priced = problem.cost is not None and bool((problem.cost > 0).any())
    steps = _spendings(problem, points, priced=priced)
    progress.step("Fronts: cost and coverage", len(steps))
    made: list[FrontPoint] = []
    best = -math.inf
    known: tuple[int, ...] = ()
    for number, (p, budget) in enumerate(steps):
        left = deadline - effort_s()
        if left <= 0:
            break
        asked = dataclasses.replace(problem, kind="mclp", p=p, budget=budget, fewer=priced)
        initial = np.array(known, dtype=np.int64) if known else None
        found = place(asked, Stop(seconds=left / (len(steps) - number)), seed=seed, initial=initial)
        progress.advance()
        if found.status == "infeasible":
            continue
        x = float(problem.cost[list(found.sites)].sum()) if priced and problem.cost is not None else float(p)
        end = number in {0, len(steps) - 1}
        made.append(_point(problem, found.sites, x=x, y=found.objective, bound=found.bound, end=end))
        best, known = max(best, found.bound), found.sites
    if not made:
        return None
    least = min(point.x for point in made)
    return Front("cost-coverage", _unbeaten(made, maximised=True), least, best, priced)


def _spendings(problem: Placement, points: int, *, priced: bool) -> list[tuple[int, float | None]]:
    """Return number of sites and budget of each step, rising."""
    fewest = max(1, len(np.unique(problem.fixed)))
    candidates = problem.od_s.shape[1]
    most = min(problem.p or candidates, candidates)
    counts = np.unique(np.rint(np.linspace(fewest, max(most, fewest), points)).astype(int))
    if not priced or problem.cost is None:
        return [(int(count), problem.budget) for count in counts]
    # The cheapest so many sites, up to the budget or to the dearest so many as are asked for.
    cost = np.sort(problem.cost)
    dearest = float(cost[-most:].sum()) if problem.budget is None else float(problem.budget)
    begin = float(cost[:fewest].sum()) + float(problem.cost[np.unique(problem.fixed)].sum())
    money = np.unique(np.linspace(min(begin, dearest), dearest, points))
    return [(int(most), float(each)) for each in money]


def _served(problem: Placement) -> NDArray[np.bool_]:
    """Return whose people have a way to some candidate or facility."""
    reach = np.isfinite(problem.od_s).any(axis=1)
    existing = problem.existing_s
    if existing is not None:
        reach |= np.isfinite(existing)
    served: NDArray[np.bool_] = reach & (problem.people > 0)
    return served


def _times(problem: Placement, sites: tuple[int, ...]) -> Floats:
    times: Floats = problem.od_s[:, list(sites)].min(axis=1, initial=np.inf)
    existing = problem.existing_s
    return times if existing is None else np.minimum(times, existing)


def _farthest(problem: Placement, sites: tuple[int, ...]) -> float:
    return float(_times(problem, sites)[_served(problem)].max(initial=0.0))


def _within(
    problem: Placement, limit: float, known: NDArray[np.int64], *, seconds: float, seed: int, progress: Progress
) -> SitingResult:
    """Return the least mean way while nobody has farther than the limit, which ``known`` keeps to.

    Ways that are farther count so much that they do not pay; whatever they count, the bound holds for every choice
    that keeps to the limit.
    """
    edge, bound = limit * (1 + SAME), 0.0
    longest = max(float(problem.od_s[np.isfinite(problem.od_s)].max(initial=1.0)), 1.0)
    for far in FAR:
        found = place(_cut(problem, edge, far * longest), Stop(seconds=seconds / len(FAR)), seed=seed, initial=known)
        progress.advance(0)
        if found.status == "infeasible":
            continue
        bound = max(bound, found.bound)
        if _farthest(problem, found.sites) <= edge:
            return found
    sites = tuple(int(site) for site in np.sort(known))
    value = float(problem.people @ np.where(_served(problem), _times(problem, sites), 0.0))
    return described(problem, np.array(sites, dtype=np.int64), value, min(bound, value), began=time.perf_counter())


def _cut(problem: Placement, limit: float, beyond: float) -> Placement:
    """Return the question with ways longer than the limit made as long as ``beyond``."""

    def cut(times: Floats) -> Floats:
        return np.where((times > limit) & np.isfinite(times), beyond, times)

    there = None if problem.there_s is None else cut(problem.there_s)
    return dataclasses.replace(problem, od_s=cut(problem.od_s), there_s=there)


def _mean_point(problem: Placement, found: SitingResult, people: float, *, end: bool) -> FrontPoint:
    x = _farthest(problem, found.sites)
    return _point(problem, found.sites, x=x, y=found.objective / people, bound=found.bound / people, end=end)


def _point(problem: Placement, sites: tuple[int, ...], *, x: float, y: float, bound: float, end: bool) -> FrontPoint:
    served = _served(problem)
    times, people = _times(problem, sites)[served], problem.people[served]
    reached = np.isfinite(times)
    ways, many = times[reached], people[reached]
    limit = problem.limit_s
    return FrontPoint(
        sites=sites,
        x=x,
        y=y,
        bound=bound,
        proven=abs(bound - y) <= PROVEN * max(abs(y), 1.0),
        end=end,
        mean_s=float(np.average(ways, weights=many)) if len(ways) else math.nan,
        farthest_s=float(ways.max()) if len(ways) else math.nan,
        within=None if limit is None else float(people[times <= limit].sum()),
        cost=None if problem.cost is None else float(problem.cost[list(sites)].sum()),
        gini=gini(ways, many) if len(ways) and ways.sum() > 0 else 0.0,
    )


def _unbeaten(points: list[FrontPoint], *, maximised: bool) -> tuple[FrontPoint, ...]:
    """Return the points that no other beats on both axes, by x."""
    kept: list[FrontPoint] = []
    sign = -1.0 if maximised else 1.0
    for point in sorted(points, key=lambda each: (each.x, sign * each.y)):
        if not kept or sign * point.y < sign * kept[-1].y - SAME * max(abs(point.y), 1.0):
            kept.append(point)
    return tuple(kept)

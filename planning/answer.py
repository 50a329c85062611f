"""From a question and a city to an answer: candidates, travel times, the choice, and whom it serves."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core.progress import Progress, Silent
from geodata.crs import WGS84, project
from geodata.network import RoadNetwork, Snapped
from geodata.travel import nearest_s
from planning.candidates import Land, free_plots, spread_candidates
from planning.catchments import catchments
from planning.demand import Demand, gather
from planning.model import DEMAND_POINTS, Answer, Ground, Question, SiteAnswer
from planning.siting import SitingProblem, SitingResult, Stop, solve

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SOLVE_S = 40.0
BLOCK = 64
CURVE_STEPS = 48
CURVE_COVERS = 0.98


@dataclass(frozen=True, eq=False)
class City:
    """What a question is answered from.

    Attributes
    ----------
    homes
        Longitude and latitude of each building, shape (n, 2).
    people, community_id
        Of each building; community 0 where it lies in none.
    existing
        Longitude and latitude of the facilities that go on serving, shape (k, 2).
    land
        In the metric CRS of ``metric_srid``.
    """

    homes: Floats
    people: Floats
    community_id: Ints
    existing: Floats
    land: Land
    network: RoadNetwork
    metric_srid: int


@dataclass(frozen=True, eq=False)
class _Ways:
    """Seconds from every building: to what is there now, and to the nearest of old and new."""

    now_s: Floats
    then_s: Floats
    site: Ints
    """Place of the nearest site among the chosen, -1 where what is there now is as near, or nothing is."""


def answer(city: City, question: Question, *, progress: Progress | None = None, seconds: float = SOLVE_S) -> Answer:
    """Return the answer to a question; its numbers of people are counted on every building.

    The choice itself is made on demand gathered at `planning.model.DEMAND_POINTS` points; objective,
    bound and gap speak of these.

    Parameters
    ----------
    seconds
        For the choice and its proof; travel times come on top.
    """
    progress, clock = progress or Silent(), _Clock()
    progress.step("Finding free plots")
    homes_m = _metric(city.homes, city.metric_srid)
    plots = free_plots(city.land, homes_m[city.people > 0])
    candidates = plots[spread_candidates(plots, homes_m, city.people, question.candidates)]
    demand = gather(homes_m, city.people, DEMAND_POINTS)
    clock.lap("candidates")
    places = city.network.snap(city.homes)
    points = _some(places, demand.at)
    od_s = _travel(city.network, points, _degrees(candidates, city.metric_srid), progress)
    now_s = _nearest(city.network, places, city.existing, progress)
    clock.lap("travel_times")
    existing_s = now_s[demand.at] if len(city.existing) else None
    problem = SitingProblem(question.kind, od_s, demand.people, question.p, question.limit_s, existing_s)
    result = solve(problem, Stop(seconds=seconds), seed=question.seed, progress=progress)
    clock.lap("choice")
    facts: dict[str, Any] = {
        "buildings": int((city.people > 0).sum()),
        "people": float(city.people.sum()),
        "existing": len(city.existing),
        "plots": len(plots),
        "candidates": len(candidates),
        "demand_points": len(demand.at),
        "mean_shift_m": demand.mean_shift_m,
        "unserved_s": result.unserved_s,
        "binding": result.binding,
    }
    if result.status == "infeasible":
        return Answer("infeasible", None, None, None, result.unserved, {**facts, "seconds": clock.laps})
    chosen = candidates[list(result.sites)]
    ways = _ways(city, places, now_s, _degrees(chosen, city.metric_srid))
    sites = _sites(city, ways, question, _degrees(chosen, city.metric_srid))
    grounds = _grounds(city, result, demand, homes_m[demand.at], limit_s=question.limit_s, numbers=sites.order)
    clock.lap("counting")
    facts |= {**_figures(city, ways, question), "seconds": clock.laps}
    return Answer(
        status=result.status,
        objective=result.objective,
        bound=result.bound,
        gap=result.gap,
        unserved=result.unserved,
        facts=facts,
        sites=sites.rows,
        grounds=grounds,
    )


class _Clock:
    """Seconds of each part of the work."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 2)
        self._last = now


def _metric(lonlat: Floats, srid: int) -> Floats:
    shapes = project(np.asarray(shapely.points(lonlat), dtype=object).reshape(-1), srid)
    return np.asarray(shapely.get_coordinates(shapes), dtype=np.float64)


def _degrees(xy_m: Floats, srid: int) -> Floats:
    shapes = project(np.asarray(shapely.points(xy_m), dtype=object).reshape(-1), WGS84, srid)
    return np.asarray(shapely.get_coordinates(shapes), dtype=np.float64).reshape(-1, 2)


def _some(places: Snapped, rows: Ints) -> Snapped:
    return Snapped(places.stretch[rows], places.along[rows], places.access_s[rows])


def _travel(network: RoadNetwork, origins: Snapped, to: Floats, progress: Progress) -> Floats:
    """Return seconds from origins to places, shape (origins, places)."""
    progress.step("Travel times", len(to))
    targets = network.snap(to)
    times = np.full((len(origins), len(to)), np.inf)
    for first in range(0, len(to), BLOCK):
        block = slice(first, min(first + BLOCK, len(to)))
        times[:, block] = network.times(origins, targets.part(block))
        progress.advance(block.stop - first)
    return times


def _nearest(network: RoadNetwork, origins: Snapped, to: Floats, progress: Progress) -> Floats:
    """Return seconds from each origin to the nearest of the places; inf where there is none."""
    if not len(to):
        return np.full(len(origins), np.inf)
    progress.step("Ways to what is there", len(to))
    return nearest_s(network, origins, network.snap(to))[0].astype(np.float64)


def _ways(city: City, places: Snapped, now_s: Floats, sites: Floats) -> _Ways:
    times = city.network.times(places, city.network.snap(sites))
    nearest = times.argmin(axis=1)
    shortest = times[np.arange(len(times)), nearest]
    return _Ways(now_s, np.minimum(shortest, now_s), np.where(shortest < now_s, nearest, -1))


@dataclass(frozen=True)
class _Sites:
    rows: tuple[SiteAnswer, ...]
    order: Ints
    """Number of each chosen candidate, from 1, in the order of the choice."""


def _sites(city: City, ways: _Ways, question: Question, lonlat: Floats) -> _Sites:
    served = np.bincount(ways.site + 1, weights=city.people, minlength=len(lonlat) + 1)[1:]
    by_people = np.argsort(-served, kind="stable")
    numbers = np.empty(len(lonlat), dtype=np.int64)
    numbers[by_people] = np.arange(1, len(lonlat) + 1)
    rows = []
    for at in by_people:
        mine = (ways.site == at) & (city.people > 0)
        people, times = city.people[mine], ways.then_s[mine]
        rows.append(
            SiteAnswer(
                number=int(numbers[at]),
                lon=float(lonlat[at, 0]),
                lat=float(lonlat[at, 1]),
                people=float(people.sum()),
                within=float(people[times <= question.limit_s].sum()),
                mean_s=_mean(times, people),
                farthest_s=float(times.max()) if len(times) else None,
            )
        )
    return _Sites(tuple(rows), numbers)


def _grounds(
    city: City, result: SitingResult, demand: Demand, xy: Floats, *, limit_s: float, numbers: Ints
) -> tuple[Ground, ...]:
    people = demand.people
    number_of = dict(zip(result.sites, (int(number) for number in numbers), strict=True))
    groups = np.array([number_of.get(int(at), int(at)) for at in result.assignment], dtype=np.int64)
    reached = np.isfinite(result.times_s)
    made = [
        Ground("catchment" if number > 0 else "existing", number if number > 0 else None, count, shape)
        for number, count, shape in _shapes(xy[reached], groups[reached], people[reached], city)
    ]
    beyond = np.where(reached, np.where(result.times_s <= limit_s, 0, 1), 2)
    made += [
        Ground("left_out" if kind == 1 else "unreachable", None, count, shape)
        for kind, count, shape in _shapes(xy, beyond, people, city)
        if kind
    ]
    return tuple(made)


def _shapes(xy: Floats, groups: Ints, people: Floats, city: City) -> list[tuple[int, float, shapely.MultiPolygon]]:
    found = catchments(xy, groups, city.land.boundary)
    if not found:
        return []
    degrees = project(np.array(list(found.values()), dtype=object), WGS84, city.metric_srid)
    return [(group, float(people[groups == group].sum()), shape) for group, shape in zip(found, degrees, strict=True)]


def _figures(city: City, ways: _Ways, question: Question) -> Mapping[str, Any]:
    """Return what changes for people: means, shares within the limit, the curve, each community."""
    people, limit_s = city.people, question.limit_s
    reached = np.isfinite(ways.then_s)
    last_min = _curve_end(ways.then_s[reached], people[reached], question)
    minutes = np.linspace(0.0, last_min, CURVE_STEPS + 1)
    total = max(float(people.sum()), 1e-9)

    def share(times: Floats) -> list[float]:
        return [round(float(people[times <= minute * 60].sum()) / total, 4) for minute in minutes]

    communities = []
    for community in np.unique(city.community_id[(city.community_id > 0) & (people > 0)]):
        mine = (city.community_id == community) & (people > 0)
        communities.append(
            {
                "id": int(community),
                "people": float(people[mine].sum()),
                **_before_and_after(ways.now_s[mine], ways.then_s[mine], people[mine], limit_s),
            }
        )
    return {
        **_before_and_after(ways.now_s, ways.then_s, people, limit_s),
        "unreachable": float(people[~reached].sum()),
        "curve": {
            "minutes": [round(float(minute), 2) for minute in minutes],
            "now": share(ways.now_s) if len(city.existing) else None,
            "then": share(ways.then_s),
        },
        "communities": communities,
    }


def _before_and_after(now_s: Floats, then_s: Floats, people: Floats, limit_s: float) -> dict[str, float | None]:
    return {
        "mean_s_now": _mean(now_s, people),
        "mean_s_then": _mean(then_s, people),
        "within_now": float(people[now_s <= limit_s].sum()),
        "within_then": float(people[then_s <= limit_s].sum()),
    }


def _mean(times: Floats, people: Floats) -> float | None:
    """Return the mean time per person who has a way; None when nobody has."""
    there = np.isfinite(times) & (people > 0)
    return float(np.average(times[there], weights=people[there])) if there.any() else None


def _curve_end(times: Floats, people: Floats, question: Question) -> float:
    """Return the minutes up to which the curve is drawn: nearly everybody, and the limit in any case."""
    if not len(times) or people.sum() <= 0:
        return 2 * question.limit_min
    order = np.argsort(times)
    covered = np.cumsum(people[order])
    last_s = times[order][min(np.searchsorted(covered, CURVE_COVERS * covered[-1]), len(times) - 1)]
    return float(max(np.ceil(last_s / 60 / 5) * 5, np.ceil(1.2 * question.limit_min)))

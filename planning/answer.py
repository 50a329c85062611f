"""From a question and a city to an answer: candidates, travel times, the choice, and whom it serves."""

from __future__ import annotations

import dataclasses
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
from planning.catchments import catchments
from planning.demand import Demand, gather
from planning.kinds import INFO
from planning.large import by_blocks, on_every_building
from planning.model import DEMAND_POINTS, Answer, Ground, Question, SiteAnswer
from planning.placement import Placement
from planning.posing import Candidates, City, candidates_of, demand_of, metric, pose, some
from planning.siting import EXISTING, UNSERVED, SitingResult, Stop
from planning.solving import solved, who

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SOLVE_S = 40.0
CURVE_STEPS = 48
CURVE_COVERS = 0.98


@dataclass(frozen=True, eq=False)
class _Ways:
    """Seconds from every building: to what is there now, and to the nearest of old and new."""

    now_s: Floats
    then_s: Floats
    site: Ints
    """Place of the nearest site among the chosen, -1 where what is there now is as near, or nothing is."""


def answer(city: City, question: Question, *, progress: Progress | None = None, seconds: float = SOLVE_S) -> Answer:
    """Return the answer to a question; its numbers of people are counted on every building.

    The choice itself is made on demand gathered at `planning.model.DEMAND_POINTS` points, or as many as the terms
    say; objective, bound and gap speak of these. Of shortest ways for all, ``every`` among the facts carries the
    proof to all buildings.

    Parameters
    ----------
    seconds
        For the choice and its proof; travel times come on top.
    """
    progress, clock = progress or Silent(), _Clock()
    progress.step("Finding free plots")
    homes_m = metric(city.homes, city.metric_srid)
    where = candidates_of(city, question, homes_m)
    demand = demand_of(city, question, homes_m)
    clock.lap("candidates")
    places = city.network.snap(city.homes)
    now_s = _nearest(city.network, places, city.existing, progress)
    points, near_s = some(places, demand.at), now_s[demand.at]
    if question.by_blocks:
        clock.lap("travel_times")
        large = by_blocks(city, question, where, demand, points, nearest_s=near_s, progress=progress)
        problem, found = large.problem, large.solved
    else:
        problem = pose(city, question, where, demand, points, nearest_s=near_s, progress=progress)
        clock.lap("travel_times")
        stop = Stop(seconds=question.terms.seconds or seconds)
        found = solved(problem, where, question, stop, progress=progress)
    result = found.result
    clock.lap("choice")
    facts: dict[str, Any] = {
        "buildings": int((city.people > 0).sum()),
        "people": float(city.people.sum()),
        "existing": len(city.existing),
        "plots": where.plots,
        "candidates": where.new,
        "demand_points": len(demand.at),
        "mean_shift_m": demand.mean_shift_m,
        "unserved_s": result.unserved_s,
        "binding": result.binding,
        "by_blocks": question.by_blocks,
        "built": int((np.array(result.sites, dtype=np.int64) < where.new).sum()),
        **found.told,
        **where.told,
    }
    if result.status == "infeasible":
        facts["who"] = who(problem, result, city.community_id[demand.at])
        clock.lap("counting")
        grounds = _left(city, *_drawn(city, result, demand, homes_m)) if result.binding in {"reach", "sites"} else ()
        facts["seconds"] = clock.laps
        return Answer("infeasible", None, None, None, result.unserved, facts, grounds=grounds)
    chosen = np.array(result.sites, dtype=np.int64)
    new = chosen[chosen < where.new]
    stays = chosen[chosen >= where.new]
    if where.closable:
        facts["closed"] = _closed(where, stays)
    owner = _owner(problem, result, demand, new, stays)
    ways = _ways(city, places, now_s, where, new, stays, owner)
    sites = _sites(city, ways, question, where.lonlat[new])
    grounds = _grounds(
        city, *_drawn(city, result, demand, homes_m), limit_s=question.limit_s, chosen=new, numbers=sites.order
    )
    if question.kind == "p-median":
        progress.step("Carrying the proof to every building")
        facts["every"] = on_every_building(city, places, demand, result, ways.then_s)
    clock.lap("counting")
    promised = result.objective if question.kind == "p-center" else question.limit_s
    facts |= {**_figures(city, ways, question), **_longer(city, ways, promised), "seconds": clock.laps}
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


def _closed(where: Candidates, stays: Ints) -> list[list[float]]:
    """Return the facilities that are closed, longitude and latitude."""
    gone = np.setdiff1d(np.arange(where.new, len(where.lonlat)), stays)
    return [[float(lon), float(lat)] for lon, lat in where.lonlat[gone]]


def _owner(problem: Placement, result: SitingResult, demand: Demand, new: Ints, stays: Ints) -> Ints | None:
    """Return for each building the place among ``new`` of its site, where room decides who goes where; else None.

    -1: something that is there; -2: nobody.
    """
    if not INFO[problem.kind].needs_capacity:
        return None
    place_of = np.full(problem.od_s.shape[1], -1)
    place_of[new] = np.arange(len(new))
    place_of[stays] = EXISTING
    own = np.where(result.assignment >= 0, place_of[np.maximum(result.assignment, 0)], result.assignment)
    return np.where(demand.owner >= 0, own[np.maximum(demand.owner, 0)], UNSERVED)


class _Clock:
    """Seconds of each part of the work."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = round(now - self._last, 2)
        self._last = now


def _nearest(network: RoadNetwork, origins: Snapped, to: Floats, progress: Progress) -> Floats:
    """Return seconds from each origin to the nearest of the places; inf where there is none."""
    if not len(to):
        return np.full(len(origins), np.inf)
    progress.step("Ways to what is there", len(to))
    return nearest_s(network, origins, network.snap(to))[0].astype(np.float64)


def _ways(  # noqa: PLR0917  (the choice, part by part)
    city: City, places: Snapped, now_s: Floats, where: Candidates, new: Ints, stays: Ints, owner: Ints | None
) -> _Ways:
    there_s = now_s
    if where.closable:
        there_s = _nearest(city.network, places, where.lonlat[stays], Silent())
    if not len(new):
        return _Ways(now_s, there_s, np.full(len(now_s), -1))
    times = city.network.times(places, city.network.snap(where.lonlat[new]))
    if owner is not None:
        own = times[np.arange(len(times)), np.maximum(owner, 0)]
        then_s = np.where(owner >= 0, own, np.where(owner == EXISTING, there_s, np.inf))
        return _Ways(now_s, then_s, np.where(owner >= 0, owner, -1))
    nearest = times.argmin(axis=1)
    shortest = times[np.arange(len(times)), nearest]
    return _Ways(now_s, np.minimum(shortest, there_s), np.where(shortest < there_s, nearest, -1))


@dataclass(frozen=True)
class _Sites:
    rows: tuple[SiteAnswer, ...]
    order: Ints
    """Number of each chosen candidate, from 1, in the order of the choice."""


def _sites(city: City, ways: _Ways, question: Question, lonlat: Floats) -> _Sites:
    served = np.bincount(ways.site + 1, weights=city.people, minlength=len(lonlat) + 1)[1:]
    by_people = np.argsort(-served[: len(lonlat)], kind="stable")
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


def _drawn(city: City, result: SitingResult, demand: Demand, homes_m: Floats) -> tuple[SitingResult, Demand, Floats]:
    """Return the answer at few enough points to draw the ground around each."""
    if len(demand.at) <= DEMAND_POINTS:
        return result, demand, homes_m[demand.at]
    few = gather(homes_m, city.people, DEMAND_POINTS)
    own = demand.owner[few.at]
    shown = dataclasses.replace(result, assignment=result.assignment[own], times_s=result.times_s[own])
    return shown, few, homes_m[few.at]


def _grounds(
    city: City, result: SitingResult, demand: Demand, xy: Floats, *, limit_s: float, chosen: Ints, numbers: Ints
) -> tuple[Ground, ...]:
    people = demand.people
    number_of = dict(zip(chosen.tolist(), (int(number) for number in numbers), strict=True))
    groups = np.array([number_of.get(int(at), EXISTING) for at in result.assignment], dtype=np.int64)
    reached = np.isfinite(result.times_s)
    made = [
        Ground("catchment" if number > 0 else "existing", number if number > 0 else None, count, shape)
        for number, count, shape in _shapes(xy[reached], groups[reached], people[reached], city)
    ]
    made += _beyond(city, demand, xy, np.where(reached, np.where(result.times_s <= limit_s, 0, 1), 2))
    return tuple(made)


def _left(city: City, result: SitingResult, demand: Demand, xy: Floats) -> tuple[Ground, ...]:
    """Return the ground of those because of whom there is no answer."""
    return tuple(_beyond(city, demand, xy, np.where(result.assignment == UNSERVED, 1, 0)))


def _beyond(city: City, demand: Demand, xy: Floats, beyond: Ints) -> list[Ground]:
    return [
        Ground("left_out" if kind == 1 else "unreachable", None, count, shape)
        for kind, count, shape in _shapes(xy, beyond, demand.people, city)
        if kind
    ]


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


def _longer(city: City, ways: _Ways, promised_s: float) -> Mapping[str, Any]:
    """Return who has farther than is promised, counted on every building, and the longest way there is."""
    reached = np.isfinite(ways.then_s) & (city.people > 0)
    return {
        "longer": float(city.people[reached & (ways.then_s > promised_s + 0.5)].sum()),
        "longest_s": float(ways.then_s[reached].max(initial=0.0)),
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

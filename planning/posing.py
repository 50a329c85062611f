"""From a city and a question to numbers: candidates, demand, travel times, and what the answer keeps to."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from core.progress import Progress
from geodata.crs import WGS84, project
from geodata.network import RoadNetwork, Snapped
from geodata.travel import closed
from planning.candidates import Land, free_plots, off_the_taken, spread_candidates
from planning.demand import Demand, gather
from planning.kinds import INFO
from planning.model import AT_ONCE_CANDIDATES, DEMAND_POINTS, ROOMED_POINTS, Question
from planning.placement import Placement
from planning.sifting import Sieve
from planning.terms import Terms

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BLOCK = 64
FORBIDDEN_M = 60.0
"""A candidate this near to a place that was struck out is struck out too."""
SAME_M = 1.0


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
    convertible
        Buildings that nobody lives in: longitude, latitude, square metres; shape (n, 3).
    """

    homes: Floats
    people: Floats
    community_id: Ints
    existing: Floats
    land: Land
    network: RoadNetwork
    metric_srid: int
    convertible: Floats = field(default_factory=lambda: np.empty((0, 3)))


@dataclass(frozen=True, eq=False)
class Candidates:
    """Where something could stand.

    Attributes
    ----------
    lonlat
        Shape (n, 2); facilities that may be closed come last, so many as ``closable``.
    plots
        How many free plots there were.
    fixed, by_hand
        Candidates that are built in any case, and those of a plan to be weighed.
    cost, capacity
        Of each; nan where the question says none.
    excluded, excluded_at
        How many places were left out for each reason of `planning.sifting.REASONS`, and where some of them lie.
    """

    lonlat: Floats
    xy_m: Floats
    plots: int
    closable: int
    fixed: Ints
    by_hand: Ints
    cost: Floats
    capacity: Floats
    excluded: dict[str, int] = field(default_factory=dict)
    excluded_at: dict[str, Floats] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, Any]:
        """Return where it was looked and what was left out, plain enough to be stored."""
        return {
            "excluded": self.excluded,
            "excluded_at": {reason: _plain(places) for reason, places in self.excluded_at.items()},
            "candidates_at": _plain(self.lonlat[: self.new]),
        }

    @property
    def new(self) -> int:
        """Return how many could be built."""
        return len(self.lonlat) - self.closable


def _plain(lonlat: Floats) -> list[list[float]]:
    return [[round(float(lon), 5), round(float(lat), 5)] for lon, lat in lonlat]


def metric(lonlat: Floats, srid: int) -> Floats:
    """Return places in metres, shape (n, 2)."""
    shapes = project(np.asarray(shapely.points(lonlat), dtype=object).reshape(-1), srid)
    return np.asarray(shapely.get_coordinates(shapes), dtype=np.float64).reshape(-1, 2)


def degrees(xy_m: Floats, srid: int) -> Floats:
    """Return places as longitude and latitude, shape (n, 2)."""
    shapes = project(np.asarray(shapely.points(xy_m), dtype=object).reshape(-1), WGS84, srid)
    return np.asarray(shapely.get_coordinates(shapes), dtype=np.float64).reshape(-1, 2)


def some(places: Snapped, rows: Ints) -> Snapped:
    """Return some of the places."""
    return Snapped(places.stretch[rows], places.along[rows], places.access_s[rows])


def candidates_of(city: City, question: Question, homes_m: Floats) -> Candidates:
    """Return where something could stand: plots, buildings or the planner's own places, and what he added or struck."""
    terms, srid = question.terms, city.metric_srid
    sieve = Sieve()
    found = _sought(city, question, homes_m, sieve)
    existing_m = metric(city.existing, srid) if len(city.existing) else np.empty((0, 2))
    kept = _allowed(found.xy_m, terms, srid, existing_m, sieve)
    xy_m, cost, capacity = found.xy_m[kept], found.cost[kept], found.capacity[kept]
    places: dict[str, Ints] = {}
    for name, more in (("also", terms.also), ("fixed", terms.fixed), ("by_hand", terms.by_hand)):
        fresh = metric(np.array(more, dtype=np.float64), srid) if more else np.empty((0, 2))
        at = []
        for one in fresh:
            away = np.hypot(*(xy_m - one).T) if len(xy_m) else np.array([np.inf])
            if away.min() > SAME_M:
                xy_m = np.vstack([xy_m, one])
                cost, capacity = np.append(cost, np.nan), np.append(capacity, np.nan)
                at.append(len(xy_m) - 1)
            else:
                at.append(int(away.argmin()))
        places[name] = np.array(at, dtype=np.int64)
    closable = len(existing_m) if terms.closable else 0
    fixed = places["fixed"]
    if closable:
        if terms.stay:
            nearest = cKDTree(existing_m).query(metric(np.array(terms.stay), srid))[1]
            fixed = np.unique(np.r_[fixed, len(xy_m) + np.asarray(nearest, dtype=np.int64)])
        xy_m = np.vstack([xy_m, existing_m])
        cost, capacity = np.r_[cost, np.zeros(closable)], np.r_[capacity, np.full(closable, np.nan)]
    lonlat = degrees(xy_m, srid)
    if closable:
        lonlat[-closable:] = city.existing
    drawn = {reason: degrees(some_m, srid) for reason, some_m in sieve.drawn.items()}
    return Candidates(
        lonlat, xy_m, found.plots, closable, fixed, places["by_hand"], cost, capacity, dict(sieve.counts), drawn
    )


@dataclass(frozen=True, eq=False)
class _Sought:
    """Candidates before anything is struck out."""

    xy_m: Floats
    cost: Floats
    capacity: Floats
    plots: int = 0


def _sought(city: City, question: Question, homes_m: Floats, sieve: Sieve) -> _Sought:
    """Return the places that the question asks about, without those on ground that cannot be built on."""
    terms, srid, land = question.terms, city.metric_srid, city.land
    if terms.places:
        xy_m = metric(np.array([(each.lon, each.lat) for each in terms.places]), srid)
        area = np.array([np.inf if each.area_m2 is None else each.area_m2 for each in terms.places])
        kept = np.arange(len(xy_m))
        kept = _sifted(land, xy_m, area, terms, sieve) if terms.sifted or terms.least_m2 else kept
        cost, capacity = (
            np.array([np.nan if value is None else value for value in values])
            for values in ([each.cost for each in terms.places], [each.capacity for each in terms.places])
        )
        return _Sought(xy_m[kept], cost[kept], capacity[kept])
    if terms.source == "buildings":
        xy_m = metric(city.convertible[:, :2], srid) if len(city.convertible) else np.empty((0, 2))
        xy_m = xy_m[_sifted(land, xy_m, city.convertible[:, 2], terms, sieve)]
    else:
        xy_m = free_plots(land, homes_m[city.people > 0], sieve)
    plots = len(xy_m)
    xy_m = xy_m[spread_candidates(xy_m, homes_m, city.people, question.candidates)]
    none = np.full(len(xy_m), np.nan)
    return _Sought(xy_m, none, none, plots)


def _sifted(land: Land, xy_m: Floats, area_m2: Floats, terms: Terms, sieve: Sieve) -> Ints:
    """Return the rows of places inside the territory, large enough, and on no water, road, green or farmland."""
    rows: Ints = np.arange(len(xy_m))
    small = area_m2 < (terms.least_m2 or 0.0)
    sieve.note(xy_m, small, "too_small")
    rows = rows[~small]
    if not terms.sifted and terms.source == "free":
        return rows
    shapely.prepare(land.boundary)
    inside = shapely.contains_xy(land.boundary, xy_m[rows, 0], xy_m[rows, 1])
    sieve.note(xy_m[rows], ~inside, "outside")
    rows = rows[inside]
    if terms.source == "buildings":
        return rows
    left = {tuple(place) for place in off_the_taken(land, xy_m[rows], 0.0, sieve, buildings=False).tolist()}
    free = np.array([tuple(place) in left for place in xy_m[rows].tolist()], dtype=bool)
    kept: Ints = rows[free]
    return kept


def _allowed(xy_m: Floats, terms: Terms, srid: int, existing_m: Floats, sieve: Sieve) -> NDArray[np.bool_]:
    """Return which candidates neither the planner nor a zone nor the spacing strikes out."""
    kept = np.ones(len(xy_m), dtype=bool)

    def leave_out(out: NDArray[np.bool_], reason: str) -> None:
        sieve.note(xy_m, out & kept, reason)
        kept[out] = False

    if terms.forbidden and len(xy_m):
        away = np.asarray(cKDTree(metric(np.array(terms.forbidden), srid)).query(xy_m)[0])
        leave_out(away <= FORBIDDEN_M, "struck_out")
    for zone in project(np.array(terms.shapes, dtype=object), srid) if terms.zones else ():
        leave_out(shapely.contains_xy(zone, xy_m[:, 0], xy_m[:, 1]), "zone")
    if terms.spacing_m is not None and len(existing_m) and not terms.closable and len(xy_m):
        away = np.asarray(cKDTree(existing_m).query(xy_m)[0])
        leave_out(away < terms.spacing_m, "too_close")
    return kept


def fewer(where: Candidates, homes_m: Floats, people: Floats, keep: Ints) -> Candidates:
    """Return no more candidates than are compared in one piece, spread as people live; ``keep`` and fixed ones stay."""
    if where.new <= AT_ONCE_CANDIDATES:
        return where
    spread = spread_candidates(where.xy_m[: where.new], homes_m, people, AT_ONCE_CANDIDATES)
    rows = np.unique(np.r_[spread, keep, where.fixed, where.by_hand, np.arange(where.new, len(where.lonlat))])
    rows = rows.astype(np.int64)
    return dataclasses.replace(
        where, lonlat=where.lonlat[rows], xy_m=where.xy_m[rows], cost=where.cost[rows], capacity=where.capacity[rows],
        fixed=np.searchsorted(rows, where.fixed), by_hand=np.searchsorted(rows, where.by_hand),
    )  # fmt: skip


def without_streets(network: RoadNetwork, places: Floats) -> RoadNetwork:
    """Return the network with the stretch nearest to each place (longitude, latitude) closed to all."""
    stretches = network.snap(places).stretch
    return closed(network, np.unique(stretches[stretches >= 0]))


def demand_of(city: City, question: Question, homes_m: Floats) -> Demand:
    """Return the people gathered at as many points as the kind of question bears."""
    most = question.terms.points or (ROOMED_POINTS if INFO[question.kind].needs_capacity else DEMAND_POINTS)
    return gather(homes_m, city.people, most)


def travel(network: RoadNetwork, origins: Snapped, to: Floats, progress: Progress) -> Floats:
    """Return seconds from origins to places, shape (origins, places)."""
    progress.step("Travel times", len(to))
    targets = network.snap(to)
    times = np.full((len(origins), len(to)), np.inf)
    for first in range(0, len(to), BLOCK):
        block = slice(first, min(first + BLOCK, len(to)))
        times[:, block] = network.times(origins, targets.part(block))
        progress.advance(block.stop - first)
    return times


def pose(
    city: City, question: Question, where: Candidates, demand: Demand, points: Snapped, *, nearest_s: Floats,
    progress: Progress,
) -> Placement:  # fmt: skip
    """Return the question as numbers.

    Parameters
    ----------
    points
        Of demand, on the streets.
    nearest_s
        From each point to the nearest facility that stays, shape (points,).
    """
    terms, info = question.terms, INFO[question.kind]
    od_s = travel(city.network, points, where.lonlat, progress)
    staying = len(city.existing) and not terms.closable
    there_s: Floats | None = None
    if staying:
        each = info.needs_capacity or question.kind in {"backup", "huff"}
        there_s = travel(city.network, points, city.existing, progress) if each else nearest_s[:, None]
    between = there_m = None
    conflicts = np.empty((0, 2), dtype=np.int64)
    if question.kind == "p-dispersion" or terms.spacing_m is not None:
        between = np.hypot(*(where.xy_m[:, None] - where.xy_m[None]).transpose(2, 0, 1))
        if terms.spacing_m is not None:
            conflicts = np.argwhere(np.triu(between < terms.spacing_m, 1)).astype(np.int64)
            # What is there stands, whatever lies between.
            conflicts = conflicts[~(conflicts >= where.new).all(axis=1)]
        if staying:
            there_m = np.asarray(cKDTree(metric(city.existing, city.metric_srid)).query(where.xy_m)[0])
    cost = np.where(np.isnan(where.cost), terms.site_cost or 0.0, where.cost)
    room = np.where(np.isnan(where.capacity), terms.capacity or np.inf, where.capacity)
    _, group = np.unique(np.r_[0, city.community_id[demand.at]], return_inverse=True)
    return Placement(
        question.kind, od_s, demand.people, question.p + (where.closable if info.needs_p else 0),
        limit_s=question.limit_s, there_s=there_s, capacity=room,
        there_capacity=np.full(len(city.existing), terms.capacity or np.inf) if staying else None,
        cost=cost, budget=terms.budget, hour_cost=terms.hour_cost or 1.0, between_m=between, there_m=there_m,
        fixed=where.fixed, conflicts=conflicts, group=group[1:] - 1, floor=terms.floor,
    )  # fmt: skip

"""From a city and a question to numbers: candidates, demand, travel times, and what the answer keeps to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from core.progress import Progress
from geodata.crs import WGS84, project
from geodata.network import RoadNetwork, Snapped
from planning.candidates import Land, free_plots, spread_candidates
from planning.demand import Demand, gather
from planning.kinds import INFO
from planning.model import DEMAND_POINTS, Question
from planning.placement import Placement

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
BLOCK = 64
FORBIDDEN_M = 60.0
"""A candidate this near to a place that was struck out is struck out too."""
SAME_M = 1.0
ROOMED_POINTS = 600
"""Points of demand where room is counted: who goes where is a question of its own then."""


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
    """

    lonlat: Floats
    xy_m: Floats
    plots: int
    closable: int
    fixed: Ints
    by_hand: Ints
    cost: Floats
    capacity: Floats

    @property
    def new(self) -> int:
        """Return how many could be built."""
        return len(self.lonlat) - self.closable


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
    """Return where something could stand: free plots or the planner's own places, and what he added or struck out."""
    terms, srid = question.terms, city.metric_srid
    plots = 0
    if terms.places:
        xy_m = metric(np.array([(each.lon, each.lat) for each in terms.places]), srid)
        cost = np.array([np.nan if each.cost is None else each.cost for each in terms.places])
        capacity = np.array([np.nan if each.capacity is None else each.capacity for each in terms.places])
    else:
        free = free_plots(city.land, homes_m[city.people > 0])
        plots = len(free)
        xy_m = free[spread_candidates(free, homes_m, city.people, question.candidates)]
        cost = capacity = np.full(len(xy_m), np.nan)
    kept = np.ones(len(xy_m), dtype=bool)
    if terms.forbidden and len(xy_m):
        struck = cKDTree(metric(np.array(terms.forbidden), srid))
        kept &= struck.query(xy_m)[0] > FORBIDDEN_M
    for zone in project(np.array(terms.shapes, dtype=object), srid) if terms.zones else ():
        kept &= ~shapely.contains_xy(zone, xy_m[:, 0], xy_m[:, 1])
    existing_m = metric(city.existing, srid) if len(city.existing) else np.empty((0, 2))
    if terms.spacing_m is not None and len(existing_m) and not terms.closable and len(xy_m):
        kept &= cKDTree(existing_m).query(xy_m)[0] >= terms.spacing_m
    xy_m, cost, capacity = xy_m[kept], cost[kept], capacity[kept]
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
    if closable:
        xy_m = np.vstack([xy_m, existing_m])
        cost, capacity = np.r_[cost, np.zeros(closable)], np.r_[capacity, np.full(closable, np.nan)]
    lonlat = degrees(xy_m, srid)
    if closable:
        lonlat[-closable:] = city.existing
    return Candidates(lonlat, xy_m, plots, closable, places["fixed"], places["by_hand"], cost, capacity)


def demand_of(city: City, question: Question, homes_m: Floats) -> Demand:
    """Return the people gathered at as many points as the kind of question bears."""
    most = ROOMED_POINTS if INFO[question.kind].needs_capacity else DEMAND_POINTS
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

"""A study counted again on every building, for its report: ways now and then, and what the trials need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from core.progress import Progress
from geodata.travel import matrix_s, nearest_s
from planning.demand import Demand
from planning.kinds import INFO
from planning.model import Question, SiteAnswer
from planning.posing import Candidates, City, candidates_of, demand_of, fewer, metric, pose, some
from planning.report_model import NOBODY, THERE, Homes
from planning.report_trials import Posed
from planning.siting import EXISTING
from planning.weigh import weigh

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
SAME_M = 2.0
"""A candidate so near to a site of the study is this site."""


@dataclass(frozen=True, eq=False)
class Counted:
    """What a report is counted from; ``posed`` is None where today's data no longer hold the chosen places."""

    homes: Homes
    demand: Demand
    posed: Posed | None


def counted(  # noqa: PLR0917  (what a city gives, part by part)
    city: City, question: Question, sites: Sequence[SiteAnswer], closed: Sequence[Sequence[float]], grid_id: Ints,
    progress: Progress,
) -> Counted:  # fmt: skip
    """Return a study's answer counted on every building of today's data.

    Parameters
    ----------
    closed
        Longitude and latitude of the facilities that the answer closes.
    grid_id
        Of each building; 0 in none.
    """
    progress.step("Counting every building")
    homes_m = metric(city.homes, city.metric_srid)
    demand = demand_of(city, question.with_few_points, homes_m)
    places = city.network.snap(city.homes)
    lonlat = np.array([(each.lon, each.lat) for each in sites], dtype=np.float64).reshape(-1, 2)
    numbers = np.array([each.number for each in sites], dtype=np.int64)
    now_s = _nearest(city, city.existing)
    stay = np.array([[lon, lat] not in [list(each) for each in closed] for lon, lat in city.existing.tolist()], bool)
    stays = city.existing[stay] if len(city.existing) else city.existing
    there_s = now_s if stay.all() else _nearest(city, stays)
    then_s, site = there_s.copy(), np.where(np.isfinite(there_s), THERE, NOBODY)
    posed = _posed(city, question, homes_m, demand, now_s, lonlat, stays, progress)
    if len(lonlat):
        times = matrix_s(city.network, places, city.network.snap(lonlat)).astype(np.float64)
        nearest = times.argmin(axis=1)
        shortest = times[np.arange(len(times)), nearest]
        better = shortest < there_s
        then_s, site = np.where(better, shortest, there_s), np.where(better, numbers[nearest], site)
        if INFO[question.kind].needs_capacity and posed is not None:
            then_s, site = _by_room(posed, times, there_s, numbers)
    point = np.where(city.people > 0, demand.owner, -1)
    homes = Homes(city.homes, city.people, grid_id, city.community_id, now_s, then_s, site, point)
    return Counted(homes, demand, posed)


def _nearest(city: City, to: Floats) -> Floats:
    if not len(to):
        return np.full(len(city.homes), np.inf)
    return nearest_s(city.network, city.network.snap(city.homes), city.network.snap(to))[0].astype(np.float64)


def _posed(  # noqa: PLR0917  (the parts of a question, one by one)
    city: City, question: Question, homes_m: Floats, demand: Demand, now_s: Floats, sites: Floats, stays: Floats,
    progress: Progress,
) -> Posed | None:  # fmt: skip
    """Return the question as numbers again; None when a chosen place is no candidate any more."""
    progress.step("Finding free plots")
    where = candidates_of(city, question, homes_m)
    chosen = _at(where, sites, city.metric_srid)
    if chosen is None:
        return None
    where = fewer(where, homes_m, city.people, chosen)
    chosen = _at(where, sites, city.metric_srid)
    if chosen is None:
        return None
    kept = np.empty(0, dtype=np.int64)
    if where.closable:
        at = _at(where, stays, city.metric_srid)
        kept = kept if at is None else at
    points = some(city.network.snap(city.homes), demand.at)
    problem = pose(city, question, where, demand, points, nearest_s=now_s[demand.at], progress=progress)
    return Posed(city, where, demand, problem, points, city.network.snap(where.lonlat), chosen, kept)


def _at(where: Candidates, lonlat: Floats, srid: int) -> Ints | None:
    if not len(lonlat):
        return np.empty(0, dtype=np.int64)
    if not len(where.xy_m):
        return None
    away, at = cKDTree(where.xy_m).query(metric(lonlat, srid))
    return np.asarray(at, dtype=np.int64) if bool(np.all(away <= SAME_M)) else None


def _by_room(posed: Posed, times: Floats, there_s: Floats, numbers: Ints) -> tuple[Floats, Ints]:
    """Return ways and sites of the buildings where room decides who goes where."""
    result = weigh(posed.problem, np.r_[posed.sites, posed.stays])
    place_of = np.full(posed.problem.od_s.shape[1], -1)
    place_of[posed.sites] = np.arange(len(posed.sites))
    at = np.where(result.assignment >= 0, place_of[np.maximum(result.assignment, 0)], -1)
    there = (result.assignment == EXISTING) | np.isin(result.assignment, posed.stays)
    owner = np.maximum(posed.demand.owner, 0)
    mine, is_there = at[owner], there[owner] & (at[owner] < 0)
    own = times[np.arange(len(times)), np.maximum(mine, 0)]
    then_s = np.where(mine >= 0, own, np.where(is_there, there_s, np.inf))
    site = np.where(mine >= 0, numbers[np.maximum(mine, 0)], np.where(is_there, THERE, NOBODY))
    return then_s, np.where(np.isfinite(then_s), site, NOBODY)

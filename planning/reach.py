"""Who reaches what in time: the answer to a question of access, counted on every building where people live."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.progress import Progress, Silent
from geodata.crs import project
from geodata.network import Snapped
from geodata.travel import matrix_s, nearest_s
from planning import access, equity
from planning.access_groups import by_group
from planning.access_model import AccessAnswer, AccessCity, AccessQuestion, CellAccess
from planning.demand import gather

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DEMAND_POINTS = 2500
"""Points the people are gathered at for the floating catchments; ways are counted from every building."""
CURVE_STEPS = 50
UNSERVED_POINTS = 220
PER = 10_000.0
"""Supply is told for so many people."""


def measure(city: AccessCity, question: AccessQuestion, *, progress: Progress | None = None) -> AccessAnswer:
    """Return the answer to a question.

    Raises
    ------
    InvalidInput
        When nobody lives in the city.
    """
    progress, began = progress or Silent(), time.perf_counter()
    if not len(city.people):
        raise InvalidInput("Nobody lives here, so nobody reaches anything.", hint="Load buildings with people.")
    places = city.network.snap(city.homes)
    progress.step("Ways to the nearest", len(question.kinds))
    ways = _ways(city, question, places, progress)
    progress.step("Sharing out what is there")
    supply = _supply(city, question, places)
    now_s = access.basket_s(ways).astype(np.float64)
    facts: dict[str, Any] = {
        "buildings": len(city.people),
        "facilities": {kind: len(city.facilities[kind]) for kind in question.kinds},
        "demand_points": 0 if supply is None else len(supply.people),
        "mean_shift_m": 0.0 if supply is None else supply.mean_shift_m,
        "places_known": supply is not None and supply.places_known,
        "now": _scenario(ways, city, question, supply),
        "then": None,
        "allowed": _allowed(city, question, places),
    }
    then_ways = _with_sites(city, question, places, ways)
    then_s = None if then_ways is None else access.basket_s(then_ways).astype(np.float64)
    if then_ways is not None:
        shared = None if supply is not None and supply.places_known else _supply(city, question, places, later=True)
        facts |= {"then": _scenario(then_ways, city, question, shared), "sites": len(city.sites)}
    each = np.empty(0) if supply is None else supply.access[supply.owner] * PER
    facts |= {"groups": by_group(city, now_s, question.limit_s, each), "demand": city.demand}
    facts["communities"] = _communities(city, question, now_s, then_s, each)
    facts["unserved"] = _unserved(city, now_s, question.limit_s)
    facts["seconds"] = round(time.perf_counter() - began, 2)
    return AccessAnswer(facts, _cells(city, question, now_s, then_s, each))


def _ways(city: AccessCity, question: AccessQuestion, places: Snapped, progress: Progress) -> Floats:
    """Return seconds to the nearest of each kind, shape (n_places, n_kinds)."""
    ways = np.full((len(city.people), len(question.kinds)), np.inf)
    for at, kind in enumerate(question.kinds):
        ways[:, at] = _nearest(city, places, city.facilities[kind][:, :2])
        progress.advance()
    return ways


def _allowed(city: AccessCity, question: AccessQuestion, places: Snapped) -> dict[str, Any] | None:
    """Return who would be in time if cars went as fast as the roads allow; None where that is what was asked."""
    if city.allowed is None:
        return None
    free = dataclasses.replace(city, network=city.allowed)
    times = access.basket_s(_ways(free, question, places, Silent())).astype(np.float64)
    median = access.percentiles(times, city.people, (0.5,))[0]
    return {"within": access.served(times, city.people, question.limit_s).within, "median_s": _plain(median)}


def _nearest(city: AccessCity, places: Snapped, to: Floats) -> Floats:
    if not len(to):
        return np.full(len(city.people), np.inf)
    return nearest_s(city.network, places, city.network.snap(to))[0].astype(np.float64)


def _with_sites(city: AccessCity, question: AccessQuestion, places: Snapped, ways: Floats) -> Floats | None:
    """Return the ways once the sites of the study serve too; None without a study."""
    if question.study_id is None:
        return None
    new_s = _nearest(city, places, city.sites)
    then = ways.copy()
    for at, kind in enumerate(question.kinds):
        if kind == city.sites_kind or len(question.kinds) == 1:
            then[:, at] = new_s if city.sites_alone else np.minimum(then[:, at], new_s)
    return then


@dataclass(frozen=True, eq=False)
class _Supply:
    """What is in reach of the points the people are gathered at; ``owner`` is the point of each home."""

    access: Floats
    people: Floats
    community_id: Ints
    owner: Ints
    mean_shift_m: float
    places_known: bool


def _supply(city: AccessCity, question: AccessQuestion, places: Snapped, *, later: bool = False) -> _Supply | None:
    """Return the floating catchments; None for a basket, whose kinds do not add up, and without any facility.

    With ``later`` the sites of the study serve too, or alone; each facility then counts as one.
    """
    there = city.facilities[question.kinds[0]]
    if later:
        new = np.column_stack([city.sites, np.full(len(city.sites), np.nan)])
        there = new if city.sites_alone else np.concatenate([there, new])
    if len(question.kinds) > 1 or not len(there):
        return None
    demand = gather(_metric(city.homes, city.metric_srid), city.people, DEMAND_POINTS)
    points = Snapped(places.stretch[demand.at], places.along[demand.at], places.access_s[demand.at])
    times = matrix_s(city.network, points, city.network.snap(there[:, :2]))
    known = bool((there[:, 2] > 0).all())
    offered = there[:, 2] if known else np.ones(len(there))
    found = access.two_step(times, demand.people, offered, question.limit_s)
    return _Supply(found.access, demand.people, city.community_id[demand.at], demand.owner, demand.mean_shift_m, known)


def _scenario(ways: Floats, city: AccessCity, question: AccessQuestion, shared: _Supply | None) -> dict[str, Any]:
    """Return shares, percentiles, the worst tenth and how evenly what is in reach is shared."""
    people, times = city.people, access.basket_s(ways)
    counted = access.served(times, people, question.limit_s)
    median, most = access.percentiles(times, people, (0.5, 0.9))
    tenth = access.worst(times, people)
    told: dict[str, Any] = {
        "people": counted.people,
        "within": counted.within,
        "beyond": counted.beyond,
        "unreached": counted.unreached,
        "median_s": _plain(median),
        "p90_s": _plain(most),
        "mean_s": access.mean_s(times, people),
        "worst": {
            "people": tenth.people,
            "from_s": _plain(tenth.from_s),
            "mean_s": tenth.mean_s,
            "unreached": tenth.unreached,
        },
        "equity": None,
    }
    if shared is not None:
        told["equity"] = _equity("supply", shared.access, shared.people, shared.community_id)
    elif len(question.kinds) > 1:
        reached = access.kinds_within(ways, question.limit_s)
        told["kinds"] = [float(people[reached == count].sum()) for count in range(len(question.kinds) + 1)]
        told["each_kind"] = {
            kind: float(people[ways[:, at] <= question.limit_s].sum()) for at, kind in enumerate(question.kinds)
        }
        told["equity"] = _equity("kinds", reached.astype(np.float64), people, city.community_id)
    return told


def _equity(of: str, values: Floats, people: Floats, groups: Ints | None) -> dict[str, Any] | None:
    """Return how evenly something is shared; None where nobody has anything."""
    if not (values > 0).any():
        return None
    curve = equity.lorenz(values, people)
    steps = np.linspace(0.0, 1.0, CURVE_STEPS + 1)
    parts = equity.theil(values, people, groups)
    return {
        "of": of,
        "gini": equity.gini_of(curve),
        "palma": _plain(equity.palma(values, people)),
        "theil": {"total": parts.total, "between": parts.between, "within": parts.within},
        "lowest_half": equity.share_of_lowest(curve, 0.5),
        "nothing": float(people[values <= 0].sum()),
        "lorenz": [round(float(each), 4) for each in np.interp(steps, curve.people, curve.value)],
    }


def _communities(
    city: AccessCity, question: AccessQuestion, now_s: Floats, then_s: Floats | None, supply: Floats
) -> list[dict[str, Any]]:
    found = []
    for community in np.unique(city.community_id):
        mine = city.community_id == community
        people, ways = city.people[mine], now_s[mine]
        counted = access.served(ways, people, question.limit_s)
        row: dict[str, Any] = {
            "id": int(community),
            "people": counted.people,
            "within": counted.within,
            "beyond": counted.beyond,
            "unreached": counted.unreached,
            "median_s": _plain(access.percentiles(ways, people, (0.5,))[0]),
            "p90_s": _plain(access.percentiles(ways, people, (0.9,))[0]),
            "supply": float(np.average(supply[mine], weights=people)) if len(supply) else None,
        }
        if then_s is not None:
            row["within_then"] = access.served(then_s[mine], people, question.limit_s).within
        found.append(row)
    return found


def _unserved(city: AccessCity, times: Floats, limit_s: float) -> list[list[float]]:
    """Return [longitude, latitude, people, 1 where a way leads] of those not served in time, gathered."""
    made: list[list[float]] = []
    for reached in (True, False):
        mine = np.flatnonzero((times > limit_s) & (np.isfinite(times) == reached))
        if not len(mine):
            continue
        groups = gather(_metric(city.homes[mine], city.metric_srid), city.people[mine], UNSERVED_POINTS)
        made += [
            [round(float(lon), 5), round(float(lat), 5), round(float(people), 1), float(reached)]
            for (lon, lat), people in zip(city.homes[mine][groups.at], groups.people, strict=True)
        ]
    return made


def _cells(
    city: AccessCity, question: AccessQuestion, now_s: Floats, then_s: Floats | None, supply: Floats
) -> CellAccess:
    known, at = np.unique(city.grid_id, return_inverse=True)
    keep = known > 0
    people = np.bincount(at, weights=city.people).astype(np.float64)

    def mean(values: Floats) -> Floats:
        there = np.isfinite(values)
        count = np.bincount(at[there], weights=city.people[there], minlength=len(known))
        total = np.bincount(at[there], weights=(city.people * np.where(there, values, 0))[there], minlength=len(known))
        found: Floats = np.divide(total, count, out=np.full(len(known), np.inf), where=count > 0)[keep]
        return found

    within = np.bincount(at, weights=city.people * (now_s <= question.limit_s)).astype(np.float64)
    nothing = np.empty(0)
    return CellAccess(
        known[keep],
        people[keep],
        within[keep],
        mean(now_s),
        nothing if then_s is None else mean(then_s),
        mean(supply) if len(supply) else nothing,
    )


def by_matrix(od_s: Floats, weight: Floats, supply: Floats, limit_s: float) -> Mapping[str, Any]:
    """Return the measures of access of a matrix of the planner's own, with the ways to the nearest.

    Parameters
    ----------
    od_s
        Seconds, shape (n_places, n_facilities).
    """
    found = access.two_step(od_s, weight, supply, limit_s)
    bell = access.two_step(od_s, weight, supply, limit_s, decay=access.gaussian)
    stairs = access.two_step(od_s, weight, supply, limit_s, decay=access.stepped())
    times = np.asarray(od_s, dtype=np.float64).min(axis=1)
    counted = access.served(times, weight, limit_s)
    median, most = access.percentiles(times, weight, (0.5, 0.9))
    tenth = access.worst(times, weight)
    return {
        "places": len(times),
        "facilities": od_s.shape[1],
        "people": counted.people,
        "within": counted.within,
        "share": counted.share,
        "beyond": counted.beyond,
        "unreached": counted.unreached,
        "median_s": _plain(median),
        "p90_s": _plain(most),
        "mean_s": access.mean_s(times, weight),
        "worst": {"from_s": _plain(tenth.from_s), "mean_s": tenth.mean_s, "unreached": tenth.unreached},
        "unused_supply": found.unused,
        "access": {"2sfca": _told(found, weight), "gaussian": _told(bell, weight), "stepped": _told(stairs, weight)},
    }


def _told(found: access.Catchments, weight: Floats) -> dict[str, Any]:
    shared = _equity("supply", found.access, np.asarray(weight, dtype=np.float64), None)
    told = {name: shared[name] for name in ("gini", "palma", "theil", "nothing")} if shared else {}
    return {"mean": float(np.average(found.access, weights=weight)), **told}


def _metric(lonlat: Floats, srid: int) -> Floats:
    shapes = project(np.asarray(shapely.points(lonlat), dtype=object).reshape(-1), srid)
    return np.asarray(shapely.get_coordinates(shapes), dtype=np.float64)


def _plain(value: float) -> float | None:
    """Return a number that can be written as JSON; None for infinite."""
    return float(value) if math.isfinite(value) else None

"""Speeds of the past: what was measured by the hour, folded into how a road usually is and how reliably."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import InvalidInput
from core.identity import Actor, May, require
from dispatch import store_past
from dispatch.past_model import HALF, CityTraffic, Curves, RoadRow, Usual, city_traffic, folded
from dispatch.traffic_model import Speeds
from geodata.network import RoadNetwork, Snapped
from geodata.territory import TerritoryInfo

FOLDED_DAYS = 28
"""What is usual is told from so many days."""
TRANSPLANTED_ROADS = 600
STEP = 0.02


def ways_of(network: RoadNetwork, snapped: Snapped, headings: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return 1 for readings along their stretch, -1 against it, 0 where the heading says neither or is not known."""
    ways = np.zeros(len(snapped), np.int64)
    rows = np.flatnonzero(np.isfinite(headings) & (snapped.stretch >= 0))
    if not len(rows):
        return ways
    import shapely

    lines, along = network.lines[snapped.stretch[rows]], snapped.along[rows]
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, np.minimum(along + STEP, 1), normalized=True))
    behind = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, np.maximum(along - STEP, 0), normalized=True)
    )
    east, north = (ahead - behind).T
    turned = np.radians(headings[rows])
    length = np.maximum(np.hypot(east, north), 1e-9)
    cosine = (east * np.sin(turned) + north * np.cos(turned)) / length
    ways[rows] = np.where(cosine > HALF, 1, np.where(cosine < -HALF, -1, 0))
    return ways


def keep(  # noqa: PLR0917  (what a file of speeds is)
    session: Session,
    territory: TerritoryInfo,
    network: RoadNetwork,
    stretches: NDArray[np.int64],
    speeds: Speeds,
    source: str,
) -> int:
    """Add readings that lie on streets to the past, by road, hour and direction; return how many rows that made."""
    known = network.prepared.get("road_ids")
    if known is None:
        known = store_past.drivable_roads(session, territory.id)
        network.prepared["road_ids"] = known
    if len(known) != len(network.ends):  # the roads are being loaded anew
        return 0
    ways = ways_of(network, network.snap(speeds.places), speeds.headings)
    hours = (speeds.at_s // 3600).astype(np.int64)
    keys, row_of = np.unique(np.column_stack([known[stretches], hours, ways]), axis=0, return_inverse=True)
    many = np.bincount(row_of.ravel())
    mean = np.bincount(row_of.ravel(), weights=speeds.kmh) / many
    store_past.add_hours(session, territory.id, keys, mean, many, source)
    return len(keys)


def fold(session: Session, actor: Actor, territory: TerritoryInfo, moment: dt.datetime | None = None) -> int:
    """Reckon anew how fast each road usually is, from the last weeks; return of how many roads."""
    require(actor, May.KEEP_RUNNING)
    at = moment or clock_now()
    seen = store_past.hours_since(session, territory.id, territory.timezone, at - dt.timedelta(days=FOLDED_DAYS))
    rows = folded(seen)
    store_past.replace_usual(session, territory.id, rows, at)
    return len(rows)


def usual(session: Session, actor: Actor, territory_id: int) -> list[Usual]:
    """Return how each road that was measured usually is, the slowest rush first."""
    require(actor, May.SEE_MAP)
    return store_past.usual(session, territory_id)


def city(session: Session, actor: Actor, territory_id: int) -> CityTraffic | None:
    """Return the city's usual day: the congestion index by hour; None while nothing was measured."""
    found = usual(session, actor, territory_id)
    return city_traffic(found) if found else None


def curves(session: Session, actor: Actor, territory_id: int) -> list[Curves]:
    """Return the data sets of foreign sensors with their usual day."""
    require(actor, May.SEE_MAP)
    return store_past.curves(session, territory_id)


def put_curves(session: Session, actor: Actor, territory_id: int, name: str, rows: Sequence[dict[str, object]]) -> None:
    """Write a data set of foreign sensors in place of what stood there under its name."""
    require(actor, May.KEEP_RUNNING)
    store_past.put_curves(session, territory_id, name, rows)


def transplant(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    ratios: NDArray[np.float64],
    name: str,
    *,
    first_weekday: int,
    days: int,
    moment: dt.datetime | None = None,
) -> int:
    """Give main roads of a demo city the days of foreign sensors, as parts of their own speed; return of how many.

    Parameters
    ----------
    ratios
        Shape (days, 24, sensors): speed over that when free; NaN where nothing was measured.
    first_weekday
        ISO weekday of the first day, so that Mondays stay Mondays.

    Raises
    ------
    InvalidInput
        When the city is none of a demo: there every speed has to be measured.
    """
    require(actor, May.KEEP_RUNNING)
    if not territory.is_demo:
        raise InvalidInput(
            "Curves of another city are given to a demo city alone.",
            hint="Here every speed has to be measured.",
            zh="外地曲线只能用于演示城市；正式城市的车速必须实测。",
        )
    roads: list[RoadRow] = store_past.main_roads(session, territory.id, TRANSPLANTED_ROADS)
    at = moment or clock_now()
    today = at.astimezone(territory.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    store_past.forget_source(session, territory.id, name)
    for back in range(1, days + 1):
        day = today - dt.timedelta(days=back)
        at_day = (day.isoweekday() - first_weekday) % 7
        if at_day >= len(ratios):
            continue
        begin = int(day.timestamp()) // 3600
        keys, kmh = [], []
        for k, road in enumerate(roads):
            part = ratios[at_day, :, (k * 7919) % ratios.shape[2]]
            for hour in np.flatnonzero(np.isfinite(part)).tolist():
                keys.append((road.id, begin + hour, 0))
                kmh.append(max(2.0, float(part[hour]) * road.speed_kmh))
        store_past.add_hours(session, territory.id, np.array(keys), np.array(kmh), np.ones(len(keys), np.int64), name)
    return len(roads)


def forget_hours(session: Session, actor: Actor, before: dt.datetime) -> int:
    """Delete speeds of hours before a moment; return how many."""
    require(actor, May.KEEP_RUNNING)
    return store_past.forget(session, before)

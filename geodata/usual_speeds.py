"""The road network as it usually is on weekdays at an hour: what was measured of late, by stretch and direction."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.clock import now as clock_now
from core.errors import InvalidInput
from geodata.network import Mode, RoadNetwork
from geodata.roads import network_of
from geodata.territory import TerritoryInfo
from geodata.travel import with_traffic

DAYS = 28
"""What is usual is told from so many days."""
KEPT = 3
HOURS = 24
_WEEKDAY = "extract(isodow FROM hour_at AT TIME ZONE :zone) < 6 AND hour_at >= :since AND territory_id = :territory"
_SPEEDS = text(
    "SELECT road_id, way, percentile_cont(0.5) WITHIN GROUP (ORDER BY kmh) FROM traffic_hour"  # noqa: S608  # nosec B608
    f" WHERE {_WEEKDAY} AND extract(hour FROM hour_at AT TIME ZONE :zone) = :hour GROUP BY road_id, way"
)
_HOURS = text(
    "SELECT extract(hour FROM hour_at AT TIME ZONE :zone)::int AS hour, count(DISTINCT road_id) FROM traffic_hour"  # noqa: S608  # nosec B608
    f" WHERE {_WEEKDAY} GROUP BY 1 ORDER BY 1"
)
_ROADS = text("SELECT id FROM road WHERE territory_id = :territory AND drivable ORDER BY id")
_lock = threading.Lock()


def hours_known(session: Session, territory_id: int, zone: str, *, moment: dt.datetime | None = None) -> dict[int, int]:
    """Return on how many stretches speeds were measured on weekdays of late, by local hour that has any."""
    return {row[0]: row[1] for row in session.execute(_HOURS, _given(territory_id, zone, moment))}


def network_at(
    session: Session, territory: TerritoryInfo, mode: Mode, hour: int, *, moment: dt.datetime | None = None
) -> RoadNetwork:
    """Return the network with the median speeds of weekdays at a local hour; where nobody measured, what is allowed.

    Who does not drive is not slowed. A kept network takes no time; another costs the graph to be weighed anew.

    Raises
    ------
    InvalidInput
        When there is no such hour, or nothing was measured in it.
    """
    if not 0 <= hour < HOURS:
        raise InvalidInput(
            f"{hour} is no hour of a day.", hint="Give 0 to 23.", zh=f"{hour} 不是一天中的小时（0–23）。"
        )
    network = network_of(session, territory, mode)
    if mode != "drive":
        return network
    given = _given(territory.id, territory.timezone, moment) | {"hour": hour}
    rows = session.execute(_SPEEDS, given).all()
    roads = np.array(session.scalars(_ROADS, {"territory": territory.id}).all(), dtype=np.int64)
    ids, ways = (np.array([row[k] for row in rows], dtype=np.int64) for k in (0, 1))
    kmh = np.array([row[2] for row in rows], dtype=np.float64)
    at = np.searchsorted(roads, ids)
    known = (at < len(roads)) & (roads[np.minimum(at, max(len(roads) - 1, 0))] == ids) if len(roads) else at < 0
    if len(roads) != len(network.ends) or not known.any():
        raise InvalidInput(
            f"No speed was measured here on weekdays at {hour}:00 of late.",
            hint="Choose another hour, or what the roads allow.",
            zh=f"近期工作日 {hour}:00 没有实测车速，请选择其他时段或按道路限速计算。",
        )
    at, kmh, ways = at[known], kmh[known], ways[known]
    key = at.tobytes() + kmh.tobytes() + ways.tobytes()
    with _lock:
        kept: OrderedDict[bytes, RoadNetwork] = network.prepared.setdefault("usual", OrderedDict())
        if key not in kept:
            kept[key] = with_traffic(network, at, kmh, ways)
            while len(kept) > KEPT:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]


def _given(territory_id: int, zone: str, moment: dt.datetime | None) -> dict[str, object]:
    since = (moment or clock_now()) - dt.timedelta(days=DAYS)
    return {"territory": territory_id, "zone": zone, "since": since}

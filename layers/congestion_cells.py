"""Congestion by grid: travel time over that on free roads, by hour of the usual day, of a cell's measured roads."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from layers.registry import t
from layers.snapshot import Cells, IntArray, Kept, grouped
from layers.versions import versions

METRICS = {"congestion": t("Congestion at this hour"), "rush": t("Congestion in the worst hour")}
EDGES = (1.0, 1.1, 1.25, 1.5, 2.0)
"""The same for every hour, so that two of them can be told apart."""
HOURS, FRESH_S = 24, 900
"""Hours of a day, and how long one of them is surely the same: the world's clocks differ by quarters of an hour."""
DEPENDS = ("grids", "roads", "traffic")
STEP_M = 40
"""A road counts in the cells that its parts of about this length lie in."""
_PARTS = text("""
    SELECT part.road_id, g.id, sum(part.metres)
    FROM (SELECT s.road_id, r.length_m / n.many AS metres, ST_LineInterpolatePoint(r.geom, (k - 0.5) / n.many) AS at
          FROM road_speed AS s JOIN road AS r ON r.id = s.road_id,
               LATERAL (SELECT greatest(1, ceil(r.length_m / :step))::int AS many) AS n, generate_series(1, n.many) AS k
          WHERE s.territory_id = :territory AND r.length_m > 0) AS part
    JOIN unit_grid AS g ON g.territory_id = :territory AND ST_Intersects(g.geom, part.at)
         AND CASE WHEN CAST(:day AS date) IS NULL THEN g.ended_on IS NULL
             ELSE g.started_on <= :day AND (g.ended_on IS NULL OR g.ended_on > :day) END
    GROUP BY 1, 2
""")
_SPEEDS = text("SELECT road_id, free_kmh, hours FROM road_speed WHERE territory_id = :territory ORDER BY road_id")
_ZONE = text("SELECT timezone FROM territory WHERE id = :territory")


@dataclass(frozen=True, eq=False)
class CellTraffic:
    """Hours of driving every measured road of a cell once: as is usual by hour and when free, shape (cells, 24).

    Zero where no road was measured at that hour.
    """

    usual_h: NDArray[np.float32]
    free_h: NDArray[np.float32]

    def moved(self, at: IntArray, length: int) -> CellTraffic:
        """Return it for parents of the cells; ``at`` is the index of each cell's parent, -1 for none."""
        made = []
        for part in (self.usual_h, self.free_h):
            into = np.zeros((length, HOURS), dtype=np.float32)
            np.add.at(into, at[at >= 0], part[at >= 0])
            made.append(into)
        return CellTraffic(*made)

    def index(self) -> NDArray[np.float32]:
        """Return the congestion index by cell and hour, never below 1; 0 where nothing was measured."""
        known = self.free_h > 0
        found = np.zeros_like(self.usual_h)
        found[known] = np.maximum(1.0, self.usual_h[known] / self.free_h[known])
        return found


Parts = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]
"""Which measured road lies in which grid, and with how many metres."""
_kept: Kept[CellTraffic] = Kept(limit=4)
_parts: Kept[Parts] = Kept(limit=4)


def traffic_of(session: Session, territory_id: int, cells: Cells, day: dt.date | None = None) -> CellTraffic:
    """Return the usual traffic of the cells of a territory, kept while nothing changes."""
    version = versions.of(territory_id, DEPENDS)
    return _kept.get((territory_id, day), version, lambda: _read(session, territory_id, cells, day))


def congestion(  # noqa: PLR0917  (what a question asks)
    session: Session, territory_id: int, cells: Cells, metric: str, by: str, day: dt.date | None, now: dt.datetime
) -> NDArray[np.float32]:
    """Return the congestion index of every cell or parent: of the local hour of ``now``, or of each one's worst."""
    found = traffic_of(session, territory_id, cells, day)
    if by != "cell":
        parents, at = grouped(cells, by)
        found = found.moved(at, len(parents))
    index = found.index()
    if metric == "rush":
        return index.max(axis=1) if len(index) else np.zeros(0, dtype=np.float32)
    zone = session.execute(_ZONE, {"territory": territory_id}).scalar()
    return np.ascontiguousarray(index[:, now.astimezone(ZoneInfo(zone or "UTC")).hour])


def _read(session: Session, territory_id: int, cells: Cells, day: dt.date | None) -> CellTraffic:
    usual, free = (np.zeros((len(cells), HOURS), dtype=np.float32) for _ in range(2))
    speeds = session.execute(_SPEEDS, {"territory": territory_id}).all()
    if not speeds:
        return CellTraffic(usual, free)
    ids = np.array([row[0] for row in speeds], dtype=np.int64)
    by_hour = np.array([[np.nan if kmh is None else kmh for kmh in row[2]] for row in speeds], dtype=np.float64)
    free_kmh = np.array([row[1] for row in speeds], dtype=np.float64)
    # Speeds come in every few minutes; where the roads run does not change with them, and is dear to find out.
    version = versions.of(territory_id, ("grids", "roads"))
    version = None if version is None else (*version, hash(ids.tobytes()))
    road, cell, metres = _parts.get((territory_id, day), version, lambda: _read_parts(session, territory_id, day))
    at = np.minimum(np.searchsorted(ids, road), len(ids) - 1)
    inside = (cell >= cells.first_id) & (cell < cells.first_id + len(cells)) & (ids[at] == road)
    at, metres, cell = at[inside], metres[inside], cell[inside] - cells.first_id
    known = np.isfinite(by_hour[at])
    with np.errstate(invalid="ignore"):
        np.add.at(usual, cell, np.where(known, metres[:, None] / 1000 / by_hour[at], 0.0))
    np.add.at(free, cell, np.where(known, (metres / 1000 / free_kmh[at])[:, None], 0.0))
    return CellTraffic(usual, free)


def _read_parts(session: Session, territory_id: int, day: dt.date | None) -> Parts:
    rows = session.execute(_PARTS, {"territory": territory_id, "step": STEP_M, "day": day}).all()
    road, cell = (np.array([row[k] for row in rows], dtype=np.int64) for k in (0, 1))
    return road, cell, np.array([row[2] for row in rows], dtype=np.float64)

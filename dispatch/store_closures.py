"""SQL of closures, and of the cost table."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import Any

import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from dispatch.closure_model import ClosureInfo, Stretch
from geodata.tables import Closure, CostTable, Road

NEAR_M = 100.0
"""Whoever points at a street points no farther beside it."""
_NEAR_LON_DEG = 1 / 110_000
"""Degrees of a metre on the equator, a little more; a box for the index."""
_COMMUNITIES = text("""
    SELECT a.name, a.name_zh
    FROM unnest(CAST(:lon AS float[]), CAST(:lat AS float[])) WITH ORDINALITY AS p (lon, lat, k)
    LEFT JOIN LATERAL (
        SELECT name, name_zh FROM area WHERE territory_id = :territory AND level = 'community'
          AND ST_Intersects(boundary, ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4326)) ORDER BY id LIMIT 1
    ) AS a ON true ORDER BY p.k
""")


def _shape(wkb: bytes) -> Any:
    return shapely.from_wkb(bytes(wkb))


def _info(row: Closure, wkb: bytes) -> ClosureInfo:
    return ClosureInfo(
        id=row.id,
        name=row.name,
        shape=_shape(wkb),
        from_at=row.from_at,
        to_at=row.to_at,
        reason=row.reason,
        made_by=row.made_by,
        made_at=row.made_at,
        ended_at=row.ended_at,
        version=row.version,
        speed_kmh=row.speed_kmh,
    )


def closures(session: Session, territory_id: int, *, moment: dt.datetime | None = None) -> list[ClosureInfo]:
    """Return closures that were not opened, the newest first; with a moment those in force or still to come."""
    query = (
        select(Closure, func.ST_AsBinary(Closure.geom))
        .where(Closure.territory_id == territory_id, Closure.ended_at.is_(None))
        .order_by(Closure.from_at.desc(), Closure.id.desc())
    )
    if moment is not None:
        query = query.where(or_(Closure.to_at.is_(None), Closure.to_at > moment))
    return [_info(row, wkb) for row, wkb in session.execute(query)]


def find(session: Session, territory_id: int, closure_id: int) -> ClosureInfo | None:
    """Return one closure, ended or not."""
    row = session.execute(
        select(Closure, func.ST_AsBinary(Closure.geom))
        .where(Closure.territory_id == territory_id, Closure.id == closure_id)
        .execution_options(populate_existing=True)
    ).first()
    return None if row is None else _info(*row)


def add(session: Session, territory_id: int, given: ClosureInfo) -> ClosureInfo:
    """Write a closure and return it with its id."""
    row = Closure(
        territory_id=territory_id,
        name=given.name,
        geom=from_shape(given.shape, 4326),
        from_at=given.from_at,
        to_at=given.to_at,
        reason=given.reason,
        made_by=given.made_by,
        made_at=given.made_at,
        speed_kmh=given.speed_kmh,
    )
    session.add(row)
    session.flush()
    return _info(row, shapely.to_wkb(given.shape))


def end(session: Session, territory_id: int, closure_id: int, version: int, at: dt.datetime) -> bool:
    """Open a closure; False when it is of another version or was opened."""
    row = session.scalars(
        select(Closure)
        .where(Closure.territory_id == territory_id, Closure.id == closure_id)
        .where(Closure.version == version, Closure.ended_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        return False
    row.ended_at, row.version = at, row.version + 1
    session.flush()
    return True


def nearest_road(session: Session, territory_id: int, lon: float, lat: float) -> Stretch | None:
    """Return the stretch of road nearest to a place; None where there is none within `NEAR_M`."""
    point = func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326)
    row = session.execute(
        select(Road.name, Road.name_zh, func.ST_AsBinary(Road.geom))
        .where(Road.territory_id == territory_id, Road.drivable)
        .where(func.ST_DWithin(func.geography(Road.geom), func.geography(point), NEAR_M))
        .where(
            Road.geom.op("&&")(func.ST_Expand(point, _NEAR_LON_DEG * NEAR_M / max(0.01, math.cos(math.radians(lat)))))
        )
        .order_by(Road.geom.op("<->")(point))
        .limit(1)
    ).first()
    return None if row is None else Stretch(row[0] or "", row[1] or "", _shape(row[2]))


def roads_named(session: Session, territory_id: int, name: str) -> list[Stretch]:
    """Return the stretches of a street by its name in either language, whatever the case."""
    wanted = name.strip().lower()
    rows = session.execute(
        select(Road.name, Road.name_zh, func.ST_AsBinary(Road.geom))
        .where(Road.territory_id == territory_id, Road.drivable)
        .where(or_(func.lower(Road.name) == wanted, func.lower(Road.name_zh) == wanted))
        .order_by(Road.id)
    )
    return [Stretch(each or "", zh or "", _shape(wkb)) for each, zh, wkb in rows]


def communities_at(
    session: Session, territory_id: int, points: Sequence[shapely.Point]
) -> list[tuple[str, str] | None]:
    """Return the name and the Chinese name of the community that each place lies in; None outside all."""
    rows = session.execute(
        _COMMUNITIES,
        {"territory": territory_id, "lon": [each.x for each in points], "lat": [each.y for each in points]},
    )
    return [None if name is None else (name, name_zh or name) for name, name_zh in rows]


def read_costs(session: Session, territory_id: int) -> tuple[Mapping[str, Any], int] | None:
    """Return the weights a territory has set, and their version; None when it keeps those as shipped."""
    row = session.execute(
        select(CostTable.weights, CostTable.version).where(CostTable.territory_id == territory_id)
    ).first()
    return None if row is None else (row[0], row[1])


def write_costs(session: Session, territory_id: int, weights: Mapping[str, Any], version: int) -> bool:
    """Set the weights; False when another version stands there (0: none yet)."""
    row = session.scalars(
        select(CostTable)
        .where(CostTable.territory_id == territory_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()
    if (row.version if row else 0) != version:
        return False
    if row is None:
        session.add(CostTable(territory_id=territory_id, weights=dict(weights)))
    else:
        row.weights, row.version = dict(weights), version + 1
    session.flush()
    return True

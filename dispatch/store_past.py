"""SQL of speeds by the hour, of what is usual, and of the curves of foreign sensors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.past_model import Curves, RoadRow, Seen, Usual

MAIN = ("motorway", "trunk", "primary", "secondary", "tertiary")
USUAL_MOST = 20_000
_ADD = text("""
    INSERT INTO traffic_hour AS t (road_id, hour_at, way, territory_id, kmh, readings, source)
    SELECT road, to_timestamp(hour * 3600), way, :territory, kmh, many, :source
    FROM unnest(CAST(:roads AS bigint[]), CAST(:hours AS bigint[]), CAST(:ways AS smallint[]),
                CAST(:kmh AS float[]), CAST(:many AS int[])) AS given (road, hour, way, kmh, many)
    ON CONFLICT (road_id, hour_at, way) DO UPDATE SET
        kmh = (t.kmh * t.readings + excluded.kmh * excluded.readings) / (t.readings + excluded.readings),
        readings = t.readings + excluded.readings, source = excluded.source
""")
_SEEN = text("""
    SELECT s.road_id, s.day, s.hour, s.kmh, r.speed_kmh, s.source
    FROM (SELECT road_id, (hour_at AT TIME ZONE :zone)::date - DATE '2000-01-01' AS day,
                 extract(hour FROM hour_at AT TIME ZONE :zone)::int AS hour,
                 sum(kmh * readings) / sum(readings) AS kmh, max(source) AS source
          FROM traffic_hour WHERE territory_id = :territory AND hour_at >= :since GROUP BY 1, 2, 3) AS s
    JOIN road AS r ON r.id = s.road_id AND r.territory_id = :territory
""")
_PUT = text("""
    INSERT INTO road_speed (road_id, territory_id, free_kmh, hours, rush, buffer, planning, days, source, made_at)
    VALUES (:road_id, :territory, :free_kmh, :hours, :rush, :buffer, :planning, :days, :source, :at)
""")
_USUAL = text("""
    SELECT s.road_id, s.free_kmh, s.hours, s.rush, s.buffer, s.planning, s.days, s.source, coalesce(r.name, r.ref, ''),
           r.name_zh, r.length_m, ST_X(p), ST_Y(p)
    FROM road_speed AS s JOIN road AS r ON r.id = s.road_id, LATERAL ST_LineInterpolatePoint(r.geom, 0.5) AS p
    WHERE s.territory_id = :territory ORDER BY s.rush DESC, s.road_id LIMIT :most
""")


def drivable_roads(session: Session, territory_id: int) -> NDArray[np.int64]:
    """Return the ids of drivable roads, in the order of the network of cars."""
    rows = session.execute(
        text("SELECT id FROM road WHERE territory_id = :territory AND drivable ORDER BY id"),
        {"territory": territory_id},
    )
    return np.array(list(rows.scalars()), dtype=np.int64)


def main_roads(session: Session, territory_id: int, most: int) -> list[RoadRow]:
    """Return the longest stretches of main roads."""
    rows = session.execute(
        text(
            "SELECT id, speed_kmh FROM road WHERE territory_id = :territory AND drivable"
            " AND road_class = ANY(:classes) ORDER BY length_m DESC, id LIMIT :most"
        ),
        {"territory": territory_id, "classes": list(MAIN), "most": most},
    )
    return [RoadRow(*row) for row in rows]


def add_hours(  # noqa: PLR0917  (columns of one table)
    session: Session,
    territory_id: int,
    keys: NDArray[np.int64],
    kmh: NDArray[np.float64],
    many: NDArray[np.int64],
    source: str,
) -> None:
    """Add speeds; ``keys`` are road, hour since 1970 and direction, each once."""
    if len(keys):
        roads, hours, ways = (each.tolist() for each in keys.T)
        given = {"roads": roads, "hours": hours, "ways": ways, "kmh": kmh.tolist(), "many": many.tolist()}
        session.execute(_ADD, {**given, "territory": territory_id, "source": source})


def hours_since(session: Session, territory_id: int, zone: str, since: dt.datetime) -> Seen:
    """Return the speeds of a territory since a moment, by road, local day and hour."""
    rows = session.execute(_SEEN, {"territory": territory_id, "zone": zone, "since": since}).all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    road, day, hour = (np.array(each, dtype=np.int64) for each in columns[:3])
    return Seen(road, day, hour, np.array(columns[3], float), np.array(columns[4], float), [str(s) for s in columns[5]])


def replace_usual(session: Session, territory_id: int, rows: Sequence[Usual], at: dt.datetime) -> None:
    """Write how roads usually are in place of what stood there."""
    session.execute(text("DELETE FROM road_speed WHERE territory_id = :territory"), {"territory": territory_id})
    given = [
        {
            "road_id": each.road_id,
            "territory": territory_id,
            "free_kmh": each.free_kmh,
            "hours": list(each.hours),
            "rush": each.rush,
            "buffer": each.buffer,
            "planning": each.planning,
            "days": each.days,
            "source": each.source,
            "at": at,
        }
        for each in rows
    ]
    if given:
        session.execute(_PUT, given)


def usual(session: Session, territory_id: int) -> list[Usual]:
    """Return how roads usually are, the slowest rush first."""
    rows = session.execute(_USUAL, {"territory": territory_id, "most": USUAL_MOST})
    return [Usual(row[0], row[1], tuple(row[2]), *row[3:]) for row in rows]


def put_curves(session: Session, territory_id: int, name: str, rows: Sequence[dict[str, object]]) -> None:
    """Write the sensors of a data set in place of what stood there."""
    given = {"territory": territory_id, "name": name}
    session.execute(text("DELETE FROM sensor_curve WHERE territory_id = :territory AND data_set = :name"), given)
    session.execute(
        text(
            "INSERT INTO sensor_curve (territory_id, data_set, sensor, lon, lat, readings, days, free_kmh, ratios)"
            " VALUES (:territory, :name, :sensor, :lon, :lat, :readings, :days, :free_kmh, :ratios)"
        ),
        [{**given, **row} for row in rows],
    )


def curves(session: Session, territory_id: int) -> list[Curves]:
    """Return the data sets of sensors with the middle of their usual days."""
    rows = session.execute(
        text("SELECT data_set, ratios, days, readings FROM sensor_curve WHERE territory_id = :territory ORDER BY id"),
        {"territory": territory_id},
    ).all()
    found = []
    for name in sorted({row[0] for row in rows}):
        mine = [row for row in rows if row[0] == name]
        middle = np.median(np.array([row[1] for row in mine], float), axis=0)
        found.append(Curves(name, len(mine), mine[0][2], sum(row[3] for row in mine), tuple(middle.tolist())))
    return found


def forget_source(session: Session, territory_id: int, source: str) -> None:
    """Delete the speeds of a source."""
    session.execute(
        text("DELETE FROM traffic_hour WHERE territory_id = :territory AND source = :source"),
        {"territory": territory_id, "source": source},
    )


def forget(session: Session, before: dt.datetime) -> int:
    """Delete speeds of hours before a moment; return how many."""
    gone = session.execute(text("DELETE FROM traffic_hour WHERE hour_at < :before RETURNING 1"), {"before": before})
    return len(gone.all())

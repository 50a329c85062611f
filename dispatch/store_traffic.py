"""SQL of traffic: files of speeds, the newest first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
from sqlalchemy import ARRAY, Float, Text, any_, delete, func, literal, or_, select
from sqlalchemy.orm import Session

from dispatch.traffic_model import Speeds
from geodata.tables import Road, TrafficLoad


def add(session: Session, territory_id: int, name: str, speeds: Speeds, *, at: dt.datetime, refused: int) -> int:
    """Write a file of speeds and return its id."""
    newest_s = float(speeds.at_s.max())
    row = TrafficLoad(
        territory_id=territory_id,
        source=name,
        loaded_at=at,
        newest_at=dt.datetime.fromtimestamp(newest_s, dt.UTC),
        readings=len(speeds.kmh),
        refused=refused,
        lons=speeds.places[:, 0].tolist(),
        lats=speeds.places[:, 1].tolist(),
        kmhs=speeds.kmh.tolist(),
        ages_s=(newest_s - speeds.at_s).tolist(),
        headings=[None if np.isnan(each) else float(each) for each in speeds.headings]
        if np.isfinite(speeds.headings).any()
        else None,
    )
    session.add(row)
    session.flush()
    return row.id


def since(session: Session, territory_id: int, moment: dt.datetime) -> list[tuple[int, dt.datetime]]:
    """Return the files whose newest reading was taken after a moment, with that moment, the newest first."""
    rows = session.execute(
        select(TrafficLoad.id, TrafficLoad.newest_at)
        .where(TrafficLoad.territory_id == territory_id, TrafficLoad.newest_at > moment)
        .order_by(TrafficLoad.newest_at.desc(), TrafficLoad.id.desc())
    )
    return [(one, at) for one, at in rows]


def read(session: Session, ids: Sequence[int]) -> list[Speeds]:
    """Return the readings of files."""
    if not ids:
        return []
    rows = session.execute(
        select(
            TrafficLoad.id,
            TrafficLoad.lons,
            TrafficLoad.lats,
            TrafficLoad.kmhs,
            TrafficLoad.newest_at,
            TrafficLoad.ages_s,
            TrafficLoad.headings,
        ).where(TrafficLoad.id.in_(ids))
    )
    return [
        Speeds(
            one,
            np.column_stack([lons, lats]),
            np.array(kmhs),
            newest.timestamp() - np.array(ages),
            np.full(len(kmhs), np.nan) if headings is None else np.array(headings, dtype=np.float64),
        )
        for one, lons, lats, kmhs, newest, ages, headings in rows
    ]


def middles_of(session: Session, territory_id: int, names: Sequence[str]) -> dict[str, list[tuple[float, float]]]:
    """Return the middles of the stretches of streets by their names in either language, whatever the case.

    Parameters
    ----------
    names
        In lower case; those of streets that do not exist are left out.
    """
    middle, wanted = func.ST_LineInterpolatePoint(Road.geom, 0.5), set(names)
    asked = any_(literal(sorted(wanted), ARRAY(Text)))
    if not wanted:
        return {}
    rows = session.execute(
        select(
            func.lower(Road.name),
            func.lower(Road.name_zh),
            func.ST_X(middle, type_=Float),
            func.ST_Y(middle, type_=Float),
        )
        .where(Road.territory_id == territory_id, Road.drivable)
        .where(or_(func.lower(Road.name) == asked, func.lower(Road.name_zh) == asked))
        .order_by(Road.id)
    )
    found: dict[str, list[tuple[float, float]]] = {}
    for name, name_zh, lon, lat in rows:
        for one in {name, name_zh} & wanted:
            found.setdefault(one, []).append((lon, lat))
    return found


def forget(session: Session, territory_id: int, before: dt.datetime) -> int:
    """Delete files whose newest reading is older than a moment; return how many."""
    gone = session.execute(
        delete(TrafficLoad)
        .where(TrafficLoad.territory_id == territory_id, TrafficLoad.newest_at < before)
        .returning(TrafficLoad.id)
    )
    return len(gone.all())

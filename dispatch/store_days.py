"""SQL of past days: how many incidents were filed on each, and those of one."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Date, Float, cast, func, select
from sqlalchemy.orm import Session

from geodata.tables import Incident, ResponsibilityGrid, UnitGrid


@dataclass(frozen=True, slots=True)
class FiledRow:
    """An incident of a past day."""

    id: int
    class_id: int
    priority: int
    emergency: bool
    filed_at: dt.datetime
    due_at: dt.datetime | None
    lon: float
    lat: float
    grid: str | None


def days(session: Session, territory_id: int, zone: str, since: dt.datetime) -> list[tuple[dt.date, int]]:
    """Return local days with the number of incidents filed on each, the newest first."""
    day = cast(func.timezone(zone, Incident.filed_at), Date).label("day")
    rows = session.execute(
        select(day, func.count())
        .where(Incident.territory_id == territory_id, Incident.reported_at >= since, Incident.filed_at >= since)
        .where(Incident.status != "void", Incident.duplicate_of.is_(None))
        .group_by(day)
        .order_by(day.desc())
    )
    return [(each, count) for each, count in rows]


def filed(session: Session, territory_id: int, first: dt.datetime, until: dt.datetime) -> list[FiledRow]:
    """Return the incidents filed within a time, in order."""
    query = (
        select(
            Incident.id,
            Incident.class_id,
            Incident.priority,
            Incident.emergency,
            Incident.filed_at,
            Incident.due_at,
            func.ST_X(Incident.geom, type_=Float),
            func.ST_Y(Incident.geom, type_=Float),
            ResponsibilityGrid.code,
        )
        .join(UnitGrid, UnitGrid.id == Incident.grid_id)
        .outerjoin(ResponsibilityGrid, ResponsibilityGrid.id == UnitGrid.responsibility_grid_id)
        # Incidents are kept by month of the report.
        .where(Incident.territory_id == territory_id, Incident.reported_at < until)
        .where(Incident.reported_at >= first - dt.timedelta(days=60))
        .where(Incident.filed_at >= first, Incident.filed_at < until)
        .where(Incident.status != "void", Incident.duplicate_of.is_(None))
        .order_by(Incident.filed_at, Incident.id)
    )
    return [FiledRow(*row) for row in session.execute(query)]

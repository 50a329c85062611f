"""SQL of the situation: open work with its tasks, and what is known of the workers beside their shifts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BigInteger, Float, Select, all_, and_, cast, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from dispatch.situation_model import WorkRow
from geodata.tables import Incident, IncidentClass, Pin, ResponsibilityGrid, Task, UnitGrid, Worker, WorkerPosition

LIVE = ("waiting", "accepted", "started")
HISTORY_DAYS = 180
HISTORY_LEAST = 5


def _incident() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Incident.id,
            Incident.number,
            Incident.class_id,
            IncidentClass.name_en,
            IncidentClass.name_zh,
            Incident.status,
            Incident.priority,
            Incident.emergency,
            Incident.due_at,
            Incident.postponed_until,
            Incident.unit_id,
            func.ST_X(Incident.geom, type_=Float),
            func.ST_Y(Incident.geom, type_=Float),
            Incident.version,
            ResponsibilityGrid.code,
            IncidentClass.skills,
            IncidentClass.equipment,
            IncidentClass.workers,
            IncidentClass.service_min,
        )
        .join(IncidentClass, IncidentClass.id == Incident.class_id)
        .join(UnitGrid, UnitGrid.id == Incident.grid_id)
        .outerjoin(ResponsibilityGrid, ResponsibilityGrid.id == UnitGrid.responsibility_grid_id)
    )


def to_send(session: Session, territory_id: int, *, but: Collection[int] = ()) -> list[WorkRow]:
    """Return filed incidents that nobody has, by id; duplicates follow their first report and are not among them.

    Parameters
    ----------
    but
        Incidents that are not asked for.
    """
    query = (
        _incident()
        .outerjoin(
            Task, and_(Task.incident_id == Incident.id, Task.kind == "handle", ~Task.joint, Task.state.in_(LIVE))
        )
        # The first condition is that of the index of open incidents.
        .where(Incident.territory_id == territory_id, Incident.status.not_in(("closed", "void")))
        .where(Incident.status == "filed", Incident.duplicate_of.is_(None), Task.id.is_(None))
        .order_by(Incident.id)
    )
    if but:
        query = query.where(Incident.id != all_(cast(list(but), ARRAY(BigInteger))))
    return [WorkRow(*each) for each in session.execute(query)]


def one(session: Session, territory_id: int, incident_id: int) -> WorkRow | None:
    """Return one incident as work that nobody has, whatever its status; None when there is none."""
    row = session.execute(_incident().where(Incident.territory_id == territory_id, Incident.id == incident_id)).first()
    return None if row is None else WorkRow(*row)


def in_hand(session: Session, territory_id: int) -> list[WorkRow]:
    """Return live tasks that a worker has, of any kind, by incident and task."""
    query = (
        _incident()
        .add_columns(
            Task.id,
            Task.version,
            Task.kind,
            Task.joint,
            Task.state,
            Task.worker_id,
            Task.created_at,
            Task.accepted_at,
            Task.due_at,
            Task.planned_start,
            Task.place_in_route,
            Task.on_way_at,
            Task.arrived_at,
            Task.expected_done_at,
            Task.by_hand,
        )
        .join(Task, Task.incident_id == Incident.id)
        .where(Task.territory_id == territory_id, Task.state.in_(LIVE), Task.worker_id.is_not(None))
        .where(Incident.territory_id == territory_id, Incident.status.not_in(("closed", "void")))
        .order_by(Incident.id, Task.id)
    )
    return [WorkRow(*each) for each in session.execute(query)]


def abilities(session: Session, worker_ids: Sequence[int]) -> dict[int, tuple[frozenset[str], frozenset[str]]]:
    """Return worker id to skills and equipment."""
    rows = session.execute(select(Worker.id, Worker.skills, Worker.equipment).where(Worker.id.in_(worker_ids)))
    return {worker: (frozenset(skills), frozenset(equipment)) for worker, skills, equipment in rows}


def positions(session: Session, territory_id: int, since: dt.datetime) -> dict[int, tuple[float, float, dt.datetime]]:
    """Return worker id to the place (longitude, latitude) and moment told last, of those who told one ``since``."""
    rows = session.execute(
        select(
            WorkerPosition.worker_id,
            func.ST_X(WorkerPosition.geom, type_=Float),
            func.ST_Y(WorkerPosition.geom, type_=Float),
            WorkerPosition.at,
        ).where(WorkerPosition.territory_id == territory_id, WorkerPosition.at >= since)
    )
    return {worker: (lon, lat, at) for worker, lon, lat, at in rows}


def pins(session: Session, territory_id: int) -> list[tuple[int, int, str]]:
    """Return live pins and bars: incident, worker, and which of the two."""
    rows = session.execute(
        select(Pin.incident_id, Pin.worker_id, Pin.kind).where(Pin.territory_id == territory_id, Pin.ended_at.is_(None))
    )
    return [(incident, worker, kind) for incident, worker, kind in rows]


def usual_minutes(session: Session, territory_id: int, since: dt.datetime) -> dict[tuple[int, str], float]:
    """Return (class, kind of task) to the median minutes on site, where the history holds enough tasks."""
    spent = func.extract("epoch", Task.finished_at - Task.arrived_at) / 60.0
    rows = session.execute(
        select(Incident.class_id, Task.kind, func.percentile_cont(0.5).within_group(spent.asc()))
        .join(Incident, Incident.id == Task.incident_id)
        .where(Task.territory_id == territory_id, Task.state == "done")
        .where(Task.arrived_at.is_not(None), Task.finished_at > since, Task.finished_at > Task.arrived_at)
        .group_by(Incident.class_id, Task.kind)
        .having(func.count() >= HISTORY_LEAST)
    )
    return {(incident_class, kind): float(minutes) for incident_class, kind, minutes in rows}


def anything_open(session: Session, territory_id: int) -> bool:
    """Return whether a worker has something in hand, or a filed incident waits."""
    waits = select(Incident.id).where(
        Incident.territory_id == territory_id,
        Incident.status.not_in(("closed", "void")),
        Incident.status == "filed",
        Incident.duplicate_of.is_(None),
    )
    busy = select(Task.id).where(Task.territory_id == territory_id, Task.state.in_(LIVE), Task.worker_id.is_not(None))
    return bool(session.execute(select(or_(waits.exists(), busy.exists()))).scalar_one())


def grids_with_middle(session: Session, territory_id: int) -> list[tuple[int, str, str | None, float, float]]:
    """Return responsibility grids that have ground: id, both names, and a place in the middle."""
    middle = func.ST_PointOnSurface(ResponsibilityGrid.boundary)
    rows = session.execute(
        select(
            ResponsibilityGrid.id,
            ResponsibilityGrid.name,
            ResponsibilityGrid.name_zh,
            func.ST_X(middle, type_=Float),
            func.ST_Y(middle, type_=Float),
        )
        .where(ResponsibilityGrid.territory_id == territory_id, ResponsibilityGrid.boundary.is_not(None))
        .order_by(ResponsibilityGrid.code)
    )
    return [(one, name, zh, lon, lat) for one, name, zh, lon, lat in rows if lon is not None]


def reports(
    session: Session, territory_id: int, since: dt.datetime, until: dt.datetime
) -> list[tuple[int | None, dt.datetime]]:
    """Return responsibility grid and moment of what was reported in a time."""
    rows = session.execute(
        select(UnitGrid.responsibility_grid_id, Incident.reported_at)
        .join(UnitGrid, UnitGrid.id == Incident.grid_id)
        .where(Incident.territory_id == territory_id, Incident.reported_at >= since, Incident.reported_at < until)
    )
    return [(grid, at) for grid, at in rows]

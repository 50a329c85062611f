"""SQL of the field page: the live tasks of one worker with all he needs on site, his notices, his last place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from geoalchemy2 import WKTElement
from sqlalchemy import Float, Text, and_, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from dispatch.field_model import Box, FieldNotice, FieldTask
from geodata.tables import (
    Area,
    Evidence,
    Incident,
    IncidentClass,
    IncidentPersonal,
    Notice,
    ResponsibilityGrid,
    Road,
    Task,
    WorkerPosition,
)
from geodata.tables import Worker as WorkerRow

LIVE = ("waiting", "accepted", "started")
KINDS = ("handle", "verify", "check", "visit")
TASKS_MOST = 60
NOTICES_MOST = 12
ROADS_MOST = 1500
CORNERS = (func.ST_XMin, func.ST_YMin, func.ST_XMax, func.ST_YMax)


def tasks(session: Session, territory_id: int, worker_id: int) -> list[tuple[FieldTask, str | None, bytes | None]]:
    """Return the live tasks of a worker, each with the key and the ciphertext of what its reporter said."""
    shown = (
        select(func.array_agg(Evidence.kind.distinct(), type_=ARRAY(Text)))
        .where(
            Evidence.incident_id == Incident.id,
            or_(Evidence.kind != "after", and_(Evidence.round == Incident.reworks)),
        )
        .correlate(Incident)
        .scalar_subquery()
    )
    query = (
        select(
            Task.id,
            Incident.id,
            Incident.number,
            Task.kind,
            Task.state,
            IncidentClass.name_en,
            IncidentClass.name_zh,
            Incident.emergency,
            Incident.priority,
            Incident.place,
            Area.name,
            Area.name_zh,
            func.coalesce(Incident.due_at, Task.due_at),
            Task.planned_start,
            Task.planned_end,
            Task.place_in_route,
            Task.on_way_at,
            Task.arrived_at,
            Task.expected_done_at,
            Incident.urged_at,
            Incident.version,
            func.ST_X(Incident.geom, type_=Float),
            func.ST_Y(Incident.geom, type_=Float),
            IncidentClass.evidence,
            shown,
            IncidentPersonal.subject_id,
            IncidentPersonal.note_cipher,
        )
        .join(Incident, Incident.id == Task.incident_id)
        .join(IncidentClass, IncidentClass.id == Incident.class_id)
        .join(Area, Area.id == Incident.community_id)
        .outerjoin(IncidentPersonal, IncidentPersonal.incident_id == Incident.id)
        .where(
            Task.territory_id == territory_id,
            Task.worker_id == worker_id,
            Task.state.in_(LIVE),
            Task.kind.in_(KINDS),
        )
        .order_by(Task.planned_start.asc().nulls_last(), Incident.due_at.asc().nulls_last(), Task.id)
        .limit(TASKS_MOST)
    )
    rows: Sequence[Any] = session.execute(query).all()
    found = []
    for row in rows:
        *known, photos, subject, cipher = row
        given = dict(zip(FieldTask.__slots__, known, strict=False))
        found.append((FieldTask(**given, photos=tuple(sorted(photos or ()))), subject, cipher))
    return found


def notices(session: Session, territory_id: int, worker_id: int) -> list[FieldNotice]:
    """Return what a worker was told and has not put away, the newest first; a new task stands in his list anyway."""
    query = (
        select(
            Notice.id,
            Notice.topic,
            Notice.made_at,
            Notice.incident_id,
            Incident.number,
            func.coalesce(IncidentClass.name_en, ""),
            func.coalesce(IncidentClass.name_zh, ""),
        )
        .outerjoin(Incident, Incident.id == Notice.incident_id)
        .outerjoin(IncidentClass, IncidentClass.id == Incident.class_id)
        .where(Notice.territory_id == territory_id, Notice.worker_id == worker_id, Notice.read_at.is_(None))
        .where(Notice.topic != "assigned")
        .order_by(Notice.id.desc())
        .limit(NOTICES_MOST)
    )
    return [FieldNotice(*row) for row in session.execute(query)]


def put_away(session: Session, worker_id: int, upto: int, at: dt.datetime) -> int:
    """Mark the notices of a worker as read, up to an id; return how many."""
    done = session.execute(
        update(Notice)
        .where(Notice.worker_id == worker_id, Notice.id <= upto, Notice.read_at.is_(None))
        .values(read_at=at)
        .returning(Notice.id)
    )
    return len(done.all())


def worker_code(session: Session, worker_id: int) -> str | None:
    """Return the staff number of a worker."""
    return session.scalar(select(WorkerRow.code).where(WorkerRow.id == worker_id, WorkerRow.active))


def task_given_at(session: Session, incident_id: int, worker_id: int) -> dt.datetime | None:
    """Return when the live task of an incident was given to a worker, or accepted by him where he has."""
    return session.scalar(
        select(func.coalesce(Task.accepted_at, Task.created_at))
        .where(Task.incident_id == incident_id, Task.worker_id == worker_id, Task.state.in_(LIVE))
        .order_by(Task.id.desc())
        .limit(1)
    )


def put_position(
    session: Session,
    territory_id: int,
    worker_id: int,
    at: dt.datetime,
    place: tuple[float, float],
    *,
    accuracy_m: float | None,
) -> bool:
    """Overwrite the place of a worker; False when a newer one is there."""
    values = {
        "territory_id": territory_id,
        "at": at,
        "accuracy_m": accuracy_m,
        "geom": WKTElement(f"POINT({place[0]!r} {place[1]!r})", 4326),
    }
    statement = insert(WorkerPosition).values(worker_id=worker_id, **values)
    done = session.execute(
        statement.on_conflict_do_update(
            index_elements=[WorkerPosition.worker_id], set_=values, where=WorkerPosition.at < at
        ).returning(WorkerPosition.worker_id)
    )
    return done.first() is not None


def position(session: Session, worker_id: int, since: dt.datetime) -> tuple[float, float] | None:
    """Return the place of a worker, where it was said after a moment."""
    row = session.execute(
        select(func.ST_X(WorkerPosition.geom, type_=Float), func.ST_Y(WorkerPosition.geom, type_=Float)).where(
            WorkerPosition.worker_id == worker_id, WorkerPosition.at > since
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def drop_position(session: Session, worker_id: int) -> int:
    """Delete the place of a worker; return how many rows that were."""
    gone = session.execute(delete(WorkerPosition).where(WorkerPosition.worker_id == worker_id).returning(1))
    return len(gone.all())


def drop_positions(session: Session, before: dt.datetime) -> int:
    """Delete the places that were said before a moment; return how many."""
    return len(session.execute(delete(WorkerPosition).where(WorkerPosition.at < before).returning(1)).all())


def roads_in(
    session: Session, territory_id: int, box: Box, classes: Collection[str] | None = None
) -> list[tuple[str | None, str | None, str, bytes]]:
    """Return name, Chinese name, class and line (WKB) of the roads in a box; of some classes where they are named."""
    query = (
        select(Road.name, Road.name_zh, Road.road_class, func.ST_AsBinary(Road.geom))
        .where(Road.territory_id == territory_id, Road.geom.intersects(func.ST_MakeEnvelope(*box, 4326)))
        .limit(ROADS_MOST)
    )
    if classes is not None:
        query = query.where(Road.road_class.in_(classes))
    return [(row[0], row[1], row[2], bytes(row[3])) for row in session.execute(query)]


def incident(session: Session, territory_id: int, incident_id: int) -> tuple[str, str, int, float, float] | None:
    """Return number, status, version and place of an incident; None when it is out of reach."""
    row = session.execute(
        select(
            Incident.number,
            Incident.status,
            Incident.version,
            func.ST_X(Incident.geom, type_=Float),
            func.ST_Y(Incident.geom, type_=Float),
        ).where(Incident.id == incident_id, Incident.territory_id == territory_id)
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2], row[3], row[4])


def last_place(session: Session, worker_id: int, since: dt.datetime) -> tuple[float, float] | None:
    """Return where the worker finished or does his newest task since a moment."""
    row = session.execute(
        select(func.ST_X(Incident.geom, type_=Float), func.ST_Y(Incident.geom, type_=Float))
        .join(Task, Task.incident_id == Incident.id)
        .where(Task.worker_id == worker_id)
        .where((Task.state == "started") | (Task.state == "done") & (Task.finished_at > since))
        .order_by(Task.finished_at.desc().nulls_first(), Task.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def home(session: Session, worker_id: int, area_ids: Sequence[int]) -> Box | None:
    """Return the box (west, south, east, north) of the worker's grid, else of his communities."""
    own = select(WorkerRow.responsibility_grid_id).where(WorkerRow.id == worker_id).scalar_subquery()
    for shape, known in (
        (ResponsibilityGrid.boundary, ResponsibilityGrid.id == own),
        (Area.boundary, Area.id.in_(area_ids)),
    ):
        whole = func.ST_Extent(shape)
        row = session.execute(select(*(corner(whole, type_=Float) for corner in CORNERS)).where(known)).one()
        if row[0] is not None:
            return (row[0], row[1], row[2], row[3])
    return None

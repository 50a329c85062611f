"""SQL of duplicates: open incidents in the neighbourhood, and who is linked to whom."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geodata.tables import Incident, IncidentClass, IncidentPersonal, Task
from incidents.duplicates import Followed, Nearby, Relative
from incidents.lifecycle_guards import OWN_SOURCES, SIMPLE_FROM

NEARBY_MOST = 60
# Row-level security keeps a shape from leading: the cells around the point are found first, as integers, and
# these lead through the index of cell and time. The distance only orders the few that are left.
_NEARBY = """
    WITH cells AS MATERIALIZED (
        SELECT id FROM unit_grid
        WHERE territory_id = :territory
          AND geom && ST_MakeEnvelope(:lon - :wide, :lat - :high, :lon + :wide, :lat + :high, 4326)
    )
    SELECT i.id, i.number, c.kind || '-' || c.code, c.name_en, c.name_zh, i.category, i.status, i.reported_at, i.place,
           ST_X(i.geom), ST_Y(i.geom)
    FROM incident AS i JOIN incident_class AS c ON c.id = i.class_id
    WHERE i.territory_id = :territory AND i.grid_id = ANY (ARRAY(SELECT id FROM cells))
      AND i.reported_at >= :since AND i.reported_at <= :until
      AND i.status NOT IN ('closed', 'void') AND i.duplicate_of IS NULL
      AND i.id IS DISTINCT FROM :besides
    ORDER BY i.geom <-> ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), i.id
    LIMIT :most
"""


def nearby(
    session: Session,
    territory_id: int | None,
    place: tuple[float, float],
    box: tuple[float, float],
    period: tuple[dt.datetime, dt.datetime],
    *,
    besides: int | None = None,
) -> list[Nearby]:
    """Return open incidents around a point that stand for themselves, the nearest first; texts are the places.

    Parameters
    ----------
    place
        Longitude and latitude.
    box
        Half the width and half the height, in degrees, of where to look.
    besides
        An incident that is left out.
    """
    rows = session.execute(
        text(_NEARBY),
        {
            "territory": territory_id,
            "lon": place[0],
            "lat": place[1],
            "wide": box[0],
            "high": box[1],
            "since": period[0],
            "until": period[1],
            "besides": besides,
            "most": NEARBY_MOST,
        },
    )
    return [Nearby(*row) for row in rows]


def notes(session: Session, incident_ids: list[int]) -> dict[int, tuple[str, bytes | None]]:
    """Return incident id to subject and sealed text, of those that have one within reach."""
    rows = session.execute(
        select(IncidentPersonal.incident_id, IncidentPersonal.subject_id, IncidentPersonal.note_cipher).where(
            IncidentPersonal.incident_id.in_(incident_ids), IncidentPersonal.note_cipher.is_not(None)
        )
    )
    return {incident_id: (subject, cipher) for incident_id, subject, cipher in rows}


def lock_both(session: Session, territory_id: int | None, one: int, other: int) -> dict[int, Incident]:
    """Return two incidents by id, locked; one link is made at a time, since it touches a whole family."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('gridkeeper link'), :id)"), {"id": territory_id or 0})
    rows = session.scalars(
        select(Incident)
        .where(Incident.id.in_((one, other)), Incident.territory_id == territory_id)
        .order_by(Incident.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def relatives(session: Session, incident_id: int) -> tuple[Relative | None, list[Relative]]:
    """Return the incident that this one follows, and those that follow it, oldest first."""
    root_id = session.scalar(select(Incident.duplicate_of).where(Incident.id == incident_id))
    columns = select(
        Incident.id, Incident.number, IncidentClass.name_en, IncidentClass.name_zh, Incident.status,
        Incident.reported_at, Incident.place, Incident.source,
    ).join(IncidentClass, IncidentClass.id == Incident.class_id)  # fmt: skip
    children = session.execute(columns.where(Incident.duplicate_of == incident_id).order_by(Incident.id))
    root = None if root_id is None else session.execute(columns.where(Incident.id == root_id)).one_or_none()
    return None if root is None else Relative(*root), [Relative(*row) for row in children]


def followed(session: Session, incident_id: int) -> Followed:
    """Return whose hands were on the duplicates of an incident."""
    found = session.execute(
        select(
            Incident.id,
            Incident.dispatched_by,
            Incident.reported_by,
            Incident.source,
            Incident.emergency,
            Incident.priority,
        ).where(Incident.duplicate_of == incident_id)
    ).all()
    if not found:
        return Followed()
    tasks = session.execute(
        select(Task.assigned_by, Task.handled_by, Task.worker_id, Task.state).where(
            Task.incident_id.in_([row.id for row in found]), Task.kind == "handle"
        )
    ).all()
    return Followed(
        frozenset(task.assigned_by for task in tasks)
        | {row.dispatched_by for row in found if row.dispatched_by is not None},
        frozenset(user for task in tasks for user in task.handled_by),
        frozenset(task.worker_id for task in tasks if task.state == "done" and task.worker_id is not None),
        frozenset(row.reported_by for row in found),
        all(row.source in OWN_SOURCES and not row.emergency and row.priority >= SIMPLE_FROM for row in found),
    )

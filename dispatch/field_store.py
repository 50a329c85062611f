"""SQL of the field page: the live tasks of one worker with all he needs on site, his notices, his last place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from geoalchemy2 import WKTElement
from sqlalchemy import Float, and_, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from dispatch.field_model import Box, FieldNotice, FieldTask
from geodata.tables import (
    Area,
    Incident,
    Notice,
    ResponsibilityGrid,
    Road,
    Task,
    WorkerPosition,
)
from geodata.tables import Worker as WorkerRow

LIVE = ("waiting", "accepted", "started")
_TASKS = """
    SELECT t.id, i.id, i.number, CASE WHEN t.joint THEN 'help' ELSE t.kind END, t.state, c.name_en, c.name_zh,
           i.emergency, i.priority, i.place, a.name,
           a.name_zh, coalesce(i.due_at, t.due_at), t.planned_start, t.planned_end, t.place_in_route, t.on_way_at,
           t.arrived_at, t.expected_done_at, i.urged_at, i.version, ST_X(i.geom), ST_Y(i.geom), c.evidence,
           (SELECT array_agg(DISTINCT e.kind) FROM evidence AS e
            WHERE e.incident_id = i.id AND (e.kind <> 'after' OR e.round = i.reworks)),
           p.subject_id, p.note_cipher, c.skills, c.equipment, c.workers,
           (SELECT array_agg(w.code ORDER BY o.joint, w.code) FROM task AS o JOIN worker AS w ON w.id = o.worker_id
            WHERE o.incident_id = i.id AND o.id <> t.id AND o.kind = 'handle' AND t.kind = 'handle'
              AND o.state IN ('waiting', 'accepted', 'started'))
    FROM task AS t
    JOIN incident AS i ON i.id = t.incident_id
    JOIN incident_class AS c ON c.id = i.class_id
    JOIN area AS a ON a.id = i.community_id
    LEFT JOIN incident_personal AS p ON p.incident_id = i.id
    WHERE t.territory_id = %(territory)s AND t.worker_id = %(worker)s
      AND t.state IN ('waiting', 'accepted', 'started') AND t.kind IN ('handle', 'verify', 'check', 'visit')
    ORDER BY t.planned_start NULLS LAST, i.due_at NULLS LAST, t.id
    LIMIT 60
"""
_NOTICES = """
    SELECT n.id, n.topic, n.made_at, n.incident_id, coalesce(i.number, n.payload ->> 'number'),
           coalesce(c.name_en, ''), coalesce(c.name_zh, ''), coalesce(n.payload ->> 'reason', '')
    FROM notice AS n
    LEFT JOIN incident AS i ON i.id = n.incident_id
    LEFT JOIN incident_class AS c ON c.id = i.class_id
    WHERE n.territory_id = %(territory)s AND n.worker_id = %(worker)s AND n.read_at IS NULL AND n.topic <> 'assigned'
    ORDER BY n.id DESC
    LIMIT 12
"""
"""Both are asked by every phone every few seconds, so they go to the driver as they stand."""
ROADS_MOST = 1500
CORNERS = (func.ST_XMin, func.ST_YMin, func.ST_XMax, func.ST_YMax)


def tasks(session: Session, territory_id: int, worker_id: int) -> list[tuple[FieldTask, str | None, bytes | None]]:
    """Return the live tasks of a worker, each with the key and the ciphertext of what its reporter said."""
    given = {"territory": territory_id, "worker": worker_id}
    return [
        (
            FieldTask(
                *(
                    *row[:24],
                    tuple(sorted(row[24] or ())),
                    tuple(row[27]),
                    tuple(row[28]),
                    row[29],
                    tuple(row[30] or ()),
                )
            ),
            row[25],
            row[26],
        )
        for row in session.connection().exec_driver_sql(_TASKS, given)
    ]


def notices(session: Session, territory_id: int, worker_id: int) -> list[FieldNotice]:
    """Return what a worker was told and has not put away, the newest first; a new task stands in his list anyway."""
    given = {"territory": territory_id, "worker": worker_id}
    return [FieldNotice(*row) for row in session.connection().exec_driver_sql(_NOTICES, given)]


def put_away(session: Session, worker_id: int, upto: int, at: dt.datetime) -> int:
    """Mark the notices of a worker as read, up to an id; return how many."""
    done = session.execute(
        update(Notice)
        .where(Notice.worker_id == worker_id, Notice.id <= upto, Notice.read_at.is_(None))
        .values(read_at=at)
        .returning(Notice.id)
    )
    return len(done.all())


def earliest(session: Session, incident_id: int, worker_id: int, at: dt.datetime) -> dt.datetime | None:
    """Return when a worker's next act on an incident happened at the earliest: never before the last one.

    That is when his live task was given to him, accepted (or sent back), or he was on the way or there; without a
    task, when the incident was reported. What he did while he came along (``at``) is no act of a check that he was
    sent to afterwards.
    """
    times, part = (Task.created_at, Task.accepted_at, Task.on_way_at, Task.arrived_at), aliased(Task)
    came_along = exists().where(
        part.incident_id == incident_id,
        part.worker_id == worker_id,
        part.joint,
        part.state.in_(("done", "cancelled")),
        part.created_at <= at,
        part.finished_at >= at,
    )
    mine = and_(
        Task.incident_id == Incident.id,
        Task.worker_id == worker_id,
        Task.state.in_(LIVE),
        ~and_(Task.kind == "check", came_along),
    )
    found: dt.datetime | None = session.scalar(
        select(func.coalesce(func.greatest(*times), Incident.reported_at))
        .select_from(Incident)
        .outerjoin(Task, mine)
        .where(Incident.id == incident_id)
        .order_by(Task.id.desc().nulls_last())
        .limit(1)
    )
    return found


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

"""SQL of the citizen's word."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from incidents.words import Asked, CallBack, WordInfo


def asked(
    session: Session, territory_id: int, incident_id: int, *, user_id: int | None, worker_id: int | None
) -> Asked | None:
    """Return what decides whether the user may take the word; None when the incident is out of reach."""
    row = session.execute(
        text(
            "SELECT i.number, i.status, i.source, EXISTS (SELECT FROM task AS t WHERE t.incident_id = i.id"
            " AND t.kind = 'handle' AND (:hand = ANY (t.handled_by) OR t.worker_id = :worker AND t.state = 'done'))"
            " OR EXISTS (SELECT FROM evidence AS e WHERE e.incident_id = i.id AND e.taken_by = :hand"
            " AND e.kind = 'after' AND e.taken_as IN ('handler', 'grid_worker')) AS handled,"
            " EXISTS (SELECT FROM task AS t WHERE t.incident_id = i.id AND t.kind = 'visit'"
            " AND t.worker_id = :worker AND t.state IN ('waiting', 'accepted', 'started')) AS sent,"
            " coalesce(i.closed_by = :hand, false) AS closed, EXISTS (SELECT FROM citizen_word AS w"
            " WHERE w.incident_id = i.id AND w.reached AND w.closed_at IS NOT DISTINCT FROM i.closed_at) AS answered"
            " FROM incident AS i WHERE i.id = :id AND i.territory_id = :territory"
        ),
        {"id": incident_id, "territory": territory_id, "hand": user_id or 0, "worker": worker_id or 0},
    ).one_or_none()
    return None if row is None else Asked(*row)


def words(session: Session, incident_id: int) -> list[WordInfo]:
    """Return what the citizen said, the newest first."""
    rows = session.execute(
        text(
            "SELECT id, reached, solved, satisfied, told_at FROM citizen_word WHERE incident_id = :id ORDER BY id DESC"
        ),
        {"id": incident_id},
    )
    return [WordInfo(*tuple(row)) for row in rows]


def add(
    session: Session, territory_id: int, incident_id: int, *, reached: bool, solved: bool | None, satisfied: int | None
) -> None:
    """Insert the word; the database says who took it and when, and of which close."""
    session.execute(
        text(
            "INSERT INTO citizen_word (territory_id, incident_id, reached, solved, satisfied, told_at)"
            " VALUES (:territory, :incident, :reached, :solved, :satisfied, now())"
        ),
        {
            "territory": territory_id,
            "incident": incident_id,
            "reached": reached,
            "solved": solved,
            "satisfied": satisfied,
        },
    )


def end_visits(session: Session, incident_id: int, *, worker_id: int | None) -> None:
    """End the live tasks of calling back; of a worker only his own."""
    session.execute(
        text(
            "UPDATE task SET state = 'done', accepted_at = coalesce(accepted_at, now()), finished_at = now(),"
            " version = version + 1 WHERE incident_id = :id AND kind = 'visit'"
            " AND state IN ('waiting', 'accepted', 'started')"
            " AND (:all OR worker_id = :worker)"
        ),
        {"id": incident_id, "all": worker_id is None, "worker": worker_id or 0},
    )


def send(session: Session, incident_id: int, worker_id: int) -> bool:
    """Give the live task of calling back to a worker; return whether there was one."""
    done = session.execute(
        text(
            "UPDATE task SET worker_id = :worker, version = version + 1"
            " WHERE incident_id = :id AND kind = 'visit' AND state IN ('waiting', 'accepted', 'started')"
        ),
        {"id": incident_id, "worker": worker_id},
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]


def waiting(session: Session, territory_id: int, limit: int) -> list[CallBack]:
    """Return who waits to be called back, the longest first."""
    rows = session.execute(
        text(
            "SELECT i.id, i.number, c.name_en, c.name_zh, i.place, i.closed_at, w.code FROM task AS t"
            " JOIN incident AS i ON i.id = t.incident_id JOIN incident_class AS c ON c.id = i.class_id"
            " LEFT JOIN worker AS w ON w.id = t.worker_id WHERE t.territory_id = :territory AND t.kind = 'visit'"
            " AND t.state IN ('waiting', 'accepted', 'started') AND i.status = 'closed'"
            " ORDER BY i.closed_at LIMIT :limit"
        ),
        {"territory": territory_id, "limit": limit},
    )
    return [CallBack(*tuple(row)) for row in rows]

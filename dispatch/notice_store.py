"""SQL of messages: claimed from the outbox, handed in as notices, and settled; tasks that nobody answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.execution_model import DeskRow, NoticeRow, Unanswered

_CLAIM = """
    UPDATE outbox SET attempts = attempts + 1 WHERE id IN (
        SELECT id FROM outbox WHERE sent_at IS NULL ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
    ) RETURNING id
"""
_HAND_IN = """
    INSERT INTO notice (outbox_id, territory_id, worker_id, made_at, topic, incident_id, task_id, payload)
    SELECT id, territory_id, worker_id, made_at, topic, incident_id, task_id, payload FROM outbox
    WHERE id = ANY (:ids) ORDER BY id ON CONFLICT (outbox_id) DO NOTHING RETURNING id
"""
_SETTLE = "UPDATE outbox SET sent_at = :at WHERE id = ANY (:ids) AND sent_at IS NULL"
_NOTICES = """
    SELECT n.id, n.made_at, n.topic, n.incident_id, coalesce(n.payload ->> 'number', ''), n.task_id, n.worker_id,
           n.payload, n.read_at
    FROM notice AS n
    WHERE n.territory_id = :territory AND n.id > :after AND n.worker_id IS NOT DISTINCT FROM :worker
      AND (NOT :unread OR n.read_at IS NULL)
    ORDER BY n.id DESC LIMIT :most
"""
_PUT_AWAY = """
    SELECT n.id, n.made_at, n.topic, n.incident_id, coalesce(n.payload ->> 'number', ''), n.task_id, n.worker_id,
           n.payload, n.read_at
    FROM notice AS n
    WHERE n.territory_id = :territory AND n.worker_id IS NULL AND n.read_at IS NOT NULL
      AND (CAST(:before AS bigint) IS NULL OR n.id < :before)
    ORDER BY n.id DESC LIMIT :most
"""
_READ = """
    UPDATE notice AS n SET read_at = :at
    WHERE n.territory_id = :territory AND n.worker_id IS NOT DISTINCT FROM :worker AND n.id <= :last
      AND n.read_at IS NULL AND (n.topic <> 'escalated' OR NOT EXISTS (
          SELECT FROM task AS t WHERE t.id = n.task_id AND t.state = 'waiting' AND t.escalated_at IS NOT NULL))
    RETURNING n.id
"""
_ON_DESK = """
    WITH open (id, topic, incident_id, since, worker_id, reason) AS (
        SELECT 0, 'escalated', t.incident_id, t.escalated_at, t.worker_id, '' FROM task AS t
        WHERE t.territory_id = :territory AND t.state = 'waiting' AND t.escalated_at IS NOT NULL
        UNION ALL
        (SELECT DISTINCT ON (n.incident_id) n.id, n.topic, n.incident_id, n.made_at, t.worker_id,
                coalesce(n.payload ->> 'reason', '')
         FROM notice AS n JOIN task AS t ON t.id = n.task_id
         WHERE n.territory_id = :territory AND n.worker_id IS NULL AND n.read_at IS NULL AND n.topic = 'returned'
           AND t.state = 'returned' AND NOT EXISTS (
               SELECT FROM task AS other WHERE other.incident_id = t.incident_id AND other.kind = t.kind
               AND other.id > t.id AND other.state <> 'cancelled')
         ORDER BY n.incident_id, n.id DESC)
    )
    SELECT o.id, o.topic, o.incident_id, i.number, c.name_en, c.name_zh, o.since, coalesce(w.code, ''), o.reason
    FROM open AS o JOIN incident AS i ON i.id = o.incident_id JOIN incident_class AS c ON c.id = i.class_id
    LEFT JOIN worker AS w ON w.id = o.worker_id
    WHERE i.status NOT IN ('closed', 'void')
    ORDER BY o.topic <> 'escalated', o.since, o.incident_id
"""
_FORGET_SENT = "DELETE FROM outbox WHERE sent_at < :before RETURNING id"
_FORGET_NOTICES = "DELETE FROM notice WHERE made_at < :before RETURNING id"
_UNANSWERED_LOCKED = "AND t.id = :task FOR NO KEY UPDATE OF i SKIP LOCKED"
_UNANSWERED = """
    SELECT t.incident_id, i.number, t.id, t.worker_id, i.version,
           (SELECT count(*) FROM pin AS p WHERE p.incident_id = i.id AND p.kind = 'bar' AND p.ended_at IS NULL
            AND p.reason = :no_answer AND EXISTS (SELECT FROM task AS o WHERE o.incident_id = i.id
                AND o.worker_id = p.worker_id AND o.joint = t.joint AND o.state = 'cancelled'
                -- Of several who come along each has a next best of his own: who got the part of another begins then.
                AND (NOT t.joint OR o.finished_at = t.created_at))),
           CASE WHEN t.joint THEN t.by_hand ELSE EXISTS (
               SELECT FROM pin AS p WHERE p.incident_id = i.id AND p.kind = 'pin' AND p.ended_at IS NULL) END,
           t.joint
    FROM task AS t JOIN incident AS i ON i.id = t.incident_id
    JOIN unnest(CAST(:crew AS integer[]), CAST(:begun AS timestamptz[])) AS s (worker_id, begun)
         ON s.worker_id = t.worker_id
    WHERE t.territory_id = :territory AND t.created_at >= :oldest AND t.kind = 'handle'
      AND t.state = 'waiting' AND t.escalated_at IS NULL
      AND (i.status = 'dispatched' OR t.joint AND i.status = 'handling')
      AND greatest(t.created_at, s.begun) <= CASE WHEN i.emergency THEN CAST(:emergency AS timestamptz)
                               ELSE (CAST(:since AS timestamptz[]))[least(greatest(i.priority, 1), :lowest)] END
"""
_BARRED = """
    SELECT worker_id FROM pin WHERE incident_id = :incident AND kind = 'bar' AND ended_at IS NULL
    UNION SELECT worker_id FROM task WHERE incident_id = :incident AND kind = 'handle' AND worker_id IS NOT NULL
          AND state IN ('waiting', 'accepted', 'started')
"""
_PLANNED = """
    SELECT worker_id FROM plan_row
    WHERE plan_id = (SELECT max(id) FROM plan WHERE territory_id = :territory)
      AND incident_id = :incident AND kind = :kind
      AND worker_id NOT IN (SELECT worker_id FROM task WHERE incident_id = :incident AND kind = 'handle'
                            AND worker_id IS NOT NULL AND state IN ('waiting', 'accepted', 'started'))
    ORDER BY place_in_route LIMIT 1
"""
_GIVE_ON = """
    WITH ended AS (
        UPDATE task SET state = 'cancelled', finished_at = :at, version = task.version + 1
        FROM worker AS w, incident AS i
        WHERE task.id = :task AND task.state = 'waiting' AND w.id = :worker AND w.active
          AND i.id = :incident AND i.version = :version AND w.territory_id = i.territory_id
        RETURNING task.assigned_by, task.due_at, task.unit_id
    ), sent AS (
        UPDATE incident SET worker_id = :worker, dispatched_at = :at, version = incident.version + 1
        FROM ended WHERE incident.id = :incident RETURNING incident.id
    ), barred AS (
        INSERT INTO pin (territory_id, incident_id, worker_id, kind, reason, made_at)
        SELECT :territory, id, :before, 'bar', :no_answer, :at FROM sent ON CONFLICT DO NOTHING
    )
    INSERT INTO task (territory_id, incident_id, kind, state, unit_id, worker_id, assigned_by, created_at, due_at)
    SELECT :territory, sent.id, 'handle', 'waiting', ended.unit_id, :worker, ended.assigned_by, :at, ended.due_at
    FROM sent, ended RETURNING id
"""
_CALL_ON = """
    WITH ended AS (
        UPDATE task SET state = 'cancelled', finished_at = :at, version = task.version + 1
        FROM worker AS w, incident AS i
        WHERE task.id = :task AND task.state = 'waiting' AND w.id = :worker AND w.active
          AND i.id = :incident AND w.territory_id = i.territory_id AND i.status IN ('dispatched', 'handling')
        RETURNING task.assigned_by, task.due_at
    ), barred AS (
        INSERT INTO pin (territory_id, incident_id, worker_id, kind, reason, made_at)
        SELECT :territory, :incident, :before, 'bar', :no_answer, :at FROM ended ON CONFLICT DO NOTHING
    )
    INSERT INTO task (territory_id, incident_id, kind, state, worker_id, assigned_by, created_at, due_at, joint)
    SELECT :territory, :incident, 'handle', 'waiting', :worker, assigned_by, :at, due_at, true
    FROM ended RETURNING id
"""
"""As giving on, for who comes along: the incident stays as who leads saw it."""
_ESCALATE = """
    UPDATE task SET escalated_at = :at, version = version + 1
    WHERE id = :task AND state = 'waiting' AND escalated_at IS NULL RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Limits:
    """Since when a task may wait at most: by priority from 1, of emergencies; what is older than ``oldest`` is left."""

    since: tuple[dt.datetime, ...]
    emergency: dt.datetime
    oldest: dt.datetime


def claim(session: Session, most: int) -> list[int]:
    """Return the messages that have not arrived, the oldest first, and count the attempt."""
    return sorted(session.scalars(text(_CLAIM), {"most": most}))


def hand_in(session: Session, ids: Sequence[int]) -> int:
    """Make notices of messages; one that arrived before stays as it is. Return how many are new."""
    return len(session.execute(text(_HAND_IN), {"ids": list(ids)}).all())


def settle(session: Session, ids: Sequence[int], at: dt.datetime) -> None:
    """Write that messages arrived."""
    session.execute(text(_SETTLE), {"ids": list(ids), "at": at})


def notices(
    session: Session, territory_id: int, worker_id: int | None, *, after: int, unread: bool, most: int
) -> list[NoticeRow]:
    """Return notices of a worker, or of the desks, the newest first."""
    given = {"territory": territory_id, "worker": worker_id, "after": after, "unread": unread, "most": most}
    return [NoticeRow(*row) for row in session.execute(text(_NOTICES), given)]


def put_away(session: Session, territory_id: int, *, before: int | None, most: int) -> list[NoticeRow]:
    """Return notices of the desks that were put away, the newest first; ``before`` an id."""
    given = {"territory": territory_id, "before": before, "most": most}
    return [NoticeRow(*row) for row in session.execute(text(_PUT_AWAY), given)]


def read(session: Session, territory_id: int, worker_id: int | None, last: int, at: dt.datetime) -> int:
    """Write that notices up to one were read; return how many."""
    given = {"territory": territory_id, "worker": worker_id, "last": last, "at": at}
    return len(session.execute(text(_READ), given).all())


def on_desk(session: Session, territory_id: int) -> list[DeskRow]:
    """Return what nobody answers and what was given back and not put away, the oldest first of each."""
    return [DeskRow(*row) for row in session.execute(text(_ON_DESK), {"territory": territory_id})]


def forget(session: Session, before: dt.datetime) -> int:
    """Delete what arrived before a moment, and notices made before it; return how many."""
    sent = session.execute(text(_FORGET_SENT), {"before": before}).all()
    return len(sent) + len(session.execute(text(_FORGET_NOTICES), {"before": before}).all())


def unanswered(
    session: Session,
    territory_id: int,
    limits: Limits,
    crew: Mapping[int, dt.datetime],
    no_answer: str,
    *,
    locked: int | None = None,
) -> list[Unanswered]:
    """Return tasks that wait too long for workers on shift, the oldest first.

    Parameters
    ----------
    crew
        Worker id to the begin of the shift.
    locked
        Only this task, with its incident locked; nothing while that is in other hands.
    """
    given = {
        "territory": territory_id,
        "since": list(limits.since),
        "lowest": len(limits.since),
        "emergency": limits.emergency,
        "oldest": limits.oldest,
        "crew": list(crew),
        "begun": list(crew.values()),
        "no_answer": no_answer,
        "task": locked,
    }
    query = _UNANSWERED + ("ORDER BY t.created_at, t.id" if locked is None else _UNANSWERED_LOCKED)
    return [Unanswered(*row) for row in session.execute(text(query), given)]


def barred(session: Session, incident_id: int) -> set[int]:
    """Return the workers who are kept off an incident, or are at it already."""
    return set(session.scalars(text(_BARRED), {"incident": incident_id}))


def planned(session: Session, territory_id: int, incident_id: int, *, along: bool = False) -> int | None:
    """Return whom the newest plan sends to an incident who is not at it yet; None when it sends nobody.

    Parameters
    ----------
    along
        To come along with who leads.
    """
    given = {"territory": territory_id, "incident": incident_id, "kind": "help" if along else "handle"}
    return session.execute(text(_PLANNED), given).scalar()


def give_on(session: Session, given: Mapping[str, Any], *, along: bool = False) -> int | None:
    """Give a waiting task to another worker and keep the first one off; return the new task, None: it moved on.

    Parameters
    ----------
    along
        The task of who comes along.
    """
    return session.execute(text(_CALL_ON if along else _GIVE_ON), dict(given)).scalar()


def escalate(session: Session, task_id: int, at: dt.datetime) -> bool:
    """Write that the shift leader was told; False when it was answered just now."""
    return session.execute(text(_ESCALATE), {"task": task_id, "at": at}).first() is not None

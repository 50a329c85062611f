"""SQL of carrying out a plan: one statement compares what the plan was made from and sets what it says.

Publishers of a territory wait for each other (an advisory lock) and for nobody else's incident or task: a row that
somebody is changing at this moment, and the rows of a worker one of whose tasks somebody is changing, are left out as
stale. So no two transactions wait for each other.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('gridkeeper.dispatch'), :territory)"
_ASKED = """
    SELECT r.incident_id, r.worker_id, t.worker_id FROM plan_row AS r LEFT JOIN task AS t ON t.id = r.task_id
    WHERE r.plan_id = :plan
      AND (r.incident_id = ANY (:ids) OR :safe AND r.safe AND r.change IN ('new', 'moved', 'retimed'))
"""
_LOCK_INCIDENTS = """
    SELECT id FROM incident WHERE id = ANY (:ids) AND territory_id = :territory
    ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""
_LOCK_TASKS = """
    SELECT id FROM task WHERE territory_id = :territory AND worker_id = ANY (:workers)
      AND state IN ('waiting', 'accepted', 'started') ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
"""
_BUSY = """
    SELECT DISTINCT worker_id FROM task WHERE territory_id = :territory AND worker_id = ANY (:workers)
      AND state IN ('waiting', 'accepted', 'started') AND id <> ALL (CAST(:tasks AS bigint[]))
"""
_PUBLISH = """
    WITH looked AS MATERIALIZED (
        -- What the plan says, what is, and what may be done about it.
        SELECT r.incident_id, r.kind, t.id AS task_id, r.worker_id, r.place_in_route, r.start_at, r.end_at,
               r.incident_id = ANY (:asked) AS asked, i.number, i.version AS now_version, r.incident_version,
               r.task_version, t.version AS now_task, t.planned_start, t.planned_end, t.place_in_route AS now_place,
               coalesce(i.unit_id, w.unit_id) AS unit_id, busy.who AS busy,
               CASE WHEN t.worker_id = r.worker_id AND t.state IN ('waiting', 'accepted', 'started') THEN
                   CASE WHEN t.id = r.task_id AND t.version = r.task_version AND NOT busy.who THEN 'retimed'
                        WHEN t.planned_start = r.start_at THEN 'kept' END
               WHEN :fresh AND NOT busy.who AND r.kind = 'handle' AND r.incident_id = ANY (:asked)
                    AND i.id = ANY (:locked) AND w.active
                    AND i.version = r.incident_version AND i.duplicate_of IS NULL
                    AND (i.postponed_until IS NULL OR i.postponed_until <= :at)
                    AND (r.task_id IS NULL AND i.status = 'filed'
                         OR t.version = r.task_version AND t.state IN ('waiting', 'accepted') AND t.on_way_at IS NULL
                            AND i.status IN ('dispatched', 'handling'))
                    AND NOT EXISTS (SELECT FROM pin AS p WHERE p.incident_id = i.id AND p.ended_at IS NULL
                                    AND (p.kind = 'pin') <> (p.worker_id = r.worker_id))
               THEN 'sent' END AS what
        FROM plan_row AS r JOIN incident AS i ON i.id = r.incident_id
        JOIN worker AS w ON w.id = r.worker_id AND w.territory_id = r.territory_id
        -- The task that the plan names, or the one that was made of this very row before.
        LEFT JOIN task AS t ON t.id = coalesce((
            SELECT n.id FROM task AS n WHERE n.incident_id = i.id AND n.kind = 'handle' AND r.kind = 'handle'
            AND NOT n.joint AND n.state IN ('waiting', 'accepted', 'started') AND n.worker_id = r.worker_id
            AND n.planned_start = r.start_at LIMIT 1), r.task_id)
        CROSS JOIN LATERAL (SELECT r.worker_id = ANY (:busy) OR coalesce(t.worker_id = ANY (:busy), false)) AS busy(who)
        WHERE r.plan_id = :plan
          AND (r.incident_id = ANY (:asked) OR r.task_id IS NOT NULL AND r.worker_id = ANY (:workers))
    ), ends AS (
        SELECT l.*, least(l.end_at, lead(l.start_at) OVER (PARTITION BY l.worker_id ORDER BY l.start_at,
                   l.place_in_route)) AS until
        FROM looked AS l WHERE l.what IS NOT NULL
    ), good AS MATERIALIZED (
        SELECT e.*, CASE WHEN e.until > e.start_at THEN e.start_at END AS plan_start,
               CASE WHEN e.until > e.start_at THEN e.until END AS plan_end
        FROM ends AS e
    ), changes AS MATERIALIZED (
        SELECT g.task_id AS id, true AS ended, NULL::timestamptz AS plan_start, NULL::timestamptz AS plan_end,
               NULL::smallint AS place, false AS unplanned
        FROM good AS g WHERE g.what = 'sent' AND g.task_id IS NOT NULL
        UNION ALL
        SELECT g.task_id, false, g.plan_start, g.plan_end, g.place_in_route, false FROM good AS g
        WHERE g.what = 'retimed' AND (g.plan_start, g.plan_end, g.place_in_route)
              IS DISTINCT FROM (g.planned_start, g.planned_end, g.now_place)
        UNION ALL
        SELECT t.id, false, NULL, NULL, NULL, true FROM task AS t
        WHERE t.territory_id = :territory AND t.worker_id = ANY (:workers)
          AND t.state IN ('waiting', 'accepted', 'started') AND t.planned_start IS NOT NULL
          AND NOT EXISTS (SELECT FROM good AS g WHERE g.task_id = t.id)
          AND EXISTS (SELECT FROM good AS g WHERE g.worker_id = t.worker_id
                      AND g.plan_start < t.planned_end AND t.planned_start < g.plan_end)
    ), changed AS (
        UPDATE task AS t SET
            state = CASE WHEN c.ended THEN 'cancelled' ELSE t.state END,
            finished_at = CASE WHEN c.ended THEN :at ELSE t.finished_at END,
            planned_start = CASE WHEN c.ended THEN t.planned_start ELSE c.plan_start END,
            planned_end = CASE WHEN c.ended THEN t.planned_end ELSE c.plan_end END,
            place_in_route = CASE WHEN c.ended THEN t.place_in_route ELSE c.place END,
            version = t.version + 1
        FROM changes AS c WHERE t.id = c.id
        RETURNING t.id, c.unplanned
    ), sent AS (
        UPDATE incident AS i SET status = 'dispatched', dispatched_at = :at, dispatched_by = :hand,
            worker_id = g.worker_id, unit_id = g.unit_id, version = i.version + 1
        FROM good AS g
        -- The count makes sure that the old tasks have ended before the new ones are made.
        WHERE i.id = g.incident_id AND g.what = 'sent' AND (SELECT count(*) FROM changed) >= 0
        RETURNING i.id, i.due_at, i.worker_id
    ), made AS (
        INSERT INTO task (territory_id, incident_id, kind, state, unit_id, worker_id, assigned_by, created_at, due_at,
                          planned_start, planned_end, place_in_route)
        SELECT :territory, s.id, 'handle', 'waiting', g.unit_id, g.worker_id, :hand, :at, s.due_at,
               g.plan_start, g.plan_end, g.place_in_route
        FROM sent AS s JOIN good AS g ON g.incident_id = s.id AND g.what = 'sent' AND g.worker_id = s.worker_id
        RETURNING id, incident_id, worker_id
    )
    SELECT l.incident_id, l.number, CASE WHEN l.what = 'sent' THEN m.id ELSE l.task_id END AS task_id, l.worker_id,
           CASE WHEN l.what = 'retimed' AND c.id IS NULL THEN 'kept' ELSE l.what END AS what, l.asked,
           l.incident_version, l.now_version, l.incident_id = ANY (:locked) AND NOT l.busy AS locked,
           (SELECT count(*) FROM changed AS u WHERE u.unplanned) AS unplanned
    FROM looked AS l
    LEFT JOIN made AS m ON l.what = 'sent' AND m.incident_id = l.incident_id AND m.worker_id = l.worker_id
    LEFT JOIN changed AS c ON c.id = l.task_id
    ORDER BY l.place_in_route, l.incident_id
"""
_ASSIGN = """
    SELECT gk_assign(:incident, :worker, :version, :at, :command, :digest) WHERE :chosen OR EXISTS (
        SELECT FROM incident AS i JOIN incident_class AS c ON c.id = i.class_id JOIN worker AS w ON w.id = :worker
        WHERE i.id = :incident AND c.skills <@ w.skills AND c.equipment <@ w.equipment)
"""
"""One statement: the incident, its task, the message and the record (by triggers) and the command, or nothing."""
_STATUS = "SELECT status FROM incident WHERE id = :incident AND territory_id = :territory"
_OWN_TASK = """
    SELECT t.id, t.kind, t.state, t.version, i.number, i.status, i.version AS incident_version
    FROM task AS t JOIN incident AS i ON i.id = t.incident_id
    WHERE t.incident_id = :incident AND t.worker_id = :worker AND t.state IN ('waiting', 'accepted', 'started')
    ORDER BY t.kind <> 'handle', t.id LIMIT 1
"""
_LOCK_ONE = "SELECT id FROM incident WHERE id = :incident AND territory_id = :territory FOR UPDATE"
_PROGRESS = """
    UPDATE task SET state = CASE WHEN :state <> '' THEN :state ELSE state END,
        accepted_at = coalesce(accepted_at, CASE WHEN :state <> '' THEN CAST(:at AS timestamptz) END),
        on_way_at = coalesce(on_way_at, CAST(:on_way AS timestamptz)),
        arrived_at = coalesce(arrived_at, CAST(:arrived AS timestamptz)),
        expected_done_at = coalesce(CAST(:expected AS timestamptz), expected_done_at), version = version + 1
    WHERE id = :task
"""
_PINS = """
    SELECT p.id, p.incident_id, i.number, p.worker_id, w.code, p.kind, p.reason, p.made_at
    FROM pin AS p JOIN incident AS i ON i.id = p.incident_id JOIN worker AS w ON w.id = p.worker_id
    WHERE p.territory_id = :territory AND p.ended_at IS NULL ORDER BY p.id
"""
_END_PINS = """
    UPDATE pin SET ended_at = greatest(CAST(:at AS timestamptz), made_at)
    WHERE incident_id = :incident AND ended_at IS NULL AND (kind = 'pin' OR worker_id = :worker) RETURNING id
"""
_ADD_PIN = """
    INSERT INTO pin (territory_id, incident_id, worker_id, kind, reason, made_by, made_at)
    VALUES (:territory, :incident, :worker, :kind, :reason, :hand, :at) ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the plan after publishing; ``what`` None: it was stale and nothing was done.

    ``locked``: nobody else was changing it or a task of its worker.
    """

    incident_id: int
    number: str
    task_id: int | None
    worker_id: int
    what: str | None
    asked: bool
    incident_version: int
    now_version: int
    locked: bool
    unplanned: int


@dataclass(frozen=True, slots=True)
class OwnTask:
    """A worker's live task, with its incident as it is now."""

    id: int
    kind: str
    state: str
    version: int
    number: str
    status: str
    incident_version: int


def one_at_a_time(session: Session, territory_id: int) -> None:
    """Wait until no other publishes in the territory; held until the transaction ends."""
    session.execute(text(_LOCK), {"territory": territory_id})


def publish(
    session: Session,
    territory_id: int,
    plan_id: int,
    incident_ids: Sequence[int] | None,
    *,
    hand: int | None,
    at: dt.datetime,
    fresh: bool = True,
) -> list[Row]:
    """Do what rows of a plan say where nothing changed since it was made; return each with what came of it.

    Parameters
    ----------
    fresh
        False sends nobody: the plan is too old to say who is there.
    """
    chosen = {"plan": plan_id, "ids": list(incident_ids or ()), "safe": incident_ids is None}
    rows = session.execute(text(_ASKED), chosen).all()
    asked = [incident for incident, _, _ in rows]
    workers = sorted({worker for _, *both in rows for worker in both if worker is not None})
    here = {"territory": territory_id}
    locked = list(session.scalars(text(_LOCK_INCIDENTS), {"ids": asked, **here}))
    tasks = list(session.scalars(text(_LOCK_TASKS), {"workers": workers, **here}))
    busy = list(session.scalars(text(_BUSY), {"workers": workers, "tasks": tasks, **here}))
    given = {"plan": plan_id, "asked": asked, "locked": locked, "hand": hand, "at": at, "fresh": fresh, **here}
    given |= {"workers": [each for each in workers if each not in busy], "busy": busy}
    return [Row(*row) for row in session.execute(text(_PUBLISH), given)]


def plan_made_at(session: Session, plan_id: int) -> dt.datetime | None:
    """Return when a plan was made; None when it was replaced."""
    return session.execute(text("SELECT made_at FROM plan WHERE id = :plan"), {"plan": plan_id}).scalar()


def assign(session: Session, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """Give a filed incident of this version to a worker; None when anything is otherwise, and nothing was done."""
    found = session.execute(text(_ASSIGN), dict(given)).scalar()
    return None if found is None else dict(found)


def newest_plan(session: Session, territory_id: int) -> int | None:
    """Return the id of the newest plan of a territory."""
    query = text("SELECT max(id) FROM plan WHERE territory_id = :territory")
    return session.execute(query, {"territory": territory_id}).scalar()


def status_of(session: Session, territory_id: int, incident_id: int) -> str | None:
    """Return the status of an incident; None when it is out of reach."""
    given = {"incident": incident_id, "territory": territory_id}
    return session.execute(text(_STATUS), given).scalar()


def own_task(session: Session, territory_id: int, incident_id: int, worker_id: int) -> OwnTask | None:
    """Return a worker's live task of an incident, handling before looks, both locked; None when he has none."""
    given = {"incident": incident_id, "worker": worker_id, "territory": territory_id}
    session.execute(text(_LOCK_ONE), given)
    row = session.execute(text(_OWN_TASK), given).one_or_none()
    return None if row is None else OwnTask(*row)


def progress(
    session: Session,
    task_id: int,
    at: dt.datetime,
    *,
    state: str = "",
    on_way: dt.datetime | None = None,
    arrived: dt.datetime | None = None,
    expected: dt.datetime | None = None,
) -> None:
    """Write how far a worker is; what was said before about setting out and arriving stays."""
    given = {"task": task_id, "at": at, "state": state, "on_way": on_way, "arrived": arrived, "expected": expected}
    session.execute(text(_PROGRESS), given)


def pins(session: Session, territory_id: int) -> list[tuple[Any, ...]]:
    """Return the live pins and bars."""
    return [tuple(row) for row in session.execute(text(_PINS), {"territory": territory_id})]


def end_pins(session: Session, incident_id: int, worker_id: int | None, at: dt.datetime) -> int:
    """End the pin of an incident, and the bar of a worker on it; return how many ended."""
    given = {"incident": incident_id, "worker": worker_id, "at": at}
    return len(session.execute(text(_END_PINS), given).all())


def add_pin(session: Session, given: Mapping[str, Any]) -> None:
    """Hold a worker to an incident or keep him off; one that stands already stays."""
    session.execute(text(_ADD_PIN), dict(given))

"""Plans written by hand, and what has to hold whatever was done with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.identity import system_actor
from geodata import db

PLAN = """
    INSERT INTO plan (territory_id, made_at, cost_s, rounds, cpu_s, facts) VALUES (:home, :at, 0, 0, 0, '{}')
    RETURNING id
"""
ROW = """
    INSERT INTO plan_row (plan_id, territory_id, incident_id, kind, task_id, worker_id, place_in_route, start_at,
                          end_at, travel_s, late_s, incident_version, task_version, was_worker_id, change, safe)
    SELECT :plan, i.territory_id, i.id, CASE WHEN :along THEN 'help' ELSE 'handle' END, t.id, :worker, :place,
           :start, :end, 60, 0, i.version, t.version, t.worker_id,
           CASE WHEN t.id IS NULL THEN 'new' WHEN t.worker_id = :worker THEN 'retimed' ELSE 'moved' END, true
    FROM incident AS i LEFT JOIN task AS t ON t.incident_id = i.id AND t.kind = 'handle'
         AND t.state IN ('waiting', 'accepted', 'started')
         AND CASE WHEN :along THEN t.joint AND t.worker_id = :worker ELSE NOT t.joint END
    WHERE i.id = :incident
"""
BROKEN = {
    "two live tasks of one incident": """
        SELECT incident_id FROM task WHERE kind = 'handle' AND NOT joint AND state IN ('waiting', 'accepted', 'started')
        GROUP BY incident_id HAVING count(*) > 1
    """,
    "a worker twice at one incident, or one who comes along to what nobody leads": """
        SELECT t.incident_id FROM task AS t JOIN incident AS i ON i.id = t.incident_id
        WHERE t.kind = 'handle' AND t.worker_id IS NOT NULL AND t.state IN ('waiting', 'accepted', 'started')
        GROUP BY t.incident_id, t.worker_id, i.status
        HAVING count(*) > 1 OR bool_or(t.joint) AND i.status NOT IN ('dispatched', 'handling')
    """,
    "a worker at two places at once": """
        SELECT a.id FROM task AS a JOIN task AS b ON a.worker_id = b.worker_id AND a.id < b.id
        WHERE a.state IN ('waiting', 'accepted', 'started') AND b.state IN ('waiting', 'accepted', 'started')
          AND a.planned_start < b.planned_end AND b.planned_start < a.planned_end
    """,
    "sent out and nobody has it, or had and not sent out": """
        SELECT i.id FROM incident AS i WHERE (i.status IN ('dispatched', 'handling')) <> EXISTS (
            SELECT FROM task AS t WHERE t.incident_id = i.id AND t.kind = 'handle' AND NOT t.joint
            AND t.state IN ('waiting', 'accepted', 'started')) AND i.duplicate_of IS NULL AND i.id > :since
    """,
    "the incident names another than its task": """
        SELECT i.id FROM incident AS i JOIN task AS t ON t.incident_id = i.id WHERE t.kind = 'handle' AND NOT t.joint
        AND t.state IN ('waiting', 'accepted', 'started') AND t.worker_id IS DISTINCT FROM i.worker_id AND i.id > :since
    """,
    "a task without its message, or with two": """
        SELECT t.id FROM task AS t LEFT JOIN outbox AS o ON o.task_id = t.id AND o.topic = 'assigned'
        WHERE t.worker_id IS NOT NULL AND t.incident_id > :since GROUP BY t.id HAVING count(o.id) <> 1
    """,
    "a task without its row of the record, or with two": """
        SELECT t.id FROM task AS t LEFT JOIN record AS r ON r.subject_table = 'task' AND r.subject_id = t.id::text
             AND r.action = 'insert'
        WHERE t.incident_id > :since GROUP BY t.id HAVING count(r.seq) <> 1
    """,
    "a change of a task without its row of the record, or with two": """
        SELECT t.id FROM task AS t LEFT JOIN record AS r ON r.subject_table = 'task' AND r.subject_id = t.id::text
             AND r.action = 'update' AND (r.after ->> 'version')::integer > (r.before ->> 'version')::integer
        WHERE t.incident_id > :since GROUP BY t.id, t.version HAVING count(r.seq) <> t.version - 1
    """,
    "a command without its answer": "SELECT id FROM command WHERE result IS NULL",
    "a message that arrived twice": "SELECT outbox_id FROM notice GROUP BY outbox_id HAVING count(*) > 1",
}


@dataclass(frozen=True)
class Stop:
    """A stop of a plan: which incident, who, and from when to when; ``along``: he comes along with who leads."""

    incident_id: int
    worker_id: int
    start: dt.datetime
    end: dt.datetime
    along: bool = False


def write_plan(session: Session, territory_id: int, at: dt.datetime, stops: Sequence[Stop]) -> int:
    """Write a plan from what stands now, as the system, and return its id; the role stays the system's."""
    db.as_actor(session, system_actor(territory_id))
    plan = int(session.execute(text(PLAN), {"home": territory_id, "at": at}).scalar_one())
    for place, stop in enumerate(stops, 1):
        given = {
            "incident": stop.incident_id,
            "worker": stop.worker_id,
            "start": stop.start,
            "end": stop.end,
            "along": stop.along,
        }
        session.execute(text(ROW), {"plan": plan, "place": place, **given})
    return plan


def in_line(pairs: Sequence[tuple[int, int]], start: dt.datetime, minutes: int = 20) -> list[Stop]:
    """Return stops of (incident, worker), each worker's one after the other."""
    nexts: dict[int, dt.datetime] = {}
    stops = []
    for incident_id, worker_id in pairs:
        begin = nexts.get(worker_id, start)
        nexts[worker_id] = end = begin + dt.timedelta(minutes=minutes)
        stops.append(Stop(incident_id, worker_id, begin, end))
    return stops


def what_is_broken(session: Session, since: int = 0) -> dict[str, int]:
    """Return what must never be and how often it is; empty when all holds. Incidents up to ``since`` are not asked."""
    found = {}
    for name, query in BROKEN.items():
        given = {"since": since} if ":since" in query else {}
        count = len(session.execute(text(query), given).all())
        if count:
            found[name] = count
    return found

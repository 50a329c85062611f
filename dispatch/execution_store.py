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
_PUBLISH = "SELECT * FROM gk_publish(:plan, CAST(:ids AS bigint[]), :at, :fresh)"
"""One call: what was asked for, who is busy with what at this moment, and what the plan says done (migration 0052)."""
_ASSIGN = """
    SELECT gk_assign(:incident, :worker, :version, :at, :command, :digest) WHERE :chosen OR EXISTS (
        SELECT FROM incident AS i JOIN incident_class AS c ON c.id = i.class_id JOIN worker AS w ON w.id = :worker
        WHERE i.id = :incident AND c.skills <@ w.skills AND c.equipment <@ w.equipment)
"""
"""One statement: the incident, its task, the message and the record (by triggers) and the command, or nothing."""
_STATUS = "SELECT status FROM incident WHERE id = :incident AND territory_id = :territory"
_OWN_TASK = """
    SELECT t.id, t.kind, t.state, t.version, i.number, i.status, i.version AS incident_version, t.joint
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

    ``locked``: nobody else was changing it or a task of its worker. ``skills`` and ``equipment`` of a stale row: what
    its class takes and the worker has not. ``kind`` is help of who comes along; ``takes`` says how many workers the
    class takes by now, where the plan has fewer.
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
    worker_code: str
    skills: list[str] | None
    equipment: list[str] | None
    kind: str
    takes: int | None


@dataclass(frozen=True, slots=True)
class OwnTask:
    """A worker's live task, with its incident as it is now; ``joint``: he comes along with who leads."""

    id: int
    kind: str
    state: str
    version: int
    number: str
    status: str
    incident_version: int
    joint: bool = False


def one_at_a_time(session: Session, territory_id: int) -> None:
    """Wait until no other publishes in the territory; held until the transaction ends."""
    session.execute(text(_LOCK), {"territory": territory_id})


def publish(
    session: Session, plan_id: int, incident_ids: Sequence[int] | None, *, at: dt.datetime, fresh: bool = True
) -> list[Row]:
    """Do what rows of a plan say where nothing changed since it was made; return each with what came of it.

    Parameters
    ----------
    fresh
        False sends nobody: the plan is too old to say who is there.
    """
    ids = None if incident_ids is None else list(incident_ids)
    given = {"plan": plan_id, "ids": ids, "at": at, "fresh": fresh}
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
    """Return a worker's live task of an incident, handling before looks; None when he has none.

    The incident is locked, and nobody else ends or gives on a task of it until the transaction ends.
    """
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

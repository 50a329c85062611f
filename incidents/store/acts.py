"""SQL of acting on an incident: the lock, its tasks, commands, and who changed what since."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.identity import Actor
from geodata.tables import Command, Incident, IncidentClass, Pin, Record, Task, Unit, Worker
from incidents.needs import lacking
from incidents.work import Change

LIVE = ("waiting", "accepted", "started")
NEXT_VERSION = Task.version + 1
"""Of a task as it is when it is written: a plan may have set another time since it was read."""


@dataclass(frozen=True, slots=True)
class WorkerFound:
    """A worker whom a task may be given to."""

    code: str
    active: bool


@dataclass(frozen=True, slots=True)
class CameAlong:
    """A part that ended with the work of who leads, and its incident as it is now."""

    task_id: int
    number: str
    status: str
    version: int


@dataclass(frozen=True, slots=True)
class UnitFound:
    """A unit whom a task may be given to; ``ended_on`` is its last day when that has passed."""

    code: str
    ended_on: dt.date | None


def claim_command(session: Session, actor: Actor, command_id: str, act: str, digest: str) -> bool:
    """Return whether the command is new; one that is being applied elsewhere is waited for."""
    added = session.scalar(
        insert(Command)
        .values(id=command_id, territory_id=actor.territory_id, user_id=actor.user_id, act=act, digest=digest)
        .on_conflict_do_nothing()
        .returning(Command.id)
    )
    return added is not None


def known_command(session: Session, command_id: str) -> tuple[str, dict[str, Any] | None] | None:
    """Return digest and answer of the actor's command; None when it is somebody else's."""
    row = session.execute(select(Command.digest, Command.result).where(Command.id == command_id)).one_or_none()
    return None if row is None else (row.digest, row.result)


def answer_command(session: Session, command_id: str, incident_id: int | None, result: dict[str, Any]) -> None:
    """Keep the answer of a command."""
    session.execute(
        update(Command).where(Command.id == command_id).values(incident_id=incident_id, result=result),
        execution_options={"synchronize_session": False},
    )


def lock(session: Session, territory_id: int | None, incident_id: int) -> Incident | None:
    """Return the incident, locked until the transaction ends; None when it is out of reach or absent."""
    return session.scalar(
        select(Incident)
        .where(Incident.id == incident_id, Incident.territory_id == territory_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def of_ids(session: Session, territory_id: int | None, ids: Collection[int]) -> list[Incident]:
    """Return incidents as they are now, without a lock; those out of reach are left out."""
    query = select(Incident).where(Incident.id.in_(ids), Incident.territory_id == territory_id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def tasks_of(session: Session, incident_id: int) -> list[Task]:
    """Return the tasks of a locked incident, oldest first."""
    query = select(Task).where(Task.incident_id == incident_id).order_by(Task.id)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def cancel_live(session: Session, incident_id: int, at: dt.datetime) -> None:
    """Cancel every live task of the incident, of whatever kind."""
    for task in session.scalars(
        select(Task)
        .where(Task.incident_id == incident_id, Task.state.in_(LIVE))
        .execution_options(populate_existing=True)
    ):
        task.state, task.finished_at, task.version = "cancelled", at, NEXT_VERSION


def add_task(
    session: Session,
    incident: Incident,
    unit_id: int | None,
    worker_id: int | None,
    at: dt.datetime,
    *,
    joint: bool = False,
    by_hand: bool = False,
) -> Task:
    """Insert a handle task that waits for its owner; ``by_hand``: a person called him in, no plan takes him back."""
    task = Task(
        territory_id=incident.territory_id,
        incident_id=incident.id,
        kind="handle",
        state="waiting",
        unit_id=unit_id,
        worker_id=worker_id,
        created_at=at,
        due_at=incident.due_at,
        joint=joint,
        by_hand=by_hand,
        version=1,
    )
    session.add(task)
    session.flush()
    return task


def came_along(session: Session, incident_id: int, act: str, at: dt.datetime) -> CameAlong | None:
    """Write what the acting worker did of a part that ended with the work of who leads, where it was before that.

    None when it was not so, or when the part is open still.
    """
    asked = func.gk_came_along(incident_id, act, at).table_valued("o_task", "o_number", "o_status", "o_version")
    row = session.execute(select(asked)).one_or_none()
    return None if row is None else CameAlong(*row)


def worker(session: Session, territory_id: int | None, worker_id: int) -> WorkerFound | None:
    """Return a worker of the territory; None when there is none of that id."""
    row = session.execute(
        select(Worker.code, Worker.active).where(Worker.id == worker_id, Worker.territory_id == territory_id)
    ).one_or_none()
    return None if row is None else WorkerFound(row.code, row.active)


def missing(session: Session, incident_class: int, worker_id: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the skills and the equipment that a class needs and a worker has not."""
    needed = select(IncidentClass.skills, IncidentClass.equipment).where(IncidentClass.id == incident_class)
    had = select(Worker.skills, Worker.equipment).where(Worker.id == worker_id)
    skills, equipment = session.execute(needed).one()
    own_skills, own_equipment = session.execute(had).one()
    return lacking((skills, equipment), (own_skills, own_equipment))


def unit(session: Session, territory_id: int | None, unit_id: int) -> UnitFound | None:
    """Return a unit of the territory; None when there is none of that id."""
    row = session.execute(
        select(Unit.code, Unit.valid_to, (Unit.valid_to < func.current_date()).label("ended")).where(
            Unit.id == unit_id, Unit.territory_id == territory_id
        )
    ).one_or_none()
    return None if row is None else UnitFound(row.code, row.valid_to if row.ended else None)


def changes_since(session: Session, incident_id: int, version: int, zone: ZoneInfo) -> list[Change]:
    """Return what was recorded on the incident after it had ``version``, oldest first, in local time."""
    rows = session.execute(
        select(Record.actor_label, Record.at, Record.purpose, Record.before, Record.after)
        .where(
            Record.subject_table == "incident",
            Record.subject_id == str(incident_id),
            Record.before.is_not(None),  # that it was reported is no change
            Record.after["version"].astext.cast(Integer) > version,
        )
        .order_by(Record.seq)
    )
    return [
        Change(label, at.astimezone(zone), purpose.split(":")[0], before or {}, after or {})
        for label, at, purpose, before, after in rows
    ]


def staff_numbers(session: Session, worker_ids: Iterable[int]) -> dict[int, str]:
    """Return worker id to staff number."""
    rows = session.execute(select(Worker.id, Worker.code).where(Worker.id.in_(set(worker_ids))))
    return {row.id: row.code for row in rows}


def end_bar(session: Session, incident_id: int, worker_id: int, at: dt.datetime) -> None:
    """Let plans send a worker to an incident again that he had refused."""
    session.execute(
        update(Pin)
        .where(Pin.incident_id == incident_id, Pin.worker_id == worker_id, Pin.kind == "bar", Pin.ended_at.is_(None))
        .values(ended_at=func.greatest(at, Pin.made_at)),
        execution_options={"synchronize_session": False},
    )


def add_bar(session: Session, incident: Incident, worker_id: int, *, reason: str, at: dt.datetime) -> None:
    """Keep plans from sending a worker to an incident; a bar that stands already stays."""
    session.execute(
        insert(Pin)
        .values(
            territory_id=incident.territory_id,
            incident_id=incident.id,
            worker_id=worker_id,
            kind="bar",
            reason=reason,
            made_at=at,
        )
        .on_conflict_do_nothing()
    )

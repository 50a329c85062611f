"""SQL of reading incidents: the list, one incident, the counts of Today and of a grid.

Row-level security narrows every query here to the actor's reach. The conditions of our own are on
integers, times and texts compared for equality first: those may use an index under a policy.
A search inside a text reads every row in reach.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, Select, UnaryExpression, func, select, text, tuple_
from sqlalchemy.orm import Session

from core.identity import Actor
from geodata.tables import (
    Area,
    Incident,
    IncidentClass,
    IncidentDay,
    IncidentPersonal,
    Task,
    Territory,
    Unit,
    UnitGrid,
    Worker,
)
from incidents.model import Cursor, IncidentFilter, IncidentRow, TaskInfo, TodayCounts
from incidents.store.acts import LIVE
from incidents.store.conditions import conditions, is_open, is_past, is_soon, is_warned, within_reach, yesterday
from incidents.work import MyTask


@dataclass(frozen=True, slots=True)
class Sealed:
    """The free text of an incident, still sealed."""

    subject_id: str
    note_cipher: bytes | None


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Incident.id,
            Incident.number,
            IncidentClass.name_en,
            IncidentClass.name_zh,
            Incident.category,
            IncidentClass.category_en,
            IncidentClass.category_zh,
            Incident.status,
            Incident.priority,
            Incident.emergency,
            Incident.source,
            Incident.reported_at,
            Incident.filed_at,
            Incident.dispatched_at,
            Incident.handled_at,
            Incident.closed_at,
            Incident.due_at,
            Incident.place,
            Incident.grid_id,
            UnitGrid.code,
            Incident.community_id,
            Area.name,
            Area.name_zh.label("area_zh"),
            Incident.unit_id,
            Unit.name.label("unit"),
            Unit.name_zh.label("unit_zh"),
            Incident.worker_id,
            Worker.code.label("worker_code"),
            Incident.reworks,
            Incident.simulated,
            func.ST_X(Incident.geom, type_=Float),
            func.ST_Y(Incident.geom, type_=Float),
            Incident.version,
            Incident.warn_half_at,
            Incident.warn_most_at,
            Incident.postponed_until,
            Incident.urged_at,
            Incident.reopens,
        )
        .join(IncidentClass, IncidentClass.id == Incident.class_id)
        .join(UnitGrid, UnitGrid.id == Incident.grid_id)
        .join(Area, Area.id == Incident.community_id)
        .outerjoin(Unit, Unit.id == Incident.unit_id)
        .outerjoin(Worker, Worker.id == Incident.worker_id)
    )


def page(
    session: Session,
    actor: Actor,
    wanted: IncidentFilter,
    *,
    moment: dt.datetime,
    after: Cursor | None,
    limit: int,
) -> list[IncidentRow]:
    """Return up to ``limit`` incidents that come after the cursor: newest report first, or by deadline."""
    order: tuple[UnaryExpression[Any], ...] = (Incident.reported_at.desc(), Incident.id.desc())
    if wanted.by_deadline:
        order = (Incident.due_at.asc(), Incident.id.asc())
    ids = select(Incident.id).where(*conditions(actor, wanted, moment))
    if after is not None and wanted.by_deadline:
        ids = ids.where(tuple_(Incident.due_at, Incident.id) > after)
    elif after is not None:
        ids = ids.where(tuple_(Incident.reported_at, Incident.id) < after)
    chosen = ids.order_by(*order).limit(limit).subquery()
    found = session.execute(_rows().join(chosen, chosen.c.id == Incident.id).order_by(*order))
    return [IncidentRow(*row) for row in found]


def by_ids(session: Session, actor: Actor, ids: Sequence[int]) -> list[IncidentRow]:
    """Return the incidents of these ids that are in reach, newest report first."""
    found = session.execute(
        _rows()
        .where(*within_reach(actor), Incident.id.in_(ids))
        .order_by(Incident.reported_at.desc(), Incident.id.desc())
    )
    return [IncidentRow(*row) for row in found]


def count(
    session: Session, actor: Actor, wanted: IncidentFilter, moment: dt.datetime, *, most: int | None = None
) -> int:
    """Return how many incidents the filter finds; ``most`` + 1 stands for any number above ``most``."""
    found = select(Incident.id).where(*conditions(actor, wanted, moment))
    if most is not None:
        found = found.limit(most + 1)
    return session.execute(select(func.count()).select_from(found.subquery())).scalar_one()


def late(session: Session, actor: Actor, moment: dt.datetime, limit: int) -> list[IncidentRow]:
    """Return open incidents past their deadline, the most urgent and longest late first."""
    query = (
        _rows()
        .where(*within_reach(actor), is_open(), is_past(moment))
        .order_by(Incident.emergency.desc(), Incident.priority, Incident.due_at, Incident.id)
        .limit(limit)
    )
    return [IncidentRow(*row) for row in session.execute(query)]


def find(session: Session, territory_id: int, incident_id: int) -> tuple[IncidentRow, str | None, str] | None:
    """Return one incident with its upstream reference and system; None when it is out of reach or absent."""
    query = _rows().add_columns(Incident.external_ref, Incident.source_system)
    row = session.execute(query.where(Incident.id == incident_id, Incident.territory_id == territory_id)).one_or_none()
    return None if row is None else (IncidentRow(*row[:-2]), row[-2], row[-1])


def find_number(session: Session, territory_id: int, number: str) -> int | None:
    """Return the id of the incident of a number; None when it is out of reach or absent."""
    return session.scalar(select(Incident.id).where(Incident.territory_id == territory_id, Incident.number == number))


def note(session: Session, incident_id: int) -> Sealed | None:
    """Return the sealed free text of an incident; None when there is none or it is out of reach."""
    row = session.execute(
        select(IncidentPersonal.subject_id, IncidentPersonal.note_cipher).where(
            IncidentPersonal.incident_id == incident_id
        )
    ).one_or_none()
    return None if row is None else Sealed(*row)


def tasks(session: Session, incident_id: int) -> list[TaskInfo]:
    """Return the tasks of an incident, oldest first."""
    query = _task_columns().where(Task.incident_id == incident_id).order_by(Task.created_at, Task.id)
    return [TaskInfo(*row) for row in session.execute(query)]


def tasks_of_many(session: Session, incident_ids: Sequence[int]) -> dict[int, list[TaskInfo]]:
    """Return the tasks of several incidents, oldest first; those without any are absent."""
    query = _task_columns().add_columns(Task.incident_id).where(Task.incident_id.in_(incident_ids))
    found: dict[int, list[TaskInfo]] = {}
    for row in session.execute(query.order_by(Task.created_at, Task.id)):
        found.setdefault(row[-1], []).append(TaskInfo(*row[:-1]))
    return found


def live_tasks_of(session: Session, territory_id: int, worker_id: int) -> list[MyTask]:
    """Return the live handle tasks of a worker with their incidents, the most urgent first."""
    query = (
        _task_columns()
        .add_columns(Task.incident_id)
        .where(
            Task.territory_id == territory_id,
            Task.worker_id == worker_id,
            Task.kind.in_(("handle", "verify", "check")),
            Task.state.in_(LIVE),
        )
    )
    found = {row[-1]: TaskInfo(*row[:-1]) for row in session.execute(query)}
    rows = session.execute(
        _rows()
        .where(Incident.id.in_(found))
        .order_by(Incident.emergency.desc(), Incident.due_at.nulls_last(), Incident.priority, Incident.id)
    )
    return [MyTask(row, found[row.id]) for row in (IncidentRow(*each) for each in rows)]


def by_status(session: Session, actor: Actor, status: str, limit: int) -> list[IncidentRow]:
    """Return incidents of one status, the most urgent first."""
    query = (
        _rows()
        .where(*within_reach(actor), Incident.status == status, Incident.duplicate_of.is_(None))
        .order_by(Incident.emergency.desc(), Incident.due_at.nulls_last(), Incident.priority, Incident.id)
        .limit(limit)
    )
    return [IncidentRow(*row) for row in session.execute(query)]


def _task_columns() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Task.id,
            Task.kind,
            Task.state,
            Unit.name,
            Unit.name_zh,
            Worker.code,
            Task.unit_id,
            Task.worker_id,
            Task.assigned_by,
            Task.created_at,
            Task.due_at,
            Task.accepted_at,
            Task.finished_at,
            Task.joint,
            Task.outcome,
            Task.handled_by,
        )
        .outerjoin(Unit, Unit.id == Task.unit_id)
        .outerjoin(Worker, Worker.id == Task.worker_id)
    )


def today(session: Session, actor: Actor, moment: dt.datetime) -> TodayCounts:
    """Return the counts of Today within the actor's reach."""
    mine = within_reach(actor)
    rows = session.execute(
        select(
            func.count().filter(is_past(moment)),
            func.count().filter(is_soon(moment)),
            Incident.status,
            func.count(),
            func.count().filter(is_warned(moment, 80)),
            func.count().filter(Incident.postponed_until > moment),
        )
        .where(*mine, is_open(), Incident.duplicate_of.is_(None))
        .group_by(Incident.status)
    ).all()
    by_status = {row[2]: row[3] for row in rows}
    since = yesterday(actor.territory_id, moment)
    filed = select(func.count(Incident.id)).where(*mine, Incident.filed_at >= since).scalar_subquery()
    closed = select(func.count(Incident.id)).where(*mine, Incident.closed_at >= since).scalar_subquery()
    moved = session.execute(select(filed, closed)).one()
    is_late, soon, warned, postponed = (sum(int(row[place]) for row in rows) for place in (0, 1, 4, 5))
    return TodayCounts(is_late, soon, sum(by_status.values()), by_status, *moved, warned, postponed)


def late_in_grid(session: Session, grid_id: int, moment: dt.datetime) -> int:
    """Return the open incidents of a grid past their deadline."""
    return session.execute(
        select(func.count(Incident.id)).where(Incident.grid_id == grid_id, is_open(), is_past(moment))
    ).scalar_one()


def grid_days(
    session: Session, territory_id: int, grid_id: int, first_day: dt.date
) -> list[tuple[dt.date, str, int, int, list[int]]]:
    """Return day, category, open, closed and bins of a grid's summary since ``first_day``; void ones not counted.

    What was settled on its ground under a cell that has ended counts with it.
    """
    columns = "day, category, open, closed, closed_within"
    rows = session.execute(
        text(
            f"SELECT {columns} FROM incident_day WHERE territory_id = :territory AND grid_id = :grid AND day >= :first"  # noqa: S608  (names of ours)
            f" UNION ALL SELECT {columns} FROM gk_ground_days(:territory) WHERE grid_id = :grid AND day >= :first"
        ),
        {"territory": territory_id, "grid": grid_id, "first": first_day},
    )
    return [(day, category, is_open, closed, within) for day, category, is_open, closed, within in rows]


def open_in_grid(session: Session, territory_id: int, grid_id: int) -> int:
    """Return all open incidents of a grid, whenever reported."""
    total = func.coalesce(func.sum(IncidentDay.open), 0)
    return session.execute(
        select(total).where(IncidentDay.territory_id == territory_id, IncidentDay.grid_id == grid_id)
    ).scalar_one()


def timezone(session: Session, territory_id: int) -> str:
    """Return the IANA name of the territory's time zone."""
    return session.execute(select(Territory.timezone).where(Territory.id == territory_id)).scalar_one()

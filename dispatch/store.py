"""SQL of dispatch: what waits, where the workers are taken to be, and what they have in hand.

Row-level security narrows every query to the actor's reach; our own conditions are on integers, times and
texts compared for equality, which may use an index under a policy.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Float, ScalarSelect, Select, and_, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on
from sqlalchemy.orm import Session, aliased

from dispatch.model import QueueRow
from geodata.tables import (
    Area,
    Incident,
    IncidentClass,
    ResponsibilityGrid,
    Task,
    Unit,
    UnitGrid,
    Worker,
)

LIVE = ("waiting", "accepted", "started")


@dataclass(frozen=True, slots=True)
class TaskPlace:
    """The place of a worker's newest task; ``at`` is when it was finished, None while it is being done."""

    worker_id: int
    lon: float
    lat: float
    place: str
    at: dt.datetime | None


def _rows() -> Select[*tuple[Any, ...]]:
    """Return the query of rows; the live task is at most one an incident."""
    return (
        select(
            Incident.id,
            Incident.number,
            IncidentClass.name_en,
            IncidentClass.name_zh,
            Incident.status,
            Incident.priority,
            Incident.emergency,
            Incident.reported_at,
            Incident.due_at,
            Incident.place,
            Area.name,
            Area.name_zh,
            Incident.grid_id,
            UnitGrid.code,
            ResponsibilityGrid.code,
            Incident.unit_id,
            Unit.name,
            Unit.name_zh,
            Worker.id,
            Worker.code,
            func.ST_X(Incident.geom, type_=Float),
            func.ST_Y(Incident.geom, type_=Float),
            Incident.version,
            IncidentClass.skills,
            IncidentClass.equipment,
            IncidentClass.workers,
            _along(),
            Task.state,
        )
        .join(IncidentClass, IncidentClass.id == Incident.class_id)
        .join(UnitGrid, UnitGrid.id == Incident.grid_id)
        .join(Area, Area.id == Incident.community_id)
        .outerjoin(ResponsibilityGrid, ResponsibilityGrid.id == UnitGrid.responsibility_grid_id)
        .outerjoin(Unit, Unit.id == Incident.unit_id)
        .outerjoin(
            Task,
            and_(Task.incident_id == Incident.id, Task.kind == "handle", ~Task.joint, Task.state.in_(LIVE)),
        )
        .outerjoin(Worker, Worker.id == Task.worker_id)
    )


def _along() -> ScalarSelect[Any]:
    """Return the staff numbers of those who were called to come along, by staff number; None when nobody was."""
    part, who = aliased(Task), aliased(Worker)
    return (
        select(func.array_agg(aggregate_order_by(who.code, who.code)))
        .join_from(part, who, who.id == part.worker_id)
        .where(part.incident_id == Incident.id, part.joint, part.state.in_(LIVE))
        .correlate(Incident)
        .scalar_subquery()
    )


def waiting(session: Session, territory_id: int) -> list[tuple[QueueRow, str | None]]:
    """Return what is to be sent or was sent and is not done, with the state of its task (None: nobody has one).

    Emergencies come first, then by deadline.
    """
    query = (
        _rows()
        # The first condition is that of the index of open incidents.
        .where(Incident.territory_id == territory_id, Incident.status.not_in(("closed", "void")))
        .where(Incident.status.in_(("filed", "dispatched", "handling")), Incident.duplicate_of.is_(None))
        .order_by(
            Incident.emergency.desc(), Incident.due_at.asc().nulls_last(), Incident.priority, Incident.reported_at
        )
    )
    return [(QueueRow(*row[:-1]), row[-1]) for row in session.execute(query)]


def find(session: Session, territory_id: int, incident_id: int) -> QueueRow | None:
    """Return one incident, whatever its status; None when it is out of reach."""
    query = _rows().where(Incident.territory_id == territory_id, Incident.id == incident_id)
    row = session.execute(query).first()
    return None if row is None else QueueRow(*row[:-1])


def to_file(session: Session, territory_id: int) -> int:
    """Return how many reports are not filed yet."""
    return session.execute(
        select(func.count(Incident.id)).where(
            Incident.territory_id == territory_id,
            Incident.status.not_in(("closed", "void")),
            Incident.status == "reported",
            Incident.duplicate_of.is_(None),
        )
    ).scalar_one()


def planned_starts(session: Session, territory_id: int) -> dict[int, dt.datetime]:
    """Return live task to when the published plan lets it begin; without those that have no time."""
    rows = session.execute(
        select(Task.id, Task.planned_start).where(
            Task.territory_id == territory_id, Task.state.in_(LIVE), Task.planned_start.is_not(None)
        )
    )
    return {task: start for task, start in rows if start is not None}


def open_tasks(session: Session, worker_ids: Sequence[int]) -> dict[int, int]:
    """Return worker id to the number of live tasks, of those who have any."""
    rows = session.execute(
        select(Task.worker_id, func.count())
        .where(Task.worker_id.in_(worker_ids), Task.state.in_(LIVE))
        .group_by(Task.worker_id)
    )
    return {worker: count for worker, count in rows if worker is not None}


def task_places(session: Session, worker_ids: Sequence[int], since: dt.datetime) -> dict[int, TaskPlace]:
    """Return where each worker's newest task was: the one being done, else the last one done after ``since``.

    A task that was returned, or taken away and given to another, tells nothing: nobody need have gone there.
    """
    query = (
        select(
            Task.worker_id,
            func.ST_X(Incident.geom, type_=Float),
            func.ST_Y(Incident.geom, type_=Float),
            Incident.place,
            Task.finished_at,
        )
        .ext(distinct_on(Task.worker_id))
        .join(Incident, Incident.id == Task.incident_id)
        .where(Task.worker_id.in_(worker_ids))
        .where((Task.state == "started") | (Task.state == "done") & (Task.finished_at > since))
        .order_by(Task.worker_id, Task.finished_at.desc().nulls_first(), Task.id.desc())
    )
    return {row[0]: TaskPlace(*row) for row in session.execute(query)}


def grid_middles(session: Session, territory_id: int, codes: Sequence[str]) -> dict[str, tuple[float, float]]:
    """Return code of a responsibility grid to a point in its middle (longitude, latitude)."""
    middle = func.ST_PointOnSurface(ResponsibilityGrid.boundary)
    rows = session.execute(
        select(ResponsibilityGrid.code, func.ST_X(middle, type_=Float), func.ST_Y(middle, type_=Float)).where(
            ResponsibilityGrid.territory_id == territory_id,
            ResponsibilityGrid.code.in_(codes),
            ResponsibilityGrid.boundary.is_not(None),
        )
    )
    return {code: (lon, lat) for code, lon, lat in rows if lon is not None}

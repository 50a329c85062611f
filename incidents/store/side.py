"""SQL of the side moves: requests for more time, who has a grid, tasks to look at a place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from geodata.tables import AppUser, ExtensionRequest, Incident, IncidentClass, ResponsibilityGrid, Task, UnitGrid
from incidents.model import ExtensionInfo, Side
from incidents.store.duplicates import followed
from incidents.store.evidence import lacking, shown_by


def side_of(session: Session, incident_id: int) -> Side:
    """Return what the side moves left on an incident."""
    columns = select(
        Incident.reported_by,
        Incident.closed_by,
        Incident.postponed_at,
        Incident.postponed_until,
        Incident.urges,
        Incident.urged_at,
        Incident.urge_reason,
        Incident.self_handled,
        Incident.sampled_by,
        Incident.duplicate_of,
    )
    row = session.execute(columns.where(Incident.id == incident_id)).mappings().one()
    left = {str(name): value for name, value in row.items()}
    return Side(
        **left,
        requests=tuple(requests(session, incident_id)),
        lacking=lacking(session, incident_id),
        followed=followed(session, incident_id),
        shown_by=shown_by(session, incident_id),
    )


def requests(session: Session, incident_id: int) -> list[ExtensionInfo]:
    """Return the requests for more time of an incident, oldest first."""
    rows = session.execute(
        select(
            ExtensionRequest.id,
            ExtensionRequest.state,
            ExtensionRequest.reason,
            ExtensionRequest.until,
            ExtensionRequest.due_before,
            ExtensionRequest.asked_by,
            ExtensionRequest.asked_at,
            ExtensionRequest.answer,
        )
        .where(ExtensionRequest.incident_id == incident_id)
        .order_by(ExtensionRequest.id)
    )
    return [ExtensionInfo(*row) for row in rows]


def waiting_request(session: Session, incident_id: int) -> ExtensionRequest | None:
    """Return the request that waits for an answer."""
    return session.scalar(
        select(ExtensionRequest).where(ExtensionRequest.incident_id == incident_id, ExtensionRequest.state == "waiting")
    )


def waiting_incidents(session: Session, territory_id: int) -> list[int]:
    """Return the incidents whose request for more time waits, the longest first."""
    return list(
        session.scalars(
            select(ExtensionRequest.incident_id)
            .where(ExtensionRequest.territory_id == territory_id, ExtensionRequest.state == "waiting")
            .order_by(ExtensionRequest.asked_at)
        )
    )


def add_request(
    session: Session, asked_by: int | None, incident: Incident, *, reason: str, until: dt.datetime, at: dt.datetime
) -> None:
    """Insert a request for more time."""
    session.add(
        ExtensionRequest(
            territory_id=incident.territory_id,
            incident_id=incident.id,
            state="waiting",
            reason=reason,
            until=until,
            due_before=incident.due_at,
            asked_by=asked_by,
            asked_at=at,
        )
    )
    session.flush()


def responsibility_code(session: Session, grid_id: int) -> str | None:
    """Return the code of the responsibility grid that a unit grid belongs to; None when it belongs to none."""
    return session.scalar(
        select(ResponsibilityGrid.code)
        .join(UnitGrid, UnitGrid.responsibility_grid_id == ResponsibilityGrid.id)
        .where(UnitGrid.id == grid_id)
    )


def checked_on_site(session: Session, class_id: int) -> bool:
    """Return whether a class asks for a look at the place when an incident of it is handled."""
    return bool(session.scalar(select(IncidentClass.check_on_site).where(IncidentClass.id == class_id)))


def asks_check(session: Session, incident_id: int) -> bool:
    """Return whether the class of an incident asks for a look at the place."""
    asked = select(IncidentClass.check_on_site).join(Incident, Incident.class_id == IncidentClass.id)
    return bool(session.scalar(asked.where(Incident.id == incident_id)))


def workers_of_users(session: Session, user_ids: Collection[int]) -> set[int]:
    """Return the workers that accounts stand for."""
    if not user_ids:
        return set()
    found = session.scalars(select(AppUser.worker_id).where(AppUser.id.in_(user_ids), AppUser.worker_id.is_not(None)))
    return {each for each in found if each is not None}


def add_look(session: Session, incident: Incident, kind: str, worker_id: int, at: dt.datetime) -> Task:
    """Insert a task that sends a worker to look at the place."""
    task = Task(
        territory_id=incident.territory_id,
        incident_id=incident.id,
        kind=kind,
        state="waiting",
        worker_id=worker_id,
        created_at=at,
        version=1,
    )
    session.add(task)
    session.flush()
    return task

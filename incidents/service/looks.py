"""Sending a worker to look at a place: before a report is filed, and after an incident was handled."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy.orm import Session

from core.clock import aware, now
from core.identity import Actor, May, require
from geodata.db import system_rights
from geodata.tables import Incident, Task
from incidents.lifecycle_guards import PUBLIC_SOURCES
from incidents.looks import Candidate, Found, choose
from incidents.model import IncidentDetail
from incidents.store import acts, evidence, listing, side
from people.service import workers_with_shifts


def find_looker(
    session: Session, actor: Actor, territory_id: int, grid_id: int, at: dt.datetime, *, handled: Collection[int] = ()
) -> Found:
    """Return the worker who has the grid at a moment and did not handle the incident, or why there is none.

    Asked with the system's rights: who is away is not for everybody, who is sent is.
    """
    with system_rights(session, actor):
        code = side.responsibility_code(session, grid_id)
        if code is None:
            return Found(None, "no_grid")
        zone = listing.timezone(session, territory_id)
        workers = workers_with_shifts(session, territory_id, at=at, timezone=zone)
    return choose(
        [
            Candidate(each.id, each.code, each.on_duty(at), each.away, each.grid_code == code)
            for each in workers
            if each.owns(code)
        ],
        handled,
    )


def after_handling(session: Session, actor: Actor, incident: Incident, tasks: Sequence[Task], at: dt.datetime) -> None:
    """Send a worker to check on site where the class asks for it; where nobody can be found the page says why."""
    if any(task.kind == "check" and task.state in acts.LIVE for task in tasks):
        return
    if not side.checked_on_site(session, incident.class_id):
        return
    hands = _hands(session, incident.id, tasks)
    found = find_looker(session, actor, incident.territory_id, incident.grid_id, at, handled=hands)
    if found.worker_id is not None:
        # No hand of who handled sends the checker: the platform does.
        with system_rights(session, actor):
            side.add_look(session, incident, "check", found.worker_id, at)


def why_nobody(session: Session, actor: Actor, detail: IncidentDetail, moment: dt.datetime | None = None) -> str:
    """Return why no worker looks at an incident that asks for it, a key of `WHY_NOBODY`; empty otherwise."""
    require(actor, May.SEE_INCIDENTS)
    row = detail.row
    kind = {"reported": "verify", "checking": "check"}.get(row.status)
    if kind is None or actor.territory_id is None:
        return ""
    if kind == "verify" and (row.emergency or row.source not in PUBLIC_SOURCES):
        return ""
    since = row.reported_at if kind == "verify" else row.handled_at or row.reported_at
    looked = (each for each in detail.tasks if each.kind == kind and each.state != "cancelled")
    if any(each.state in acts.LIVE or (each.finished_at or each.created_at) >= since for each in looked):
        return ""
    if kind == "check" and not side.asks_check(session, row.id):
        return ""
    handled = {each.worker_id for each in detail.tasks if each.kind == "handle" and each.state == "done"}
    at = now() if moment is None else aware(moment)
    known = {each for each in handled if each is not None} if kind == "check" else set()
    return find_looker(session, actor, actor.territory_id, row.grid_id, at, handled=known).why


def handled_by(session: Session, actor: Actor, incident_id: int, tasks: Sequence[Task]) -> set[int]:
    """Return the workers who handled the incident, also those who did it in another role."""
    with system_rights(session, actor):
        return _hands(session, incident_id, tasks)


def _hands(session: Session, incident_id: int, tasks: Sequence[Task]) -> set[int]:
    done = [task for task in tasks if task.kind == "handle" and (task.state == "done" or task.handled_by)]
    workers = {task.worker_id for task in done if task.worker_id is not None}
    users = {user for task in done for user in task.handled_by} | evidence.shown_by(session, incident_id)
    return workers | side.workers_of_users(session, users)

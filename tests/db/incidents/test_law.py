"""The law in the database: equal to the table of the program, and no way around it in SQL for any role."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.errors import NotPermitted
from core.identity import Actor, Role
from geodata import db
from geodata.tables import STATUSES, AllowedStep, Incident, Task
from incidents.lifecycle import law
from tests.db.incidents.conftest import NOW
from tests.db.incidents.desk import Desk

Add = Callable[..., int]
OFFICERS = [role for role in Role if role is not Role.SYSTEM]
MOVE = "UPDATE incident SET status = :status, version = version + 1 WHERE id = :id"
LONG_AGO = NOW - dt.timedelta(days=2)


def test_the_database_holds_the_same_law_as_the_program(session: Session) -> None:
    rows = session.execute(
        select(AllowedStep.subject, AllowedStep.act, AllowedStep.source, AllowedStep.target, AllowedStep.role)
    )
    assert frozenset(tuple(row) for row in rows) == law()


def test_nobody_changes_the_law(desk: Desk) -> None:
    for role in (*OFFICERS, Role.SYSTEM):
        db.as_actor(desk.session, desk.city.officer(role))
        with pytest.raises(DBAPIError, match="permission denied"), desk.session.begin_nested():
            desk.session.execute(text("DELETE FROM transition"))


def reaching(desk: Desk, role: Role) -> Actor:
    """Return an actor of the role whose reach holds the west, the unit, and the first worker."""
    own = {Role.GRID_WORKER: desk.worker, Role.HANDLER: desk.handler}.get(role)
    actor = own or desk.city.officer(role)
    return replace(actor, user_id=None, area_ids=(desk.city.west_id,))


@pytest.mark.parametrize("role", OFFICERS)
def test_every_status_change_that_the_law_does_not_hold_is_refused_in_sql(
    desk: Desk, add_incident: Add, role: Role
) -> None:
    """Whoever has the reach and the task, but not the right, changes no row: it is refused or reaches nothing."""
    may = {(source, target) for subject, _, source, target, who in law() if subject == "incident" and who == role}
    actor = reaching(desk, role)
    for source in STATUSES:
        db.as_actor(desk.session, desk.city.actor)
        incident = add_incident(status=source, unit_id=desk.unit_id, worker_id=desk.worker.worker_id, due_at=None)
        for target in STATUSES:
            if source == target or (source, target) in may:
                continue
            db.as_actor(desk.session, actor)
            refused = moved(desk, target, incident)
            assert refused == "nothing reached" or "does not bring an incident" in refused, (source, target)


def moved(desk: Desk, status: str, incident: int) -> str:
    """Return what the database says to a change of status; empty when a row was changed."""
    try:
        with desk.session.begin_nested():
            found = desk.session.execute(text(MOVE), {"status": status, "id": incident}).rowcount
    except DBAPIError as error:
        return str(error)
    return "" if found else "nothing reached"


@pytest.mark.parametrize("role", OFFICERS)
def test_every_first_status_that_the_law_does_not_hold_is_refused_in_sql(
    desk: Desk, add_incident: Add, role: Role
) -> None:
    may = {target for subject, _, source, target, who in law() if (subject, source, who) == ("incident", "", role)}
    for status in set(STATUSES) - may:
        db.as_actor(desk.session, reaching(desk, role))
        with pytest.raises(DBAPIError), desk.session.begin_nested():
            add_incident(status=status, number=f"L-{role}-{status}")


def test_a_worker_finishes_no_task_of_another_in_sql(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(unit_id=desk.unit_id)
    desk.assign(incident, desk.other_worker_id)
    db.as_actor(desk.session, replace(desk.worker, area_ids=(desk.city.west_id,)))
    refuse(desk, "UPDATE task SET state = 'done', finished_at = now() WHERE incident_id = :id", incident, "not yours")
    refuse(desk, "UPDATE task SET worker_id = :me WHERE incident_id = :id", incident, "whose it is")
    refuse(desk, "UPDATE incident SET status = 'handling' WHERE id = :id", incident, "not yours")


def refuse(desk: Desk, statement: str, incident: int, says: str) -> None:
    with pytest.raises(DBAPIError, match=says), desk.session.begin_nested():
        desk.session.execute(text(statement), {"id": incident, "me": desk.worker.worker_id})


def test_an_incident_is_not_checked_while_somebody_is_at_work(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(unit_id=desk.unit_id)
    desk.assign(incident)
    db.as_actor(desk.session, desk.worker)
    refuse(desk, "UPDATE incident SET status = 'checking' WHERE id = :id", incident, "still at work")


def test_a_person_with_two_roles_does_not_verify_what_he_handled(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(unit_id=desk.unit_id)
    desk.assign(incident)
    desk.act(desk.handler, incident, "finish")
    both = replace(desk.handler, role=Role.SUPERVISOR)
    for act, more in (("close", {}), ("rework", {"reason": "not_solved"}), ("ask_check", {})):
        with pytest.raises(NotPermitted, match="You handled this incident") as told:
            desk.act(both, incident, act, **more)
        assert "处置" in told.value.zh
    assert "close" not in desk.allowed(both, incident)
    db.as_actor(desk.session, both)
    for status in ("closed", "handling"):
        refuse(desk, f"UPDATE incident SET status = '{status}' WHERE id = :id", incident, "does not verify it")
    refuse(
        desk,
        "INSERT INTO task (territory_id, incident_id, kind, state, worker_id, created_at)"
        " SELECT territory_id, id, 'check', 'waiting', :me, now() FROM incident WHERE id = :id",
        incident,
        "does not check it",
    )
    assert desk.act(desk.supervisor, incident, "close").status == "closed"


def test_who_handled_is_remembered_over_a_rework_by_another(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(unit_id=desk.unit_id)
    desk.assign(incident)
    desk.act(desk.worker, incident, "finish")
    desk.act(desk.supervisor, incident, "rework", reason="not_solved")
    desk.act(desk.handler, incident, "finish")
    task = desk.session.scalars(select(Task).where(Task.incident_id == incident)).one()
    desk.session.refresh(task)
    assert task.handled_by == [desk.worker.user_id, desk.handler.user_id]
    for actor in (desk.worker, desk.handler):
        with pytest.raises(NotPermitted, match="You handled this incident"):
            desk.act(replace(actor, role=Role.SUPERVISOR), incident, "close")
    db.as_actor(desk.session, desk.dispatcher)
    desk.session.execute(text("UPDATE task SET handled_by = '{}' WHERE incident_id = :id"), {"id": incident})
    desk.session.refresh(task)
    assert len(task.handled_by) == 2


def test_a_worker_who_handled_is_not_sent_to_check(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(unit_id=desk.unit_id)
    desk.assign(incident)
    desk.act(desk.worker, incident, "finish")
    db.as_actor(desk.session, desk.supervisor)
    refuse(
        desk,
        "INSERT INTO task (territory_id, incident_id, kind, state, worker_id, created_at)"
        " SELECT territory_id, id, 'check', 'waiting', :me, now() FROM incident WHERE id = :id",
        incident,
        "does not check it",
    )
    assert desk.act(desk.supervisor, incident, "ask_check", worker_id=desk.other_worker_id).status == "checking"


def test_deadline_postponement_and_marks_are_not_moved_past_the_acts(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(unit_id=desk.unit_id, due_at=NOW)
    desk.assign(incident)
    for actor in (desk.worker, desk.handler, desk.dispatcher, desk.supervisor):
        db.as_actor(desk.session, actor)
        refuse(desk, "UPDATE incident SET due_at = now() + interval '9 days' WHERE id = :id", incident, "more time")
    for actor in (desk.worker, desk.handler, desk.dispatcher):
        db.as_actor(desk.session, actor)
        refuse(
            desk,
            "UPDATE incident SET postponed_at = now(), postponed_until = now() + interval '1 day' WHERE id = :id",
            incident,
            "postpones",
        )
        refuse(desk, "UPDATE incident SET urges = 9 WHERE id = :id", incident, "urges")
    assert desk.session.get_one(Incident, incident).due_at == NOW


def test_what_the_public_says_is_not_filed_unverified_in_sql(desk: Desk, add_incident: Add) -> None:
    db.as_actor(desk.session, desk.supervisor)
    with pytest.raises(DBAPIError, match="verified before it is filed"), desk.session.begin_nested():
        add_incident(status="filed", code="01-02", emergency=False)
    add_incident(status="filed", code="01-02", emergency=False, source="patrol")
    add_incident(status="filed", emergency=True)
    add_incident(status="reported", code="01-02", emergency=False, filed_at=None)

"""Automatic looks on site: before filing and after handling, by whom, and why nobody could be found."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geodata import db
from geodata.tables import Absence, IncidentClass, ResponsibilityGrid, Task, Worker
from incidents.service import incident_detail, report, why_nobody_looks
from incidents.work import NewReport
from tests.db.incidents.conftest import NOW
from tests.db.incidents.desk import Desk, fresh
from tests.rosters import give_shift

Add = Callable[..., int]
NOON = (8 * 60, 18 * 60)
NIGHT = (0, 6 * 60)


@pytest.fixture
def crew(desk: Desk) -> list[Worker]:
    """Three workers of one responsibility grid: by day (the one who handles), by day, by night."""
    session, home = desk.session, desk.city.territory.id
    db.as_actor(session, desk.city.actor)
    grid = ResponsibilityGrid(territory_id=home, code="R1", name="R1")
    session.add(grid)
    session.flush()
    session.execute(
        text("UPDATE unit_grid SET responsibility_grid_id = :grid WHERE territory_id = :home"),
        {"grid": grid.id, "home": home},
    )
    third = Worker(territory_id=home, unit_id=desk.unit_id, code="W003")
    session.add(third)
    session.flush()
    workers = list(session.scalars(select(Worker).where(Worker.territory_id == home).order_by(Worker.code)))
    for worker, hours in zip(workers, (NOON, NIGHT, NOON), strict=True):
        worker.responsibility_grid_id = grid.id
        give_shift(session, home, worker.id, *hours)
    session.execute(text("UPDATE incident_class SET check_on_site = true WHERE kind = 'event' AND code = '04-03'"))
    session.flush()
    return workers


def looks(session: Session, incident_id: int, kind: str) -> list[tuple[int | None, str, int | None]]:
    rows = session.scalars(select(Task).where(Task.incident_id == incident_id, Task.kind == kind).order_by(Task.id))
    return [(task.worker_id, task.state, task.assigned_by) for task in rows]


def why(desk: Desk, incident_id: int) -> str:
    db.as_actor(desk.session, desk.supervisor)
    detail = incident_detail(desk.session, desk.supervisor, incident_id)
    return why_nobody_looks(desk.session, desk.supervisor, detail, NOW)


def handled(desk: Desk, incident_id: int) -> int:
    desk.assign(incident_id, unit_id=desk.unit_id)
    desk.act(desk.worker, incident_id, "finish")
    db.as_actor(desk.session, desk.supervisor)
    return incident_id


def test_who_is_on_duty_and_did_not_handle_is_sent_by_the_platform(desk: Desk, add_incident: Add, crew) -> None:
    incident = handled(desk, add_incident(east=True))
    assert looks(desk.session, incident, "check") == [(crew[2].id, "waiting", None)]
    assert why(desk, incident) == ""
    desk.act(desk.supervisor, incident, "rework", reason="not_solved")
    desk.act(desk.worker, incident, "finish")
    db.as_actor(desk.session, desk.supervisor)
    assert len(looks(desk.session, incident, "check")) == 1


def test_who_is_off_duty_is_sent_when_nobody_else_is_there(desk: Desk, add_incident: Add, crew) -> None:
    desk.session.add(
        Absence(territory_id=desk.city.territory.id, worker_id=crew[2].id, kind="leave", from_on=NOW, to_on=NOW)
    )
    desk.session.flush()
    incident = handled(desk, add_incident(east=True))
    assert looks(desk.session, incident, "check") == [(crew[1].id, "waiting", None)]


def test_a_class_that_does_not_ask_leaves_it_to_the_supervisor(desk: Desk, add_incident: Add, crew) -> None:
    incident = handled(desk, add_incident(east=True, code="01-02"))
    assert looks(desk.session, incident, "check") == []
    assert why(desk, incident) == ""


def test_it_is_said_why_nobody_could_be_found(desk: Desk, add_incident: Add, crew) -> None:
    def leave(*workers: Worker) -> None:
        db.as_actor(desk.session, desk.city.actor)
        for worker in workers:
            worker.responsibility_grid_id = None
        desk.session.flush()

    leave(crew[1], crew[2])
    incident = handled(desk, add_incident(east=True))
    assert looks(desk.session, incident, "check") == []
    assert why(desk, incident) == "handled"
    leave(crew[0])
    assert why(desk, incident) == "nobody"
    desk.session.execute(text("UPDATE unit_grid SET responsibility_grid_id = NULL"))
    assert why(desk, incident) == "no_grid"


def test_a_report_of_the_public_is_verified_by_who_is_on_duty(desk: Desk, crew) -> None:
    db.as_actor(desk.session, desk.city.actor)
    crew[0].responsibility_grid_id = None
    desk.session.flush()
    db.as_actor(desk.session, desk.dispatcher)
    new = NewReport("event-01-02", -1.31, 50.69, place="Elm Row", source="hotline")
    made = report(desk.session, desk.dispatcher, new, command_id=fresh(), moment=NOW)
    assert looks(desk.session, made.incident_id, "verify") == [(crew[2].id, "waiting", desk.dispatcher.user_id)]
    assert why(desk, made.incident_id) == ""


def test_components_are_looked_at_by_default(desk: Desk) -> None:
    found = desk.session.execute(
        select(IncidentClass.kind, IncidentClass.check_on_site).where(IncidentClass.scheme == "gk").distinct()
    )
    assert {tuple(row) for row in found} == {("component", True), ("event", False)}

"""A hand in the work is who finished it, who started it, and who showed what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.errors import NotPermitted
from core.identity import Actor, Role
from geodata import db
from geodata.tables import AppUser, Task
from incidents.service import evidence
from tests.db.incidents.desk import Desk
from tests.photos import prepared

Add = Callable[..., int]
CLOSE = "UPDATE incident SET status = 'closed', closed_at = now() WHERE id = :id"
CHECK = (
    "INSERT INTO task (territory_id, incident_id, kind, state, worker_id, created_at)"
    " SELECT territory_id, id, 'check', 'waiting', :worker, now() FROM incident WHERE id = :id"
)
FINISH = "UPDATE incident SET status = 'checking', version = version + 1 WHERE id = :id"
DONE = "UPDATE task SET state = 'done', finished_at = now() WHERE incident_id = :id AND kind = 'handle'"


def photo(desk: Desk, actor: Actor, incident: int, kind: str, seed: int = 0) -> None:
    db.as_actor(desk.session, actor)
    evidence.add_photo(desk.session, actor, incident, kind, prepared(seed))


def is_refused(desk: Desk, actor: Actor, statement: str, match: str, **values: object) -> None:
    db.as_actor(desk.session, actor)
    with pytest.raises(DBAPIError, match=match), desk.session.begin_nested():
        desk.session.execute(text(statement), values)


def is_a_hand(desk: Desk, actor: Actor, incident: int) -> None:
    """Who handled neither closes, sends back, nor sends somebody to look, in the service and in SQL."""
    both = replace(actor, role=Role.SUPERVISOR, area_ids=(), unit_ids=(), worker_id=None)
    for act, more in (("close", {}), ("rework", {"reason": "not_solved"}), ("ask_check", {})):
        with pytest.raises(NotPermitted, match="You handled this incident"):
            desk.act(both, incident, act, **more)
    assert "close" not in desk.allowed(both, incident)
    is_refused(desk, both, CLOSE, "does not verify it", id=incident)
    is_refused(desk, both, CHECK, "does not check it", id=incident, worker=desk.other_worker_id)
    db.as_actor(desk.session, both)
    queue = evidence.waiting_to_verify(desk.session, both)
    assert [each.own for each in queue if each.incident_id == incident] == ["handled"]


def test_who_started_the_work_that_another_finished_does_not_verify_it(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(unit_id=desk.unit_id)
    desk.assign(incident)
    desk.act(desk.handler, incident, "start")
    desk.act(desk.worker, incident, "finish")
    task = desk.session.scalars(select(Task).where(Task.incident_id == incident)).one()
    desk.session.refresh(task)
    assert task.handled_by == [desk.handler.user_id, desk.worker.user_id]
    is_a_hand(desk, desk.handler, incident)
    assert desk.act(desk.supervisor, incident, "close").status == "closed"


def test_a_worker_who_started_what_another_finished_is_not_sent_to_check(desk: Desk, add_incident: Add) -> None:
    db.as_actor(desk.session, desk.city.actor)
    account = desk.session.get_one(AppUser, desk.worker.user_id)
    account.worker_id = desk.worker.worker_id
    desk.session.flush()
    incident = add_incident(unit_id=desk.unit_id)
    desk.assign(incident)
    desk.act(desk.worker, incident, "start")
    desk.act(desk.dispatcher, incident, "reassign", worker_id=desk.other_worker_id, unit_id=desk.unit_id)
    desk.act(desk.handler, incident, "finish")
    is_refused(desk, desk.supervisor, CHECK, "does not check it", id=incident, worker=desk.worker.worker_id)


def test_who_showed_what_became_of_it_does_not_verify_it(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(code="01-03", unit_id=desk.unit_id)
    desk.assign(incident)
    photo(desk, desk.worker, incident, "before")
    photo(desk, desk.handler, incident, "after", seed=1)
    desk.act(desk.worker, incident, "finish")
    is_a_hand(desk, desk.handler, incident)
    assert desk.act(desk.supervisor, incident, "close").status == "closed"


def test_the_photo_after_of_a_supervisor_finishes_nothing_and_makes_no_hand(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(code="01-03", unit_id=desk.unit_id)
    desk.assign(incident)
    photo(desk, desk.worker, incident, "before")
    photo(desk, desk.supervisor, incident, "after", seed=1)
    with pytest.raises(NotPermitted, match="not there yet: photo after"):
        desk.act(desk.worker, incident, "finish")
    db.as_actor(desk.session, desk.worker)
    with pytest.raises(DBAPIError, match="Evidence lacks: after"), desk.session.begin_nested():
        desk.session.execute(text(DONE), {"id": incident})
        desk.session.execute(text(FINISH), {"id": incident})
    photo(desk, desk.worker, incident, "after", seed=2)
    desk.act(desk.worker, incident, "finish")
    assert desk.act(desk.supervisor, incident, "close").status == "closed"


def test_the_photo_after_that_the_system_brought_counts(desk: Desk, add_incident: Add) -> None:
    incident = add_incident(code="01-03", unit_id=desk.unit_id)
    desk.assign(incident)
    for kind, seed in (("before", 0), ("after", 1)):
        photo(desk, desk.city.actor, incident, kind, seed)
    assert desk.act(desk.worker, incident, "finish").status == "checking"

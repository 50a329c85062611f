"""A duplicate launders nothing: hands that sent it out or handled it, its clock, its look on site, what is in reach."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.errors import NotFound, NotPermitted
from core.identity import Actor, Role
from geodata import db
from geodata.tables import ResponsibilityGrid, Task, Worker
from incidents.service import duplicates
from tests.db.incidents.conftest import NOW
from tests.db.incidents.desk import Desk, fresh
from tests.db.incidents.test_duplicates import file, link, refused, row, state, unlink
from tests.rosters import give_shift

EASTERN = (-1.28, 50.69)
CLOSE = "UPDATE incident SET status = 'closed', closed_at = now() WHERE id = :id"


def both(desk: Desk, role: Role) -> Actor:
    """Pia, who may act as dispatcher, supervisor and grid worker."""
    return Actor(desk.extra_id, "pia", role, desk.city.territory.id)


def returned(desk: Desk, sender: Actor) -> int:
    """An incident that was sent out once by ``sender`` and came back."""
    made = file(desk)
    desk.assign(made, actor=sender)
    desk.act(desk.worker, made, "return", reason="wrong_place")
    return made


def checking(desk: Desk) -> int:
    made = file(desk)
    desk.assign(made)
    desk.act(desk.worker, made, "finish")
    return made


def test_who_sent_a_duplicate_out_does_not_close_what_it_follows(session: Session, desk: Desk) -> None:
    pia = both(desk, Role.SUPERVISOR)
    child = returned(desk, both(desk, Role.DISPATCHER))
    root = file(desk)
    link(desk, child, root, both(desk, Role.DISPATCHER))
    desk.assign(root)
    desk.act(desk.worker, root, "finish")
    assert refused(desk, pia, CLOSE, id=root) == "ck_incident_separate_duties"
    assert "close" not in desk.allowed(pia, root)
    with pytest.raises(NotPermitted, match="dispatched"):
        desk.act(pia, root, "close")
    desk.act(desk.supervisor, root, "close")
    assert state(session, child) == "closed"


def test_who_handled_a_duplicate_neither_closes_nor_sends_back_nor_checks(session: Session, desk: Desk) -> None:
    child = checking(desk)
    desk.act(desk.supervisor, child, "close")
    desk.act(desk.supervisor, child, "reopen", reason="citizen")
    root = file(desk)
    desk.assign(root, desk.other_worker_id)
    link(desk, child, root)
    desk.act(
        Actor(desk.extra_id, "pia", Role.GRID_WORKER, desk.city.territory.id, worker_id=desk.other_worker_id),
        root,
        "finish",
    )
    wen = Actor(desk.worker.user_id, "wen", Role.SUPERVISOR, desk.city.territory.id)
    assert refused(desk, wen, CLOSE, id=root) == "ck_incident_other_hand"
    back = "UPDATE incident SET status = 'handling' WHERE id = :id"
    assert refused(desk, wen, back, id=root) == "ck_incident_other_hand"
    assert not {"close", "rework"} & set(desk.allowed(wen, root))
    with pytest.raises(NotPermitted, match="handled"):
        desk.act(wen, root, "close")
    sent = "INSERT INTO task (territory_id, incident_id, kind, state, worker_id, created_at)"
    sent += " SELECT territory_id, id, 'check', 'waiting', :worker, now() FROM incident WHERE id = :id"
    assert refused(desk, desk.dispatcher, sent, id=root, worker=desk.worker.worker_id) == "ck_task_other_hand"
    desk.act(desk.supervisor, root, "close")
    assert state(session, child) == "closed"


def test_a_finding_that_somebody_else_reported_too_is_not_settled_on_the_spot(session: Session, desk: Desk) -> None:
    finder = replace(desk.worker, area_ids=(desk.city.east_id, desk.city.west_id))
    root, free, own = (file(desk, finder) for _ in range(3))
    child = file(desk, desk.dispatcher, duplicate_of=root, source="hotline")
    settled = "UPDATE incident SET status = 'closed', self_handled = true, closed_at = now() WHERE id = :id"
    assert refused(desk, finder, settled, id=root) == "ck_incident_own_find"
    assert "self_handle" not in desk.allowed(finder, root)
    with pytest.raises(NotPermitted, match="finding of your own"):
        desk.act(finder, root, "self_handle")
    assert state(session, child) == "filed"
    mine = file(desk, finder, duplicate_of=own)
    for each in (free, own):
        assert desk.act(finder, each, "self_handle").status == "closed"
    assert state(session, mine) == "closed"


def test_linking_and_unlinking_gives_no_new_time_and_files_nothing(session: Session, desk: Desk) -> None:
    root, child = file(desk), file(desk)
    due, filed = row(session, child).due_at, row(session, child).filed_at
    link(desk, child, root)
    kept = row(session, child)
    assert (kept.own_due_at, kept.own_filed_at, kept.due_at) == (due, filed, None)
    db.as_actor(session, desk.supervisor)
    forged = "UPDATE incident SET own_due_at = now(), own_filed_at = NULL, filed_at = now() WHERE id = :id"
    session.execute(text(forged), {"id": child})
    kept = row(session, child)
    assert (kept.own_due_at, kept.own_filed_at, kept.filed_at) == (due, filed, filed)
    db.as_actor(session, desk.supervisor)
    duplicates.unlink(
        session,
        desk.supervisor,
        child,
        reason="mistake",
        version=None,
        command_id=fresh(),
        moment=NOW + dt.timedelta(days=20),
    )
    kept = row(session, child)
    assert (kept.status, kept.due_at, kept.filed_at, kept.due_from) == ("filed", due, filed, filed)
    assert (kept.own_due_at, kept.own_filed_at) == (None, None)
    own = "UPDATE incident SET own_due_at = now() WHERE id = :id"
    assert refused(desk, desk.supervisor, own, id=child) == "ck_incident_own_course"
    link(desk, child, root)
    db.as_actor(session, desk.supervisor, purpose="unlink: mistake")
    later = (
        "UPDATE incident SET duplicate_of = NULL, due_at = now() + interval '1 year', filed_at = NULL WHERE id = :id"
    )
    session.execute(text(later), {"id": child})
    kept = row(session, child)
    assert (kept.status, kept.due_at, kept.filed_at) == ("filed", due, filed)


@pytest.mark.parametrize("way", ["linked", "supervisor", "dispatcher"])
def test_what_was_never_filed_is_looked_at_again_when_it_is_unlinked(session: Session, desk: Desk, way: str) -> None:
    db.as_actor(session, desk.city.actor)
    grid = ResponsibilityGrid(territory_id=desk.city.territory.id, code="R1", name="R1")
    session.add(grid)
    session.flush()
    session.execute(text("UPDATE unit_grid SET responsibility_grid_id = :grid"), {"grid": grid.id})
    worker = session.get_one(Worker, desk.worker.worker_id)
    worker.responsibility_grid_id = grid.id
    give_shift(session, desk.city.territory.id, worker.id, 8 * 60, 18 * 60)
    session.flush()
    root = file(desk)
    if way == "linked":
        child = file(desk, desk.dispatcher, source="hotline")
        link(desk, child, root)
    else:
        child = file(desk, getattr(desk, way), source="hotline", duplicate_of=root)
    assert (state(session, child), row(session, child).own_filed_at) == ("filed", None)
    unlink(desk, child)
    kept = row(session, child)
    assert (kept.status, kept.filed_at, kept.due_at is not None) == ("reported", None, True)
    tasks = session.scalars(select(Task).where(Task.incident_id == child, Task.state == "waiting")).all()
    assert [(task.kind, task.worker_id) for task in tasks] == [("verify", worker.id)]
    with pytest.raises(NotPermitted, match="verify"):
        desk.act(desk.supervisor, child, "file")


def test_a_report_follows_only_what_its_reporter_sees(session: Session, desk: Desk) -> None:
    near = file(desk)
    db.as_actor(session, desk.supervisor)
    columns = (
        "territory_id, number, source, class_id, category, status, priority, reported_at, filed_at, grid_id,"
        " community_id, geom, version"
    )
    add = f"INSERT INTO incident ({columns}, duplicate_of) SELECT {columns.replace('number', ':number')}, :root"
    add += " FROM incident WHERE id = :model"
    east = file(desk, lon=EASTERN[0], lat=EASTERN[1])
    manager = Actor(desk.extra_id, "pia", Role.GRID_MANAGER, desk.city.territory.id, area_ids=(desk.city.west_id,))
    values = {"model": near, "number": "T-away"}
    assert refused(desk, manager, add, root=east, **values) == "ck_incident_duplicate_root"
    link(desk, east_child := file(desk), east)
    assert refused(desk, manager, add, root=east_child, **values) == "ck_incident_duplicate_root"
    db.as_actor(session, manager)
    session.execute(text(add), values | {"root": near})
    with pytest.raises(NotFound):
        file(desk, manager, duplicate_of=east)

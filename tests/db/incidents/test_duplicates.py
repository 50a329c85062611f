"""Duplicates: found nearby, filed and linked, following the first report; the database lets no cycle come about."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.tables import Incident, Record, Task
from incidents.service import duplicates, report
from incidents.work import NewReport
from tests.db.incidents.conftest import NOW, City
from tests.db.incidents.desk import Desk, fresh

POINT = (-1.31, 50.69)
REFUSE = NewReport("event-01-02", *POINT, text="Bags of rubbish beside the bench", source="patrol")


def file(desk: Desk, actor: Actor | None = None, new: NewReport = REFUSE, **more: object) -> int:
    actor = actor or desk.supervisor
    db.as_actor(desk.session, actor)
    given = {name: getattr(new, name) for name in NewReport.__dataclass_fields__} | {"unit_id": desk.unit_id} | more
    return report(desk.session, actor, NewReport(**given), command_id=fresh(), moment=NOW).incident_id


def link(desk: Desk, child: int, root: int, actor: Actor | None = None, **more: object) -> None:
    actor = actor or desk.dispatcher
    db.as_actor(desk.session, actor)
    given = {"version": None, "command_id": fresh(), "moment": NOW} | more
    duplicates.link(desk.session, actor, child, root, **given)


def unlink(desk: Desk, child: int, actor: Actor | None = None, reason: str = "another_matter") -> None:
    actor = actor or desk.supervisor
    db.as_actor(desk.session, actor)
    duplicates.unlink(desk.session, actor, child, reason=reason, version=None, command_id=fresh(), moment=NOW)


def row(session: Session, incident_id: int) -> Incident:
    db.as_actor(session, system_actor())
    return session.get_one(Incident, incident_id, populate_existing=True)


def state(session: Session, incident_id: int) -> str:
    return row(session, incident_id).status


def refused(desk: Desk, actor: Actor, statement: str, **values: object) -> str:
    """The name of the constraint by which the database refuses a statement."""
    db.as_actor(desk.session, actor, purpose=str(values.pop("purpose", "")))
    with pytest.raises(IntegrityError) as caught, desk.session.begin_nested():
        desk.session.execute(text(statement), values)
        desk.session.flush()
    return str(caught.value.orig.diag.constraint_name)


LINK = "UPDATE incident SET duplicate_of = :root WHERE id = :child"


def test_what_lies_near_is_shown_with_its_reason(session: Session, desk: Desk) -> None:
    first = file(desk)
    db.as_actor(session, desk.dispatcher)
    found = duplicates.look_alikes(
        session,
        desk.dispatcher,
        class_key="event-01-02",
        place=(POINT[0] + 0.0008, POINT[1]),
        text="rubbish bags at the bench again",
        moment=NOW + dt.timedelta(hours=2),
    )
    assert [each.incident.id for each in found] == [first]
    assert (found[0].matter, round(found[0].distance_m), found[0].age) == ("class", 56, dt.timedelta(hours=2))
    assert {"rubbish", "bags", "bench"} <= set(found[0].shared)
    far = duplicates.look_alikes(
        session, desk.dispatcher, class_key="event-01-02", place=(POINT[0] + 0.006, POINT[1]), moment=NOW
    )
    assert far == ()


def test_closed_ones_and_duplicates_are_not_offered(session: Session, desk: Desk) -> None:
    first = file(desk)
    file(desk, duplicate_of=first)
    db.as_actor(session, desk.supervisor)
    ask = {"class_key": "event-01-02", "place": POINT, "moment": NOW}
    assert [each.incident.id for each in duplicates.look_alikes(session, desk.supervisor, **ask)] == [first]
    assert duplicates.look_alikes(session, desk.supervisor, **ask, besides=first) == ()
    desk.act(desk.supervisor, first, "void", reason="not_found")
    assert duplicates.look_alikes(session, desk.supervisor, **ask) == ()


def test_others_communities_stay_out_of_a_grid_managers_sight(session: Session, desk: Desk, city: City) -> None:
    file(desk)
    ask = {"class_key": "event-01-02", "place": POINT, "moment": NOW}
    for area, seen in ((city.west_id, 1), (city.east_id, 0)):
        manager = city.officer(Role.GRID_MANAGER, area_ids=(area,))
        db.as_actor(session, manager)
        assert len(duplicates.look_alikes(session, manager, **ask)) == seen


def test_a_report_filed_as_a_duplicate_has_its_own_number_and_nobody_is_sent(session: Session, desk: Desk) -> None:
    first = file(desk)
    child = file(desk, desk.dispatcher, duplicate_of=first, reporter="Ann Ames", phone="01983 55512")
    kept = row(session, child)
    assert kept.number != row(session, first).number
    assert (kept.duplicate_of, kept.status, kept.due_at, kept.limit_id) == (first, "filed", None, None)
    assert session.scalars(select(Task).where(Task.incident_id == child)).all() == []
    db.as_actor(session, desk.dispatcher)
    with pytest.raises(NotPermitted, match="follows the first report"):
        desk.assign(child)
    assert desk.allowed(desk.supervisor, child) == ()
    root, children = duplicates.relatives(session, desk.supervisor, first)
    assert (root, [each.id for each in children]) == (None, [child])
    assert duplicates.relatives(session, desk.supervisor, child)[0].id == first


def test_a_duplicate_is_closed_reopened_and_voided_with_the_first(session: Session, desk: Desk) -> None:
    first = file(desk)
    child = file(desk, desk.dispatcher, duplicate_of=first)
    desk.assign(first)
    assert state(session, child) == "dispatched"
    desk.act(desk.worker, first, "start")
    desk.act(desk.worker, first, "finish")
    assert state(session, child) == "checking"
    desk.act(desk.supervisor, first, "close")
    kept = row(session, child)
    assert (kept.status, kept.closed_at, kept.closed_by) == ("closed", NOW, None)
    desk.act(desk.dispatcher, first, "reopen", reason="citizen")
    kept = row(session, child)
    assert (kept.status, kept.closed_at, kept.due_at) == ("filed", None, None)
    desk.act(desk.supervisor, first, "void", reason="trial")
    assert state(session, child) == "void"


def test_linking_takes_back_who_was_sent_and_is_recorded(session: Session, desk: Desk) -> None:
    first, second = file(desk), file(desk)
    desk.assign(second)
    link(desk, second, first)
    assert {task.state for task in session.scalars(select(Task).where(Task.incident_id == second))} == {"cancelled"}
    assert (state(session, second), row(session, second).duplicate_of) == ("filed", first)
    db.as_actor(session, desk.supervisor)
    told = session.scalars(select(Record.purpose).where(Record.subject_id == str(second), Record.action == "update"))
    assert "link" in told.all()


def test_a_duplicate_of_a_duplicate_goes_to_the_root_and_takes_its_own_along(session: Session, desk: Desk) -> None:
    first, second, third, fourth = (file(desk) for _ in range(4))
    link(desk, second, first)
    link(desk, third, second)
    assert row(session, third).duplicate_of == first
    link(desk, first, fourth)
    assert [row(session, each).duplicate_of for each in (first, second, third)] == [fourth] * 3
    with pytest.raises(InvalidInput, match="neither can follow"):
        link(desk, fourth, third)
    with pytest.raises(InvalidInput, match="neither can follow"):
        link(desk, fourth, fourth)


def test_only_a_supervisor_unlinks_with_a_reason_and_the_clock_begins_anew(session: Session, desk: Desk) -> None:
    first, second = file(desk), file(desk)
    due = row(session, second).due_at
    link(desk, second, first)
    with pytest.raises(NotPermitted):
        unlink(desk, second, desk.dispatcher)
    with pytest.raises(InvalidInput, match="reason"):
        unlink(desk, second, reason="")
    unlink(desk, second)
    kept = row(session, second)
    assert (kept.duplicate_of, kept.status, kept.due_at) == (None, "filed", due)
    assert kept.limit_id is not None
    desk.assign(second)
    assert state(session, first) == "filed"


def test_what_is_worked_on_or_over_is_linked_neither_way(session: Session, desk: Desk) -> None:
    first, second = file(desk), file(desk)
    desk.assign(second)
    desk.act(desk.worker, second, "start")
    with pytest.raises(InvalidInput, match="worked on"):
        link(desk, second, first)
    desk.act(desk.supervisor, first, "void", reason="trial")
    with pytest.raises(InvalidInput, match="is over"):
        link(desk, second, first)
    with pytest.raises(InvalidInput, match="is over"):
        file(desk, duplicate_of=first)


def test_the_database_itself_refuses_cycles_laundering_and_other_hands(session: Session, desk: Desk) -> None:
    first, second, third = (file(desk) for _ in range(3))
    link(desk, second, first)
    desk.assign(third)
    assert refused(desk, desk.dispatcher, LINK, child=first, root=second) == "ck_incident_duplicate_of_itself"
    assert refused(desk, desk.dispatcher, LINK, child=first, root=first) == "ck_incident_duplicate_of_itself"
    assert refused(desk, desk.dispatcher, LINK, child=first, root=10**9) == "ck_incident_duplicate_root"
    assert refused(desk, desk.dispatcher, LINK, child=third, root=first) == "ck_incident_link"  # somebody is sent
    free = "UPDATE incident SET duplicate_of = NULL WHERE id = :child"
    assert refused(desk, desk.supervisor, free, child=second) == "ck_incident_unlink"
    assert refused(desk, desk.dispatcher, free, child=second, purpose="unlink: mistake") == "ck_incident_unlink"
    change = "UPDATE incident SET priority = 4 WHERE id = :child"
    assert refused(desk, desk.supervisor, change, child=second) == "ck_incident_duplicate_follows"
    sent = "INSERT INTO task (territory_id, incident_id, kind, state, created_at) SELECT territory_id, id, 'handle',"
    sent += " 'waiting', now() FROM incident WHERE id = :child"
    assert refused(desk, desk.dispatcher, sent, child=second) == "ck_task_duplicate"
    db.as_actor(session, desk.supervisor)
    session.execute(text("UPDATE incident SET status = 'void', due_at = now() WHERE id = :child"), {"child": second})
    assert (state(session, second), row(session, second).due_at) == ("filed", None)  # it follows, whatever is said


def test_a_worker_does_not_link(session: Session, desk: Desk) -> None:
    first, second = file(desk, east := desk.supervisor), file(desk, east)
    with pytest.raises(NotPermitted):
        link(desk, second, first, desk.worker)
    worker = desk.city.officer(Role.GRID_WORKER, area_ids=(desk.city.west_id,))
    assert refused(desk, worker, LINK, child=second, root=first) == "ck_incident_link"


def test_another_territory_is_out_of_reach(session: Session, desk: Desk) -> None:
    from tests.db.incidents.conftest import make_city

    first = file(desk)
    db.as_actor(session, desk.city.actor)
    other = make_city(session, "other-city")
    away = Actor(desk.supervisor.user_id, "sam", Role.SUPERVISOR, other.territory.id)
    db.as_actor(session, away)
    done = report(session, away, REFUSE, command_id=fresh(), moment=NOW).incident_id
    db.as_actor(session, desk.city.actor)
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text(LINK), {"child": done, "root": first})

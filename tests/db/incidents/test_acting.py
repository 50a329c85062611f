"""The lifecycle in the database: each step, who may, what it leaves, and what is refused in words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Role
from geodata import db
from geodata.tables import ClassOwner, Incident, IncidentClass, Record, Task, Unit, Worker
from incidents.service import incident_detail, my_tasks, waiting_to_close
from tests.db.incidents.conftest import NOW
from tests.db.incidents.desk import Desk, fresh

Add = Callable[..., int]


@pytest.fixture
def filed(desk: Desk, add_incident: Add) -> int:
    return add_incident(unit_id=desk.unit_id, due_at=NOW + dt.timedelta(hours=3))


def test_the_whole_round_leaves_times_tasks_and_record(desk: Desk, filed: int) -> None:
    given = desk.assign(filed, reason="proposed")
    assert (given.status, given.version) == ("dispatched", 2)
    db.as_actor(desk.session, desk.worker)
    (mine,) = my_tasks(desk.session, desk.worker)
    assert (mine.incident.id, mine.task.state, mine.task.due_at) == (filed, "waiting", NOW + dt.timedelta(hours=3))
    assert desk.act(desk.worker, filed, "accept").status == "dispatched"
    assert desk.act(desk.worker, filed, "start").status == "handling"
    assert desk.act(desk.worker, filed, "finish").status == "checking"
    assert my_tasks(desk.session, desk.worker) == []
    db.as_actor(desk.session, desk.supervisor)
    assert [row.id for row in waiting_to_close(desk.session, desk.supervisor)] == [filed]
    closed = desk.act(desk.supervisor, filed, "close")
    row = desk.session.get_one(Incident, filed)
    assert (closed.status, row.dispatched_by, row.closed_by) == (
        "closed",
        desk.dispatcher.user_id,
        desk.supervisor.user_id,
    )
    assert row.closed_at == row.handled_at == NOW
    detail = incident_detail(desk.session, desk.supervisor, filed)
    purposes = [(entry.table, entry.actor_label, entry.purpose) for entry in detail.history if entry.purpose]
    assert purposes[0] == ("task", "dora", "assign: proposed")
    assert purposes[-1] == ("incident", "sam", "close")
    assert [(task.kind, task.state) for task in detail.tasks] == [("handle", "done"), ("visit", "waiting")]


def test_a_worker_finds_what_he_was_sent_to_outside_his_communities_and_nothing_else(
    desk: Desk, filed: int, add_incident: Add
) -> None:
    other = add_incident(unit_id=desk.unit_id)
    desk.assign(filed)
    db.as_actor(desk.session, desk.worker)
    assert incident_detail(desk.session, desk.worker, filed).row.id == filed
    with pytest.raises(NotFound):
        incident_detail(desk.session, desk.worker, other)


def test_who_dispatched_never_closes(desk: Desk, filed: int) -> None:
    desk.assign(filed)
    desk.act(desk.worker, filed, "finish")
    with pytest.raises(NotPermitted, match="who dispatches never closes"):
        desk.act(desk.dispatcher, filed, "close")
    same_person = replace(desk.dispatcher, role=Role.SUPERVISOR)
    with pytest.raises(NotPermitted, match="You dispatched this incident") as refused:
        desk.act(same_person, filed, "close")
    assert "不得结案" in refused.value.zh
    assert "close" not in desk.allowed(same_person, filed)
    assert desk.allowed(desk.supervisor, filed)[0] == "close"


def test_who_dispatched_first_and_was_followed_by_another_does_not_close_either(desk: Desk, filed: int) -> None:
    first = desk.dispatcher
    desk.assign(filed)
    second = replace(desk.dispatcher, user_id=desk.worker.user_id, label="wen")
    desk.assign(filed, desk.other_worker_id, actor=second)
    desk.act(desk.handler, filed, "finish")
    with pytest.raises(NotPermitted, match="You dispatched"):
        desk.act(replace(first, role=Role.SUPERVISOR), filed, "close")
    # And past every service, by hand: the database refuses it too.
    db.as_actor(desk.session, replace(first, role=Role.SUPERVISOR))
    with pytest.raises(IntegrityError, match="separate_duties|does not close it"), desk.session.begin_nested():
        desk.session.execute(text("UPDATE incident SET status = 'closed' WHERE id = :id"), {"id": filed})


def test_the_database_writes_who_closed_whatever_the_program_says(desk: Desk, filed: int) -> None:
    desk.assign(filed)
    db.as_actor(desk.session, replace(desk.dispatcher, role=Role.SUPERVISOR))
    with pytest.raises(IntegrityError, match="separate_duties|does not close it"), desk.session.begin_nested():
        desk.session.execute(
            text("UPDATE incident SET status = 'closed', closed_by = :sam WHERE id = :id"),
            {"id": filed, "sam": desk.supervisor.user_id},
        )


def test_two_dispatchers_at_once_and_one_is_told_what_changed(desk: Desk, filed: int) -> None:
    seen = 1
    desk.assign(filed, version=seen)
    with pytest.raises(Conflict) as told:
        desk.assign(filed, desk.other_worker_id, version=seen, actor=replace(desk.dispatcher, label="dan"))
    assert "dora assigned it" in told.value.message
    assert "status: filed → dispatched" in told.value.message
    assert "worker: nobody → W001" in told.value.message
    assert "dora" in told.value.zh
    assert "已派遣" in told.value.zh
    tasks = desk.session.scalars(select(Task).where(Task.incident_id == filed)).all()
    assert [task.worker_id for task in tasks] == [desk.worker.worker_id]


def test_a_command_is_applied_once(desk: Desk, filed: int) -> None:
    command = fresh()
    first = desk.assign(filed, command_id=command, version=1)
    again = desk.assign(filed, command_id=command, version=1)
    assert again == replace(first, repeated=True)
    assert len(desk.session.scalars(select(Task).where(Task.incident_id == filed)).all()) == 1
    with pytest.raises(InvalidInput, match="other contents"):
        desk.assign(filed, desk.other_worker_id, command_id=command, version=1)
    with pytest.raises(Conflict, match="somebody else"):
        desk.assign(filed, command_id=command, version=1, actor=replace(desk.dispatcher, user_id=desk.worker.user_id))
    with pytest.raises(InvalidInput, match="command id"):
        desk.assign(filed, command_id="short")


def test_assigning_anew_cancels_the_first_task(desk: Desk, filed: int) -> None:
    desk.assign(filed)
    done = desk.assign(filed, desk.other_worker_id, reason="workload")
    states = dict(desk.session.execute(select(Task.worker_id, Task.state).where(Task.incident_id == filed)).all())
    assert states == {desk.worker.worker_id: "cancelled", desk.other_worker_id: "waiting"}
    assert done.status == "dispatched"
    with pytest.raises(NotFound):  # it is out of the first worker's sight now
        desk.act(desk.worker, filed, "finish")


def test_the_database_holds_one_live_handle_task(desk: Desk, filed: int) -> None:
    desk.assign(filed)
    with pytest.raises(IntegrityError, match="uq_task_live_handle"), desk.session.begin_nested():
        desk.session.add(
            Task(
                territory_id=desk.city.territory.id,
                incident_id=filed,
                kind="handle",
                state="waiting",
                unit_id=desk.unit_id,
                created_at=NOW,
            )
        )
        desk.session.flush()


def test_return_needs_a_reason_and_goes_back_to_the_queue(desk: Desk, filed: int) -> None:
    desk.assign(filed)
    with pytest.raises(InvalidInput, match="needs a reason"):
        desk.act(desk.handler, filed, "return")
    with pytest.raises(InvalidInput, match="does not know"):
        desk.act(desk.handler, filed, "return", reason="my neighbour said so")
    assert desk.act(desk.handler, filed, "return", reason="wrong_department").status == "filed"
    assert desk.assign(filed, desk.other_worker_id).status == "dispatched"


def test_rework_opens_the_task_again_and_counts(desk: Desk, filed: int) -> None:
    desk.assign(filed)
    desk.act(desk.worker, filed, "finish")
    done = desk.act(desk.supervisor, filed, "rework", reason="not_solved")
    row = desk.session.get_one(Incident, filed)
    assert (done.status, row.reworks, row.handled_at) == ("handling", 1, None)
    desk.act(desk.worker, filed, "finish")
    # Sending it back does not make the supervisor one who dispatched.
    assert desk.act(desk.supervisor, filed, "close").status == "closed"


def test_filing_counts_the_deadline_from_now_and_void_ends_it(desk: Desk, add_incident: Add) -> None:
    waiting = add_incident(status="reported", filed_at=None, due_at=None)
    with pytest.raises(NotPermitted, match="It is for: supervisor"):
        desk.act(desk.dispatcher, waiting, "file")
    desk.act(desk.supervisor, waiting, "file")
    row = desk.session.get_one(Incident, waiting)
    assert (row.status, row.filed_at, row.due_at) == ("filed", NOW, NOW + dt.timedelta(hours=3))
    assert desk.act(desk.supervisor, waiting, "void", reason="duplicate").status == "void"
    assert row.closed_at is None
    with pytest.raises(NotPermitted, match="The incident is void"):
        desk.assign(waiting)


def test_a_class_without_a_unit_is_said_with_the_way_out(desk: Desk, add_incident: Add) -> None:
    orphan = add_incident()
    with pytest.raises(InvalidInput, match="No unit is responsible") as told:
        desk.assign(orphan)
    assert "Choose a unit" in told.value.hint
    assert desk.assign(orphan, unit_id=desk.unit_id).status == "dispatched"
    assert desk.session.get_one(Incident, orphan).unit_id == desk.unit_id


def test_a_worker_or_unit_of_elsewhere_is_refused(desk: Desk, filed: int) -> None:
    with pytest.raises(NotFound, match="no such worker"):
        desk.assign(filed, 999_999)
    with pytest.raises(NotFound, match="no such unit"):
        desk.assign(filed, unit_id=999_999)
    db.as_actor(desk.session, desk.city.actor)
    desk.session.get_one(Worker, desk.other_worker_id).active = False
    desk.session.flush()
    with pytest.raises(InvalidInput, match="does not work here any more"):
        desk.assign(filed, desk.other_worker_id)


def test_a_unit_that_ended_gets_no_work(desk: Desk, filed: int) -> None:
    db.as_actor(desk.session, desk.city.actor)
    desk.session.get_one(Unit, desk.unit_id).valid_to = dt.date(2020, 6, 30)
    next_unit = Unit(
        territory_id=desk.city.territory.id, code="HW2", kind="department", name="H", valid_from=dt.date(2020, 1, 1)
    )
    desk.session.add(next_unit)
    desk.session.flush()
    with pytest.raises(InvalidInput, match="The unit HW ended on 30 Jun 2020") as told:
        desk.assign(filed)
    assert "停用" in told.value.zh
    with pytest.raises(InvalidInput, match="ended on"):
        desk.act(desk.dispatcher, filed, "dispatch", unit_id=desk.unit_id)
    assert desk.assign(filed, unit_id=next_unit.id).status == "dispatched"


def test_a_version_before_the_first_is_a_conflict_in_words(desk: Desk, filed: int) -> None:
    with pytest.raises(Conflict, match="was changed meanwhile"):
        desk.assign(filed, version=0)


def test_what_came_from_a_file_without_a_task_is_closed_not_sent_back(desk: Desk, add_incident: Add) -> None:
    handled = add_incident(status="checking")
    with pytest.raises(InvalidInput, match="has no task") as told:
        desk.act(desk.supervisor, handled, "rework", reason="not_solved")
    assert "close it" in told.value.hint
    assert desk.act(desk.supervisor, handled, "close").status == "closed"


def test_others_may_not(desk: Desk, filed: int) -> None:
    desk.assign(filed)
    for role in (Role.PLANNER, Role.ADMINISTRATOR):
        with pytest.raises(NotPermitted):
            desk.act(desk.city.officer(role), filed, "finish")
    for role in (Role.AUDITOR, Role.SUPERVISOR, Role.DISPATCHER):
        with pytest.raises(NotPermitted, match="It is for: grid worker, department handler"):
            desk.act(desk.city.officer(role), filed, "finish")
    stranger = replace(desk.handler, unit_ids=())
    with pytest.raises(NotFound):
        desk.act(stranger, filed, "finish")
    with pytest.raises(NotPermitted, match="another worker has it"):
        desk.act(replace(desk.worker, worker_id=desk.other_worker_id, area_ids=(desk.city.west_id,)), filed, "finish")
    with pytest.raises(InvalidInput, match="no act"):
        desk.act(desk.supervisor, filed, "explode")


def test_the_command_line_does_not_close_what_it_gave_out(desk: Desk, filed: int) -> None:
    system = desk.city.actor
    desk.assign(filed, actor=system)
    desk.act(system, filed, "finish")
    with pytest.raises(NotPermitted, match="--as"):
        desk.act(system, filed, "close")
    assert desk.act(desk.supervisor, filed, "close").status == "closed"


def test_the_record_names_act_and_command(desk: Desk, filed: int) -> None:
    command = fresh()
    desk.assign(filed, command_id=command)
    rows = desk.session.execute(
        select(Record.subject_table, Record.purpose).where(Record.command_id == command).order_by(Record.seq)
    ).all()
    assert rows == [("task", "assign"), ("incident", "assign")]


def test_owner_of_the_duty_list_for_the_community_comes_first(desk: Desk, session: Session) -> None:
    from incidents.store.reporting import owner

    db.as_actor(session, desk.city.actor)
    kind = session.scalars(select(IncidentClass).where(IncidentClass.code == "04-03")).one()
    street = Unit(
        territory_id=desk.city.territory.id, code="S1", kind="street_office", name="S", valid_from=dt.date(2020, 1, 1)
    )
    session.add(street)
    session.flush()
    for unit_id, area in ((desk.unit_id, None), (street.id, desk.city.west_id)):
        session.add(
            ClassOwner(
                class_id=kind.id,
                territory_id=desk.city.territory.id,
                area_id=area,
                unit_id=unit_id,
                valid_from=dt.date(2020, 1, 1),
            )
        )
    session.flush()
    found = {
        area: owner(session, desk.city.territory.id, kind.id, area) for area in (desk.city.west_id, desk.city.east_id)
    }
    assert {area: unit.code for area, (unit, _, _) in found.items()} == {
        desk.city.west_id: "S1",
        desk.city.east_id: "HW",
    }

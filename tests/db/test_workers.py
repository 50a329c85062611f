"""The staff list of the small demo town: kept by those whose it is, sealed, without gaps in words."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select, text

from app.jobs import end_employments
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Role, system_actor
from geodata import record
from geodata.db import as_actor, transaction
from geodata.tables import Incident, Person, PersonKey, Task, Worker
from people import staff, workers
from people.worker_model import StaffFilter, WorkerFields
from tests.staff_town import TODAY, open_staff_town


@pytest.fixture
def town(demo_database):
    with open_staff_town(demo_database) as opened:
        yield opened


def test_each_role_sees_its_own_workers_and_names(town):
    everybody = town.rows(Role.SUPERVISOR)
    assert len(everybody) == 12
    assert all(row.name and row.person == "named" and row.grid for row in everybody)
    assert [row.code for row in everybody] == sorted(row.code for row in everybody)
    own = town.rows(Role.GRID_MANAGER)
    assert 0 < len(own) < 12
    assert town.rows(Role.HANDLER) == []
    for role in (Role.ADMINISTRATOR, Role.DISPATCHER):
        assert all(row.name for row in town.rows(role))
    assert {(row.name, row.person) for row in town.rows(Role.AUDITOR)} == {(None, "hidden")}
    for role in (Role.PLANNER, Role.GRID_WORKER):
        with pytest.raises(NotPermitted):
            town.rows(role)


def test_a_worker_is_added_sealed_and_found_by_number_name_and_phone(town):
    unit = town.rows(Role.SUPERVISOR)[0].unit_id
    code = workers.propose_code(town.session, town.act(Role.ADMINISTRATOR), town.id)
    assert code == "W013"
    new = WorkerFields(
        code=" w013 ", unit_id=unit, name=" 王  小明 ", phone="０１３８ 0013 8000", skills=("lamps, 电工", "Lamps")
    )
    kept = town.add(Role.ADMINISTRATOR, new)
    assert (kept.code, kept.version) == ("W013", 1)
    for wanted in ("w013", "小明", "013800138000", "0138-0013-8000"):
        (found,) = town.rows(Role.SUPERVISOR, StaffFilter(text=wanted))
        assert found.code == "W013"
    detail = town.detail(Role.DISPATCHER, "W013")
    assert (detail.row.name, detail.phone, detail.row.grid) == ("王 小明", "0138 0013 8000", None)
    assert detail.row.skills == ("lamps", "电工")
    assert detail.row.employed_from == TODAY
    assert [row.code for row in town.rows(Role.SUPERVISOR, StaffFilter(state="no_grid"))] == ["W013"]
    assert town.rows(Role.AUDITOR, StaffFilter(text="013800138000")) == []
    kept_open = town.session.execute(text("SELECT before::text || after::text FROM record")).scalars().all()
    assert not any("小明" in row or "0138" in row for row in kept_open if row)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"code": "W001"}, "W001 is taken"),
        ({"code": "no number"}, "cannot be a staff number"),
        ({"name": "  "}, "needs a name"),
        ({"name": None}, "needs a name"),
        ({"name": "x" * 61}, "more than 60"),
        ({"phone": "call me"}, "cannot be a phone number"),
        ({"phone": "+44 1983 000001"}, "W002 has this phone number already"),
        ({"language": "de"}, "no language"),
        ({"skills": ("x" * 41,)}, "more than 40"),
        ({"unit_id": 10**6}, "no such unit"),
        ({"grid_id": 10**6}, "no such responsibility grid"),
    ],
)
def test_what_cannot_be_kept_is_a_sentence(town, change, said):
    rows = town.rows(Role.SUPERVISOR)
    town.change(Role.SUPERVISOR, rows[1], phone="0044 1983 000001")
    new = dataclasses.replace(WorkerFields(code="W013", unit_id=rows[0].unit_id, name="Ann", phone=""), **change)
    with pytest.raises((InvalidInput, NotFound), match=said):
        town.add(Role.SUPERVISOR, new)


def test_a_manager_keeps_the_own_communities_and_a_handler_the_own_unit(town):
    mine = town.rows(Role.GRID_MANAGER)[0]
    other = next(
        row for row in town.rows(Role.SUPERVISOR) if row.id not in {r.id for r in town.rows(Role.GRID_MANAGER)}
    )
    assert town.change(Role.GRID_MANAGER, mine, name="New Name", skills=("drains",)).version == mine.version + 1
    assert town.detail(Role.GRID_MANAGER, mine.code).row.name == "New Name"
    with pytest.raises(NotFound, match="not in your area"):
        town.change(Role.GRID_MANAGER, other, skills=("drains",))
    with pytest.raises(NotFound):
        town.detail(Role.GRID_MANAGER, other.code)
    for grid in (None, other.grid.id):
        with pytest.raises(NotPermitted, match="own communities"):
            town.change(Role.GRID_MANAGER, town.rows(Role.GRID_MANAGER)[0], grid_id=grid)
    handler = town.act(Role.HANDLER)
    kept = town.add(
        Role.HANDLER, WorkerFields(code="P1", unit_id=handler.unit_ids[0], name="Green Hand", phone="01983 5")
    )
    (row,) = town.rows(Role.HANDLER)
    assert (row.id, row.name) == (kept.id, "Green Hand")
    assert town.change(Role.HANDLER, row, name="Greener Hand").changed
    with pytest.raises(NotPermitted, match="own unit"):
        town.change(Role.HANDLER, town.rows(Role.HANDLER)[0], unit_id=mine.unit_id)
    with pytest.raises(NotPermitted):
        town.add(Role.DISPATCHER, WorkerFields(code="P2", unit_id=mine.unit_id, name="x"))


def test_the_same_again_changes_nothing_and_a_change_meanwhile_is_named(town):
    row = town.rows(Role.SUPERVISOR)[0]
    assert not town.change(Role.SUPERVISOR, row, name=row.name).changed
    town.change(Role.ADMINISTRATOR, row, language="zh" if row.language == "en" else "en")
    with pytest.raises(Conflict, match=rf"{row.code} was changed meanwhile by administrator.* \(language\)"):
        town.change(Role.SUPERVISOR, row, skills=("roads",))


def test_who_has_open_tasks_does_not_leave_and_who_left_gets_no_name(town):
    session = town.session
    incident = session.scalars(select(Incident).limit(1)).one()
    row = town.rows(Role.ADMINISTRATOR)[0]
    as_actor(session, system_actor(town.id))
    for task in session.scalars(select(Task).where(Task.worker_id == row.id)):
        task.state = "done"
    busy = Task(
        territory_id=town.id,
        incident_id=incident.id,
        kind="visit",
        state="waiting",
        worker_id=row.id,
        created_at=incident.reported_at,
    )
    session.add(busy)
    session.flush()
    end = {"version": None, "today": TODAY}
    actor = town.act(Role.ADMINISTRATOR)
    assert town.detail(Role.ADMINISTRATOR, row.code).row.tasks == 1, "a number, though he reads no incident"
    with pytest.raises(Conflict, match="1 open task. Hand tasks and grid over"):
        workers.end_employment(session, actor, town.id, row.id, TODAY, **end)
    later = workers.end_employment(session, actor, town.id, row.id, TODAY + dt.timedelta(days=30), **end)
    assert later.changed
    assert town.detail(Role.ADMINISTRATOR, row.code).row.active, "a later last day is a plan"
    with pytest.raises(InvalidInput, match="cannot be erased"):
        workers.erase_worker_person(session, actor, town.id, row.id, purpose="request", reference="7/2026")
    as_actor(session, system_actor(town.id))
    busy.state = "done"
    session.flush()
    actor = town.act(Role.ADMINISTRATOR)
    workers.end_employment(session, actor, town.id, row.id, TODAY - dt.timedelta(days=1), **end)
    assert town.detail(Role.ADMINISTRATOR, row.code).row.state == "left"
    assert row.code not in {each.code for each in town.rows(Role.SUPERVISOR, StaffFilter())}
    assert row.code in {each.code for each in town.rows(Role.SUPERVISOR, StaffFilter(state="left"))}
    with pytest.raises(NotPermitted, match="administrator"):
        workers.erase_worker_person(session, town.act(Role.SUPERVISOR), town.id, row.id, purpose="x")
    with pytest.raises(InvalidInput, match="no purpose"):
        workers.erase_worker_person(session, town.act(Role.ADMINISTRATOR), town.id, row.id, purpose=" ")
    workers.erase_worker_person(
        session, town.act(Role.ADMINISTRATOR), town.id, row.id, purpose="request", reference="7/2026"
    )
    gone = town.detail(Role.SUPERVISOR, row.code)
    assert (gone.row.name, gone.row.person, gone.phone) == (None, "erased", None)
    as_actor(session, system_actor(town.id))
    person = session.scalars(select(Person).join(Worker).where(Worker.id == row.id)).one()
    session.refresh(person)
    assert (person.name_cipher, person.phone_cipher, person.phone_hash) == (None, None, None)
    key = session.scalars(select(PersonKey).where(PersonKey.subject_id == person.subject_id)).one()
    session.refresh(key)
    assert key.wrapped_key is None
    assert record.first_bad(session) is None
    told = [entry for entry in record.history(session, "worker", row.id) if entry.action == "erase"]
    assert [entry.changes["reference"] for entry in told] == [(None, "7/2026")]
    with pytest.raises(NotFound, match="erased"):
        town.change(Role.ADMINISTRATOR, gone.row, name="Back Again")
    town.act(Role.ADMINISTRATOR)
    workers.resume_employment(session, town.act(Role.ADMINISTRATOR), town.id, row.id, version=None)
    assert town.detail(Role.ADMINISTRATOR, row.code).row.active


def test_a_last_day_that_passed_ends_the_employment_by_night(town):
    row = town.rows(Role.ADMINISTRATOR)[-1]
    as_actor(town.session, system_actor(town.id))
    for task in town.session.scalars(select(Task).where(Task.worker_id == row.id)):
        task.state = "done"
    actor = town.act(Role.ADMINISTRATOR)
    workers.end_employment(town.session, actor, town.id, row.id, TODAY, version=row.version, today=TODAY)
    keeper = system_actor(town.id)
    as_actor(town.session, keeper)
    assert workers.close_ended(town.session, keeper, town.id, today=TODAY) == 0
    assert workers.close_ended(town.session, keeper, town.id, today=TODAY + dt.timedelta(days=1)) == 1
    assert not town.detail(Role.ADMINISTRATOR, row.code).row.active
    with pytest.raises(InvalidInput, match="cannot be earlier"):
        new = dataclasses.replace(row.fields(), employed_from=TODAY)
        fresh = town.detail(Role.ADMINISTRATOR, row.code).row
        workers.change_worker(town.session, town.act(Role.ADMINISTRATOR), town.id, row.id, new, version=fresh.version)
        workers.end_employment(
            town.session, actor, town.id, row.id, TODAY - dt.timedelta(days=9), version=None, today=TODAY
        )


def test_history_is_read_by_those_who_manage_and_names_nobody(town):
    row = town.rows(Role.GRID_MANAGER)[0]
    town.change(Role.SUPERVISOR, row, name="Somebody Else", language="zh" if row.language == "en" else "en")
    for role in (Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR, Role.GRID_MANAGER):
        entries = staff.staff_history(town.session, town.act(role), row)
        assert entries, role
        assert "language" in entries[-1].changes
        assert "Somebody" not in str(entries)
    assert staff.staff_history(town.session, town.act(Role.DISPATCHER), row) == []


def test_the_jobs_process_lets_them_leave_in_every_territory(demo_database):
    with open_staff_town(demo_database) as opened:
        actor, territory = opened.actors[Role.ADMINISTRATOR], opened.id
        row = opened.rows(Role.ADMINISTRATOR)[4]
    with transaction(system_actor(territory)) as session:
        session.get(Worker, row.id).employed_to = dt.date(2026, 1, 5)
    assert end_employments() == 1
    assert end_employments() == 0
    with transaction(actor) as session:
        assert staff.staff_detail(session, actor, territory, row.code, today=TODAY).row.state == "left"

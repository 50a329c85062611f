"""Who reads and changes whose personal fields, asked of the database itself, past every service."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from core.identity import Role, system_actor
from geodata.db import as_actor
from tests.staff_town import TODAY, open_staff_town

PERSON_OF = "(SELECT person_id FROM worker WHERE id = {id})"
MANAGERS = (Role.SUPERVISOR, Role.ADMINISTRATOR, Role.GRID_MANAGER, Role.HANDLER)
OTHERS = (Role.DISPATCHER, Role.AUDITOR, Role.PLANNER, Role.GRID_WORKER)


@pytest.fixture
def town(demo_database):
    with open_staff_town(demo_database) as opened:
        yield opened


@pytest.fixture
def three(town):
    """A worker of the manager's communities, one of the handler's unit elsewhere, one of neither."""
    own = town.rows(Role.GRID_MANAGER)[0]
    others = [
        row for row in town.rows(Role.SUPERVISOR) if row.code not in {r.code for r in town.rows(Role.GRID_MANAGER)}
    ]
    unit = town.actors[Role.HANDLER].unit_ids[0]
    as_actor(town.session, system_actor(town.id))
    town.session.execute(text(f"UPDATE worker SET unit_id = {unit} WHERE id = {others[0].id}"))
    return {"manager's": own.id, "handler's": others[0].id, "neither's": others[1].id}


def may(town, role, statement, **more):
    """Return how many rows the role changes or sees; None when the database refuses."""
    try:
        with town.session.begin_nested() as undone:
            as_actor(town.session, dataclasses.replace(town.actors[role], **more))
            count = town.session.execute(text(statement)).rowcount
            undone.rollback()
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") != "42501":
            raise
        return None
    return count


REACH = {
    Role.SUPERVISOR: {"manager's", "handler's", "neither's"},
    Role.ADMINISTRATOR: {"manager's", "handler's", "neither's"},
    Role.GRID_MANAGER: {"manager's"},
    Role.HANDLER: {"handler's"},
}


@pytest.mark.parametrize("role", [*MANAGERS, *OTHERS])
def test_a_worker_is_changed_only_by_those_whose_he_is(town, three, role):
    for whose, worker in three.items():
        count = may(town, role, f"UPDATE worker SET language = 'zh' WHERE id = {worker}")
        assert (count == 1) == (whose in REACH.get(role, ())), whose


@pytest.mark.parametrize("role", [*MANAGERS, *OTHERS])
def test_a_sealed_name_is_changed_only_by_those_whose_he_is(town, three, role):
    for whose, worker in three.items():
        person = PERSON_OF.format(id=worker)
        count = may(town, role, f"UPDATE person SET name_cipher = NULL WHERE id = {person}")
        assert (count == 1) == (whose in REACH.get(role, ())), whose


@pytest.mark.parametrize("role", [*MANAGERS, *OTHERS])
def test_an_absence_is_entered_only_by_those_whose_he_is(town, three, role):
    for whose, worker in three.items():
        count = may(
            town,
            role,
            "INSERT INTO absence (territory_id, worker_id, kind, from_on, to_on)"
            f" VALUES ({town.id}, {worker}, 'leave', '{TODAY}', '{TODAY}')",
        )
        assert (count == 1) == (whose in REACH.get(role, ())), whose


@pytest.mark.parametrize("role", [Role.GRID_MANAGER, Role.HANDLER])
def test_nobody_pushes_a_worker_out_of_the_own_reach_or_pulls_one_in(town, three, role):
    own = three["manager's" if role is Role.GRID_MANAGER else "handler's"]
    other = three["neither's"]
    column = "responsibility_grid_id" if role is Role.GRID_MANAGER else "unit_id"
    taken = f"(SELECT {column} FROM worker WHERE id = {{id}})"
    assert may(town, role, f"UPDATE worker SET {column} = {taken.format(id=other)} WHERE id = {own}") is None
    assert may(town, role, f"UPDATE worker SET {column} = {taken.format(id=own)} WHERE id = {other}") is None
    if role is Role.GRID_MANAGER:
        assert may(town, role, f"UPDATE worker SET responsibility_grid_id = NULL WHERE id = {own}") is None
    assert may(town, role, f"DELETE FROM worker WHERE id = {own}") is None


@pytest.mark.parametrize("role", [Role.PLANNER, Role.AUDITOR])
def test_planner_and_auditor_read_no_person_no_key_and_no_reason(town, role):
    for table in ("person", "person_key", "absence"):
        assert may(town, role, f"SELECT 1 FROM {table}") == 0, table


def test_no_role_reaches_into_another_territory(town, three):
    worker = next(iter(three.values()))
    for role in MANAGERS:
        away = {"territory_id": town.id + 1}
        assert not may(town, role, f"UPDATE worker SET language = 'zh' WHERE id = {worker}", **away), role
        assert not may(town, role, "UPDATE person SET name_cipher = NULL", **away), role
        assert not may(town, role, "UPDATE absence SET kind = 'other'", **away), role
        assert may(town, role, f"SELECT 1 FROM gk_open_tasks({town.id})", **away) == 0, role
        assert may(town, role, f"SELECT 1 FROM gk_away({town.id}, '2020-01-01', '2030-01-01')", **away) == 0, role


def test_open_tasks_are_a_number_for_the_administrator_who_reads_no_task(town):
    assert may(town, Role.ADMINISTRATOR, "SELECT 1 FROM task") == 0
    assert may(town, Role.ADMINISTRATOR, f"SELECT 1 FROM gk_open_tasks({town.id})") is not None
    assert may(town, Role.PLANNER, f"SELECT 1 FROM gk_open_tasks({town.id})") == 0


def test_the_record_of_a_worker_is_read_by_those_whose_he_is(town, three):
    as_actor(town.session, system_actor(town.id))
    town.session.execute(text("UPDATE worker SET language = 'zh', version = version + 1"))
    for role in (*MANAGERS, *OTHERS):
        for whose, worker in three.items():
            query = (
                f"SELECT 1 FROM record WHERE subject_table = 'worker' AND subject_id = '{worker}' AND action = 'update'"
            )
            expected = role in {Role.SUPERVISOR, Role.AUDITOR} or whose in REACH.get(role, ())
            assert bool(may(town, role, query)) == expected, (role, whose)
    rows = "SELECT 1 FROM record WHERE subject_table IN ('person', 'incident') AND subject_id IS NOT NULL"
    assert may(town, Role.ADMINISTRATOR, rows) == 0


def test_nobody_takes_a_person_over_by_a_worker_of_his_own(town, three):
    """Who manages a worker changes the name of the person: the person of another's worker stays there."""
    victim = PERSON_OF.format(id=three["neither's"])
    take = f"UPDATE worker SET person_id = {victim} WHERE id = {{}}"
    assert may(town, Role.HANDLER, take.format(three["handler's"])) is None
    assert may(town, Role.GRID_MANAGER, take.format(three["manager's"])) is None
    assert may(town, Role.SUPERVISOR, take.format(three["handler's"])) == 1

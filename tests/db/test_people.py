"""Units and workers of the small demo town: who reaches whom, and who sees names."""

from __future__ import annotations

import datetime as dt

import pytest

from core.errors import NotPermitted
from core.identity import Actor, Role, system_actor
from geodata.db import transaction
from geodata.territory import find_territory
from people import accounts, service


@pytest.fixture
def town(demo_database):
    with transaction(system_actor()) as session:
        return find_territory(session)


@pytest.fixture
def actors(town):
    with transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


def workers(actor, town):
    with transaction(actor) as session:
        return service.list_workers(session, actor, town.id)


def test_every_role_of_the_cards_has_an_account(actors):
    assert set(actors) == set(Role) - {Role.SYSTEM}


def test_units_are_listed_by_code(actors, town):
    with transaction(actors[Role.DISPATCHER]) as session:
        units = service.list_units(session, actors[Role.DISPATCHER], town.id)
    assert [unit.code for unit in units] == sorted(unit.code for unit in units)
    assert units
    assert all(unit.title("zh") for unit in units)


def test_the_dispatcher_sees_all_workers_by_name(actors, town):
    seen = workers(actors[Role.DISPATCHER], town)
    assert len(seen) == 12
    assert all(worker.name for worker in seen)


@pytest.mark.parametrize("role", [Role.PLANNER, Role.AUDITOR, Role.ADMINISTRATOR])
def test_others_see_staff_numbers_only(actors, town, role):
    seen = workers(actors[role], town)
    assert seen
    assert all(worker.name is None for worker in seen)


def test_a_manager_reaches_the_workers_of_the_own_communities(actors, town):
    own = workers(actors[Role.GRID_MANAGER], town)
    everybody = workers(actors[Role.DISPATCHER], town)
    assert 0 < len(own) < len(everybody)
    elsewhere = Actor(1, "x", Role.GRID_MANAGER, town.id, area_ids=(10**6,))
    assert workers(elsewhere, town) == []


def test_a_handler_reaches_the_workers_of_the_own_unit(actors, town):
    everybody = workers(actors[Role.DISPATCHER], town)
    unit = everybody[0].unit_id
    handler = Actor(1, "x", Role.HANDLER, town.id, unit_ids=(unit,))
    assert {worker.code for worker in workers(handler, town)} == {w.code for w in everybody if w.unit_id == unit}


def test_a_worker_sees_nobody_else(town):
    assert workers(Actor(1, "w", Role.GRID_WORKER, town.id), town) == []


def test_on_duty_counts_the_shift_of_the_local_clock(actors, town):
    actor = actors[Role.DISPATCHER]
    noon = dt.datetime(2026, 3, 3, 12, tzinfo=dt.UTC)
    with transaction(actor) as session:
        in_london = service.on_duty(session, actor, town.id, timezone="Europe/London", at=noon)
        in_sydney = service.on_duty(session, actor, town.id, timezone="Australia/Sydney", at=noon)
    assert in_london.total == in_sydney.total == 12
    assert 0 < len(in_london.present) <= 12
    assert {worker.code for worker in in_london.present} != {worker.code for worker in in_sydney.present}


def test_nobody_without_a_map_lists_people(town):
    class Outsider(Actor):
        def may(self, _capability):
            return False

    with transaction(system_actor()) as session, pytest.raises(NotPermitted):
        service.list_units(session, Outsider(1, "x", Role.PLANNER, town.id), town.id)

"""The roster's page: its parts for who may see them, its acts with their rules, in both languages."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text

from core.errors import NotPermitted
from core.identity import Role, system_actor
from geodata.db import transaction
from geodata.territory import find_territory
from people import rostering
from people.service import list_workers
from tests.pages.conftest import shown, words

SEE = [Role.GRID_MANAGER, Role.HANDLER, Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR]
MANAGE = {Role.GRID_MANAGER, Role.HANDLER, Role.SUPERVISOR, Role.ADMINISTRATOR}
PARTS = ("now", "table", "worker", "rules")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("part", [*PARTS, "file"])
def test_every_part_stands(run, part, language):
    page = run("roster", Role.SUPERVISOR, language, show=part)
    assert {"en": "Roster", "zh": "排班"}[language] in shown(page)


@pytest.mark.parametrize("role", SEE)
@pytest.mark.parametrize("part", PARTS)
def test_every_role_that_sees_people_sees_it(run, role, part):
    assert "Roster" in shown(run("roster", role, show=part))


def test_the_planner_and_the_grid_worker_are_refused(actors):
    for role in (Role.PLANNER, Role.GRID_WORKER):
        with transaction(actors[role]) as session, pytest.raises(NotPermitted):
            rostering.roster_view(session, actors[role], find_territory(session), dt.date(2026, 3, 2), 7)


def test_names_stand_only_before_those_who_work_with_them(run):
    with transaction(system_actor()) as session:
        place = find_territory(session)
        names = [each.name for each in list_workers(session, system_actor(place.id), place.id) if each.name]
    assert names
    assert any(name in words(run("roster", Role.SUPERVISOR, show="table")) for name in names)
    for role in (Role.AUDITOR, Role.ADMINISTRATOR):
        assert not any(name in words(run("roster", role, show="table")) for name in names)


def test_a_day_is_changed_and_what_breaks_a_rule_is_asked_about(run):
    page = run("roster", Role.SUPERVISOR, show="worker", worker="W001")
    _choose_free(page)
    page.button(key="gk_roster_go").click().run()
    assert "The roster is changed." in words(page)
    page = run("roster", Role.SUPERVISOR, show="worker", worker="W001")
    page.checkbox[0].check().run()
    page.time_input[1].set_value(dt.time(7)).run()
    page.button(key="gk_roster_go").click().run()
    assert "breaks the rules" in words(page)
    assert "at most 10 h are allowed" in words(page)
    page.button(key="gk_roster_knowingly").click().run()
    assert "against its rules" in words(page)
    with transaction(system_actor()) as session:
        rows = session.execute(
            text("SELECT start_min, end_min FROM roster_exception e JOIN worker w ON w.id = worker_id"
                 " WHERE code = 'W001' ORDER BY day DESC LIMIT 1")
        ).all()  # fmt: skip
    assert rows == [(480, 1860)]


def test_nobody_but_managers_changes_anything(run):
    for role in SEE:
        page = run("roster", role, show="worker")
        keys = {button.key for button in page.button}
        assert ("gk_roster_go" in keys) is (role in MANAGE and "No workers yet." not in shown(page))


def _choose_free(page):
    next(radio for radio in page.radio if "free" in radio.options or "Is free" in radio.options).set_value("free").run()


def test_workers_without_a_pattern_are_named_and_given_one_together(run):
    with transaction(system_actor()) as session:
        session.execute(
            text("DELETE FROM worker_pattern WHERE worker_id IN (SELECT id FROM worker WHERE code IN ('W010', 'W011'))")
        )
    page = run("roster", Role.SUPERVISOR, show="rules")
    assert "2 workers have no pattern: W010, W011" in words(page)
    page.button(key="gk_roster_all").click().run()
    if any(button.key == "gk_roster_knowingly" for button in page.button):
        page.button(key="gk_roster_knowingly").click().run()
    assert "no pattern:" not in words(page)

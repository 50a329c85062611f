"""First set-up: each step says what is there and missing, acts are on the page, the demo goes by its name."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from app import clear_demo
from app.set_up_model import StepKey
from core.identity import Role, system_actor
from geodata import jobs
from geodata.db import transaction
from tests.pages.conftest import words

SYSTEM = system_actor()


def press(page, label):
    next(each for each in page.button if each.label == label).click().run()
    assert not page.exception, page.exception


def test_the_list_has_eight_steps_with_their_states(run):
    page = run("set_up", Role.ADMINISTRATOR)
    text_ = words(page)
    for title in ("Territory", "Communities", "Grids", "Units", "Grid workers", "Rules and calendars", "Old incidents"):
        assert title in text_
    assert "7 of 8" in text_
    assert "Nobody dispatches: no dispatcher has an account of their own." in text_


@pytest.mark.parametrize("key", [key.value for key in StepKey])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_step_opens_by_its_address(run, key, language):
    page = run("set_up", Role.ADMINISTRATOR, language, step=key)
    assert not page.error
    assert "gk-wrong" not in "".join(each.proto.body for each in page.get("html") if "<style>" not in each.proto.body)


def test_an_unknown_step_is_the_next_one(run):
    assert "First accounts" in words(run("set_up", Role.ADMINISTRATOR, step="'; drop table"))


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.PLANNER])
def test_others_are_not_led_to_it(run, role):
    with pytest.raises(ValueError, match="set_up"):
        run("set_up", role)


def test_a_territory_with_grids_keeps_boundary_and_communities(run):
    page = run("set_up", Role.ADMINISTRATOR, step="communities")
    assert "They stay as they are once grids are cut." in words(page)
    assert not page.file_uploader
    assert "Take these communities" not in [each.label for each in page.button]


def test_accounts_are_invited_and_their_addresses_shown_once(run):
    page = run("set_up", Role.ADMINISTRATOR, step="accounts")
    assert next(each for each in page.button if each.label == "Invite them").disabled
    for label, login in (("Dispatcher", "d1"), ("Supervisor", "s1"), ("Grid manager", "g1")):
        field = next(each for each in page.text_input if each.label == f"{label}: name to log in with")
        field.set_value(login).run()
    press(page, "Invite them")
    told = words(page)
    assert "3 people are invited." in told
    assert told.count("/invitation?code=") == 3
    assert "3 people have not set a password yet." in told
    assert "/invitation?code=" not in words(run("set_up", Role.ADMINISTRATOR))


def test_a_login_that_is_taken_invites_nobody(run):
    with transaction(SYSTEM) as session:
        session.execute(text("DELETE FROM user_role WHERE user_id IN (SELECT id FROM app_user WHERE NOT is_demo)"))
        before = session.execute(text("SELECT count(*) FROM app_user")).scalar_one()
    page = run("set_up", Role.ADMINISTRATOR, step="accounts")
    for label, login in (("Dispatcher", "d2"), ("Supervisor", "s2"), ("Grid manager", "d2")):
        field = next(each for each in page.text_input if each.label == f"{label}: name to log in with")
        field.set_value(login).run()
    press(page, "Invite them")
    assert "The login d2 is taken." in words(page)
    with transaction(SYSTEM) as session:
        assert session.execute(text("SELECT count(*) FROM app_user")).scalar_one() == before


def test_a_list_of_names_is_shown_with_numbers_and_grids_before_it_is_kept(run):
    with transaction(SYSTEM) as session:
        before = session.execute(text("SELECT count(*) FROM worker")).scalar_one()
    page = run("set_up", Role.ADMINISTRATOR, step="people")
    page.text_area[0].set_value("Ann Lee, 555\nBo Chen").run()
    told = words(page)
    assert "W013" in told
    assert "Bo Chen" in told
    page.text_area[0].set_value("Ann Lee, 5550\n, 5550").run()
    told = words(page)
    assert "line 2 has no name" in told
    assert "line 2 has the phone of line 1" in told
    with transaction(SYSTEM) as session:
        assert session.execute(text("SELECT count(*) FROM worker")).scalar_one() == before


def test_every_fault_of_a_file_of_communities_is_on_the_page(run):
    def script():
        import io

        from app import set_up_parts
        from app.uploads import AREA_ENDINGS
        from core.errors import DataQuality

        def broken(_path):
            raise DataQuality("areas.geojson cannot be taken.", ["One has no name", "One and Two share 900 m²"])

        file = io.BytesIO(b"{}")
        file.name = "areas.geojson"
        set_up_parts.take(file, AREA_ENDINGS, broken)

    page = AppTest.from_function(script).run()
    told = words(page)
    assert "One has no name" in told
    assert "One and Two share 900 m²" in told


def test_clearing_the_demo_asks_for_its_name_and_becomes_a_job(run):
    page = run("set_up", Role.ADMINISTRATOR)
    press(page, "Clear the demo Tiny Town …")
    told = words(page)
    assert "This goes for good:" in told
    assert "1,500 incidents" in told
    assert "8 demo accounts are closed" in told
    assert "You work in this territory yourself: you will be logged out." in told
    confirm = next(each for each in page.button if each.label == "Clear it for good")
    assert confirm.disabled
    typed = next(each for each in page.text_input if each.label == "To confirm, type tiny-town")
    typed.set_value("Tiny Town").run()
    assert next(each for each in page.button if each.label == "Clear it for good").disabled
    typed = next(each for each in page.text_input if each.label == "To confirm, type tiny-town")
    typed.set_value("tiny-town").run()
    press(page, "Clear it for good")
    with transaction(SYSTEM) as session:
        (job,) = jobs.recent_jobs(session, None, clear_demo.KIND)
        assert job.state == "waiting"
        assert session.execute(text("SELECT territory_id FROM job_run WHERE kind = 'clear_demo'")).scalar_one() is None
    press(page, "Cancel")
    assert "Cancelled; nothing was changed." in words(run("set_up", Role.ADMINISTRATOR))

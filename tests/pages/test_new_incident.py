"""The desk form: suggestions with their reason, the place by its name, the draft, and what it becomes."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from app import i18n
from core.identity import Role, system_actor
from geodata import db
from incidents import service as incidents
from people.drafts import discard_draft, load_draft
from tests.pages.conftest import shown, words


@pytest.fixture(autouse=True)
def _no_draft(actors):
    yield
    for role in (Role.DISPATCHER, Role.SUPERVISOR, Role.GRID_MANAGER):
        with db.transaction(actors[role]) as session:
            discard_draft(session, actors[role], "incident")


def button(page, start):
    return next(each for each in page.button if each.label.startswith(start))


def field(page, label):
    return next(each for each in page.text_input if each.label == label)


def place_of(page, name):
    field(page, "Address or place" if i18n.locale() == "en" else "地址或地点").set_value(name).run()
    next(each for each in page.button if name in each.label).click().run()


def test_a_supervisor_files_what_was_described_and_placed(run, actors):
    page = run("new_incident", Role.SUPERVISOR)
    assert button(page, "Report the incident").disabled
    assert "Still missing: the class, the place" in shown(page)
    page.text_area[0].set_value("There is a smell of gas at the corner").run()
    assert "Gas leak: “smell of gas”" in [each.label for each in page.button]
    button(page, "Gas leak").click().run()
    assert "Danger to life" in words(page)
    place_of(page, "Oak Avenue")
    pieces = shown(page)
    assert "Proposed: the duty list names it for this class in the whole territory" in words(page)
    assert {"Community", "Unit grid", "Due", "Begins as"} <= set(pieces)
    send = button(page, "File the incident")
    assert not send.disabled
    send.click().run()
    assert "is filed." in words(page)
    actor = actors[Role.SUPERVISOR]
    with db.transaction(actor) as session:
        row = incidents.list_incidents(session, actor, limit=1).rows[0]
        detail = incidents.incident_detail(session, actor, row.id)
        assert load_draft(session, actor, "incident") is None
    assert (row.class_en, row.place, row.status, row.unit) == ("Gas leak", "Oak Avenue", "filed", "Gas Company")
    assert detail.note == "There is a smell of gas at the corner"
    assert page.text_area[0].value == ""


def test_what_a_dispatcher_takes_down_waits_for_a_supervisor(run):
    page = run("new_incident", Role.DISPATCHER)
    page.selectbox[0].select("event-01-02").run()
    place_of(page, "Oak Avenue")
    button(page, "Report the incident").click().run()
    assert "A supervisor files it next." in words(page)


def test_words_of_a_retired_class_break_nothing(run):
    retire = "UPDATE incident_class SET active = :active WHERE kind = 'component' AND code = '04-07'"
    with db.transaction(system_actor()) as session:
        session.execute(text(retire), {"active": False})
    try:
        page = run("new_incident", Role.SUPERVISOR)
        page.text_area[0].set_value("The bench under the street tree is broken").run()
        assert not page.exception
        suggested = [each.label for each in page.button if "“" in each.label]
        assert suggested == ["Street tree: “street tree”"]
    finally:
        with db.transaction(system_actor()) as session:
            session.execute(text(retire), {"active": True})


def test_a_lost_session_loses_nothing(run):
    page = run("new_incident", Role.SUPERVISOR)
    page.text_area[0].set_value("Mrs Ames says the bench is broken").run()
    field(page, "Reporter's name").set_value("Ann Ames").run()
    assert "nobody else sees it" in words(page)
    later = run("new_incident", Role.SUPERVISOR)
    assert later.text_area[0].value == "Mrs Ames says the bench is broken"
    assert field(later, "Reporter's name").value == "Ann Ames"
    other = run("new_incident", Role.DISPATCHER)
    assert other.text_area[0].value == ""
    button(later, "Discard the draft").click().run()
    assert later.text_area[0].value == ""
    assert run("new_incident", Role.SUPERVISOR).text_area[0].value == ""


def test_a_place_that_is_not_there_is_said_with_ways_out(run):
    page = run("new_incident", Role.SUPERVISOR)
    field(page, "Address or place").set_value("Zanzibar Quay").run()
    assert "Nothing in Tiny Town is called “Zanzibar Quay”." in words(page)
    field(page, "Address or place").set_value("Oka Avenue").run()
    assert "Not found as written. Did you mean:" in shown(page)
    assert button(page, "Oak Avenue")


def test_a_class_without_a_unit_says_so_and_can_be_filed_with_a_chosen_one(run, actors):
    with db.transaction(system_actor()) as session:
        session.execute(
            text(
                "UPDATE class_owner SET valid_to = valid_from WHERE class_id ="
                " (SELECT id FROM incident_class WHERE scheme = 'gk' AND kind = 'event' AND code = '04-04')"
            )
        )
    page = run("new_incident", Role.SUPERVISOR)
    page.selectbox[0].select("event-04-04").run()
    place_of(page, "Oak Avenue")
    assert "The duty list names no unit for this class" in words(page)
    unit = next(each for each in page.selectbox if each.label == "Who is responsible")
    unit.select(_unit_id("Highways")).run()
    assert button(page, "Report the incident")  # what the public says is verified before it is filed
    next(each for each in page.selectbox if each.label == "Source").select("patrol").run()
    button(page, "File the incident").click().run()
    actor = actors[Role.SUPERVISOR]
    with db.transaction(actor) as session:
        assert incidents.list_incidents(session, actor, limit=1).rows[0].unit == "Highways"


def _unit_id(name):
    with db.transaction(system_actor()) as session:
        return session.execute(text("SELECT id FROM unit WHERE name = :name"), {"name": name}).scalar_one()


def test_a_bad_phone_keeps_the_form_and_says_why_in_the_readers_language(run):
    page = run("new_incident", Role.SUPERVISOR, "zh")
    i18n.use("zh")  # the tester writes the chosen option out in its own thread
    page.selectbox[0].select("event-01-02").run()
    place_of(page, "Oak Avenue")
    page.text_input[2].set_value("ring me").run()
    button(page, "上报").click().run()
    assert "电话号码格式不对" in words(page)
    assert page.text_input[2].value == "ring me"

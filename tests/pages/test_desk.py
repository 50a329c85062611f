"""The desk under pressure: danger raised while it is typed, the same thing found again, nothing lost."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.identity import Role, system_actor
from geodata import db
from incidents import service as incidents
from incidents.service import duplicates, emergencies
from people.drafts import discard_draft
from tests.pages.conftest import shown, words
from tests.pages.test_new_incident import button, field, place_of


@pytest.fixture(autouse=True)
def _no_draft(actors):
    yield
    for role in (Role.DISPATCHER, Role.SUPERVISOR):
        with db.transaction(actors[role]) as session:
            discard_draft(session, actors[role], "incident")


def newest(actor):
    with db.transaction(actor) as session:
        return incidents.list_incidents(session, actor, limit=1).rows[0]


def handed(actor, incident_id):
    with db.transaction(actor) as session:
        return {each.service: each for each in emergencies.of_incident(session, actor, incident_id)}


def report(page, description, class_key, place="Oak Avenue"):
    page.text_area[0].set_value(description).run()
    page.selectbox[0].select(class_key).run()
    place_of(page, place)


def own(page):
    """Say that it is no report of the public, which would be verified first."""
    next(each for each in page.selectbox if each.label == "Source").select("patrol").run()


def test_words_of_danger_put_the_number_on_top_and_the_call_is_written_down(run, actors):
    page = run("new_incident", Role.DISPATCHER)
    page.text_area[0].set_value("The fire hydrant at the gas station leaks").run()
    assert "Danger to life" not in words(page)
    page.text_area[0].set_value("A bin is on fire and a man is trapped").run()
    told = shown(page)
    assert "Danger to life: call now, then go on here." in told
    assert {"Fire and rescue", "999"} <= set(told)
    field(page, "Their reference, if given").set_value("F-2207").run()
    button(page, "Fire and rescue called").click().run()
    assert "Their reference: F-2207." in words(page)
    report(page, "A bin is on fire and a man is trapped", "event-01-02")
    button(page, "Report the incident").click().run()
    assert "not handed over yet" not in words(page)
    row = newest(actors[Role.DISPATCHER])
    kept = handed(actors[Role.DISPATCHER], row.id)["fire"]
    assert (kept.state, kept.reference, kept.phone, row.emergency) == ("acknowledged", "F-2207", "999", True)


def test_what_is_not_handed_over_stands_on_today_and_on_the_incident_until_it_is(run, actors):
    page = run("new_incident", Role.DISPATCHER)
    report(page, "Smell of gas in the cellar", "event-04-03")
    button(page, "Report the incident").click().run()
    assert "is an emergency and not handed over yet" in words(page)
    row = newest(actors[Role.DISPATCHER])
    for role in (Role.DISPATCHER, Role.SUPERVISOR):
        today = run("today", role)
        assert "not handed over" in words(today)
        assert row.number in shown(today)
    detail = run("incidents", Role.SUPERVISOR, incident=str(row.id))
    assert "Fire and rescue 999: not handed over yet" in words(detail)
    button(detail, "Fire and rescue called").click().run()
    assert "Fire and rescue 999: called" in words(detail)
    assert row.number not in shown(run("today", Role.DISPATCHER))
    listed = run("emergencies", Role.AUDITOR)
    assert row.number in shown(listed)
    assert "Change words and numbers" not in words(listed)


def test_a_false_alarm_is_one_click(run, actors):
    page = run("new_incident", Role.DISPATCHER)
    report(page, "Boys fight over a ball", "event-05-08")
    button(page, "No emergency: a false alarm").click().run()
    assert "Police: no emergency" in words(page)
    button(page, "Report the incident").click().run()
    row = newest(actors[Role.DISPATCHER])
    assert (handed(actors[Role.DISPATCHER], row.id)["police"].state, row.emergency) == ("dismissed", False)


def test_a_new_word_of_danger_raises_again_after_a_false_alarm(run):
    page = run("new_incident", Role.DISPATCHER)
    page.text_area[0].set_value("Boys fight over a ball").run()
    button(page, "No emergency: a false alarm").click().run()
    page.text_area[0].set_value("Boys fight over a ball, one has a knife").run()
    assert "Danger to life: call now, then go on here." in shown(page)


def test_the_same_thing_is_found_while_typing_and_linked(run, actors):
    first = run("new_incident", Role.SUPERVISOR)
    report(first, "The bench is broken in two", "component-04-07", "Hazel Avenue")
    own(first)
    button(first, "File the incident").click().run()
    root = newest(actors[Role.SUPERVISOR])
    page = run("new_incident", Role.DISPATCHER)
    page.text_area[0].set_value("A broken bench").run()
    place_of(page, "Hazel Avenue")
    assert root.number in shown(page)
    page.selectbox[0].select("component-04-07").run()
    assert "same class, at the same place, just now, still open: Filed, same words: broken, bench" in words(page)
    button(page, "Link to this one").click().run()
    assert "Will be filed as a duplicate of" in words(page)
    button(page, "Report the incident").click().run()
    assert "is kept as a duplicate of" in words(page)
    child = newest(actors[Role.DISPATCHER])
    assert (child.status, child.due_at) == ("filed", None)
    assert "1 report follows this one" in words(run("incidents", Role.DISPATCHER, incident=str(root.id)))
    detail = run("incidents", Role.SUPERVISOR, incident=str(child.id))
    assert "A duplicate: it follows the first report and ends with it." in words(detail)
    reason = next(each for each in detail.selectbox if each.label == "Reason")
    reason.select("another_matter").run()
    button(detail, "Unlinked").click().run()
    with db.transaction(actors[Role.SUPERVISOR]) as session:
        assert duplicates.relatives(session, actors[Role.SUPERVISOR], child.id)[0] is None


def test_linking_on_the_incident_itself(run, actors):
    for text_ in ("Bags of rubbish", "Rubbish in bags"):
        page = run("new_incident", Role.SUPERVISOR)
        report(page, text_, "event-01-02", "Juniper Avenue")
        own(page)
        button(page, "File the incident").click().run()
    later = newest(actors[Role.SUPERVISOR])
    detail = run("incidents", Role.DISPATCHER, incident=str(later.id))
    button(detail, "Link this to").click().run()
    assert "A duplicate: it follows the first report and ends with it." in words(detail)


def test_a_session_lost_in_the_middle_loses_neither_link_nor_call(run, actors):
    page = run("new_incident", Role.DISPATCHER)
    page.text_area[0].set_value("The kiosk is burning").run()
    button(page, "Fire and rescue called").click().run()
    place_of(page, "Maple Avenue")
    field(page, "Phone").set_value("01983 55512").run()
    later = run("new_incident", Role.DISPATCHER)
    assert later.text_area[0].value == "The kiosk is burning"
    assert field(later, "Phone").value == "01983 55512"
    assert field(later, "Address or place").value == "Maple Avenue"
    assert "Fire and rescue called today" in words(later)
    with db.transaction(system_actor()) as session:
        assert "55512" not in str(session.execute(text("SELECT * FROM draft")).all())


def test_a_supervisor_adds_a_word(run):
    page = run("emergencies", Role.SUPERVISOR, "zh")
    assert "紧急情况" in words(page)
    page = run("emergencies", Role.SUPERVISOR)
    next(each for each in page.selectbox if each.label == "What").select("word").run()
    field(page, "Word").set_value("the dam is cracking").run()
    button(page, "Set it").click().run()
    assert "the dam is cracking" in words(page)
    desk = run("new_incident", Role.SUPERVISOR)
    desk.text_area[0].set_value("THE DAM IS CRACKING!").run()
    assert "Danger to life" in words(desk)

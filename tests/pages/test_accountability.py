"""The page Accountability: findings, the acts behind them, an explanation, a decision, thresholds."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from app import accountability
from core.identity import Role, system_actor
from geodata import db
from geodata.territory import list_territories
from tests.pages.conftest import shown, words

READY = (
    "UPDATE incident SET status = 'checking', handled_at = now(), version = version + 1"
    " WHERE id = (SELECT max(id) FROM incident WHERE status = 'handling')"
)
PLANT = (
    "UPDATE incident SET status = 'closed', closed_at = now() - interval '5 hours', version = version + 1"
    " WHERE id = (SELECT min(id) FROM incident WHERE status = 'checking')"
)


def _button(page, label):
    return next(each for each in page.button if each.label == label)


@pytest.fixture(autouse=True)
def finding(actors) -> int:
    """One backdated closing by the supervisor, and nothing decided."""
    with db.transaction(system_actor()) as session:
        session.execute(text("DELETE FROM review_threshold"))
        held = session.scalar(text("SELECT id FROM review WHERE rule = 'backdated' AND state = 'open'"))
    if held is not None:
        return held
    with db.transaction(system_actor()) as session:
        session.execute(text(READY))
    with db.transaction(actors[Role.SUPERVISOR], purpose="close") as session:
        session.execute(text(PLANT))
    with db.transaction(system_actor()) as session:
        session.execute(text("DELETE FROM review"))
        (territory,) = list_territories(session)
    accountability.look(territory)
    with db.transaction(system_actor()) as session:
        return session.scalar(text("SELECT id FROM review WHERE rule = 'backdated'"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_oversight_sees_the_finding_and_the_acts_behind_it(run, finding, language):
    page = run("accountability", Role.AUDITOR, language, review=str(finding))
    pieces = shown(page)
    assert {"en": "Times set back", "zh": "时间回填"}[language] in pieces
    with db.transaction(system_actor()) as session:
        query = "SELECT i.id, i.number FROM review JOIN incident AS i ON i.id::text = subject_id WHERE review.id = :id"
        incident, number = session.execute(text(query), {"id": finding}).one()
    noun = {"en": "Incident", "zh": "案件"}[language]
    assert f"{noun} {number}" in words(page)
    assert f"{noun} {incident}" not in re.split("[\\n,]", words(page))
    bodies = "".join(element.proto.body for element in page.get("html"))
    assert "/record?row=" in bodies
    assert "/record?rows=" in bodies
    assert {"en": "Decision", "zh": "作出结论"}[language] in words(page)


def test_who_it_concerns_explains_and_another_decides(run, finding):
    page = run("accountability", Role.SUPERVISOR, review=str(finding))
    assert "It concerns you, so somebody else decides it." in shown(page)
    assert "A rule on the record asks about an act of yours. You may explain it." in shown(
        run("today", Role.SUPERVISOR)
    )
    page = run("accountability", Role.SUPERVISOR, review=str(finding))
    page.text_area[0].set_value("The depot sends its paper forms in the evening <b>only</b>.")
    _button(page, "Send the explanation").click().run()
    assert "Your explanation is with the oversight." in shown(page)
    page = run("accountability", Role.AUDITOR, review=str(finding))
    assert "The depot sends its paper forms in the evening <b>only</b>." in shown(page)
    page.radio[0].set_value("dismissed").run()
    page.text_area[0].set_value("The paper form bears the time.")
    _button(page, "Decide").click().run()
    assert "Decided; the decision stands in the record." in shown(page)
    assert "The paper form bears the time." in shown(run("accountability", Role.AUDITOR, review=str(finding)))


def test_others_see_only_that_nothing_concerns_them(run, finding):
    page = run("accountability", Role.HANDLER, review=str(finding))
    assert "Times set back" not in words(page)
    assert "No finding concerns you." in shown(run("accountability", Role.PLANNER, "en"))


def test_a_threshold_is_proposed_by_one_and_approved_by_another(run):
    page = run("accountability", Role.SUPERVISOR, tab="rules")
    page.selectbox(key="gk_review_proposed").set_value("backdated").run()
    page.number_input(key="gk_threshold_min_backdated").set_value(600)
    page.text_input(key="gk_threshold_reason_backdated").set_value("Paper forms come once a day.")
    page.button(key="gk_threshold_propose").click().run()
    assert "Another person decides it." in shown(page)
    page = run("accountability", Role.AUDITOR, tab="rules")
    _button(page, "Approve").click().run()
    assert "Approved; acts from now on are judged by it." in shown(page)
    assert "600" in words(page)


def test_today_says_that_reviews_are_open(run):
    assert "Open reviews" in shown(run("today", Role.AUDITOR))


def test_who_reported_is_shown_for_a_purpose_and_recorded(run, actors):
    with db.transaction(system_actor()) as session:
        one = session.scalar(text("SELECT incident_id FROM incident_personal WHERE phone_hash IS NOT NULL LIMIT 1"))
    page = run("incidents", Role.SUPERVISOR, incident=str(one))
    page.selectbox(key=f"gk_reporter_{one}").set_value("call back").run()
    page.button(key=f"gk_reporter_show_{one}").click().run()
    assert "Phone" in shown(page)
    with db.transaction(system_actor()) as session:
        row = session.execute(text("SELECT actor_user_id, purpose FROM record WHERE action = 'read reporter'")).one()
    assert row == (actors[Role.SUPERVISOR].user_id, "call back")

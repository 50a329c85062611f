"""The page of a decision, and what a study offers: proposing, signing, running again, where it could stand."""

from __future__ import annotations

import pytest

from app.studies import answer_study
from core.identity import Role
from core.progress import Silent
from geodata import db
from geodata.territory import find_territory
from planning import deciding, service
from planning.model import Question
from tests.pages.conftest import words


@pytest.fixture(scope="module")
def study(actors) -> int:
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        question = Question("mclp", 2, "pharmacy", candidates=60, limit_min=3)
        study_id = service.ask(session, planner, find_territory(session), question, queue=False)
    answer_study(planner, study_id, Silent())
    return study_id


@pytest.fixture(scope="module")
def decision(actors, study) -> int:
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        return deciding.propose(session, planner, study, reason="Near the new quarter.", program="Gridkeeper 1")


def test_the_supervisor_signs_and_the_planner_waits(run, decision):
    mine = run("decision", Role.PLANNER, decision=str(decision))
    assert "Near the new quarter." in words(mine)
    assert [each.label for each in mine.button] == ["Take the proposal back", "Run again and compare"]
    hers = run("decision", Role.SUPERVISOR, decision=str(decision))
    assert [each.label for each in hers.button] == ["Sign these sites", "Refuse"]
    hers.button(key="gk_decide_sign").click().run()
    assert not hers.exception
    signed = words(run("decision", Role.AUDITOR, decision=str(decision)))
    assert "Signed by" in signed
    assert "Text, hash and record agree." in signed
    assert "The data" not in signed


def test_a_decision_reads_in_chinese_and_the_list_links_to_it(run, decision):
    text = words(run("decision", Role.GRID_MANAGER, "zh", decision=str(decision)))
    assert "决定原文" in text
    assert "Signed" not in text
    assert "Signed" in words(run("studies", Role.SUPERVISOR))


def test_a_decision_that_is_not_there_says_so(run):
    assert "No such decision here." in words(run("decision", Role.PLANNER, decision="987654"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_study_tells_where_it_could_stand(run, study, language):
    text = words(run("study", Role.PLANNER, language, study=str(study)))
    wanted = (
        ("60 places were compared.", "a building stands there")
        if language == "en"
        else ("比较了 60 处地点", "已有建筑")
    )
    assert all(each in text for each in wanted)


def test_the_form_takes_buildings_a_budget_and_points(run):
    page = run("new_study", Role.PLANNER)
    where = next(each for each in page.selectbox if each.label == "Where it could stand")
    where.select("buildings").run()
    assert "They stand in buildings nobody lives in." in words(page)
    next(each for each in page.checkbox if each.label == "There is a budget").check().run()
    assert "All together cost at most 2,000,000." in words(page)
    next(each for each in page.selectbox if each.label == "Where it could stand").select("map").run()
    assert "No place is given yet where it could stand." in words(page)

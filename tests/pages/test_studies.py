"""Studies, New study and Study as each role and in both languages."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from app.studies import answer_study
from core.identity import Role, system_actor
from core.progress import Silent
from geodata import db
from geodata.territory import find_territory
from planning import service
from planning.model import Question
from tests.pages.conftest import shown, words

READERS = [Role.PLANNER, Role.GRID_MANAGER, Role.SUPERVISOR, Role.AUDITOR]
OTHERS = [Role.DISPATCHER, Role.HANDLER, Role.ADMINISTRATOR]


def ask(actors, question, *, queue=False):
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        return service.ask(session, planner, find_territory(session), question, queue=queue)


@pytest.fixture(scope="module")
def answered(actors) -> int:
    study_id = ask(actors, Question("p-median", 2, "library", candidates=60, limit_min=6))
    answer_study(actors[Role.PLANNER], study_id, Silent())
    return study_id


def button(page, label):
    return next(each for each in page.button if each.label == label)


def test_an_empty_list_says_why_and_leads_on(run):
    text = words(run("studies", Role.PLANNER))
    assert "No study yet." in text
    assert "Ask the first question" in text
    assert "没有研究" in words(run("studies", Role.PLANNER, "zh"))
    assert "Planners ask" in words(run("studies", Role.AUDITOR))


@pytest.mark.parametrize("role", READERS)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_study_is_read_with_its_proof_and_its_history(run, answered, role, language):
    text = words(run("study", role, language, study=str(answered)))
    if language == "en":
        assert re.search(r"The way takes [\d.]+ min on foot on average\.", text)
        assert re.search(r"No plan can be better than|Proven best: no other choice", text)
        assert "The one that is there goes on serving." in text
        assert "Answered, gap" in text
        assert "streets that lead nowhere else and are shorter than 5 km together" in text
    else:
        assert re.search(r"步行平均需要 [\d.]+ 分钟", text)
        assert re.search("不可能优于|已证明最优", text)
        assert not re.search("No plan|Mean way|Who gains", text)
    assert not re.search("gk-wrong|Something went wrong|意外问题", text)
    listed = words(run("studies", role, language))
    assert ("Answered" if language == "en" else "已得出答案") in listed


@pytest.mark.parametrize("role", OTHERS)
def test_others_have_no_studies(run, answered, role):
    with pytest.raises(ValueError, match="navigation page"):
        run("studies", role)
    with pytest.raises(ValueError, match="navigation page"):
        run("study", role, study=str(answered))


def test_an_unknown_study_leads_to_the_list(run):
    assert "No such study here." in shown(run("study", Role.PLANNER, study="999999"))
    assert "No such study here." in shown(run("study", Role.PLANNER, study="x"))
    assert "No such study here." in shown(run("study", Role.PLANNER))


def test_the_question_is_put_in_words_and_becomes_a_job_that_can_be_cancelled_and_begun_again(run, actors):
    page = run("new_study", Role.PLANNER)
    assert "Where should 2 new sites for “Clinic” stand, so that as many people as possible" in words(page)
    page.number_input[0].set_value(1)
    page.radio[0].set_value("p-median").run()
    assert "Where should one new site for “Clinic” stand, so that the ways on foot" in words(page)
    button(page, "Ask").click().run()
    with db.transaction(system_actor()) as session:
        study, job = service.list_studies(session, system_actor(), find_territory(session))[0]
    assert (study.question.p, study.question.kind, study.asked_label) == (1, "p-median", actors[Role.PLANNER].label)
    assert job.state == "waiting"
    address = {"study": str(study.id)}
    assert "the work goes on" in words(run("study", Role.PLANNER, **address)), "a closed tab changes nothing"
    button(run("study", Role.PLANNER, **address), "Cancel").click().run()
    page = run("study", Role.PLANNER, **address)
    assert "There is no answer yet." in words(page)
    button(page, "Begin again").click().run()
    assert "the work goes on" in words(run("study", Role.PLANNER, **address))


def test_a_cancel_that_is_heard_later_is_said_at_once(run, actors):
    study_id = ask(actors, Question("p-median", 1, "library", candidates=20), queue=True)
    with db.transaction(system_actor()) as session:
        session.execute(
            text("UPDATE job_run SET state = 'running' WHERE id = (SELECT job_id FROM study WHERE id = :id)"),
            {"id": study_id},
        )
    button(run("study", Role.PLANNER, study=str(study_id)), "Cancel").click().run()
    page = run("study", Role.PLANNER, study=str(study_id))
    assert button(page, "Cancel").disabled
    assert "It will stop after the step it is at" in words(page)
    assert "当前步骤结束后停止" in words(run("study", Role.PLANNER, "zh", study=str(study_id)))


def test_a_title_stands_as_it_is_written(run, actors):
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        question = Question("mclp", 1, None, candidates=20)
        service.ask(session, planner, find_territory(session), question, title="<b>Plan</b> & *more*", queue=False)
    assert "<b>Plan</b> & *more*" in words(run("studies", Role.PLANNER))

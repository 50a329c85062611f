"""What if as the dispatcher: a day is asked, played in the background, read in both languages, stopped."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import text

from app import what_if_work
from core.errors import InvalidInput, NotPermitted
from core.identity import Role, system_actor
from dispatch import costs, what_if
from dispatch.simulate_model import Change, Policy
from dispatch.what_if_model import Question, read_question, read_reply
from geodata import db, jobs
from geodata.territory import find_territory
from tests.pages.conftest import shown, words

assert what_if_work.READING  # importing it registers the kind of job
RULES = (Policy.NEAREST_PAIR, Policy.ROLLING)


@pytest.fixture(scope="module")
def busy_day(actors) -> dt.date:
    """The past day with the most incidents."""
    dispatcher = actors[Role.DISPATCHER]
    with db.transaction(dispatcher) as session:
        days = what_if.days(session, dispatcher, find_territory(session))
    return max(days, key=lambda each: each[1])[0]


@pytest.fixture(scope="module")
def answered(actors, busy_day) -> int:
    dispatcher = actors[Role.DISPATCHER]
    with db.transaction(dispatcher) as session:
        job_id = what_if.ask(session, dispatcher, Question(busy_day, RULES, workers=2, owner_s=900.0, refusals=0.1))
    jobs.run_job(job_id)
    return job_id


def test_a_day_is_played_by_each_rule_and_with_each_change(actors, answered, busy_day):
    dispatcher = actors[Role.DISPATCHER]
    with db.transaction(dispatcher) as session:
        job = what_if.asked(session, dispatcher, answered)
        count = dict(what_if.days(session, dispatcher, find_territory(session)))[busy_day]
        stated = session.execute(
            text(
                "SELECT count(*) FROM incident WHERE filed_at >= :day AND filed_at < :day + interval '1 day'"
                " AND status <> 'void' AND duplicate_of IS NULL"
            ),
            {"day": dt.datetime.combine(busy_day, dt.time(), find_territory(session).zone)},
        ).scalar_one()
    assert job is not None
    assert (job.state, job.message) == ("done", "")
    reply = read_reply(job.result or {})
    assert [(row.policy, row.change) for row in reply.rows] == [
        *((Policy.NEAREST_PAIR, each) for each in (Change(), Change(workers=2), Change(refusals=0.1))),
        *(
            (Policy.ROLLING, each)
            for each in (Change(), Change(workers=2), Change(owner_s=900.0), Change(refusals=0.1))
        ),
    ]
    assert {row.incidents for row in reply.rows} == {count} == {stated}
    assert reply.rows[1].workers == reply.rows[0].workers + 2
    assert all(zh for _, zh in reply.notes)


def test_it_changes_nothing_and_the_same_question_has_the_same_answer(actors, answered, busy_day):
    dispatcher = actors[Role.DISPATCHER]
    with db.transaction(dispatcher) as session:
        before = session.execute(text("SELECT count(*), max(version) FROM incident")).one()
        job_id = what_if.ask(session, dispatcher, Question(busy_day, RULES, workers=2, owner_s=900.0, refusals=0.1))
    jobs.run_job(job_id)
    with db.transaction(dispatcher) as session:
        first, again = (what_if.asked(session, dispatcher, each) for each in (answered, job_id))
        assert session.execute(text("SELECT count(*), max(version) FROM incident")).one() == before
    assert read_reply(first.result).rows == read_reply(again.result).rows


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_answer_is_read_with_what_it_rests_on(run, answered, language):
    said = words(run("what_if", Role.DISPATCHER, language, run=str(answered)))
    if language == "en":
        assert "Rolling plan against nearest pair:" in said
        assert "2 more workers:" in said
        assert "10 % refused:" in said
        assert "Ways are by car on the streets" in said
    else:
        assert "滚动方案与最近配对相比：" in said
        assert "增加 2 人：" in said
        assert "路程按现有道路驾车计算" in said


def test_the_button_asks_and_the_work_can_be_cancelled(run, actors):
    page = run("what_if", Role.DISPATCHER, "en")
    assert "Asked before" in shown(page)
    next(each for each in page.button if each.key == "gk_wi_ask").click().run()
    job_id = int(page.query_params["run"][0])
    dispatcher = actors[Role.DISPATCHER]
    with db.transaction(dispatcher) as session:
        assert what_if.asked(session, dispatcher, job_id).state == "waiting"
    next(each for each in page.button if each.key == "gk_wi_cancel").click().run()
    with db.transaction(dispatcher) as session:
        assert what_if.asked(session, dispatcher, job_id).state == "cancelled"
    assert "The work was cancelled; press the button to begin again." in words(page)


def test_a_question_that_waits_says_what_day_and_what_it_waits_for(run, actors):
    dispatcher = actors[Role.DISPATCHER]
    asked = []
    with db.transaction(dispatcher) as session:
        asked = [what_if.ask(session, dispatcher, Question(dt.date(2001, 1, 1), RULES)) for _ in range(2)]
    page = run("what_if", Role.DISPATCHER, "en", run=str(asked[0]))
    assert "1 Jan 2001" in words(page) or "1 January 2001" in words(page)
    assert "Waits for the process that does the work" in words(page)
    assert "前面 1 项" in words(run("what_if", Role.DISPATCHER, "zh", run=str(asked[1])))
    with db.transaction(dispatcher) as session:
        for job_id in asked:
            what_if.cancel(session, dispatcher, job_id)


def test_a_day_without_incidents_fails_in_words(run, actors):
    dispatcher = actors[Role.DISPATCHER]
    with db.transaction(dispatcher) as session:
        job_id = what_if.ask(session, dispatcher, Question(dt.date(2001, 1, 1), RULES))
    jobs.run_job(job_id)
    assert "当日没有立案的案件。请选择其他日期。" in words(run("what_if", Role.DISPATCHER, "zh", run=str(job_id)))


def test_others_may_not_ask(actors, busy_day):
    for role in (Role.PLANNER, Role.AUDITOR, Role.GRID_MANAGER):
        with db.transaction(actors[role]) as session, pytest.raises(NotPermitted):
            what_if.ask(session, actors[role], Question(busy_day, RULES))
    with db.transaction(system_actor()) as session:
        other = jobs.enqueue(session, system_actor(), "backup", {})
    with db.transaction(actors[Role.DISPATCHER]) as session:
        assert what_if.asked(session, actors[Role.DISPATCHER], other) is None


def test_what_cannot_be_asked_is_refused():
    day = dt.date(2026, 1, 1)
    with pytest.raises(InvalidInput, match="rule"):
        Question(day, ())
    with pytest.raises(InvalidInput, match="bounds"):
        Question(day, RULES, workers=99)
    question = Question(day, RULES, -3, 600.0, 0.2)
    assert read_question(question.as_json()) == question


def _field(page, label):
    return next(each for each in page.number_input if each.label == label)


def _change(page, label, value, reason):
    _field(page, label).set_value(value)
    next(each for each in page.text_input if each.label == "Reason, one line").set_value(reason)
    next(each for each in page.button if each.label == "Change the costs").click().run()
    return words(page)


def test_a_dispatcher_reads_and_changes_what_things_cost(run, actors):
    dispatcher = actors[Role.DISPATCHER]
    with db.transaction(dispatcher) as session:
        before = costs.cost_table(session, dispatcher)
    page, second = (run("what_if", Role.DISPATCHER, "en") for _ in range(2))
    owner = "Sending somebody whose grid it is not"
    assert _field(page, owner).value == pytest.approx(before.weights.owner_s / 60)
    assert "needs a reason of one line" in _change(page, owner, 7.0, " ")
    assert "The costs are changed" in _change(page, owner, 7.0, "Ways are long in the north")
    assert _field(page, owner).value == 7.0
    assert "Somebody else changed the cost table meanwhile." in _change(second, owner, 9.0, "Another reason")
    assert _field(second, owner).value == 7.0
    assert "No cost was changed." in _change(second, owner, 7.0, "A reason")
    assert _field(run("what_if", Role.DISPATCHER, "zh"), "派遣非本网格人员").value == 7.0
    with db.transaction(dispatcher) as session:
        after = costs.cost_table(session, dispatcher)
        told = session.execute(
            text("SELECT purpose FROM record WHERE subject_table = 'cost_table' ORDER BY seq DESC LIMIT 1")
        ).scalar_one()
    assert (after.weights.owner_s, after.version) == (420.0, before.version + 1)
    assert after.weights == dataclasses.replace(before.weights, owner_s=420.0)
    assert told == "costs: Ways are long in the north"

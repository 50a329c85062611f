"""Every number opens exactly the incidents it counts; appeals and the citizen's word change it as told, and no more."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.clock import now
from core.errors import Conflict, InvalidInput, NotPermitted
from core.identity import Role
from incidents.service import words
from insight import service
from insight.indicators import INDICATORS, Weights
from insight.model import Rule, Score
from tests.db.insight.judging import UNREACHED, Case, act, closed_by_a_citizen, fold

YEAR = (now().date() - dt.timedelta(days=370), now().date() + dt.timedelta(days=1))


def scores(case: Case, subject: str = "department") -> dict[tuple[int | None, str], Score]:
    chief = act(case, Role.SUPERVISOR)
    found = service.evaluate(case[0], chief, subject, *YEAR)
    return {(each.subject_id, each.indicator): each for each in found}


def test_the_list_behind_a_number_is_the_number(case: Case) -> None:
    session, _ = case
    chief = act(case, Role.SUPERVISOR)
    moment = now()
    for subject in ("department", "post"):
        found = service.evaluate(session, chief, subject, *YEAR, moment=moment)
        busiest = max(found, key=lambda score: score.denominator).subject_id
        for score in (each for each in found if each.subject_id in {busiest, None}):
            for part in service.PARTS:
                behind = service.behind(
                    session,
                    chief,
                    subject,
                    score.indicator,
                    part,
                    first=YEAR[0],
                    last=YEAR[1],
                    subject_id=score.subject_id,
                    moment=moment,
                    limit=5000,
                )
                wanted = score.numerator if part == "numerator" else score.denominator
                assert behind.value == wanted == sum(row.times for row in behind.rows), (score.indicator, part)
                assert behind.incidents == len(behind.rows)


def test_who_sees_no_incident_opens_none(case: Case) -> None:
    for role in (Role.PLANNER, Role.ADMINISTRATOR):
        actor = act(case, role)
        with pytest.raises(NotPermitted):
            service.behind(case[0], actor, "class", "closing", "numerator", first=YEAR[0], last=YEAR[1])
    handler = act(case, Role.HANDLER)
    found = service.behind(
        case[0], handler, "department", "filing", "denominator", first=YEAR[0], last=YEAR[1], limit=5000
    )
    assert found.rows == []
    with pytest.raises(InvalidInput, match="no part"):
        service.behind(case[0], act(case, Role.SUPERVISOR), "class", "closing", "x", first=YEAR[0], last=YEAR[1])


def test_the_citizens_answer_counts_once_and_stands(case: Case) -> None:
    session, _ = case
    incident, unit = closed_by_a_citizen(case)
    fold(case)
    before = scores(case)
    chief = act(case, Role.SUPERVISOR)
    words.tell_word(session, chief, incident, **UNREACHED)
    words.tell_word(session, chief, incident, reached=True, solved=True, satisfied=5)
    for told in ({"reached": True, "solved": False, "satisfied": 1}, UNREACHED):
        assert not words.may_tell(session, chief, incident)
        with pytest.raises(InvalidInput, match="has answered"):
            words.tell_word(session, chief, incident, **told)
    assert [each.satisfied for each in words.words_of(session, chief, incident)] == [5, None]
    fold(case)
    after = scores(case)
    for key in ("response", "solution", "satisfaction"):
        old, new = before[unit, key], after[unit, key]
        assert (new.numerator, new.denominator) == (old.numerator + 1, old.denominator + 1), key


@pytest.mark.parametrize(
    ("said", "match"),
    [
        ({"reached": False, "solved": True, "satisfied": None}, "said nothing"),
        ({"reached": True, "solved": None, "satisfied": None}, "solved"),
        ({"reached": True, "solved": True, "satisfied": 6}, "1 to 5"),
    ],
)
def test_a_word_that_nobody_can_have_said_is_refused(case: Case, said: dict[str, object], match: str) -> None:
    incident, _ = closed_by_a_citizen(case)
    with pytest.raises(InvalidInput, match=match):
        words.tell_word(case[0], act(case, Role.SUPERVISOR), incident, **said)


def test_who_handled_it_does_not_ask_even_past_the_service(case: Case) -> None:
    session, _ = case
    incident, _ = closed_by_a_citizen(case)
    chief = act(case, Role.SUPERVISOR)
    act(case, Role.SYSTEM)
    session.execute(
        text(
            "INSERT INTO task (territory_id, incident_id, kind, state, created_at, finished_at, version, worker_id)"
            " SELECT :home, :id, 'handle', 'done', now(), now(), 1, min(id) FROM worker"
        ),
        {"home": chief.territory_id, "id": incident},
    )
    worker_id = session.scalar(text("SELECT min(id) FROM worker"))
    session.execute(
        text(
            "INSERT INTO task (territory_id, incident_id, kind, state, created_at, version, worker_id)"
            " VALUES (:home, :id, 'visit', 'waiting', now(), 1, :worker)"
        ),
        {"home": chief.territory_id, "id": incident, "worker": worker_id},
    )
    areas = tuple(session.scalars(text("SELECT DISTINCT community_id FROM incident")))
    worker = act(case, Role.GRID_WORKER, worker_id=worker_id, area_ids=areas)
    assert not words.may_tell(session, worker, incident)
    with pytest.raises(NotPermitted, match="handled"):
        words.tell_word(session, worker, incident, reached=True, solved=True, satisfied=5)
    insert = text(
        "INSERT INTO citizen_word (territory_id, incident_id, reached, solved, told_at)"
        " VALUES (:home, :id, true, true, now())"
    )
    with pytest.raises(DBAPIError, match="Who handled"), session.begin_nested():
        session.execute(insert, {"home": chief.territory_id, "id": incident})
    for role in (Role.DISPATCHER, Role.HANDLER, Role.AUDITOR, Role.GRID_MANAGER):
        act(case, role)
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(insert, {"home": chief.territory_id, "id": incident})


def test_an_appeal_changes_the_score_only_when_somebody_else_grants_it(case: Case) -> None:
    session, _ = case
    incident, unit = closed_by_a_citizen(case, late=True, own=True)
    fold(case)
    before = scores(case)[unit, "closing_on_time"]
    handler = act(case, Role.HANDLER)
    told = {"effect": "in_time", "ground": "weather", "evidence": "Flood in the street, photo of the 3rd"}
    made = service.file_appeal(session, handler, incident, **told)
    with pytest.raises(InvalidInput, match="already"):
        service.file_appeal(session, handler, incident, **told)
    with pytest.raises(NotPermitted, match="supervisor"):
        service.decide(session, handler, made.id, grant=True, answer="yes")
    fold(case)
    assert scores(case)[unit, "closing_on_time"].numerator == before.numerator, "an appeal alone changes nothing"
    act(case, Role.SYSTEM)
    session.execute(text("UPDATE incident SET closed_by = NULL, dispatched_by = NULL WHERE id = :id"), {"id": incident})
    chief = act(case, Role.SUPERVISOR)
    with pytest.raises(InvalidInput, match="reason"):
        service.decide(session, chief, made.id, grant=True, answer=" ")
    done = service.decide(session, chief, made.id, grant=True, answer="The road was shut")
    assert (done.state, done.decided_by) == ("granted", chief.user_id)
    assert service.signed(done)
    assert not service.signed(dataclasses.replace(done, answer="Something else"))
    with pytest.raises(Conflict):
        service.decide(session, chief, made.id, grant=False, answer="no")
    fold(case)
    after = scores(case)[unit, "closing_on_time"]
    assert (after.numerator, after.denominator) == (before.numerator + 1, before.denominator)
    assert (after.before_numerator, after.before_denominator) == (before.numerator, before.denominator)
    assert after.appealed
    keeper = act(case, Role.SYSTEM)
    whole = text("SELECT jsonb_agg(to_jsonb(f) ORDER BY incident_id) FROM incident_fact AS f")
    gone_on = session.scalar(whole)
    service.refresh(session, keeper, keeper.territory_id or 0, anew=True)
    assert session.scalar(whole) == gone_on, "folding anew gives the same facts, appeals and words included"
    trace = session.scalar(text("SELECT count(*) FROM record WHERE subject_table = 'appeal' AND action = 'update'"))
    assert trace == 1


def test_who_had_a_hand_in_it_decides_no_appeal(case: Case) -> None:
    session, _ = case
    incident, _ = closed_by_a_citizen(case, own=True)
    made = service.file_appeal(
        session, act(case, Role.HANDLER), incident, effect="left_out", ground="not_ours", evidence="See the duty list"
    )
    chief = act(case, Role.SUPERVISOR)
    act(case, Role.SYSTEM)
    session.execute(
        text("UPDATE incident SET closed_by = :me, dispatched_by = NULL WHERE id = :id"),
        {"me": chief.user_id, "id": incident},
    )
    act(case, Role.SUPERVISOR)
    assert not service.may_decide(session, chief, made)
    with pytest.raises(NotPermitted, match="hand in"):
        service.decide(session, chief, made.id, grant=True, answer="fine")
    with pytest.raises(DBAPIError, match="had a hand"), session.begin_nested():
        session.execute(
            text(
                "UPDATE appeal SET state = 'granted', answer = 'x', decided_at = now(), signature = 'x' WHERE id = :id"
            ),
            {"id": made.id},
        )


def test_the_time_to_appeal_ends(case: Case) -> None:
    session, _ = case
    incident, _ = closed_by_a_citizen(case, own=True)
    session.execute(text("UPDATE incident SET closed_at = now() - interval '16 days' WHERE id = :id"), {"id": incident})
    with pytest.raises(InvalidInput, match="could be appealed until"):
        service.file_appeal(
            session, act(case, Role.HANDLER), incident, effect="left_out", ground="weather", evidence="x"
        )


def test_the_rule_of_the_word_takes_two_supervisors(case: Case) -> None:
    session, actors = case
    chief = act(case, Role.SUPERVISOR)
    assert service.rule_in_force(session, chief) == Rule()
    wanted = Rule(weights=Weights(1, 2, 3), base="reached", satisfied_from=3, appeal_days=20)
    made = service.propose_rule(session, chief, wanted, "As the city decided")
    with pytest.raises(NotPermitted):
        service.decide_rule(session, chief, made, approve=True)
    with pytest.raises(DBAPIError, match="does not decide"), session.begin_nested():
        session.execute(
            text("UPDATE evaluation_rule SET state = 'approved', decided_at = now() WHERE id = :id"), {"id": made}
        )
    other = act(case, Role.SUPERVISOR, user_id=actors[Role.AUDITOR].user_id)
    service.decide_rule(session, other, made, approve=True)
    held = service.rule_in_force(session, other)
    assert dataclasses.replace(held, version=0, decided_at=None) == wanted
    with pytest.raises(Conflict):
        service.decide_rule(session, other, made, approve=False)
    with pytest.raises(NotPermitted):
        service.propose_rule(session, act(case, Role.HANDLER), wanted, "x")
    with pytest.raises(InvalidInput, match="Weights"):
        service.propose_rule(
            session, act(case, Role.SUPERVISOR), dataclasses.replace(wanted, weights=Weights(0, 0, 0)), "x"
        )


def test_facts_of_workers_are_seen_by_the_worker_and_the_grid_alone(case: Case) -> None:
    """No league of workers: not by the service, and a worker reads in SQL no fact but his own."""
    session, _ = case
    act(case, Role.SYSTEM)
    busy = session.scalar(
        text(
            "SELECT worker_id FROM incident_fact WHERE worker_id IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC LIMIT 1"
        )
    )
    act(case, Role.GRID_WORKER, worker_id=busy)
    assert set(session.scalars(text("SELECT DISTINCT worker_id FROM incident_fact"))) == {busy}
    for role in (Role.SUPERVISOR, Role.AUDITOR, Role.HANDLER, Role.GRID_MANAGER, Role.GRID_WORKER):
        actor = act(case, role)
        with pytest.raises((InvalidInput, NotPermitted)):
            service.evaluate(session, actor, "worker", *YEAR)
    for role in (Role.PLANNER, Role.ADMINISTRATOR):
        act(case, role)
        assert session.scalar(text("SELECT count(*) FROM incident_fact")) == 0
    assert len(INDICATORS) == 15


def test_a_closed_report_of_a_citizen_waits_for_a_call(case: Case) -> None:
    session, actors = case
    chief = act(case, Role.SUPERVISOR)
    act(case, Role.SYSTEM)
    session.execute(text("UPDATE incident SET status = 'closed' WHERE status = 'checking'"))
    made = session.execute(
        text(
            "UPDATE incident SET status = 'checking', source = CASE WHEN id % 2 = 0 THEN 'web' ELSE 'patrol' END,"
            " closed_at = NULL, closed_by = NULL, dispatched_by = NULL, handled_at = now() WHERE id IN"
            " (SELECT max(id) FROM incident WHERE status = 'closed' GROUP BY id % 2) RETURNING id, source"
        )
    ).all()
    session.execute(text("DELETE FROM task WHERE incident_id = ANY (:ids)"), {"ids": [row.id for row in made]})
    act(case, Role.SUPERVISOR)
    for row in made:
        session.execute(
            text("UPDATE incident SET status = 'closed', closed_at = now(), closed_by = :me WHERE id = :id"),
            {"id": row.id, "me": chief.user_id},
        )
    of_citizen = next(row.id for row in made if row.source == "web")
    waiting = {each.incident_id for each in words.call_backs(session, chief)}
    assert of_citizen in waiting
    assert waiting.isdisjoint({row.id for row in made if row.source != "web"})
    with pytest.raises(NotPermitted, match="closed"):
        words.tell_word(session, chief, of_citizen, **UNREACHED)
    other = act(case, Role.SUPERVISOR, user_id=actors[Role.AUDITOR].user_id)
    words.tell_word(session, other, of_citizen, **UNREACHED)
    assert of_citizen in {each.incident_id for each in words.call_backs(session, chief)}, "nobody answered: once more"
    words.tell_word(session, other, of_citizen, reached=True, solved=False, satisfied=2)
    assert of_citizen not in {each.incident_id for each in words.call_backs(session, chief)}

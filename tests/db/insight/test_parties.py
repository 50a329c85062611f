"""No party decides an appeal, the citizen's answer stands, and a score follows no decision that nobody signed."""

from __future__ import annotations

import base64
import dataclasses

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.clock import now
from core.errors import NotPermitted
from core.identity import Actor, Role
from geodata import sealing
from geodata.heads import Signer
from incidents.service import words
from insight import service
from insight.appeals import decision_text
from insight.model import AppealInfo
from tests.db.insight.judging import Case, act, closed_by_a_citizen, fold

TELL = text(
    "INSERT INTO citizen_word (territory_id, incident_id, reached, solved, told_at)"
    " SELECT territory_id, id, :reached, CASE WHEN :reached THEN true END, now() FROM incident WHERE id = :id"
)
GRANT = text(
    "UPDATE appeal SET state = 'granted', answer = 'x', decided_at = now(), signature = :signature WHERE id = :id"
)
ASK = (
    "INSERT INTO extension_request (territory_id, incident_id, reason, until, state, {who}, asked_at, decided_at)"
    " SELECT territory_id, id, 'weather', now(), 'granted', :me, now(), now() FROM incident WHERE id = :id"
)
PARTIES = {
    "same person": "WITH p AS (INSERT INTO person (territory_id, subject_id) SELECT territory_id, 'one' FROM incident"
    " WHERE id = :id RETURNING id) UPDATE app_user SET person_id = p.id FROM p WHERE app_user.id IN (:me, :asker)",
    "handler of the unit": "INSERT INTO user_role (user_id, territory_id, role, unit_ids)"
    " SELECT :me, territory_id, 'handler', ARRAY[unit_id] FROM incident WHERE id = :id",
    "asked for more time": ASK.format(who="asked_by"),
    "granted more time": ASK.format(who="decided_by"),
}


def appealed(case: Case, *, effect: str = "in_time") -> AppealInfo:
    """Return an appeal about an incident that no supervisor touched."""
    incident, _ = closed_by_a_citizen(case, late=True, own=True)
    case[0].execute(
        text(
            "UPDATE incident SET closed_by = NULL, dispatched_by = NULL, sampled_by = NULL, reported_by = NULL"
            " WHERE id = :id"
        ),
        {"id": incident},
    )
    handler = act(case, Role.HANDLER)
    return service.file_appeal(case[0], handler, incident, effect=effect, ground="weather", evidence="The flood")


def refused(case: Case, chief: Actor, appeal: AppealInfo) -> None:
    """Check that neither the service nor the database lets the actor decide."""
    assert not service.may_decide(case[0], chief, appeal)
    with pytest.raises(NotPermitted, match="hand in"):
        service.decide(case[0], chief, appeal.id, grant=True, answer="fine")
    with pytest.raises(DBAPIError, match="had a hand"), case[0].begin_nested():
        case[0].execute(GRANT, {"id": appeal.id, "signature": "x"})


@pytest.mark.parametrize("party", PARTIES)
def test_a_party_decides_no_appeal(case: Case, party: str) -> None:
    made = appealed(case)
    chief = act(case, Role.SUPERVISOR)
    assert service.may_decide(case[0], chief, made)
    act(case, Role.SYSTEM)
    given = {"id": made.incident_id, "me": chief.user_id, "asker": made.asked_by}
    statement = text(PARTIES[party])
    case[0].execute(statement, {name: given[name] for name in given if f":{name}" in PARTIES[party]})
    refused(case, act(case, Role.SUPERVISOR), made)


def test_who_wrote_the_incident_in_the_record_decides_no_appeal(case: Case) -> None:
    made = appealed(case)
    act(case, Role.SYSTEM, user_id=case[1][Role.SUPERVISOR].user_id)
    case[0].execute(text("UPDATE incident SET version = version + 1 WHERE id = :id"), {"id": made.incident_id})
    refused(case, act(case, Role.SUPERVISOR), made)


def test_an_answer_stands_past_the_service_too(case: Case) -> None:
    session, actors = case
    incident, _ = closed_by_a_citizen(case)
    session.execute(text("UPDATE incident SET closed_by = NULL WHERE id = :id"), {"id": incident})
    act(case, Role.SUPERVISOR)
    for reached in (False, True):
        session.execute(TELL, {"id": incident, "reached": reached})
    act(case, Role.SUPERVISOR, user_id=actors[Role.AUDITOR].user_id)
    for reached in (False, True):
        with pytest.raises(DBAPIError, match="has answered"), session.begin_nested():
            session.execute(TELL, {"id": incident, "reached": reached})
    act(case, Role.SYSTEM)
    with pytest.raises(DBAPIError, match="uq_citizen_word_reached"), session.begin_nested():
        session.execute(
            text(
                "INSERT INTO citizen_word (territory_id, incident_id, reached, solved, told_at, closed_at)"
                " SELECT territory_id, id, true, false, now(), closed_at FROM incident WHERE id = :id"
            ),
            {"id": incident},
        )
    session.execute(
        text(
            "INSERT INTO citizen_word (territory_id, incident_id, reached, told_at, closed_at)"
            " SELECT territory_id, id, false, now(), closed_at FROM incident WHERE id = :id"
        ),
        {"id": incident},
    )
    for anew in (False, True):
        keeper = act(case, Role.SYSTEM)
        service.refresh(session, keeper, keeper.territory_id or 0, anew=anew)
        told = session.scalar(text("SELECT word_solved FROM incident_fact WHERE incident_id = :id"), {"id": incident})
        assert told, "an answer comes before a call that reached nobody"


def test_the_closer_does_not_take_the_word(case: Case) -> None:
    session, actors = case
    incident, _ = closed_by_a_citizen(case)
    chief = actors[Role.SUPERVISOR]
    session.execute(text("UPDATE incident SET closed_by = :me WHERE id = :id"), {"id": incident, "me": chief.user_id})
    act(case, Role.SUPERVISOR)
    assert not words.may_tell(session, chief, incident)
    with pytest.raises(NotPermitted, match="closed"):
        words.tell_word(session, chief, incident, reached=True, solved=True, satisfied=5)
    with pytest.raises(DBAPIError, match="Who closed"), session.begin_nested():
        session.execute(TELL, {"id": incident, "reached": True})
    for change in ("closed_by = NULL", "closed_at = now()"):
        with pytest.raises(DBAPIError, match="does not change"), session.begin_nested():
            session.execute(text(f"UPDATE incident SET {change} WHERE id = :id"), {"id": incident})


def test_a_visit_that_is_over_sends_nobody(case: Case) -> None:
    session, _ = case
    incident, _ = closed_by_a_citizen(case)
    session.execute(text("DELETE FROM task WHERE incident_id = :id"), {"id": incident})
    worker_id = session.scalar(text("SELECT min(id) FROM worker"))
    session.execute(
        text(
            "INSERT INTO task (territory_id, incident_id, kind, state, created_at, finished_at, version, worker_id)"
            " SELECT territory_id, id, 'visit', 'done', now(), now(), 1, :worker FROM incident WHERE id = :id"
        ),
        {"id": incident, "worker": worker_id},
    )
    areas = tuple(session.scalars(text("SELECT DISTINCT community_id FROM incident")))
    worker = act(case, Role.GRID_WORKER, worker_id=worker_id, area_ids=areas)
    assert not words.may_tell(session, worker, incident)
    with pytest.raises(NotPermitted, match="not sent"):
        words.tell_word(session, worker, incident, reached=True, solved=True, satisfied=5)
    with pytest.raises(DBAPIError, match="not sent"), session.begin_nested():
        session.execute(TELL, {"id": incident, "reached": True})


def excused(case: Case, incident: int, *, anew: bool) -> int:
    keeper = act(case, Role.SYSTEM)
    service.refresh(case[0], keeper, keeper.territory_id or 0, anew=anew)
    return int(case[0].scalar(text("SELECT excused FROM incident_fact WHERE incident_id = :id"), {"id": incident}) or 0)


@pytest.mark.parametrize("signature", ["x", "not base64!", base64.b64encode(bytes(68)).decode()])
def test_a_decision_that_nobody_signed_changes_no_score(case: Case, signature: str) -> None:
    made = appealed(case)
    chief = act(case, Role.SUPERVISOR)
    case[0].execute(GRANT, {"id": made.id, "signature": signature})
    (forged,) = service.list_appeals(case[0], chief, incident_id=made.incident_id)
    assert forged.state == "granted"
    assert not service.signed(forged)
    assert [excused(case, made.incident_id, anew=anew) for anew in (False, True)] == [0, 0]


def test_a_signature_of_another_appeal_changes_no_score(case: Case) -> None:
    made = appealed(case)
    chief = act(case, Role.SUPERVISOR)
    done = service.decide(case[0], chief, made.id, grant=True, answer="It was flooded")
    assert excused(case, made.incident_id, anew=False) == 2
    act(case, Role.SYSTEM)
    case[0].execute(
        text(
            "INSERT INTO appeal (territory_id, incident_id, unit_id, effect, ground, evidence, state, asked_at,"
            " decided_by, decided_at, answer, signature)"
            " SELECT territory_id, incident_id, unit_id, 1, ground, evidence, state, asked_at,"
            " decided_by, decided_at, answer, signature FROM appeal WHERE id = :id"
        ),
        {"id": done.id},
    )
    assert [excused(case, made.incident_id, anew=anew) for anew in (False, True)] == [2, 2]


def test_an_older_key_holds_once_it_is_published(case: Case, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = appealed(case)
    chief = act(case, Role.SUPERVISOR)
    older, at = Signer(Ed25519PrivateKey.generate()), now()
    told = decision_text(
        appeal_id=made.id,
        incident=made.number,
        effect=made.effect,
        state="granted",
        answer="x",
        decided_by=chief.user_id,
        at=at,
    )
    signature = base64.b64encode(older.verifier.key_id + older.key.sign(told.encode())).decode()
    case[0].execute(
        text(
            "UPDATE appeal SET state = 'granted', answer = 'x', decided_at = :at, signature = :signature WHERE id = :id"
        ),
        {"id": made.id, "signature": signature, "at": at},
    )
    assert excused(case, made.incident_id, anew=False) == 0
    monkeypatch.setattr(sealing, "heads_folder", lambda: tmp_path)
    (tmp_path / sealing.KEYS_FILE).write_text(older.verifier.line() + "\n")
    assert excused(case, made.incident_id, anew=True) == 2
    act(case, Role.SUPERVISOR)
    (found,) = service.list_appeals(case[0], chief, incident_id=made.incident_id)
    assert service.signed(found)
    assert not service.signed(dataclasses.replace(found, answer="y"))
    fold(case)


def test_a_planner_gets_no_months(case: Case) -> None:
    planner = act(case, Role.PLANNER)
    day = now().date()
    with pytest.raises(NotPermitted, match="months"):
        service.trend(case[0], planner, "class", "filing", first=day, last=day)

"""What a class needs decides who is planned for it, and the reason is told; a hand's choice goes all the same."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from core.identity import system_actor
from dispatch.standing_plan import why
from geodata.tables import Incident, IncidentClass, Pin, Task, Worker
from tests.db.dispatch.test_standing_plan import NOON, _id, _incident, _plan, city  # noqa: F401  (a fixture)


@pytest.fixture
def needing(session, city):  # noqa: F811
    """The class of the incident in the west asks for a chainsaw and greenery; W2, of the east, has both."""

    def ask(**needs):
        one = _incident(session, city, "west")
        session.execute(update(IncidentClass).where(IncidentClass.id == one.class_id).values(**needs))
        session.flush()
        return one

    session.execute(
        update(Worker).where(Worker.id == _id(session, city, "W2")).values(skills=["greenery"], equipment=["chainsaw"])
    )
    return ask


def _sent(plan, one):
    return [(row.worker_code, row.kind) for row in plan.rows if row.incident_id == one.id]


def test_only_who_has_it_all_is_planned_and_the_others_are_told_why(session, city, needing):  # noqa: F811
    one = needing(skills=["greenery"], equipment=["chainsaw"], service_min=55.0)
    plan = _plan(session, city)
    assert _sent(plan, one) == [("W2", "handle")]
    row = next(row for row in plan.rows if row.incident_id == one.id)
    assert (row.end_at - row.start_at).total_seconds() == 55 * 60
    told = why(session, system_actor(city.territory.id), one.id).rejected["W1"]
    assert told.en == "Has no chainsaw and lacks the skill greenery."
    assert told.zh == "没有油锯，不具备绿化技能。"


def test_nobody_has_it_and_what_is_missing_is_named(session, city, needing):  # noqa: F811
    one = needing(equipment=["pump"])
    plan = _plan(session, city)
    left = next(each for each in plan.unserved if each.incident_id == one.id)
    assert left.why.en == "No worker has all of: pump."
    assert left.way_out.zh == "安排具备 抽水泵 的人员上岗。"


def test_a_hand_that_chose_is_not_asked_for_a_skill(session, city, needing):  # noqa: F811
    one = needing(equipment=["chainsaw"])
    w1 = _id(session, city, "W1")
    session.add(
        Pin(territory_id=city.territory.id, incident_id=one.id, worker_id=w1, kind="pin", reason="other", made_at=NOON)
    )
    session.flush()
    assert _sent(_plan(session, city), one) == [("W1", "handle")]


def test_a_class_for_two_takes_two_and_who_was_told_stays_with_the_lead(session, city, needing):  # noqa: F811
    one = needing(workers=2)
    other = _incident(session, city, "east")
    session.execute(update(Incident).where(Incident.id == other.id).values(status="void"))
    plan = _plan(session, city)
    rows = {row.kind: row for row in plan.rows if row.incident_id == one.id}
    assert set(rows) == {"handle", "help"}
    lead, along = rows["handle"], rows["help"]
    assert lead.start_at == along.start_at
    assert (lead.safe, lead.change) == (True, "new")
    assert (along.safe, along.change, along.task_id, along.was_worker_id) == (True, "new", None, None)
    assert (plan.summary.safe, plan.summary.need_you) == (1, 0)
    one.status, one.worker_id = "dispatched", lead.worker_id
    given = {"territory_id": one.territory_id, "incident_id": one.id, "kind": "handle", "state": "waiting"}
    times = {"created_at": NOON, "planned_start": lead.start_at, "planned_end": lead.end_at}
    helper = Task(**given, **times, worker_id=along.worker_id, joint=True)
    session.add_all([Task(**given, **times, worker_id=lead.worker_id, unit_id=one.unit_id), helper])
    session.flush()
    # Both were told, so both stay, and begin together.
    again = {row.kind: row for row in _plan(session, city).rows if row.incident_id == one.id}
    assert {kind: (row.worker_id, row.change) for kind, row in again.items()} == {
        "handle": (lead.worker_id, "kept"),
        "help": (along.worker_id, "kept"),
    }
    assert again["help"].task_id == helper.id
    # Who has set out is planned by himself, and nobody is asked in his place.
    helper.on_way_at, helper.state = NOON, "accepted"
    session.flush()
    rows = [row for row in _plan(session, city).rows if row.incident_id == one.id]
    assert sorted((row.kind, row.worker_id) for row in rows) == [
        ("handle", lead.worker_id),
        ("help", along.worker_id),
    ]

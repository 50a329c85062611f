"""What a class needs decides who is planned for it, and the reason is told; a hand's choice goes all the same."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from core.identity import system_actor
from dispatch.standing_plan import why
from geodata.tables import Incident, IncidentClass, Pin, PlanRow, Task, Worker
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


def test_a_class_for_two_takes_two_and_a_person_tells_the_second(session, city, needing):  # noqa: F811
    one = needing(workers=2)
    other = _incident(session, city, "east")
    session.execute(update(Incident).where(Incident.id == other.id).values(status="void"))
    plan = _plan(session, city)
    rows = {row.kind: row for row in plan.rows if row.incident_id == one.id}
    assert set(rows) == {"handle", "help"}
    lead, along = rows["handle"], rows["help"]
    assert lead.start_at == along.start_at
    assert not lead.safe
    assert lead.needs.kind == "together"
    assert along.worker_code in lead.needs.en
    assert (along.change, along.task_id, along.was_worker_id) == ("kept", None, None)
    stored = session.execute(
        select(PlanRow.safe).where(PlanRow.plan_id == plan.id, PlanRow.incident_id == one.id, PlanRow.safe)
    ).all()
    assert len(stored) == 1
    assert session.scalars(select(Task.id).where(Task.incident_id == one.id)).all() == []

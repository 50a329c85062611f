"""Sending somebody by hand who lacks what the class needs asks for a reason, by every way."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from core.errors import InvalidInput
from dispatch import execution
from geodata import db
from geodata.tables import IncidentClass, Pin, Worker
from incidents.service import assign_task
from tests.db.dispatch.test_execution import MINUTE, Job
from tests.db.incidents.conftest import NOW, add_incident, city, desk  # noqa: F401  (fixtures)
from tests.db.incidents.desk import fresh
from tests.dispatched import in_line


@pytest.fixture
def job(desk, add_incident):  # noqa: F811
    return Job(desk, add_incident)


def test_who_lacks_it_is_sent_with_a_reason_only(job):
    one = job.incident(job.filed("GK-1"))
    version, class_id, incident = one.version, one.class_id, one.id
    job.session.execute(update(IncidentClass).where(IncidentClass.id == class_id).values(equipment=["chainsaw"]))
    code = job.session.scalars(select(Worker.code).where(Worker.id == job.first)).one()
    who = job.desk.dispatcher
    db.as_actor(job.session, who)
    for send in (execution.assign, assign_task):
        for reason in ("", "proposed"):
            with pytest.raises(InvalidInput, match=f"{code} has no chainsaw") as said, job.session.begin_nested():
                send(
                    job.session, who, incident, job.first,
                    version=version, command_id=fresh(), reason=reason, moment=NOW,
                )  # fmt: skip
            assert "没有油锯" in said.value.zh
    done = execution.override(
        job.session, who, incident, job.first, reason="other", version=version, command_id=fresh(), moment=NOW
    )
    assert done.status == "dispatched"
    job.holds()


def test_who_has_it_is_sent_in_one_statement(job):
    one = job.incident(job.filed("GK-2"))
    version, class_id, incident = one.version, one.class_id, one.id
    job.session.execute(update(IncidentClass).where(IncidentClass.id == class_id).values(skills=["greenery"]))
    job.session.execute(update(Worker).where(Worker.id == job.first).values(skills=["drains", "greenery"]))
    done = job.says("assign", incident, job.first, actor=job.desk.dispatcher, version=version)
    assert done.status == "dispatched"
    job.holds()


def test_a_plan_sends_nobody_who_lacks_by_now_what_the_class_takes(job):
    """The class was changed, and a worker lost a skill, after the plan was made: these rows are stale and say why."""
    lost, kept, chosen = (job.filed(f"GK-{n}") for n in (3, 4, 5))
    class_id = job.incident(lost).class_id
    code = job.session.scalars(select(Worker.code).where(Worker.id == job.first)).one()
    job.session.execute(update(Worker).where(Worker.id == job.second).values(skills=["greenery"]))
    plan = job.plan(*in_line([(lost, job.first), (kept, job.second), (chosen, job.first)], NOW))
    job.session.execute(update(IncidentClass).where(IncidentClass.id == class_id).values(skills=["greenery"]))
    job.session.add(
        Pin(
            territory_id=job.home, incident_id=chosen, worker_id=job.first, kind="pin", reason="other", made_at=NOW
        )
    )  # fmt: skip
    job.session.flush()
    later, dispatcher = NOW + 2 * execution.PUBLISHED_WITHIN, job.desk.dispatcher
    db.as_actor(job.session, dispatcher)
    old = execution.publish(job.session, dispatcher, plan, None, command_id=fresh(), moment=later)
    assert {each.en for each in old.stale} == {execution.TOO_OLD[0]}  # also of whom a hand chose
    published = job.publish(plan, None)
    assert {each.incident_id for each in published.done} == {kept, chosen}
    (stale,) = published.stale
    assert stale.incident_id == lost
    assert stale.text("en").startswith(f"{code} lacks the skill greenery, which it takes.")
    assert "不具备绿化技能" in stale.text("zh")
    assert job.incident(lost).status == "filed"
    # Who has it already goes on with it, at other times too: nothing is taken away in the middle of the work.
    job.session.execute(update(Worker).where(Worker.id == job.second).values(skills=[]))
    later = job.plan(*in_line([(kept, job.second)], NOW + 30 * MINUTE))
    assert [each.what for each in job.publish(later, [kept]).done] == ["retimed"]
    job.holds()

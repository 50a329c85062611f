"""What the desks are told and by whom it is put away; whom the clock of answers may ask, and whom an old plan sends."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select, text

from core.errors import InvalidInput, NotPermitted
from core.identity import Role
from dispatch import execution, notice_store, notices
from geodata import db
from geodata.tables import Closure, Notice
from tests.db.dispatch.test_execution import MINUTE, Job
from tests.db.dispatch.test_notices import as_system, looked_at
from tests.db.incidents.conftest import NOW, add_incident, city, desk  # noqa: F401  (fixtures)
from tests.db.incidents.desk import fresh
from tests.dispatched import Stop


@pytest.fixture
def job(desk, add_incident):  # noqa: F811
    return Job(desk, add_incident)


def told(job: Job, actor=None) -> list[tuple[str, str]]:
    session, system = as_system(job)
    notices.deliver(session, system, moment=NOW)
    who = actor or job.desk.dispatcher
    db.as_actor(session, who)
    return [(each.topic, each.number) for each in notices.on_desk(session, who)]


def test_the_desk_is_told_until_it_is_answered_or_put_away(job) -> None:
    waits, returned = job.filed("T-1"), job.filed("T-2")
    job.sent(waits)
    job.sent(returned, job.second)
    job.desk.act(job.other, returned, "return", reason="not_safe")
    assert told(job) == [("returned", "T-2")]
    assert looked_at(job, 30).escalated == ("T-1",)
    both = [("escalated", "T-1"), ("returned", "T-2")]
    assert told(job) == told(job, job.desk.supervisor) == both
    assert told(job, job.desk.worker) == []
    session = job.session
    manager = dataclasses.replace(job.desk.supervisor, role=Role.GRID_MANAGER)
    db.as_actor(session, manager)
    with pytest.raises(NotPermitted, match="puts away"):
        notices.read_notices(session, manager, 10**9, NOW)
    assert session.execute(text("UPDATE notice SET read_at = now() RETURNING id")).all() == []
    db.as_actor(session, job.desk.supervisor)
    last = max(each.notice_id for each in notices.on_desk(session, job.desk.supervisor))
    assert notices.read_notices(session, job.desk.supervisor, last + 10**6, NOW) == 1
    assert told(job) == [("escalated", "T-1")]
    assert job.ask(select(Notice.read_at).where(Notice.topic == "escalated")) == [(None,)]
    job.desk.act(job.desk.worker, waits, "accept")
    assert told(job) == []


def test_what_is_given_to_another_is_told_no_more(job) -> None:
    waits, returned = job.filed("T-1"), job.filed("T-2")
    job.sent(waits)
    job.sent(returned)
    job.desk.act(job.desk.worker, returned, "return", reason="not_safe")
    assert looked_at(job, 30).escalated == ("T-1",)
    assert len(told(job)) == 2
    for incident in (waits, returned):
        db.as_actor(job.session, job.desk.dispatcher)
        execution.override(
            job.session, job.desk.dispatcher, incident, job.second, reason="skill", version=None, command_id=fresh(),
            moment=NOW + 31 * MINUTE,
        )  # fmt: skip
    assert told(job) == []


def test_the_clock_asks_only_who_is_on_shift(job) -> None:
    first, second = job.filed("T-1"), job.filed("T-2")
    job.sent(first)
    job.sent(second)
    job.plan(Stop(first, job.second, NOW, NOW + MINUTE), Stop(second, job.second, NOW + MINUTE, NOW + 2 * MINUTE))
    alone = {job.first: NOW - dt.timedelta(hours=2)}
    done = looked_at(job, 30, on_shift=alone, next_best=lambda _task: [job.second])
    assert (done.given_on, sorted(done.escalated)) == ((), ["T-1", "T-2"])


def test_only_the_newest_plan_says_who_is_next(job) -> None:
    incident = job.filed("T-1")
    job.sent(incident)
    job.plan(Stop(incident, job.second, NOW, NOW + MINUTE))
    job.plan()
    assert notice_store.planned(job.session, job.home, incident) is None
    job.plan(Stop(incident, job.second, NOW, NOW + MINUTE))
    assert notice_store.planned(job.session, job.home, incident) == job.second
    columns = "plan_id, territory_id, incident_id, {}, worker_id, place_in_route, start_at, end_at, travel_s, late_s"
    columns += ", incident_version, change, safe"
    checks = columns.format("'check'")
    gone = f"WITH gone AS (DELETE FROM plan_row RETURNING *) INSERT INTO plan_row ({columns.format('kind')})"
    job.session.execute(text(f"{gone} SELECT {checks} FROM gone"))
    assert notice_store.planned(job.session, job.home, incident) is None


def test_what_was_answered_just_now_is_not_told(job) -> None:
    incident = job.filed("T-1")
    task = job.sent(incident)
    job.desk.act(job.desk.worker, incident, "accept")
    session, _ = as_system(job)
    assert notice_store.escalate(session, task, NOW) is False
    assert job.task(task).escalated_at is None


def test_an_old_plan_sends_nobody(job) -> None:
    incident = job.filed("T-1")
    plan = job.plan(Stop(incident, job.first, NOW, NOW + MINUTE))
    job.session.execute(text("UPDATE plan SET made_at = :at"), {"at": NOW - 6 * MINUTE})
    published = job.publish(plan, [incident])
    assert published.done == ()
    (stale,) = published.stale
    assert "five minutes" in stale.en
    assert job.incident(incident).status == "filed"


def test_only_a_person_sends_out(job) -> None:
    incident = job.filed("T-1")
    plan = job.plan(Stop(incident, job.first, NOW, NOW + MINUTE))
    session, system = as_system(job)
    given = {"command_id": fresh(), "moment": NOW}
    with pytest.raises(InvalidInput, match="A person sends out"):
        execution.publish(session, system, plan, [incident], **given)
    with pytest.raises(InvalidInput, match="A person sends out"):
        execution.override(session, system, incident, job.first, reason="skill", version=None, **given)


def test_a_street_is_closed_in_the_own_name(job) -> None:
    dispatcher = job.desk.dispatcher
    db.as_actor(job.session, dispatcher)
    given = {"home": job.home, "other": job.desk.supervisor.user_id, "at": NOW}
    job.session.execute(
        text(
            "INSERT INTO closure (territory_id, name, geom, from_at, made_at, made_by) VALUES"
            " (:home, 'x', ST_GeomFromText('LINESTRING(0 0, 0 1)', 4326), :at, :at, :other)"
        ),
        given,
    )
    assert job.ask(select(Closure.made_by)) == [(dispatcher.user_id,)]
    db.as_actor(job.session, dispatcher)
    for change in ("made_by = :other", "made_at = CAST(:at AS timestamptz) - interval '1 day'"):
        with pytest.raises(Exception, match="never changed"), job.session.begin_nested():
            job.session.execute(text(f"UPDATE closure SET {change} WHERE territory_id = :home"), given)
    job.session.execute(text("UPDATE closure SET ended_at = :at WHERE territory_id = :home"), given)

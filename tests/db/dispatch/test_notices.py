"""Messages arrive at least once and count once; what nobody answers goes to the next, then to the shift leader."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select, text

from core.errors import InvalidInput, NotPermitted
from dispatch import execution, notices
from geodata import db
from geodata.tables import Incident, Notice, Outbox, Pin, Task
from tests.db.dispatch.test_execution import MINUTE, Job
from tests.db.incidents.conftest import NOW, add_incident, city, desk  # noqa: F401  (fixtures)
from tests.db.incidents.desk import fresh
from tests.dispatched import Stop


@pytest.fixture
def job(desk, add_incident):  # noqa: F811
    return Job(desk, add_incident)


def as_system(job: Job):
    db.as_actor(job.session, job.desk.city.actor)
    return job.session, job.desk.city.actor


def looked_at(job: Job, minutes: float, **more):
    crew = {job.first: NOW - dt.timedelta(hours=2), job.second: NOW - dt.timedelta(hours=2)}
    return notices.time_out(*as_system(job), NOW + minutes * MINUTE, **{"on_shift": crew} | more)


def test_a_message_arrives_once_however_often_it_is_handed_in(job) -> None:
    job.sent(job.filed("T-1"))
    session, actor = as_system(job)
    ids = notices.claim(session, actor)
    assert notices.hand_in(session, actor, ids) == 1
    # The process was killed here: nothing says that it arrived, so it is claimed and handed in again.
    assert notices.claim(session, actor) == ids
    assert notices.hand_in(session, actor, ids) == 0
    notices.settle(session, actor, ids, NOW)
    assert notices.claim(session, actor) == []
    assert job.ask(select(Outbox.attempts, Outbox.sent_at)) == [(2, NOW)]
    assert job.ask(select(Notice.worker_id, Notice.topic, Notice.made_at)) == [
        (job.first, "assigned", job.ask(select(Outbox.made_at))[0][0])
    ]


def test_each_reads_his_own_notices_and_the_desk_its_own(job) -> None:
    incident = job.filed("T-1")
    job.sent(incident)
    job.desk.act(job.desk.worker, incident, "return", reason="not_safe")
    job.sent(incident, job.second)
    session, actor = as_system(job)
    assert notices.deliver(session, actor, moment=NOW) == 3
    seen = {}
    for who in (job.desk.worker, job.other, job.desk.dispatcher, job.desk.supervisor, job.desk.handler):
        db.as_actor(session, who)
        seen[who.label, who.worker_id] = [(each.topic, each.number) for each in notices.my_notices(session, who)]
    assert seen == {
        ("wen", job.first): [("assigned", "T-1")],
        ("wen", job.second): [("assigned", "T-1")],
        ("dora", None): [("returned", "T-1")],
        ("sam", None): [("returned", "T-1")],
        ("hal", None): [],
    }
    db.as_actor(session, job.other)
    (mine,) = notices.my_notices(session, job.other)
    assert mine.title("zh-CN") == "您有新任务"
    assert notices.read_notices(session, job.other, mine.id, NOW) == 1
    assert notices.my_notices(session, job.other, unread=True) == ()
    with pytest.raises(Exception, match="read and never changed"), session.begin_nested():
        session.execute(text("UPDATE notice SET topic = 'rework'"))
    assert job.ask(select(Notice.read_at).where(Notice.worker_id == job.first)) == [(None,)]


def test_who_may_deliver_and_look_at_the_clock(job) -> None:
    session = job.session
    for who in (job.desk.dispatcher, job.desk.worker):
        db.as_actor(session, who)
        with pytest.raises(NotPermitted):
            notices.claim(session, who)
        with pytest.raises(NotPermitted):
            notices.time_out(session, who)
    with pytest.raises(InvalidInput, match="one territory"):
        notices.time_out(session, dataclasses.replace(job.desk.city.actor, territory_id=None))


def test_no_answer_goes_to_the_next_best_and_then_to_the_shift_leader(job) -> None:
    incident = job.filed("T-1")  # of priority 1, and an emergency
    job.sent(incident)
    job.plan(Stop(incident, job.second, NOW, NOW + MINUTE))
    assert looked_at(job, 2).given_on == ()
    (given,) = looked_at(job, 4).given_on
    assert (given.worker_id, given.number) == (job.second, "T-1")
    row = job.incident(incident)
    assert (row.worker_id, row.status, row.dispatched_by) == (job.second, "dispatched", job.desk.dispatcher.user_id)
    assert job.task(given.task_id).assigned_by == job.desk.dispatcher.user_id
    assert job.ask(select(Pin.worker_id, Pin.kind, Pin.reason)) == [(job.first, "bar", "no_answer")]
    assert looked_at(job, 6) == looked_at(job, 5)
    assert looked_at(job, 8).escalated == ("T-1",)
    assert looked_at(job, 30).escalated == ()
    topics = [topic for (topic,) in job.ask(select(Outbox.topic).order_by(Outbox.id))]
    assert sorted(topics) == ["assigned", "assigned", "escalated", "withdrawn"]
    job.holds()


def test_an_answer_stops_the_clock_and_so_does_the_end_of_the_shift(job) -> None:
    accepted, waiting = job.filed("T-1"), job.filed("T-2")
    job.sent(accepted)
    job.sent(waiting, job.second)
    job.desk.act(job.desk.worker, accepted, "accept")
    assert looked_at(job, 60, on_shift={}).escalated == ()
    late = {job.first: NOW, job.second: NOW + 58 * MINUTE}
    assert looked_at(job, 60, on_shift=late).escalated == ()
    assert looked_at(job, 60).escalated == ("T-2",)


def test_whom_the_dispatcher_chose_is_not_replaced(job) -> None:
    incident = job.filed("T-1")
    db.as_actor(job.session, job.desk.dispatcher)
    execution.override(
        job.session, job.desk.dispatcher, incident, job.first, reason="skill", version=None, command_id=fresh(),
        moment=NOW,
    )  # fmt: skip
    done = looked_at(job, 30, next_best=lambda _task: [job.second])
    assert (done.given_on, done.escalated) == ((), ("T-1",))


def test_the_platform_asks_who_is_next(job) -> None:
    incident = job.filed("T-1")
    job.sent(incident)
    done = looked_at(job, 30, next_best=lambda _task: [job.first, job.second])
    assert [each.worker_id for each in done.given_on] == [job.second]


def test_pins_end_with_the_incident(job) -> None:
    incident = job.filed("T-1")
    job.sent(incident)
    job.desk.act(job.desk.worker, incident, "return", reason="not_safe")
    assert job.ask(select(Pin.ended_at)) == [(None,)]
    job.desk.act(job.desk.supervisor, incident, "void", reason="trial")
    assert job.ask(select(Pin.ended_at))[0][0] is not None
    assert job.ask(select(Incident.status).where(Incident.id == incident)) == [("void",)]
    assert job.ask(select(Task.state).where(Task.incident_id == incident)) == [("returned",)]

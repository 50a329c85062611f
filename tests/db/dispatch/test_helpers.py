"""Several workers at one incident: each is told, has a part of his own, and it ends with the work of who leads."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from app.api.field_words import state_body
from core.errors import InvalidInput, NotFound, NotPermitted
from dispatch import execution_acts, field, field_store
from dispatch.field_model import FieldState, PhoneAct, Shift
from geodata import db
from geodata.tables import IncidentClass, Outbox, Pin, Task
from incidents.service import incident_detail
from tests.db.dispatch.test_execution import MINUTE, Job
from tests.db.incidents.conftest import NOW, add_incident, city, desk  # noqa: F401  (fixtures)
from tests.db.incidents.desk import fresh
from tests.dispatched import Stop

LIVE = ("waiting", "accepted", "started")
END = NOW + 20 * MINUTE


@pytest.fixture
def job(desk, add_incident):  # noqa: F811
    """The class of every incident takes two; nobody's communities hold an incident but the lead's."""
    made = Job(desk, add_incident)
    made.session.execute(update(IncidentClass).values(workers=2))
    return made


def company(job: Job, number: str = "H-1", *, along: bool = True) -> int:
    """Publish an incident that the first leads, and return it; the second comes along."""
    one = job.filed(number)
    stops = [Stop(one, job.first, NOW, END), *([Stop(one, job.second, NOW, END, along=True)] if along else [])]
    job.publish(job.plan(*stops), [one])
    return one


def parts(job: Job, one: int) -> dict[int, tuple[bool, str]]:
    """Return worker to whether he comes along, and the state of his newest task."""
    rows = job.ask(select(Task.worker_id, Task.joint, Task.state).where(Task.incident_id == one).order_by(Task.id))
    return {worker: (joint, state) for worker, joint, state in rows}


def test_both_are_sent_told_and_see_it(job) -> None:
    one = job.filed("H-1")
    plan = job.plan(Stop(one, job.first, NOW, END), Stop(one, job.second, NOW, END, along=True))
    published = job.publish(plan, None)
    assert [(each.worker_id, each.what, each.along) for each in published.done] == [
        (job.first, "sent", False),
        (job.second, "sent", True),
    ]
    assert published.stale == ()
    assert parts(job, one) == {job.first: (False, "waiting"), job.second: (True, "waiting")}
    assert (job.incident(one).worker_id, job.incident(one).version) == (job.first, 2)
    told = job.ask(select(Outbox.worker_id, Outbox.payload["kind"].astext).where(Outbox.incident_id == one))
    assert sorted(told) == [(job.first, "handle"), (job.second, "help")]
    db.as_actor(job.session, job.other)
    mine = [task for task, _, _ in field_store.tasks(job.session, job.home, job.second)]
    assert [(task.incident, task.kind, task.others) for task in mine] == [(one, "help", ("W001",))]
    assert incident_detail(job.session, job.other, one).row.id == one
    again = job.publish(plan, None)
    assert [each.what for each in again.done] == ["kept"]
    job.holds()


def test_what_takes_more_than_the_plan_has_is_not_sent_and_says_so(job) -> None:
    one = job.filed("H-1")
    published = job.publish(job.plan(Stop(one, job.first, NOW, END)), [one])
    assert published.done == ()
    assert "takes 2 workers" in published.stale[0].en
    assert "2 人" in published.stale[0].zh
    assert parts(job, one) == {}
    # Whom a hand chose goes all the same.
    job.session.add(Pin(territory_id=job.home, incident_id=one, worker_id=job.first, kind="pin", reason="other"))
    job.session.flush()
    assert [each.what for each in job.publish(job.plan(Stop(one, job.first, NOW, END)), [one]).done] == ["sent"]
    job.holds()


def test_who_comes_along_says_how_far_he_is_and_leaves_the_incident_alone(job) -> None:
    one = company(job)
    before = job.incident(one).version
    for act, state in (("accept_part", "accepted"), ("on_way", "accepted"), ("arrive", "started")):
        db.as_actor(job.session, job.other)
        getattr(execution_acts, act)(job.session, job.other, one, command_id=fresh(), moment=NOW)
        assert parts(job, one)[job.second] == (True, state)
    job.says("expect_done", one, 15, actor=job.other)
    with pytest.raises(NotPermitted, match="not yours"), job.session.begin_nested():
        job.desk.act(job.other, one, "finish")
    with pytest.raises(NotPermitted, match="You lead here"), job.session.begin_nested():
        db.as_actor(job.session, job.desk.worker)
        execution_acts.accept_part(job.session, job.desk.worker, one, command_id=fresh(), moment=NOW)
    assert "finish_part" in job.desk.allowed(job.other, one)
    assert "finish_part" not in job.desk.allowed(job.desk.worker, one)
    db.as_actor(job.session, job.other)
    told = FieldState(
        Shift("W002"), tuple(task for task, _, _ in field_store.tasks(job.session, job.home, job.second)), ()
    )
    (shown,) = state_body(told, "1.1", job.desk.city.territory, NOW)["tasks"]
    assert (shown["kind"], shown["state"], shown["needs"]) == ("help", "started", [])
    assert "W001" in shown["takes"]
    # The phone saw the incident before it changed: the part ends all the same.
    field.apply(job.session, job.other, PhoneAct(fresh(), "finish_part", one, 1, NOW))
    assert parts(job, one)[job.second] == (True, "done")
    assert (job.incident(one).version, job.incident(one).status) == (before, "dispatched")
    with pytest.raises(NotPermitted, match="no open part"), job.session.begin_nested():
        job.desk.act(job.other, one, "finish_part")
    job.desk.act(job.desk.worker, one, "finish", version=before)
    with pytest.raises(InvalidInput, match="handled an incident"), job.session.begin_nested():
        job.desk.act(job.desk.supervisor, one, "ask_check", worker_id=job.second)
    job.holds()


@pytest.mark.parametrize(("act", "there", "came"), [
    ("finish", True, "done"), ("finish", False, "cancelled"), ("return", True, "cancelled"),
])  # fmt: skip
def test_his_part_ends_with_the_work_of_who_leads(job, act, there, came) -> None:
    one = company(job)
    if there:
        job.says("arrive", one, actor=job.other)
    job.desk.act(job.desk.worker, one, act, reason="called_away" if act == "return" else "")
    assert parts(job, one)[job.second] == (True, came)
    assert job.incident(one).status == ("checking" if act == "finish" else "filed")
    with pytest.raises(NotFound):
        job.says("arrive", one, actor=job.other, moment=NOW + MINUTE)
    # What he did after that, before his phone knew, is refused in words that say what became of it.
    for late, more in (("arrive", {}), ("note", {"text": "lid"}), ("finish_part", {})) if came == "cancelled" else ():
        db.as_actor(job.session, job.other)
        with pytest.raises(NotFound, match="not yours any more"), job.session.begin_nested():
            field.apply(job.session, job.other, PhoneAct(fresh(), late, one, 1, NOW + MINUTE, more))
    told = job.ask(select(Outbox.topic).where(Outbox.worker_id == job.second).order_by(Outbox.id))
    assert [topic for (topic,) in told] == ["assigned", *(["withdrawn"] if came == "cancelled" else [])]
    job.holds()


def test_who_cannot_come_along_says_why_and_is_not_asked_again(job) -> None:
    one = company(job)
    with pytest.raises(InvalidInput, match="reason"), job.session.begin_nested():
        job.desk.act(job.other, one, "return_part")
    job.desk.act(job.other, one, "return_part", reason="not_safe")
    assert parts(job, one) == {job.first: (False, "waiting"), job.second: (True, "returned")}
    assert job.ask(select(Outbox.topic, Outbox.worker_id).where(Outbox.topic == "returned")) == [("returned", None)]
    assert job.ask(select(Pin.worker_id, Pin.kind)) == [(job.second, "bar")]
    plan = job.plan(Stop(one, job.first, NOW, END), Stop(one, job.second, NOW, END, along=True))
    assert [each.along for each in job.publish(plan, [one]).done] == [False]
    assert parts(job, one)[job.second] == (True, "returned")
    # A hand that calls him in all the same wins: no plan keeps him away any more.
    job.desk.act(job.desk.dispatcher, one, "join", worker_id=job.second)
    assert parts(job, one)[job.second] == (True, "waiting")
    assert job.ask(select(Pin.id).where(Pin.ended_at.is_(None))) == []
    job.holds()


def test_a_plan_without_him_takes_him_back_until_he_has_set_out(job) -> None:
    one = company(job)
    plan = job.plan(Stop(one, job.first, NOW + 5 * MINUTE, END))
    job.publish(plan, [one])
    assert parts(job, one)[job.second] == (True, "cancelled")
    two = company(job, "H-2")
    plan = job.plan(Stop(two, job.first, NOW + 30 * MINUTE, END + 30 * MINUTE))
    job.says("on_way", two, actor=job.other)
    job.publish(plan, [two])
    assert parts(job, two)[job.second] == (True, "accepted")
    job.holds()


def test_a_dispatcher_calls_one_in_and_the_lead_may_change_places_with_him(job) -> None:
    one = job.filed("H-1")
    job.desk.assign(one)
    job.desk.act(job.desk.dispatcher, one, "join", worker_id=job.second)
    for who in (job.first, job.second):
        with pytest.raises(InvalidInput, match="at work on it already"), job.session.begin_nested():
            job.desk.act(job.desk.dispatcher, one, "join", worker_id=who)
    job.desk.assign(one, job.second, reason="skill")
    rows = job.ask(select(Task.worker_id, Task.joint).where(Task.incident_id == one, Task.state.in_(LIVE)))
    assert rows == [(job.second, False)]
    job.holds()


def test_the_database_lets_only_who_leads_end_his_part(job) -> None:
    one = company(job)
    job.desk.act(job.desk.worker, one, "accept")
    ended = text("UPDATE task SET state = :state, finished_at = :at WHERE incident_id = :one AND joint = :joint")
    for actor, joint, state, refused in (
        (job.other, False, "cancelled", True),
        (job.other, False, "done", True),
        (job.other, True, "cancelled", True),
        (job.desk.worker, False, "cancelled", True),
        (job.desk.worker, True, "returned", True),
        (job.desk.worker, True, "cancelled", False),
    ):
        db.as_actor(job.session, actor)
        given = {"state": state, "at": NOW, "one": one, "joint": joint}
        if refused:
            with pytest.raises(DBAPIError, match="not yours"), job.session.begin_nested():
                job.session.execute(ended, given)
        else:
            job.session.execute(ended, given)
    with pytest.raises(DBAPIError, match="uq_task_live_worker"), job.session.begin_nested():
        db.as_actor(job.session, job.desk.dispatcher)
        job.session.execute(
            text("INSERT INTO task (territory_id, incident_id, kind, state, worker_id, created_at, joint)"
                 " VALUES (:home, :one, 'handle', 'waiting', :who, :at, true)"),
            {"home": job.home, "one": one, "who": job.first, "at": NOW},
        )  # fmt: skip

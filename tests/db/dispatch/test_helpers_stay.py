"""Who comes along, to the end: no answer, called in off shift, without a network while the lead finishes, refused."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from dispatch import field, field_store, notices
from dispatch.field_model import PhoneAct
from dispatch.situation_model import WorkRow, companies
from geodata import db
from geodata.tables import IncidentClass, Outbox, Pin, Task, Worker
from incidents.service import incident_detail
from tests.db.dispatch.test_execution import MINUTE
from tests.db.dispatch.test_helpers import END, company, job, parts  # noqa: F401  (fixtures)
from tests.db.incidents.conftest import NOW, add_incident, city, desk  # noqa: F401  (fixtures)
from tests.db.incidents.desk import fresh
from tests.dispatched import Stop


def phone(job, act: str, one: int, version: int | None = None, *, minutes: float = 0, who=None, command: str = ""):  # noqa: F811
    """Let a phone say what happened some minutes from now, however late."""
    actor = who or job.other
    db.as_actor(job.session, actor)
    said = PhoneAct(command or fresh(), act, one, version, NOW + minutes * MINUTE, {})
    with job.session.begin_nested():
        return field.apply(job.session, actor, said)


def third(job, code: str = "W003") -> int:  # noqa: F811
    """Return one more worker."""
    db.as_actor(job.session, job.desk.city.actor)
    made = Worker(territory_id=job.home, unit_id=job.desk.unit_id, code=code)
    job.session.add(made)
    job.session.flush()
    return made.id


def looked_at(job, minutes: float, *best: int, **more):  # noqa: F811
    db.as_actor(job.session, job.desk.city.actor)
    crew = dict.fromkeys((job.first, job.second, *best), NOW)
    given = {"on_shift": crew, "next_best": lambda _task: [job.first, *best]} | more
    return notices.time_out(job.session, job.desk.city.actor, NOW + minutes * MINUTE, **given)


def test_who_does_not_answer_gives_way_to_the_next_best_and_then_the_shift_leader_hears(job) -> None:  # noqa: F811
    one = company(job)
    job.desk.act(job.desk.worker, one, "accept")
    version, extra = job.incident(one).version, third(job)
    (given,) = looked_at(job, 300, extra).given_on
    assert (given.worker_id, given.along, given.number) == (extra, True, "H-1")
    assert parts(job, one) == {
        job.first: (False, "accepted"),
        job.second: (True, "cancelled"),
        extra: (True, "waiting"),
    }
    assert job.incident(one).version == version, "who leads goes on as he saw it"
    assert job.ask(select(Pin.worker_id, Pin.kind, Pin.reason)) == [(job.second, "bar", "no_answer")]
    told = job.ask(select(Outbox.topic, Outbox.worker_id).where(Outbox.task_id == given.task_id))
    assert told == [("assigned", extra)]
    notices.deliver(job.session, job.desk.city.actor, moment=NOW)
    db.as_actor(job.session, job.other)
    (withdrawn,) = field_store.notices(job.session, job.home, job.second)
    # Out of his reach by now, and still told by its number.
    assert (withdrawn.topic, withdrawn.number, withdrawn.title_en) == ("withdrawn", "H-1", "")
    assert looked_at(job, 301, extra).given_on == ()
    done = looked_at(job, 700, extra)
    assert (done.given_on, done.escalated) == ((), ("H-1",))
    job.holds()


def test_of_several_who_do_not_answer_each_gives_way_to_a_next_best(job) -> None:  # noqa: F811
    db.as_actor(job.session, job.desk.city.actor)
    job.session.execute(update(IncidentClass).values(workers=3))
    one, (more, *best) = job.filed("H-1"), [third(job, f"W00{n}") for n in (3, 4, 5)]
    stops = [Stop(one, job.first, NOW, END), *(Stop(one, who, NOW, END, along=True) for who in (job.second, more))]
    job.publish(job.plan(*stops), [one])
    job.desk.act(job.desk.worker, one, "accept")
    crew = dict.fromkeys((job.first, job.second, more, *best), NOW)
    done = looked_at(job, 300, *best, on_shift=crew)
    assert ([each.worker_id for each in done.given_on], done.escalated) == (best, ())
    done = looked_at(job, 700, *best, on_shift=crew)
    assert (done.given_on, done.escalated) == ((), ("H-1", "H-1"))
    job.holds()


def test_nobody_else_and_whom_a_hand_called_in_are_for_the_shift_leader(job) -> None:  # noqa: F811
    one = company(job)
    job.desk.act(job.desk.worker, one, "accept")
    assert looked_at(job, 300).escalated == ("H-1",)
    two = job.filed("H-2")
    job.desk.assign(two)
    job.desk.act(job.desk.worker, two, "accept")
    job.desk.act(job.desk.dispatcher, two, "join", worker_id=job.second)
    done = looked_at(job, 300, third(job))
    assert (done.given_on, done.escalated) == ((), ("H-2",))
    job.holds()


def test_whom_a_hand_called_in_off_shift_stays_and_counts(job) -> None:  # noqa: F811
    one = job.filed("H-1")
    job.desk.assign(one)
    job.desk.act(job.desk.dispatcher, one, "join", worker_id=job.second)
    # The plan is made a minute later, of who is on shift: it does not know him, and takes two to be one and him.
    plan = job.plan(Stop(one, job.first, NOW + 5 * MINUTE, END))
    db.as_actor(job.session, job.desk.city.actor)
    job.session.execute(text("UPDATE plan SET made_at = now() + interval '1 minute' WHERE id = :id"), {"id": plan})
    published = job.publish(plan, [one])
    assert ([each.what for each in published.done], published.stale) == (["retimed"], ())
    assert parts(job, one)[job.second] == (True, "waiting")
    two = job.filed("H-2")
    job.desk.assign(two)
    job.desk.act(job.desk.dispatcher, two, "join", worker_id=job.second)
    extra = third(job)
    assert [each.what for each in job.publish(job.plan(Stop(two, extra, NOW, END)), [two]).done] == ["sent"]
    assert parts(job, two) == {
        job.first: (False, "cancelled"),
        job.second: (True, "waiting"),
        extra: (False, "waiting"),
    }
    job.holds()


def test_whom_a_hand_called_in_may_lead_by_the_plan(job) -> None:  # noqa: F811
    one = job.filed("H-1")
    job.desk.assign(one)
    job.desk.act(job.desk.dispatcher, one, "join", worker_id=job.second)
    plan = job.plan(Stop(one, job.second, NOW, END), Stop(one, job.first, NOW, END, along=True))
    assert [each.what for each in job.publish(plan, [one]).done] == ["sent", "sent"]
    assert parts(job, one) == {job.first: (True, "waiting"), job.second: (False, "waiting")}
    job.holds()


def test_whom_the_clock_called_in_after_the_plan_was_made_does_not_lead_by_it(job) -> None:  # noqa: F811
    one, extra = company(job), third(job)
    job.desk.act(job.desk.worker, one, "accept")
    plan = job.plan(Stop(one, extra, NOW, END), Stop(one, job.first, NOW, END, along=True))
    assert [each.worker_id for each in looked_at(job, 300, extra).given_on] == [extra]
    published = job.publish(plan, [one])
    assert (published.done, [each.number for each in published.stale]) == ((), ["H-1"])
    assert parts(job, one)[extra] == (True, "waiting")
    job.holds()


def test_the_plan_asks_for_so_many_fewer() -> None:
    lead = WorkRow(
        1, "H-1", 7, "Lid", "井盖", "dispatched", 2, False, None, None, None, 24.9, 60.2, 1, None, workers=3,
        task_id=5, worker_id=11, state="waiting",
    )  # fmt: skip
    part = {name: getattr(lead, name) for name in WorkRow.__slots__} | {"joint": True, "task_id": 6, "worker_id": 99}
    found = companies([lead, WorkRow(**part | {"by_hand": True})], {11: "W011"}, ())
    assert (found[1].wanted, found[1].told) == (2, frozenset())
    assert companies([lead, WorkRow(**part)], {11: "W011"}, ()) == {}


@pytest.mark.parametrize("said", [("arrive",), ("accept_part", "on_way", "arrive", "finish_part"), ("finish_part",)])
def test_who_was_there_while_the_lead_finished_has_been_there(job, said) -> None:  # noqa: F811
    one = company(job)
    job.desk.act(job.desk.worker, one, "finish", moment=NOW + 30 * MINUTE)
    assert parts(job, one)[job.second] == (True, "cancelled")
    commands = [fresh() for _ in said]
    for k, (act, command) in enumerate(zip(said, commands, strict=True)):
        assert phone(job, act, one, 1, minutes=5 * k, command=command).number == "H-1"
    assert parts(job, one)[job.second] == (True, "done")
    for act, command in zip(said, commands, strict=True):  # sent again since no answer came
        assert phone(job, act, one, 1, command=command).repeated
    (row,) = job.ask(select(Task.arrived_at, Task.finished_at).where(Task.worker_id == job.second))
    assert row.finished_at == NOW + 30 * MINUTE
    assert (row.arrived_at is None) == ("arrive" not in said)
    told = job.ask(select(Outbox.topic).where(Outbox.worker_id == job.second).order_by(Outbox.id))
    assert [topic for (topic,) in told] == ["assigned", "withdrawn", "counted"]
    # Four eyes: who was there does not check it.
    with pytest.raises(InvalidInput, match="handled an incident"), job.session.begin_nested():
        job.desk.act(job.desk.supervisor, one, "ask_check", worker_id=job.second)
    job.holds()


def test_who_ends_his_part_after_the_lead_ended_it_has_ended_it(job) -> None:  # noqa: F811
    one = company(job)
    phone(job, "arrive", one, 1, minutes=10)
    job.desk.act(job.desk.worker, one, "finish", moment=NOW + 30 * MINUTE)
    assert phone(job, "finish_part", one, 1, minutes=31).number == "H-1"
    (row,) = job.ask(select(Task.state, Task.finished_at).where(Task.worker_id == job.second))
    assert tuple(row) == ("done", NOW + 30 * MINUTE)
    job.holds()


def test_who_was_there_does_not_check_it_though_he_was_sent_before_his_phone_said_so(job) -> None:  # noqa: F811
    one = company(job)
    job.desk.act(job.desk.worker, one, "finish", moment=NOW + 30 * MINUTE)
    job.desk.act(job.desk.supervisor, one, "ask_check", worker_id=job.second, moment=NOW + 40 * MINUTE)
    phone(job, "arrive", one, 1, minutes=10)
    rows = job.ask(select(Task.kind, Task.state).where(Task.worker_id == job.second).order_by(Task.id))
    assert rows == [("handle", "done"), ("check", "waiting")]
    with pytest.raises(NotPermitted, match="may not check"):
        phone(job, "on_way", one, 1, minutes=50)
    job.holds()


def test_a_part_does_not_end_before_what_is_known_of_it(job) -> None:  # noqa: F811
    one = job.filed("H-1")
    job.desk.assign(one)
    seen = job.incident(one).version
    job.desk.act(job.desk.dispatcher, one, "join", worker_id=job.second, moment=NOW + 10 * MINUTE)
    phone(job, "arrive", one, minutes=12)
    phone(job, "finish", one, seen, minutes=5, who=job.desk.worker)
    rows = job.ask(select(Task.worker_id, Task.state, Task.finished_at).where(Task.incident_id == one))
    ended = {job.first: ("done", NOW + 5 * MINUTE), job.second: ("done", NOW + 12 * MINUTE)}
    assert {worker: (state, at) for worker, state, at in rows} == ended
    job.holds()


def test_what_is_not_so_does_not_count(job) -> None:  # noqa: F811
    one = company(job)
    job.desk.act(job.desk.worker, one, "finish", moment=NOW + 30 * MINUTE)
    for act, minutes in (("arrive", 31), ("finish_part", 31), ("arrive", -60)):
        with pytest.raises(NotFound, match="not yours any more"):
            phone(job, act, one, 1, minutes=minutes)
    # He had set out and was not there: that is written down, and the part stays taken back.
    phone(job, "on_way", one, 1, minutes=10)
    assert parts(job, one)[job.second] == (True, "cancelled")
    # Nothing finished, nothing counts.
    two = company(job, "H-2")
    job.desk.act(job.desk.worker, two, "return", reason="called_away", moment=NOW + 30 * MINUTE)
    with pytest.raises(NotFound, match="not yours any more"):
        phone(job, "arrive", two, 1)
    # The database lets nobody else bring back what ended.
    for actor in (job.desk.worker, job.desk.dispatcher):
        db.as_actor(job.session, actor)
        with pytest.raises(DBAPIError), job.session.begin_nested():
            job.session.execute(text("UPDATE task SET state = 'done' WHERE state = 'cancelled' AND incident_id = :one"),
                                {"one": one})  # fmt: skip
    job.holds()


def test_the_lead_s_queue_applies_though_others_were_called_in(job) -> None:  # noqa: F811
    one = job.filed("H-1")
    job.desk.assign(one)
    seen = job.incident(one).version
    job.desk.act(job.desk.dispatcher, one, "join", worker_id=job.second)
    phone(job, "accept_part", one)
    who = job.desk.worker
    first = phone(job, "accept", one, seen, who=who, minutes=1)
    assert first.version == seen + 2
    phone(job, "arrive", one, seen, who=who, minutes=2)
    assert phone(job, "finish", one, job.incident(one).version, who=who, minutes=3).status == "checking"
    # Anything else that changed is a conflict as before.
    two = job.filed("H-2")
    job.desk.assign(two)
    seen = job.incident(two).version
    job.desk.act(job.desk.dispatcher, two, "join", worker_id=job.second)
    db.as_actor(job.session, job.desk.city.actor)
    job.session.execute(text("UPDATE incident SET priority = 4, version = version + 1 WHERE id = :id"), {"id": two})
    with pytest.raises(Conflict, match="system changed it"):
        phone(job, "accept", two, seen, who=who, minutes=1)
    job.holds()


def test_who_refused_sees_the_incident_no_more(job) -> None:  # noqa: F811
    one = company(job)
    db.as_actor(job.session, job.other)
    assert incident_detail(job.session, job.other, one).row.id == one
    job.desk.act(job.other, one, "return_part", reason="not_safe")
    db.as_actor(job.session, job.other)
    with pytest.raises(NotFound):
        incident_detail(job.session, job.other, one)
    with pytest.raises(NotFound, match="not yours any more"):
        phone(job, "arrive", one, 1)
    job.holds()

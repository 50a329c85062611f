"""Who was called in to come along is taken back by hand: told why, kept away from plans, and against what was seen."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.api.field_words import state_body
from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from dispatch import field, field_store, notices
from dispatch.field_model import FieldState, PhoneAct, Shift
from geodata import db
from geodata.tables import Outbox, Pin, Record, Unit
from tests.db.dispatch.test_execution import MINUTE
from tests.db.dispatch.test_helpers import END, company, job, parts  # noqa: F401  (fixtures)
from tests.db.incidents.conftest import NOW, add_incident, city, desk  # noqa: F401  (fixtures)
from tests.db.incidents.desk import fresh
from tests.dispatched import Stop


def called_in(job, number: str = "H-1") -> int:  # noqa: F811
    """Return an incident that the first leads, to which a hand called in the second."""
    one = job.filed(number)
    job.desk.assign(one)
    job.desk.act(job.desk.dispatcher, one, "join", worker_id=job.second)
    return one


def taken_back(job, one: int, who: int | None = None, **more):  # noqa: F811
    given = {"worker_id": who or job.second, "reason": "not_needed"} | more
    return job.desk.act(job.desk.dispatcher, one, "take_back", **given)


def test_whom_a_hand_called_in_a_hand_takes_back_and_he_is_told_why(job) -> None:  # noqa: F811
    one = called_in(job)
    before = job.incident(one).version
    assert "take_back" in job.desk.allowed(job.desk.dispatcher, one)
    command = fresh()
    done = taken_back(job, one, version=before, command_id=command)
    assert (done.status, done.version) == ("dispatched", before + 1)
    assert taken_back(job, one, version=before, command_id=command).repeated
    assert parts(job, one) == {job.first: (False, "waiting"), job.second: (True, "cancelled")}
    told = job.ask(select(Outbox.topic, Outbox.payload["reason"].astext).where(Outbox.worker_id == job.second))
    assert told == [("assigned", None), ("withdrawn", "not_needed")]
    notices.deliver(job.session, job.desk.city.actor, moment=NOW)
    db.as_actor(job.session, job.other)
    assert field_store.tasks(job.session, job.home, job.second) == []
    state = FieldState(Shift("W002"), (), tuple(field_store.notices(job.session, job.home, job.second)))
    (shown,) = state_body(state, "1.1", job.desk.city.territory, NOW)["notices"]
    assert (shown["topic"], shown["number"], shown["why"]) == ("withdrawn", "H-1", "Not needed after all")
    purposes = job.ask(select(Record.purpose, Record.actor_label).where(Record.command_id == command))
    assert set(purposes) == {("take_back: not_needed", "dora")}
    # What he did before his phone knew is refused in words.
    for act in ("accept_part", "arrive", "finish_part"):
        db.as_actor(job.session, job.other)
        with pytest.raises(NotFound, match="taken back"), job.session.begin_nested():
            field.apply(job.session, job.other, PhoneAct(fresh(), act, one, 1, NOW + MINUTE))
    assert "take_back" not in job.desk.allowed(job.desk.dispatcher, one)
    job.holds()


def test_no_plan_calls_him_in_again_and_a_hand_may(job) -> None:  # noqa: F811
    one = company(job)
    taken_back(job, one, reason="elsewhere")
    assert job.ask(select(Pin.worker_id, Pin.kind, Pin.reason)) == [(job.second, "bar", "elsewhere")]
    plan = job.plan(Stop(one, job.first, NOW, END), Stop(one, job.second, NOW, END, along=True))
    job.publish(plan, [one])
    assert parts(job, one)[job.second] == (True, "cancelled")
    job.desk.act(job.desk.dispatcher, one, "join", worker_id=job.second)
    assert parts(job, one)[job.second] == (True, "waiting")
    assert job.ask(select(Pin.id).where(Pin.ended_at.is_(None))) == []
    job.holds()


def test_who_is_on_the_way_or_there_can_be_taken_back_and_the_lead_goes_on_as_he_saw_it(job) -> None:  # noqa: F811
    one = called_in(job)
    seen = job.incident(one).version
    for minutes, act in enumerate(("accept_part", "on_way", "arrive")):
        db.as_actor(job.session, job.other)
        field.apply(job.session, job.other, PhoneAct(fresh(), act, one, None, NOW + minutes * MINUTE))
    taken_back(job, one)
    assert parts(job, one)[job.second] == (True, "cancelled")
    for act in ("accept", "start", "finish"):
        job.desk.act(job.desk.worker, one, act, version=seen if act == "accept" else None)
    assert job.incident(one).status == "checking"
    assert parts(job, one)[job.second] == (True, "cancelled")
    job.holds()


def test_a_unit_that_was_called_in_no_longer_holds_up_the_lead(job) -> None:  # noqa: F811
    one = job.filed("H-1")
    job.desk.assign(one)
    db.as_actor(job.session, job.desk.city.actor)
    parks = Unit(territory_id=job.home, code="PK", kind="department", name="Parks", valid_from=NOW.date())
    job.session.add(parks)
    job.session.flush()
    job.desk.act(job.desk.dispatcher, one, "join", unit_id=parks.id)
    with pytest.raises(NotPermitted, match="Other units"), job.session.begin_nested():
        job.desk.act(job.desk.worker, one, "finish")
    job.desk.act(job.desk.dispatcher, one, "take_back", unit_id=parks.id, reason="by_mistake")
    assert job.desk.act(job.desk.worker, one, "finish").status == "checking"
    job.holds()


def test_what_cannot_be_is_refused_in_words(job) -> None:  # noqa: F811
    one = called_in(job)
    seen = job.incident(one).version
    with pytest.raises(InvalidInput, match="reason"), job.session.begin_nested():
        taken_back(job, one, reason="")
    with pytest.raises(InvalidInput, match="Name the unit or the worker"), job.session.begin_nested():
        job.desk.act(job.desk.dispatcher, one, "take_back", reason="not_needed")
    with pytest.raises(NotFound, match="not open any more"), job.session.begin_nested():
        taken_back(job, one, job.first)  # who leads is given another by assigning anew
    for actor in (job.desk.worker, job.other, job.desk.supervisor, job.desk.handler):
        with pytest.raises(NotPermitted, match="It is for: dispatcher"), job.session.begin_nested():
            job.desk.act(actor, one, "take_back", worker_id=job.second, reason="not_needed")
    with pytest.raises(Conflict, match="changed"), job.session.begin_nested():
        taken_back(job, one, version=seen - 1)
    assert parts(job, one)[job.second] == (True, "waiting")
    db.as_actor(job.session, job.other)
    job.desk.act(job.other, one, "finish_part")
    with pytest.raises(NotPermitted, match="Nobody who was called in"), job.session.begin_nested():
        taken_back(job, one)
    job.holds()

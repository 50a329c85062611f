"""The clock of answers and publishing beside others at work: nobody waits for anybody, and places are forgotten."""

from __future__ import annotations

import datetime as dt
import random
import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app import dispatch_jobs, retention
from core.clock import now
from core.identity import Role, system_actor
from dispatch import execution
from dispatch.field_model import POSITION_AGE
from geodata import db
from tests.db.dispatch.test_execution_at_once import Rush, planned, rush
from tests.dispatched import in_line, write_plan
from tests.rosters import everybody_on_shift


@pytest.fixture(scope="module")
def made(demo_database) -> Rush:
    return rush(3)


def published(made: Rush, chosen: list[int], plan: int) -> execution.Published:
    dispatcher = made.actors[Role.DISPATCHER]
    with db.transaction(dispatcher) as session:
        session.execute(text("SET LOCAL lock_timeout = '2s'"))
        return execution.publish(session, dispatcher, plan, chosen, command_id=str(uuid.uuid4()))


def test_publishing_leaves_out_a_worker_whose_task_somebody_changes(made) -> None:
    one, other = made.ids[:2]
    at, who = now(), made.workers[0]
    with db.transaction(system_actor(made.home)) as session:
        plan = write_plan(session, made.home, at, in_line([(one, who), (other, who)], at))
    done = published(made, [one], plan).done[0]
    with db.transaction(system_actor(made.home)) as session:
        session.execute(text("SELECT id FROM task WHERE id = :task FOR UPDATE"), {"task": done.task_id})
        came = published(made, [other], plan)
        assert (came.done, [each.en for each in came.stale]) == ((), [execution.BUSY[0]])
    assert [each.what for each in published(made, [other], plan).done] == ["sent"]


def test_whom_to_ask_is_found_before_anything_is_locked_and_a_fault_stops_nothing(made, monkeypatch) -> None:
    with db.transaction(system_actor()) as session:
        everybody_on_shift(session)
        session.execute(text("UPDATE task SET created_at = now() - interval '2 hours' WHERE state = 'waiting'"))
    free = []

    def asks(_session, _actor):
        def offers(_task):
            with db.transaction(system_actor()) as beside:
                got = "SELECT pg_try_advisory_xact_lock(hashtext('gridkeeper.dispatch'), :home)"
                free.append(beside.execute(text(got), {"home": made.home}).scalar())
                beside.execute(text("SELECT id FROM incident FOR UPDATE NOWAIT")).all()
            return made.workers

        return offers

    monkeypatch.setattr(dispatch_jobs, "next_best", asks)
    assert dispatch_jobs.time_out_all() > 0
    assert set(free) == {True}
    for fault in (OperationalError("x", {}, Exception("deadlock")), execution.Conflict("x")):

        def fails(_session, _actor, fault=fault):
            raise fault

        monkeypatch.setattr(dispatch_jobs, "next_best", fails)
        assert dispatch_jobs.time_out_all() == 0


def test_places_of_workers_leave_old_plans(made) -> None:
    plan, _ = planned(made, random.Random(2), 1)
    fresh, _ = planned(made, random.Random(3), 1)
    with db.transaction(system_actor(made.home)) as session:
        session.execute(text("UPDATE plan SET snapshot = 'x'::bytea"))
        old = now() - POSITION_AGE - dt.timedelta(minutes=1)
        session.execute(text("UPDATE plan SET made_at = :at WHERE id = :plan"), {"at": old, "plan": plan})
    assert retention.forget_places() == 1
    with db.transaction(system_actor(made.home)) as session:
        kept = session.execute(text("SELECT id, snapshot IS NOT NULL FROM plan WHERE id IN (:a, :b) ORDER BY id"),
                               {"a": plan, "b": fresh}).all()  # fmt: skip
    assert [tuple(each) for each in kept] == [(plan, False), (fresh, True)]

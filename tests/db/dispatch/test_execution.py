"""Publishing a plan as compare-and-set, choosing by hand, and what a worker says of his task."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from sqlalchemy import select, text

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from dispatch import execution
from geodata import db
from geodata.tables import Incident, Outbox, Pin, Record, Task
from tests.db.incidents.conftest import NOW, add_incident, city, desk  # noqa: F401  (fixtures)
from tests.db.incidents.desk import fresh
from tests.dispatched import Stop, in_line, what_is_broken, write_plan

LIVE = ("waiting", "accepted", "started")
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def job(desk, add_incident):  # noqa: F811
    return Job(desk, add_incident)


class Job:
    """What the tests do again and again."""

    def __init__(self, desk, add_incident):  # noqa: F811
        self.desk, self.add = desk, add_incident
        self.session, self.home = desk.session, desk.city.territory.id
        self.first, self.second = desk.worker.worker_id, desk.other_worker_id
        self.other = dataclasses.replace(desk.worker, worker_id=self.second, user_id=desk.extra_id)

    def filed(self, number: str) -> int:
        db.as_actor(self.session, self.desk.city.actor)
        return self.add(number=number, unit_id=self.desk.unit_id, due_at=NOW + dt.timedelta(hours=4))

    def plan(self, *stops: Stop) -> int:
        return write_plan(self.session, self.home, NOW, stops)

    def publish(self, plan: int, ids=None, *, command: str | None = None, actor=None):
        who = actor or self.desk.dispatcher
        db.as_actor(self.session, who)
        return execution.publish(self.session, who, plan, ids, command_id=command or fresh(), moment=NOW)

    def sent(self, incident: int, worker: int | None = None) -> int:
        """Send a worker by a plan of one stop; return the task."""
        plan = self.plan(Stop(incident, worker or self.first, NOW, NOW + 20 * MINUTE))
        return self.publish(plan, [incident]).done[0].task_id

    def task(self, task_id: int) -> Task:
        db.as_actor(self.session, self.desk.city.actor)
        self.session.expire_all()
        return self.session.get_one(Task, task_id)

    def incident(self, incident_id: int) -> Incident:
        db.as_actor(self.session, self.desk.city.actor)
        self.session.expire_all()
        return self.session.get_one(Incident, incident_id)

    def says(self, act: str, incident: int, *more, actor=None, **given):
        who = actor or self.desk.worker
        db.as_actor(self.session, who)
        with self.session.begin_nested():
            return getattr(execution, act)(
                self.session, who, incident, *more, **{"command_id": fresh(), "moment": NOW} | given
            )

    def ask(self, query):
        """Answer a query as the system."""
        db.as_actor(self.session, self.desk.city.actor)
        return self.session.execute(query).all()

    def holds(self) -> None:
        db.as_actor(self.session, self.desk.city.actor)
        assert what_is_broken(self.session) == {}

    def records(self, table: str, command: str) -> list[tuple[str, str]]:
        db.as_actor(self.session, self.desk.city.actor)
        rows = self.session.execute(
            select(Record.action, Record.purpose).where(Record.subject_table == table, Record.command_id == command)
        )
        return [tuple(row) for row in rows]


def test_publishing_sends_everybody_and_leaves_the_usual_traces(job) -> None:
    ids = [job.filed(f"T-{n}") for n in range(4)]
    plan = job.plan(*in_line([(ids[0], job.first), (ids[1], job.first), (ids[2], job.second)], NOW))
    command = fresh()
    published = job.publish(plan, None, command=command)
    assert [each.what for each in published.done] == ["sent"] * 3
    assert published.stale == ()
    row, task = job.incident(ids[0]), job.task(published.done[0].task_id)
    assert (row.status, row.worker_id, row.dispatched_by) == ("dispatched", job.first, job.desk.dispatcher.user_id)
    assert (row.dispatched_at, row.version) == (NOW, 2)
    assert (task.state, task.assigned_by, task.due_at) == ("waiting", job.desk.dispatcher.user_id, row.due_at)
    assert (task.planned_start, task.planned_end, task.place_in_route) == (NOW, NOW + 20 * MINUTE, 1)
    assert job.records("incident", command) == [("update", "assign: proposed")] * 3
    assert job.records("task", command) == [("insert", "assign: proposed")] * 3
    told = job.ask(select(Outbox.topic, Outbox.worker_id, Outbox.sent_at).order_by(Outbox.id))
    assert sorted(told[:3]) == sorted(("assigned", who, None) for who in (job.first, job.first, job.second))
    assert job.incident(ids[3]).status == "filed"
    job.holds()


def test_a_row_that_moved_on_is_dropped_and_says_who_changed_what(job) -> None:
    ids = [job.filed(f"T-{n}") for n in range(2)]
    plan = job.plan(*in_line([(each, job.first) for each in ids], NOW))
    job.desk.assign(ids[1], job.second)
    published = job.publish(plan, ids)
    assert [each.number for each in published.done] == ["T-0"]
    (stale,) = published.stale
    assert stale.number == "T-1"
    assert "dora assigned it" in stale.en
    assert "status: filed → dispatched" in stale.en
    assert "派遣到人" in stale.text("zh-CN")
    assert job.incident(ids[1]).worker_id == job.second
    job.holds()


def test_a_command_is_applied_once_and_answers_as_it_did_first(job) -> None:
    incident = job.filed("T-1")
    plan, command = job.plan(*in_line([(incident, job.first)], NOW)), fresh()
    first = job.publish(plan, [incident], command=command)
    again = job.publish(plan, [incident], command=command)
    assert again.repeated
    assert dataclasses.replace(again, repeated=False) == first
    with pytest.raises(InvalidInput, match="applied before"):
        job.publish(plan, [incident, 1], command=command)
    # Another command: what the plan says holds already, so nothing is done and nothing is wrong.
    assert job.incident(incident).version == 2


def test_the_routes_of_the_workers_touched_are_timed_anew(job) -> None:
    kept, new, away = job.filed("T-1"), job.filed("T-2"), job.filed("T-3")
    job.sent(kept)
    outside = job.sent(away, job.second)
    stops = [
        Stop(new, job.first, NOW, NOW + 10 * MINUTE),
        Stop(kept, job.first, NOW + 10 * MINUTE, NOW + 30 * MINUTE),
    ]
    plan = job.plan(*stops)
    published = job.publish(plan, [new])
    assert (len(published.done), published.also_retimed, published.unplanned) == (1, 1, 0)
    task = job.session.scalars(select(Task).where(Task.incident_id == kept)).one()
    assert (task.planned_start, task.place_in_route) == (NOW + 10 * MINUTE, 2)
    assert job.task(outside).planned_start == NOW
    again = job.publish(plan, [kept])
    assert [each.what for each in again.done] == ["kept"]
    job.holds()


def test_what_would_be_two_things_at_once_loses_its_times(job) -> None:
    kept, new = job.filed("T-1"), job.filed("T-2")
    task = job.sent(kept)
    published = job.publish(job.plan(Stop(new, job.first, NOW, NOW + 10 * MINUTE)), [new])
    assert published.unplanned == 1
    assert job.task(task).planned_start is None
    job.holds()


def test_work_moves_to_another_worker_until_he_is_on_the_way(job) -> None:
    incident = job.filed("T-1")
    before = job.sent(incident)
    moved = job.publish(job.plan(Stop(incident, job.second, NOW, NOW + 9 * MINUTE)), [incident])
    assert [each.what for each in moved.done] == ["sent"]
    assert job.task(before).state == "cancelled"
    assert job.incident(incident).worker_id == job.second
    plan = job.plan(Stop(incident, job.first, NOW, NOW + 9 * MINUTE))
    job.says("on_way", incident, actor=job.other)
    stale = job.publish(plan, [incident])
    assert (stale.done, len(stale.stale)) == ((), 1)
    plan = job.plan(Stop(incident, job.first, NOW, NOW + 9 * MINUTE))
    assert job.publish(plan, [incident]).done == ()
    topics = job.ask(select(Outbox.topic, Outbox.worker_id).order_by(Outbox.id))
    assert sorted(topics) == [("assigned", job.first), ("assigned", job.second), ("withdrawn", job.first)]
    job.holds()


def test_the_choice_by_hand_wins_is_recorded_and_pins(job) -> None:
    incident, command = job.filed("T-1"), fresh()
    job.sent(incident)
    plan = job.plan(Stop(incident, job.first, NOW, NOW + MINUTE))
    db.as_actor(job.session, job.desk.dispatcher)
    done = execution.override(
        job.session, job.desk.dispatcher, incident, job.second, reason="knows_place", version=2, command_id=command
    )
    assert (done.status, job.incident(incident).worker_id) == ("dispatched", job.second)
    assert job.records("pin", command) == [("insert", "override: knows_place")]
    assert job.records("incident", command) == [("update", "assign: knows_place")]
    db.as_actor(job.session, job.desk.dispatcher)
    (pin,) = execution.list_pins(job.session, job.desk.dispatcher)
    assert (pin.kind, pin.worker_id, pin.reason) == ("pin", job.second, "knows_place")
    assert len(job.publish(plan, [incident]).stale) == 1
    fresher = job.plan(Stop(incident, job.first, NOW, NOW + MINUTE))
    assert len(job.publish(fresher, [incident]).stale) == 1
    db.as_actor(job.session, job.desk.dispatcher)
    assert execution.release_pin(job.session, job.desk.dispatcher, incident, moment=NOW)
    assert len(job.publish(fresher, [incident]).done) == 1
    with pytest.raises(InvalidInput, match="Why this worker"):
        execution.override(
            job.session, job.desk.dispatcher, incident, job.first, reason="", version=None, command_id=fresh()
        )


def test_who_refuses_does_not_get_it_again_and_who_hands_over_may(job) -> None:
    refused, handed = job.filed("T-1"), job.filed("T-2")
    for incident in (refused, handed):
        job.sent(incident)
    job.desk.act(job.desk.worker, refused, "return", reason="not_safe")
    job.says("hand_over", handed, reason="shift_ends")
    plan = job.plan(*in_line([(refused, job.first), (handed, job.first)], NOW))
    published = job.publish(plan, [refused, handed])
    assert [each.number for each in published.done] == ["T-2"]
    assert [each.number for each in published.stale] == ["T-1"]
    bars = job.ask(select(Pin.incident_id, Pin.worker_id, Pin.reason))
    assert bars == [(refused, job.first, "not_safe")]
    assert [topic for (topic,) in job.ask(select(Outbox.topic))].count("returned") == 2
    with pytest.raises(InvalidInput, match="does not know the reason"):
        job.says("hand_over", handed, reason="not_safe")


def test_a_worker_says_how_far_he_is(job) -> None:
    incident = job.filed("T-1")
    task_id, command = job.sent(incident), fresh()
    first = job.says("on_way", incident, command_id=command)
    assert (first.status, job.task(task_id).state, job.task(task_id).on_way_at) == ("dispatched", "accepted", NOW)
    assert job.says("on_way", incident, command_id=command).repeated
    job.says("arrive", incident, moment=NOW + MINUTE)
    job.says("expect_done", incident, 25, moment=NOW + MINUTE)
    task = job.task(task_id)
    assert (task.state, task.on_way_at, task.arrived_at) == ("started", NOW, NOW + MINUTE)
    assert task.expected_done_at == NOW + 26 * MINUTE
    assert job.incident(incident).status == "handling"
    with pytest.raises(InvalidInput, match="out of range"):
        job.says("expect_done", incident, 0)
    with pytest.raises(NotFound, match="not yours"):
        job.says("arrive", incident, actor=job.other)
    with pytest.raises(Conflict, match="changed meanwhile"):
        job.says("expect_done", incident, 5, version=1)
    job.holds()


def test_rework_begins_without_the_old_times(job) -> None:
    incident, next_one = job.filed("T-1"), job.filed("T-2")
    task_id = job.sent(incident)
    job.says("arrive", incident)
    job.desk.act(job.desk.worker, incident, "finish")
    job.sent(next_one)
    job.desk.act(job.desk.supervisor, incident, "rework", reason="not_solved")
    task = job.task(task_id)
    assert (task.state, task.planned_start, task.arrived_at, task.on_way_at) == ("accepted", None, None, None)
    job.says("arrive", incident)
    assert job.task(task_id).state == "started"
    job.holds()


def test_only_a_dispatcher_publishes_and_only_what_stands(job) -> None:
    incident = job.filed("T-1")
    plan = job.plan(Stop(incident, job.first, NOW, NOW + MINUTE))
    for actor in (job.desk.supervisor, job.desk.worker, job.desk.handler):
        with pytest.raises(NotPermitted):
            job.publish(plan, [incident], actor=actor)
    with pytest.raises(NotFound, match="does not stand"):
        job.publish(plan + 1, [incident])
    with pytest.raises(NotPermitted, match="how far"):
        job.says("on_way", incident, actor=job.desk.supervisor)


def test_one_statement_assigns_and_the_longer_way_says_why_not(job) -> None:
    incident, command = job.filed("T-1"), fresh()
    dispatcher = job.desk.dispatcher

    def assign(worker: int, version: int, command: str):
        db.as_actor(job.session, dispatcher)
        with job.session.begin_nested():
            return execution.assign(
                job.session, dispatcher, incident, worker, version=version, command_id=command, moment=NOW
            )

    done = assign(job.first, 1, command)
    assert (done.status, done.version, done.repeated) == ("dispatched", 2, False)
    assert dataclasses.replace(assign(job.first, 1, command), repeated=False) == done
    with pytest.raises(Conflict, match="changed meanwhile"):
        assign(job.second, 1, fresh())
    assert assign(job.second, 2, fresh()).version == 3
    job.holds()


def test_the_database_refuses_times_and_progress_of_others(job) -> None:
    incident = job.filed("T-1")
    task_id = job.sent(incident)
    for actor, change in (
        (job.desk.worker, "planned_start = planned_start - interval '1 hour'"),
        (job.desk.supervisor, "place_in_route = 9"),
        (job.desk.dispatcher, "on_way_at = now()"),
        (job.desk.handler, "expected_done_at = now()"),
    ):
        db.as_actor(job.session, actor)
        with pytest.raises(Exception, match=r"Only (a dispatcher|the worker)"), job.session.begin_nested():
            job.session.execute(text(f"UPDATE task SET {change} WHERE id = :task"), {"task": task_id})


def test_publishing_past_the_policies_asks_for_role_and_territory_itself(job) -> None:
    incident = job.filed("T-1")
    plan = job.plan(Stop(incident, job.first, NOW, NOW + 20 * MINUTE))
    call, given = text("SELECT * FROM gk_publish(:plan, NULL, :at, true)"), {"plan": plan, "at": NOW}
    elsewhere = dataclasses.replace(job.desk.dispatcher, territory_id=job.home + 1)
    nobody = "SELECT set_config('gridkeeper.' || name, '', true) FROM unnest(ARRAY['role', 'territory']) AS name"
    db.as_actor(job.session, elsewhere)
    assert job.session.execute(call, given).all() == []
    for who in (job.desk.worker, job.desk.supervisor, job.desk.handler, None):
        db.as_actor(job.session, who or job.desk.dispatcher)
        if who is None:
            job.session.execute(text(nobody))
        with pytest.raises(Exception, match="publishes nothing"), job.session.begin_nested():
            job.session.execute(call, given)
    assert job.incident(incident).status == "filed"


def test_looks_are_overridden_too(job) -> None:
    db.as_actor(job.session, job.desk.city.actor)
    incident = job.add(number="T-9", status="reported", filed_at=None)
    db.as_actor(job.session, job.desk.dispatcher)
    execution.override(
        job.session, job.desk.dispatcher, incident, job.second, reason="workload", version=None, command_id=fresh()
    )
    kinds = job.ask(select(Task.kind, Task.worker_id).where(Task.incident_id == incident))
    assert kinds == [("verify", job.second)]


def test_who_handled_in_another_place_is_told_that_he_does_not_check(job) -> None:
    """One account may stand for another worker later; the database knows the person."""
    incident = job.filed("T-1")
    task_id = job.sent(incident)
    job.says("arrive", incident)
    done = "UPDATE task SET state = 'done', finished_at = :at WHERE id = :task"
    job.session.execute(text(done), {"at": NOW, "task": task_id})  # in the name of the worker
    db.as_actor(job.session, job.desk.city.actor)
    job.session.execute(text("UPDATE incident SET status = 'checking' WHERE id = :id"), {"id": incident})
    check = Task(
        territory_id=job.home, incident_id=incident, kind="check", state="waiting", worker_id=job.second, created_at=NOW
    )
    job.session.add(check)
    job.session.flush()
    moved = dataclasses.replace(job.desk.worker, worker_id=job.second)
    for act in ("on_way", "arrive"):
        with pytest.raises(NotPermitted, match="may not check it") as refused:
            job.says(act, incident, actor=moved)
        assert refused.value.hint
        assert refused.value.zh
    job.says("arrive", incident, actor=job.other)
    assert job.task(check.id).state == "started"


def test_what_was_postponed_since_the_plan_is_not_sent(job) -> None:
    incident = job.filed("T-1")
    plan = job.plan(Stop(incident, job.first, NOW, NOW + 20 * MINUTE))
    later = {"at": NOW, "until": NOW + 1440 * MINUTE, "id": incident}
    job.session.execute(text("UPDATE incident SET postponed_at = :at, postponed_until = :until WHERE id = :id"), later)
    published = job.publish(plan, None)
    assert (published.done, [each.number for each in published.stale]) == ((), ["T-1"])
    assert job.incident(incident).status == "filed"

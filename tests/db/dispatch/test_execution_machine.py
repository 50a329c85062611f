"""Random people, plans and clocks: carrying out does exactly what a small model expects, and never a double."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text

from core.errors import GridkeeperError
from dispatch import execution, notices
from geodata import db
from tests.db.dispatch.test_execution import MINUTE, Job
from tests.db.incidents.conftest import NOW, add_incident, city, desk  # noqa: F401  (fixtures)
from tests.db.incidents.desk import fresh
from tests.dispatched import in_line, what_is_broken, write_plan

SIZE = 3
STATE = """
    SELECT i.id, i.status, i.version, t.id IS NOT NULL, t.worker_id, t.state, t.version, t.planned_start,
           t.place_in_route, t.on_way_at IS NOT NULL, t.escalated_at IS NOT NULL,
           (SELECT p.worker_id FROM pin AS p WHERE p.incident_id = i.id AND p.kind = 'pin' AND p.ended_at IS NULL),
           ARRAY(SELECT p.worker_id FROM pin AS p WHERE p.incident_id = i.id AND p.kind = 'bar' AND p.ended_at IS NULL
                 ORDER BY 1),
           (SELECT jsonb_object_agg(h.worker_id, h.state) FROM task AS h WHERE h.incident_id = i.id AND h.joint
            AND h.state IN ('waiting', 'accepted', 'started'))
    FROM incident AS i LEFT JOIN task AS t ON t.incident_id = i.id AND t.kind = 'handle' AND NOT t.joint
         AND t.state IN ('waiting', 'accepted', 'started')
    WHERE i.id = ANY (:ids) ORDER BY i.id
"""
LIVE = {"waiting", "accepted", "started"}


@dataclass
class One:
    """An incident of the model; ``serial`` tells its tasks apart."""

    id: int
    status: str = "filed"
    version: int = 1
    serial: int = 0
    task: str = ""
    worker: int | None = None
    task_version: int = 0
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    place: int | None = None
    on_way: bool = False
    escalated: bool = False
    pin: int | None = None
    bars: dict[int, str] = field(default_factory=dict)
    along: dict[int, str] = field(default_factory=dict)
    out: set[int] = field(default_factory=set)

    def give(self, worker: int) -> None:
        self.status, self.version, self.serial = "dispatched", self.version + 1, self.serial + 1
        self.task, self.worker, self.task_version = "waiting", worker, 1
        self.unplan()
        self.on_way = self.escalated = False
        self.leaves(worker)

    def leaves(self, worker: int) -> None:
        self.along.pop(worker, None)
        self.out.discard(worker)

    def unplan(self) -> None:
        self.start = self.end = self.place = None

    def ends(self, status: str) -> None:
        self.status, self.task, self.version, self.task_version = status, "", self.version + 1, self.task_version + 1
        self.along, self.out = {}, set()

    def row(self) -> tuple[Any, ...]:
        bars, along = sorted(self.bars), {str(worker): state for worker, state in self.along.items()} or None
        if not self.task:
            return (self.id, self.status, self.version, False, *[None] * 5, False, False, self.pin, bars, along)
        task = (self.worker, self.task, self.task_version, self.start, self.place, self.on_way, self.escalated)
        return (self.id, self.status, self.version, True, *task, self.pin, bars, along)


class Machine(RuleBasedStateMachine):
    """Three incidents, two workers, one standing plan."""

    job: ClassVar[Job]

    @initialize()
    def begin(self) -> None:
        """Begin with filed incidents and no plan."""
        job = self.job
        self.savepoint = job.session.begin_nested()
        self.ones = {each: One(each) for each in (job.filed(f"X-{id(self)}-{n}") for n in range(SIZE))}
        self.plan_id, self.rows, self.told = 0, {}, {}
        self.people = {job.first: job.desk.worker, job.second: job.other}
        self.clock = 0

    def teardown(self) -> None:
        """Undo everything."""
        if hasattr(self, "savepoint"):
            self.savepoint.rollback()

    def one(self, n: int) -> One:
        return list(self.ones.values())[n]

    def done(self, act: Any) -> bool:
        """Return whether an act was done; a refused one leaves nothing behind."""
        try:
            with self.job.session.begin_nested():
                act()
        except GridkeeperError:
            return False
        return True

    @rule(
        picks=st.lists(st.tuples(st.integers(0, SIZE - 1), st.booleans()), min_size=1, max_size=SIZE),
        later=st.booleans(),
    )
    def plan(self, picks: list[tuple[int, bool]], later: bool) -> None:
        """Plan some of what can be planned, each worker's work in line."""
        pairs = {}
        for n, second in picks:
            one = self.one(n)
            if one.status == "filed" or one.task:
                pairs[one.id] = self.job.second if second else self.job.first
        stops = in_line(list(pairs.items()), NOW + (7 * MINUTE if later else 0 * MINUTE))
        self.plan_id = write_plan(self.job.session, self.job.home, NOW, stops)
        self.rows = {
            stop.incident_id: (stop, place, self.ones[stop.incident_id].version, self.ones[stop.incident_id].serial
                               if self.ones[stop.incident_id].task else 0, self.ones[stop.incident_id].task_version)
            for place, stop in enumerate(stops, 1)
        }  # fmt: skip

    def what(self, key: int, asked: set[int]) -> str | None:
        """Return what publishing makes of a row of the plan."""
        stop, _, version, serial, task_version = self.rows[key]
        one = self.ones[key]
        same = serial and one.serial == serial and one.task
        if one.task and one.worker == stop.worker_id and one.start == stop.start:
            return "retimed" if same and one.task_version == task_version else "kept"
        if same and one.worker == stop.worker_id:
            return "retimed" if one.task_version == task_version else None
        if key not in asked or one.version != version:
            return None
        free = one.status == "filed" if not serial else same and one.task_version == task_version
        free = free and (not serial or (one.task in {"waiting", "accepted"} and not one.on_way))
        held = one.pin not in {None, stop.worker_id} or stop.worker_id in one.bars or stop.worker_id in one.out
        return "sent" if free and not held else None

    @rule(picks=st.sets(st.integers(0, SIZE - 1), min_size=1), again=st.booleans())
    def publish(self, picks: set[int], again: bool) -> None:
        """Publish some rows of the plan, perhaps sent twice."""
        asked = {self.one(n).id for n in picks} & set(self.rows)
        if not asked:
            return
        command = fresh()
        published = self.job.publish(self.plan_id, sorted(asked), command=command)
        if again:
            assert self.job.publish(self.plan_id, sorted(asked), command=command).done == published.done
        workers = {self.rows[key][0].worker_id for key in asked}
        # The old worker of a task that moved is touched too.
        workers |= {self.was[key] for key in asked if self.was.get(key)}
        looked = {
            key: self.what(key, asked) for key, row in self.rows.items() if key in asked or row[0].worker_id in workers
        }
        good = {key: what for key, what in looked.items() if what and (key in asked or self.rows[key][3])}
        assert {each.incident_id for each in published.done} == set(good) & asked
        assert {each.incident_id for each in published.stale} == asked - set(good)
        for one in self.ones.values():
            mine = (self.rows[key][0] for key in good if self.rows[key][0].worker_id == one.worker)
            if one.id in good or not one.task or one.worker not in workers or not one.start or not one.end:
                continue
            if any(stop.start < one.end and one.start < stop.end for stop in mine):
                one.unplan()
                one.task_version += 1
        for key, what in good.items():
            stop, place, *_ = self.rows[key]
            one = self.ones[key]
            if what == "sent":
                one.give(stop.worker_id)
            elif what == "kept" or (one.start, one.end, one.place) == (stop.start, stop.end, place):
                continue
            else:
                one.task_version += 1
            one.start, one.end, one.place = stop.start, stop.end, place

    @property
    def was(self) -> dict[int, int | None]:
        """Incident to the worker of the task that the plan names, whatever became of the task."""
        query = "SELECT r.incident_id, t.worker_id FROM plan_row AS r JOIN task AS t ON t.id = r.task_id"
        db.as_actor(self.job.session, self.job.desk.city.actor)
        found = self.job.session.execute(text(f"{query} WHERE r.plan_id = :plan"), {"plan": self.plan_id})
        return dict(found.all())

    @rule(n=st.integers(0, SIZE - 1), act=st.sampled_from(("accept", "on_way", "arrive", "finish", "refuse", "hand")),
          chance=st.integers(0, 5))  # fmt: skip
    def worker_acts(self, n: int, act: str, chance: int) -> None:
        """Let one of the workers act, whether the task is his or not."""
        job, one = self.job, self.one(n)
        his = one.worker if one.task and one.worker else job.first
        worker = his if chance else job.first + job.second - his
        actor = self.people[worker]
        law = {"accept": "accept", "finish": "finish", "refuse": "return", "hand": "return"}.get(act)
        reason = {"refuse": "not_safe", "hand": "called_away"}.get(act, "")
        mine = bool(one.task) and one.worker == worker
        allowed = mine and (act != "accept" or (one.task == "waiting" and one.status == "dispatched"))
        if law:
            came = self.done(lambda: job.desk.act(actor, one.id, law, reason=reason))
        else:
            came = self.done(lambda: job.says(act, one.id, actor=actor))
        assert came == allowed
        if came:
            self.worker_did(one, act, worker)

    def worker_did(self, one: One, act: str, worker: int) -> None:
        """Do it in the model."""
        if act in {"accept", "on_way"}:
            if one.task == "waiting":
                one.task, one.version, one.task_version = "accepted", one.version + 1, one.task_version + 1
            if act == "on_way":
                one.on_way, one.task_version = True, one.task_version + 1
        elif act == "arrive":
            if one.status == "dispatched":
                one.status, one.version, one.task_version = "handling", one.version + 1, one.task_version + 1
            one.task, one.on_way, one.task_version = "started", True, one.task_version + 1
        elif act == "finish":
            one.ends("checking")
        else:
            one.ends("filed")
            one.pin = None if one.pin == worker else one.pin
            if act == "refuse":
                one.bars.setdefault(worker, "not_safe")

    @rule(n=st.integers(0, SIZE - 1), second=st.booleans())
    def call_in(self, n: int, second: bool) -> None:
        """Let the dispatcher call in a worker who comes along; no plan takes him back, but one may let him lead."""
        job, one = self.job, self.one(n)
        worker = job.second if second else job.first
        came = self.done(lambda: job.desk.act(job.desk.dispatcher, one.id, "join", worker_id=worker))
        free = worker not in one.along and not (one.task and one.worker == worker)
        assert came == (one.status in {"dispatched", "handling"} and free)
        if came:
            one.along[worker], one.version = "waiting", one.version + 1
            one.bars.pop(worker, None)

    @rule(n=st.integers(0, SIZE - 1), act=st.sampled_from(("accept_part", "on_way", "arrive", "finish", "return")),
          chance=st.integers(0, 5))  # fmt: skip
    def comes_along(self, n: int, act: str, chance: int) -> None:
        """Let who comes along act, or somebody else in his place; the incident stays as it is."""
        job, one = self.job, self.one(n)
        worker = next(iter(one.along), job.second) if chance else job.first
        if one.task and one.worker == worker:
            return
        actor = self.people[worker]
        if act in {"finish", "return"}:
            reason = "not_safe" if act == "return" else ""
            came = self.done(lambda: job.desk.act(actor, one.id, f"{act}_part", reason=reason))
        else:
            came = self.done(lambda: job.says(act, one.id, actor=actor))
        assert came == (worker in one.along)
        if not came:
            return
        if act == "return":
            one.bars.setdefault(worker, "not_safe")
        if act in {"finish", "return"}:
            one.leaves(worker)
            return
        one.out |= set() if act == "accept_part" else {worker}
        if act == "arrive":
            one.along[worker] = "started"
        elif one.along[worker] == "waiting":
            one.along[worker] = "accepted"

    @rule(n=st.integers(0, SIZE - 1), act=st.sampled_from(("rework", "rework", "close")))
    def supervisor_acts(self, n: int, act: str) -> None:
        """Check what was finished."""
        one, reason = self.one(n), "not_solved" if act == "rework" else ""
        came = self.done(lambda: self.job.desk.act(self.job.desk.supervisor, one.id, act, reason=reason))
        assert came == (one.status == "checking")
        if came and act == "rework":
            one.status, one.task, one.version, one.task_version = (
                "handling",
                "accepted",
                one.version + 1,
                one.task_version + 1,
            )
            one.unplan()
            one.on_way = one.escalated = False
        elif came:
            one.status, one.version, one.pin, one.bars = "closed", one.version + 1, None, {}

    @rule(n=st.integers(0, SIZE - 1), second=st.booleans(), stale=st.booleans())
    def override(self, n: int, second: bool, stale: bool) -> None:
        """Choose by hand, perhaps from what was seen too long ago."""
        job, one = self.job, self.one(n)
        worker, dispatcher = job.second if second else job.first, job.desk.dispatcher
        if one.status == "checking":
            return  # that would send a look

        def act() -> None:
            db.as_actor(job.session, dispatcher)
            seen = one.version - 1 if stale else one.version
            execution.override(
                job.session, dispatcher, one.id, worker, reason="skill", version=seen, command_id=fresh(), moment=NOW
            )

        came = self.done(act)
        assert came == (one.status in {"filed", "dispatched", "handling"} and not stale)
        if came:
            one.give(worker)
            one.pin = worker
            one.bars.pop(worker, None)

    @rule(n=st.integers(0, SIZE - 1))
    def release(self, n: int) -> None:
        """Release a pin."""
        one = self.one(n)
        db.as_actor(self.job.session, self.job.desk.dispatcher)
        came = execution.release_pin(self.job.session, self.job.desk.dispatcher, one.id, moment=NOW)
        assert came == (one.pin is not None)
        one.pin = None

    @rule()
    def nobody_answers(self) -> None:
        """Let the clock pass the limit of everything that waits."""
        job = self.job
        db.as_actor(job.session, job.desk.city.actor)
        crew = dict.fromkeys(self.people, NOW - dt.timedelta(hours=2))
        self.clock += 1
        done = notices.time_out(
            job.session, job.desk.city.actor, NOW + self.clock * 10 * MINUTE, on_shift=crew,
            next_best=lambda _task: [job.first, job.second],
        )  # fmt: skip
        given = {each.incident_id: each.worker_id for each in done.given_on}
        for one in self.ones.values():
            if one.task != "waiting" or one.escalated or one.status != "dispatched":
                continue
            planned = [self.rows[one.id][0].worker_id] if one.id in self.rows else []
            offers = [
                each for each in (*planned, job.first, job.second) if each not in {*one.bars, *one.along, one.worker}
            ]
            if one.pin is None and "no_answer" not in one.bars.values() and offers:
                one.bars[one.worker or 0] = "no_answer"
                assert given.pop(one.id) == offers[0]
                one.give(offers[0])
            else:
                one.escalated, one.task_version = True, one.task_version + 1
        assert given == {}

    @rule(seconds=st.lists(st.booleans(), min_size=SIZE, max_size=SIZE), later=st.booleans())
    def plan_all_and_publish(self, seconds: list[bool], later: bool) -> None:
        """Do what a dispatcher does all day."""
        self.plan(list(enumerate(seconds)), later)
        self.publish(set(range(SIZE)), again=False)

    @rule()
    def deliver(self) -> None:
        """Deliver what there is to tell."""
        db.as_actor(self.job.session, self.job.desk.city.actor)
        notices.deliver(self.job.session, self.job.desk.city.actor, moment=NOW)

    @invariant()
    def the_rows_agree(self) -> None:
        """Compare every incident, its task, its pin and its bars with the model, and look for doubles."""
        if not hasattr(self, "ones"):
            return
        session = self.job.session
        db.as_actor(session, self.job.desk.city.actor)
        found = session.execute(text(STATE), {"ids": list(self.ones)}).all()
        assert [tuple(row) for row in found] == [one.row() for one in self.ones.values()]
        assert what_is_broken(session) == {}


def play(desk, add_incident, examples: int, steps: int) -> None:  # noqa: F811
    Machine.job = Job(desk, add_incident)
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    chosen = settings(max_examples=examples, stateful_step_count=steps, deadline=None, suppress_health_check=checks)
    # To shrink a history of a database takes minutes.
    run_state_machine_as_test(Machine, settings=settings(chosen, phases=(Phase.generate,)))


def test_carrying_out_does_what_the_model_says(desk, add_incident) -> None:  # noqa: F811
    play(desk, add_incident, 5, 25)


@pytest.mark.slow
def test_and_for_long(desk, add_incident) -> None:  # noqa: F811
    play(desk, add_incident, 30, 50)  # at most 1,500 steps, each looked at: minutes also on a busy machine

"""Random people do random acts: the service does exactly what a small model of the lifecycle expects."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import select

from core.errors import GridkeeperError
from core.identity import Actor, Role
from geodata import db
from geodata.tables import Incident, Task, Unit
from tests.db.incidents.conftest import NOW
from tests.db.incidents.desk import Desk

PEOPLE = ("dora", "sam", "wen", "hal", "pia", "both")
ACTS = (
    "assign", "dispatch", "reassign", "accept", "start", "finish", "return", "close", "rework", "void", "reopen",
    "join", "take_back", "finish_part", "return_part", "ask_extension", "grant_extension", "refuse_extension",
    "postpone", "resume", "urge",
)  # fmt: skip
REASON = {
    "return": "wrong_place", "return_part": "wrong_place", "take_back": "not_needed", "rework": "not_solved",
    "void": "trial", "reopen": "citizen",
    "ask_extension": "weather", "refuse_extension": "danger", "postpone": "season", "urge": "late",
}  # fmt: skip
OPEN = {"reported", "filed", "dispatched", "handling", "checking"}
OUT = {"dispatched", "handling"}
PAUSE = dt.timedelta(days=20)
LATER = NOW + PAUSE
AFTER = {
    "assign": "dispatched", "dispatch": "dispatched", "reassign": "dispatched", "start": "handling",
    "finish": "checking", "return": "filed", "close": "closed", "rework": "handling", "void": "void",
    "reopen": "filed",
}  # fmt: skip
LIVE_AFTER = {
    "assign": "waiting", "dispatch": "waiting", "reassign": "waiting", "accept": "accepted", "start": "started",
    "finish": "", "return": "", "rework": "accepted", "void": "",
}  # fmt: skip
WALK = (
    ("dora", "assign"), ("hal", "finish"), ("sam", "close"), ("dora", "reopen"), ("dora", "dispatch"), ("dora", "join"),
    ("hal", "start"), ("dora", "take_back"), ("dora", "join"), ("dora", "reassign"), ("pia", "return_part"),
    ("wen", "finish"), ("sam", "rework"), ("dora", "join"), ("pia", "finish_part"), ("hal", "finish"), ("sam", "close"),
)  # fmt: skip
"""An incident that comes to its end twice, by way of parts that are taken back, returned and done."""


class Machine(RuleBasedStateMachine):
    """One incident of the small city; ``both`` is hal, acting as supervisor."""

    desk: ClassVar[Desk]
    add: ClassVar[Callable[..., int]]
    parks: ClassVar[int]

    @initialize()
    def begin(self) -> None:
        """Begin with a filed incident."""
        desk = self.desk
        self.savepoint = desk.session.begin_nested()
        db.as_actor(desk.session, desk.city.actor)
        self.incident = self.add(unit_id=desk.unit_id, due_at=NOW + dt.timedelta(days=1), number=f"M-{id(self)}")
        pia = replace(desk.handler, user_id=desk.extra_id, label="pia", unit_ids=(self.parks,))
        self.people: dict[str, Actor] = {
            "dora": desk.dispatcher, "sam": desk.supervisor, "wen": desk.worker, "hal": desk.handler, "pia": pia,
            "both": replace(desk.handler, role=Role.SUPERVISOR, unit_ids=()),
        }  # fmt: skip
        self.status, self.live, self.worker, self.part = "filed", "", False, False
        self.hands: set[int] = set()
        self.asked, self.postponed, self.reworks = 0, False, 0
        self.due = NOW + dt.timedelta(days=1)

    def teardown(self) -> None:
        """Undo the incident."""
        if hasattr(self, "savepoint") and self.savepoint.is_active:
            self.savepoint.rollback()

    @rule(who=st.sampled_from(PEOPLE), act=st.sampled_from(ACTS))
    def try_anything(self, who: str, act: str) -> None:
        """Do any act, which is mostly refused."""
        self.do(who, act)

    @rule(pick=st.integers(0, 999))
    def go_on(self, pick: int) -> None:
        """Do an act that is open: by chance alone hardly an incident would be handled, let alone closed."""
        open_to = [(who, act) for act in ACTS for who in PEOPLE if self.may(who, act)]
        if open_to:
            self.do(*open_to[pick % len(open_to)])

    def do(self, who: str, act: str) -> None:
        """Do an act and compare what came of it with the model."""
        actor, more = self.people[who], {"reason": REASON.get(act, "")}
        if act in {"assign", "reassign"}:
            more["worker_id"] = self.desk.worker.worker_id
        if act in {"join", "take_back"}:
            more["unit_id"] = self.parks
        if act in {"ask_extension", "postpone"}:
            more["until"] = LATER
        expected = self.may(who, act)
        nested = self.desk.session.begin_nested()
        try:
            done = self.desk.act(actor, self.incident, act, **more)
        except GridkeeperError:
            nested.rollback()
            assert not expected, f"{who} should be able to {act} when {self.status}"
            return
        nested.commit()
        assert expected, f"{who} should not be able to {act} when {self.status}"
        self.apply(who, act)
        assert done.status == self.status

    def may(self, who: str, act: str) -> bool:
        """Say whether the model lets a person do an act."""
        supervisor, dispatcher, me = who in {"sam", "both"}, who == "dora", self.people[who].user_id
        status, out = self.status, self.status in OUT
        lead = bool(self.live) and (who == "hal" or (who == "wen" and self.worker))
        verifier = supervisor and status == "checking" and me not in self.hands
        decides = supervisor and out and self.asked not in {0, me}
        pausing = supervisor and status in {"filed", *OUT}
        helper = who == "pia" and out and self.part
        return {
            "assign": dispatcher and status == "filed",
            "dispatch": dispatcher and status == "filed",
            "reassign": dispatcher and out,
            "accept": lead and status == "dispatched" and self.live == "waiting",
            "start": lead and status == "dispatched",
            "finish": lead and out and not self.part,
            "return": lead and out and not self.part,
            "close": verifier,
            "rework": verifier,
            "void": supervisor and status in {"filed", "dispatched"},
            "reopen": (supervisor or dispatcher) and status == "closed",
            "join": dispatcher and out and not self.part,
            "take_back": dispatcher and out and self.part,
            "finish_part": helper,
            "return_part": helper,
            "ask_extension": lead and out and not self.asked and self.due < LATER,
            "grant_extension": decides,
            "refuse_extension": decides,
            "postpone": pausing and not self.postponed,
            "resume": pausing and self.postponed,
            "urge": supervisor and status in OPEN,
        }[act]

    def apply(self, who: str, act: str) -> None:
        """Do the act in the model."""
        me = self.people[who].user_id or 0
        self.status = AFTER.get(act, self.status)
        self.live = LIVE_AFTER.get(act, self.live)
        self.part = {"join": True, "take_back": False, "finish_part": False, "return_part": False, "void": False}.get(
            act, self.part
        )
        self.asked = {"ask_extension": me, "grant_extension": 0, "refuse_extension": 0}.get(act, self.asked)
        self.postponed = {"postpone": True, "resume": False, "reopen": False}.get(act, self.postponed)
        self.reworks += act in {"rework", "reopen"}
        if act in {"assign", "dispatch", "reassign"}:
            self.worker = act != "dispatch"
        if act in {"start", "finish", "finish_part"}:
            self.hands.add(me)
        self.due = {
            "reopen": NOW + dt.timedelta(hours=3),
            "grant_extension": max(self.due, LATER),
            "postpone": self.due + PAUSE,
            "resume": self.due - PAUSE,
        }.get(act, self.due)

    @invariant()
    def the_rows_agree(self) -> None:
        """Compare status, deadline, reworks and live tasks with the model."""
        if not hasattr(self, "incident"):
            return
        session = self.desk.session
        db.as_actor(session, self.desk.city.actor)
        row = session.execute(
            select(Incident.status, Incident.reworks, Incident.due_at).where(Incident.id == self.incident)
        ).one()
        assert tuple(row) == (self.status, self.reworks, self.due)
        live = session.execute(
            select(Task.joint, Task.state).where(
                Task.incident_id == self.incident,
                Task.kind == "handle",  # closing may ask for a visit to who reported it
                Task.state.in_(("waiting", "accepted", "started")),
            )
        ).all()
        assert sorted(joint for joint, _ in live) == [False] * bool(self.live) + [True] * self.part
        hands = session.scalars(select(Task.handled_by).where(Task.incident_id == self.incident)).all()
        assert {user for each in hands for user in each} == self.hands


@pytest.fixture
def machine(desk: Desk, add_incident: Callable[..., int]) -> type[Machine]:
    db.as_actor(desk.session, desk.city.actor)
    parks = Unit(
        territory_id=desk.city.territory.id, code="PK", kind="department", name="Parks", valid_from=dt.date(2020, 1, 1)
    )
    desk.session.add(parks)
    desk.session.flush()
    Machine.desk, Machine.add, Machine.parks = desk, staticmethod(add_incident), parks.id
    return Machine


def test_an_incident_comes_to_its_end_twice(machine: type[Machine]) -> None:
    one = machine()
    one.begin()
    for who, act in WALK:
        assert one.may(who, act), f"{who} should be able to {act} when {one.status}"
        one.do(who, act)
        one.the_rows_agree()
    one.teardown()


def test_the_service_does_what_the_model_says(machine: type[Machine]) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
    run_state_machine_as_test(
        machine, settings=settings(max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=checks)
    )

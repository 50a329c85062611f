"""What sets off each rule of accountability, done in plain SQL as the application's login by people of a small city."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.identity import Actor, Role, system_actor
from geodata import db
from incidents.rules import LIMIT, limit_key
from incidents.service import ruling
from tests.db.incidents.desk import Desk

CLOSE = "UPDATE incident SET status = 'closed', closed_at = now(), version = version + 1 WHERE id = :id"
READ = "SELECT * FROM gk_reporter(:id, 'call back')"


@dataclass
class Hand:
    """Somebody who writes SQL."""

    desk: Desk
    add: Callable[..., int]

    @property
    def session(self) -> Session:
        return self.desk.session

    def do(self, actor: Actor, statement: str, **values: Any) -> None:
        db.as_actor(self.session, actor)
        self.session.execute(text(statement), values)

    def ready(self, **more: Any) -> int:
        """Return a new incident that waits to be closed, brought there by the platform."""
        self.do(system_actor(self.desk.city.territory.id), "SELECT 1")
        return self.add(status="checking", handled_at=dt.datetime.now(dt.UTC), east=True, **more)

    def same_person(self, *actors: Actor) -> None:
        home = self.desk.city.territory.id
        self.do(
            system_actor(home),
            "WITH p AS (INSERT INTO person (territory_id, subject_id) VALUES (:home, 'one') RETURNING id)"
            " UPDATE app_user SET person_id = p.id FROM p WHERE app_user.id = ANY (:ids)",
            home=home,
            ids=[each.user_id for each in actors],
        )

    def off_shift(self) -> None:
        """Give the worker's account its worker, and the worker a roster by which today is free."""
        keeper = system_actor(self.desk.city.territory.id)
        linked = "UPDATE app_user SET worker_id = :worker WHERE id = :id"
        self.do(keeper, linked, worker=self.desk.worker.worker_id, id=self.desk.worker.user_id)
        self.do(
            system_actor(self.desk.city.territory.id),
            "INSERT INTO roster_exception (territory_id, worker_id, day, reason)"
            " SELECT :home, :worker, current_date + n, 'free' FROM generate_series(-3, 3) AS n",
            home=self.desk.city.territory.id,
            worker=self.desk.worker.worker_id,
        )

    def at_work(self) -> int:
        """Return an incident that the dispatcher sent to the worker."""
        self.do(system_actor(self.desk.city.territory.id), "SELECT 1")
        incident = self.add(east=True, source="patrol")
        self.do(
            self.desk.dispatcher,
            "UPDATE incident SET status = 'dispatched', dispatched_at = now(), unit_id = :unit, worker_id = :worker,"
            " version = version + 1 WHERE id = :id",
            id=incident,
            unit=self.desk.unit_id,
            worker=self.desk.worker.worker_id,
        )
        self.do(
            self.desk.dispatcher,
            "INSERT INTO task (territory_id, incident_id, kind, state, unit_id, worker_id, created_at)"
            " VALUES (:home, :id, 'handle', 'waiting', :unit, :worker, now())",
            home=self.desk.city.territory.id,
            id=incident,
            unit=self.desk.unit_id,
            worker=self.desk.worker.worker_id,
        )
        return incident


def self_close(hand: Hand) -> Actor:
    desk = hand.desk
    hand.same_person(desk.dispatcher, desk.supervisor)
    incident = hand.at_work()
    for state in ("started", "done"):
        hand.do(desk.worker, "UPDATE task SET state = :s WHERE incident_id = :id", s=state, id=incident)
    handled = "UPDATE incident SET status = 'checking', handled_at = now(), version = version + 1 WHERE id = :id"
    hand.do(desk.worker, handled, id=incident)
    hand.do(desk.supervisor, CLOSE, id=incident)
    return desk.supervisor


def no_evidence(hand: Hand) -> Actor:
    incident = hand.ready()
    hand.do(
        system_actor(hand.desk.city.territory.id), "UPDATE incident SET handled_at = NULL WHERE id = :id", id=incident
    )
    hand.do(hand.desk.supervisor, CLOSE, id=incident)
    return hand.desk.supervisor


def backdated(hand: Hand) -> Actor:
    back = CLOSE.replace("closed_at = now()", "closed_at = now() - interval '5 hours'")
    hand.do(hand.desk.supervisor, back, id=hand.ready())
    return hand.desk.supervisor


def bulk_export(hand: Hand) -> Actor:
    event = "SELECT gk_record_event('export', 'worker', '1', '{\"rows\": 2500}')"
    for _ in range(2):
        hand.do(hand.desk.dispatcher, event)
    return hand.desk.dispatcher


def off_duty(hand: Hand) -> Actor:
    hand.off_shift()
    incident = hand.at_work()
    hand.do(hand.desk.worker, "UPDATE task SET state = 'accepted' WHERE incident_id = :id", id=incident)
    hand.do(hand.desk.worker, "UPDATE task SET state = 'started' WHERE incident_id = :id", id=incident)
    hand.do(hand.desk.worker, "UPDATE incident SET status = 'handling' WHERE id = :id", id=incident)
    return hand.desk.worker


def reopened(hand: Hand) -> Actor:
    incident = hand.ready()
    for _ in range(3):
        hand.do(hand.desk.supervisor, CLOSE, id=incident)
        again = "UPDATE incident SET status = 'filed', closed_at = NULL, closed_by = NULL WHERE id = :id"
        hand.do(hand.desk.supervisor, again, id=incident)
        hand.do(
            system_actor(hand.desk.city.territory.id),
            "UPDATE incident SET status = 'checking' WHERE id = :id",
            id=incident,
        )
    return hand.desk.supervisor


def identity_unused(hand: Hand) -> Actor:
    hand.do(hand.desk.dispatcher, READ, id=hand.ready())
    return hand.desk.dispatcher


def identity_off_hours(hand: Hand) -> Actor:
    hand.off_shift()
    hand.do(hand.desk.worker, READ, id=hand.at_work())
    return hand.desk.worker


def _shorter(hand: Hand, proposer: Actor, approver: Actor) -> None:
    wanted = {(LIMIT, limit_key("event-01-02", "handle")): {"value": 6.0}}
    db.as_actor(hand.session, proposer)
    change = ruling.propose(hand.session, proposer, wanted, reason="Crews need the drive")
    db.as_actor(hand.session, approver)
    ruling.approve(hand.session, approver, change.id)


def limit_before_breach(hand: Hand) -> Actor:
    hand.ready(code="01-02", due_at=dt.datetime.now(dt.UTC) + dt.timedelta(hours=2))
    other = replace(hand.desk.dispatcher, role=Role.SUPERVISOR)
    _shorter(hand, other, hand.desk.supervisor)
    return hand.desk.supervisor


def rules_shared(hand: Hand) -> Actor:
    other = replace(hand.desk.dispatcher, role=Role.SUPERVISOR)
    hand.same_person(other, hand.desk.supervisor)
    _shorter(hand, other, hand.desk.supervisor)
    return hand.desk.supervisor


def many_voids(hand: Hand) -> Actor:
    hand.do(system_actor(hand.desk.city.territory.id), "SELECT 1")
    for _ in range(10):
        incident = hand.add()
        hand.do(hand.desk.supervisor, "UPDATE incident SET status = 'void' WHERE id = :id", id=incident)
        hand.do(system_actor(hand.desk.city.territory.id), "SELECT 1")
    return hand.desk.supervisor


def many_extensions(hand: Hand) -> Actor:
    ask = (
        "INSERT INTO extension_request (territory_id, incident_id, reason, until, asked_by, asked_at)"
        " VALUES (:home, :id, 'weather', now(), :who, now())"
    )
    home = hand.desk.city.territory.id
    for _ in range(10):
        incident = hand.at_work()
        hand.do(hand.desk.worker, ask, home=home, id=incident, who=hand.desk.worker.user_id)
        grant = (
            "UPDATE extension_request SET state = 'granted', decided_at = now(), decided_by = :who"
            " WHERE incident_id = :id"
        )
        hand.do(hand.desk.supervisor, grant, id=incident, who=hand.desk.supervisor.user_id)
    return hand.desk.supervisor


def hasty_closing(hand: Hand) -> Actor:
    incidents = [hand.ready() for _ in range(5)]
    for incident in incidents:
        hand.do(hand.desk.supervisor, CLOSE, id=incident)
    return hand.desk.supervisor


PLANTED: tuple[Callable[[Hand], Actor], ...] = (
    self_close, no_evidence, backdated, bulk_export, off_duty, reopened, identity_unused, identity_off_hours,
    limit_before_breach, rules_shared, many_voids, many_extensions, hasty_closing,
)  # fmt: skip

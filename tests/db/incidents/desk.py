"""A dispatcher, a supervisor, a worker and a handler who act on the incidents of a small city."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.identity import Actor, Role
from geodata import db
from geodata.tables import AppUser, Unit, Worker
from incidents.service import allowed_acts, assign_task, incident_detail, move
from incidents.work import Done
from tests.db.incidents.conftest import NOW, City


def fresh() -> str:
    return str(uuid.uuid4())


@dataclass
class Desk:
    """The people of one office, and what they do."""

    session: Session
    city: City
    dispatcher: Actor
    supervisor: Actor
    worker: Actor
    handler: Actor
    unit_id: int
    other_worker_id: int
    extra_id: int

    def act(self, actor: Actor, incident_id: int, act: str, **more: object) -> Done:
        db.as_actor(self.session, actor)
        given = {"version": None, "command_id": fresh(), "moment": NOW} | more
        return move(self.session, actor, incident_id, act, **given)

    def assign(self, incident_id: int, worker_id: int | None = None, **more: object) -> Done:
        actor = more.pop("actor", self.dispatcher)
        db.as_actor(self.session, actor)
        given = {"version": None, "command_id": fresh(), "moment": NOW} | more
        return assign_task(self.session, actor, incident_id, worker_id or self.worker.worker_id, **given)

    def allowed(self, actor: Actor, incident_id: int) -> tuple[str, ...]:
        db.as_actor(self.session, actor)
        return allowed_acts(actor, incident_detail(self.session, actor, incident_id))


def make_desk(session: Session, city: City) -> Desk:
    """Return the office, with accounts, two workers and a unit."""
    unit = Unit(
        territory_id=city.territory.id, code="HW", kind="department", name="Highways", valid_from=dt.date(2020, 1, 1)
    )
    session.add(unit)
    session.flush()
    workers = [Worker(territory_id=city.territory.id, unit_id=unit.id, code=f"W00{n}") for n in (1, 2)]
    users = {
        name: AppUser(login=name, password_hash="-", title_en=name, title_zh=name)
        for name in ("dora", "sam", "wen", "hal", "pia")
    }
    session.add_all([*workers, *users.values()])
    session.flush()

    def actor(name: str, role: Role, **reach: object) -> Actor:
        return Actor(users[name].id, name, role, city.territory.id, **reach)

    return Desk(
        session,
        city,
        actor("dora", Role.DISPATCHER),
        actor("sam", Role.SUPERVISOR),
        actor("wen", Role.GRID_WORKER, area_ids=(city.east_id,), worker_id=workers[0].id),
        actor("hal", Role.HANDLER, unit_ids=(unit.id,)),
        unit.id,
        workers[1].id,
        users["pia"].id,
    )

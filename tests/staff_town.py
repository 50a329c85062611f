"""The small demo town for tests of the staff list: one rolled-back session in which each role acts in turn."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Iterator

from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from core.identity import Actor, Role, system_actor
from geodata.db import as_actor
from geodata.tables import Absence
from geodata.territory import find_territory
from people import accounts, staff, workers
from people.worker_model import StaffDetail, StaffFilter, StaffRow, WorkerFields
from people.workers import Kept

TODAY = dt.date(2026, 3, 2)


@dataclasses.dataclass
class StaffTown:
    """Who acts next is set by every call."""

    session: Session
    actors: dict[Role, Actor]
    id: int

    def act(self, role: Role) -> Actor:
        as_actor(self.session, self.actors[role])
        return self.actors[role]

    def rows(self, role: Role, wanted: StaffFilter | None = None) -> list[StaffRow]:
        return staff.list_staff(self.session, self.act(role), self.id, today=TODAY, wanted=wanted)

    def detail(self, role: Role, code: str) -> StaffDetail:
        return staff.staff_detail(self.session, self.act(role), self.id, code, today=TODAY)

    def add(self, role: Role, fields: WorkerFields) -> Kept:
        return workers.add_worker(self.session, self.act(role), self.id, fields, today=TODAY)

    def change(self, role: Role, row: StaffRow, **changes: object) -> Kept:
        fields = dataclasses.replace(row.fields(), **changes)
        return workers.change_worker(self.session, self.act(role), self.id, row.id, fields, version=row.version)


@contextlib.contextmanager
def open_staff_town(demo: Engine) -> Iterator[StaffTown]:
    """Open the town with everybody there; everything is rolled back."""
    with demo.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            as_actor(session, system_actor())
            session.execute(delete(Absence))
            actors = {each.role: each.actor() for each in accounts.demo_accounts(session)}
            yield StaffTown(session, actors, find_territory(session).id)
        outer.rollback()

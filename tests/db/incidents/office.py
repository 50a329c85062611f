"""Two supervisors, an administrator and an auditor who change the rules of a small city."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.tables import AppUser
from incidents.rules import Change, Key, Row, Wanted
from incidents.service import ruling
from tests.db.incidents.conftest import City

NO_RIGHT = "42501"


@dataclass
class Office:
    """Two supervisors, an administrator and an auditor, with accounts of their own."""

    session: Session
    city: City
    first: Actor
    second: Actor
    administrator: Actor
    auditor: Actor

    def rules(self) -> dict[Key, Row]:
        return ruling.read_rules(self.session, system_actor(self.city.territory.id))

    def propose(self, wanted: Wanted, actor: Actor | None = None, **more: object) -> Change:
        who = actor or self.first
        db.as_actor(self.session, who)
        return ruling.propose(self.session, who, wanted, **more)

    def approve(self, change: Change, actor: Actor | None = None) -> Change:
        who = actor or self.second
        db.as_actor(self.session, who)
        return ruling.approve(self.session, who, change.id)

    def done(self, wanted: Wanted, **more: object) -> Change:
        return self.approve(self.propose(wanted, **more))

    @contextmanager
    def as_(self, actor: Actor) -> Iterator[Session]:
        db.as_actor(self.session, actor)
        yield self.session

    def refused(self, statement: str, actor: Actor, **values: object) -> None:
        db.as_actor(self.session, actor)
        with pytest.raises(ProgrammingError) as caught, self.session.begin_nested():
            self.session.execute(text(statement), values)
        assert caught.value.orig.sqlstate == NO_RIGHT


def make_office(session: Session, city: City) -> Office:
    def actor(login: str, role: Role) -> Actor:
        row = AppUser(login=login, password_hash="x", title_en=login, title_zh=login)
        session.add(row)
        session.flush()
        return Actor(row.id, login, role, city.territory.id)

    return Office(
        session,
        city,
        actor("first", Role.SUPERVISOR),
        actor("second", Role.SUPERVISOR),
        actor("keeper", Role.ADMINISTRATOR),
        actor("reader", Role.AUDITOR),
    )

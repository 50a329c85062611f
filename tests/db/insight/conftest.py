"""The small demo city, folded, and a transaction in it that leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from core.identity import Actor, Role, system_actor
from geodata import db
from insight import service
from people import accounts
from tests.db.insight.judging import Case


@pytest.fixture(scope="module")
def actors(demo_database: Engine) -> dict[Role, Actor]:
    del demo_database
    with db.transaction(system_actor()) as session:
        found = {each.role: each.actor() for each in accounts.demo_accounts(session)}
        home = found[Role.SUPERVISOR].territory_id or 0
        service.refresh(session, system_actor(home), home)
    return found | {Role.SYSTEM: system_actor(home)}


@pytest.fixture
def case(actors: dict[Role, Actor]) -> Iterator[Case]:
    with db.transaction(actors[Role.SYSTEM]) as session:
        yield session, actors
        session.rollback()

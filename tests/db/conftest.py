"""Officers of the demo town who act one after the other in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.territory import TerritoryInfo, find_territory
from people import accounts
from tests.db.lamps import make_lamps
from tests.demo_city import TINY_TOWN

ActAs = Callable[[Actor], Session]


@pytest.fixture
def acting(demo_database: Engine) -> Iterator[ActAs]:
    """A session of one transaction in which one after the other acts; everything is rolled back."""
    with demo_database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint") as opened:

            def act(actor: Actor) -> Session:
                opened.flush()
                db.as_actor(opened, actor)
                return opened

            yield act
        outer.rollback()


@pytest.fixture
def crew(acting: ActAs) -> tuple[TerritoryInfo, Actor, Actor]:
    session = acting(system_actor())
    town = find_territory(session, TINY_TOWN.name)
    officers = {each.role: each.actor("en") for each in accounts.demo_accounts(session) if each.territory_id == town.id}
    return town, officers[Role.GRID_MANAGER], officers[Role.SUPERVISOR]


@pytest.fixture
def officers(acting: ActAs) -> dict[Role, Actor]:
    """The officers of the demo town by role."""
    session = acting(system_actor())
    return {each.role: each.actor("en") for each in accounts.demo_accounts(session)}


@pytest.fixture
def lamps(acting: ActAs, officers: dict[Role, Actor]) -> int:
    """A restricted data set of three rows that belongs to a unit other than the handler's."""
    home = officers[Role.SUPERVISOR].territory_id
    return make_lamps(acting(system_actor(home)), home, not_of=list(officers[Role.HANDLER].unit_ids))

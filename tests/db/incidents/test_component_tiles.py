"""Tiles of the register over HTTP: restricted places reach roles with incidents only, nobody else's territory."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from app import guard
from app.api import tiles
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.territory import find_territory
from incidents.components import ComponentFilter, ComponentRow
from incidents.service import components as register
from layers.components import POINTS_FROM
from layers.tiles import tiles_of
from people import accounts

WITH_INCIDENTS = (Role.SUPERVISOR, Role.DISPATCHER, Role.AUDITOR, Role.GRID_MANAGER, Role.HANDLER)
WITHOUT = (Role.PLANNER, Role.ADMINISTRATOR)


class Acts:
    """Stands where the gate stands: puts an actor into the request."""

    actor: Actor | None = None

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if Acts.actor is not None:
            scope.setdefault("state", {})["actor"] = Acts.actor
        await self.app(scope, receive, send)


@dataclasses.dataclass
class Town:
    """Actors of the demo town and what stands in its register."""

    actors: dict[Role, Actor]
    rows: list[ComponentRow]


@pytest.fixture(scope="module")
def town(demo_database: Engine) -> Town:
    del demo_database
    with db.transaction(system_actor()) as session:
        home = find_territory(session, "tiny-town")
        actors = {each.role: each.actor("en") for each in accounts.demo_accounts(session)}
        system = system_actor(home.id)
        db.as_actor(session, system)
        return Town(actors, register.list_components(session, system, ComponentFilter(), limit=1000))


@pytest.fixture(scope="module")
def client(town: Town) -> Iterator[TestClient]:
    del town
    app = Starlette(
        routes=tiles.routes,
        middleware=[Middleware(Acts)],
        lifespan=lambda _app: tiles.lifespan(),
        exception_handlers={k: v for k, v in guard.EXCEPTION_HANDLERS.items() if k is not Exception},
    )
    with TestClient(app) as opened:
        yield opened


def tile(client: TestClient, actor: Actor, row: ComponentRow) -> bytes:
    Acts.actor = actor
    key = tiles_of((row.lon, row.lat, row.lon, row.lat), POINTS_FROM)[0]
    answer = client.get(f"/tiles/{actor.territory_id}/components/{key.z}/{key.x}/{key.y}.mvt")
    assert answer.status_code == 200
    return answer.content


@pytest.mark.parametrize("role", [*WITH_INCIDENTS, *WITHOUT])
def test_open_components_are_in_everybodys_tiles_restricted_ones_are_not(
    client: TestClient, town: Town, role: Role
) -> None:
    lamp = next(row for row in town.rows if row.sensitivity == "open")
    pipe = next(row for row in town.rows if row.sensitivity == "restricted")
    assert lamp.code.encode() in tile(client, town.actors[role], lamp)
    assert (pipe.code.encode() in tile(client, town.actors[role], pipe)) is (role in WITH_INCIDENTS)


def test_a_planner_is_told_no_restricted_component_in_any_tile(client: TestClient, town: Town) -> None:
    hidden = [row for row in town.rows if row.sensitivity == "restricted"]
    assert len(hidden) > 20
    whole = b"".join(tile(client, town.actors[Role.PLANNER], row) for row in hidden[:40])
    assert not [row.code for row in hidden if row.code.encode() in whole]


def test_another_territory_and_nobody_are_refused(client: TestClient, town: Town) -> None:
    actor = town.actors[Role.SUPERVISOR]
    Acts.actor = actor
    assert client.get(f"/tiles/{(actor.territory_id or 0) + 1}/components/15/0/0.mvt").status_code == 403
    Acts.actor = None
    assert client.get(f"/tiles/{actor.territory_id}/components/15/0/0.mvt").status_code in {401, 403}

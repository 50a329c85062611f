"""Each route × each role × each reach: allowed, refused or narrowed; a tile holds the rows that SQL gives the role."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from starlette.routing import Route

from app import routes
from app.api import ogc
from app.guard import OPEN_PATHS
from core.identity import ALLOWED, Actor, May, Role, system_actor
from geodata.db import transaction
from layers.registry import layer_entries
from layers.tiles import tiles_of
from layers.values import METRICS, STATUSES
from tests.security.conftest import OFFICERS, Enter

EVERYBODY = frozenset(OFFICERS)
TILE = "/tiles/{territory:int}/{layer}/{z:int}/{x:int}/{y:int}.mvt"
NARROWED = {Role.GRID_MANAGER, Role.GRID_WORKER, Role.HANDLER}
SPAN = "from=2020-01-01&to=2030-01-01"
DIFFERENCE = "&before=2019-01-01&until=2019-12-31&level=community"
_DRAFT_TILE = {"change:int": "1", "version:int": "1", "z:int": "12", "x:int": "1", "y:int": "1"}
FILL = _DRAFT_TILE | {"basemap:int": "1", "job:int": "1", "evidence:int": "1", "name:path": "gk/gridkeeper-map.js"}
ROWS = ("/items", "/items/{feature:path}", "/tiles/{grid}/{z:int}/{row:int}/{column:int}")
OGC = {each.path: ALLOWED[May.TAKE_DATA] if each.path.endswith(ROWS) else EVERYBODY for each in ogc.routes}
FILL |= {
    "collection": "facilities",
    "feature:path": "0",
    "grid": "WebMercatorQuad",
    "row:int": "99999",
    "column:int": "1",
}
FILL |= {"key": "unit-grids", "form": "csv"}
FIELD = ("state", "way", "classes", "acts", "photo", "position")
POSTED = {f"/api/field/{name}": "POST" for name in ("acts", "photo", "position")}
WHO = {
    "/record/sheet": ALLOWED[May.SEE_RECORD],
    "/record/sheet.css": EVERYBODY,
    "/record/export/{job:int}": ALLOWED[May.SEE_RECORD],
    "/api/values": EVERYBODY,
    "/api/cells": EVERYBODY,
    "/api/frames": EVERYBODY,
    "/api/difference": EVERYBODY,
    "/api/traffic/hours": EVERYBODY,
    "/api/access": ALLOWED[May.SEE_STUDIES],
    **OGC,
    "/api/export/{key}.{form}": ALLOWED[May.TAKE_DATA],
    "/api/catalogue.jsonld": EVERYBODY,
    "/api/search": EVERYBODY,
    **dict.fromkeys(("/wall", "/api/wall/state", "/api/wall/map.svg"), ALLOWED[May.SEE_INCIDENTS]),
    "/tiles/own/{basemap:int}/{z:int}/{x:int}/{y:int}": EVERYBODY,
    "/tiles/draft/{change:int}/{version:int}/{z:int}/{x:int}/{y:int}.mvt": ALLOWED[May.PROPOSE_GRIDS],
    "/assets/{name:path}": EVERYBODY,
    "/api/evidence/{evidence:int}.jpg": ALLOWED[May.SEE_INCIDENTS],
    "/today": EVERYBODY,
    "/field/worker.js": EVERYBODY,
    **dict.fromkeys(("/field", *(f"/api/field/{name}" for name in FIELD)), frozenset({Role.GRID_WORKER})),
}
"""Who may call a route that is not open to strangers; tiles are told by layer."""


def all_routes() -> list[tuple[str, str]]:
    return sorted(
        {(route.path, method) for route in routes.routes if isinstance(route, Route) for method in route.methods}
    )


def address(path: str) -> str:
    for name, value in FILL.items():
        path = path.replace("{" + name + "}", value)
    more = {"/api/values": "", "/api/frames": "&step=week", "/api/difference": DIFFERENCE}
    return f"{path}?{SPAN}{more[path]}" if path in more else path


def test_every_route_says_who_may_call_it() -> None:
    paths = {path for path, _ in all_routes()}
    assert paths - OPEN_PATHS == {*WHO, TILE}
    assert OPEN_PATHS - paths == {"/_stcore/health"}


def test_every_capability_is_somebodys() -> None:
    assert set(ALLOWED) == set(May)
    assert all(who <= EVERYBODY and who for who in ALLOWED.values())


@pytest.mark.parametrize(("path", "method"), all_routes())
def test_a_stranger_passes_no_route_but_the_open_ones(enter: Enter, path: str, method: str) -> None:
    address_ = path.replace(TILE, "/tiles/1/grids/12/1/1.mvt")
    answer = enter(None).request(method, address(address_))
    if path in OPEN_PATHS:
        assert answer.status_code < 500
        assert "Log in first" not in answer.text
    else:
        assert answer.status_code in {303, 401}
        assert answer.status_code == 401 or answer.headers["location"].startswith("/login?next=/")


@pytest.mark.parametrize("role", OFFICERS)
@pytest.mark.parametrize("path", sorted(WHO))
def test_each_route_is_for_the_roles_that_are_told(enter: Enter, path: str, role: Role) -> None:
    status = enter(role).request(POSTED.get(path, "GET"), address(path)).status_code
    if role in WHO[path]:
        assert status in {200, 307, 400, 404, 409}
    else:
        assert status == 403


@pytest.mark.parametrize("role", OFFICERS)
def test_layers_are_for_the_roles_that_are_told(enter: Enter, actors: dict[Role, Actor], role: Role) -> None:
    home = actors[role].territory_id
    client = enter(role)
    for layer in layer_entries().values():
        if layer.statement is None:
            continue
        z = layer.zooms[1]
        path = f"/tiles/{home}/{layer.key}/{z}/0/0.mvt"
        expected = 200 if actors[role].may(layer.capability) else 403
        assert client.get(path).status_code == expected, path
        assert client.get(path.replace(f"/tiles/{home}/", f"/tiles/{home + 1}/")).status_code == 403
    for metric in METRICS:
        for status in STATUSES:
            answer = client.get(f"/api/values?{SPAN}&metric={metric}&status={status}")
            late = metric == "overdue" or (status == "overdue" and metric in {"reported", "per_1000"})
            assert answer.status_code == (403 if late and not actors[role].may(May.SEE_INCIDENTS) else 200), answer.url


# --- what a tile holds


@pytest.fixture(scope="module")
def town(demo_database: Engine) -> list[str]:
    """The tiles, at the zoom of points, that all incidents of the town lie in."""
    del demo_database
    with transaction(system_actor()) as session:
        box = session.execute(
            text("SELECT min(ST_X(geom)), min(ST_Y(geom)), max(ST_X(geom)), max(ST_Y(geom)) FROM incident")
        ).one()
    return [f"{key.z}/{key.x}/{key.y}" for key in tiles_of(tuple(box), 15)]


POINTS = {"incidents": "incident", "components": "component"}


@pytest.mark.parametrize("role", OFFICERS)
@pytest.mark.parametrize("layer", sorted(POINTS))
def test_tiles_hold_the_rows_of_the_role(
    enter: Enter, actors: dict[Role, Actor], town: list[str], role: Role, layer: str
) -> None:
    actor = actors[role]
    with transaction(actor) as session:
        rows = set(session.scalars(text(f"SELECT id FROM {POINTS[layer]} WHERE territory_id = {actor.territory_id}")))
    client = enter(role)
    found: set[int] = set()
    for tile in town:
        answer = client.get(f"/tiles/{actor.territory_id}/{layer}/{tile}.mvt")
        if not actor.may(layer_entries()[layer].capability):
            assert answer.status_code == 403
            continue
        found |= features(answer.content)
    assert found == rows
    if layer == "incidents":
        with transaction(system_actor()) as session:
            whole = session.scalar(text("SELECT count(*) FROM incident"))
        assert (len(rows) == 0) is not actor.may(May.SEE_INCIDENTS)
        assert (0 < len(rows) < whole) is (role in NARROWED)


@pytest.mark.parametrize("role", OFFICERS)
def test_values_count_the_rows_of_the_role(enter: Enter, actors: dict[Role, Actor], role: Role) -> None:
    """Numbers a cell are open to all who see the map where they name nobody; what is open now is as narrow as rows."""
    actor = actors[role]
    with transaction(actor) as session:
        late = session.scalar(
            text(
                "SELECT count(*) FROM incident WHERE status NOT IN ('closed', 'void') AND due_at < now()"
                " AND (postponed_until IS NULL OR postponed_until <= now())"
            )
        )
    for asked in ("metric=overdue", "metric=reported&status=overdue"):
        answer = enter(role).get(f"/api/values?{SPAN}&{asked}")
        if not actor.may(May.SEE_INCIDENTS):
            assert answer.status_code == 403
            continue
        (length,) = struct.unpack_from("<I", answer.content, 4)
        told = json.loads(answer.content[8 : 8 + length])
        assert told["total"] == late
        assert told["limited"] is (role in NARROWED)


@pytest.mark.parametrize("role", OFFICERS)
def test_a_photo_is_for_who_sees_its_incident(enter: Enter, actors: dict[Role, Actor], role: Role) -> None:
    with transaction(system_actor()) as session:
        known = {row.id: row.incident_id for row in session.execute(text("SELECT id, incident_id FROM evidence"))}
    with transaction(actors[role]) as session:
        seen = set(session.scalars(text("SELECT id FROM incident")))
    client = enter(role)
    for photo, incident in known.items():
        status = client.get(f"/api/evidence/{photo}.jpg").status_code
        assert status in ({200} if incident in seen else {403, 404})
    assert client.get(f"/api/evidence/{max(known, default=0) + 1}.jpg").status_code in {403, 404}


def test_an_answer_that_was_kept_for_one_is_not_given_to_another(enter: Enter, town: list[str]) -> None:
    """By the address and by what a browser kept: the tag of another's answer opens nothing."""
    home = enter(Role.DISPATCHER).get("/api/cells").status_code
    assert home == 200
    tile = f"/tiles/1/incidents/{town[0]}.mvt"
    mine = enter(Role.DISPATCHER).get(tile)
    for role in (Role.PLANNER, Role.ADMINISTRATOR):
        again = enter(role).get(tile, headers={"if-none-match": mine.headers.get("etag", "")})
        assert again.status_code == 403
        assert again.content != mine.content
    assert "private" in mine.headers["cache-control"]
    again = enter(None).get(tile, headers={"if-none-match": mine.headers.get("etag", "")})
    assert again.status_code == 401


def features(tile: bytes) -> set[int]:
    """Return the ids of the features of a vector tile (MVT 2.1): layers are 3, features in them 2, ids in those 1."""
    return {
        identity
        for number, layer in fields(tile)
        if number == 3 and isinstance(layer, bytes)
        for number_, feature in fields(layer)
        if number_ == 2 and isinstance(feature, bytes)
        for number__, identity in fields(feature)
        if number__ == 1 and isinstance(identity, int)
    }


def fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Return number and value of each field of a protobuf message."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(message, at)
            yield key >> 3, value
        elif kind == 2:
            length, at = varint(message, at)
            yield key >> 3, message[at : at + length]
            at += length
        else:
            size = {1: 8, 5: 4}[kind]
            yield key >> 3, struct.unpack("<Q", message[at : at + size].ljust(8, b"\0"))[0]
            at += size


def varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7

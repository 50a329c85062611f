"""Tiles, values and assets over HTTP: who may see what, what is cached, what is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

import layers.tiles
from app import guard
from app.api import assets, draft_tiles, tiles, values
from core.identity import Actor, Role, system_actor
from geodata import catalogue, db
from grids import drafting
from layers.tiles import tiles_of
from layers.versions import versions
from tests.map_city import CENTRES, MapCity, add_incidents, at, make_map_city

SPAN = "from=2026-06-01&to=2026-07-01"


class Acts:
    """Stands where the gate stands: puts an actor into the request."""

    actor: Actor | None = None

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if Acts.actor is not None:
            scope.setdefault("state", {})["actor"] = Acts.actor
        await self.app(scope, receive, send)


@pytest.fixture(scope="module")
def city(database: Engine) -> MapCity:
    with db.transaction(system_actor()) as session:
        made = make_map_city(session)
        rows = [{"reported_at": at("2026-06-20")}, {"reported_at": at("2026-06-20"), "half": "east"}]
        add_incidents(session, made, rows)
    return made


@pytest.fixture(scope="module")
def client(city: MapCity) -> Iterator[TestClient]:
    app = Starlette(
        routes=[*tiles.routes, *draft_tiles.routes, *values.routes, *assets.routes],
        middleware=[Middleware(Acts)],
        lifespan=lambda _app: tiles.lifespan(),
        exception_handlers={k: v for k, v in guard.EXCEPTION_HANDLERS.items() if k is not Exception},
    )
    with TestClient(app) as opened:
        until(lambda: versions.connected)
        yield opened


@pytest.fixture(autouse=True)
def dispatcher(city: MapCity) -> Iterator[None]:
    Acts.actor = city.officer(Role.DISPATCHER)
    yield
    Acts.actor = None


def until(holds: object, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


def address(city: MapCity, layer: str, z: int, half: str = "west") -> str:
    lon, lat = CENTRES[half]
    key = tiles_of((lon, lat, lon, lat), z)[0]
    return f"/tiles/{city.territory.id}/{layer}/{key.z}/{key.x}/{key.y}.mvt"


@pytest.mark.parametrize(
    ("layer", "z", "held"),
    [
        ("basemap", 9, b"land"),
        ("basemap", 14, "高街".encode()),
        ("basemap", 14, b"building"),
        ("basemap", 11, b"Mapton"),
        ("grids", 9, b"grid"),
        ("grids", 14, b"code"),
        ("traffic", 14, b"High Street"),
        ("traffic", 10, b"signed"),
        ("facilities", 13, b"Oak School"),
        ("incidents", 15, b"event-04"),
    ],
)
def test_every_layer_has_tiles(client: TestClient, city: MapCity, layer: str, z: int, held: bytes) -> None:
    answer = client.get(address(city, layer, z))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == tiles.MEDIA_TYPE
    assert answer.headers["cache-control"] == "private, no-cache"
    assert held in answer.content


def test_a_tile_that_takes_too_long_is_told_in_a_sentence(
    client: TestClient, city: MapCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = dataclasses.replace(tiles.find_layer("basemap"), statement=lambda _z: "SELECT pg_sleep(20)::text::bytea")
    monkeypatch.setattr(tiles, "find_layer", lambda _key: slow)
    monkeypatch.setattr(layers.tiles, "TIMEOUT_MS", 50)
    answer = client.get(address(city, "basemap", 12, "east"))
    assert answer.status_code == 503
    assert "longer than 0.05 s" in answer.text
    monkeypatch.undo()
    assert client.get(address(city, "basemap", 12, "east")).status_code == 200, "the connection is of use again"


def test_tiles_and_values_of_a_day(client: TestClient, city: MapCity) -> None:
    day = dt.date(2026, 6, 25)
    for layer, z in (("grids", 13), ("incidents", 15), ("facilities", 13)):
        answer = client.get(address(city, layer, z), params={"on": day.isoformat()})
        assert answer.status_code == 200, layer
    held = client.get("/api/cells", params={"on": "1999-01-01"}).content
    assert b'"length": 0' in held
    assert client.get(f"/api/values?{SPAN}&on={day}").status_code == 200
    for address_of in (address(city, "grids", 13) + "?on=soon", "/api/cells?on=soon", f"/api/values?{SPAN}&on=soon"):
        assert client.get(address_of).status_code == 400


def test_an_unchanged_tile_is_not_sent_again(client: TestClient, city: MapCity) -> None:
    first = client.get(address(city, "grids", 13))
    second = client.get(address(city, "grids", 13), headers={"if-none-match": first.headers["etag"]})
    assert (second.status_code, second.content) == (304, b"")


def test_a_commit_makes_tiles_and_values_new(client: TestClient, city: MapCity) -> None:
    tile = address(city, "incidents", 15)
    before = client.get(tile).headers["etag"], client.get(f"/api/values?{SPAN}").headers["etag"]
    version = versions.of(city.territory.id, ("incidents",))
    with db.transaction(system_actor(city.territory.id)) as session:
        add_incidents(session, city, [{"reported_at": at("2026-06-21")}])
    until(lambda: versions.of(city.territory.id, ("incidents",)) != version)
    after = client.get(tile).headers["etag"], client.get(f"/api/values?{SPAN}").headers["etag"]
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_nothing_is_cached_while_nobody_listens(
    client: TestClient, city: MapCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "connected", False)
    size = len(tiles.cache())
    assert client.get(address(city, "facilities", 12)).status_code == 200
    assert client.get(f"/api/values?{SPAN}&metric=open").status_code == 200
    assert len(tiles.cache()) == size


def test_points_reach_as_far_as_the_role(client: TestClient, city: MapCity) -> None:
    Acts.actor = city.officer(Role.GRID_MANAGER, "east")
    assert b"incident" not in client.get(address(city, "incidents", 15, "west")).content
    assert b"incident" in client.get(address(city, "incidents", 15, "east")).content


@pytest.mark.parametrize("role", [Role.PLANNER, Role.ADMINISTRATOR])
def test_roles_without_incidents_get_no_points(client: TestClient, city: MapCity, role: Role) -> None:
    Acts.actor = city.officer(role)
    assert client.get(address(city, "incidents", 15)).status_code == 403
    assert client.get(f"/api/values?{SPAN}&metric=overdue").status_code == 403
    assert client.get(f"/api/values?{SPAN}").status_code == 200


def test_nobody_gets_nothing(client: TestClient, city: MapCity) -> None:
    Acts.actor = None
    for path in (address(city, "grids", 12), f"/api/values?{SPAN}", "/api/cells"):
        assert client.get(path).status_code == 403


def test_an_answer_is_packed_for_those_who_can_unpack(client: TestClient, city: MapCity) -> None:
    path = address(city, "grids", 13)
    packed = client.get(path, headers={"accept-encoding": "gzip"})
    plain = client.get(path, headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content


def test_another_territory_is_refused(client: TestClient, city: MapCity) -> None:
    path = address(city, "grids", 12).replace(f"/tiles/{city.territory.id}/", f"/tiles/{city.territory.id + 1}/")
    assert client.get(path).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/tiles/{id}/grids/12/5000/0.mvt", 404),
        ("/tiles/{id}/grids/25/0/0.mvt", 404),
        ("/tiles/{id}/facilities/3/0/0.mvt", 404),
        ("/tiles/{id}/weather/3/0/0.mvt", 404),
        ("/tiles/{id}/heat/0/0/0.mvt", 404),
        ("/tiles/{id}/grids/x/0/0.mvt", 404),
        ("/api/values?from=2026-06-01", 400),
        ("/api/values?from=yesterday&to=2026-06-01", 400),
        ("/api/values?from=2026-06-02&to=2026-06-01", 400),
        (f"/api/values?{SPAN}&metric=beauty", 400),
        (f"/api/values?{SPAN}&colour=red", 400),
        (f"/api/values?{SPAN}&categories=" + ",".join(map(str, range(300))), 400),
    ],
)
def test_bad_addresses_are_answered_in_a_sentence(client: TestClient, city: MapCity, path: str, status: int) -> None:
    answer = client.get(path.format(id=city.territory.id))
    assert answer.status_code == status
    if "/tiles/{id}/grids/x" not in path:
        assert answer.json()["error"].endswith(".")


def test_values_of_a_scope_are_not_given_to_another(client: TestClient, city: MapCity) -> None:
    path = f"/api/values?{SPAN}&metric=overdue"
    with db.transaction(system_actor(city.territory.id)) as session:
        late = {"reported_at": at("2026-06-22"), "due_at": at("2026-06-23")}
        add_incidents(session, city, [late, late | {"half": "east"}])
    tags = []
    for actor in (city.officer(Role.DISPATCHER), city.officer(Role.GRID_MANAGER, "east")):
        Acts.actor = actor
        tags.append(client.get(path).headers["etag"])
    assert tags[0] != tags[1]


def test_tiles_of_a_draft_are_by_role_and_a_version_to_come_is_not_kept(client: TestClient, city: MapCity) -> None:
    with db.transaction(system_actor()) as session:
        change = drafting.start_draft(session, system_actor(), city.territory, "Squares")
    part = address(city, "grids", 14).split("/grids/")[1]
    Acts.actor = city.officer(Role.PLANNER)
    now, then = (f"/tiles/draft/{change.id}/{version}/{part}" for version in (change.version, change.version + 1))
    held = client.get(now).content
    assert b"code" in held
    assert client.get(then).content == held
    with db.transaction(system_actor()) as session:
        drafting.withdraw(session, system_actor(), change.id)
    assert client.get(then).content == b""
    assert client.get(now).content == held  # an address answers always the same
    Acts.actor = city.officer(Role.DISPATCHER)
    assert client.get(now).status_code == 403


def test_the_cells_have_centres(client: TestClient, city: MapCity) -> None:
    answer = client.get("/api/cells")
    assert answer.content.startswith(b"GKV1")
    again = client.get("/api/cells", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


def test_addresses_and_questions_agree(city: MapCity) -> None:
    from starlette.datastructures import QueryParams

    question = values.question_of(QueryParams(f"{SPAN}&metric=open&categories=b,a&status=closed"))
    assert values.question_of(QueryParams(values.address_of(question).partition("?")[2])) == question


def test_an_engine_is_not_needed_for_assets(client: TestClient) -> None:
    answer = client.get("/assets/vendor/leaflet/leaflet.js")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/javascript")
    tagged = client.get(assets.asset_url("vendor/leaflet/leaflet.js"))
    assert "immutable" in tagged.headers["cache-control"]
    known = {"if-none-match": answer.headers["etag"]}
    assert client.get("/assets/vendor/leaflet/leaflet.js", headers=known).status_code == 304
    for name in (
        "vendor/leaflet/../../package.json",
        "gk/tests/data.test.js",
        "gk/eslint.config.mjs",
        "../app/guard.py",
    ):
        assert client.get(f"/assets/{name}").status_code == 404


def test_every_asset_of_the_white_list_is_there() -> None:
    for name in assets.FILES:
        assert assets.asset(name).body


PLACED = """
INSERT INTO unit (territory_id, code, kind, name, valid_from)
    VALUES (:home, 'LAMPS', 'department', 'Lamps', '2026-01-01');
INSERT INTO worker (territory_id, unit_id, code) SELECT :home, unit.id, w.code
    FROM unit, (VALUES ('W901'), ('W902')) AS w (code) WHERE territory_id = :home;
INSERT INTO worker_position (worker_id, territory_id, at, geom)
    SELECT id, :home, now() - CASE code WHEN 'W901' THEN interval '1 minute' ELSE interval '2 hours' END,
           ST_Point(:lon, :lat, 4326) FROM worker WHERE territory_id = :home;
INSERT INTO plan (territory_id, made_at, cost_s, rounds, cpu_s, facts) VALUES (:home, now(), 1, 1, 1, '{}');
INSERT INTO plan_row (plan_id, territory_id, incident_id, kind, worker_id, place_in_route, start_at, end_at, travel_s,
                      late_s, incident_version, change, safe)
    SELECT (SELECT max(id) FROM plan), :home, i.id, 'handle', w.id, i.n, now(), now() + interval '1 hour', 60, 0, 1,
           'new', true
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM incident WHERE territory_id = :home LIMIT 2) AS i,
         worker AS w WHERE w.code = 'W901' AND w.territory_id = :home;
INSERT INTO named_layer (territory_id, kind, name, revision, made_label)
    VALUES (:home, 'zones', 'Flood zone', 1, 'test');
INSERT INTO layer_place (layer_id, territory_id, name, weight, geom) SELECT id, :home, 'Low ground', 3,
    ST_Expand(ST_Point(:lon, :lat, 4326), 0.001) FROM named_layer WHERE territory_id = :home;
INSERT INTO data_set (territory_id, key, kind, geometry_type, owner_unit_id, sensitivity)
    SELECT :home, s.key, 'places', 'Point', unit.id, s.sensitivity
    FROM unit, (VALUES ('street-lamps', 'internal'), ('gas-valves', 'restricted')) AS s (key, sensitivity)
    WHERE unit.code = 'LAMPS' AND unit.territory_id = :home;
INSERT INTO responsibility_grid (territory_id, code, name, boundary)
    SELECT :home, 'R901', 'West', ST_Multi(ST_Expand(ST_Point(:lon, :lat, 4326), 0.005))
"""
ROWS = (
    "INSERT INTO data_set_row_{id} (data_set_id, row_key, batch_id, row_number, content_hash, properties, geom,"
    " valid_from) VALUES ({id}, '{key}-1', 0, 1, '', '{{}}', ST_Point(:lon, :lat, 4326), now())"
)


@pytest.fixture(scope="module")
def placed(city: MapCity) -> int:
    """The identity of the unit that owns what was brought."""
    place = {"home": city.territory.id, "lon": CENTRES["west"][0] + 0.0002, "lat": CENTRES["west"][1]}
    with db.transaction(system_actor(city.territory.id)) as session:
        for statement in PLACED.split(";\n"):
            session.execute(text(statement), place)
        sets = session.execute(text("SELECT id, key FROM data_set WHERE territory_id = :home"), place).all()
        for id_, key in sets:
            session.execute(text("SELECT gk_data_set_table(:id)"), {"id": id_})
            session.execute(text(ROWS.format(id=id_, key=key)), place)
            session.execute(text("SELECT count(*) FROM gk_data_set_attach(:id)"), {"id": id_})
        return session.execute(text("SELECT id FROM unit WHERE code = 'LAMPS'")).scalar_one()


@pytest.mark.parametrize(
    ("layer", "held", "roles"),
    [
        ("areas", b"Westend", set(Role) - {Role.SYSTEM}),
        ("parents", b"Westend", set(Role) - {Role.SYSTEM}),
        ("responsibility", b"R901", set(Role) - {Role.SYSTEM}),
        ("workers", b"W901", {Role.DISPATCHER}),
        ("routes", b"W901", {Role.DISPATCHER}),
        ("planning", b"Flood zone", {Role.PLANNER, Role.GRID_MANAGER, Role.SUPERVISOR, Role.AUDITOR}),
        ("datasets", b"street-lamps", set(Role) - {Role.SYSTEM}),
        ("datasets", b"gas-valves", {Role.SUPERVISOR, Role.HANDLER}),
    ],
)
def test_layers_hold_what_the_role_may_see(  # noqa: PLR0917  (pytest names what it passes)
    client: TestClient, city: MapCity, placed: int, layer: str, held: bytes, roles: set[Role]
) -> None:
    for role in set(Role) - {Role.SYSTEM}:
        unit = (placed,) if role is Role.HANDLER else ()
        areas = (city.communities["west"],) if role in {Role.GRID_MANAGER, Role.GRID_WORKER} else ()
        Acts.actor = Actor(None, role.value, role, city.territory.id, area_ids=areas, unit_ids=unit)
        answer = client.get(address(city, layer, 13))
        assert (held in answer.content) is (role in roles), role
    Acts.actor = Actor(None, "x", Role.HANDLER, city.territory.id, unit_ids=(placed + 1,))
    assert b"gas-valves" not in client.get(address(city, layer, 13)).content


def test_tiles_with_what_was_granted_to_one_account_are_not_given_to_another(
    client: TestClient, city: MapCity, placed: int
) -> None:
    del placed
    with db.transaction(system_actor(city.territory.id)) as session:
        steward = session.execute(
            text(
                "INSERT INTO app_user (login, password_hash, title_en, title_zh)"
                " VALUES ('valves', '', '', '') RETURNING id"
            )
        ).scalar_one()
        session.execute(
            text(
                "INSERT INTO catalogue_entry (territory_id, key, data_set_id, steward_id, changed_label)"
                " SELECT territory_id, 'set-' || key, id, :steward, '' FROM data_set WHERE key = 'gas-valves'"
            ),
            {"steward": steward},
        )
    for z in (11, 13):
        for user_id, held in ((steward, True), (None, False), (steward + 1, False)):
            Acts.actor = Actor(user_id, "x", Role.PLANNER, city.territory.id)
            assert (b"gas-valves" in client.get(address(city, "datasets", z)).content) is held


def test_a_place_told_long_ago_is_not_shown(client: TestClient, city: MapCity, placed: int) -> None:
    del placed
    assert b"W902" not in client.get(address(city, "workers", 13)).content


def test_who_colours_grids_by_incidents_is_noted_with_what(city: MapCity, client: TestClient) -> None:
    looking, overseer = Acts.actor, city.officer(Role.SUPERVISOR)
    assert looking is not None
    for metric in ("reported", "reported", "people"):
        assert client.get(f"/api/values?metric={metric}&{SPAN}").status_code == 200
    with db.transaction(overseer) as session:
        cases, cells = ([each for each in catalogue.uses(session, overseer, key) if each.label == looking.label]
                        for key in ("incidents", "unit-grids"))  # fmt: skip
    assert {(each.way, each.joined) for each in cases} == {("map", ("unit-grids",))}
    assert {each.joined for each in cells} == {("incidents",), ()}

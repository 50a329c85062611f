"""OGC API by any role: what each sees is what the database shows it, and personal fields are nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app import bearer
from app.api import ogc_documents
from app.api.ogc import routes
from core.identity import Actor, Role, system_actor
from geodata.catalogue_builtin import builtin
from geodata.db import transaction
from people import tokens
from tests.security.conftest import OFFICERS, Enter

PERSONAL = ("reporter", "phone", "note", "worker", "person", "dispatched_by", "closed_by", "reported_by", "place_note")
CASES = {"incidents", "components"}


def get(client: TestClient, path: str) -> httpx.Response:
    return client.get(f"/ogc{path}")


def everything(client: TestClient, key: str, query: str = "limit=700") -> list[dict]:
    found, path = [], f"/ogc/collections/{key}/items?{query}"
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        told = answer.json()
        found += told["features"]
        assert told["numberReturned"] == len(told["features"])
        path = next((each["href"].partition("localhost")[2] for each in told["links"] if each["rel"] == "next"), "")
    return found


def test_documents_tell_of_each_other(enter: Enter) -> None:
    client = enter(Role.SUPERVISOR)
    links = {each["rel"]: each["href"] for each in get(client, "").json()["links"]}
    assert {"self", "service-desc", "conformance", "data"} <= set(links)
    assert get(client, "/conformance").json()["conformsTo"] == list(ogc_documents.CONFORMS)
    told = get(client, "/collections").json()
    assert [each["id"] for each in told["collections"]] == list(builtin())
    one = get(client, "/collections/facilities").json()
    assert one["crs"][0] == one["storageCrs"] == ogc_documents.CRS84
    assert "http://www.opengis.net/def/crs/EPSG/0/32630" in one["crs"]
    schema = get(client, "/collections/streets/queryables").json()
    assert schema["properties"]["limit_kmh"] == {"title": "Signed limit", "type": "number", "x-ogc-unit": "km/h"}
    api = get(client, "/api")
    assert api.headers["content-type"].startswith("application/vnd.oai.openapi+json")
    paths = set(api.json()["paths"])
    served = {route.path.removeprefix("/ogc") for route in routes if "{" not in route.path} - {"", "/", "/style.css"}
    assert served <= paths
    assert "/collections/incidents/items/{featureId}" in paths


@pytest.mark.parametrize("role", OFFICERS)
def test_each_role_gets_its_own_rows(enter: Enter, actors: dict[Role, Actor], role: Role) -> None:
    actor, client = actors[role], enter(role)
    offered = {each["id"] for each in get(client, "/collections").json()["collections"]}
    assert offered == {key for key, source in builtin().items() if actor.may(source.offer.capability)}
    if "incidents" not in offered:
        assert get(client, "/collections/incidents/items").status_code == 404
    if role is Role.GRID_WORKER:  # on the phone he sees his tasks; page by page he would have all of his grids
        for key in offered:
            for path in ("items", "items/1", "tiles/WebMercatorQuad/12/0/0"):
                answer = get(client, f"/collections/{key}/{path}")
                assert answer.status_code == 403, path
                assert "other programs" in answer.json()["error"]
        return
    for key in CASES & offered:
        table = {"incidents": "incident", "components": "component"}[key]
        with transaction(actor) as session:
            rows = set(session.scalars(text(f"SELECT id FROM {table} WHERE territory_id = {actor.territory_id}")))
            hidden = set()
            if key == "components":
                hidden = set(
                    session.scalars(text("SELECT id FROM component WHERE sensitivity <> 'open' OR state = 'removed'"))
                )
        found = everything(client, key)
        assert {each["id"] for each in found} == rows - hidden
        assert len(found) == len(rows - hidden)


def test_no_personal_column_is_offered(enter: Enter) -> None:
    names = {each.name for source in builtin().values() for each in source.offer.fields}
    assert not {name for name in names if any(part in name for part in PERSONAL)} - {"min_workers"}
    one = get(enter(Role.DISPATCHER), "/collections/incidents/items?limit=1").json()["features"][0]
    assert set(one["properties"]) == {each.name for each in builtin()["incidents"].offer.fields}


def test_filters_say_what_the_database_says(enter: Enter, actors: dict[Role, Actor]) -> None:
    client = enter(Role.SUPERVISOR)
    with transaction(actors[Role.SUPERVISOR]) as session:
        middle, status, west, south, east, north = session.execute(
            text(
                "SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY reported_at), min(status), min(ST_X(geom)),"
                " min(ST_Y(geom)), max(ST_X(geom)), max(ST_Y(geom)) FROM incident"
            )
        ).one()
        half = (west, south, (west + east) / 2, north)
        boxed = session.scalar(
            text(f"SELECT count(*) FROM incident WHERE geom && ST_MakeEnvelope({','.join(map(str, half))}, 4326)")
        )
        later = session.scalar(text("SELECT count(*) FROM incident WHERE reported_at >= :at"), {"at": middle})
        of_state = session.scalar(text("SELECT count(*) FROM incident WHERE status = :s"), {"s": status})
    box = ",".join(map(str, half))
    flipped = f"{half[1]},{half[0]},{half[3]},{half[2]}"
    epsg = "http://www.opengis.net/def/crs/EPSG/0/4326"
    for query, expected in (
        (f"bbox={box}", boxed),
        (f"bbox={flipped}&bbox-crs={epsg}", boxed),
        ("bbox=170,-10,-170,10", 0),
        (f"datetime={middle.isoformat().replace('+00:00', 'Z')}/..", later),
        (f"status={status}", of_state),
        (f"status={status}&datetime=1999-01-01/1999-12-31", 0),
    ):
        first = get(client, f"/collections/incidents/items?limit=400&{query}").json()
        assert first["numberMatched"] == expected, query
        assert len(everything(client, "incidents", f"limit=400&{query}")) == expected


@pytest.mark.parametrize("key", ["components", "incidents", "streets", "unit-grids"])
def test_a_box_larger_than_the_world_costs_no_more_than_none(enter: Enter, key: str) -> None:
    client = enter(Role.SUPERVISOR)
    path = f"/collections/{key}/items?limit=1"
    for box in ("-180,-90,180,90", "-1e300,-1e300,1e300,1e300"):
        assert get(client, f"{path}&bbox={box}").json()["numberMatched"] == get(client, path).json()["numberMatched"]


def test_places_in_other_systems(enter: Enter) -> None:
    client = enter(Role.SUPERVISOR)
    base = "/collections/facilities/items?limit=1"
    lon, lat = get(client, base).json()["features"][0]["geometry"]["coordinates"]
    epsg = "http://www.opengis.net/def/crs/EPSG/0/"
    turned = get(client, f"{base}&crs={epsg}4326")
    assert turned.headers["content-crs"] == f"<{epsg}4326>"
    assert turned.json()["features"][0]["geometry"]["coordinates"] == [lat, lon]
    with transaction(system_actor()) as session:
        x, y = session.execute(
            text("SELECT ST_X(p), ST_Y(p) FROM ST_Transform(ST_SetSRID(ST_MakePoint(:x, :y), 4326), 32630) AS p"),
            {"x": lon, "y": lat},
        ).one()
    metric = get(client, f"{base}&crs={epsg}32630").json()["features"][0]
    assert metric["geometry"]["coordinates"] == pytest.approx([x, y], abs=0.02)
    one = get(client, f"/collections/facilities/items/{metric['id']}").json()
    assert one["geometry"]["coordinates"] == [lon, lat]
    assert {each["rel"] for each in one["links"]} == {"self", "alternate", "collection"}


WRONG = {
    "limit=0": 400, "limit=x": 400, "limit=-1": 400, "limit=99999999": 200, "bbox=1,2,3": 400, "bbox=1,2,3,x": 400,
    "bbox=nan,0,1,1": 400, "bbox=0,9,1,1": 400, "datetime=yesterday": 400, "datetime=2026-02-30": 400,
    "datetime=2026-03-02/2026-03-01": 400, "datetime=../..": 200, "crs=EPSG:4326": 400, "bbox-crs=x": 400,
    "nosuch=1": 400,
    "priority=high": 400, "priority=1": 200, "emergency=perhaps": 400, "after=x": 404, "f=xml": 400, "f=json": 200,
    "f=html": 200,
    "limit=1&limit=2": 400, "status=%00": 400, "status=%27%3B--": 200, "priority=9e99": 400,
}  # fmt: skip


@pytest.mark.parametrize("query", WRONG)
def test_bad_queries_are_told_in_a_sentence(enter: Enter, query: str) -> None:
    answer = get(enter(Role.SUPERVISOR), f"/collections/incidents/items?{query}")
    assert answer.status_code == WRONG[query], answer.text
    if answer.status_code >= 400:
        assert set(answer.json()) == {"error", "hint"}


def test_tiles_hold_the_features(enter: Enter, actors: dict[Role, Actor]) -> None:
    client = enter(Role.SUPERVISOR)
    sets = get(client, "/collections/facilities/tiles").json()["tilesets"]
    assert sets[0]["tileMatrixSetURI"] == ogc_documents.TILE_MATRIX_SET_URI
    told = get(client, "/collections/facilities/tiles/WebMercatorQuad").json()
    west, south, east, north = told["boundingBox"]["lowerLeft"] + told["boundingBox"]["upperRight"]
    from layers.tiles import tiles_of

    full = 0
    for key in tiles_of((west, south, east, north), 14):
        answer = get(client, f"/collections/facilities/tiles/WebMercatorQuad/14/{key.y}/{key.x}")
        assert answer.status_code in {200, 204}
        full += answer.status_code == 200
        if answer.status_code == 200:
            assert b"facilities" in answer.content
    assert full
    for wrong in ("WebMercatorQuad/17/0/0", "WebMercatorQuad/14/99999999/0", "Other/14/0/0"):
        assert get(client, f"/collections/facilities/tiles/{wrong}").status_code == 404
    assert get(client, "/tileMatrixSets/WebMercatorQuad").json()["tileMatrices"][14]["matrixWidth"] == 2**14


@pytest.fixture
def secret(actors: dict[Role, Actor]) -> Iterator[tokens.Issued]:
    with transaction(actors[Role.GRID_MANAGER]) as session:
        made = tokens.issue(session, actors[Role.GRID_MANAGER], name="GIS of the water works")
    bearer.forget()
    yield made
    manager = actors[Role.GRID_MANAGER]
    with transaction(manager) as session:
        if any(each.id == made.id and each.revoked_at is None for each in tokens.mine(session, manager)):
            tokens.end(session, manager, made.id)
    bearer.forget()


def test_a_token_reads_in_its_role_and_nothing_else(
    enter: Enter, actors: dict[Role, Actor], secret: tokens.Issued
) -> None:
    manager = actors[Role.GRID_MANAGER]
    whole = len(everything(enter(Role.SUPERVISOR), "incidents"))
    mine = len(everything(enter(Role.GRID_MANAGER), "incidents"))
    client = enter(None)
    path = "/ogc/collections/incidents/items?limit=10000"
    refused = client.get(path)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")
    for headers, auth in (({"authorization": f"Bearer {secret.secret}"}, None), ({}, ("x", secret.secret))):
        answer = client.get(path, headers=headers, auth=auth)
        assert len(answer.json()["features"]) == mine
        assert mine < whole
    by = {"authorization": f"Bearer {secret.secret}"}
    for elsewhere in ("/api/values", "/api/cells", "/", "/field", "/ogcx"):
        assert client.get(elsewhere, headers=by).status_code in {303, 401}
    assert client.post("/ogc/collections", headers=by).status_code == 405
    assert client.get("/ogc", headers={"authorization": "Bearer gkt_wrong"}).status_code == 401
    assert "access-control-allow-origin" not in client.get("/ogc", headers=by | {"origin": "https://x"}).headers
    with transaction(manager) as session:
        tokens.end(session, manager, secret.id)
    bearer.forget()
    assert client.get(path, headers=by).status_code == 401


def test_a_token_is_recorded_without_its_secret(actors: dict[Role, Actor], secret: tokens.Issued) -> None:
    with transaction(system_actor()) as session:
        row = session.scalars(
            text("SELECT after FROM record WHERE subject_table = 'api_token' AND action = 'insert' ORDER BY seq DESC")
        ).first()
        kept = session.scalar(text("SELECT token_hash FROM api_token WHERE id = :id"), {"id": secret.id})
    assert row is not None
    assert row["name"] == "GIS of the water works"
    assert "token_hash" not in row
    assert secret.secret not in json.dumps(row)
    assert kept != secret.secret

"""What the OGC API offers beyond plain features: filters in CQL2, pages for people, small data below zoom 10."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from urllib.parse import quote

import httpx
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from app.api import forms, ogc_documents
from app.api.ogc_documents import CRS84
from core.identity import Actor, Role, system_actor
from geodata.db import transaction
from tests.db.lamps import make_lamps
from tests.security.conftest import Enter

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def get(client: TestClient, path: str, **headers: str) -> httpx.Response:
    answer: httpx.Response = client.get(f"/ogc{path}", headers=headers)
    return answer


def matched(client: TestClient, condition: str, key: str = "incidents", **more: str) -> int:
    asked = "".join(f"&{name.replace('_', '-')}={quote(value)}" for name, value in more.items())
    answer = get(client, f"/collections/{key}/items?limit=1&filter={quote(condition)}{asked}")
    assert answer.status_code == 200, answer.text
    return int(answer.json()["numberMatched"])


def test_a_filter_says_what_the_database_says(enter: Enter, actors: dict[Role, Actor]) -> None:
    client = enter(Role.SUPERVISOR)
    with transaction(actors[Role.SUPERVISOR]) as session:
        status, lon, lat = session.execute(
            text("SELECT min(status), avg(ST_X(geom)), avg(ST_Y(geom)) FROM incident")
        ).one()
        corner = f"POLYGON(({lon} {lat}, 0 {lat}, 0 60, {lon} {lat}))"
        known = (
            (f"status = '{status}'", f"status = '{status}'"),
            (f"NOT status = '{status}'", f"status <> '{status}'"),
            ("priority < 3 AND emergency = FALSE", "priority < 3 AND NOT emergency"),
            ("emergency OR priority = 4 AND reworks >= 1", "emergency OR (priority = 4 AND reworks >= 1)"),
            ("status IN ('closed', 'new')", "status IN ('closed', 'new')"),
            ("number LIKE '%7'", "number LIKE '%7'"),
            ("priority BETWEEN 2 AND 3 AND closed_at IS NULL", "priority BETWEEN 2 AND 3 AND closed_at IS NULL"),
            ("closed_at IS NOT NULL", "closed_at IS NOT NULL"),
            ("reported_at > TIMESTAMP('2020-01-01T00:00:00Z')", "true"),
            ("reported_at < DATE('2020-01-01')", "false"),
            (
                f"S_INTERSECTS(geometry, BBOX({lon}, {lat}, 0, 60)) AND TRUE",
                f"geom && ST_MakeEnvelope({lon}, {lat}, 0, 60, 4326)",
            ),
            (f"S_INTERSECTS(geometry, {corner})", f"ST_Intersects(geom, ST_GeomFromText('{corner}', 4326))"),
        )
        expected = [session.scalar(text(f"SELECT count(*) FROM incident WHERE {each}")) for _, each in known]
    for (asked, _), count in zip(known, expected, strict=True):
        assert matched(client, asked) == count, asked
    assert len(set(expected)) > 5
    epsg = "http://www.opengis.net/def/crs/EPSG/0/4326"
    flipped = f"S_INTERSECTS(geometry, BBOX({lat}, {lon}, 60, 0))"
    assert matched(client, flipped, filter_crs=epsg, filter_lang="cql2-text") == expected[10]
    assert matched(client, "length_m > 50 AND name = 'no such'", "streets") == 0
    assert matched(client, "S_INTERSECTS(geometry, BBOX(-180, -90, 180, 90))", "unit-grids") > 0


WRONG = (
    "status", "status =", "status = 1", "priority = 'x'", "nosuch = 1", "1 = 1", "status = number", "priority + 1 = 2",
    "casei(status) = 'x'", "status LIKE 1", "priority LIKE '1'", "number LIKE 'x\\'", "number LIKE 'x\\\\\\'",
    "S_INTERSECTS(number, BBOX(1,2,3,4))", "S_INTERSECTS(geometry, BBOX(9,2,3,4))",
    "S_INTERSECTS(geometry, POINT(900 1))", "S_WITHIN(geometry, POINT(1 1))",
    "S_INTERSECTS(geometry, POLYGON((0 0, 1 1, 0 1, 1 0, 0 0)))", "status = 'x'; DROP TABLE incident",
    "reported_at > TIMESTAMP('yesterday')", "emergency = 1", "status IN ()", "(" * 900 + "TRUE",
    "NOT " * 400 + "emergency", "a" * 2001, "status = '\x00'", "priority = 1e999", "EXISTS (SELECT 1)",
)  # fmt: skip


def test_a_filter_that_says_nothing_is_refused_in_a_sentence(enter: Enter) -> None:
    client = enter(Role.SUPERVISOR)
    for condition in WRONG:
        answer = get(client, f"/collections/incidents/items?filter={quote(condition)}")
        assert answer.status_code == 400, (condition[:80], answer.text)
        assert set(answer.json()) == {"error", "hint"}
    assert get(client, "/collections/incidents/items?filter-lang=cql2-json&filter=x").status_code == 400


def test_values_of_a_filter_stay_values(enter: Enter) -> None:
    client = enter(Role.SUPERVISOR)
    for told in ("x'' OR ''1''=''1", "%", "100%{x}", "\\\\", "'' --", "\\''; --"):
        assert matched(client, f"number = '{told}'") == 0


def test_who_opens_an_address_in_a_browser_gets_a_page(enter: Enter) -> None:
    client = enter(Role.SUPERVISOR)
    for path, words in (
        ("", ("Collections", "/ogc/collections?f=html")),
        ("/conformance", ("/basic-cql2",)),
        ("/collections", ("Streets", "/ogc/collections/streets?f=html")),
        ("/collections/streets", ("Signed limit", "ODbL", "OAPIF", "All rows")),
        ("/collections/streets/items?limit=2", ("Next page", "rows in all")),
    ):
        answer = get(client, path, accept=BROWSER)
        assert answer.headers["content-type"].startswith("text/html"), path
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "private" in answer.headers["cache-control"]
        for word in words:
            assert word in answer.text, word
        for accept in ("application/json", "*/*", "application/geo+json, text/html;q=0.5"):
            assert "json" in get(client, path, accept=accept).headers["content-type"]
        as_data = f"{path}{'&' if '?' in path else '?'}f=json"
        assert "json" in get(client, as_data, accept=BROWSER).headers["content-type"]
    chinese = get(client, "/collections/streets?f=html&lang=zh").text
    assert "限速标志" in chinese
    assert 'lang="zh-CN"' in chinese
    first = get(client, "/collections/facilities/items?limit=1").json()["features"][0]["id"]
    assert "Kind of facility" in get(client, f"/collections/facilities/items/{first}?f=html&lang=en").text
    assert get(client, "/style.css").headers["content-type"].startswith("text/css")
    assert client.cookies.get(forms.LANGUAGE_COOKIE) == "en"


def test_an_error_is_a_page_in_a_browser_and_data_elsewhere(enter: Enter) -> None:
    client = enter(Role.SUPERVISOR)
    for path, status, words in (
        ("/collections/nothing-such", 404, "nothing-such"),
        ("/collections/streets/items?limit=no", 400, "limit"),
        ("/collections/streets/items/none", 404, "none"),
        ("/colections", 404, "/ogc/colections"),
    ):
        page = get(client, path, accept=BROWSER)
        assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert words in page.text
        assert "/ogc/collections?f=html" in page.text
        told = get(client, path)
        assert (told.status_code, set(told.json())) == (status, {"error", "hint"})
    marked = get(client, "/collections/%3Cscript%3Ealert(1)%3C/items?f=html&limit=%22%3E%3Cscript%3E")
    assert marked.status_code == 404
    assert "<script" not in marked.text
    assert "不小于 1 的整数" in get(client, "/collections/streets/items?f=html&lang=zh&limit=no").text
    refused = get(enter(Role.GRID_WORKER), "/collections/streets/items", accept=BROWSER)
    assert (refused.status_code, "other programs may not read" in refused.text) == (403, True)


def test_a_browser_without_a_session_is_led_to_the_login(enter: Enter) -> None:
    client = enter(None)
    led = client.get("/ogc/collections?f=html", headers={"accept": BROWSER}, follow_redirects=False)
    assert (led.status_code, led.headers["location"]) == (303, "/login?next=/ogc/collections%3Ff%3Dhtml")
    assert client.get("/ogc", headers={"accept": "application/json"}).status_code == 401
    wrong = {"accept": BROWSER, "authorization": "Bearer wrong"}
    assert client.get("/ogc", headers=wrong, follow_redirects=False).status_code == 401


@pytest.fixture
def odd(actors: dict[Role, Actor]) -> Iterator[str]:
    """A data set whose keys are written as addresses and mark-up are."""
    home = actors[Role.SUPERVISOR].territory_id
    with transaction(system_actor(home)) as session:
        number = make_lamps(session, home, not_of=[], key="odd")
        keys = zip(("a/b/../c", "<b>x</b>", "50%?x=1#y"), ("L1", "L2", "100%{x}"), strict=True)
        for new, old in keys:
            session.execute(
                text("UPDATE data_set_row SET row_key = :n WHERE data_set_id = :d AND row_key = :o"),
                {"n": new, "o": old, "d": number},
            )
    yield "set-odd"
    with transaction(system_actor(home)) as session:
        session.execute(text("DELETE FROM data_set WHERE id = :d"), {"d": number})


def test_identities_may_hold_any_sign(enter: Enter, odd: str) -> None:
    client = enter(Role.SUPERVISOR)
    told = get(client, f"/collections/{odd}/items?limit=1").json()
    found = told["features"]
    while following := [each["href"] for each in told["links"] if each["rel"] == "next"]:
        told = client.get(following[0].partition("localhost")[2]).json()
        found += told["features"]
    assert {each["id"] for each in found} == {"a/b/../c", "<b>x</b>", "50%?x=1#y"}
    for each in found:
        answer = get(client, f"/collections/{odd}/items/{quote(each['id'], safe='')}")
        assert answer.status_code == 200, answer.text
        assert {**answer.json(), "links": 0} == {**each, "links": 0}
        own = next(link["href"] for link in answer.json()["links"] if link["rel"] == "self")
        assert client.get(own.partition("localhost")[2]).json()["id"] == each["id"]
    page = get(client, f"/collections/{odd}/items?f=html").text
    assert "<b>x</b>" not in page
    for each in ("a/b/../c", "50%?x=1#y"):
        shown = get(client, f"/collections/{odd}/items/{quote(each, safe='')}?f=html&lang=en&crs={CRS84}").text
        links = [unescape(link) for link in re.findall(r'href="(/ogc/[^"]+)"', shown)]
        for sign, kind in (("lang=zh", "text/html"), ("f=json", "json")):
            [told] = [link for link in links if sign in link]
            assert kind in client.get(told).headers["content-type"], told
            assert quote(CRS84, safe="") in told
        assert client.get(told).json()["id"] == each
    assert json.dumps("<b>x</b>") not in page
    assert matched(client, "no = 'L1'", odd) == matched(client, "watts > 50.5", odd) == 1


def test_small_data_have_tiles_from_the_whole_world_on(enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    client = enter(Role.SUPERVISOR)
    tiles = "/collections/facilities/tiles/WebMercatorQuad"
    world = get(client, f"{tiles}/0/0/0")
    assert world.status_code == 200
    assert b"facilities" in world.content
    assert get(client, tiles).json()["layers"][0]["minTileMatrix"] == "0"
    monkeypatch.setattr(ogc_documents, "MOST_IN_TILE", 3)
    assert get(client, f"{tiles}/0/0/0").status_code == 404
    assert get(client, f"{tiles}/17/0/0").status_code == 404
    assert get(client, tiles).json()["layers"][0]["minTileMatrix"] == "10"

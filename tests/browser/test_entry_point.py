"""The plain command `streamlit run streamlit_app.py` serves nothing without a login, and everything with one."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import text
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from core.identity import system_actor
from geodata.db import transaction
from tests.serving import ANSWER_WITHIN_S, served

PAGES = ["/", "/map", "/incidents?incident=1", "/bring-in", "/help", "/nowhere", "/index.html"]
PROGRAMS = [
    "/tiles/1/grids/14/8134/5482.mvt", "/api/values", "/api/cells", "/assets/gk/gridkeeper-map.js",
    "/_stcore/host-config", "/_stcore/metrics", "/_stcore/agent/openapi.json", "/media/x.png", "/static/js/x.js",
    "/component/streamlit_folium.st_folium/index.html",
]  # fmt: skip


@pytest.fixture(scope="module")
def platform(demo_database, tmp_path_factory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("entry") / "log") as server:
        assert server.answers(), f"the server did not start:\n{server.log.read_text()[-3000:]}"
        yield server.address


@pytest.fixture
def visitor(platform) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=platform, timeout=ANSWER_WITHIN_S) as client:
        yield client


@pytest.fixture
def enter(platform) -> Iterator[Callable[[str], httpx.Client]]:
    """A client that entered by the card of a role."""
    with contextlib.ExitStack() as stack:

        def by_card(role: str) -> httpx.Client:
            client = stack.enter_context(httpx.Client(base_url=platform, timeout=ANSWER_WITHIN_S))
            name = re.search(rf'name="demo" value="({role}[^"]*)"', client.get("/login").text)[1]
            assert client.post("/login", data={"demo": name}).status_code == 303
            return client

        yield by_card


def cookies_of(client: httpx.Client) -> dict[str, str]:
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in client.cookies.items())}


def stream(address: str, **headers: str):
    address = address.replace("http", "ws", 1) + "/_stcore/stream"
    return connect(address, additional_headers=headers, open_timeout=ANSWER_WITHIN_S)


def territory() -> int:
    with transaction(system_actor()) as session:
        return session.execute(text("SELECT id FROM territory")).scalar_one()


def a_tile() -> str:
    """The address of a tile of the grids that is not empty."""
    import math

    with transaction(system_actor()) as session:
        lon, lat = session.execute(
            text("SELECT ST_X(c), ST_Y(c) FROM (SELECT ST_Centroid(geom) AS c FROM unit_grid LIMIT 1) AS cell")
        ).one()
    z = 15
    x = int((lon + 180) / 360 * 2**z)
    y = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * 2**z)
    return f"/tiles/{territory()}/grids/{z}/{x}/{y}.mvt"


VALUES = "/api/values?metric=reported&from=2026-01-01&to=2026-12-31"


@pytest.mark.parametrize("path", PAGES)
def test_pages_without_a_cookie_lead_to_the_login(visitor, path):
    answer = visitor.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("path", PROGRAMS)
def test_tiles_values_and_all_else_without_a_cookie_are_401(visitor, path):
    assert visitor.get(path).status_code == 401


def test_the_websocket_without_a_cookie_is_refused(platform):
    with pytest.raises(InvalidStatus) as refused, stream(platform):
        pass
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("value", ["", "x", "eyJhIjoxfQ.forged", '"abc".sig'])
def test_a_forged_cookie_opens_nothing(platform, enter, value):
    (name,) = [name for name in enter("dispatcher").cookies if name != "gridkeeper_language"]
    with httpx.Client(base_url=platform, cookies={name: value}, timeout=ANSWER_WITHIN_S) as client:
        assert client.get("/").status_code == 303
        assert client.get("/api/values").status_code == 401
    with pytest.raises(InvalidStatus), stream(platform, Cookie=f"{name}={value}"):
        pass


def test_uploading_without_a_cookie_is_refused(visitor):
    assert visitor.put("/_stcore/upload_file/x/y", files={"file": b"x"}).status_code == 401


def test_with_a_cookie_page_websocket_tile_and_values_are_served(platform, enter):
    client = enter("dispatcher")
    page = client.get("/")
    assert page.status_code == 200
    assert "<title>" in page.text
    tile = client.get(a_tile())
    assert (tile.status_code, tile.headers["content-type"]) == (200, "application/vnd.mapbox-vector-tile")
    assert len(tile.content) > 50
    assert client.get(VALUES).status_code == 200
    with stream(platform, **cookies_of(client), Origin=platform) as socket_:
        assert socket_.protocol.state.name == "OPEN"


def test_another_site_gets_no_websocket_even_with_the_cookie(platform, enter):
    client = enter("dispatcher")
    with pytest.raises(InvalidStatus), stream(platform, **cookies_of(client), Origin="http://evil.example"):
        pass


def test_a_revoked_session_is_refused_within_seconds(platform, enter):
    client = enter("auditor")
    assert client.get("/").status_code == 200
    with transaction(system_actor()) as session:
        session.execute(text("UPDATE user_session SET revoked_at = now()"))
    time.sleep(3.2)
    assert client.get("/").status_code == 303
    assert client.get(VALUES).status_code == 401


def test_logging_out_works_at_once(enter):
    client = enter("planner")
    assert client.post("/logout").headers["location"] == "/login"
    assert client.get("/").status_code == 303


def test_tiles_of_another_territory_are_refused(enter):
    answer = enter("dispatcher").get(f"/tiles/{territory() + 1}/grids/14/8134/5482.mvt")
    assert answer.status_code == 403


def test_outside_demo_mode_the_platform_does_not_start_with_demo_accounts(demo_database, tmp_path):
    log = tmp_path / "log"
    with served(log, GRIDKEEPER_DEMO="false") as server, pytest.raises(httpx.TransportError):
        httpx.get(f"{server.address}/login")
    said = log.read_text()
    assert "Demo mode is off, but 8 demo accounts are active." in said
    assert "Traceback" not in said


def test_a_wrong_setting_is_a_sentence(demo_database, tmp_path):
    log = tmp_path / "log"
    with served(log, GRIDKEEPER_PROT="1") as server:
        assert not server.answers()
    assert "GRIDKEEPER_PROT is not a setting (did you mean GRIDKEEPER_PORT?)" in log.read_text()
    assert "Traceback" not in log.read_text()

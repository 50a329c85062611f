"""`gridkeeper run` with certificate and key: page, websocket and tiles by https, and nothing by http."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from core.errors import InvalidInput
from tests import visiting
from tests.certificates import DAY, make_pair
from tests.serving import ANSWER_WITHIN_S, Server, served

RUN = ("app.cli", "run")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_pair(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def server(
    demo_database: Engine, pair: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    cert, key = pair
    given = {"GRIDKEEPER_TLS_CERT": str(cert), "GRIDKEEPER_TLS_KEY": str(key)}
    with served(tmp_path_factory.mktemp("log") / "log", RUN, certificate=cert, **given) as started:
        assert started.answers(), started.log.read_text()[-3000:]
        yield started


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.address, verify=server.trusted, timeout=ANSWER_WITHIN_S) as opened:
        entered = visiting.enter(opened, server.address, "supervisor")
        assert entered.status_code == 303, entered.text
        crumbs = [crumb.lower() for crumb in entered.headers.get_list("set-cookie")]
        assert crumbs
        assert all("secure" in crumb for crumb in crumbs)
        yield opened


def test_pages_and_tiles_come_by_https(client: httpx.Client) -> None:
    assert client.get("/").status_code == 200
    tile = client.get(visiting.tile_address())
    assert tile.status_code == 200
    assert tile.content
    assert client.get("/assets/vendor/leaflet/leaflet.js").status_code == 200


def test_the_websocket_comes_by_https(client: httpx.Client, server: Server) -> None:
    with visiting.websocket(client, server.address, trusted=server.trusted) as opened:
        assert visiting.draw(opened)


def test_nothing_comes_by_http_on_that_port(server: Server) -> None:
    with pytest.raises(httpx.TransportError):
        httpx.get(server.address.replace("https", "http") + "/login")


def test_the_start_says_the_address_with_https(server: Server) -> None:
    assert f"Gridkeeper runs at {server.address}" in server.log.read_text()


def test_an_expired_certificate_starts_nothing(
    demo_database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.cli import server as commands
    from core.settings import settings

    cert, key = make_pair(tmp_path, begins=-30 * DAY, ends=-DAY)
    monkeypatch.setenv("GRIDKEEPER_TLS_CERT", str(cert))
    monkeypatch.setenv("GRIDKEEPER_TLS_KEY", str(key))
    settings.cache_clear()
    try:
        with pytest.raises(InvalidInput, match="ended on"):
            commands.run()
    finally:
        monkeypatch.undo()
        settings.cache_clear()


def test_the_plain_command_refuses_to_serve_http_where_https_is_wanted(
    demo_database: Engine, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    cert, key = pair
    given = {"GRIDKEEPER_TLS_CERT": str(cert), "GRIDKEEPER_TLS_KEY": str(key)}
    with served(tmp_path / "log", **given) as started:
        assert started.process.wait(ANSWER_WITHIN_S) == 2
        assert "started without https" in started.log.read_text()

"""Sign-on by a header of a proxy: believed from named addresses only, for accounts that are there and open."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app import cookie, guard, peers, sso
from app.api import login
from app.routes import exception_handlers, middleware
from core.errors import InvalidInput
from core.identity import Role, system_actor
from core.settings import settings
from geodata.db import transaction
from people import accounts

PROXY = "10.0.0.5"
HEADER = {"X-Remote-User": "ann"}
BEN_HERE = {"X-Remote-User": "ben", "Origin": "http://localhost"}


async def _who(request):
    return JSONResponse({"label": request.state.actor.label})


@pytest.fixture(scope="module")
def town(demo_database):
    with transaction(system_actor()) as session:
        home = session.execute(text("SELECT id FROM territory")).scalar_one()
        for name in ("ann", "ben", "gone"):
            accounts.ensure_user(
                session,
                login=name,
                role=Role.PLANNER,
                territory_id=home,
                title_en=name,
                title_zh=name,
                password="four little words",
            )
        session.execute(text("UPDATE app_user SET active = false WHERE login = 'gone'"))
    return home


@pytest.fixture
def on(monkeypatch):
    monkeypatch.setenv("GRIDKEEPER_SSO_HEADER", "X-Remote-User")
    monkeypatch.setenv("GRIDKEEPER_SSO_PROXIES", f"{PROXY}, 10.1.0.0/16, 127.0.0.1")
    settings.cache_clear()
    sso._told.clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def at(town):
    """A client at an address, talking to the platform as uvicorn serves it."""
    peers.remember_peers()
    guard.forget_sessions()
    inner = Starlette(
        routes=[*login.routes, Route("/{path:path}", _who, methods=["GET", "POST"])],
        middleware=middleware,
        exception_handlers=exception_handlers,
    )
    app = ProxyHeadersMiddleware(inner, trusted_hosts=["127.0.0.1"])

    def make(address: str) -> TestClient:
        return TestClient(app, base_url="http://localhost", follow_redirects=False, client=(address, 50000))

    return make


def test_it_is_off_by_default(at):
    answer = at(PROXY).get("/map", headers=HEADER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/map")


@pytest.mark.parametrize("address", [PROXY, "10.1.2.3", "::ffff:10.0.0.5"])
def test_a_named_proxy_lets_an_account_in(on, at, address):
    client = at(address)
    answer = client.get("/map?grid=5", headers=HEADER)
    assert (answer.status_code, answer.headers["location"]) == (303, "/map?grid=5")
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert client.get("/map", headers=HEADER).json() == {"label": "ann"}
    with transaction(system_actor()) as session:
        told = session.execute(
            text("SELECT actor_label, after FROM record WHERE action = 'login' ORDER BY seq DESC LIMIT 1")
        ).one()
    assert tuple(told) == ("ann", {"role": "planner", "by": "header"})


@pytest.mark.parametrize("address", ["10.0.0.6", "192.168.0.1", "testclient", "::1"])
def test_from_elsewhere_it_is_refused_and_logged(on, at, caplog, address):
    for path in ("/map", "/login", "/api/values", "/_stcore/health"):
        answer = at(address).get(path, headers=HEADER)
        assert answer.status_code == 403, path
        assert cookie.name() not in answer.cookies
    assert address in caplog.text
    assert caplog.text.count("refused") == 1, "the same warning is not written with every request"


@pytest.mark.parametrize(
    "forged",
    [
        {"X-Forwarded-For": PROXY},
        {"X-Forwarded-For": f"10.9.9.9, {PROXY}"},
        {"X-Real-IP": PROXY},
        {"Forwarded": f"for={PROXY}"},
    ],
)
def test_a_forged_origin_helps_nobody(on, at, forged):
    """Not a stranger; and not one behind a proxy on this machine that is trusted with addresses, but not named."""
    assert at("10.9.9.9").get("/map", headers=HEADER | forged).status_code == 403


def test_a_local_proxy_that_is_trusted_with_addresses_is_not_by_that_trusted_with_names(on, at, monkeypatch):
    monkeypatch.setenv("GRIDKEEPER_SSO_PROXIES", PROXY)
    settings.cache_clear()
    answer = at("127.0.0.1").get("/map", headers=HEADER | {"X-Forwarded-For": PROXY})
    assert answer.status_code == 403, "uvicorn has put the forged address in place of the real one"


def test_a_named_proxy_on_this_machine_may_say_for_whom_it_speaks(on, at):
    answer = at("127.0.0.1").get("/map", headers=HEADER | {"X-Forwarded-For": "203.0.113.9"})
    assert answer.status_code == 303
    assert cookie.name() in answer.cookies


def test_where_nobody_remembered_the_address_a_forwarded_request_is_refused(on, town):
    app = Starlette(routes=[Route("/{path:path}", _who)], middleware=middleware)
    with TestClient(app, base_url="http://localhost", follow_redirects=False, client=(PROXY, 1)) as client:
        assert client.get("/map", headers=HEADER | {"X-Forwarded-For": PROXY}).status_code == 403
        assert client.get("/map", headers=HEADER).status_code == 303


@pytest.mark.parametrize("name", ["nobody", "gone", "planner@tiny-town"])
def test_no_account_is_made_and_none_opened(on, at, caplog, name):
    answer = at(PROXY).get("/map", headers={"X-Remote-User": name})
    assert answer.status_code == 403
    assert cookie.name() not in answer.cookies
    assert name in caplog.text
    with transaction(system_actor()) as session:
        assert session.execute(text("SELECT count(*) FROM app_user WHERE login = 'nobody'")).scalar_one() == 0


@pytest.mark.parametrize("name", ["", " ", "x" * 200])
def test_a_header_without_a_name_is_refused(on, at, name):
    assert at(PROXY).get("/map", headers={"X-Remote-User": name}).status_code == 403


def test_two_headers_are_refused(on, at):
    answer = at(PROXY).get("/map", headers=[("X-Remote-User", "ann"), ("X-Remote-User", "ben")])
    assert answer.status_code == 403


def test_another_name_ends_the_session_before(on, at):
    client = at(PROXY)
    client.get("/map", headers=HEADER)
    old = client.cookies[cookie.name()]
    assert client.get("/map", headers={"X-Remote-User": "ben"}).status_code == 303
    assert client.get("/map", headers={"X-Remote-User": "ben"}).json() == {"label": "ben"}
    guard.forget_sessions()
    client.cookies.clear()
    client.cookies.set(cookie.name(), old)
    assert client.get("/map").status_code == 303, "without the header, and its session has ended"


def test_a_page_of_somebody_else_is_not_served_on(on, at):
    """A tab of another officer that is still open in this browser asks as a program does."""
    client = at(PROXY)
    client.get("/map", headers=HEADER)
    assert client.get("/api/values", headers=HEADER).status_code == 200
    assert client.get("/api/values", headers={"X-Remote-User": "ben"}).status_code == 401
    with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("/_stcore/stream", headers=BEN_HERE):
        pass
    assert closed.value.code == guard.REFUSED_WEBSOCKET


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "//evil.example/%2e%2e?next=//evil.example"])
def test_nobody_is_led_elsewhere(on, at, path):
    answer = at(PROXY).get(f"http://localhost{path}", headers=HEADER)
    assert answer.status_code == 303
    assert guard.local_path(answer.headers["location"]) == answer.headers["location"], answer.headers["location"]


def test_programs_are_not_let_in_and_the_password_still_works(on, at):
    client = at(PROXY)
    assert client.get("/api/values", headers=HEADER).status_code == 401
    assert client.get("/ogc", headers=HEADER | {"accept": "application/json"}).status_code == 401
    led = at(PROXY).get("/ogc/collections?f=html", headers=HEADER)
    assert (led.status_code, led.headers["location"]) == (303, "/ogc/collections?f=html"), "a person at the interface"
    page = client.get("/login", headers=HEADER)
    assert page.status_code == 200
    answer = client.post("/login", data={"name": "ben", "password": "four little words"}, headers=HEADER)
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("header", "proxies", "said"),
    [
        ("X-Remote-User", "", "needs the addresses"),
        ("X-Remote-User", "0.0.0.0/0", "whole world"),
        ("X-Remote-User", "proxy.example", "cannot be used"),
        ("Cookie", PROXY, "Browsers set"),
    ],
)
def test_half_a_set_up_refuses_to_start(monkeypatch, header, proxies, said):
    chosen = settings().model_copy(update={"sso_header": header, "sso_proxies": proxies})
    monkeypatch.setattr(sso, "settings", lambda: chosen)
    with pytest.raises(InvalidInput, match=said):
        sso.check()


def test_peers_are_remembered_once():
    peers.remember_peers()
    kept = ProxyHeadersMiddleware.__call__
    peers.remember_peers()
    assert ProxyHeadersMiddleware.__call__ is kept
    seen = {}

    async def app(scope, receive, send):
        seen.update(scope)

    scope = {"type": "http", "client": ("127.0.0.1", 5), "headers": [(b"x-forwarded-for", b"203.0.113.9")]}
    asyncio.run(ProxyHeadersMiddleware(app)(scope, None, None))
    assert (seen["client"][0], peers.peer(seen)) == ("203.0.113.9", "127.0.0.1")

"""The gate without a database: what is open, what is refused, and how."""

from __future__ import annotations

import dataclasses
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from itsdangerous import URLSafeSerializer
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState

from app import cookie, guard, uploads
from core.clock import now
from core.errors import Conflict, DataQuality, GridkeeperError, InvalidInput, NotFound, NotPermitted, SourceUnavailable
from core.identity import Actor, Role
from people.model import LiveSession

ACTOR = Actor(user_id=7, label="dispatcher", role=Role.DISPATCHER, territory_id=1)
LIVE = LiveSession("hash", 1, ACTOR, "Duty dispatcher", "值班派遣员", is_demo=False, expires_at=now())
PAGES = ["/", "/map", "/incidents?incident=5", "/bring-in", "/favicon.png"]
PROGRAMS = [
    "/_stcore/host-config", "/_stcore/agent/openapi.json", "/_stcore/metrics", "/api/values", "/assets/x.js",
    "/component/x/index.html", "/media/x.png", "/static/js/x.js", "/tiles/1/grids/1/2/3.mvt",
]  # fmt: skip
TRICKS = ["/login/", "/login/../map", "/login/style.css/x", "/logout/x", "//login", "/LOGIN", "/_stcore/health/x"]


async def _everything(request):
    actor = getattr(request.state, "actor", None)
    return JSONResponse({"path": request.url.path, "actor": actor.label if actor else None})


async def _raises(request):
    raise DataQuality("Broken.", ["row 1", "row 2"], hint="Mend them.")


async def _unknown(request):
    raise ZeroDivisionError("secret inside")


async def _echo(websocket):
    await websocket.accept()
    await websocket.send_text(websocket.state.actor.label)
    async for data in websocket.iter_bytes():
        await websocket.send_bytes(data)


@pytest.fixture
def sessions(monkeypatch):
    """Tokens of live sessions; a test adds and removes them."""
    live: dict[str, LiveSession] = {}
    monkeypatch.setattr(guard, "live_session", lambda value: live.get(cookie.token_of(value) or ""))
    guard.forget_sessions()
    return live


@pytest.fixture
def client(sessions):
    routes = [
        Route("/api/raises", _raises),
        Route("/api/unknown", _unknown),
        WebSocketRoute("/_stcore/stream", _echo),
        Route("/{path:path}", _everything, methods=["GET", "HEAD", "POST", "PUT", "DELETE"]),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(guard.Gate)], exception_handlers=guard.EXCEPTION_HANDLERS)
    with TestClient(app, follow_redirects=False, raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def logged_in(client, sessions):
    sessions["token"] = LIVE
    client.cookies.set(cookie.name(), cookie.sign("token"))
    return client


@pytest.mark.parametrize("path", PAGES)
def test_pages_lead_to_the_login(client, path):
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


def test_the_login_remembers_where_one_wanted_to_go(client):
    location = client.get("/incidents?incident=5").headers["location"]
    assert location == "/login?next=/incidents%3Fincident%3D5"


@pytest.mark.parametrize("path", ["/ogc/a%20b", "/ogc/50%25", "/ogc/a%3Fb", "/ogc/a%2Fb%23", "/ogc/%E8%B7%AF"])
def test_the_login_leads_back_to_the_very_address(client, path):
    location = client.get(f"{path}?f=html&x=%20", headers={"accept": "text/html"}).headers["location"]
    (asked,) = parse_qs(urlsplit(location).query)["next"]
    assert asked == f"{path}?f=html&x=%20"
    assert guard.local_path(asked) == asked


@pytest.mark.parametrize("path", ["/ogc//evil.example", "/ogc/%0d%0aset-cookie:a=b", "/ogc/%5C%5Cevil.example/"])
def test_the_way_to_the_login_carries_nothing_else(client, path):
    answer = client.get(f"http://testserver{path}", headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login?next=/ogc/")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_who_writes_to_the_interface_is_led_nowhere(client, method):
    assert client.request(method, "/ogc?f=html", headers={"accept": "text/html"}).status_code == 401


@pytest.mark.parametrize("path", PROGRAMS)
def test_programs_get_401(client, path):
    assert client.get(path, headers={"accept": "text/html"}).status_code == 401


@pytest.mark.parametrize("path", TRICKS)
def test_open_paths_are_compared_whole(client, path):
    answer = client.get(f"http://testserver{path}")
    assert answer.status_code in {303, 401}


@pytest.mark.parametrize("path", sorted(guard.OPEN_PATHS))
def test_open_paths_are_open(client, path):
    assert client.get(path).json()["actor"] is None


@pytest.mark.parametrize("path", [*PAGES, *PROGRAMS])
def test_with_a_session_everything_is_served_and_knows_the_actor(logged_in, path):
    assert logged_in.get(path).json()["actor"] == "dispatcher"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_writing_without_a_session_is_401_and_no_redirect(client, method):
    assert client.request(method, "/map").status_code == 401


def test_websocket_without_a_session_is_refused(client):
    with pytest.raises(WebSocketDisconnect) as refused, client.websocket_connect("/_stcore/stream"):
        pass
    assert refused.value.code == guard.REFUSED_WEBSOCKET


def test_websocket_with_a_session_is_served(logged_in):
    with logged_in.websocket_connect("/_stcore/stream", headers={"origin": "http://testserver"}) as socket:
        assert socket.receive_text() == "dispatcher"
        socket.send_bytes(b"hello")
        assert socket.receive_bytes() == b"hello"


def test_a_revoked_session_cannot_act_through_its_open_websocket(logged_in, sessions):
    with logged_in.websocket_connect("/_stcore/stream") as socket:
        socket.receive_text()
        sessions.clear()
        wish = BackMsg(rerun_script=ClientState(fragment_id="f", query_string="incident=5"))
        wish.rerun_script.widget_states.widgets.add(id="button", trigger_value=True)
        for _ in range(2):
            socket.send_bytes(wish.SerializeToString())
            heard = BackMsg.FromString(socket.receive_bytes())
            assert heard.WhichOneof("type") == "rerun_script"
            assert heard.rerun_script == ClientState(), "no widget, no fragment, no address"


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://testserver.evil.example", "http://testserver:1", "http://[", "", "://"],
)
def test_other_sites_may_neither_write_nor_open_a_websocket(logged_in, origin):
    assert logged_in.post("/logout", headers={"origin": origin}).status_code == 403
    with pytest.raises(WebSocketDisconnect), logged_in.websocket_connect("/_stcore/stream", headers={"origin": origin}):
        pass


def test_writing_without_origin_is_judged_by_the_browsers_word(logged_in):
    assert logged_in.post("/x", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert logged_in.post("/x", headers={"sec-fetch-site": "same-origin"}).status_code == 200
    assert logged_in.post("/x").status_code == 200


@pytest.mark.parametrize(("role", "status"), [(Role.AUDITOR, 403), (Role.SUPERVISOR, 200)])
def test_files_are_taken_from_those_who_may_load_data(client, sessions, role, status):
    sessions["token"] = dataclasses.replace(LIVE, actor=dataclasses.replace(ACTOR, role=role))
    client.cookies.set(cookie.name(), cookie.sign("token"))
    for method in ("PUT", "DELETE"):
        assert client.request(method, "/_stcore/upload_file/session/file").status_code == status


@pytest.mark.parametrize("role", [Role.GRID_MANAGER, Role.HANDLER, Role.GRID_WORKER, Role.DISPATCHER])
def test_who_keeps_workers_or_adds_photos_sends_nothing_large(client, sessions, role):
    """Their pages offer it; what is uploaded stays in the memory of the server."""
    sessions["token"] = dataclasses.replace(LIVE, actor=dataclasses.replace(ACTOR, role=role))
    client.cookies.set(cookie.name(), cookie.sign("token"))
    address = "/_stcore/upload_file/session/file"
    assert client.put(address, content=b"x").status_code == 200
    assert client.delete(address).status_code == 200
    assert client.put(address, content=b"x" * (uploads.longest_bytes(sessions["token"].actor) + 1)).status_code == 413
    assert client.put(address, content=iter([b"x"])).status_code == 413, "without saying how much it is"
    for size in ("9" * 5000, "0" * 5000, "-1", "+1", "1_0", "", "\u00b2"):  # past 4300 digits int() raises
        assert client.put(address, headers={b"content-length": size.encode("latin-1")}).status_code == 413, size


def test_a_planner_brings_layers_and_nothing_larger(client, sessions):
    sessions["token"] = dataclasses.replace(LIVE, actor=dataclasses.replace(ACTOR, role=Role.PLANNER))
    client.cookies.set(cookie.name(), cookie.sign("token"))
    address, most = "/_stcore/upload_file/session/file", uploads.longest_bytes(sessions["token"].actor)
    assert client.put(address, content=b"x").status_code == 200
    assert client.delete(address).status_code == 200
    assert client.put(address, headers={"content-length": str(most + 1)}).status_code == 413
    assert client.put(address, content=iter([b"x"])).status_code == 413, "without saying how much it is"


def test_an_address_of_any_length_is_no_trace(logged_in):
    assert logged_in.get("/tiles/" + "9" * 5000).status_code == 414


def test_links_from_other_sites_may_be_read(logged_in):
    assert logged_in.get("/map", headers={"origin": "http://mail.example"}).status_code == 200


@pytest.mark.parametrize("path", ["/login", "/map", "/api/values"])
def test_every_answer_carries_the_security_headers(client, path):
    answer = client.get(path)
    for name, value in guard.SECURITY_HEADERS.items():
        assert answer.headers[name] == value


def test_known_errors_become_json_with_their_status(logged_in):
    answer = logged_in.get("/api/raises")
    assert answer.status_code == 422
    assert answer.json() == {"error": "Broken.", "hint": "Mend them.", "violations": ["row 1", "row 2"]}


def test_unknown_errors_become_an_id_and_tell_nothing(logged_in, caplog):
    answer = logged_in.get("/api/unknown")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["id"] in caplog.text


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (InvalidInput, 400), (NotPermitted, 403), (NotFound, 404), (Conflict, 409), (SourceUnavailable, 503),
        (guard.SessionEnded, 403), (GridkeeperError, 500),
    ],
)  # fmt: skip
def test_table_of_errors(kind, status):
    assert guard.status_of(kind("x")) == status


# --- the cookie


def test_a_cookie_of_ours_gives_its_token():
    assert cookie.token_of(cookie.sign("abc")) == "abc"


@pytest.mark.parametrize("value", [None, "", "abc", "a.b.c", 5, object(), "x" * 10_000])
def test_anything_else_gives_none(value):
    assert cookie.token_of(value) is None


def test_a_cookie_signed_with_another_key_or_purpose_is_forged():
    assert cookie.token_of(URLSafeSerializer(b"another key", salt="gridkeeper session").dumps("abc")) is None
    assert cookie.token_of(cookie.sign("abc")[:-2] + "xx") is None


@given(st.text(max_size=600))
def test_no_text_is_a_cookie_by_chance(text):
    assert cookie.token_of(text) is None


@example("00\x1f\x1f", 65, 1)
@given(
    st.text(alphabet=st.characters(codec="ascii"), min_size=1, max_size=60), st.integers(0, 200), st.integers(1, 255)
)
def test_one_changed_character_breaks_the_cookie(token, place, change):
    value = cookie.sign(token)
    place %= len(value)
    changed = value[:place] + chr((ord(value[place]) + change) % 128) + value[place + 1 :]
    assert cookie.token_of(changed) is None or changed == value


# --- where the login leads


@pytest.mark.parametrize("wanted", ["/", "/map", "/incidents?incident=5&x=%2F", "/map?grid=5#here"])
def test_own_addresses_are_kept(wanted):
    assert guard.local_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        None, "", "map", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "http://evil.example",
        "javascript:alert(1)", "/\t/evil.example", "/ /evil", "/x\r\nSet-Cookie: a=b", "/x\\..\\y", "/login", "/logout",
        "/login?next=/login", "/%6Cogout", "/" + "x" * 2000, "\n//evil.example",
    ],
)  # fmt: skip
def test_no_open_redirect(wanted):
    assert guard.local_path(wanted) == "/"


@given(st.text(alphabet="/\\:.?#@ \t\r\nabc%0", max_size=30))
def test_redirects_stay_here_whatever_is_asked(wanted):
    path = guard.local_path(wanted)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert not any(character in path for character in "\r\n\t\\ ")

"""What a stranger, another site or a crafted request gets: nothing; and what every answer carries."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import urljoin, urlsplit

import pytest
from itsdangerous import URLSafeSerializer
from sqlalchemy import text
from starlette.routing import Route
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app import cookie, guard, routes
from app.api import login
from core.identity import Actor, Role, system_actor
from core.settings import secret_key
from geodata.db import transaction
from people import accounts
from tests.security.conftest import OFFICERS, Enter

POSTS = sorted(
    route.path for route in routes.routes if isinstance(route, Route) and set(route.methods or ()) - guard.SAFE_METHODS
)
ELSEWHERE = ["https://evil.example", "null", "http://localhost.evil.example", "http://localhost:1", "file://"]
HEADERS = ("x-content-type-options", "x-frame-options", "referrer-policy", "content-security-policy")
BAD_PATHS = [
    "..", "../streamlit_app.py", "gk/../../../../etc/passwd", "%2e%2e/%2e%2e/etc/passwd", "..%2f..%2fetc%2fpasswd",
    "gk/%00.js", "/etc/passwd", "//etc/passwd", "gk/..\\..\\core\\settings.py", "%5c..%5csecret", "gk/.", "",
    "gk/gridkeeper-map.js/", "gk/gridkeeper-map.js%00.css", "\u2025/\u2025/etc", "a" * 1500,
]  # fmt: skip


def sessions() -> int:
    with transaction(system_actor()) as session:
        return int(session.scalar(text("SELECT count(*) FROM user_session WHERE revoked_at IS NULL")) or 0)


# --- other sites


def test_what_writes_is_known() -> None:
    phone = ("/api/field/acts", "/api/field/photo", "/api/field/position")
    assert tuple(POSTS) == (*phone, "/first", "/invitation", "/login", "/logout", "/wall/enter")


@pytest.mark.parametrize("origin", ELSEWHERE)
@pytest.mark.parametrize("path", [*POSTS, "/_stcore/upload_file/a/b", "/anything"])
def test_no_other_site_writes(enter: Enter, path: str, origin: str) -> None:
    client = enter(Role.SUPERVISOR)
    before = sessions()
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        answer = client.request(method, path, headers={"origin": origin}, data={"demo": "supervisor@tiny-town"})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers
    for site in ("cross-site", "same-site"):
        assert client.post(path, headers={"sec-fetch-site": site}).status_code == 403
    assert sessions() == before


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_no_other_site_opens_a_websocket(enter: Enter, origin: str) -> None:
    client = enter(Role.SUPERVISOR)
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/_stcore/stream", headers={"origin": origin, "host": "localhost"}),
    ):
        pass


@pytest.mark.parametrize("role", [None, *OFFICERS])
def test_a_websocket_is_opened_as_the_role_of_the_cookie(enter: Enter, role: Role | None) -> None:
    client = enter(role)
    if role is None:
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
            pass
        return
    with client.websocket_connect("/_stcore/stream", headers={"host": "localhost"}) as socket:
        assert socket.receive_text() == role


def test_cookies_stay_where_they_belong(enter: Enter) -> None:
    answer = enter(None).post("/login", data={"demo": "supervisor@tiny-town"})
    for crumb in answer.headers.get_list("set-cookie"):
        words = crumb.lower()
        assert "httponly" in words
        assert "samesite=lax" in words
        assert "domain=" not in words
        assert "path=/" in words


# --- cookies


def forged(actors: dict[Role, Actor], cookies: dict[Role, str]) -> dict[str, str]:
    """Cookies that somebody may think of."""
    real = cookies[Role.AUDITOR]
    payload, _, signature = real.rpartition(".")
    label = actors[Role.ADMINISTRATOR].label
    with transaction(system_actor()) as session:
        ids = session.scalars(text("SELECT id FROM user_session")).all()
    other = URLSafeSerializer(secret_key(), salt="another purpose")
    unkeyed = URLSafeSerializer(b"", salt="gridkeeper session")
    return {
        "no signature": payload,
        "empty signature": payload + ".",
        "its own payload": f"{payload}.{payload}",
        "another's signature": f"{payload}.{cookies[Role.PLANNER].rpartition('.')[2]}",
        "cut short": real[:-1],
        "lengthened": real + "A",
        "an id of the table": cookie.sign(ids[0]),
        "a number": cookie.sign("1"),
        "a role": str(other.dumps({"role": "administrator"})),
        "signed for another purpose": str(other.dumps("x")),
        "signed with an empty key": str(unkeyed.dumps("x")),
        "plain json": base64.urlsafe_b64encode(json.dumps({"user": label}).encode()).decode(),
        "a plain hash": f"{payload}.{hmac.new(b'', payload.encode(), hashlib.sha256).hexdigest()}",
        "sql": "' OR 1=1 --",
        "much": "A" * 4000,
        "none": "",
        "upper case": payload.upper() + "." + signature,
    }


def test_no_forged_cookie_opens_anything(enter: Enter, actors: dict[Role, Actor], cookies: dict[Role, str]) -> None:
    client = enter(None)
    for name, value in forged(actors, cookies).items():
        client.cookies.clear()
        client.cookies.set(cookie.name(), value)
        answer = client.get("/api/cells")
        assert answer.status_code == 401, name
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
            pass


@pytest.fixture
def token(actors: dict[Role, Actor]) -> str:
    """A session of the dispatcher for one test."""
    del actors
    with transaction(system_actor()) as session:
        account = next(each for each in accounts.demo_accounts(session) if each.role is Role.DISPATCHER)
        return accounts.start_session(session, account, locale="en")


ENDED = {
    "its end has come": "UPDATE user_session SET expires_at = now() - interval '1 second' WHERE id = :id",
    "it was revoked": "UPDATE user_session SET revoked_at = now() WHERE id = :id",
    "the account is closed": (
        "UPDATE app_user SET active = false WHERE id = (SELECT user_id FROM user_session WHERE id = :id)"
    ),
    "the role has ended": (
        "UPDATE user_role SET valid_until = now() WHERE id = (SELECT role_id FROM user_session WHERE id = :id)"
    ),
}


@pytest.mark.parametrize("name", sorted(ENDED))
def test_an_ended_session_is_no_session(enter: Enter, token: str, name: str) -> None:
    client = enter(None)
    client.cookies.set(cookie.name(), cookie.sign(token))
    assert client.get("/api/cells").status_code == 200
    undo = "UPDATE app_user SET active = true", "UPDATE user_role SET valid_until = NULL WHERE role = 'dispatcher'"
    with transaction(system_actor()) as session:
        session.execute(text(ENDED[name]), {"id": accounts.credentials.token_id(token)})
    guard.forget_sessions()
    try:
        assert client.get("/api/cells").status_code == 401
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_stcore/stream"):
            pass
    finally:
        with transaction(system_actor()) as session:
            for statement in undo:
                session.execute(text(statement))


def test_a_cookie_is_not_replayed_after_leaving(enter: Enter, token: str) -> None:
    client = enter(None)
    value = cookie.sign(token)
    client.cookies.set(cookie.name(), value)
    assert client.post("/logout").status_code == 303
    client.cookies.clear()
    client.cookies.set(cookie.name(), value)
    assert client.get("/api/cells").status_code == 401


# --- addresses


@pytest.mark.parametrize("name", BAD_PATHS)
def test_no_address_leads_out_of_the_assets(enter: Enter, name: str) -> None:
    answer = enter(Role.AUDITOR).get(f"/assets/{name}")
    assert answer.status_code in {303, 307, 400, 404}
    assert b"root:" not in answer.content
    assert b"import" not in answer.content


@pytest.mark.parametrize(
    "path",
    [
        "/record/export/0", "/record/export/999999999999999999999", "/record/export/-1", "/record/export/1.5",
        "/record/export/..%2f..%2fsecret", "/record/sheet?day=../../etc", "/record/sheet?day=2026-01-01%00",
        "/login/picture.svg?territory=99999999999999999999", "/login/picture.svg?territory=1;DROP",
        "/login?territory='--", "/api/values?from=2026-01-01&to=9999-12-31&metric=x'",
        "/tiles/99999999999999999999/grids/12/1/1.mvt", "/tiles/1/grids/99999999999999999999/1/1.mvt",
        "/tiles/1/..%2f/12/1/1.mvt", "/tiles/1/grids'--/12/1/1.mvt",
        "/api/values?from=0001-01-01&to=9999-12-31", "/api/values?from=2026-01-01&to=2026-01-02&categories=%00",
        "/invitation?code=%00", "/invitation?code=' OR 1=1 --", "/first?code=../../x", "/today?%0d%0aset-cookie:x=1",
    ],
)  # fmt: skip
def test_no_parameter_is_a_trace_or_a_way_in(enter: Enter, path: str) -> None:
    for role in (None, Role.AUDITOR):
        answer = enter(role).get(path)
        assert answer.status_code < 500, answer.text[:200]
        assert "Traceback" not in answer.text
        assert "x" not in answer.cookies


@pytest.mark.parametrize("role", [None, Role.AUDITOR])
@pytest.mark.parametrize(
    "path",
    ["/", "/login", "/logout", "/invitation?code=x", "/first", "/record/head.txt", "/record/sheet", "/api/cells",
     "/api/values", "/tiles/1/grids/12/0/0.mvt", "/tiles/2/grids/12/0/0.mvt", "/assets/none", "/nowhere", "/today"],
)  # fmt: skip
def test_every_answer_carries_the_security_headers(enter: Enter, path: str, role: Role | None) -> None:
    client = enter(role)
    for method in ("GET", "HEAD", "POST", "OPTIONS"):
        answer = client.request(method, path)
        assert [name for name in HEADERS if name not in answer.headers] == [], (method, answer.status_code)
        assert answer.headers["x-content-type-options"] == "nosniff"
        policy = answer.headers["content-security-policy"]
        assert "frame-ancestors 'self'" in policy or "frame-ancestors 'none'" in policy
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "/%09/evil.example",
        "/\t/evil.example", "https:evil.example", "javascript:alert(1)", "data:text/html,x",
        "/%0d%0aLocation:%20//evil", "/\u2028//x",
        " //evil.example", "////evil.example", "/login?next=//evil.example", "/logout", "http:///evil.example",
    ],
)  # fmt: skip
def test_the_way_after_the_login_stays_here(enter: Enter, wanted: str) -> None:
    for role in (None, Role.AUDITOR):
        client = enter(role)
        for answer in (
            client.post("/login", params={"next": wanted}, data={"demo": "supervisor@tiny-town"}),
            client.get("/login", params={"next": wanted}),
            client.get("/today", params={"next": wanted}),
        ):
            place = answer.headers.get("location", "/")
            assert place.startswith("/")
            assert not place.startswith(("//", "/\\"))
            assert not set(place) & set("\t\r\n\\")
            assert urlsplit(urljoin("http://localhost/login", place)).netloc == "localhost"


# --- the form


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "' OR '1'='1", "password": "' OR '1'='1"}, {"name": "admin'--", "password": "x"},
        {"name": "\u202egnp.exe", "password": "x"}, {"name": "<script>alert(1)</script>", "password": "{{7*7}}"},
        {"name": "%s%n{0}{name}", "password": "%(x)s"}, {"demo": "supervisor@tiny-town' OR ''='"},
        {"demo": "supervisor@tiny-town", "role": "999999"}, {"demo": "supervisor@tiny-town", "role": "-1"},
        {"name": "a" * 5000, "password": "b" * 2000},
    ],
)  # fmt: skip
def test_no_word_of_the_form_is_more_than_a_word(enter: Enter, fields: dict[str, str]) -> None:
    client = enter(None)
    answer = client.post("/login", data=fields)
    assert answer.status_code in {303, 400, 401}
    if answer.status_code == 303:
        assert fields.get("role", "").startswith("-"), "only a role that is no number is passed over"
    assert "<script>alert" not in answer.text
    assert ">49<" not in answer.text


@pytest.mark.parametrize("body", [b"\xff\xfe", b"name=%00&password=x", b"=&=&=", b"a" * 10_000, b"&" * 40, b""])
def test_a_body_that_is_no_form_is_refused(enter: Enter, body: bytes) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for path in POSTS:
        answer = enter(None).post(path, content=body, headers=headers)
        assert answer.status_code in {303, 400, 401, 403, 404, 422}
        assert cookie.name() not in answer.cookies or path == "/logout"


def test_roles_are_not_chosen_by_who_enters(enter: Enter, actors: dict[Role, Actor]) -> None:
    """The number of a role of somebody else opens nothing, whatever the card."""
    with transaction(system_actor()) as session:
        ids = {each.role: each.role_id for each in accounts.demo_accounts(session)}
    client = enter(None)
    answer = client.post("/login", data={"demo": actors[Role.PLANNER].label, "role": str(ids[Role.ADMINISTRATOR])})
    assert answer.status_code == 401
    assert isinstance(client, TestClient)
    assert login.attempts is not None

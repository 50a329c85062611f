"""The login over HTTP: routes and gate as they are served, on the small demo town."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET

import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app import believed, cookie, guard
from app.api import login
from app.routes import exception_handlers, middleware
from core.errors import SourceUnavailable
from core.identity import Role, system_actor
from core.settings import settings
from geodata.db import transaction
from people import accounts

PASSWORD = "four little words"


async def _who(request):
    return JSONResponse({"label": request.state.actor.label, "locale": request.state.actor.locale})


@pytest.fixture(scope="module")
def town(demo_database):
    with transaction(system_actor()) as session:
        territory_id = session.execute(text("SELECT id FROM territory")).scalar_one()
        accounts.ensure_user(
            session,
            login="ann",
            role=Role.SUPERVISOR,
            territory_id=territory_id,
            title_en="Head",
            title_zh="主任",
            password=PASSWORD,
        )
    return territory_id


@pytest.fixture
def client(town, monkeypatch):
    monkeypatch.setattr(login, "attempts", login.Attempts(login.ATTEMPTS_PER_MINUTE))
    guard.forget_sessions()
    app = Starlette(
        routes=[*login.routes, Route("/{path:path}", _who)],
        middleware=middleware,
        exception_handlers=exception_handlers,
    )
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as opened:
        yield opened


def enter(client, name="ann", password=PASSWORD, address="/login", **headers):
    return client.post(address, data={"name": name, "password": password}, headers=headers)


def test_the_page_has_a_card_for_each_role_and_the_form(client):
    page = client.get("/login?lang=en").text
    for role in (
        "grid manager",
        "dispatcher",
        "supervisor",
        "department handler",
        "planner",
        "auditor",
        "administrator",
    ):
        assert f"Enter as {role}" in page
    assert 'type="password"' in page
    assert "simulated" in page
    assert "OpenStreetMap" in page


def test_the_page_is_wholly_chinese_when_asked(client):
    page = client.get("/login?lang=zh").text
    body = re.sub(r"<style.*?</style>|<[^>]+>", " ", page[page.index("<body") :], flags=re.DOTALL)
    assert set(re.findall(r"[A-Za-z]{2,}", body)) <= {"EN", "OpenStreetMap", "contributors", "ODbL"}


def test_the_browser_chooses_the_language_and_the_choice_is_kept(client):
    assert '<html lang="zh-CN">' in client.get("/login", headers={"accept-language": "zh-CN"}).text
    client.get("/login?lang=en")
    assert '<html lang="en">' in client.get("/login", headers={"accept-language": "zh-CN"}).text


def test_a_card_enters(client):
    name = re.search(r'name="demo" value="(dispatcher[^"]*)"', client.get("/login").text)[1]
    assert client.post("/login?lang=zh", data={"demo": name}).headers["location"] == "/"
    assert client.get("/map").json() == {"label": name, "locale": "zh"}


def test_name_and_password_enter(client):
    answer = enter(client, address="/login?next=/incidents%3Fincident%3D5")
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents?incident=5")
    assert client.get("/map").json()["label"] == "ann"
    assert client.get("/login").headers["location"] == "/"


@pytest.mark.parametrize("wanted", ["//evil.example", "http://evil.example", "/%5Cevil.example", "javascript:x"])
def test_the_login_leads_nowhere_else(client, wanted):
    assert enter(client, address=f"/login?next={wanted}").headers["location"] == "/"


def test_the_cookie_is_out_of_reach(client):
    crumbs = enter(client).headers["set-cookie"].lower()
    assert "httponly" in crumbs
    assert "samesite=lax" in crumbs
    assert "secure" not in crumbs
    assert f"max-age={round(settings().session_hours * 3600)}" in crumbs


def test_over_https_the_cookie_is_secure(town):
    app = Starlette(routes=[*login.routes], middleware=middleware)
    with TestClient(app, base_url="https://testserver", follow_redirects=False) as client:
        assert "secure" in enter(client).headers["set-cookie"].lower()


def test_the_cookie_holds_no_id_of_the_table(client):
    enter(client)
    token = cookie.token_of(client.cookies[cookie.name()])
    with transaction(system_actor()) as session:
        ids = session.execute(text("SELECT id FROM user_session")).scalars().all()
    assert token
    assert token not in ids


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong words here"), ("nobody", PASSWORD)])
def test_wrong_and_unknown_say_the_same(client, name, password):
    answer = enter(client, name, password, address="/login?lang=en")
    assert answer.status_code == 401
    assert "Name or password is not right" in answer.text
    assert cookie.name() not in client.cookies


def test_lock_out_and_its_end(client):
    with transaction(system_actor()) as session:
        session.execute(text("UPDATE app_user SET failed_logins = 0, locked_until = NULL"))
    for _ in range(5):
        enter(client, password="wrong words here")
    assert enter(client).status_code == 401
    with transaction(system_actor()) as session:
        locked = session.execute(text("SELECT locked_until > now() FROM app_user WHERE login = 'ann'")).scalar_one()
        session.execute(text("UPDATE app_user SET locked_until = now() - interval '1 second' WHERE login = 'ann'"))
    assert locked
    assert enter(client).status_code == 303


def test_guessing_many_names_is_slowed(client):
    for _ in range(login.ATTEMPTS_PER_MINUTE):
        assert login.attempts.allow("testclient", time.monotonic())
    assert enter(client).status_code == 429


@pytest.mark.parametrize("origin", ["http://evil.example", "null"])
def test_another_site_cannot_log_in_or_out(client, origin):
    assert enter(client, origin=origin).status_code == 403
    enter(client)
    assert client.post("/logout", headers={"origin": origin}).status_code == 403
    assert client.get("/map").status_code == 200


def test_leaving_ends_the_session_for_the_cookie_too(client):
    enter(client)
    kept = client.cookies[cookie.name()]
    assert client.post("/logout").headers["location"] == "/login"
    assert cookie.name() not in client.cookies
    client.cookies.set(cookie.name(), kept)
    assert client.get("/map").status_code == 303


def test_an_address_alone_logs_nobody_out(client):
    enter(client)
    assert '<form method="post" action="/logout">' in client.get("/logout").text
    assert client.get("/map").status_code == 200


def test_entering_again_ends_the_session_before(client):
    enter(client)
    old = client.cookies[cookie.name()]
    enter(client)
    client.cookies.set(cookie.name(), old)
    assert client.get("/map").status_code == 303


def test_a_session_revoked_elsewhere_ends_within_seconds(client, monkeypatch):
    enter(client)
    assert client.get("/map").status_code == 200
    with transaction(system_actor()) as session:
        session.execute(text("UPDATE user_session SET revoked_at = now()"))
    later = time.monotonic() + 4
    monkeypatch.setattr(believed.time, "monotonic", lambda: later)
    assert client.get("/map").status_code == 303


@pytest.mark.parametrize("host", ["localhost", "localhost:8501", "127.0.0.1:8501", "[::1]:8501", "192.168.1.7"])
def test_the_demo_is_entered_under_our_own_name(client, host):
    assert client.post("/login", data={"demo": "supervisor@tiny-town"}, headers={"host": host}).status_code == 303


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "localhost.evil.example", ""])
def test_a_name_that_leads_here_from_outside_enters_no_demo(client, host):
    """A page elsewhere may let its own name lead to 127.0.0.1 and would then be of the same origin."""
    answer = client.post("/login", data={"demo": "supervisor@tiny-town"}, headers={"host": host})
    assert answer.status_code == 421
    assert cookie.name() not in answer.cookies
    assert enter(client, host=host).status_code == 303, "an account with a password may be behind any proxy"


def test_who_opens_the_platform_to_the_network_chooses_its_names(client, monkeypatch):
    monkeypatch.setattr(guard, "listens_here_only", lambda: False)
    answer = client.post("/login", data={"demo": "supervisor@tiny-town"}, headers={"host": "city.example"})
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("address", "demo", "warned"),
    [
        ("127.0.0.1", True, 0),
        ("localhost", True, 0),
        ("::1", True, 0),
        ("0.0.0.0", True, 1),
        ("", True, 1),
        ("", False, 0),
    ],
)
def test_demo_accounts_on_the_network_are_warned_of(monkeypatch, caplog, address, demo, warned):
    from streamlit import config

    from app import routes

    monkeypatch.setattr(guard.streamlit_config, "get_option", lambda _name: address)
    monkeypatch.setattr(routes, "settings", lambda: settings().model_copy(update={"demo": demo}))
    assert config is guard.streamlit_config
    routes.warn_of_open_demo()
    assert caplog.text.count("without a password") == warned


@pytest.mark.parametrize(
    "body", [b"x" * 10_000, b"\xff\xfe", b"&".join(b"a=1" for _ in range(50)), b"name=a%00b&password=x", b"demo=%00"]
)
def test_what_is_no_form_is_refused(client, body):
    answer = client.post("/login", content=body, headers={"content-type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 400


def test_the_page_allows_nothing_from_elsewhere(client):
    policy = client.get("/login").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in client.get("/login").text


def test_names_are_escaped(client):
    answer = enter(client, name='"><script>alert(1)</script>', address='/login?next=/"><script>alert(1)</script>')
    assert "<script" not in answer.text


def test_the_picture_is_drawn_from_the_territory(client, town):
    answer = client.get(f"/login/picture.svg?territory={town}")
    assert answer.headers["content-type"].startswith("image/svg+xml")
    tree = ET.fromstring(answer.text)
    names = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert names <= {"svg", "defs", "clipPath", "path", "rect", "g", "text"}
    assert answer.text.count("<path") >= 4
    again = client.get(f"/login/picture.svg?territory={town}", headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("territory", ["", "x", "999999", "1;2", "-1"])
def test_no_picture_of_nowhere(client, territory):
    assert client.get("/login/picture.svg", params={"territory": territory}).status_code == 404


def test_style_font_and_sign_are_ours(client):
    assert "--primary:#0B6B70" in client.get("/login/style.css").text
    assert client.get("/login/sans.woff2").content[:4] == b"wOF2"
    assert client.get("/login/icon.svg").text.startswith("<svg")


def test_without_a_database_the_page_says_what_to_do(monkeypatch):
    def down(*_arguments, **_more):
        raise SourceUnavailable("The database does not answer.")

    monkeypatch.setattr(login, "transaction", down)
    with TestClient(Starlette(routes=[*login.routes])) as client:
        answer = client.get("/login?lang=zh")
    assert "数据库没有响应" in answer.text
    assert "gridkeeper up" in answer.text

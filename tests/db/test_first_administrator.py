"""The first administrator of an empty platform: over HTTP, once, from this machine."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text
from starlette.applications import Starlette
from starlette.testclient import TestClient

from app import cookie, guard
from app.api import forms, login, ways_in
from app.routes import exception_handlers, middleware
from core.clock import now
from core.identity import Role, system_actor
from geodata.db import transaction
from people import access, accounts

GOOD = {
    "city": "New Town",
    "city_other": "新城",
    "timezone": "Asia/Shanghai",
    "name": "Chief",
    "password": "four little words",
    "again": "four little words",
}


@pytest.fixture
def client(database, monkeypatch):
    with transaction(system_actor()) as session:
        session.execute(text("DELETE FROM app_user"))
        session.execute(text("DELETE FROM territory"))
        session.execute(text("DELETE FROM invitation"))
    monkeypatch.setattr(login, "attempts", forms.Attempts(forms.ATTEMPTS_PER_MINUTE))
    guard.forget_sessions()
    app = Starlette(
        routes=[*login.routes, *ways_in.routes], middleware=middleware, exception_handlers=exception_handlers
    )
    with TestClient(app, base_url="http://localhost", follow_redirects=False, client=("127.0.0.1", 50000)) as opened:
        yield opened


def code() -> str:
    address = ways_in.offer_first()
    assert address is not None
    return address.partition("code=")[2]


def send(client, *, given=None, **more):
    return client.post("/first?lang=en", data={**GOOD, **(given or {}), **more})


def test_the_login_page_says_where_to_begin(client):
    assert "no administrator yet" in client.get("/login?lang=en").text


def test_the_address_that_is_printed_makes_territory_account_and_session(client):
    given = code()
    page = client.get(f"/first?lang=en&code={given}")
    assert page.status_code == 200
    assert "Name of the city" in page.text
    assert "<option selected>" in page.text
    answer = send(client, code=given)
    assert (answer.status_code, answer.headers["location"]) == (303, "/set-up")
    assert cookie.name() in answer.cookies
    with transaction(system_actor()) as session:
        place = session.execute(
            text("SELECT id, name, title_en, title_zh, timezone, ST_IsEmpty(boundary) FROM territory")
        ).one()
        assert tuple(place[1:]) == ("new-town", "New Town", "新城", "Asia/Shanghai", True)
        account = accounts.find_account(session, "chief", place.id)
        assert account.role is Role.ADMINISTRATOR
        assert not access.lacks_administrator(session)
        assert session.execute(text("SELECT count(*) FROM record WHERE action = 'login'")).scalar_one() >= 1
        told = session.execute(text("SELECT string_agg(coalesce(after::text, ''), '') FROM record")).scalar_one()
    assert given not in told
    assert "argon2" not in told
    assert "code_hash" not in told


def test_it_works_once(client):
    given = code()
    assert send(client, code=given).status_code == 303
    client.cookies.clear()
    assert send(client, code=given, name="second").status_code == 404
    assert client.get(f"/first?lang=en&code={given}").status_code == 404
    assert ways_in.offer_first() is None
    assert "has its administrator" in client.get("/first?lang=en").text


def test_a_new_start_voids_the_address_before(client):
    old, new = code(), code()
    assert send(client, code=old).status_code == 404
    assert send(client, code=new).status_code == 303


def test_its_time_is_short(client):
    given = code()
    with transaction(system_actor()) as session:
        assert access.first_code_opens(session, given, at=now() + dt.timedelta(minutes=119))
        assert not access.first_code_opens(session, given, at=now() + dt.timedelta(minutes=121))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"again": "another sentence here"}, "not the same"),
        ({"password": "Password1234", "again": "Password1234"}, "would be guessed soon"),
        ({"password": "short", "again": "short"}, "10 to 256"),
        ({"name": "no way!"}, "cannot be a login"),
        ({"timezone": "Moon/Sea"}, "time zone"),
        ({"city": " ", "city_other": ""}, "needs a name"),
    ],
)
def test_a_mistake_is_said_and_keeps_what_was_typed(client, given, said):
    answer = send(client, code=code(), given=given)
    assert answer.status_code == 422
    assert said in answer.text
    assert "four little words" not in answer.text
    with transaction(system_actor()) as session:
        assert session.execute(text("SELECT count(*) FROM app_user")).scalar_one() == 0
        assert session.execute(text("SELECT count(*) FROM territory")).scalar_one() == 0


def test_in_chinese_the_first_field_is_the_chinese_name(client):
    answer = client.post("/first?lang=zh", data={**GOOD, "city": "新城", "city_other": "", "code": code()})
    assert answer.status_code == 303
    with transaction(system_actor()) as session:
        assert session.execute(text("SELECT title_en, title_zh FROM territory")).one() == ("新城", "新城")


@pytest.mark.parametrize("headers", [{"host": "city.example"}, {"x-forwarded-for": "127.0.0.1"}])
def test_not_through_another_name_or_a_proxy(client, headers):
    given = code()
    answer = client.post("/first", data={**GOOD, "code": given}, headers=headers)
    assert answer.status_code == 403
    assert 'name="password"' not in client.get(f"/first?code={given}", headers=headers).text


def test_not_from_another_machine(client, database):
    given = code()
    with TestClient(client.app, base_url="http://localhost", client=("10.1.2.3", 50000)) as away:
        assert away.post("/first", data={**GOOD, "code": given}).status_code == 403


def test_guessing_is_slowed(client):
    code()
    answers = [send(client, code=f"guess{number}").status_code for number in range(forms.ATTEMPTS_PER_MINUTE + 1)]
    assert set(answers[:-1]) == {404}
    assert answers[-1] == 429


def test_where_a_territory_is_there_its_name_is_not_asked(client):
    assert send(client, code=code()).status_code == 303
    with transaction(system_actor()) as session:
        session.execute(text("DELETE FROM app_user"))
    client.cookies.clear()
    guard.forget_sessions()
    given = code()
    page = client.get(f"/first?lang=en&code={given}").text
    assert "City: New Town" in page
    assert "Name of the city" not in page
    data = {"name": "chief", "password": GOOD["password"], "again": GOOD["password"], "timezone": "UTC"}
    assert client.post("/first", data={**data, "code": given}).status_code == 303

"""The Wall: what it says, whom it lets in, and that an address of a wall opens nothing else."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from app import cookie, guard, i18n, routes, wall_gate
from app.api import forms, tiles, wall
from app.wall_state import wall_state
from core.clock import now
from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.db import transaction
from geodata.territory import list_territories
from layers.wall import _days
from people import accounts, walls
from tests.map_city import add_incidents, make_map_city

PAGES = sorted(wall_gate.PAGES)


@pytest.fixture(scope="module")
def town(demo_database: Engine) -> dict[Role, Actor]:
    del demo_database
    with transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


@pytest.fixture(scope="module")
def client(town: dict[Role, Actor]) -> Iterator[TestClient]:
    del town
    app = Starlette(
        routes=[*routes.routes, Route("/{path:path}", routes.today)],
        middleware=routes.middleware,
        exception_handlers={k: v for k, v in routes.exception_handlers.items() if k is not Exception},
        lifespan=lambda _app: tiles.lifespan(),
    )
    with TestClient(app, base_url="http://localhost", follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def secret(town: dict[Role, Actor]) -> Iterator[tuple[int, str]]:
    with transaction(town[Role.SUPERVISOR]) as session:
        made = walls.add_wall(session, town[Role.SUPERVISOR], "Command hall", 7)
    yield made
    wall_gate.forget()


def test_the_wall_says_what_the_city_holds(town: dict[Role, Actor]) -> None:
    i18n.use("en")
    actor = town[Role.AUDITOR]
    with transaction(actor) as session:
        territory = next(each for each in list_territories(session) if each.id == actor.territory_id)
        told = wall_state(session, actor, territory)
        open_, late = session.execute(
            text(
                "SELECT count(*), count(*) FILTER (WHERE due_at < now() AND (postponed_until IS NULL OR"
                " postponed_until <= now())) FROM incident WHERE status NOT IN ('closed', 'void')"
            )
        ).one()
    numbers = {each["label"]: each["value"] for each in told["numbers"]}
    assert numbers["Open"] == i18n.number(open_)
    assert numbers["Late"] == i18n.number(late)
    assert sum(each["count"] for each in told["stages"]) == open_ == len(told["points"])
    assert "On shift" in numbers
    left, top, width, height = told["frame"]["box"]
    assert all(left <= x <= left + width and top <= y <= top + height for x, y, _ in told["points"])
    assert all(each["late"] <= each["open"] for each in (*told["grids"], *told["units"]))
    i18n.use("zh")
    with transaction(actor) as session:
        assert wall_state(session, actor, territory)["numbers"][0]["label"] == "未结"
    i18n.use("en")


def test_the_usual_is_told_from_days_that_had_any() -> None:
    hours, by_now = _days([(0, 9, 4, 3), (1, 9, 2, 1), (1, 10, 5, 0), (3, 8, 1, 1), (9, 1, 7, 7)])
    assert [sum(each) for each in hours] == [4, 7, 1]
    assert by_now == [3, 1, 1]


def test_who_sees_no_incidents_sees_no_wall(town: dict[Role, Actor]) -> None:
    with transaction(town[Role.PLANNER]) as session, pytest.raises(NotPermitted):
        territory = next(iter(list_territories(session)))
        wall_state(session, town[Role.PLANNER], territory)


def test_an_address_of_a_wall_opens_the_wall_and_nothing_else(
    client: TestClient, town: dict[Role, Actor], secret: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.cookies.clear()
    guard.forget_sessions()
    monkeypatch.setattr(wall, "WAIT_S", 0.3)
    assert client.get("/wall").status_code == 303
    assert client.post("/wall/enter", data={"secret": "no such"}).status_code == 404
    assert client.post("/wall/enter", data={"secret": secret[1]}, headers={"origin": "http://evil"}).status_code == 403
    entered = client.post("/wall/enter", data={"secret": secret[1]})
    assert entered.status_code == 200
    assert "HttpOnly" in entered.headers["set-cookie"]
    assert "samesite=strict" in entered.headers["set-cookie"].lower()
    assert secret[1] not in entered.text
    for path in PAGES:
        assert client.get(path).status_code == 200, path
    told = client.get("/api/wall/state").json()
    waited = client.get(f"/api/wall/state?seen={told['tag']}")
    assert waited.status_code in {200, 204}
    home = town[Role.AUDITOR].territory_id
    for path in ("/", "/incidents", "/api/search?q=x", "/api/cells", f"/tiles/{home}/incidents/15/1/1.mvt", "/walls"):
        assert client.get(path).status_code in {303, 401}, path
    assert client.post("/wall").status_code in {401, 405}
    with pytest.raises(Exception, match=r".*"), client.websocket_connect("/_stcore/stream"):
        pass
    with transaction(town[Role.SUPERVISOR]) as session:
        walls.withdraw_wall(session, town[Role.SUPERVISOR], secret[0])
    wall_gate.forget()
    assert client.get("/api/wall/state").status_code == 401
    with transaction(town[Role.SUPERVISOR]) as session, pytest.raises(NotFound):
        walls.withdraw_wall(session, town[Role.SUPERVISOR], secret[0])


def test_a_screen_that_waits_is_told_nothing_after_its_address_was_withdrawn(
    client: TestClient, town: dict[Role, Actor], secret: tuple[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    client.cookies.clear()
    guard.forget_sessions()
    assert client.post("/wall/enter", data={"secret": secret[1]}).status_code == 200
    drawn = wall._state

    def withdrawn_meanwhile(*given: object) -> object:
        with transaction(town[Role.SUPERVISOR]) as session:
            walls.withdraw_wall(session, town[Role.SUPERVISOR], secret[0])
        wall_gate.forget()
        return drawn(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(wall, "_state", withdrawn_meanwhile)
    assert client.get("/api/wall/state?seen=other").status_code in {401, 403}


def test_an_address_ends_and_stands_in_the_record_without_its_secret(
    town: dict[Role, Actor], secret: tuple[int, str]
) -> None:
    with transaction(system_actor()) as session:
        assert walls.open_wall(session, secret[1]) is not None
        assert walls.open_wall(session, secret[1], at=now() + dt.timedelta(days=7, minutes=1)) is None
        assert walls.open_wall(session, cookie.name()) is None
        rows = session.execute(
            text("SELECT coalesce(after::text, '') FROM record WHERE subject_table = 'wall_pass'")
        ).scalars()
        kept = [str(each) for each in rows]
    assert any("Command hall" in each for each in kept)
    assert not any("secret" in each for each in kept)
    for title, days in (("", 7), ("x" * 81, 7), ("a\nb\u200b\x07", 7), ("hall", 365)):
        with transaction(town[Role.SUPERVISOR]) as session, pytest.raises(InvalidInput):
            walls.add_wall(session, town[Role.SUPERVISOR], title, days)
    with transaction(town[Role.DISPATCHER]) as session, pytest.raises(NotPermitted):
        walls.add_wall(session, town[Role.DISPATCHER], "hall", 7)


def test_an_emergency_without_an_address_has_its_street_and_community(session: Session) -> None:
    city = make_map_city(session)
    add_incidents(session, city, [{"reported_at": now()}])
    session.execute(text("UPDATE incident SET emergency = true WHERE territory_id = :id"), {"id": city.territory.id})
    db.as_actor(session, city.officer(Role.AUDITOR))
    name = session.scalar(text("SELECT name FROM area WHERE id = :id"), {"id": city.communities["west"]})
    for language, place in (("en", f"High Street, {name}"), ("zh", "高街，")):
        i18n.use(language)
        (told,) = wall_state(session, city.officer(Role.AUDITOR), city.territory)["emergencies"]
        assert told["place"].startswith(place)
    i18n.use("en")


def test_secrets_are_not_tried_without_end(
    client: TestClient, town: dict[Role, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    del town
    client.cookies.clear()
    guard.forget_sessions()
    monkeypatch.setattr(wall, "attempts", forms.Attempts(2))
    tried = [client.post("/wall/enter", data={"secret": f"wrong-{k}"}).status_code for k in range(4)]
    assert tried == [404, 404, 429, 429]
    monkeypatch.setattr(wall_gate, "strangers", forms.Attempts(2))
    asked: list[str] = []
    monkeypatch.setattr(wall_gate, "opened", asked.append)
    for k in range(5):
        client.cookies.set(wall_gate.cookie_name(), f"guess-{k}")
        assert client.get("/api/wall/state").status_code == 401
    assert asked == ["guess-0", "guess-1"], "beyond the limit nobody looks a guess up"
    client.cookies.clear()

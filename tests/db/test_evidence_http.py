"""Photos over HTTP, through the gate: which copy each role gets, and nothing without a session or the incident."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app import cookie, guard
from app.api import evidence as route
from core.identity import Actor, Role, system_actor
from geodata.db import transaction
from incidents.evidence import stored
from incidents.service import evidence
from people import accounts
from tests.photos import prepared


@pytest.fixture(scope="module")
def city(demo_database: Engine) -> dict[Role, Actor]:
    del demo_database
    with transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


@pytest.fixture(scope="module")
def photo(city: dict[Role, Actor]) -> int:
    """A photo of an incident of the handler's unit in the manager's communities, that the demo worker handles."""
    handler, manager, worker = (city[role] for role in (Role.HANDLER, Role.GRID_MANAGER, Role.GRID_WORKER))
    home = system_actor(handler.territory_id)
    with transaction(home) as session:
        incident = session.execute(
            text(
                "SELECT i.id FROM incident AS i JOIN task AS t ON t.incident_id = i.id AND t.kind = 'handle'"
                " WHERE i.unit_id = :unit AND t.unit_id = :unit AND i.community_id = ANY (:areas)"
                " AND i.status IN ('dispatched', 'handling') ORDER BY i.id LIMIT 1"
            ),
            {"unit": handler.unit_ids[0], "areas": list(manager.area_ids)},
        ).scalar_one()
        session.execute(
            text("UPDATE task SET worker_id = :worker WHERE incident_id = :id AND kind = 'handle'"),
            {"worker": worker.worker_id, "id": incident},
        )
        return evidence.add_photo(session, home, incident, "before", prepared()).id


@pytest.fixture(scope="module")
def client(city: dict[Role, Actor]) -> Iterator[TestClient]:
    guard.forget_sessions()
    app = Starlette(
        routes=route.routes,
        middleware=[Middleware(guard.Gate)],
        exception_handlers={k: v for k, v in guard.EXCEPTION_HANDLERS.items() if k is not Exception},
    )
    with TestClient(app, follow_redirects=False) as opened:
        yield opened


def enter(client: TestClient, role: Role) -> None:
    guard.forget_sessions()
    client.cookies.clear()
    with transaction(system_actor()) as session:
        account = next(each for each in accounts.demo_accounts(session) if each.role is role)
        token = accounts.start_session(session, account, locale="en")
    client.cookies.set(cookie.name(), cookie.sign(token))


@pytest.mark.parametrize("role", [Role.HANDLER, Role.GRID_WORKER])
def test_who_handles_gets_the_unblurred_copy(client: TestClient, photo: int, role: Role) -> None:
    enter(client, role)
    answer = client.get(f"/api/evidence/{photo}.jpg")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == prepared().photo.sha256
    other = client.get(f"/api/evidence/{photo}.jpg?copy=blurred")
    assert hashlib.sha256(other.content).hexdigest() != prepared().photo.sha256


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.DISPATCHER, Role.AUDITOR, Role.GRID_MANAGER])
def test_all_others_who_see_the_incident_get_the_blurred_copy(client: TestClient, photo: int, role: Role) -> None:
    enter(client, role)
    for address in (f"/api/evidence/{photo}.jpg", f"/api/evidence/{photo}.jpg?v=7"):
        answer = client.get(address)
        assert answer.status_code == 200
        assert hashlib.sha256(answer.content).hexdigest() != prepared().photo.sha256


@pytest.mark.parametrize("role", [Role.PLANNER, Role.ADMINISTRATOR])
def test_who_sees_no_incidents_gets_nothing(client: TestClient, photo: int, role: Role) -> None:
    enter(client, role)
    answer = client.get(f"/api/evidence/{photo}.jpg")
    assert answer.status_code == 403
    assert b"\xff\xd8" not in answer.content


def test_without_a_session_there_is_nothing(client: TestClient, photo: int) -> None:
    client.cookies.clear()
    assert client.get(f"/api/evidence/{photo}.jpg").status_code == 401
    client.cookies.set(cookie.name(), "forged")
    assert client.get(f"/api/evidence/{photo}.jpg").status_code == 401


def test_out_of_reach_and_absent_are_the_same(client: TestClient, photo: int, city: dict[Role, Actor]) -> None:
    handler = city[Role.HANDLER]
    with transaction(system_actor(handler.territory_id)) as session:
        away = session.execute(
            text(
                "SELECT e.id FROM evidence AS e JOIN incident AS i ON i.id = e.incident_id"
                " WHERE i.unit_id IS DISTINCT FROM :unit LIMIT 1"
            ),
            {"unit": handler.unit_ids[0]},
        ).scalar_one()
    enter(client, Role.HANDLER)
    answers = [client.get(f"/api/evidence/{each}.jpg") for each in (away, 10**9, 10**30)]
    assert [each.status_code for each in answers] == [404, 404, 404]
    assert len({each.json()["error"] for each in answers}) == 1


def test_how_it_is_sent(client: TestClient, photo: int) -> None:
    enter(client, Role.SUPERVISOR)
    answer = client.get(f"/api/evidence/{photo}.jpg")
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["vary"] == "Cookie"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    again = client.get(f"/api/evidence/{photo}.jpg", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_sizes(client: TestClient, photo: int) -> None:
    enter(client, Role.HANDLER)
    assert max(stored(client.get(f"/api/evidence/{photo}.jpg?size=small").content).size) == 480
    squares = client.get(f"/api/evidence/{photo}.jpg?size=squares")
    assert stored(squares.content).size == (prepared().photo.width, prepared().photo.height)
    assert client.get(f"/api/evidence/{photo}.jpg?size=../../etc").status_code == 400
    assert client.get(f"/api/evidence/{photo}.jpg?copy=original").status_code == 400


@pytest.mark.parametrize("path", ["x", "-1", "1.png", "../1", "%2e%2e%2fsecret", "1.jpg/..", "1e3"])
def test_an_address_is_never_a_path(client: TestClient, path: str) -> None:
    enter(client, Role.SUPERVISOR)
    assert client.get(f"/api/evidence/{path}.jpg").status_code == 404


def test_nothing_is_written_by_it(client: TestClient, photo: int) -> None:
    enter(client, Role.SUPERVISOR)
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert client.request(method, f"/api/evidence/{photo}.jpg").status_code == 405

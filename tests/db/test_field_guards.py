"""What the field page must not let happen: acts under another login, times set back, floods of photos, old places."""

from __future__ import annotations

import pytest
from psycopg.errors import DeadlockDetected
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app import guard
from app.api import field as route
from app.api import field_gate, login
from core.clock import now
from core.errors import SourceUnavailable
from core.identity import Role
from geodata.db import transaction
from incidents import service as incidents
from incidents.evidence_rules import MOST_PHOTOS
from tests.db.test_field_http import (  # noqa: F401
    act,
    city,
    client,
    enter,
    fresh,
    given,
    rows,
    send,
    task,
)
from tests.photos import as_bytes, street

PLACE = "SELECT worker_id FROM worker_position"


# --- whose acts


def test_what_another_worker_left_on_the_phone_is_not_applied(enter, task) -> None:  # noqa: F811
    client = enter(Role.GRID_WORKER)  # noqa: F811
    mine = client.headers[route.WHO]
    photo = f"/api/field/photo?incident={task[0]}&kind=after&id={fresh()}"
    for who in (f"{mine}1", ""):
        client.headers[route.WHO] = who
        answers = [
            client.post("/api/field/acts", json={"acts": [act("accept", task)]}),
            client.post(photo, content=as_bytes(street(5, (160, 120)))),
            client.post("/api/field/position", json={"lon": 0, "lat": 0}),
            client.delete("/api/field/position"),
        ]
        assert [each.status_code for each in answers] == [409] * 4
        assert "Somebody else" in answers[0].json()["error"]
    assert rows("SELECT state FROM task WHERE incident_id = :i", i=task[0]) == [("waiting",)]
    assert rows("SELECT 1 FROM evidence WHERE incident_id = :i", i=task[0]) == []
    client.headers[route.WHO] = mine
    assert send(client, act("accept", task))[0]["ok"]


def test_a_fault_in_one_act_does_not_hold_back_those_behind_it(enter, task, monkeypatch) -> None:  # noqa: F811
    real, faults = route.field.apply, [ValueError("x"), OperationalError("x", {}, DeadlockDetected())]

    def apply(session, actor, one):
        if one.act == "note":
            raise faults.pop(0)
        return real(session, actor, one)

    monkeypatch.setattr(route.field, "apply", apply)
    note, client = act("note", task, text="x"), enter(Role.GRID_WORKER)  # noqa: F811
    wrong, accepted, again = send(client, note, act("accept", task), note, act("on_way", task))[:3]
    assert (wrong["kind"], "error " in wrong["say"], accepted["ok"], again["kind"]) == ("refused", True, True, "later")
    assert rows("SELECT on_way_at FROM task WHERE incident_id = :i", i=task[0]) == [(None,)]  # waits behind it


# --- times


def test_no_act_is_older_than_the_one_before_it(enter, city) -> None:  # noqa: F811
    task = given(city, minutes_ago=60)  # noqa: F811
    client = enter(Role.GRID_WORKER)  # noqa: F811
    assert send(client, act("accept", task, minutes_ago=50))[0]["ok"]
    assert send(client, act("on_way", task, minutes_ago=20))[0]["ok"]
    assert send(client, act("arrive", task, minutes_ago=55))[0]["ok"]
    (row,) = rows("SELECT on_way_at, arrived_at FROM task WHERE incident_id = :i", i=task[0])
    assert row.on_way_at <= row.arrived_at
    assert send(client, act("finish", task, minutes_ago=58) | {"version": None})[0]["ok"]
    (done,) = rows("SELECT handled_at FROM incident WHERE id = :i", i=task[0])
    assert done.handled_at >= row.arrived_at


def test_what_is_done_again_is_not_older_than_its_rework(enter, city) -> None:  # noqa: F811
    task = given(city, minutes_ago=60)  # noqa: F811
    client = enter(Role.GRID_WORKER)  # noqa: F811
    acts = [
        act("accept", task, minutes_ago=50),
        act("arrive", task, minutes_ago=40),
        act("finish", task, minutes_ago=30),
    ]
    assert all(each["ok"] for each in send(client, *acts))
    before, supervisor = now(), city[Role.SUPERVISOR]
    with transaction(supervisor) as session:
        incidents.move(session, supervisor, task[0], "rework", version=None, command_id=fresh(), reason="not_solved")
    for name in ("arrive", "finish"):
        assert send(client, act(name, task, minutes_ago=35) | {"version": None})[0]["ok"]
    (row,) = rows("SELECT handled_at FROM incident WHERE id = :i", i=task[0])
    assert row.handled_at >= before
    (again,) = rows("SELECT arrived_at FROM task WHERE incident_id = :i AND kind = 'handle'", i=task[0])
    assert again.arrived_at >= before


# --- photos


def test_photos_have_a_queue_with_an_end(enter, task) -> None:  # noqa: F811
    client = enter(Role.GRID_WORKER)  # noqa: F811
    address, data = f"/api/field/photo?incident={task[0]}&kind=after&id={fresh()}", as_bytes(street(6, (160, 120)))
    places = [field_gate.PHOTOS.enter(f"phone {number}") for number in range(10)]
    for place in places:
        place.__enter__()
    try:
        refused = client.post(address, content=data)
        assert (refused.status_code, refused.json()["answers"][0]["kind"]) == (503, "later")
        assert client.get("/api/field/state").status_code == 200
    finally:
        for place in places:
            place.__exit__(None, None, None)
    assert client.post(address, content=data).json()["answers"][0]["ok"]


def test_one_phone_does_not_take_every_place() -> None:
    gate = field_gate.Gate("one phone", at_work=1, inside=3, each=2)
    with gate.enter("a"), gate.enter("a"):
        with pytest.raises(SourceUnavailable), gate.enter("a"):
            pass
        with gate.enter("b"), pytest.raises(SourceUnavailable), gate.enter("c"):
            pass
    with gate.enter("a"), gate.enter("b"), gate.enter("c"):
        pass


def test_a_photo_that_cannot_be_kept_costs_no_work(enter, task, monkeypatch) -> None:  # noqa: F811
    client = enter(Role.GRID_WORKER)  # noqa: F811
    data = as_bytes(street(7, (160, 120)))
    monkeypatch.setattr(route, "prepare", lambda _data: pytest.fail("it was worked on"))
    (far,) = client.post(f"/api/field/photo?incident=999999999&kind=after&id={fresh()}", content=data).json()["answers"]
    assert "no such incident" in far["say"]
    monkeypatch.setattr("incidents.service.evidence.store.count", lambda *_, **__: MOST_PHOTOS)
    full = client.post(f"/api/field/photo?incident={task[0]}&kind=after&id={fresh()}", content=data).json()["answers"]
    assert (full[0]["kind"], "no more are kept" in full[0]["say"]) == ("conflict", True)


# --- places


def _say(client: TestClient) -> None:  # noqa: F811
    west, south, east, north = client.get("/api/field/way").json()["box"]
    place = {"lon": (west + east) / 2, "lat": (south + north) / 2, "accuracy": 9}
    assert client.post("/api/field/position", json=place).json()["taken"]


def test_the_logout_of_a_worker_deletes_where_he_was(enter) -> None:  # noqa: F811
    worker = enter(Role.GRID_WORKER)
    _say(worker)
    assert len(rows(PLACE)) == 1
    app = Starlette(routes=login.routes, middleware=[Middleware(guard.Gate)])
    with TestClient(app, follow_redirects=False) as leaving:
        leaving.cookies.update(worker.cookies)
        kept = leaving.post("/logout?keep=queue")
        assert "clear-site-data" not in kept.headers
    assert rows(PLACE) == []
    worker = enter(Role.GRID_WORKER)
    with TestClient(app, follow_redirects=False) as leaving:
        leaving.cookies.update(worker.cookies)
        assert leaving.post("/logout").headers["clear-site-data"] == '"storage"'


def test_a_way_is_kept_for_a_moment_for_who_asked(enter, task, monkeypatch) -> None:  # noqa: F811
    client = enter(Role.GRID_WORKER)  # noqa: F811
    first = client.get(f"/api/field/way?incident={task[0]}")
    assert first.status_code == 200
    monkeypatch.setattr(route, "_way", lambda *_: pytest.fail("it was reckoned again"))
    assert client.get(f"/api/field/way?incident={task[0]}").content == first.content
    assert enter(Role.DISPATCHER).get(f"/api/field/way?incident={task[0]}").status_code == 403

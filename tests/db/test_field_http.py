"""The field page over HTTP, through the gate: who gets it, the day, acts applied once and in order, photos, places."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app import cookie, guard
from app.api import field as route
from core.clock import now
from core.identity import Actor, Role, system_actor
from dispatch import field
from geodata.db import transaction
from geodata.tables import Notice
from geodata.territory import list_territories
from incidents import service as incidents
from incidents.work import NewReport
from people import accounts
from tests.photos import as_bytes, street
from tests.rosters import everybody_on_shift, nobody_on_shift


@pytest.fixture(scope="module")
def city(demo_database: Engine) -> dict[Role, Actor]:
    del demo_database
    with transaction(system_actor()) as session:
        everybody_on_shift(session)
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


@pytest.fixture(scope="module")
def client(city: dict[Role, Actor]) -> Iterator[TestClient]:
    app = Starlette(
        routes=route.routes,
        middleware=[Middleware(guard.Gate)],
        exception_handlers={k: v for k, v in guard.EXCEPTION_HANDLERS.items() if k is not Exception},
    )
    with TestClient(app, follow_redirects=False) as opened:
        yield opened


@pytest.fixture
def enter(client: TestClient, city: dict[Role, Actor]):
    def by(role: Role, language: str = "en") -> TestClient:
        guard.forget_sessions()
        route.forget()
        client.cookies.clear()
        with transaction(system_actor()) as session:
            account = next(each for each in accounts.demo_accounts(session) if each.role is role)
            client.cookies.set(cookie.name(), cookie.sign(accounts.start_session(session, account, locale=language)))
        client.headers[route.WHO] = f"{city[role].territory_id}.{city[role].user_id}"
        return client

    return by


@pytest.fixture
def task(city: dict[Role, Actor]) -> tuple[int, int]:
    """An incident of the worker's community that was just given to him, with its version."""
    return given(city)


def given(city: dict[Role, Actor], class_key: str = "component-02-01", *, minutes_ago: float = 0) -> tuple[int, int]:
    worker, dispatcher, supervisor = city[Role.GRID_WORKER], city[Role.DISPATCHER], city[Role.SUPERVISOR]
    then = now() - dt.timedelta(minutes=minutes_ago)
    with transaction(system_actor(worker.territory_id)) as session:
        lon, lat = session.execute(
            text("SELECT ST_X(geom), ST_Y(geom) FROM incident WHERE community_id = ANY (:areas) ORDER BY id LIMIT 1"),
            {"areas": list(worker.area_ids)},
        ).one()
    with transaction(supervisor) as session:
        new = NewReport(class_key, lon, lat, place="Mill Lane", text="Behind the <b>school</b>", source="superior")
        filed = incidents.report(session, supervisor, new, command_id=fresh(), moment=then)
    with transaction(dispatcher) as session:
        done = incidents.move(
            session, dispatcher, filed.incident_id, "assign", version=None, command_id=fresh(),
            worker_id=worker.worker_id, unit_id=unit_of(session, worker), moment=then,
        )  # fmt: skip
    return done.incident_id, done.version


def unit_of(session, worker: Actor) -> int:
    return session.execute(text("SELECT unit_id FROM worker WHERE id = :id"), {"id": worker.worker_id}).scalar_one()


def fresh() -> str:
    fresh.count += 1
    return f"test-field-{fresh.count:06d}"


fresh.count = 0  # type: ignore[attr-defined]


def act(name: str, task: tuple[int, int], *, minutes_ago: float = 0, **arguments: object) -> dict[str, object]:
    at = now() - dt.timedelta(minutes=minutes_ago)
    return {"id": fresh(), "act": name, "incident": task[0], "version": task[1], "at": at.isoformat(),
            "arguments": arguments}  # fmt: skip


def send(client: TestClient, *acts: object) -> list[dict[str, object]]:
    answer = client.post("/api/field/acts", json={"acts": list(acts)})
    assert answer.status_code == 200, answer.text
    return answer.json()["answers"]


def rows(query: str, **given: object) -> list:
    with transaction(system_actor()) as session:
        return session.execute(text(query), given).all()


# --- who gets it


def test_the_page_is_for_grid_workers_and_says_so(enter) -> None:
    page = enter(Role.GRID_WORKER).get("/field")
    assert page.status_code == 200
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "onclick" not in page.text
    for role, language, word in ((Role.DISPATCHER, "en", "grid workers"), (Role.SUPERVISOR, "zh", "仅供网格员")):
        other = enter(role, language).get(f"/field?lang={language}")
        assert other.status_code == 403
        assert word in other.text
        assert "<script" not in other.text
    for path in ("state", "way", "classes"):
        assert enter(Role.DISPATCHER).get(f"/api/field/{path}").status_code == 403
    assert enter(Role.DISPATCHER).post("/api/field/acts", json={"acts": []}).status_code == 403


def test_without_a_session_the_page_leads_to_the_login_and_back(client: TestClient) -> None:
    client.cookies.clear()
    assert client.get("/field").headers["location"] == "/login?next=/field"
    assert client.get("/api/field/state").status_code == 401


def test_an_answer_is_kept_and_given_to_nobody_else(enter, task, monkeypatch) -> None:
    """While nothing changes the database is not asked; a tag of one opens nothing of another."""
    monkeypatch.setattr(route.versions, "of", lambda *_: (1,))
    client = enter(Role.GRID_WORKER)
    tag = client.get("/api/field/state").headers["etag"]
    monkeypatch.setattr(route, "_state", lambda *_: pytest.fail("the database was asked"))
    again = client.get("/api/field/state", headers={"if-none-match": tag})
    assert (again.status_code, again.headers["cache-control"]) == (304, "private, no-cache")
    for role in (Role.GRID_MANAGER, Role.ADMINISTRATOR):
        other = enter(role).get("/api/field/state", headers={"if-none-match": tag})
        assert other.status_code == 403
        assert "Mill Lane" not in other.text


def test_the_service_worker_may_look_after_the_page(enter) -> None:
    answer = enter(Role.GRID_WORKER).get("/field/worker.js")
    assert answer.headers["service-worker-allowed"] == "/field"
    assert answer.headers["content-type"].startswith("text/javascript")


# --- the day


def test_the_day_holds_what_is_needed_on_site(enter, task) -> None:
    client = enter(Role.GRID_WORKER)
    answer = client.get("/api/field/state")
    state = answer.json()
    mine = next(each for each in state["tasks"] if each["incident"] == task[0])
    assert (mine["state"], mine["place"], mine["version"]) == ("waiting", "Mill Lane", task[1])
    assert mine["note"] == "Behind the <b>school</b>"
    assert state["shift"]["on"] is True
    again = client.get("/api/field/state", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    chinese = enter(Role.GRID_WORKER, "zh").get("/api/field/state?lang=zh").json()
    assert next(each for each in chinese["tasks"] if each["incident"] == task[0])["title"] != mine["title"]


def test_an_act_changes_the_day_at_once(enter, task) -> None:
    client = enter(Role.GRID_WORKER)
    before = client.get("/api/field/state")
    assert send(client, act("accept", task))[0]["ok"]
    after = client.get("/api/field/state", headers={"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert next(each for each in after.json()["tasks"] if each["incident"] == task[0])["state"] == "accepted"


def test_what_the_worker_is_told_is_put_away_by_himself_alone(enter, task, city) -> None:
    worker = city[Role.GRID_WORKER]
    with transaction(system_actor()) as session:
        told = {"territory_id": worker.territory_id, "task_id": 1, "made_at": now(), "incident_id": task[0]}
        session.add(Notice(outbox_id=901, topic="withdrawn", worker_id=worker.worker_id, **told))
        session.add(Notice(outbox_id=902, topic="withdrawn", worker_id=(worker.worker_id or 0) + 1, **told))
    client = enter(Role.GRID_WORKER)
    (notice,) = client.get("/api/field/state").json()["notices"]
    assert (notice["topic"], notice["number"][:3]) == ("withdrawn", "TT-")
    read = act("read", (0, 0), upto=notice["id"] + 100) | {"incident": None, "version": None}
    assert send(client, read) == [{"id": read["id"], "ok": True}]
    assert client.get("/api/field/state").json()["notices"] == []
    assert rows("SELECT outbox_id FROM notice WHERE outbox_id > 900 AND read_at IS NULL") == [(902,)]


# --- acts


def test_a_day_without_a_network_arrives_in_order_with_its_own_times(enter, city) -> None:
    task = given(city, minutes_ago=60)
    client = enter(Role.GRID_WORKER)
    acts = [
        act("accept", task, minutes_ago=40),
        act("on_way", task, minutes_ago=30),
        act("arrive", task, minutes_ago=20),
        act("expect_done", task, minutes_ago=18, minutes=15),
        act("note", task, text="Behind the bins"),
        act("finish", task, minutes_ago=5),
    ]
    answers = send(client, *acts)
    assert [each["ok"] for each in answers] == [True] * 6, answers
    (row,) = rows("SELECT status, handled_at FROM incident WHERE id = :i", i=task[0])
    assert row.status == "checking"
    assert abs(row.handled_at - (now() - dt.timedelta(minutes=5))) < dt.timedelta(minutes=1)
    changes = rows("SELECT seq FROM record WHERE subject_table = 'incident' AND subject_id = :i", i=str(task[0]))
    again = send(client, *acts)
    assert [(each["ok"], each["again"], each["number"]) for each in again] == [(True, True, answers[0]["number"])] * 6
    assert changes == rows(
        "SELECT seq FROM record WHERE subject_table = 'incident' AND subject_id = :i", i=str(task[0])
    )


def test_what_somebody_else_changed_is_said_and_nothing_is_applied(enter, task, city) -> None:
    client = enter(Role.GRID_WORKER)
    supervisor = city[Role.SUPERVISOR]
    with transaction(supervisor) as session:
        incidents.move(session, supervisor, task[0], "urge", version=None, command_id=fresh(), reason="late")
    (stale,) = send(client, act("accept", task))
    assert (stale["ok"], stale["kind"]) == (False, "conflict")
    assert "urged it" in str(stale["say"])
    assert rows("SELECT state FROM task WHERE incident_id = :i", i=task[0]) == [("waiting",)]
    (fine,) = send(client, act("accept", (task[0], task[1] + 1)))
    assert fine["ok"]


def test_a_task_that_was_taken_away_is_refused_in_both_languages(enter, task, city) -> None:
    dispatcher = city[Role.DISPATCHER]
    with transaction(dispatcher) as session:
        other = session.execute(
            text("SELECT id FROM worker WHERE id <> :me AND active AND territory_id = :home LIMIT 1"),
            {"me": city[Role.GRID_WORKER].worker_id, "home": dispatcher.territory_id},
        ).scalar_one()
        incidents.move(
            session, dispatcher, task[0], "reassign", version=None, command_id=fresh(), worker_id=other,
            unit_id=unit_of(session, city[Role.GRID_WORKER]),
        )  # fmt: skip
    taken = (task[0], task[1] + 1)
    for language, word in (("en", "yours"), ("zh", "不属于您")):
        client = enter(Role.GRID_WORKER, language)
        client.cookies.set("gridkeeper_language", language)
        answers = send(client, act("accept", taken), act("on_way", taken), act("finish", taken))
        assert [each["ok"] for each in answers] == [False] * 3
        assert all(word in str(each["say"]) for each in answers), answers


def test_out_of_order_is_refused_and_the_rest_goes_on(enter, city) -> None:
    first, second = given(city), given(city)
    client = enter(Role.GRID_WORKER)
    answers = send(
        client, act("finish", first), act("accept", first), act("accept", second), act("accept", second),
        act("finish", second), act("finish", second),
    )  # fmt: skip
    assert [each["ok"] for each in answers] == [True, False, True, False, True, False]
    assert all(each["say"] for each in answers if not each["ok"])


WRONG: tuple[object, ...] = (
    "x",
    None,
    {},
    {"id": 1, "act": "accept"},
    {"id": "test-field-wrong", "act": "close", "incident": 1},
    {"id": "test-field-wrong", "act": "accept", "incident": "1"},
    {"id": "short", "act": "accept", "incident": 1},
    {"id": "test-field-wrong", "act": "accept"},
    {"id": "test-field-wrong", "act": "accept", "at": "then", "incident": 1},
    {"id": "test-field-wrong", "act": "report", "arguments": {"class": "event-01-07", "lon": "0", "lat": 0}},
    {"id": "test-field-wrong", "act": "report", "arguments": {"class": "event-01-07", "lon": 1e8, "lat": 0}},
    {"id": "test-field-wrong", "act": "note", "incident": 1, "arguments": {"text": "x" * 501}},
)


def test_bad_acts_get_a_sentence_each_and_block_no_other(enter, task) -> None:
    *bad, good = send(enter(Role.GRID_WORKER), *WRONG, act("accept", task))
    assert good["ok"]
    assert [each["ok"] for each in bad] == [False] * len(WRONG)
    assert all(len(str(each["say"])) > 10 for each in bad)


def test_what_is_no_message_is_refused(enter) -> None:
    client = enter(Role.GRID_WORKER)
    for body in (b"{", b"[]", b'{"acts": 1}', b'{"acts": [' + b"1," * 50 + b"1]}", b"[" * 5000, b"x" * 70_000):
        assert client.post("/api/field/acts", content=body).status_code == 400
    far = client.post("/api/field/acts", json={"acts": []}, headers={"origin": "https://elsewhere.example"})
    assert far.status_code == 403


# --- reports


def test_a_find_is_reported_once_and_settled_on_the_spot(enter, city) -> None:
    client = enter(Role.GRID_WORKER)
    with transaction(city[Role.GRID_WORKER]) as session:
        lon, lat = session.execute(text("SELECT ST_X(geom), ST_Y(geom) FROM incident ORDER BY id LIMIT 1")).one()
    new = {"class": "component-02-01", "lon": lon, "lat": lat, "place": "Mill Lane", "text": "Crates"}
    report = act("report", (0, 0), minutes_ago=9, **new) | {"incident": None, "version": None}
    (made,) = send(client, report)
    assert made["ok"], made
    assert send(client, report)[0] == {**made, "again": True}
    (row,) = rows("SELECT status, source FROM incident WHERE id = :i", i=made["incident"])
    assert tuple(row) == ("filed", "patrol")
    assert len(rows("SELECT 1 FROM command WHERE id = :id", id=report["id"])) == 1
    spot = (made["incident"], made["version"])
    (settled,) = send(client, act("self_handle", spot))
    assert settled["ok"], settled


# --- photos


def test_a_photo_is_kept_once_and_looked_at_before_it_is_read(enter, task) -> None:
    client = enter(Role.GRID_WORKER)
    address = f"/api/field/photo?incident={task[0]}&kind=after&id={fresh()}"
    data = as_bytes(street(3, (160, 120)))
    for again in (False, True):
        (answer,) = client.post(address, content=data).json()["answers"]
        assert (answer["ok"], answer["again"]) == (True, again)
    assert len(rows("SELECT 1 FROM evidence WHERE incident_id = :i", i=task[0])) == 1
    (other,) = client.post(address, content=as_bytes(street(4, (160, 120)))).json()["answers"]
    assert other["kind"] == "wrong"
    (broken,) = client.post(address.replace("test", "best"), content=b"no photo").json()["answers"]
    assert broken["kind"] == "wrong"
    for size in (str(20 << 20), "9" * 5000):
        assert client.post(address, content=b"", headers={"content-length": size}).status_code == 400
    assert client.post(address.replace("kind=after", "kind=../x"), content=data).status_code == 400


# --- positions


def test_a_position_is_taken_on_shift_only_and_the_newest_only(enter, city) -> None:
    client = enter(Role.GRID_WORKER)
    with transaction(system_actor()) as session:
        territory = next(each for each in list_territories(session) if each.id == city[Role.GRID_WORKER].territory_id)
    lon, lat = (territory.bounds[0] + territory.bounds[2]) / 2, (territory.bounds[1] + territory.bounds[3]) / 2
    for shift in (0.0, 0.001):
        assert client.post("/api/field/position", json={"lon": lon + shift, "lat": lat, "accuracy": 12}).json()["taken"]
    ((x, count),) = rows("SELECT max(ST_X(geom)), count(*) FROM worker_position")
    assert (round(x, 6), count) == (round(lon + 0.001, 6), 1)
    assert rows("SELECT 1 FROM record WHERE subject_table = 'worker_position'") == []
    for wrong in ({"lon": "x", "lat": 1}, {"lon": lon}, {"lon": lon + 40, "lat": lat}, {"lon": True, "lat": 1}):
        assert client.post("/api/field/position", json=wrong).status_code == 400
    assert client.delete("/api/field/position").json()["taken"]
    assert rows("SELECT 1 FROM worker_position") == []
    assert client.post("/api/field/position", json={"lon": lon, "lat": lat, "accuracy": 10**400}).json()["taken"]
    with transaction(system_actor()) as session:
        nobody_on_shift(session)
    try:
        client = enter(Role.GRID_WORKER)
        assert client.post("/api/field/position", json={"lon": lon, "lat": lat}).json() == {"taken": False}
        assert rows("SELECT 1 FROM worker_position") == []
        assert client.get("/api/field/state").json()["shift"]["on"] is False
    finally:
        with transaction(system_actor()) as session:
            everybody_on_shift(session)
        field.forget_shifts()


# --- the way


def test_the_way_and_the_own_streets_are_drawn(enter, city, task) -> None:
    client = enter(Role.GRID_WORKER)
    client.delete("/api/field/position")
    around = client.get("/api/field/way").json()
    west, south, east, north = around["box"]
    assert around["svg"].startswith("<svg ")
    tasks = client.get("/api/field/state").json()["tasks"]
    lon, lat = next(each["at"] for each in tasks if each["incident"] == task[0])
    # From the farther side, wherever the day's incident lies.
    far = {
        "lon": west if lon > (west + east) / 2 else east,
        "lat": south if lat > (south + north) / 2 else north,
    }
    assert client.post("/api/field/position", json=far).json()["taken"]
    way = client.get(f"/api/field/way?incident={task[0]}").json()
    assert "min by car" in way["text"]
    assert way["svg"].count("<circle") == 2
    assert client.get("/api/field/way?incident=999999999").status_code == 404
    assert client.get("/api/field/way?incident=1e3").status_code == 400
    classes = client.get("/api/field/classes").json()
    assert {"key", "group", "title", "emergency"} == set(classes[0])

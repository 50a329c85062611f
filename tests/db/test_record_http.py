"""Heads, keys and feed are open; the daily sheet and the export are not. Over HTTP, through the gate."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app import cookie, guard, record_jobs
from app.api import record
from app.record_keeping import seal_record
from core.clock import now
from core.identity import Role, system_actor
from geodata import jobs, sealing
from geodata.db import transaction
from geodata.heads import Verifier, open_note, read_notes
from people import accounts

OPEN = ("head.txt", "keys.txt", "heads.xml")
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture(scope="module")
def client(demo_database: Engine) -> Iterator[TestClient]:
    del demo_database
    record._kept.clear()
    guard.forget_sessions()
    app = Starlette(
        routes=record.routes,
        middleware=[Middleware(guard.Gate)],
        exception_handlers={k: v for k, v in guard.EXCEPTION_HANDLERS.items() if k is not Exception},
    )
    with TestClient(app, follow_redirects=False) as opened:
        assert opened.get("/record/head.txt").status_code == 404
        assert ET.fromstring(opened.get("/record/heads.xml").text).findall(f"{ATOM}entry") == []
        seal_record()
        record._kept.clear()
        yield opened


def enter(client: TestClient, role: Role) -> None:
    guard.forget_sessions()
    with transaction(system_actor()) as session:
        account = next(each for each in accounts.demo_accounts(session) if each.role is role)
        token = accounts.start_session(session, account, locale="en")
    client.cookies.set(cookie.name(), cookie.sign(token))


@pytest.fixture(autouse=True)
def nobody(client: TestClient) -> None:
    client.cookies.clear()


def test_a_stranger_can_check_a_head(client: TestClient) -> None:
    keys = [Verifier.read(line) for line in client.get("/record/keys.txt").text.splitlines()]
    head = client.get("/record/head.txt")
    assert head.headers["content-type"].startswith("text/plain")
    opened = open_note(head.text, keys)
    with transaction(system_actor()) as session:
        last = sealing.latest(session)
    assert last is not None
    assert (opened.size, opened.root) == (last.tree_size, last.root)


def test_the_feed_is_atom_and_holds_heads_alone(client: TestClient) -> None:
    answer = client.get("/record/heads.xml")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = ET.fromstring(answer.text)
    entries = feed.findall(f"{ATOM}entry")
    assert entries
    for name in ("id", "title", "updated"):
        assert feed.findtext(f"{ATOM}{name}")
        assert all(entry.findtext(f"{ATOM}{name}") for entry in entries)
    keys = [sealing.verifier()]
    for entry in entries:
        (note,) = read_notes(entry.findtext(f"{ATOM}content") or "")
        assert open_note(note, keys).size > 0


@pytest.mark.parametrize("name", OPEN)
@pytest.mark.parametrize(
    "bent", ["/record/{}/", "/record//{}", "/record/{}x", "/record/{}/../sheet", "/RECORD/{}", "/record/%2e/{}"]
)
def test_open_addresses_are_compared_whole(client: TestClient, name: str, bent: str) -> None:
    assert client.get(bent.format(name)).status_code in {303, 401, 404} - {200}


@pytest.mark.parametrize("path", ["/record/sheet?day=2026-03-01", "/record/sheet.css", "/record/export/1", "/record"])
def test_the_rest_needs_a_login(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/login")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SYSTEM, Role.AUDITOR, Role.SUPERVISOR}))
def test_the_rest_is_refused_to_other_roles(client: TestClient, role: Role) -> None:
    enter(client, role)
    for path in ("/record/sheet?day=2026-03-01", "/record/export/1"):
        assert client.get(path).status_code == 403


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SUPERVISOR])
def test_the_sheet_of_a_day(client: TestClient, role: Role) -> None:
    enter(client, role)
    with transaction(system_actor()) as session:
        ((day, batch),) = sealing.daily(session, "Europe/London", days=1)
    answer = client.get(f"/record/sheet?day={day.isoformat()}")
    assert answer.status_code == 200
    for held in (f"{batch.tree_size:,}", batch.root.hex()[:4], sealing.verifier().name, "Printed by"):
        assert held in answer.text
    assert "<script" not in answer.text
    assert client.get("/record/sheet.css").headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(("day", "status"), [("", 400), ("x", 400), ("2026-02-30", 400), ("1999-01-01", 404)])
def test_a_day_that_is_none(client: TestClient, day: str, status: int) -> None:
    enter(client, Role.AUDITOR)
    assert client.get("/record/sheet", params={"day": day}).status_code == status


def test_the_export_comes_as_a_file(client: TestClient) -> None:
    enter(client, Role.AUDITOR)
    with transaction(system_actor()) as session:
        actor = next(each for each in accounts.demo_accounts(session) if each.role is Role.AUDITOR).actor()
    job_id = record_jobs.begin(actor, record_jobs.EXPORT)
    assert client.get(f"/record/export/{job_id}").status_code == 404
    jobs.run_job(job_id)
    answer = client.get(f"/record/export/{job_id}")
    assert answer.status_code == 200
    assert answer.content[:2] == b"\x1f\x8b"
    assert f"record-{now():%Y}" in answer.headers["content-disposition"]
    assert client.get(f"/record/export/{job_id + 1}").status_code == 404

"""One phone, two workers: whose acts wait there, what stays when a session ends, and the next task in sight at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from core.identity import Role, system_actor
from geodata import db
from people import accounts
from tests.browser.conftest import Served, until
from tests.browser.test_field import done, phone, task  # noqa: F401

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
STORE = """() => new Promise((resolve) => {
  indexedDB.open('gridkeeper-field').onsuccess = ({ target: { result } }) => {
    const step = result.transaction(['queue', 'kept'], 'readwrite'), kept = step.objectStore('kept');
    const waits = step.objectStore('queue'), asked = %s;
    step.oncomplete = () => resolve(asked && asked.result); }; })"""
LEFT_BY_ANOTHER = """(() => { kept.get('state').onsuccess = ({ target: { result } }) => {
    kept.put({ ...result, value: { ...result.value, who: '1.999' } }, 'state');
    waits.add({ who: '1.999', made: Date.now(), at: new Date().toISOString(), args: {}, id: 'field-of-another-1',
        act: 'accept', incident: %d, version: null }); }; })()"""


def _database(served: Served, statement: str, **given: object) -> list[tuple[object, ...]]:
    engine = create_engine(served.database)
    with Session(engine) as session:
        db.as_actor(session, system_actor())
        done_ = session.execute(text(statement), given)
        found = [tuple(row) for row in done_] if done_.returns_rows else []
        session.commit()
    engine.dispose()
    return found


def _tell(served: Served, incident: int) -> None:
    engine = create_engine(served.database)
    with Session(engine) as session:
        db.as_actor(session, system_actor())
        worker = next(a.actor() for a in accounts.demo_accounts(session) if a.role is Role.GRID_WORKER)
    engine.dispose()
    for left in ("notice", "worker_position"):
        _database(served, f"DELETE FROM {left}")
    _database(
        served,
        "INSERT INTO notice (outbox_id, territory_id, worker_id, made_at, topic, incident_id, task_id)"
        " SELECT 70000 + n, :t, :w, now(), 'withdrawn', :i, 1 FROM generate_series(1, 11) AS n",
        t=worker.territory_id, w=worker.worker_id, i=incident,
    )  # fmt: skip


def _places(page: Page, served: Served, count: int) -> None:
    """Wait until so many positions are known."""
    known = "SELECT 1 FROM worker_position"
    until(page, lambda: len(_database(served, known)) == count, f"{count} positions were expected")


def test_a_phone_that_passes_from_hand_to_hand(phone: Page, served: Served, task: int) -> None:  # noqa: F811
    _tell(served, task)
    phone.context.grant_permissions(["geolocation"])
    west, north = _database(served, "SELECT ST_X(geom), ST_Y(geom) FROM incident WHERE id = :i", i=task)[0]
    phone.context.set_geolocation({"longitude": west, "latitude": north})
    phone.goto(f"{served.url}/login?lang=en&next=/field")
    phone.locator("form:has(input[name='demo'][value^='worker']) button").click()
    phone.wait_for_url(f"{served.url}/field")

    # Two lines of eleven, and the next task in sight.
    lines = phone.locator("#gk-notices li")
    lines.filter(has_text="and 9 more").wait_for()
    expect(lines).to_have_count(3)
    phone.wait_for_function("document.querySelector('#gk-task .when')?.getBoundingClientRect().bottom < 500")
    phone.wait_for_function("document.documentElement.scrollWidth === 390")
    until(phone, lambda: lines.count() == 11, "not all notices are shown", phone.locator("[data-act='more']").click)

    # A time that was planned anew is there while the phone is in hand.
    expect(phone.locator(f"[data-incident='{task}']", has_text="there at")).to_have_count(0)
    _database(
        served,
        "UPDATE task SET planned_start = now() + interval '1 hour', planned_end = now() + interval '2 hours'"
        " WHERE incident_id = :i",
        i=task,
    )
    phone.locator(f"[data-incident='{task}']", has_text="there at").first.wait_for()

    # Where he is, as long as he wishes.
    phone.locator("#gk-share", has_text="Share").click()
    _places(phone, served, 1)
    phone.locator("#gk-share", has_text="Stop").click()
    _places(phone, served, 0)
    phone.locator("#gk-share", has_text="Share").wait_for()

    # Another worker's act lies on the phone, which still believes that he is logged in.
    phone.evaluate(STORE % (LEFT_BY_ANOTHER % task))
    phone.reload()
    phone.locator("#gk-others", has_text="1 act of another login waits").wait_for()
    assert done(served, task) == []
    assert phone.evaluate(STORE % "waits.count()") == 1
    expect(phone.locator("#gk-problems section")).to_have_count(0)

    # The session ends: nothing of his day stays, what waits does.
    phone.locator("#gk-task h1").wait_for()
    phone.context.clear_cookies()
    phone.evaluate("window.dispatchEvent(new Event('online'))")
    phone.locator("#gk-line", has_text="Your session has ended").wait_for()
    expect(phone.locator("#gk-task > *")).to_have_count(0)
    phone.wait_for_function(
        "(read) => eval(read)().then((keys) => !keys.includes('state'))", arg=STORE % "kept.getAllKeys()"
    )
    assert phone.evaluate(STORE % "waits.count()") == 1

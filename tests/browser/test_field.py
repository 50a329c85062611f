"""A grid worker's phone loses the network in the middle of a task: nothing is lost, nothing is done twice."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from core.identity import Role, system_actor
from geodata import db
from incidents import service as incidents
from incidents.work import NewReport
from people import accounts
from tests.browser.conftest import PATIENCE_MS, Served, until
from tests.rosters import everybody_on_shift

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
SAID = "<img src=x onerror=\"document.title='hit'\">"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def task(served: Served) -> int:
    """An incident that was just given to the demo grid worker, everybody on shift."""
    engine = create_engine(served.database)
    with Session(engine) as session:
        db.as_actor(session, system_actor())
        everybody_on_shift(session)
        known = {account.role: account.actor() for account in accounts.demo_accounts(session)}
        worker, supervisor, dispatcher = (known[r] for r in (Role.GRID_WORKER, Role.SUPERVISOR, Role.DISPATCHER))
        unit = session.scalar(text("SELECT unit_id FROM worker WHERE id = :id"), {"id": worker.worker_id})
        lon, lat = session.execute(
            text("SELECT ST_X(geom), ST_Y(geom) FROM incident WHERE community_id = ANY (:areas) LIMIT 1"),
            {"areas": list(worker.area_ids)},
        ).one()
        session.commit()
        db.as_actor(session, supervisor)
        new = NewReport("component-02-01", lon, lat, place="Mill Lane", text=SAID, source="superior")
        filed = incidents.report(session, supervisor, new, command_id=str(uuid.uuid4()))
        session.commit()
        db.as_actor(session, dispatcher)
        given = incidents.move(
            session, dispatcher, filed.incident_id, "assign", version=None, command_id=str(uuid.uuid4()),
            worker_id=worker.worker_id, unit_id=unit,
        )  # fmt: skip
        session.commit()
    engine.dispose()
    return given.incident_id


@pytest.fixture
def phone(chromium: Browser, served: Served) -> Iterator[Page]:
    context = chromium.new_context(viewport=PHONE, locale="en-GB", has_touch=True)
    opened = context.new_page()
    broken: list[str] = []
    opened.on("pageerror", lambda error: broken.append(str(error)))
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    context.close()
    assert broken == [], "a script of the page broke"


def done(served: Served, incident_id: int) -> list[tuple[str, str]]:
    """Return what stands in the record of an incident since it was given out, and its status."""
    engine = create_engine(served.database)
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
        found = connection.execute(
            text(
                "SELECT r.purpose, i.status FROM record AS r JOIN incident AS i ON i.id = :id"
                " WHERE r.subject_table = 'incident' AND r.subject_id = CAST(:id AS text)"
                " AND r.purpose NOT IN ('report', 'assign') ORDER BY r.seq"
            ),
            {"id": incident_id},
        ).all()
    engine.dispose()
    return [(str(row[0]), str(row[1])) for row in found]


def take_up(phone: Page, incident_id: int) -> None:
    """Have the task of an incident in sight: it is the next one, or one of the list."""
    mine = phone.locator(f"#gk-task[data-incident='{incident_id}']")
    listed = phone.locator(f"#gk-list [data-incident='{incident_id}']")

    def choose() -> None:
        if not mine.is_visible():
            listed.click()

    until(phone, mine.is_visible, f"incident {incident_id} is not on the phone", choose)


def test_a_task_is_done_while_the_network_is_away(phone: Page, served: Served, task: int) -> None:
    phone.goto(f"{served.url}/login?lang=en&next=/field")
    phone.locator("form:has(input[name='demo'][value^='worker']) button").click()
    phone.wait_for_url(f"{served.url}/field")
    take_up(phone, task)
    phone.locator("#gk-task .said", has_text=SAID).wait_for()  # as text, never as a part of the page
    assert phone.title() != "hit"
    phone.locator("#gk-act[data-act='accept']").click()
    phone.locator("#gk-line", has_text="kept").wait_for()
    phone.evaluate("navigator.serviceWorker.ready")
    phone.reload()  # the page itself is kept from here on
    phone.locator("#gk-task h1").wait_for()

    phone.context.set_offline(True)
    take_up(phone, task)
    phone.locator("#gk-act[data-act='on_way']").click()
    phone.locator("#gk-act[data-act='arrive']").click()
    phone.locator("#gk-line", has_text="Offline: 2 acts wait").wait_for()
    phone.locator("#gk-act[data-act='finish']").click()
    phone.locator("#gk-note").fill("Sign turned back <b>firmly</b>")
    phone.locator("#gk-done").click()
    phone.locator("#gk-line", has_text="Offline: 4 acts wait").wait_for()
    expect(phone.locator(f"[data-incident='{task}']")).to_have_count(0)
    phone.reload()  # as if the phone had been put away
    phone.locator("#gk-line", has_text="Offline: 4 acts wait").wait_for()

    phone.context.set_offline(False)
    phone.locator("#gk-line", has_text="acts wait").wait_for(state="detached")
    phone.locator("#gk-line:not([hidden])", has_text="kept").wait_for()
    assert done(served, task) == [("accept", "checking"), ("start", "checking"), ("finish", "checking")]
    expect(phone.locator("#gk-problems section")).to_have_count(0)

    phone.locator("#gk-leave button").click()
    phone.wait_for_url(f"{served.url}/login**")
    left = phone.evaluate("indexedDB.databases().then((all) => all.length && new Promise((resolve) => {"
                          " indexedDB.open('gridkeeper-field').onsuccess = ({ target: { result } }) => {"
                          "  const asked = result.transaction('kept').objectStore('kept').count();"
                          "  asked.onsuccess = () => resolve(asked.result); }; }))")  # fmt: skip
    assert left == 0

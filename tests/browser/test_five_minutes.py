"""A dispatcher's five minutes: the proposal, a reason, a choice of his own, publishing; the phone; the supervisor."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from core.identity import Role, system_actor
from dispatch import standing_plan
from dispatch.plan_model import Stop
from geodata import db
from geodata.territory import find_territory
from incidents import service as incidents
from incidents.work import NewReport
from people import accounts
from tests.browser.conftest import PATIENCE_MS, Served, choose, enter, stands, until
from tests.browser.test_field import take_up
from tests.rosters import everybody_on_shift

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
REFRESHED_MS = 6_000
"""After so long the board has asked whether anything changed."""


@dataclass(frozen=True)
class Morning:
    """An incident that the plan gives to somebody else, and the worker with a phone.

    ``cannot`` says whether the plan would refuse that worker, ``others`` what else of the filed is safe to publish.
    """

    incident_id: int
    number: str
    proposed: str
    worker: str
    cannot: bool
    others: tuple[int, ...]


@pytest.fixture
def morning(served: Served) -> Iterator[Morning]:
    """Four signs to mend, everybody on shift, and a plan of it."""
    engine = create_engine(served.database)
    with Session(engine) as session:
        db.as_actor(session, system_actor())
        everybody_on_shift(session)
        for table in ("plan", "pin"):
            session.execute(text(f"DELETE FROM {table}"))
        known = {account.role: account.actor() for account in accounts.demo_accounts(session)}
        worker, supervisor, dispatcher = (known[r] for r in (Role.GRID_WORKER, Role.SUPERVISOR, Role.DISPATCHER))
        code, unit = session.execute(
            text("SELECT code, unit_id FROM worker WHERE id = :id"), {"id": worker.worker_id}
        ).one()
        places = session.execute(
            text(
                "SELECT ST_X(geom), ST_Y(geom) FROM (SELECT DISTINCT ON (community_id) community_id, geom FROM incident"
                " ORDER BY community_id, id) q ORDER BY community_id = ANY (:own), community_id LIMIT 4"
            ),
            {"own": list(worker.area_ids)},
        ).all()
        session.commit()
        db.as_actor(session, supervisor)
        filed = [
            incidents.report(
                session, supervisor, NewReport("component-02-01", lon, lat, place="Mill Lane", source="superior"),
                command_id=f"{number}-{uuid.uuid4()}",
            ).incident_id
            for number, (lon, lat) in enumerate([*places, *places][:4])
        ]  # fmt: skip
        session.commit()
        db.as_actor(session, system_actor())
        session.execute(
            text("UPDATE incident SET unit_id = :unit, version = version + 1 WHERE id = ANY(:ids)"),
            {"unit": unit, "ids": filed},
        )
        session.commit()
        db.as_actor(session, dispatcher)
        plan = standing_plan.refresh(session, dispatcher, find_territory(session), stop=Stop(rounds=300))
        session.commit()
        row = next(
            row for row in plan.rows if row.incident_id in filed and row.safe and row.worker_id != worker.worker_id
        )
        assert worker.worker_id is not None
        db.as_actor(session, dispatcher)
        compared = standing_plan.compare(session, dispatcher, row.incident_id, worker.worker_id)
        others = tuple(
            each.incident_id
            for each in plan.rows
            if each.safe and each.change == "new" and each.incident_id in filed and each is not row
        )
        assert others
        session.commit()
        yield Morning(row.incident_id, row.number, row.worker_code, code, compared.cannot is not None, others)
        db.as_actor(session, system_actor())
        for table in ("plan", "pin"):
            session.execute(text(f"DELETE FROM {table}"))
        session.commit()
    engine.dispose()


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport=PHONE, locale="en-GB", has_touch=True)
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    context.close()


def board_list(page: Page, label: str) -> Locator:
    return page.locator(f"[data-testid='stSelectbox'] input[aria-label*='{label}']")


def test_from_the_proposal_to_the_closed_task(page: Page, phone: Page, served: Served, morning: Morning) -> None:
    enter(page, served, "dispatcher")
    page.goto(f"{served.url}/board")
    page.locator(".gk-sentence", has_text="need you").wait_for()
    row = page.locator(f".gk-q-row[data-pick='incident:{morning.incident_id}']")
    every = page.locator(".st-key-gk-board-bar [data-testid='stButtonGroup'] button", has_text="All")
    until(page, row.is_visible, "the whole queue is not shown", every.click)
    chosen = re.compile(rf"incident={morning.incident_id}\b")
    until(page, lambda: bool(chosen.search(page.url)), "the row is not chosen", row.click)

    side = page.locator(".st-key-gk-why")
    side.get_by_text(morning.number).first.wait_for()
    side.locator(".gk-who-goes", has_text=morning.proposed).wait_for()
    side.locator(".gk-not", has_text="Not W").first.wait_for()
    expect(page).to_have_url(re.compile(f"incident={morning.incident_id}"))
    page.locator(f".gk-tl-bar[data-pick='incident:{morning.incident_id}'][aria-current]").wait_for()

    choose(page, board_list(page, "Choose another worker"), morning.worker)
    told = f"The plan would not send {morning.worker}" if morning.cannot else "Counts in all"
    side.get_by_text(told).first.wait_for()
    search = page.get_by_placeholder("Number, class, street or worker")
    search.fill("Mill")
    page.wait_for_timeout(REFRESHED_MS)
    expect(search, "what is typed outlives a refresh").to_have_value("Mill")
    expect(page).to_have_url(re.compile(f"incident={morning.incident_id}"))
    search.fill("")
    search.press("Enter")
    stands(page)
    choose(page, board_list(page, "Why this one"), "Knows")
    page.locator(".st-key-gk_board_override button:enabled").click()
    page.get_by_role("status").filter(has_text=f"{morning.number} was given to {morning.worker}").wait_for()
    stands(page)
    page.locator(".st-key-gk_board_publish button:enabled").wait_for()
    page.keyboard.press("Control+Enter")
    page.get_by_role("status").filter(has_text=re.compile(r"^[1-9]\d* (is|are) sent out\.")).first.wait_for()
    assert statuses(served, morning.others) == ["dispatched"] * len(morning.others)
    page.locator(".st-key-gk_board_publish button:disabled", has_text="Publish 0").wait_for()

    on_the_phone(phone, served, morning)

    page.context.clear_cookies()
    enter(page, served, "supervisor")
    page.goto(f"{served.url}/incidents?incident={morning.incident_id}")
    page.get_by_text("Being checked").first.wait_for()
    page.get_by_text(morning.worker).first.wait_for()


def statuses(served: Served, ids: tuple[int, ...]) -> list[str]:
    """Return how the incidents stand in the database."""
    engine = create_engine(served.database)
    with Session(engine) as session:
        db.as_actor(session, system_actor())
        found = list(session.scalars(text("SELECT status FROM incident WHERE id = ANY (:ids)"), {"ids": list(ids)}))
    engine.dispose()
    return found


def on_the_phone(phone: Page, served: Served, morning: Morning) -> None:
    """The worker accepts, loses the network, finishes, and has it again."""
    phone.goto(f"{served.url}/login?lang=en&next=/field")
    phone.locator("form:has(input[name='demo'][value^='worker']) button").click()
    phone.wait_for_url(f"{served.url}/field")
    take_up(phone, morning.incident_id)
    phone.locator("#gk-act[data-act='accept']").click()
    phone.locator("#gk-line", has_text="kept").wait_for()

    phone.context.set_offline(True)
    for act in ("on_way", "arrive", "finish"):
        phone.locator(f"#gk-act[data-act='{act}']").click()
    phone.locator("#gk-note").fill("Sign turned back")
    phone.locator("#gk-done").click()
    phone.locator("#gk-line", has_text="Offline: 4 acts wait").wait_for()
    phone.context.set_offline(False)
    phone.locator("#gk-line", has_text="acts wait").wait_for(state="detached")
    phone.locator("#gk-line:not([hidden])", has_text="kept").wait_for()

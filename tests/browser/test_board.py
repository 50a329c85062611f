"""The board in a real browser: from the queue over the map to the sent worker, and a second dispatcher."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from core.identity import system_actor
from geodata import db
from tests.browser.conftest import MAP, Served, choose, enter, stands, until
from tests.rosters import everybody_on_shift

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator, Page

pytestmark = pytest.mark.browser


@pytest.fixture
def town(served: Served) -> Iterator[Session]:
    """The database behind the pages, with two emergencies to send out and everybody on shift."""
    engine = create_engine(served.database)
    with Session(engine) as session:
        db.as_actor(session, system_actor())
        everybody_on_shift(session)
        session.execute(text("DELETE FROM plan"))
        ids = session.scalars(text("SELECT id FROM incident WHERE status = 'handling' ORDER BY id LIMIT 2")).all()
        session.execute(text("UPDATE task SET state = 'cancelled' WHERE incident_id = ANY(:ids)"), {"ids": list(ids)})
        session.execute(
            text(
                "UPDATE incident SET status = 'filed', emergency = true, worker_id = NULL, version = version + 1,"
                " due_at = now() + (row_number * interval '40 min') FROM (SELECT id AS chosen, row_number() OVER"
                " (ORDER BY id) FROM incident WHERE id = ANY(:ids)) q WHERE id = chosen"
            ),
            {"ids": list(ids)},
        )
        session.commit()
        db.as_actor(session, system_actor())
        yield session
    engine.dispose()


def open_board(page: Page, served: Served, language: str = "en") -> FrameLocator:
    enter(page, served, "dispatcher", language=language)
    page.goto(f"{served.url}/board")
    frame = page.frame_locator(MAP)
    frame.locator(".leaflet-container[data-ground]").wait_for()
    frame.locator(".gk-worker").first.wait_for()
    return frame


def test_from_the_queue_to_the_sent_worker(page: Page, served: Served, town: Session) -> None:
    frame = open_board(page, served)
    queue = page.locator(".gk-q-row")
    expect(queue.first).to_contain_text("emergency")
    side = page.locator(".st-key-gk-why")
    expect(side).to_contain_text("Nobody on duty is there sooner.")
    expect(side).to_contain_text("Not W")
    frame.locator(".gk-worker").nth(1).wait_for()
    tooltip = frame.locator(".leaflet-tooltip", has_text="by car")
    hover = frame.locator(".gk-worker").last.hover
    until(page, tooltip.is_visible, "no tooltip of the worker", hover)

    second, mine = page.locator(".st-key-gk-ranked label:has(input)").nth(1), side.get_by_text("Your choice").first
    stands(page)
    until(page, mine.is_visible, "the second cannot be chosen", second.click)
    expect(side).to_contain_text("Proposed is W")
    number = side.get_by_role("link").first.inner_text()
    expect(page.locator(".st-key-gk_board_assign button")).to_be_disabled()
    choose(page, page.locator("[data-testid='stSelectbox'] input[aria-label*='Why this one']"), "Knows")
    page.locator(".st-key-gk_board_assign button:enabled").click()
    page.get_by_role("status").filter(has_text=f"{number} was given to W").wait_for()
    status, worker = town.execute(
        text("SELECT status, worker_id FROM incident WHERE number = :number"), {"number": number}
    ).one()
    assert status == "dispatched"
    assert worker is not None


@pytest.mark.slow
def test_a_second_dispatcher_is_told_in_chinese_what_the_first_did(page: Page, served: Served, town: Session) -> None:
    open_board(page, served, "zh")
    side = page.locator(".st-key-gk-why")
    expect(side).to_contain_text("建议派遣")
    number = side.get_by_role("link").first.inner_text()
    incident_id = town.scalars(text("SELECT id FROM incident WHERE number = :number"), {"number": number}).one()
    from incidents.service import assign_task

    last = town.scalars(text("SELECT max(id) FROM worker")).one()
    actor = system_actor(town.scalars(text("SELECT id FROM territory")).one(), label="the other desk")
    db.as_actor(town, actor)
    assign_task(town, actor, incident_id, last, version=None, command_id=str(uuid.uuid4()))
    town.commit()
    stands(page)
    page.locator(".st-key-gk_board_assign button").click()
    told = page.get_by_role("alert").first
    expect(told).to_contain_text("已被他人更改")
    expect(told).to_contain_text("the other desk")

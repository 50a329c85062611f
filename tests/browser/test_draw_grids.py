"""A grid manager drafts coded, balanced unit grids from nothing, and a supervisor publishes them, in the browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, text

from tests.browser.conftest import PATIENCE_MS, Served, choose, enter, keep, open_tab, stands, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def count(served: Served, statement: str) -> int:
    engine = create_engine(served.database)
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
        found = connection.execute(text(statement)).scalar()
    engine.dispose()
    return int(found or 0)


def test_from_nothing_to_published(page: Page, served: Served, chromium: Browser) -> None:
    enter(page, served, "manager")
    page.goto(f"{served.url}/draw-balance")
    stands(page)
    title = page.get_by_label("What it is for")
    until(page, title.is_visible, "no draft can be begun", page.get_by_role("button", name="New draft").click)
    keep(page, title, "Squares for the west")
    page.get_by_role("button", name="Begin", exact=True).click()
    page.get_by_text("holds the cells of today").first.wait_for()
    stands(page)
    choose(page, page.get_by_role("combobox", name=re.compile("Method")), "Squares")
    page.get_by_label("Width, m").wait_for()
    stands(page)
    page.get_by_role("button", name="Draw", exact=True).click()
    page.get_by_text("Drawn, numbered and coded.").wait_for()
    open_tab(page, "Share out")
    page.get_by_role("button", name="Share out", exact=True).click()
    page.get_by_text("times the mean load").wait_for()
    open_tab(page, "Submit")
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_text("Submitted. A supervisor decides.").wait_for()
    expect(page.locator(".st-key-gk_draw_publish")).to_have_count(0)
    assert count(served, "SELECT count(*) FROM grid_change WHERE state = 'published'") == 0

    other = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB").new_page()
    other.set_default_timeout(PATIENCE_MS)
    enter(other, served, "supervisor")
    other.goto(page.url)
    other.get_by_role("button", name="Publish", exact=True).wait_for()
    stands(other)
    other.get_by_role("button", name="Publish", exact=True).click()
    other.get_by_text(re.compile("In force: [0-9,]+ new cells")).wait_for()
    other.context.close()
    assert count(served, "SELECT count(*) FROM grid_change WHERE state = 'published'") == 1
    live = "SELECT count(*) FROM unit_grid WHERE ended_on IS NULL"
    areas = "AND community_id = ANY (SELECT unnest(area_ids) FROM grid_change)"
    assert count(served, f"{live} {areas} AND started_on >= current_date - 1") > 0
    assert count(served, f"{live} {areas} AND responsibility_grid_id IS NULL") == 0
    lost = (
        "SELECT count(*) FROM incident AS i JOIN unit_grid AS g ON g.id = i.grid_id"
        " WHERE g.ended_on IS NOT NULL AND i.status NOT IN ('closed', 'void')"
    )
    assert count(served, lost) == 0

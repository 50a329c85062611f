"""The grid manager's morning: Today, what is late, the map, the week played, a card, an incident, a print; by keys."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, text

from tests.browser.conftest import MAP, PATIENCE_MS, Served, enter, stands, still, until
from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Page

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = {"serious", "critical"}
STREAMLITS_OWN = {"scrollable-region-focusable"}
"""Rules left out by their name, for the scrolling boxes of the frame around the pages: one of ours is missed too."""


def the_map(page: Page) -> FrameLocator:
    frame = page.frame_locator(MAP)
    frame.locator(".leaflet-container[data-painted][data-cells][data-ground]").wait_for()
    stands(page)
    return frame


def late_everywhere(served: Served) -> None:
    """Make one incident of each community late, so that every manager has one."""
    engine = create_engine(served.database)
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
        connection.execute(
            text(
                "UPDATE incident SET status = 'handling', closed_at = NULL, closed_by = NULL, priority = 1,"
                " due_at = now() - interval '1 day', postponed_until = NULL WHERE id IN (SELECT max(i.id)"
                " FROM incident i JOIN unit_grid g ON g.id = i.grid_id GROUP BY g.community_id)"
            )
        )
    engine.dispose()


@pytest.mark.slow
def test_the_grid_managers_morning(page: Page, served: Served, tmp_path: Path) -> None:
    late_everywhere(served)
    enter(page, served, "manager")
    page.get_by_role("link", name="All late ones on the map").click()
    frame = the_map(page)
    expect(page.get_by_text("Incidents by status")).to_be_visible(timeout=PATIENCE_MS)

    page.goto(f"{served.url}/map?days=7")
    frame = the_map(page)
    bar = frame.locator(".gk-time-bar")
    expect(bar).to_have_attribute("data-state", "still", timeout=PATIENCE_MS)
    still(page)
    served.requests.clear()
    frame.get_by_role("button", name="Play").click()
    expect(bar).to_have_attribute("data-moment", "6", timeout=PATIENCE_MS)
    expect(bar).to_have_attribute("data-state", "paused", timeout=PATIENCE_MS)
    assert len(served.asked("/api/frames")) == 1, "the whole week comes in one answer"
    assert not served.asked("/tiles/"), "nothing else is fetched while it plays"
    frame.get_by_role("slider").fill("2")
    expect(bar).to_have_attribute("data-moment", "2", timeout=PATIENCE_MS)
    frame.get_by_role("button", name="Back to the whole period").click()
    expect(bar).to_have_attribute("data-state", "still", timeout=PATIENCE_MS)

    page.goto(f"{served.url}/map?view=table&status=overdue&days=365")
    page.locator(".gk-panel table a").first.click()
    beside = page.locator(".st-key-gk-side-table")
    expect(beside.get_by_role("heading", name=re.compile("Grid "))).to_be_visible(timeout=PATIENCE_MS)
    expect(page).to_have_url(re.compile(r"status=overdue.*view=table"), timeout=PATIENCE_MS)
    page.locator(".st-key-gk-time").get_by_text("Map", exact=True).click()
    frame = the_map(page)
    card = page.locator(".st-key-gk-side")
    expect(card.get_by_role("heading", name=re.compile("Grid "))).to_be_visible(timeout=PATIENCE_MS)

    file = page.get_by_role("button", name="One HTML file")
    until(page, file.is_visible, "nothing is offered to save", page.get_by_role("button", name="Print or save").click)
    stands(page)
    with page.expect_download() as taken:
        file.click()
    saved = tmp_path / "map.html"
    taken.value.save_as(saved)
    opens_alone(page, saved)
    stands(page)
    with page.expect_download() as taken:
        page.get_by_role("button", name="Sheet as PDF").click()
    sheet = tmp_path / "sheet.pdf"
    taken.value.save_as(sheet)
    assert sheet.read_bytes().startswith(b"%PDF")
    until(page, lambda: not file.is_visible(), "what is offered stays open", lambda: page.keyboard.press("Escape"))
    card.locator(".gk-open-list a").first.click()
    expect(page.locator(".st-key-gk-detail .gk-title h2")).to_be_visible(timeout=PATIENCE_MS)


def opens_alone(page: Page, saved: Path) -> None:
    """Open a saved map from the disk, in a browser that reaches nobody."""
    browser: Browser | None = page.context.browser
    assert browser is not None
    context = browser.new_context(offline=True)
    asked: list[str] = []
    broken: list[str] = []
    alone = context.new_page()
    alone.on("request", lambda request: asked.append(request.url))
    alone.on("pageerror", lambda error: broken.append(str(error)))
    alone.goto(saved.as_uri())
    expect(alone.locator(".leaflet-control-scale-line").first).to_be_visible(timeout=PATIENCE_MS)
    expect(alone.locator(".gk-card h1")).to_be_visible(timeout=PATIENCE_MS)
    context.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
    assert broken == []


@pytest.mark.slow
def test_the_map_without_the_map_and_without_serious_faults(page: Page, served: Served) -> None:
    enter(page, served, "dispatcher")
    page.goto(f"{served.url}/map?status=all")
    frame = the_map(page)
    way = page.get_by_role("link", name="To the table of grids, without the map")
    table = page.locator(".gk-panel table")

    def by_key() -> None:
        way.focus()
        page.keyboard.press("Enter")

    until(page, table.first.is_visible, "the key leads nowhere", by_key)
    expect(table.get_by_role("columnheader", name="Community")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.locator(MAP)).to_have_count(0, timeout=PATIENCE_MS)
    stands(page)
    assert faults(page) == []
    page.goto(f"{served.url}/map?status=all&compare=before&days=30")
    frame = the_map(page)
    frame.locator(".gk-time-bar").wait_for(state="attached")
    expect(page.get_by_text("more than chance").first).to_be_visible(timeout=PATIENCE_MS)
    assert faults(page) == []


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_pages_around_the_map_have_no_serious_faults(page: Page, served: Served, language: str) -> None:
    for role, paths in {
        "dispatcher": ("/map?view=table", "/traffic", "/walls"),
        "administrator": ("/basemaps",),
    }.items():
        page.context.clear_cookies()
        enter(page, served, role, language=language)
        for path in paths:
            page.goto(f"{served.url}{path}")
            page.locator(".gk-title h1").wait_for()
            stands(page)
            assert faults(page) == [], path
        if role == "dispatcher":
            for scene in ("overview", "worst"):
                page.goto(f"{served.url}/wall?scene={scene}&lang={language}")
                page.locator("body[data-painted]").wait_for()
                assert faults(page) == [], scene


def faults(page: Page) -> list[str]:
    """Return serious faults that axe-core finds on the page and in the map's frame."""
    found: list[str] = []
    for frame in page.frames:
        frame.evaluate(AXE.read_text())
        answer = frame.evaluate("axe.run(document, {iframes: false, resultTypes: ['violations']})")
        found += [
            f"{fault['id']}: {node['html'][:160]}"
            for fault in answer["violations"]
            if fault["impact"] in SERIOUS and fault["id"] not in STREAMLITS_OWN
            for node in fault["nodes"]
        ]
    return found


def test_nonsense_in_the_address_is_answered_by_a_sentence(page: Page, served: Served) -> None:
    enter(page, served, "dispatcher")
    page.goto(f"{served.url}/map?from=2026-13-45&to=%3Cscript%3Ealert(1)%3C/script%3E&view=table")
    expect(page.get_by_role("alert").first).to_contain_text("is no day", timeout=PATIENCE_MS)
    expect(page.locator(".gk-panel table")).to_be_visible(timeout=PATIENCE_MS)

"""Two sessions: what one changes appears on the other's map and on the Wall by itself, and nothing else moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, Served, enter, late_incident, until
from tests.browser.test_city_map import settled

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
VIEW = "[GridkeeperMap.state.selected, document.querySelector('.leaflet-map-pane').style.transform]"
LIVE = "document.querySelector('.leaflet-container').dataset.live"
PAINTED = "document.body.dataset.painted"


def test_a_change_appears_on_map_and_wall_and_nothing_else_moves(page: Page, served: Served, chromium: Browser) -> None:
    wall = chromium.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    wall.set_default_timeout(PATIENCE_MS)
    enter(wall, served, "supervisor")
    wall.goto(f"{served.url}/wall?scene=overview")
    expect(wall.locator("body[data-painted]")).to_be_visible()
    enter(page, served, "dispatcher")
    page.goto(f"{served.url}/map")
    frame = page.frame_locator("iframe[title*='st_folium']")
    expect(frame.locator(".leaflet-container[data-painted][data-live]")).to_be_visible()
    frame.locator(".leaflet-control-zoom-out").click()
    settled(page)
    page.frames[-1].evaluate("window.gkSame = 1")
    before = page.frames[-1].evaluate(VIEW)
    mark, drawn = (page.frames[-1].evaluate(LIVE), wall.evaluate(PAINTED))
    late_incident(served)  # another session's act
    until(page, lambda: page.frames[-1].evaluate(LIVE) != mark, "the map does not follow")
    until(wall, lambda: wall.evaluate(PAINTED) != drawn, "the Wall does not follow")
    assert page.frames[-1].evaluate(VIEW) == before, "place and choice stay"
    assert page.frames[-1].evaluate("window.gkSame") == 1, "the map is not made anew"
    expect(wall.locator("#numbers [data-tone=late] b")).not_to_have_text("0")
    wall.context.close()

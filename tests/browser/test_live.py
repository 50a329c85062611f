"""Two sessions: what one changes appears on the other's map and on the Wall by itself, and nothing else moves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MAP, PATIENCE_MS, Served, enter, in_map, late_incident, stands, until, zoom_out

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
VIEW = "[GridkeeperMap.state.selected, document.querySelector('.leaflet-map-pane').style.transform]"
LIVE = "document.querySelector('.leaflet-container').dataset.live"
PAINTED = "document.body.dataset.painted"


def test_a_change_appears_on_map_and_wall_and_nothing_else_moves(page: Page, served: Served, chromium: Browser) -> None:
    late_incident(served, days=-1)  # else another walk may have made it late: then nothing would change
    wall = chromium.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    wall.set_default_timeout(PATIENCE_MS)
    enter(wall, served, "supervisor")
    wall.goto(f"{served.url}/wall?scene=overview")
    expect(wall.locator("body[data-painted]")).to_be_visible()
    enter(page, served, "dispatcher")
    page.goto(f"{served.url}/map")
    expect(page.frame_locator(MAP).locator(".leaflet-container[data-painted][data-live]")).to_be_visible()
    stands(page)
    zoom_out(page)
    in_map(page, "window.gkSame = 1")
    before = in_map(page, VIEW)
    mark, drawn = (in_map(page, LIVE), wall.evaluate(PAINTED))
    late_incident(served)  # another session's act
    until(page, lambda: in_map(page, LIVE) != mark, "the map does not follow")
    until(wall, lambda: wall.evaluate(PAINTED) != drawn, "the Wall does not follow")
    assert in_map(page, VIEW) == before, "place and choice stay"
    assert in_map(page, "window.gkSame") == 1, "the map is not made anew"
    expect(wall.locator("#numbers [data-tone=late] b")).not_to_have_text("0")
    wall.context.close()

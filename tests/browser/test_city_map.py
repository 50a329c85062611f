"""The city map in a real browser: layers, points, circles, the planner's view, the session that ends."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MAP, PATIENCE_MS, ZOOM, Served, enter, in_map, stands, still, until, zoom_out

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator, Page

pytestmark = pytest.mark.browser
FAR = 13
"""Tiles of this zoom and farther away hold no incident: none is drawn as a point there."""


def open_map(page: Page, served: Served, role: str) -> FrameLocator:
    enter(page, served, role)
    page.goto(f"{served.url}/map")
    frame = page.frame_locator(MAP)
    frame.locator(".leaflet-container[data-painted][data-cells][data-ground]").wait_for()
    stands(page)
    still(page)
    return frame


def test_the_map_names_itself_its_scale_and_its_source(page: Page, served: Served) -> None:
    frame = open_map(page, served, "dispatcher")
    container = frame.locator(".leaflet-container")
    expect(container).to_have_attribute("aria-label", "Map of Tiny Town")
    expect(container).to_have_attribute("tabindex", "0")
    expect(frame.locator(".leaflet-control-attribution")).to_contain_text("OpenStreetMap contributors")
    expect(frame.locator(".leaflet-control-scale")).not_to_be_empty()


def test_points_come_when_near_and_layers_when_asked_for(page: Page, served: Served) -> None:
    open_map(page, served, "dispatcher")
    served.wait_asked(page, "/incidents/")  # the town opens near enough for points
    assert not served.asked("/facilities/")
    assert not served.asked("/traffic/")
    for name, tiles in (("Facilities", "/facilities/"), ("Roads and limits", "/traffic/")):
        with page.expect_request(lambda request, tiles=tiles: tiles in request.url):
            page.get_by_role("button", name=name).click()
        stands(page)
    expect(page.get_by_text("Health and care")).to_have_count(1)
    for _ in range(3):
        zoom_out(page)
    assert in_map(page, ZOOM) <= FAR
    zooms = {int(url.split("/incidents/")[1].split("/")[0]) for url in served.asked("/incidents/")}
    assert min(zooms) > FAR, "far away the counts come from the values"


def test_a_planner_asks_for_no_points(page: Page, served: Served) -> None:
    open_map(page, served, "planner")
    served.wait_asked(page, "/tiles/")
    assert not served.asked("/incidents/")


def test_a_hovered_grid_tells_its_code_and_value(page: Page, served: Served) -> None:
    frame = open_map(page, served, "manager")
    page.get_by_role("button", name="Incidents", exact=True).click()
    stands(page)
    ground, places = frame.locator(".leaflet-container"), itertools.cycle((300, 320))
    told = frame.locator(".gk-tooltip", has_text="Incidents reported:")
    until(page, told.is_visible, "no value is told", lambda: ground.hover(position={"x": next(places), "y": 300}))


def test_an_ended_session_is_said_on_the_map(page: Page, served: Served) -> None:
    frame = open_map(page, served, "dispatcher")
    page.context.clear_cookies()
    in_map(page, "GridkeeperMap.update(GridkeeperMap.state.pushed)")
    frame.locator(".gk-notice", has_text="Your session has ended").wait_for()


def test_a_layer_that_fails_is_named_and_the_rest_is_drawn(page: Page, served: Served) -> None:
    page.route("**/tiles/*/facilities/**", lambda route: route.fulfill(status=500, body="{}"))
    frame = open_map(page, served, "dispatcher")
    page.get_by_role("button", name="Facilities").click()
    stands(page)
    expect(frame.locator(".gk-notice")).to_contain_text("Facilities", timeout=PATIENCE_MS)
    page.unroute("**/tiles/*/facilities/**")
    frame.locator(".leaflet-control-zoom-in").click()
    expect(frame.locator(".gk-notice")).to_be_hidden(timeout=PATIENCE_MS)


def test_the_address_keeps_the_part_of_the_map_that_is_seen(page: Page, served: Served) -> None:
    frame = open_map(page, served, "dispatcher")
    frame.locator(".leaflet-control-zoom-out").click()
    expect(page).to_have_url(re.compile(r"[?&]at=\d+/50\.\d+/-1\.\d+"), timeout=PATIENCE_MS)

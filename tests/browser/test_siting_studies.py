"""A planner's first answer in three clicks, a plan of her own against the machine's, the two side by side; access."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MAP, Served, enter, open_tab, stands, until
from tests.browser.test_study_round_trip import work

if TYPE_CHECKING:
    from playwright.sync_api import Page, Position

pytestmark = pytest.mark.browser
__all__ = ["work"]
ANSWER_MS = 240_000


def test_three_clicks_to_an_answer_then_beat_the_machine_and_compare(
    page: Page, served: Served, work: subprocess.Popen[bytes]
) -> None:
    enter(page, served, "planner")
    page.get_by_role("link", name="New study", exact=True).click()
    page.locator(".gk-title h1", has_text="New study").wait_for()
    stands(page)
    page.get_by_role("button", name=re.compile("^Ask")).click()
    page.wait_for_url(re.compile(r"/study\?study=\d+"))
    page.locator(".gk-head-answer").wait_for(timeout=ANSWER_MS)
    machine = page.url.rpartition("=")[2]
    expect(page.locator(".gk-proof")).to_contain_text(re.compile(r"No plan can be better than|Proven best"))

    page.get_by_role("link", name="Beat the machine, or ask what if").click()
    page.get_by_text("Click on the map where a site should stand.").wait_for()
    weigh = page.get_by_role("button", name="Weigh my plan")
    mark(page, 1, {"x": 300, "y": 300})
    expect(page.get_by_text("One more place to mark.")).to_have_count(1)
    expect(weigh).to_be_disabled()
    mark(page, 2, {"x": 380, "y": 320})
    expect(weigh).to_be_enabled()
    weigh.click()
    page.wait_for_url(re.compile(rf"/compare-studies\?a={machine}&b=\d+"))

    verdict = page.locator(".gk-verdict")
    verdict.wait_for(timeout=ANSWER_MS)
    for told in (
        r"Your plan (is [\d.]+ % behind the best found|is as good as|beats the machine)",
        r"No plan can be better than .* at most [\d.]+ % better than this one|no plan is better",
        r"farther than 15 min|Nobody is left out",
    ):
        expect(verdict).to_contain_text(re.compile(told))
    expect(page.get_by_role("link", name=re.compile("^The machine"))).to_have_count(1)
    maps = page.frame_locator("iframe")
    expect(maps.nth(1).locator(".gk-site")).to_have_count(2)


def mark(page: Page, number: int, at: Position) -> None:
    """Click on the map where a site should stand, and wait until it is listed and drawn; a place counts once."""
    ground = page.frame_locator(MAP).first.locator(".leaflet-container[data-ground]")
    taken = page.get_by_role("button", name="Take off")
    stands(page)
    until(page, lambda: taken.count() == number, "no site is marked", lambda: ground.click(position=at))
    expect(page.frame_locator(MAP).first.locator(".gk-site")).to_have_count(number)  # drawn anew
    stands(page)


@pytest.mark.slow
def test_access_is_counted_shown_by_community_and_taken_with_its_address(
    page: Page, served: Served, work: subprocess.Popen[bytes]
) -> None:
    enter(page, served, "planner")
    page.goto(f"{served.url}/access?facility=library&mode=walk&minutes=10")
    page.locator(".gk-head-answer").wait_for(timeout=ANSWER_MS)
    expect(page.locator(".gk-head-answer")).to_contain_text(re.compile(r"\d"))
    ground = page.frame_locator("iframe").first.locator(".leaflet-container")
    ground.locator("canvas").first.wait_for()
    page.locator("td a[href*='community=']").first.click()
    page.wait_for_url(re.compile("community="))
    open_tab(page, "What it rests on")
    page.get_by_text("On foot at").wait_for()
    for part in ("facility=library", "mode=walk", "minutes=10"):
        assert part in page.url

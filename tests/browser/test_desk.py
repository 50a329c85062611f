"""The desk by keys alone: danger is told while the description is still being typed, and nothing typed is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Served, enter, stands, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_call_is_taken_without_the_mouse_and_danger_told_in_time(page: Page, served: Served) -> None:
    enter(page, served, "supervisor")
    page.goto(f"{served.url}/new-incident")
    page.locator("textarea").first.wait_for()
    stands(page)
    page.wait_for_function("document.gkDesk")  # the script that sends what is being typed
    page.locator("textarea").first.click()
    page.keyboard.type("Strong smell of gas, a man is unconscious", delay=20)
    page.locator(".gk-alarm").wait_for()
    assert page.evaluate("document.activeElement.tagName") == "TEXTAREA", "the field was left to tell of the danger"
    expect(page.locator(".gk-alarm .gk-call")).to_have_text(["999", "999"])
    page.keyboard.type(" on the floor", delay=20)
    because = page.get_by_text("This class because of").first
    until(page, because.is_visible, "the key takes no class", lambda: page.keyboard.press("Alt+1"))
    stands(page)
    page.get_by_label("Address or place").click()
    page.keyboard.type("Oak Avenue", delay=20)
    page.locator(".st-key-gk-places button").filter(has_text="Oak Avenue").first.wait_for()
    page.reload()  # the session is lost; what was typed is not
    page.locator(".gk-alarm").wait_for()
    expect(page.locator("textarea").first).to_have_value("Strong smell of gas, a man is unconscious on the floor")
    page.locator(".st-key-gk-places button").filter(has_text="Oak Avenue").first.wait_for()
    stands(page)
    proposed = page.get_by_text("Proposed: the duty list").first
    until(page, proposed.is_visible, "the key takes no place", lambda: page.keyboard.press("Alt+p"))
    stands(page)
    page.keyboard.press("Control+Enter")
    page.get_by_text("is an emergency and not handed over yet").wait_for()
    page.goto(f"{served.url}/")
    page.get_by_text("1 emergency not handed over").wait_for()

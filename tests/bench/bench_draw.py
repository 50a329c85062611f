"""Draw & balance with a large draft in a browser: until it can be used, and until a picked cell's loads are told.

Needs a running server and a draft of the supervisor's in it:
GRIDKEEPER_BENCH_URL=http://localhost:8501 python tests/bench/bench_draw.py CHANGE. Medians of five (or of
GRIDKEEPER_BENCH_ROUNDS), wall time of server and browser together. Prints the rows of docs/figures/bench_draw.md;
nothing is written to the draft.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Page

URL = os.environ.get("GRIDKEEPER_BENCH_URL", "http://localhost:8501")
ROUNDS = int(os.environ.get("GRIDKEEPER_BENCH_ROUNDS", "5"))
MAP = "iframe[title*='st_folium']"


def enter(page: Page) -> None:
    """Log in as the supervisor of the demo."""
    page.goto(f"{URL}/login?lang=en")
    page.locator("form:has(input[name='demo'][value^='supervisor']) button").click()
    page.locator(".gk-title h1").wait_for()


def opened(page: Page, change: str) -> float:
    """Open the draft and return the seconds until its cells are on the map and the tabs can be used."""
    began = time.perf_counter()
    page.goto(f"{URL}/draw-balance?change={change}")
    page.frame_locator(MAP).locator("[data-draft]").wait_for(state="attached")
    page.get_by_role("tab", name="By hand").wait_for()
    return time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    change = sys.argv[1]
    path = shutil.which("chromium") or shutil.which("google-chrome")
    seconds: dict[str, list[float]] = {"open": [], "marked": [], "picked": []}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB").new_page()
        page.set_default_timeout(120_000)
        enter(page)
        for _ in range(ROUNDS):
            seconds["open"].append(opened(page, change))
        page.get_by_role("tab", name="By hand").click()
        page.get_by_text("Give the picked cells to another grid").click()
        page.get_by_text("Picked: none").wait_for()
        living = page.frame_locator(MAP)
        for at in range(ROUNDS):
            box = page.locator(MAP).bounding_box()
            assert box is not None
            began = time.perf_counter()
            page.mouse.click(box["x"] + 330 + 14 * at, box["y"] + 270)
            living.locator("[data-picked='1']").wait_for(state="attached")
            seconds["marked"].append(time.perf_counter() - began)
            page.get_by_text("Load then").wait_for()
            seconds["picked"].append(time.perf_counter() - began)
            page.get_by_role("button", name="Let all go").click()
            page.get_by_text("Picked: none").wait_for()
            living.locator("[data-picked='0']").wait_for(state="attached")
        browser.close()
    for name, spent in seconds.items():
        sys.stdout.write(f"{name}: {statistics.median(spent):.2f} s ({min(spent):.2f} to {max(spent):.2f})\n")


if __name__ == "__main__":
    main()

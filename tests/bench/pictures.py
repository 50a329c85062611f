"""Pictures of every page, to be looked at: as each role, in both languages, at the widths that matter.

Takes a running demo platform as it is and changes nothing in it, but for ``--extract``, which builds
a city from a file, and ``--ask``, which asks a study, to show those pages at work::

    python tests/bench/pictures.py --url http://localhost:8501 --out /tmp/pictures
    python tests/bench/pictures.py --only today incidents --languages zh --sizes 390x844
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FrameLocator, Page

FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
DESK, WALL, PHONE = (1440, 900), (1920, 1080), (390, 844)
LAPTOP = (1280, 800)
PATIENCE_MS = 60_000
BUILD_MS = 300_000


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: what it is called, whose page it is, and what is done before it is taken."""

    name: str
    role: str
    path: str = "/"
    act: Callable[[Page], None] | None = None
    sizes: tuple[tuple[int, int], ...] = (DESK,)


def the_map(page: Page) -> FrameLocator:
    """Return the map once it is drawn."""
    frame = page.frame_locator("iframe[title*='st_folium']")
    frame.locator(".leaflet-container[data-painted][data-cells][data-ground]").wait_for()
    return frame


def map_drawn(page: Page) -> None:
    """Wait for the map."""
    the_map(page)


def grid_clicked(page: Page) -> None:
    """Open the card of the grid in the middle of the map."""
    the_map(page)
    settle(page)
    box = page.locator("iframe[title*='st_folium']").bounding_box()
    if box is not None:
        page.mouse.click(box["x"] + box["width"] * 0.47, box["y"] + box["height"] * 0.47)
    page.locator(".gk-card-head").wait_for()


def layers_on(page: Page) -> None:
    """Show facilities and roads as well."""
    the_map(page)
    pills = page.locator("[data-testid='stButtonGroup'] button")
    more = page.locator("[data-testid='stPopover'] button")
    if not pills.last.is_visible() and more.count():
        more.first.click()
    for at in (-2, -1):
        pills.nth(at).click()
        settle(page)


def points_near(page: Page) -> None:
    """Zoom in until incidents are points."""
    frame = the_map(page)
    for _ in range(2):
        frame.locator(".leaflet-control-zoom-in").click()
        settle(page)


def incident_opened(page: Page) -> None:
    """Open the first late incident."""
    page.locator("a[href*='incident=']").first.click()
    page.locator("[role='tab']").first.wait_for()
    page.wait_for_timeout(1500)


def history_opened(page: Page) -> None:
    """Open the history of the first late incident."""
    incident_opened(page)
    page.locator("[role='tab']").nth(2).click()


def coverage_tab(page: Page) -> None:
    """Open what the platform does."""
    page.locator("[role='tab']").nth(1).click()


def last_tab(page: Page) -> None:
    """Open the last tab of the page."""
    page.locator("[role='tab']").last.click()


def grid_among_points(page: Page) -> None:
    """Open the card of a grid where incidents are points: the picture of the README."""
    frame = the_map(page)
    frame.locator(".leaflet-control-zoom-in").click()
    settle(page)
    box = page.locator("iframe[title*='st_folium']").bounding_box()
    if box is not None:
        page.mouse.click(box["x"] + box["width"] * 0.52, box["y"] + box["height"] * 0.42)
    page.locator(".st-key-gk_close_detail").wait_for()
    page.mouse.move(5, 5)


def board_drawn(page: Page) -> None:
    """Wait for the board's map with its workers."""
    page.frame_locator("iframe[title*='st_folium']").locator(".gk-worker").first.wait_for()


def report_typed(page: Page) -> None:
    """Type what a caller says, and where."""
    page.get_by_role("textbox").first.fill("Lamp out beside the bus stop, the pole leans")
    page.keyboard.press("Tab")
    settle(page)


def study_asked(page: Page) -> None:
    """Ask the study that the page offers, and wait for its answer."""
    page.locator("button[data-testid='stBaseButton-primary']").click()
    page.locator(".gk-answer").wait_for(timeout=BUILD_MS)
    settle(page)


def tab(at: int) -> Callable[[Page], None]:
    """Return the act that opens a tab of the page, counted from 0."""

    def opened(page: Page) -> None:
        page.locator("[role='tab']").nth(at).click()

    return opened


def row_opened(page: Page) -> None:
    """Open a row of the page's list by a click, as a person does."""
    rows = page.locator("[data-testid='stDataFrame'] canvas").first
    rows.wait_for()
    settle(page)
    rows.click(position={"x": 60, "y": 110}, force=True)
    page.locator(".st-key-gk_close_detail").wait_for()


def number_opened(page: Page) -> None:
    """Open the incidents behind the first number of the league."""
    page.locator("a[href*='part=denominator']").first.click()
    page.locator("a[href^='/incidents?incident=']").first.wait_for()


def popover_opened(page: Page) -> None:
    """Open the form behind the page's first button."""
    page.locator("[data-testid='stPopover'] button").first.click()


def roster_drawn(page: Page) -> None:
    """Wait for the roster's map of who covers which grid."""
    page.frame_locator("iframe[title*='st_folium']").locator(".leaflet-container[data-painted]").wait_for()


def menu_opened(at: int) -> Callable[[Page], None]:
    """Return the act that opens a section of the menu that is in view, on a phone the menu itself."""

    def opened(page: Page) -> None:
        narrow = page.locator("[data-testid='stExpandSidebarButton']")
        if narrow.count() and narrow.is_visible():
            narrow.click()
            return
        page.get_by_test_id("stTopNavSection").filter(visible=True).nth(at).click()

    return opened


PICTURES = (
    Picture("login", "", "/login", sizes=(DESK, PHONE)),
    Picture("today", "manager", sizes=(DESK, PHONE)),
    Picture("today-dispatcher", "dispatcher"),
    Picture("today-handler", "handler"),
    Picture("today-planner", "planner"),
    Picture("today-administrator", "administrator"),
    Picture("today-supervisor", "supervisor"),
    Picture("today-auditor", "auditor"),
    Picture("map", "manager", "/map", map_drawn, (DESK, WALL, PHONE)),
    Picture("map-grid", "manager", "/map", grid_clicked, (DESK, PHONE)),
    Picture("map-layers", "dispatcher", "/map", layers_on),
    Picture("map-points", "dispatcher", "/map", points_near, (DESK, WALL)),
    Picture("map-planner", "planner", "/map", map_drawn),
    Picture("incidents", "dispatcher", "/incidents", sizes=(DESK, PHONE)),
    Picture("incident", "dispatcher", "/", incident_opened, (DESK, PHONE)),
    Picture("incident-history", "dispatcher", "/", history_opened),
    Picture("board", "dispatcher", "/board", board_drawn, (DESK, WALL, PHONE)),
    Picture("what-if", "dispatcher", "/what-if", sizes=(DESK, PHONE)),
    Picture("new-incident", "dispatcher", "/new-incident", sizes=(DESK, PHONE)),
    Picture("new-incident-typed", "dispatcher", "/new-incident", report_typed),
    Picture("studies", "planner", "/studies"),
    Picture("new-study", "planner", "/new-study", sizes=(DESK, PHONE)),
    Picture("bring-in", "administrator", "/bring-in"),
    Picture("health", "administrator", "/health", sizes=(DESK, PHONE)),
    Picture("menu-more", "supervisor", "/", menu_opened(-1), (DESK, LAPTOP, PHONE)),
    Picture("menu-system", "administrator", "/", menu_opened(-1), (LAPTOP, PHONE)),
    Picture("units", "administrator", "/units", sizes=(DESK, PHONE)),
    Picture("unit", "administrator", "/units", row_opened, (DESK, PHONE)),
    Picture("unit-add", "administrator", "/units", popover_opened),
    Picture("duty-list", "supervisor", "/duty-list", sizes=(DESK, PHONE)),
    Picture("duty", "supervisor", "/duty-list", row_opened),
    Picture("duty-communities", "supervisor", "/duty-list", tab(1)),
    Picture("duty-files", "supervisor", "/duty-list", tab(2)),
    Picture("workers", "manager", "/workers", sizes=(DESK, PHONE)),
    Picture("worker", "manager", "/workers", row_opened, (DESK, PHONE)),
    Picture("workers-administrator", "administrator", "/workers"),
    Picture("workers-handler", "handler", "/workers"),
    Picture("roster", "manager", "/roster", roster_drawn, (DESK, PHONE)),
    Picture("roster-dispatcher", "dispatcher", "/roster", roster_drawn),
    Picture("roster-table", "manager", "/roster?show=table", sizes=(DESK, PHONE)),
    Picture("roster-worker", "manager", "/roster?show=worker", sizes=(DESK, PHONE)),
    Picture("roster-rules", "manager", "/roster?show=rules", sizes=(DESK, PHONE)),
    Picture("roster-file", "manager", "/roster?show=file"),
    Picture("accounts", "administrator", "/accounts", sizes=(DESK, PHONE)),
    Picture("accounts-auditor", "auditor", "/accounts"),
    Picture("account", "administrator", "/accounts", row_opened, (DESK, PHONE)),
    Picture("my-account", "handler", "/my-account", sizes=(DESK, PHONE)),
    Picture("rules", "supervisor", "/rules", sizes=(DESK, PHONE)),
    Picture("rules-limits", "supervisor", "/rules?tab=limits", sizes=(DESK, PHONE)),
    Picture("rules-calendars", "supervisor", "/rules?tab=calendars", sizes=(DESK, PHONE)),
    Picture("rules-changes", "supervisor", "/rules?tab=changes"),
    Picture("rules-handler", "handler", "/rules"),
    Picture("indicators", "supervisor", "/indicators", sizes=(DESK, PHONE)),
    Picture("indicators-behind", "supervisor", "/indicators", number_opened),
    Picture("indicators-appeals", "supervisor", "/indicators", tab(1), (DESK, PHONE)),
    Picture("indicators-calls", "supervisor", "/indicators", tab(2)),
    Picture("indicators-rule", "supervisor", "/indicators", tab(3)),
    Picture("indicators-print", "supervisor", "/indicators?print=1"),
    Picture("accountability", "auditor", "/accountability", sizes=(DESK, PHONE)),
    Picture("accountability-finding", "auditor", "/accountability?review=1", sizes=(DESK, PHONE)),
    Picture("accountability-rules", "auditor", "/accountability?tab=rules", sizes=(DESK, PHONE)),
    Picture("set-up", "administrator", "/set-up", sizes=(DESK, PHONE)),
    Picture("help", "manager", "/help"),
    Picture("help-coverage", "manager", "/help", coverage_tab),
    Picture("help-limits", "manager", "/help", last_tab),
    Picture("city-map", "dispatcher", "/map", grid_among_points),
)
STUDY = Picture("study", "planner", "/new-study", study_asked)


def settle(page: Page) -> None:
    """Wait until nothing loads and nothing runs any more, however slow the machine is."""
    page.wait_for_timeout(500)
    page.wait_for_load_state("networkidle")
    page.locator("[data-testid='stApp'][data-test-script-state='notRunning']").wait_for()
    page.locator("[data-testid='stSkeleton']").first.wait_for(state="detached")
    page.wait_for_timeout(400)


def visit(page: Page, url: str, picture: Picture, language: str) -> None:
    """Enter by the role's card and bring the page to the state of the picture."""
    page.goto(f"{url}/login?lang={language}")
    if picture.role:
        page.locator(f"form:has(input[name='demo'][value^='{picture.role}']) button").click()
        page.locator(".gk-title h1").wait_for()
        if picture.path != "/":
            page.goto(url + picture.path)
            page.locator(".gk-title h1").wait_for()
    if picture.act is not None:
        picture.act(page)
    settle(page)


def take(browser: Browser, url: str, picture: Picture, language: str, *, size: tuple[int, int], out: Path) -> None:
    """Take one picture into ``out``."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    visit(page, url, picture, language)
    page.screenshot(path=out / f"{picture.name}-{width}-{language}.png")
    context.close()


def build(browser: Browser, url: str, extract: Path, language: str, out: Path) -> None:
    """Build a city from an extract as the administrator, and show the page running and done."""
    context = browser.new_context(viewport={"width": DESK[0], "height": DESK[1]}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    visit(page, url, Picture("bring-in", "administrator", "/bring-in"), language)
    page.locator("input[type=file]").set_input_files(extract)
    page.locator(".st-key-gk_build button:enabled").wait_for()
    settle(page)
    page.screenshot(path=out / f"bring-in-chosen-{DESK[0]}-{language}.png")
    page.locator(".st-key-gk_build button").click()
    page.locator(".st-key-gk_cancel button").wait_for()
    page.wait_for_timeout(2500)
    page.screenshot(path=out / f"bring-in-running-{DESK[0]}-{language}.png")
    page.locator(".st-key-gk_open_city button, .gk-wrong").first.wait_for(timeout=BUILD_MS)
    settle(page)
    page.screenshot(path=out / f"bring-in-done-{DESK[0]}-{language}.png")
    context.close()


def size_of(text: str) -> tuple[int, int]:
    """Return width and height of "1440x900"."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def main() -> int:
    """Take the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://localhost:8501")
    parser.add_argument("--out", type=Path, default=Path("pictures"))
    parser.add_argument("--only", nargs="*", default=[], help="names of pictures; all without")
    parser.add_argument("--roles", nargs="*", default=[], help="manager, dispatcher, …; all without")
    parser.add_argument("--languages", nargs="*", default=["en", "zh"])
    parser.add_argument("--sizes", nargs="*", type=size_of, help="such as 1440x900; each picture's own without")
    parser.add_argument("--ask", action="store_true", help="also ask a study and show its answer")
    parser.add_argument("--extract", type=Path, help="also build a city from this file")
    asked = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.stderr.write("Chromium is not installed (Debian: apt-get install chromium)\n")
        return 2
    from playwright.sync_api import Error, sync_playwright

    asked.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS.split())
        for picture in PICTURES:
            if (asked.only and picture.name not in asked.only) or (asked.roles and picture.role not in asked.roles):
                continue
            for language in asked.languages:
                for size in asked.sizes or picture.sizes:
                    try:
                        take(browser, asked.url, picture, language, size=size, out=asked.out)
                    except Error as error:
                        failed += 1
                        sys.stderr.write(f"{picture.name} {language} {size[0]}x{size[1]}: {error}\n")
        if asked.ask:
            for language in asked.languages:
                take(browser, asked.url, STUDY, language, size=DESK, out=asked.out)
        if asked.extract is not None:
            build(browser, asked.url, asked.extract, asked.languages[0], asked.out)
        browser.close()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

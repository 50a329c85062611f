"""The real server on the small demo city, and Chromium; a page that asks anybody else fails its test."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Error as Refused
from playwright.sync_api import TimeoutError as TooLate
from playwright.sync_api import expect
from sqlalchemy import create_engine, text

from geodata.embedded import APP, OWNER, Cluster
from tests import serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Request

PATIENCE_MS = 90_000
"""A machine that is busy with other things must not fail a walk; what fails takes longer to say so."""
MAP = "iframe[title*='st_folium']"
ZOOM = "GridkeeperMap.leaflet().getZoom()"
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class Served:
    """A running server: where, on which database, and what its pages asked for since the last look."""

    url: str
    log: Path
    database: str = ""
    requests: list[str] = field(default_factory=list)

    def asked(self, part: str) -> list[str]:
        return [url for url in self.requests if part in url]

    def wait_asked(self, page: Page, part: str) -> None:
        """Wait until a page has asked for an address with this part."""
        until(page, lambda: bool(self.asked(part)), f"nobody asked for {part}")


def until(page: Page, holds: Callable[[], bool], says: str, act: Callable[[], object] | None = None) -> None:
    """Wait until something holds, doing ``act`` again meanwhile: a page may be drawn anew under a click.

    It is done again once a run of the page that it began is over, and what is just being put anew is asked again.
    """
    deadline = time.monotonic() + PATIENCE_MS / 1000
    running = page.locator("[data-test-script-state='running']")

    def right() -> bool:
        with contextlib.suppress(Refused):
            return holds()
        return False

    def busy() -> bool:
        with contextlib.suppress(Refused):
            return bool(running.count()) and time.monotonic() < deadline
        return False

    while True:
        if act is not None:
            page.set_default_timeout(5_000)
            with contextlib.suppress(Refused):
                act()
            page.set_default_timeout(PATIENCE_MS)
        looks = 0
        while looks < 30 or busy():
            if right():
                return
            page.wait_for_timeout(100)
            looks += 1
        assert time.monotonic() < deadline, says


def in_map(page: Page, script: str) -> Any:
    """Return what a script answers inside the map's frame, once that stands: a page being drawn may put it anew."""
    answers: list[Any] = []

    def asked() -> bool:
        frame = next((each for each in page.frames if "streamlit_folium" in each.url), None)
        answers.extend([] if frame is None else [frame.evaluate(script)])
        return bool(answers)

    until(page, asked, f"the map does not answer {script}")
    return answers[0]


def still(page: Page) -> None:
    """Wait until the map rests and has loaded and drawn all its tiles."""
    rests = "!GridkeeperMap.busy() && !GridkeeperMap.leaflet()._animatingZoom"
    until(page, lambda: in_map(page, rests) and in_map(page, rests), "the map still moves or loads")


def zoom_out(page: Page) -> None:
    """Press the button of the map once, and wait until it rests one step farther away."""
    zoom, out = in_map(page, ZOOM), page.frame_locator(MAP).locator(".leaflet-control-zoom-out")
    until(page, lambda: in_map(page, ZOOM) < zoom, "the map does not go farther away", out.click)
    still(page)


def stands(page: Page) -> None:
    """Wait until no run of the page is under way; what a click starts may begin a moment later."""
    page.locator("[data-test-script-state='notRunning']").wait_for()


def choose(page: Page, box: Locator, option: str, *, exact: bool = False) -> None:
    """Choose from a list and see it kept: a run of the page may shut the list, or put the choice of before back."""
    listed = page.get_by_role("option", name=option, exact=exact).first
    deadline = time.monotonic() + PATIENCE_MS / 1000
    while True:
        stands(page)
        try:
            box.click(timeout=5_000)
            box.fill(option, timeout=5_000)
            listed.click(timeout=5_000)
            stands(page)
            expect(box).to_have_value(re.compile(re.escape(option)), timeout=3_000)
        except (AssertionError, TooLate):
            assert time.monotonic() < deadline, f"{option!r} cannot be chosen"
            page.keyboard.press("Escape")
            continue
        return


def keep(page: Page, field: Locator, words: str) -> None:
    """Type into a field and see it kept: a run of the page that is still under way may put the field anew, empty."""

    def typed() -> None:
        stands(page)
        field.fill(words)
        field.press("Enter")
        page.wait_for_timeout(300)
        stands(page)

    until(page, lambda: field.input_value() == words, f"{words!r} is not kept", typed)


def take_place(page: Page, words: str) -> None:
    """Type an address at the desk and take the first place it may mean: then the desk knows who is responsible."""
    field, places = page.locator("[class*='st-key-gk_new_form_place'] input"), page.locator(".st-key-gk-places button")
    stands(page)
    field.press_sequentially(words)

    def take() -> None:
        if not places.first.is_visible():
            field.fill(words)
        places.first.click()

    responsible = page.locator("[class*='st-key-gk_new_form_unit']").first
    until(page, responsible.is_visible, f"no place is taken for {words!r}", take)
    stands(page)


def open_tab(page: Page, name: str) -> None:
    """Open a tab and see it open: a run of the page may put the tabs anew, as they were."""
    tab = page.get_by_role("tab", name=name)
    stands(page)
    until(page, lambda: tab.get_attribute("aria-selected") == "true", f"tab {name} does not open", tab.click)


def late_incident(served: Served, days: int = 1) -> tuple[int, str]:
    """Make one incident of the city late by days (-1: due tomorrow), whatever the hour; return its id and number."""
    engine = create_engine(served.database)
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
        found = connection.execute(
            text(
                "UPDATE incident SET status = 'handling', closed_at = NULL, closed_by = NULL, priority = 1,"
                " due_at = now() - :days * interval '1 day' WHERE id = (SELECT min(id) FROM incident)"
                " RETURNING id, number"
            ),
            {"days": days},
        ).one()
    engine.dispose()
    return int(found[0]), str(found[1])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Play a walk that fails a second time: on a busy machine a page may be drawn anew under a click.

    The summary names what was played twice (R); it is to be mended all the same. GK_RR=0 plays each once.
    """
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=int(os.environ.get("GK_RR", "1"))))


@pytest.fixture(scope="package")
def served(
    cluster: Cluster,
    fresh_database: Callable[[str], str],
    demo_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    """The pages of the small demo city, served as users get them."""
    name = fresh_database(demo_template)
    log = tmp_path_factory.mktemp("served") / "server.log"
    urls = {
        "GRIDKEEPER_DATABASE_URL": cluster.url(APP, name),
        "GRIDKEEPER_OWNER_DATABASE_URL": cluster.url(OWNER, name),
    }
    with serving.served(log, **urls) as server:
        assert server.answers(), f"the server did not start:\n{log.read_text()[-3000:]}"
        yield Served(server.address, log, cluster.url(APP, name))


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """One headless Chromium of the machine."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("Chromium is not installed (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    expect.set_options(timeout=PATIENCE_MS)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser, served: Served) -> Iterator[Page]:
    """A fresh visitor; fails the test when a page asked another host or a script broke."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    opened = context.new_page()
    elsewhere: list[str] = []
    broken: list[str] = []
    served.requests.clear()

    def asked(request: Request) -> None:
        served.requests.append(request.url)
        if not request.url.startswith((served.url, served.url.replace("http", "ws", 1), "data:", "blob:")):
            elsewhere.append(request.url)

    context.on("request", asked)
    opened.on("websocket", lambda ws: None if "localhost" in ws.url else elsewhere.append(ws.url))
    opened.on("pageerror", lambda error: broken.append(str(error)))
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    context.close()
    assert elsewhere == [], "a page asked another host"
    assert broken == [], "a script of a page broke"


def enter(page: Page, served: Served, role: str, *, language: str = "en") -> None:
    """Log in by the demo card of a role."""
    page.goto(f"{served.url}/login?lang={language}")
    page.locator(f"form:has(input[name='demo'][value^='{role}']) button").click()
    page.wait_for_url(f"{served.url}/")
    page.locator(".gk-title h1").wait_for()

"""A new small city from nothing to its first dispatched incident, without a shell: every act on a page, and timed."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from core.identity import system_actor
from geodata import db
from geodata.embedded import APP, OWNER, Cluster
from tests import demo_city, serving
from tests.browser.conftest import PATIENCE_MS, choose, keep, stands, take_place, until
from tests.rosters import everybody_on_shift

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser
PASSWORD = "four plain words here"
WORK_MS = 60_000


@dataclass
class Watch:
    """How long each part took, in seconds."""

    parts: dict[str, float] = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def lap(self, part: str) -> None:
        now = time.monotonic()
        self.parts[part] = round(now - self.began, 1)
        self.began = now


@dataclass(frozen=True)
class Platform:
    """A platform that was started on an empty database, and the address it printed for the first administrator."""

    url: str
    first: str
    database: str


@pytest.fixture
def platform(cluster: Cluster, fresh_database: Callable[[], str], tmp_path: Path) -> Iterator[Platform]:
    name = fresh_database()
    log = tmp_path / "run.log"
    urls = {
        "GRIDKEEPER_DATABASE_URL": cluster.url(APP, name),
        "GRIDKEEPER_OWNER_DATABASE_URL": cluster.url(OWNER, name),
        "GRIDKEEPER_DEMO": "false",
    }
    with serving.served(log, ("app.cli", "run", "--no-demo"), **urls) as server:
        assert server.answers(), f"the server did not start:\n{log.read_text()[-3000:]}"
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while not (found := re.search(r"http://\S+/first\?code=\S+", log.read_text())):
            assert time.monotonic() < deadline, f"no address was printed:\n{log.read_text()[-3000:]}"
            time.sleep(0.2)
        yield Platform(server.address, found[0], cluster.url(APP, name))


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Callable[[], Page]]:
    """A maker of fresh visitors, each with cookies of its own."""
    contexts = []

    def make() -> Page:
        contexts.append(chromium.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB"))
        opened = contexts[-1].new_page()
        opened.set_default_timeout(PATIENCE_MS)
        return opened

    yield make
    for context in contexts:
        context.close()


def step(page: Page, title: str) -> Locator:
    """The open step of the list, once the page stands."""
    found = page.locator(".gk h2", has_text=title)
    found.wait_for()
    stands(page)
    return found


def press(page: Page, label: str) -> None:
    """Press a button once the page stands still: until then one of the run before may stand beside it."""
    stands(page)
    page.get_by_role("button", name=label, exact=True).click()


def states(page: Page, *expected: str) -> None:
    """See the states of the first steps as the list shows them."""
    rows = page.locator("table", has_text="Step").locator("tbody tr")
    for place, state in enumerate(expected):
        expect(rows.nth(place).locator("td").last).to_have_text(state)


def test_a_city_from_nothing_to_the_first_dispatched_incident(
    platform: Platform, visitor: Callable[[], Page], tmp_path: Path
) -> None:
    watch = Watch()
    page = visitor()
    page.goto(platform.first)
    page.locator("[name=city]").fill("New Town")
    page.locator("[name=name]").fill("head")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=again]").fill(PASSWORD)
    page.get_by_role("button", name="Make the account and begin").click()

    page.wait_for_url(re.compile("/set-up"))
    step(page, "Territory")
    states(page, "to do", "not possible yet", "not possible yet")
    watch.lap("first administrator")

    extract = demo_city.write_osm(tmp_path / "new-town.osm")
    page.locator("input[type=file]").first.set_input_files(str(extract))
    press(page, "Bring in the map")
    step(page, "Grids")
    states(page, "done", "done", "to do")
    watch.lap("territory and communities")

    press(page, "Cut the grids")
    step(page, "Units")
    watch.lap("grids")

    press(page, "Make these units and the duty list")
    step(page, "Grid workers")
    watch.lap("units and duty list")

    names = page.get_by_label("Names, one a line")

    def enter() -> None:
        names.fill("Ann Lee, 5550101\nBo Chen, 5550102\nCy Moor\nDi Wu\nEd Fox\nFlo Gray")
        names.blur()

    until(page, page.get_by_text("W006").first.is_visible, "the names are not heard", enter)
    press(page, "Enter these workers")
    step(page, "Old incidents")
    watch.lap("six workers with grids and shifts")

    press(page, "There are no old incidents")
    step(page, "First accounts")
    states(page, *["done"] * 7, "to do")
    watch.lap("rules and old incidents")

    for label, login in (("Dispatcher", "desk"), ("Supervisor", "super"), ("Grid manager", "grids")):
        keep(page, page.get_by_label(f"{label}: name to log in with"), login)
    press(page, "Invite them")
    page.get_by_text("Addresses to hand on").wait_for()
    handed = page.locator("table", has_text="Address").locator("tbody tr")
    expect(handed).to_have_count(3)
    stands(page)
    links = dict(row.locator("td").all_inner_texts() for row in handed.all())
    assert set(links) == {"desk", "super", "grids"}
    officers = {login: visitor() for login in links}
    for login, address in links.items():
        officers[login].goto(address)
        officers[login].locator("[name=password]").fill(PASSWORD)
        officers[login].locator("[name=again]").fill(PASSWORD)
        officers[login].get_by_role("button", name="Set the password and log in").click()
        officers[login].locator(".gk-title h1").wait_for()
    page.goto(f"{platform.url}/set-up")
    page.get_by_text("Ready: file the first incident.").wait_for()
    states(page, *["done"] * 8)
    watch.lap("three accounts, each with a password of its own")

    put_on_shift(platform.database)
    number = file_an_incident(officers["super"], platform.url)
    watch.lap("first incident filed")
    dispatch(officers["desk"], platform.url, number)
    watch.lap("first incident dispatched")
    write_down(watch)


def put_on_shift(database: str) -> None:
    """Put everybody on shift: within the last hour of a shift the board rightly sends nobody without a reason."""
    engine = create_engine(database)
    with Session(engine) as session:
        db.as_actor(session, system_actor())
        everybody_on_shift(session)
        session.commit()
    engine.dispose()


def file_an_incident(page: Page, url: str) -> str:
    """The supervisor files an incident at the desk; its number."""
    page.goto(f"{url}/new-incident")
    choose(page, page.locator("[data-testid='stSelectbox'] input").first, "Exposed refuse")
    take_place(page, "Castle Road")
    choose(page, page.get_by_role("combobox", name="Source"), "Superior office")
    page.get_by_role("button", name="File the incident").last.click()
    told = page.get_by_role("status").filter(has_text="is filed")
    told.wait_for()
    return told.inner_text().split()[0]


def dispatch(page: Page, url: str, number: str) -> None:
    """The dispatcher sends the worker whom the board proposes, by the standing plan if there is one by now."""
    page.goto(f"{url}/board")
    side = page.locator(".st-key-gk-why")
    side.get_by_text(number).first.wait_for()
    stands(page)
    send = page.locator(".st-key-gk_board_assign button:enabled, .st-key-gk_board_send_one button:enabled").first
    words = re.compile(f"{number} (was given to W|is sent out as proposed)")
    told = page.get_by_role("status").filter(has_text=words).first
    until(page, told.is_visible, "nobody is sent", send.click)


def write_down(watch: Watch) -> None:
    """Keep the times where they are asked for."""
    path = os.environ.get("GK_SET_UP_TIMES")
    if path:
        Path(path).write_text(json.dumps(watch.parts, indent=1))

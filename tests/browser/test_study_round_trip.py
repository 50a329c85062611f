"""A planner asks where two clinics should stand; a job answers while nobody looks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from geodata.embedded import OWNER, Cluster
from tests.browser.conftest import PATIENCE_MS, Served, enter, keep, open_tab, stands
from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]  # the siting studies go the same way every time
ANSWER_MS = 240_000


@pytest.fixture
def work(served: Served, cluster: Cluster, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The jobs process of the served city."""
    name = served.database.partition("?")[0].rsplit("/", 1)[-1]
    addresses = {
        "GRIDKEEPER_DATABASE_URL": served.database,
        "GRIDKEEPER_OWNER_DATABASE_URL": cluster.url(OWNER, name),
    }
    command = [sys.executable, "-m", "app.cli", "jobs", "run"]
    with (tmp_path / "jobs.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=os.environ | addresses, stdout=log, stderr=log)
        yield process
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def ask(page: Page, served: Served) -> str:
    """Ask for two clinics within four minutes on foot; return the address of the study."""
    page.get_by_role("link", name="New study", exact=True).click()
    page.locator(".gk-title h1", has_text="New study").wait_for()
    keep(page, page.get_by_label("Near is, in minutes"), "4")
    page.get_by_text("reach one on foot within 4 min?").wait_for()
    stands(page)
    page.get_by_role("button", name=re.compile("^Ask")).click()
    page.wait_for_url(re.compile(r"/study\?study=\d+"))
    return page.url


def test_a_study_is_answered_while_its_tab_is_closed(
    page: Page, served: Served, request: pytest.FixtureRequest
) -> None:
    enter(page, served, "planner")
    address = ask(page, served)
    page.get_by_text("You may close this page").wait_for()
    visitor = page.context
    page.close()

    request.getfixturevalue("work")
    later = visitor.new_page()
    later.set_default_timeout(PATIENCE_MS)
    later.goto(address)
    later.get_by_role("tab", name="Who gains").wait_for(timeout=ANSWER_MS)
    answer = later.locator(".gk-answer")
    expect(answer).to_contain_text(re.compile(r"[\d.]+ % of the people reach one on foot within 4 min\."))
    expect(answer).to_contain_text(
        re.compile(r"No plan can be better than [\d.]+ %|Proven best: no other choice among")
    )

    frame = later.frame_locator("iframe").first
    frame.locator(".gk-site").first.wait_for()
    expect(frame.locator(".gk-site")).to_have_text(["2", "1"])
    frame.locator(".leaflet-container canvas").first.wait_for()

    open_tab(later, "History")
    history = later.get_by_role("tabpanel").filter(has_text="The record cannot be changed.")
    expect(history).to_contain_text("Answered, gap")
    expect(history).to_contain_text("Asked")
    open_tab(later, "What it rests on")
    later.get_by_text("The proof is about this model; a person decides.").wait_for()

    later.get_by_role("link", name="Studies", exact=True).click()
    row = later.locator("tr", has=later.locator(f"a[href='{address.removeprefix(served.url)}']"))
    expect(row).to_contain_text("Answered")


def test_a_study_that_nobody_needs_is_cancelled_and_can_begin_again(page: Page, served: Served) -> None:
    enter(page, served, "planner")
    ask(page, served)
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("There is no answer yet.").wait_for()
    page.get_by_role("button", name="Begin again").click()
    page.get_by_text("You may close this page").wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("There is no answer yet.").wait_for()

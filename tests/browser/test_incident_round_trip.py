"""One incident from the desk to its end, by four people, in English and in Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from core.identity import system_actor
from geodata import db
from tests.browser.conftest import Served, choose, enter, stands, take_place
from tests.rosters import everybody_on_shift

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser

ACT = "[class*='st-key-gk_act_{}']"
WORDS = {
    "en": {
        "class": "Exposed refuse",
        "source": ("Source", "Superior office"),
        "file": "File the incident",
        "filed": "is filed",
        "board": "Choose on the Board",
        "why": ("Why this one", "Knows"),
        "given": "was given to",
        "never": "who dispatches never closes",
        "closed": "Closed",
    },
    "zh": {
        "class": "暴露垃圾",
        "source": ("来源", "上级交办"),
        "file": "立案",
        "filed": "已立案",
        "board": "派遣台",
        "why": ("选择理由", "熟悉"),
        "given": "已派给",
        "never": "派遣与结案必须分离",
        "closed": "已结案",
    },
}


@pytest.fixture
def worker_code(served: Served) -> str:
    """The staff number of the demo grid worker, everybody on shift."""
    engine = create_engine(served.database)
    with Session(engine) as session:
        db.as_actor(session, system_actor())
        everybody_on_shift(session)
        code = session.scalars(
            text("SELECT code FROM worker JOIN app_user ON worker_id = worker.id WHERE login LIKE 'worker%'")
        ).one()
        session.commit()
    engine.dispose()
    return str(code)


def become(page: Page, served: Served, role: str, language: str) -> None:
    page.context.clear_cookies()
    enter(page, served, role, language=language)


def act(page: Page, name: str) -> None:
    """Press the button of an act and wait until it is done."""
    page.locator(ACT.format(name)).wait_for()
    stands(page)
    page.locator(ACT.format(name)).get_by_role("button").click()
    page.locator(ACT.format(name)).wait_for(state="detached")


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name).first


@pytest.mark.slow  # the six roles and the dispatcher's five minutes go the same way every time
@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_incident_goes_from_the_desk_to_its_end(page: Page, served: Served, worker_code: str, language: str) -> None:
    words = WORDS[language]
    become(page, served, "supervisor", language)
    page.goto(f"{served.url}/new-incident")
    choose(page, page.locator("[data-testid='stSelectbox'] input").first, words["class"])
    take_place(page, "Castle Road")
    label, option = words["source"]  # an order of a superior office is filed without a look on site first
    choose(page, page.get_by_role("combobox", name=label), option)
    page.get_by_role("button", name=words["file"]).last.click()
    address = page.get_by_role("status").filter(has_text=words["filed"]).get_by_role("link").get_attribute("href")

    become(page, served, "dispatcher", language)
    page.goto(f"{served.url}{address}")
    button(page, words["board"]).click()
    page.locator(".st-key-gk-ranked label").filter(has_text=worker_code).click()
    sender = page.locator(".st-key-gk_board_assign button").filter(has_text=worker_code)
    sender.wait_for()
    stands(page)
    if sender.is_disabled():  # whoever is not the first needs a reason
        label, option = words["why"]
        choose(page, page.get_by_role("combobox", name=label), option)
    sender.click()
    page.get_by_role("status").filter(has_text=words["given"]).wait_for()

    become(page, served, "worker", language)
    page.locator(f"a[href='{address}']").first.click()
    act(page, "start")
    act(page, "finish")

    become(page, served, "dispatcher", language)
    page.goto(f"{served.url}{address}")
    page.get_by_text(words["never"]).wait_for()
    expect(page.locator(ACT.format("close"))).to_have_count(0)

    become(page, served, "supervisor", language)
    page.goto(f"{served.url}{address}")
    act(page, "close")
    page.get_by_role("status").filter(has_text=words["closed"]).wait_for()

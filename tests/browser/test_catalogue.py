"""One unit asks another for data, all on page Catalogue: found, understood, asked for, granted with a reason, ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from tests.browser.conftest import PATIENCE_MS, Served, enter, keep, open_tab, stands
from tests.db.lamps import make_lamps

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ENTRY = "/catalogue?entry=set-lamps"


@pytest.fixture
def lamps(served: Served) -> Iterator[None]:
    """Restricted lamps of a unit that is not the handler's."""
    engine = create_engine(served.database)
    with Session(engine) as session, session.begin():
        session.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
        home, mine = session.execute(
            text("SELECT territory_id, unit_ids FROM user_role WHERE role = 'handler' ORDER BY id LIMIT 1")
        ).one()
        session.execute(text("SELECT set_config('gridkeeper.territory', :t, true)"), {"t": str(home)})
        make_lamps(session, home, not_of=list(mine))
    yield
    with Session(engine) as session, session.begin():
        session.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
        session.execute(text("DELETE FROM data_set WHERE key = 'lamps'"))
    engine.dispose()


def become(page: Page, served: Served, role: str) -> None:
    """Log in as somebody, whoever was there before."""
    page.goto(f"{served.url}/login")
    page.context.clear_cookies()
    enter(page, served, role)


def test_a_unit_asks_for_data_and_gets_them_for_a_while(page: Page, served: Served, lamps: None) -> None:
    page.set_default_timeout(PATIENCE_MS)
    detail = page.locator(".st-key-gk-detail")

    become(page, served, "handler")
    page.goto(f"{served.url}/catalogue")
    keep(page, page.get_by_label("Title, column or owner"), "watts")
    expect(page.get_by_role("link", name="Streets", exact=True)).to_have_count(0, timeout=PATIENCE_MS)
    page.get_by_role("link", name="Lamps", exact=True).click()
    expect(detail.get_by_role("heading", name="Lamps")).to_be_visible(timeout=PATIENCE_MS)
    expect(detail.get_by_text("These data are restricted.")).to_be_visible(timeout=PATIENCE_MS)
    expect(detail.get_by_text("Rows you may see")).to_have_count(0, timeout=PATIENCE_MS)
    expect(detail.get_by_text("Licence and what it derives from")).to_be_visible(timeout=PATIENCE_MS)
    open_tab(page, "Columns")
    expect(detail.get_by_role("cell", name="Whole number, W")).to_be_visible(timeout=PATIENCE_MS)
    expect(detail.get_by_text("keeper")).to_have_count(0, timeout=PATIENCE_MS)
    keep(page, detail.get_by_label("What for"), "Cutting trees beside lamps")
    detail.get_by_role("button", name="Ask for the data").click()
    expect(page.get_by_text("The steward has been asked")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("waits for the steward").first).to_be_visible(timeout=PATIENCE_MS)

    become(page, served, "supervisor")
    page.goto(f"{served.url}{ENTRY}")
    expect(detail.get_by_text("Rows you may see")).to_be_visible(timeout=PATIENCE_MS)
    expect(detail.get_by_text("Quality of the newest load")).to_be_visible(timeout=PATIENCE_MS)
    open_tab(page, "Where from")
    expect(detail.get_by_role("cell", name="lamps.csv")).to_be_visible(timeout=PATIENCE_MS)
    keep(page, page.get_by_label("Reason of the decision"), "For this season")
    page.get_by_role("button", name="Grant", exact=True).click()
    expect(page.get_by_text("The request is granted; it ends by itself.")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text(re.compile("granted until")).first).to_be_visible(timeout=PATIENCE_MS)

    become(page, served, "handler")
    page.goto(f"{served.url}{ENTRY}")
    expect(detail.get_by_text("Rows you may see")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("For this season").first).to_be_visible(timeout=PATIENCE_MS)
    stands(page)
    with page.expect_download(timeout=PATIENCE_MS) as taken:
        detail.get_by_role("link", name="CSV", exact=True).click()
    assert taken.value.suggested_filename == "set-lamps.csv"

    become(page, served, "supervisor")
    page.goto(f"{served.url}{ENTRY}")
    open_tab(page, "Use")
    expect(detail.get_by_role("cell", name="As a file")).to_be_visible(timeout=PATIENCE_MS)
    stands(page)
    page.get_by_role("button", name=re.compile("End the grant of Lamps")).click()
    expect(page.get_by_text("The grant has ended.")).to_be_visible(timeout=PATIENCE_MS)

    become(page, served, "handler")
    page.goto(f"{served.url}{ENTRY}")
    expect(detail.get_by_text("These data are restricted.")).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("grant ended by the steward").first).to_be_visible(timeout=PATIENCE_MS)

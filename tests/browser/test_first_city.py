"""A grid manager's first minutes, in English and Chinese, and what each role finds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import MAP, Served, choose, enter, in_map, late_incident, stands, still, until

if TYPE_CHECKING:
    from playwright.sync_api import FrameLocator, Page

pytestmark = pytest.mark.browser


def the_map(page: Page) -> FrameLocator:
    """The map, once its tiles are drawn."""
    frame = page.frame_locator(MAP)
    frame.locator(".leaflet-container[data-painted] canvas").first.wait_for()
    stands(page)
    still(page)
    return frame


def colours(page: Page) -> int:
    """How many different colours the middle of the map shows."""
    return int(
        in_map(
            page,
            """() => {
                const seen = new Set();
                for (const canvas of document.querySelectorAll('.leaflet-container canvas')) {
                    if (!canvas.width) continue;
                    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
                    for (let i = 0; i < data.length; i += 404) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
                }
                return seen.size;
            }""",
        )
    )


WORDS = {
    "en": {"today": "Today", "map": "City map", "metric": "Fill grids by", "open": "Open now"},
    "zh": {"today": "今日", "map": "城市地图", "metric": "网格着色依据", "open": "当前未结"},
}


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=pytest.mark.slow)])
def test_a_grid_manager_reads_today_filters_the_map_and_opens_a_grid(page: Page, served: Served, language: str) -> None:
    words = WORDS[language]
    enter(page, served, "manager", language=language)
    expect(page.locator(".gk-title h1")).to_have_text(words["today"])
    page.locator(".gk-facts .gk-value").nth(3).wait_for()

    page.get_by_role("link", name=words["map"], exact=True).click()
    page.locator(".gk-title h1", has_text=words["map"]).wait_for()
    frame = the_map(page)
    served.wait_asked(page, "/tiles/")
    until(page, lambda: colours(page) > 5, "the map draws no tiles")

    still(page)
    tiles_before, values_before = len(served.asked("/tiles/")), len(served.asked("/api/values"))
    choose(page, page.get_by_role("combobox", name=words["metric"]), words["open"])
    until(page, lambda: len(served.asked("/api/values")) > values_before, "the filter asks for no values")
    still(page)
    assert len(served.asked("/tiles/")) == tiles_before, "the filter loaded tiles again"

    until(page, lambda: "grid=" in page.url, "a click opens no grid", frame.locator(".leaflet-container").click)
    card = page.locator(".gk-card-head h2", has_text=re.compile(r"\d{3,}"))
    card.wait_for()
    page.reload()
    card.wait_for()
    close = page.locator(".st-key-gk_close_detail button")
    until(page, lambda: not card.count(), "the card does not close", close.click)


def test_a_late_incident_of_today_opens_beside_the_list_with_its_history(page: Page, served: Served) -> None:
    incident_id, number = late_incident(served)
    enter(page, served, "dispatcher")
    page.get_by_role("link", name=number, exact=True).first.click()
    page.wait_for_url(re.compile(f"incident={incident_id}"))
    history = page.get_by_role("tabpanel").locator("tr, li").first
    until(page, history.is_visible, "no history opens", page.get_by_role("tab", name="History").click)


def addresses_of_the_menu(page: Page) -> set[str]:
    """Where the top navigation leads, the pages inside its sections too; wide enough that none is folded away."""
    page.set_viewport_size({"width": 2560, "height": 900})
    page.wait_for_timeout(500)  # the menu measures itself anew
    stands(page)
    found = {link.get_attribute("href") or "" for link in page.get_by_test_id("stTopNavLink").all()}
    sections = page.get_by_test_id("stTopNavSection").filter(visible=True)
    for name in sections.all_inner_texts():
        sections.filter(has_text=name).first.click()
        page.get_by_test_id("stTopNavDropdownLink").first.wait_for()
        found |= {link.get_attribute("href") or "" for link in page.get_by_test_id("stTopNavDropdownLink").all()}
        page.keyboard.press("Escape")
        page.get_by_test_id("stTopNavDropdownLink").first.wait_for(state="detached")
    return found - {""}


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", ("Today", "City map", "Incidents", "Verify", "New incident", "Indicators", "Oversight")),
        ("zh", ("今日", "城市地图", "案件", "核查", "案件登记", "评价指标", "监督")),
    ],
)
def test_a_supervisor_has_the_daily_pages_in_view_on_a_common_screen(
    page: Page, served: Served, language: str, names: tuple[str, ...]
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    enter(page, served, "supervisor", language=language)
    menu, head = page.get_by_test_id("stTopNav"), page.locator(".st-key-gk-head")
    stands(page)

    def fits(name: str) -> bool:
        box, most = menu.get_by_text(name, exact=True).first.bounding_box(), head.bounding_box()
        return bool(box and most) and box["x"] + box["width"] <= most["x"]

    for name in names:
        until(page, lambda name=name: fits(name), f"{name} does not fit")
    rest = menu.get_by_test_id("stTopNavSection").filter(visible=True, has_text="more")
    if rest.count():  # Streamlit's English word is not what is seen
        words = "each => [getComputedStyle(each).fontSize, getComputedStyle(each, '::after').content]"
        wanted = ["0px", {"en": '"More"', "zh": '"更多"'}[language]]
        until(page, lambda: rest.locator("p").evaluate(words) == wanted, "the English word is seen")


@pytest.mark.slow  # every page stands for every role in tests/pages; the walks here see that scripts hold
@pytest.mark.parametrize(
    "role", ["handler", "supervisor", "manager", "dispatcher", "auditor", "administrator", "planner"]
)
def test_every_page_of_every_role_opens_without_an_error(page: Page, served: Served, role: str) -> None:
    enter(page, served, role)
    addresses = sorted(addresses_of_the_menu(page))
    assert len(addresses) >= 3
    for address in addresses:
        page.goto(address if address.startswith("http") else served.url + address)
        page.locator(".gk-title h1").wait_for()
        stands(page)
        expect(page.locator("[role=alert].gk-wrong"), f"{role} at {address}").to_have_count(0)
        expect(page.locator("[data-testid=stException]"), f"{role} at {address}").to_have_count(0)


def test_a_phone_shows_the_map_first_and_its_filters_on_a_tap(page: Page, served: Served) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    enter(page, served, "manager")
    for path in ("/", "/map", "/incidents"):
        page.goto(served.url + path)
        page.locator(".gk-title h1").wait_for()
        page.wait_for_function("document.documentElement.scrollWidth <= 390")  # else wider than a phone
    page.goto(f"{served.url}/map")
    metric = page.get_by_label("Fill grids by")
    metric.wait_for(state="attached")
    expect(metric).not_to_be_visible()
    # The frame may be put anew while the page is still being drawn; then it has no box for a moment.
    frame = "document.querySelector('iframe[title*=st_folium]')"
    page.wait_for_function(f"({frame}?.getBoundingClientRect().y ?? 999) < 300")
    stands(page)
    until(page, metric.is_visible, "no filters unfold", page.locator(".gk-unfold:not(:has(:checked))").click)


def test_the_search_of_the_head_opens_an_incident_by_its_number(page: Page, served: Served) -> None:
    _, number = late_incident(served)
    enter(page, served, "dispatcher")
    page.wait_for_function("document.gkSearch")  # the key is heard once the script is there
    search = page.get_by_role("combobox", name="Search number")
    until(page, search.is_visible, "the key opens no search", lambda: page.keyboard.press("Control+k"))
    search.fill(number)
    search.press("Enter")  # at once: it goes there when the answer comes
    page.wait_for_url(re.compile(r"incident=\d+"))
    page.get_by_text(number).first.wait_for()
    page.wait_for_function("document.gkSearch")
    until(page, search.is_visible, "the key opens no search", lambda: page.keyboard.press("Control+k"))
    search.fill("no such thing")
    page.get_by_text("Nothing is called so.").wait_for()
    search.fill("50.7, -1.3")
    page.get_by_role("option", name="Coordinates").wait_for()
    page.keyboard.press("Escape")
    search.wait_for(state="hidden")
    page.goto(f"{served.url}/today")
    page.wait_for_url(f"{served.url}/")


def test_after_logging_out_the_way_back_is_the_login_page(page: Page, served: Served) -> None:
    enter(page, served, "planner")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url(re.compile("/login"))
    page.goto(f"{served.url}/map")
    page.wait_for_url(re.compile("/login"))

"""A grid manager merges cells, gives one away and moves a border, by hand on the map."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import shapely
from playwright.sync_api import expect
from sqlalchemy import create_engine, text

from tests.browser.conftest import MAP, PATIENCE_MS, Served, choose, enter, in_map, keep, open_tab, stands, until

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def ask(served: Served, statement: str) -> list[Any]:
    engine = create_engine(served.database)
    with engine.begin() as connection:
        connection.execute(text("SELECT set_config('gridkeeper.role', 'system', true)"))
        found = list(connection.execute(text(statement)).all())
    engine.dispose()
    return found


def cells(served: Served) -> list[tuple[int, str, str, Any]]:
    """Return number, code, responsibility grid and shape of the cells of the newest draft in its first community."""
    rows = ask(
        served,
        "SELECT id, code, area, ST_AsBinary(geom) FROM grid_change_cell WHERE change_id = (SELECT max(id) FROM"
        " grid_change) AND community_id = (SELECT min(community_id) FROM grid_change_cell WHERE change_id ="
        " (SELECT max(id) FROM grid_change)) ORDER BY id",
    )
    return [(row[0], row[1], row[2], shapely.from_wkb(bytes(row[3]))) for row in rows]


def side(one: Any, other: Any) -> float:
    return float(shapely.length(shapely.intersection(shapely.boundary(one), shapely.boundary(other))))


class Map:
    """The map of the draft: what is drawn on it, and clicks by place."""

    def __init__(self, page: Page, served: Served) -> None:
        self.page, self.served = page, served

    def drawn(self) -> bool:
        version = ask(self.served, "SELECT version FROM grid_change ORDER BY id DESC LIMIT 1")[0][0]
        return in_map(self.page, "window.map ? window.map.getContainer().dataset.draft : ''") == str(version)

    def show(self, lon: float, lat: float, zoom: int = 17) -> None:
        until(self.page, self.drawn, "the draft was not drawn")
        stands(self.page)
        in_map(self.page, f"void window.map.setView([{lat}, {lon}], {zoom}, {{animate: false}})")
        until(self.page, lambda: self.found(lon, lat), "the cells were not drawn")

    def found(self, lon: float, lat: float) -> bool:
        """Return whether the map knows a cell there."""
        in_map(self.page, f"void window.map.fire('mousemove', {{latlng: L.latLng({lat}, {lon})}})")
        self.page.wait_for_timeout(100)
        return bool(in_map(self.page, "GridkeeperDraft.state.hovered"))

    def click(self, lon: float, lat: float) -> None:
        at = in_map(self.page, f"(() => {{ const p = window.map.latLngToContainerPoint([{lat}, {lon}]);"
                               " return [p.x, p.y]; })()")  # fmt: skip
        self.page.frame_locator(MAP).locator("#map_div").click(position={"x": at[0], "y": at[1]})


def test_merge_give_and_move_a_border(page: Page, served: Served) -> None:
    enter(page, served, "manager")
    page.goto(f"{served.url}/draw-balance")
    stands(page)
    title = page.get_by_label("What it is for")
    until(page, title.is_visible, "no draft can be begun", page.get_by_role("button", name="New draft").click)
    keep(page, title, "By hand")
    page.get_by_role("button", name="Begin", exact=True).click()
    page.get_by_text("holds the cells of today").first.wait_for()
    stands(page)
    open_tab(page, "Share out")
    page.get_by_role("button", name="Share out", exact=True).click()
    page.get_by_text("times the mean load").wait_for()
    open_tab(page, "By hand")
    drawing = Map(page, served)

    # Two neighbours of one responsibility grid become one cell; both are clicked at once.
    before = cells(served)
    pairs = [(a, b) for a in before for b in before if a[0] < b[0] and a[2] == b[2] and side(a[3], b[3]) > 1e-4]
    one, other = pairs[len(pairs) // 2]
    places = [shapely.point_on_surface(each[3]) for each in (one, other)]
    drawing.show(*(sum(each) / 2 for each in zip(*((place.x, place.y) for place in places), strict=True)))
    for place in places:
        drawing.click(place.x, place.y)
    picked = page.get_by_text(re.compile(f"Picked: .*{one[1]}.*{other[1]}|Picked: .*{other[1]}.*{one[1]}"))
    expect(picked).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Merge the picked cells").click()
    page.get_by_text("2 cells merged.").wait_for()
    after = cells(served)
    assert len(after) == len(before) - 1

    # A cell at the edge of its responsibility grid goes to the next one; the loads stand beside it before.
    cell, home = next(
        (each, beside[2])
        for each in after
        for beside in after
        if beside[2] not in {each[2], ""} and side(each[3], beside[3]) > 1e-4 and fits(after, each, beside[2])
    )
    page.get_by_text("Give the picked cells to another grid").first.click()
    page.get_by_role("button", name="Give the picked cells to another grid").wait_for()
    place = shapely.point_on_surface(cell[3])
    drawing.show(place.x, place.y)
    drawing.click(place.x, place.y)
    expect(page.get_by_text(f"Picked: {cell[1]}")).to_be_visible(timeout=PATIENCE_MS)
    choose(page, page.get_by_role("combobox", name=re.compile("Responsibility grid")).last, home, exact=True)
    expect(page.get_by_text("Load then")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_role("button", name="Give the picked cells to another grid").click()
    page.get_by_text(f"Given to {home}.").wait_for()
    assert {each[0]: each[2] for each in cells(served)}[cell[0]] == home

    # The border of two neighbours is drawn anew, from west of the one to east of the other.
    west, east = abreast(cells(served))
    left, bottom, _, top = west[3].bounds
    right = east[3].bounds[2]
    page.get_by_text("Move the border of two cells").first.click()
    page.get_by_role("button", name="Move the border of two cells").wait_for()
    middle, hair = (bottom + top) / 2, (right - left) / 20
    drawing.show((left + right) / 2, middle)
    page.frame_locator(MAP).locator(".leaflet-draw-draw-polyline").click()
    for lon in (left - hair, (left + right) / 2, right + hair, right + hair):
        drawing.click(lon, middle)
        page.wait_for_timeout(300)
    button = page.get_by_role("button", name="Move the border of two cells")
    stands(page)
    expect(button).to_be_enabled(timeout=PATIENCE_MS)
    button.click()
    page.get_by_text("The border was moved.").wait_for()
    hands = ask(served, "SELECT count(*) FROM grid_change_border WHERE kind = 'hand'")
    assert hands[0][0] >= 1


def fits(every: list[tuple[int, str, str, Any]], cell: tuple[int, str, str, Any], home: str) -> bool:
    """Return whether both responsibility grids stay in one piece when a cell goes over."""
    rest = [each[3] for each in every if each[2] == cell[2] and each[0] != cell[0]]
    joined = [each[3] for each in every if each[2] == home] + [cell[3]]
    return bool(rest) and all(shapely.union_all(part).geom_type == "Polygon" for part in (rest, joined))


def abreast(every: list[tuple[int, str, str, Any]]) -> list[tuple[int, str, str, Any]]:
    """Return two whole squares side by side, the western first."""
    largest = max(shapely.area(each[3]) for each in every)
    whole = [each for each in every if shapely.area(each[3].envelope) < 1.15 * shapely.area(each[3])
             and shapely.area(each[3]) < 1.5 * largest and shapely.get_num_coordinates(each[3]) < 9]  # fmt: skip
    for one in whole:
        for other in whole:
            level = abs(one[3].centroid.y - other[3].centroid.y) < (one[3].bounds[3] - one[3].bounds[1]) / 4
            if (
                one[0] != other[0]
                and level
                and one[3].centroid.x < other[3].centroid.x
                and side(one[3], other[3]) > 1e-4
            ):
                return [one, other]
    raise AssertionError("no two squares stand side by side")

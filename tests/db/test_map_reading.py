"""Reading the City map: two periods compared, the table and its file, sheets and the one HTML, with hostile names."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import re

import numpy as np
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import map_classes, map_page, map_sheet, map_table, map_take
from app.map_classes import Scheme
from app.map_compare import compared
from app.map_filters import Filters
from app.map_sheet import Wanted
from app.map_view import View
from core.errors import GridkeeperError, InvalidInput
from core.identity import Role
from geodata import db
from insight.change import MORE_THAN_TWICE
from layers import overview, paper, paper_points
from layers.values import Question, cell_values
from tests.map_city import CENTRES, MapCity, add_incidents, at, make_map_city

FIRST, LAST = dt.date(2026, 6, 16), dt.date(2026, 6, 30)
EARLIER = (dt.date(2026, 6, 1), dt.date(2026, 6, 15))
HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture
def city(session: Session) -> MapCity:
    made = make_map_city(session)
    rows = [{"reported_at": at(f"2026-06-{day}")} for day in (17, 18, 19, 20, 21, 22, 23, 24) for _ in range(5)]
    rows += [{"reported_at": at("2026-06-05")}, {"reported_at": at("2026-06-20"), "half": "east"}]
    add_incidents(session, made, rows)
    session.execute(text("UPDATE area SET name = :name WHERE level = 'community'"), {"name": HOSTILE})
    session.execute(
        text("UPDATE unit_grid SET code = :code WHERE id = :id"),
        {"code": "=HYPERLINK(1)</script><b>", "id": made.cells["west"]},
    )
    return made


def view_of(session: Session, city: MapCity, **more: object) -> View:
    actor = city.officer(Role.DISPATCHER)
    db.as_actor(session, actor)
    wanted = {
        "days": 0, "first": FIRST, "last": LAST, "categories": None, "status": "all", "metric": "reported",
        "layers": ("grids", "incidents"), "colour_by": "status",
    } | more  # fmt: skip
    filters = Filters(**wanted)  # type: ignore[arg-type]
    change = None
    if filters.earlier is not None:
        change = compared(session, actor, filters.question(), filters.earlier, filters.level)
    found = change.values if change else cell_values(session, actor, filters.question())
    drawn = map_classes.painted(found, filters.metric, filters.scheme)
    return View(actor, city.territory, filters, {}, found, drawn, change, None)


@pytest.mark.parametrize("level", ["cell", "community", "responsibility"])
def test_a_rise_is_found_in_places_of_each_size(session: Session, city: MapCity, level: str) -> None:
    view = view_of(session, city, earlier=EARLIER, level=level)
    assert view.compared is not None
    if level == "responsibility":
        assert view.compared.change.clear == 0, "there are none here, and nothing breaks"
        return
    west = view.found.values[city.cells["west"] - view.found.first_id]
    assert west == MORE_THAN_TWICE
    assert view.compared.change.clear == 1
    assert int(view.compared.after.sum()) == 41


def test_periods_that_share_days_are_refused(session: Session, city: MapCity) -> None:
    with pytest.raises(InvalidInput, match="share days"):
        view_of(session, city, earlier=(FIRST, FIRST), level="cell")


def test_the_table_holds_what_the_map_shows_and_no_formula(session: Session, city: MapCity) -> None:
    view = view_of(session, city)
    rows = map_table.sorted_rows(map_table.rows_of(session, view.actor, view.filters, view.found), "value", {})
    assert rows.values.tolist() == [40, 1]
    assert rows.grid_id[0] == city.cells["west"]
    names = overview.grid_names(session, rows.grid_id.tolist())
    file = map_table.table_csv(view.filters, rows, names).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(file)))
    assert lines[1][0] == "'=HYPERLINK(1)</script><b>", "a code that begins like a formula is a text"
    assert lines[1][2] == "40"
    assert not any(re.match(r"[=+@\t]", cell) for line in lines for cell in line)
    by_code = map_table.sorted_rows(rows, "code", names)
    assert sorted(by_code.grid_id.tolist()) == sorted(rows.grid_id.tolist())


@pytest.mark.parametrize("more", [{}, {"earlier": EARLIER, "level": "community"}, {"scheme": Scheme("jenks", 3)}])
@pytest.mark.parametrize("kind", ["territory", "street"])
def test_a_sheet_has_scale_north_legend_source_and_date(
    session: Session, city: MapCity, kind: str, more: dict[str, object]
) -> None:
    view = view_of(session, city, **more)
    wanted = Wanted(kind, city.cells["west"], HOSTILE, map_take.told(view), view.notes())
    page = map_sheet.html(session, view, wanted)
    for expected in (" m</text>", ">N</text>", "gk-legend", "OpenStreetMap", "16 Jun 2026", "Map City"):
        assert expected in page
    assert "<img src=x" not in page
    assert "<script" not in page


def test_single_incidents_stand_on_a_street_sheet_for_those_who_see_them(session: Session, city: MapCity) -> None:
    view = view_of(session, city)
    street = Wanted("street", city.cells["west"], "Map", map_take.told(view), view.notes())
    page = map_sheet.html(session, view, street)
    assert 'id="incidents"' in page
    assert "Incidents by status" in page
    assert page.count("OpenStreetMap") == 1, "the source is told once"
    assert "today " not in page.split("<footer>")[1], "a sheet tells its day in full"
    assert map_sheet.html(session, view_of(session, city, status="closed"), street).count('id="incidents"') == 0
    planner = view_of(session, city)
    planner = dataclasses.replace(planner, actor=city.officer(Role.PLANNER))
    assert 'id="incidents"' not in map_sheet.html(session, planner, street)


def test_too_many_incidents_are_said_and_not_drawn(
    session: Session, city: MapCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper_points, "MOST", 5)
    view = view_of(session, city)
    page = map_sheet.html(session, view, Wanted("street", city.cells["west"], "Map", map_take.told(view), []))
    assert 'id="incidents"' not in page
    assert "single ones are left out" in page


def test_only_what_lies_on_the_sheet_is_read(session: Session, city: MapCity) -> None:
    view = view_of(session, city)
    lon, lat = CENTRES["west"]

    def read(west: float, question: Question) -> int:
        box = (west, lat - 0.001, west + 0.002, lat + 0.001)
        night = dt.datetime.combine(LAST + dt.timedelta(days=1), dt.time(), dt.UTC)
        found = paper_points.read_points(session, view.actor, question, city.territory.metric_srid, box, night)
        return -1 if found is None else len(found)

    whole = view.filters.counted()
    assert read(lon - 0.001, whole) == 40
    assert read(lon + 0.0002, whole) == 0, "another part of the same grid"
    assert read(lon - 0.001, dataclasses.replace(whole, status="closed")) == 0


def test_a_place_without_a_chinese_name_has_that_of_its_community(session: Session, city: MapCity) -> None:
    session.execute(text("UPDATE area SET name = 'Mapton', name_zh = '图镇' WHERE level = 'community'"))
    territory = city.territory
    ground = paper.read_ground(session, territory.id, territory.metric_srid, territory.bounds, fine=False)
    assert [row[:3] for row in ground.places] == [("town", "Mapton", "图镇")]


def test_the_one_html_holds_everything_and_no_address(session: Session, city: MapCity) -> None:
    view = view_of(session, city)
    wanted = Wanted("territory", None, HOSTILE, map_take.told(view), view.notes())
    page = map_page.page(session, view, wanted)
    outside = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)
    assert "<script src" not in page
    assert "/assets/" not in outside
    assert "<link" not in outside
    assert "<img src=x" not in page
    assert "</script>" not in outside, "no name ends a script"
    assert HOSTILE not in page
    assert "L.map(" in page
    with pytest.raises(GridkeeperError, match="may not name"):
        map_page.inlined('<script src="https://cdn.example/x.js"></script>')


def test_own_breaks_fill_the_map_and_its_legend(session: Session, city: MapCity) -> None:
    view = view_of(session, city, scheme=Scheme("manual", 5, "10, 50", "greys"))
    assert view.drawn.edges == (1, 10, 50)
    pushed = view.drawn.push()
    assert pushed is not None
    assert len(pushed["colours"]) == len(pushed["edges"])
    labels = [item.label for item in view.legends()[0].items]
    assert labels[1:] == ["1–9", "10–49", "50+"]
    assert view_of(session, city).drawn.push() is None
    assert view_of(session, city, scheme=Scheme("manual", 5, "nonsense")).drawn.push() is None
    assert np.isfinite(view.found.values).any()

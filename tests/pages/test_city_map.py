"""The city map as each role and in both languages finds it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from streamlit.testing.v1 import AppTest

from app import guard, i18n
from core.clock import now
from core.identity import Role, system_actor
from geodata import db
from tests.map_city import MapCity, add_incidents, make_map_city

PAGE = Path(__file__).resolve().parents[2] / "app" / "views" / "city_map.py"


@pytest.fixture(scope="module")
def city(database: Engine) -> MapCity:
    with db.transaction(system_actor()) as session:
        made = make_map_city(session)
        add_incidents(session, made, [{"reported_at": now()}, {"reported_at": now(), "code": "order"}])
    return made


def run(
    city: MapCity,
    monkeypatch: pytest.MonkeyPatch,
    role: Role = Role.DISPATCHER,
    *,
    language: str = "en",
    **query: str,
) -> AppTest:
    monkeypatch.setattr(guard, "current_actor", lambda: city.officer(role))
    page = AppTest.from_file(PAGE, default_timeout=300)
    page.session_state[i18n.SESSION_KEY] = language
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def words(page: AppTest) -> str:
    return " ".join(block.body for block in page.get("html"))


def test_an_unclicked_map_says_what_to_do(city: MapCity, monkeypatch: pytest.MonkeyPatch) -> None:
    page = run(city, monkeypatch)
    shown = words(page)
    assert "Click a grid on the map." in shown
    assert "2 incidents counted" in shown
    assert "/incidents?days=90&amp;status=open%2Cclosed" in shown, "the numbers lead to their rows"
    assert f"/map?grid={city.cells['west']}" in shown, "the grids with the highest values lead to their cards"
    assert "OpenStreetMap contributors" in shown


def test_the_address_of_a_grid_opens_its_card(city: MapCity, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = words(run(city, monkeypatch, grid=str(city.cells["west"])))
    for expected in ("Westend", "2 reports in 90 days", "500", "School 1", f"/incidents?grid={city.cells['west']}"):
        assert expected in shown


@pytest.mark.parametrize("grid", ["999999", "x", "-1", "99999999999999"])
def test_a_grid_that_is_not_there(city: MapCity, monkeypatch: pytest.MonkeyPatch, grid: str) -> None:
    shown = words(run(city, monkeypatch, grid=grid))
    assert "does not exist" in shown or "Click a grid" in shown


def test_an_address_says_which_layers_and_what_fills_the_grids(city: MapCity, monkeypatch: pytest.MonkeyPatch) -> None:
    page = run(city, monkeypatch, layers="facilities,nonsense", metric="per_1000")
    assert "Health and care" in words(page)
    assert box(page, "Fill grids by").value == "per_1000"  # type: ignore[attr-defined]


def test_filters_change_what_is_counted(city: MapCity, monkeypatch: pytest.MonkeyPatch) -> None:
    page = run(city, monkeypatch)
    page.multiselect[0].select("event-05").run()
    assert "1 incident counted" in words(page)
    box(page, "Status").select("closed").run()
    assert "0 incidents counted" in words(page)
    box(page, "Fill grids by").select("per_1000").run()
    assert "Too few people" in words(page)
    box(page, "Reported in").select(0).run()
    assert not page.exception
    assert page.date_input


def box(page: AppTest, label: str) -> object:
    return next(found for found in page.selectbox if found.label == label)


def test_every_metric_has_its_legend(city: MapCity, monkeypatch: pytest.MonkeyPatch) -> None:
    page = run(city, monkeypatch)
    for metric in ("open", "overdue", "median_days"):
        box(page, "Fill grids by").select(metric).run()
        assert not page.exception


def test_a_day_of_the_past_is_not_filled_by_the_traffic_of_today(
    city: MapCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = run(city, monkeypatch, on=(now().date() - dt.timedelta(days=3)).isoformat(), metric="rush")
    filled = box(page, "Fill grids by")
    assert "Open then" in filled.options  # type: ignore[attr-defined]
    assert not any("Congestion" in each for each in filled.options)  # type: ignore[attr-defined]
    assert filled.value == "reported"  # type: ignore[attr-defined]


def test_a_planner_is_not_asked_about_single_incidents(city: MapCity, monkeypatch: pytest.MonkeyPatch) -> None:
    page = run(city, monkeypatch, Role.PLANNER, grid=str(city.cells["west"]))
    assert "Late now" not in box(page, "Fill grids by").options
    assert "Incidents of this grid" not in words(page)
    assert "Incidents by status" not in words(page)


def test_the_same_page_in_chinese(city: MapCity, monkeypatch: pytest.MonkeyPatch) -> None:
    page = run(city, monkeypatch, language="zh", grid=str(city.cells["west"]))
    shown = words(page)
    for expected in ("城市地图", "共计 2 件案件", "90 天内上报 2 件", "街面秩序"):
        assert expected in shown
    labels = [found.label for found in page.selectbox]
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in label) for label in labels)


def test_a_territory_without_grids_says_what_is_missing(city: MapCity, monkeypatch: pytest.MonkeyPatch) -> None:
    with db.transaction(system_actor(city.territory.id)) as session:
        session.execute(text("UPDATE unit_grid SET ended_on = CURRENT_DATE"))
    assert "There are no grids yet." in words(run(city, monkeypatch))


@pytest.mark.parametrize(
    "query",
    [
        {"on": "0001-01-01", "grid": "²", "place": "999.5,12.5"},
        {"on": "9999-12-31", "grid": "٣", "place": "12.5,99.9"},
        {"on": "1900-01-01", "place": "<script>"},
    ],
)
def test_nonsense_in_the_address_shows_the_map(
    city: MapCity, monkeypatch: pytest.MonkeyPatch, query: dict[str, str]
) -> None:
    run(city, monkeypatch, **query)

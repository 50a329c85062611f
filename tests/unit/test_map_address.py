"""What the page pushes into the map is complete and can be understood by the routes."""

from __future__ import annotations

import datetime as dt
import json

from starlette.datastructures import QueryParams

from app import maps
from app.api.values import question_of
from core.identity import Actor, Role
from geodata.territory import TerritoryInfo
from layers.values import EPOCH, Question

TERRITORY = TerritoryInfo(
    id=3,
    name="x",
    title_en="X",
    title_zh="某市",
    metric_srid=32630,
    code_scheme="local",
    timezone="Europe/London",
    bounds=(-1.6, 50.5, -1.0, 50.8),
    opens=(-1.3, 50.7, 14),
)
QUESTION = Question("open", dt.date(2026, 1, 1), dt.date(2026, 3, 1), ("b", "a"), "closed")


def test_the_push_names_addresses_that_mean_the_same() -> None:
    state = maps.MapState(QUESTION, QUESTION, {"grids": True, "incidents": True}, selected=5)
    push = state.push()
    asked = question_of(QueryParams(push["values"].partition("?")[2]))
    assert (asked.metric, asked.first, asked.last, asked.status) == ("open", QUESTION.first, QUESTION.last, "closed")
    assert asked.categories == ("a", "b")
    assert push["filter"]["first"] == (QUESTION.first - EPOCH).days
    assert push["selected"] == 5
    assert json.loads(maps.script_json(push))["visible"] == {"grids": True, "incidents": True}


def test_the_script_of_a_map_does_not_change_with_the_filter() -> None:
    actor = Actor(1, "x", Role.DISPATCHER, 3)
    scripts = set()
    for _ in range(2):
        drawn = maps.city_map(TERRITORY, maps.map_settings(TERRITORY, actor, {"a": "A"}, island=True))
        drawn.get_root().render()
        identity = drawn.get_name()
        scripts.add(drawn.get_root().script.render().replace(identity, "map"))
    assert len(scripts) == 1


def test_a_planner_gets_no_points() -> None:
    for role, points in ((Role.PLANNER, False), (Role.DISPATCHER, True)):
        settings = maps.map_settings(TERRITORY, Actor(1, "x", role, 3), {}, island=False)
        assert settings["points"] is points
        assert "OpenStreetMap contributors" in settings["attribution"]

"""The page Access as each role, in both languages: sentence, numbers, communities, evenness, norms."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text as sql

from app.access_work import answer_access
from core.identity import Role, system_actor
from core.progress import Silent
from geodata import db, usual_speeds
from geodata.territory import find_territory
from planning import accessing
from planning.access_model import AccessQuestion
from planning.layer_model import Growth
from tests.pages.conftest import words

READERS = [Role.PLANNER, Role.GRID_MANAGER, Role.SUPERVISOR, Role.AUDITOR]


def answer(actors, question):
    planner = actors[Role.PLANNER]
    with db.transaction(planner) as session:
        row = accessing.ask(session, planner, find_territory(session), question, queue=False)
    answer_access(planner, row.id, Silent())


def raw(page):
    return "".join(element.proto.body for element in page.get("html"))


@pytest.fixture(scope="module")
def answered(actors) -> None:
    answer(actors, AccessQuestion(("library",), "walk", 5.0))


@pytest.mark.parametrize("role", READERS)
def test_the_sentence_comes_first_and_numbers_lead_to_their_rows(run, answered, role):
    page = run("access", role, facility="library", minutes="5")
    text = words(page)
    assert re.search(r"[\d.]+ % of [\d,]+ people reach the nearest “Library” within 5 min on foot; [\d,]+ do not", text)
    assert "Half of them within" in text
    assert "tenth with most" in text
    assert "community health station" in text
    assert "counted as not reaching it, never left out" in text
    assert ("Set a norm" in [each.label for each in page.expander]) == (role is Role.PLANNER)
    link = re.search(r"/access\?facility=library&amp;mode=walk&amp;minutes=5&amp;community=(\d+)", raw(page))
    assert "/map?grid=" in raw(run("access", role, facility="library", minutes="5", community=link[1]))


def test_in_chinese(run, answered):
    text = words(run("access", Role.PLANNER, "zh", facility="library", minutes="5"))
    assert re.search(r"[\d,]+ 人中有 [\d.]+% 能在 5 分钟内步行到达最近的“图书馆”", text)
    assert "基尼系数" in text
    assert not re.search("people reach|Half of them|Shipped norms", text)


def test_what_was_never_asked_is_asked_at_once_and_what_is_not_there_is_said(run, actors):
    assert not run("access", Role.PLANNER, facility="school").exception
    with db.transaction(actors[Role.PLANNER]) as session:
        row = accessing.find(session, actors[Role.PLANNER], find_territory(session), AccessQuestion(("school",)))
    assert (row.state, row.job_id is not None) == ("asked", True)
    answer(actors, AccessQuestion(("fuel",), "drive", 10.0))
    text = words(run("access", Role.AUDITOR, facility="fuel", mode="drive", minutes="10"))
    assert re.search(r"There is no “Fuel station” here|by car", text)


def test_a_basket_says_how_many_kinds(run, actors):
    answer(actors, AccessQuestion(("library", "hospital"), "walk", 5.0, growth=Growth(1.0, 10)))
    page = run("access", Role.PLANNER, facility="library,hospital", minutes="5", growth="1x10")
    text = words(page)
    assert "one of each of 2 kinds" in text
    assert "Nothing to share out." in text or "the kinds in reach of them" in text
    assert "/access?facility=hospital&amp;mode=walk&amp;minutes=5&amp;growth=1x10" in raw(page), "the same people"


def test_others_have_no_such_page(run):
    with pytest.raises(ValueError, match="navigation page"):
        run("access", Role.DISPATCHER)


def test_the_places_of_a_matrix_are_listed_and_who_only_reads_brings_none(run) -> None:
    page = run("access", Role.PLANNER, facility="library", mode="walk", minutes="10")
    ways = next(each for each in page.selectbox if each.label == "Ways")
    ways.set_value(-1).run()
    assert not page.exception
    text = words(page)
    assert "Seconds, a row for each of" in text
    assert "An empty cell: no way." in text
    page = run("access", Role.AUDITOR, facility="library", mode="walk", minutes="10")
    assert not [each for each in page.selectbox if each.label == "Ways"]


def test_cars_may_go_by_the_speeds_of_an_hour(run, actors) -> None:
    with db.transaction(system_actor()) as session:
        session.execute(
            sql(
                "INSERT INTO traffic_hour (territory_id, road_id, hour_at, way, kmh, readings, source)"
                " SELECT territory_id, id, date_trunc('day', now()) - make_interval(days => back), 0, 9, 3, 'test cars'"
                " FROM road, generate_series(1, 7) AS back WHERE drivable"
            )
        )
        hour = min(usual_speeds.hours_known(session, find_territory(session).id, find_territory(session).timezone))
    answer(actors, AccessQuestion(("library",), "drive", 5.0, hour=hour))
    asked = {"facility": "library", "mode": "drive", "minutes": "5", "hour": str(hour)}
    page = run("access", Role.AUDITOR, **asked)
    said = words(page)
    assert f"by car at the speeds of {hour}:00" in said
    assert "At the speeds that the roads allow it would be" in said
    assert [each.value for each in page.selectbox if each.label == "How fast cars go"] == [hour]
    assert f"按 {hour}:00 实测车速驾车" in words(run("access", Role.PLANNER, "zh", **asked))
    on_foot = run("access", Role.AUDITOR, **(asked | {"mode": "walk"}))
    assert "How fast cars go" not in [each.label for each in on_foot.selectbox]

"""Congestion by grid and hour, works on the map, and ways by the usual speeds of an hour."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from app import access_words, study_kind_words
from app.map_filters import Filters
from app.map_table import said
from core.clock import now
from core.errors import InvalidInput, NotFound
from core.identity import Role, system_actor
from dispatch import closures, store_past
from dispatch.past_model import Usual
from dispatch.street_names import street_named
from geodata import db
from geodata.bulk import copy_rows
from geodata.roads import network_of
from geodata.usual_speeds import hours_known, network_at
from layers import congestion_cells, values
from layers.congestion_cells import EDGES
from layers.congestion_hours import SCALE, congestion_hours
from layers.legend import metric_legend
from layers.values import Question, cell_values
from planning import accessing, reach, service
from planning import model as study
from planning.access_model import AccessQuestion
from planning.terms import Terms
from tests.map_city import MapCity, make_map_city

NOON = dt.datetime(2026, 6, 17, 11, tzinfo=dt.UTC)
"""12:00 in London, a Wednesday."""
SPAN = {"first": dt.date(2026, 6, 1), "last": dt.date(2026, 6, 30)}


@pytest.fixture
def city(session: Session) -> MapCity:
    made = make_map_city(session)
    road = session.scalar(text("SELECT id FROM road WHERE territory_id = :id"), {"id": made.territory.id})
    hours = tuple(25.0 if hour == 12 else 20.0 if hour == 17 else None if hour < 5 else 50.0 for hour in range(24))
    usual = Usual(road, 50.0, hours, 2.5, None, None, 5, "test cars")
    store_past.replace_usual(session, made.territory.id, [usual], NOON)
    keys = np.array([
        (road, int((NOON - dt.timedelta(days=back)).timestamp()) // 3600, 0) for back in range(1, 8)
    ])  # fmt: skip
    kmh = np.array([20.0 if (NOON - dt.timedelta(days=back)).weekday() < 5 else 50.0 for back in range(1, 8)])
    store_past.add_hours(session, made.territory.id, keys, kmh, np.ones(7, np.int64), "test cars")
    return made


def value(session: Session, city: MapCity, metric: str, by: str = "cell") -> np.ndarray:
    actor = city.officer(Role.PLANNER)
    db.as_actor(session, actor)
    return cell_values(session, actor, Question(metric, by=by, **SPAN), now=NOON).values


def test_a_cell_is_congested_as_its_roads_are(session: Session, city: MapCity) -> None:
    at_noon, rush = value(session, city, "congestion"), value(session, city, "rush")
    assert sorted(set(np.round(at_noon[np.isfinite(at_noon)], 4).tolist())) == [0, 2]
    assert np.nanmax(rush) == pytest.approx(2.5)
    on_road = int((at_noon == 2).sum())
    assert on_road >= 8, "the street runs through the whole city"
    by_community = value(session, city, "congestion", "community")
    assert np.round(by_community[np.isfinite(by_community)], 4).tolist() == [2, 2]


def test_hours_are_one_answer_for_the_playback(session: Session, city: MapCity) -> None:
    actor = city.officer(Role.PLANNER)
    db.as_actor(session, actor)
    found = congestion_hours(session, actor)
    assert found.count == 24
    assert set(found.frame.tolist()) == set(range(5, 24)), "an hour without a reading has no value"
    assert set(found.counts[found.frame == 17].tolist()) == {round(2.5 * SCALE)}
    assert found.edges == EDGES
    assert b'"frames":24' in found.encoded()


def test_what_was_not_measured_is_said_and_not_drawn_as_free() -> None:
    assert metric_legend("congestion", EDGES).items[0].label == "No speed measured"
    filters = Filters(90, SPAN["first"], SPAN["last"], None, "all", "congestion", ("grids",), "status")
    assert said(filters, 0.0) == "no data"
    assert said(filters, 1.25) == "1.25"


def test_a_study_may_go_by_the_speeds_of_an_hour(
    session: Session, city: MapCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = system_actor(city.territory.id)
    db.as_actor(session, actor)
    free = network_of(session, city.territory, "drive")
    noon = network_at(session, city.territory, "drive", 12, moment=NOON)
    assert noon.forward_s == pytest.approx(free.forward_s * 2.5), "weekdays alone: 50 on the weekend does not count"
    assert network_at(session, city.territory, "drive", 12, moment=NOON) is noon, "kept"
    assert network_at(session, city.territory, "walk", 12, moment=NOON) is network_of(session, city.territory, "walk")
    assert hours_known(session, city.territory.id, city.territory.timezone, moment=NOON) == {12: 1}
    for wrong in (3, 25):
        with pytest.raises(InvalidInput):
            network_at(session, city.territory, "drive", wrong, moment=NOON)
    with pytest.raises(InvalidInput, match="no hour"):
        Terms(hour=24)
    for hour in (0, 12):
        assert Terms.of_json(Terms(hour=hour).as_json()) == Terms(hour=hour)
    asked = study.Question("p-median", 1, mode="drive", terms=Terms(hour=12))
    monkeypatch.setattr("geodata.usual_speeds.clock_now", lambda: NOON)
    assert service._streets(session, city.territory, asked) is noon
    assert any("12:00" in line for line in study_kind_words.terms(asked))


def test_works_slow_a_street_for_their_time_and_stand_on_the_map(session: Session, city: MapCity) -> None:
    actor = city.officer(Role.DISPATCHER)
    db.as_actor(session, actor)
    at = now()
    begins, ends = at + dt.timedelta(hours=2), at + dt.timedelta(hours=8)
    made = closures.close_street(
        session, actor, city.territory, "high street", from_at=begins, to_at=ends, reason="<b>pipes</b>", speed_kmh=10,
        moment=at,
    )  # fmt: skip
    assert [each.speed_kmh for each in made] == [10]
    during = begins + dt.timedelta(hours=1)
    now_s = closures.network_now(session, city.territory, "drive", at).forward_s
    then_s = closures.network_now(session, city.territory, "drive", during).forward_s
    after_s = closures.network_now(session, city.territory, "drive", ends).forward_s
    assert np.isfinite(then_s).all()
    assert then_s.max() == pytest.approx(now_s.max() * 5)
    assert (after_s == now_s).all()
    for wrong in (0, 2, 121):
        with pytest.raises(InvalidInput, match="no speed past works"):
            closures.close_street(session, actor, city.territory, "high street", speed_kmh=wrong)


def _lanes(session: Session, city: MapCity, **lanes: tuple[float, float]) -> None:
    """Lay short lanes by name_number: longitude at both ends, south of the High Street."""
    count = len(lanes)
    copy_rows(session, "road", {
        "territory_id": [city.territory.id] * count, "source": ["test"] * count, "piece": [0] * count,
        "source_ref": [f"lane-{each}" for each in lanes], "from_node": list(range(10, 10 + count)),
        "to_node": list(range(50, 50 + count)), "road_class": ["residential"] * count,
        "name": [each.split("_")[0].title() + " Lane" for each in lanes], "limit_kmh": [50.0] * count,
        "speed_kmh": [50.0] * count, "oneway": [0] * count, "drivable": [True] * count, "walkable": [True] * count,
        "length_m": [200.0] * count,
        "geom": [shapely.LineString([(one, 50.685), (other, 50.685)]) for one, other in lanes.values()],
    })  # fmt: skip


def test_a_name_that_several_places_have_says_which_street_is_meant(session: Session, city: MapCity) -> None:
    lanes = {"church_1": (-1.311, -1.309), "church_2": (-1.306, -1.304), "church_3": (-1.271, -1.269),
             "mill_1": (-1.311, -1.309), "mill_2": (-1.301, -1.299)}  # fmt: skip
    _lanes(session, city, **lanes)
    actor = city.officer(Role.DISPATCHER)
    db.as_actor(session, actor)

    def named(name: str) -> tuple[str, list[float]]:
        title, found = street_named(session, city.territory, name)
        return title, sorted(each.line.coords[0][0] for each in found)

    with pytest.raises(InvalidInput) as asked:
        closures.close_street(session, actor, city.territory, "church lane")
    assert "There is one in Westend, Eastend." in str(asked.value)
    assert "Church Lane, Westend" in asked.value.hint
    assert "地图城、Eastend" in asked.value.zh
    assert closures.list_closures(session, actor) == [], "nothing is closed by a guess"
    assert named("church lane, eastend") == ("Church Lane, Eastend", [-1.271])
    assert named("Church Lane，地图城") == ("Church Lane, Westend", [-1.311, -1.306]), "a gap is no other street"
    assert named("mill lane") == ("Mill Lane", [-1.311, -1.301]), "nothing would tell them apart"
    assert named("high street, westend")[0] == "High Street"
    for wrong, error in (("church lane, elsewhere", InvalidInput), (", eastend", NotFound), ("no lane", NotFound)):
        with pytest.raises(error):
            named(wrong)
    made = closures.close_street(session, actor, city.territory, "church lane, eastend", speed_kmh=10)
    assert [(each.name, each.stretches) for each in made] == [("Church Lane, Eastend", 1)]


def test_speeds_of_an_hour_are_of_cars_on_streets() -> None:
    for other in ({"mode": "walk"}, {"mode": "drive", "terms": Terms(hour=8, matrix=1)}):
        with pytest.raises(InvalidInput, match="cars on streets"):
            study.Question("p-median", 1, **({"terms": Terms(hour=8)} | other))


def test_congestion_at_this_hour_is_not_kept_over_a_half_hour_of_another_zone(
    city: MapCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values.versions, "connected", True)
    keys = []
    for minute in (20, 40):
        monkeypatch.setattr(values.clock, "now", lambda minute=minute: NOON.replace(minute=minute))
        keys.append(values.values_key(city.officer(Role.PLANNER), Question("congestion", **SPAN)))
    assert keys[0] != keys[1]


def test_new_speeds_do_not_ask_anew_where_the_roads_run(
    session: Session, city: MapCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(values.versions, "connected", True)
    asked: list[int] = []
    read = congestion_cells._read_parts
    monkeypatch.setattr(congestion_cells, "_read_parts", lambda *given: (asked.append(given[1]), read(*given))[1])
    assert np.nanmax(value(session, city, "rush")) == pytest.approx(2.5)
    db.as_actor(session, system_actor(city.territory.id))
    session.execute(text("UPDATE road_speed SET free_kmh = 100 WHERE territory_id = :id"), {"id": city.territory.id})
    values.versions.changed(f"{city.territory.id}:traffic")
    assert np.nanmax(value(session, city, "rush")) == pytest.approx(5)
    assert asked == [city.territory.id]
    values.versions.changed(f"{city.territory.id}:roads")
    assert np.nanmax(value(session, city, "rush")) == pytest.approx(5)
    assert asked == [city.territory.id] * 2


def test_access_may_go_by_the_speeds_of_an_hour(
    session: Session, city: MapCity, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = system_actor(city.territory.id)
    db.as_actor(session, actor)
    monkeypatch.setattr("geodata.usual_speeds.clock_now", lambda: NOON)
    for wrong in ({"mode": "walk"}, {"mode": "drive", "matrix_id": 1}, {"mode": "drive", "hour": 24}):
        with pytest.raises(InvalidInput, match="hour"):
            AccessQuestion(("school",), **({"hour": 12} | wrong))
    asked = AccessQuestion(("school",), "drive", 5.0, hour=12)
    assert asked.key != dataclasses.replace(asked, hour=None).key
    row = accessing.ask(session, actor, city.territory, asked, queue=False)
    assert row.question == asked
    far = session.execute(text("SELECT ST_X(ST_EndPoint(geom)), ST_Y(ST_EndPoint(geom)) FROM road"
                               " WHERE territory_id = :id LIMIT 1"), {"id": city.territory.id}).one()  # fmt: skip
    session.execute(text("UPDATE facility SET geom = ST_SetSRID(ST_Point(:x, :y), 4326) WHERE kind = 'school'"),
                    {"x": far[0], "y": far[1]})  # fmt: skip
    found = reach.measure(*accessing.read_city(session, actor, row.id))
    free = reach.measure(*(accessing.read_city(session, actor, accessing.ask(
        session, actor, city.territory, dataclasses.replace(asked, hour=None), queue=False).id)))  # fmt: skip
    assert free.facts["allowed"] is None
    assert found.facts["allowed"]["median_s"] == free.facts["now"]["median_s"] < found.facts["now"]["median_s"]
    assert found.facts["allowed"]["within"] == free.facts["now"]["within"]
    accessing.keep_answer(session, actor, row.id, found)
    kept = accessing.get(session, actor, row.id)
    assert kept.fresh
    assert "by car at the speeds of 12:00" in access_words.sentence(kept, {})
    assert access_words.hurry(kept).startswith("At the speeds that the roads allow")
    assert any("12:00 of the last 28 days" in line for line in access_words.rests_on(kept, ""))
    monkeypatch.setattr("planning.store_access.now", lambda: now() + dt.timedelta(days=2))
    assert not accessing.get(session, actor, row.id).fresh, "speeds come in every day"

"""Demand, candidates and catchments: nobody is lost, nothing stands in the water, grounds do not overlap."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from planning.candidates import PLOT_HALF_M, ROADSIDE_M, Land, free_plots, road_half_width_m, spread_candidates
from planning.catchments import REACH_M, catchments
from planning.demand import gather

TOWN = shapely.box(0, 0, 4000, 4000)


@given(seed=st.integers(0, 10**6), most=st.integers(1, 80))
def test_gathering_keeps_everybody_and_names_real_places(seed: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.integers(0, 30, (60, 2)) * 100.123 + 621_000.7
    people = rng.integers(0, 4, 60).astype(float)
    found = gather(places, people, most)
    assert len(found.at) <= most
    assert found.people.sum() == pytest.approx(people.sum())
    assert (found.owner[people == 0] == -1).all()
    if len(found.at):
        assert (people[found.at] > 0).all()
        sums = np.bincount(found.owner[people > 0], weights=people[people > 0], minlength=len(found.at))
        assert sums == pytest.approx(found.people)
        away = np.hypot(*(places[people > 0] - places[found.at[found.owner[people > 0]]]).T)
        assert found.mean_shift_m == pytest.approx(float(np.average(away, weights=people[people > 0])))


def test_enough_points_move_nobody() -> None:
    places = np.array([[0.0, 0.0], [500.0, 0.0], [500.0, 0.0], [0.0, 900.0]])
    found = gather(places, np.ones(4), 10)
    assert (len(found.at), found.mean_shift_m) == (3, 0.0)


@pytest.fixture(scope="module")
def land() -> Land:
    """A road across the town, houses along it, a lake, a wood and a brook."""
    houses = [shapely.box(x, 2030, x + 12, 2045) for x in range(0, 4000, 60)]
    lake = shapely.box(500, 1500, 900, 2400)
    wood = shapely.box(2000, 2000, 2600, 3000)
    return Land(
        taken=np.array([*houses, lake, wood], dtype=object),
        waterways=np.array([shapely.LineString([(3000, 0), (3000, 4000)])], dtype=object),
        roads=np.array(
            [shapely.LineString([(0, 2000), (4000, 2000)]), shapely.LineString([(1500, 0), (1500, 4000)])], dtype=object
        ),
        road_classes=["primary", "footway"],
        drivable=np.array([True, False]),
        boundary=TOWN,
    )


def homes() -> np.ndarray:
    return np.column_stack([np.arange(6.0, 4000, 60), np.full(67, 2037.0)])


def test_plots_are_free_and_beside_a_road_for_cars(land: Land) -> None:
    plots = shapely.points(free_plots(land, homes()))
    assert len(plots) > 100
    assert shapely.contains(TOWN, plots).all()
    for taken in (*land.taken, *land.waterways):
        assert (shapely.distance(plots, taken) >= PLOT_HALF_M).all()
    for road, name in zip(land.roads, land.road_classes, strict=True):
        assert (shapely.distance(plots, road) >= PLOT_HALF_M + road_half_width_m(name)).all()
    assert (shapely.distance(plots, land.roads[0]) <= ROADSIDE_M).all(), "the footway is no road to build at"


def test_a_town_without_roads_or_homes_has_no_plots(land: Land) -> None:
    assert free_plots(land, np.empty((0, 2))).shape == (0, 2)


def test_candidates_differ_and_follow_people(land: Land) -> None:
    plots = free_plots(land, homes())
    people = np.where(homes()[:, 0] < 400, 100.0, 1.0)
    chosen = spread_candidates(plots, homes(), people, 20)
    assert len(set(chosen.tolist())) == len(chosen) <= 20
    assert (plots[chosen][:, 0] < 500).sum() >= 4
    assert len(spread_candidates(plots[:7], homes(), people, 20)) == 7


@given(seed=st.integers(0, 10**6))
@example(seed=1160)  # a ground that the union lost in floats
def test_catchments_hold_their_own_points_and_do_not_overlap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    places = rng.random((40, 2)) * 4000
    groups = rng.integers(-1, 3, 40)
    found = catchments(places, groups, TOWN)
    assert set(found) == set(groups.tolist())
    for group, shape in found.items():
        assert shape.is_valid
        assert TOWN.buffer(1).contains(shape)
        own = shapely.points(places[groups == group])
        assert (shapely.distance(own, shape) <= 25).all()
        assert shapely.hausdorff_distance(shape, shapely.union_all(own)) <= REACH_M * 1.5 + 25
    whole = sum(shape.area for shape in found.values())
    assert shapely.union_all(list(found.values())).area == pytest.approx(whole, rel=0.02)


def test_one_place_alone_has_a_round_catchment() -> None:
    found = catchments(np.array([[2000.0, 2000.0]]), np.array([1]), TOWN)
    assert found[1].area == pytest.approx(np.pi * REACH_M**2, rel=0.05)
    assert catchments(np.empty((0, 2)), np.empty(0, dtype=np.int64), TOWN) == {}

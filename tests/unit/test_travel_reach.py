"""Isochrones and catchments on roads: lengths known by hand, and equal to times asked point by point."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geodata.crs import project
from geodata.network import Snapped, build_network
from geodata.travel import matrix_s
from geodata.travel_reach import catchments, isochrones
from tests.road_graphs import M_S, SRID, lonlat, roads, walked_s
from tests.unit.test_network import SQUARE, drive
from tests.unit.test_travel import lattice


def test_an_isochrone_runs_both_ways_and_round_the_corner():
    network = drive(SQUARE)
    parts = isochrones(network, network.snap(lonlat((200, 0), (500, 0))), 300 / M_S)
    assert parts.length_m() == pytest.approx([600, 600], abs=0.1)
    round_corner = (parts.facility == 0) & (parts.stretch == 3)
    assert (parts.begin[round_corner], parts.end[round_corner]) == (pytest.approx([0.9], abs=1e-3), [1.0])
    lines = project(parts.lines(), SRID)
    assert shapely.length(lines) == pytest.approx([600, 600], abs=0.1)


def test_one_ways_count_by_direction():
    network = drive([(*SQUARE[0][:3], 1)], fragment_m=0)
    at = network.snap(lonlat((500, 0)))
    assert isochrones(network, at, 200 / M_S).length_m() == pytest.approx([200], abs=0.1)
    came = isochrones(network, at, 300 / M_S, towards=True)
    assert (came.begin[0], came.end[0]) == pytest.approx((0.2, 0.5), abs=1e-3)


def test_the_way_to_the_road_takes_its_time():
    network = build_network(roads(SQUARE), "walk", SRID)
    parts = isochrones(network, network.snap(lonlat((500, -100), (500, -400))), walked_s(300))
    assert parts.length_m() == pytest.approx([400, 0], abs=0.1)
    assert parts.lines()[1].is_empty


@pytest.mark.parametrize("towards", [True, False])
def test_what_lies_inside_is_what_is_near(towards):
    network, metres = lattice()
    facilities = network.snap(lonlat(*metres[:6]))
    limit_s = 250 / M_S
    parts = isochrones(network, facilities, limit_s, towards=towards)
    stretch, along = sampled(network)
    places = Snapped(stretch, along, np.zeros(len(stretch)))
    times = matrix_s(network, places, facilities).T if towards else matrix_s(network, facilities, places)
    for facility in range(6):
        mine = parts.facility == facility
        inside = np.zeros(len(stretch), dtype=bool)
        for row in np.flatnonzero(mine):
            inside |= (stretch == parts.stretch[row]) & (along >= parts.begin[row]) & (along <= parts.end[row])
        sure = np.abs(times[facility] - limit_s) > 0.01
        assert (inside[sure] == (times[facility] <= limit_s)[sure]).all()


@pytest.mark.parametrize("towards", [True, False])
def test_a_catchment_is_where_its_facility_is_nearest(towards):
    network, metres = lattice()
    facilities = network.snap(lonlat(*metres[:7]))
    parts = catchments(network, facilities, towards=towards)
    stretch, along = sampled(network)
    places = Snapped(stretch, along, np.zeros(len(stretch)))
    times = matrix_s(network, places, facilities) if towards else matrix_s(network, facilities, places).T
    owner = np.full(len(stretch), -1)
    for row in range(len(parts.facility)):
        inside = (stretch == parts.stretch[row]) & (along > parts.begin[row]) & (along < parts.end[row])
        assert (owner[inside] == -1).all()
        owner[inside] = parts.facility[row]
    best = times.min(axis=1)
    assert (owner[np.isfinite(best)] >= 0).mean() > 0.99
    there = owner >= 0
    np.testing.assert_allclose(times[np.flatnonzero(there), owner[there]], best[there], atol=0.02)
    assert parts.length_m().sum() <= network.length_m.sum() + 0.01


def test_areas_lie_around_the_roads():
    network = drive(SQUARE)
    parts = isochrones(network, network.snap(lonlat((500, 0), (5000, 5000))), 300 / M_S)
    area, none = project(parts.areas(), SRID)
    assert none.is_empty
    line = project(parts.lines(), SRID)[0]
    assert area.is_valid
    assert area.buffer(1).covers(line)
    assert 600 * 60 < area.area < 900 * 220


def test_nothing_has_no_reach():
    network = build_network(roads([]), "walk", SRID)
    points = network.snap(lonlat((0, 0)))
    for parts in (isochrones(network, points, 60), catchments(network, points)):
        assert parts.length_m().tolist() == [0]
        assert parts.areas()[0].is_empty


def sampled(network):
    stretch = np.repeat(np.arange(len(network.ends)), 9)
    return stretch, np.tile(np.linspace(0.05, 0.95, 9), len(network.ends))

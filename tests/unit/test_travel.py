"""Many travel times of a road network at once: equal to the plain search, closures, traffic, who is nearest."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import DataQuality, InvalidInput
from geodata.network import Snapped, build_network
from geodata.travel import closed, matrix_s, nearest_s, with_traffic
from geodata.travel_modes import cycling, usable_by
from geodata.travel_report import far_points, pieces_of, quality_of, refuse_far
from tests.road_graphs import M_S, SRID, lonlat, oracle_s, roads, walked_s
from tests.travel_graphs import assert_same
from tests.unit.test_network import SQUARE, drive

ISLAND = (7, 8, [(9000, 0), (9000, 6000)], 0)


def lattice(side: int = 9, seed: int = 4):
    """A lattice of streets 100 m apart, some one-way, and points on and beside it."""
    rng = np.random.default_rng(seed)
    stretches = []
    for x in range(side):
        for y in range(side):
            for dx, dy in ((1, 0), (0, 1)):
                if x + dx < side and y + dy < side:
                    line = [(100 * x, 100 * y), (100 * (x + dx), 100 * (y + dy))]
                    one_way = int(rng.choice([0, 0, 1, -1]))
                    stretches.append((x * side + y, (x + dx) * side + y + dy, line, one_way))
    return drive(stretches, fragment_m=0), rng.uniform(-20, 100 * side, (30, 2))


def test_the_matrix_is_that_of_the_plain_search():
    network, metres = lattice()
    points = network.snap(lonlat(*metres))
    expected = oracle_s(network, lonlat(*metres))
    assert_same(matrix_s(network, points, points), expected)
    assert_same(matrix_s(network, points, points.part(slice(0, 5)), threads=0), expected[:, :5])
    assert_same(matrix_s(network, points.part(slice(0, 5)), points), expected[:5])


def test_a_large_network_answers_by_the_sweep(monkeypatch):
    network, metres = lattice()
    expected = network.travel_s(lonlat(*metres), lonlat(*metres))
    monkeypatch.setattr("geodata.network._SWEEP_JUNCTIONS", 1)
    found = network.travel_s(lonlat(*metres), lonlat(*metres))
    assert found.dtype == np.float64
    assert "costs" in network.prepared
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-3)


def test_the_nearest_is_the_least_of_the_matrix_both_ways():
    network, metres = lattice()
    places, facilities = network.snap(lonlat(*metres)), network.snap(lonlat(*metres[::7]))
    for towards in (True, False):
        times = matrix_s(network, places, facilities) if towards else matrix_s(network, facilities, places).T
        seconds, which = nearest_s(network, places, facilities, towards=towards)
        np.testing.assert_allclose(seconds, times.min(axis=1), rtol=1e-6, atol=1e-3)
        np.testing.assert_allclose(times[np.arange(len(times)), which], seconds, rtol=1e-6, atol=1e-3)
    island = drive([*SQUARE, ISLAND], fragment_m=1000)
    seconds, which = nearest_s(island, island.snap(lonlat((9000, 50))), island.snap(lonlat((10, 0))))
    assert (np.isinf(seconds[0]), which[0]) == (True, -1)
    assert nearest_s(island, island.snap(lonlat((10, 0))), island.snap(np.empty((0, 2))))[1].tolist() == [-1]


def test_a_closed_street_is_gone_round_and_met_by_nobody():
    network = drive(SQUARE)
    points = lonlat((0, 10), (1000, 10))
    assert network.travel_s(points, points)[0, 1] == pytest.approx(1020 / M_S, abs=1e-3)
    shut = closed(network, np.array([0]))
    assert_same(matrix_s(shut, shut.snap(points), shut.snap(points)), oracle_s(shut, points))
    assert shut.travel_s(points, points)[0, 1] == pytest.approx(2980 / M_S, abs=1e-3)
    assert shut.snap(lonlat((500, 0))).stretch[0] != 0
    assert network.travel_s(points, points)[0, 1] == pytest.approx(1020 / M_S, abs=1e-3)
    with pytest.raises(InvalidInput, match="1 of 1 stretches"):
        closed(network, np.array([9]))


def test_measured_speeds_count_where_one_may_drive():
    network = drive([(*SQUARE[0][:3], 1), *SQUARE[1:]])
    slow = with_traffic(network, np.array([0]), np.array([3.6]))
    assert slow.forward_s[0] == pytest.approx(1000)
    assert np.isinf(slow.backward_s[0])
    assert slow.travel_s(lonlat((0, 10)), lonlat((1000, 10)))[0, 0] == pytest.approx(2980 / M_S, abs=0.1)
    with pytest.raises(InvalidInput, match="below 0.5 km/h"):
        with_traffic(network, np.array([0]), np.array([0.0]))


def test_nothing_to_travel_on_and_nobody_to_travel_are_answers():
    nothing = build_network(roads([]), "walk", SRID)
    points = nothing.snap(lonlat((0, 0), (1, 1)))
    assert np.isinf(matrix_s(nothing, points, points)).all()
    some = drive(SQUARE)
    assert matrix_s(some, some.snap(np.empty((0, 2))), some.snap(lonlat((0, 0)))).shape == (0, 1)
    assert nothing.snap(lonlat((0, 0))).distance_m[0] == np.inf


def test_cycles_are_ridden_where_cars_go_but_for_great_roads_and_pushed_among_walkers():
    frame = roads(
        SQUARE,
        road_class=["residential", "trunk", "footway", "cycleway"],
        drivable=[True, True, False, False],
        oneway=[1, 0, 1, 1],
    )
    assert usable_by(frame, "cycle").tolist() == [True, False, True, True]
    kmh, oneway = cycling(frame)
    assert kmh.tolist() == [15, 15, 5, 15]
    assert oneway.tolist() == [1, 0, 0, 1]
    said = frame.assign(cyclable=[False, True, True, True], cycle_oneway=0, cycle_signed=[False, False, True, False])
    assert usable_by(said, "cycle").tolist() == [False, True, True, True]
    assert cycling(said)[0].tolist() == [15, 15, 15, 15]
    network = build_network(frame, "cycle", SRID, fragment_m=0)
    assert network.travel_s(lonlat((500, 1000)), lonlat((0, 500)))[0, 0] == pytest.approx(
        500 / (15 / 3.6) + 500 / (5 / 3.6), abs=0.01
    )


def test_the_report_counts_what_no_point_can_meet():
    yard = (20, 21, [(400, 100), (600, 100)], 0)
    pieces = pieces_of(drive([*SQUARE, ISLAND, yard], fragment_m=1000))
    assert (pieces.count, pieces.kept, pieces.dropped, pieces.dropped_stretches) == (3, 2, 1, 1)
    assert pieces.dropped_km == pieces.largest_dropped_km == pytest.approx(0.2)
    assert pieces_of(build_network(roads([]), "walk", SRID)).count == 0


def test_points_too_far_from_any_street_are_all_named():
    network = drive(SQUARE)
    points = network.snap(lonlat((500, -1500), (0, 0), (500, -2500)))
    assert points.distance_m == pytest.approx([1500, 0, 2500], abs=0.01)
    assert points.access_s[0] == pytest.approx(walked_s(1500), abs=0.01)
    assert far_points(points).tolist() == [0, 2]
    with pytest.raises(DataQuality, match="2 of 3 clinics lie more than 1,000 m") as refused:
        refuse_far(points, np.array(["A", "B", "C"]), "clinics")
    assert refused.value.violations == ("A: 1,500 m", "C: 2,500 m")
    refuse_far(points, np.array(["A", "B", "C"]), "clinics", limit_m=3000)


def test_who_has_no_way_at_all_is_told():
    times = np.array([[1, np.inf], [np.inf, np.inf]])
    first, second = quality_of(times, np.array(["a", "b"]), np.array(["c", "d"]))
    assert first == "1 of 2 origins reach no destination (b); their times are infinite."
    assert second == "1 of 2 destinations are reached from no origin (d); their times are infinite."
    assert quality_of(np.zeros((1, 1)), np.array(["a"]), np.array(["c"])) == []


def test_points_without_a_stretch_have_no_time():
    nowhere = Snapped(np.array([-1]), np.zeros(1), np.full(1, np.inf))
    assert far_points(nowhere).tolist() == [0]

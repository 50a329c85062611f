"""Travel times on small road graphs whose answers are known by hand."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from geodata.network import build_network
from tests.road_graphs import M_S, SRID, lonlat, metres, roads, walked_s

SQUARE = [
    (1, 2, [(0, 0), (1000, 0)], 0),
    (2, 3, [(1000, 0), (1000, 1000)], 0),
    (3, 4, [(1000, 1000), (0, 1000)], 0),
    (4, 1, [(0, 1000), (0, 0)], 0),
]


def drive(stretches, **kwargs):
    return build_network(roads(stretches), "drive", SRID, **kwargs)


def test_times_run_along_parts_of_stretches():
    network = drive(SQUARE)
    times = network.travel_s(lonlat((250, 0), (900, 0)), lonlat((750, 0), (1000, 500), (0, 1000)))
    assert times == pytest.approx(np.array([[500, 1250, 1250], [150, 600, 1900]]) / M_S, abs=1e-3)


def test_a_point_off_the_road_is_walked_to_in_both_modes():
    for mode, speed in (("drive", M_S), ("walk", 1.25)):
        network = build_network(roads(SQUARE), mode, SRID)
        there = network.travel_s(lonlat((500, -90)), lonlat((1000, 500)))[0, 0]
        assert there == pytest.approx(walked_s(90) + 1000 / speed, abs=1e-3)


def test_many_to_one_is_the_turned_search_and_equal():
    network = drive([(a, b, line, int(a == 2)) for a, b, line, _ in SQUARE])
    points = lonlat((10, 0), (990, 0), (1000, 400), (300, 1000), (0, 40))
    whole = network.travel_s(points, points)
    for at in range(len(points)):
        assert network.travel_s(points, points[[at]])[:, 0] == pytest.approx(whole[:, at])


def test_a_one_way_street_is_gone_round():
    network = drive([(*SQUARE[0][:3], 1), *SQUARE[1:]])
    times = network.travel_s(lonlat((800, 0), (200, 0)), lonlat((200, 0), (800, 0)))
    assert times[0, 0] == pytest.approx(3400 / M_S, abs=1e-3)  # 200 to the corner, three sides, 200 in again
    assert times[1, 1] == pytest.approx(600 / M_S, abs=1e-3)
    against = drive([(*SQUARE[0][:3], -1), *SQUARE[1:]])
    assert against.travel_s(lonlat((800, 0)), lonlat((200, 0)))[0, 0] == pytest.approx(600 / M_S, abs=1e-3)


def test_walkers_know_no_one_way():
    network = build_network(roads([(*SQUARE[0][:3], 1), *SQUARE[1:]]), "walk", SRID)
    assert network.travel_s(lonlat((800, 0)), lonlat((200, 0)))[0, 0] == pytest.approx(walked_s(600), abs=1e-3)


def test_a_point_at_a_junction_leaves_either_way():
    network = drive([(*SQUARE[0][:3], 1), *SQUARE[1:]])
    assert network.travel_s(lonlat((0.2, 0)), lonlat((0, 500)))[0, 0] == pytest.approx(500 / M_S, abs=0.3)


def test_what_no_road_reaches_is_infinite():
    island = (7, 8, [(9000, 0), (9000, 6000)], 0)
    network = drive([*SQUARE, island], fragment_m=1000)
    times = network.travel_s(lonlat((0, 0), (9000, 100)), lonlat((500, 0), (9000, 300)))
    assert np.isinf(times).tolist() == [[False, True], [True, False]]
    assert network.routes(lonlat((0, 0)), lonlat((9000, 300))) == [None]


def test_a_yard_that_leads_nowhere_is_no_place_to_set_out_from():
    yard = (7, 8, [(400, 100), (600, 100)], 0)
    point = lonlat((500, 90))
    assert drive([*SQUARE, yard], fragment_m=1000).travel_s(point, lonlat((1000, 0)))[0, 0] == pytest.approx(
        walked_s(90) + 500 / M_S, abs=1e-3
    )
    assert np.isinf(drive([*SQUARE, yard], fragment_m=0).travel_s(point, lonlat((1000, 0)))[0, 0])


def test_roads_closed_to_the_mode_are_not_used():
    frame = roads(SQUARE, walkable=[True] * 3 + [False], drivable=[False, *[True] * 3])
    assert build_network(frame, "walk", SRID).travel_s(lonlat((0, 0)), lonlat((0, 1000)))[0, 0] == pytest.approx(
        walked_s(3000), abs=1e-3
    )
    assert build_network(frame, "drive", SRID).junctions == 4


def test_no_road_and_no_point_are_answers_too():
    nothing = build_network(roads([]), "drive", SRID)
    assert np.isinf(nothing.travel_s(lonlat((0, 0), (1, 1)), lonlat((5, 5)))).all()
    assert nothing.routes(lonlat((0, 0)), lonlat((5, 5))) == [None]
    assert drive(SQUARE).travel_s(np.empty((0, 2)), lonlat((5, 5), (6, 6))).shape == (0, 2)
    assert drive(SQUARE).travel_s(lonlat((5, 5)), np.empty((0, 2))).shape == (1, 0)
    with pytest.raises(InvalidInput, match="without coordinates"):
        drive(SQUARE).travel_s(np.array([[np.nan, 0.0]]), lonlat((5, 5)))


def test_of_two_roads_between_junctions_the_faster_counts_and_is_drawn():
    network = drive([*SQUARE, (1, 2, [(0, 0), (500, -400), (1000, 0)], 0)])
    route = network.routes(lonlat((0, 400)), lonlat((1000, 400)))[0]
    assert route is not None
    assert route.seconds == pytest.approx(1800 / M_S, abs=1e-3)
    assert metres(route.line) == pytest.approx(np.array([[0, 400], [0, 0], [1000, 0], [1000, 400]]), abs=0.1)


def test_a_loop_is_driven_the_shorter_way_round():
    loop = (2, 2, [(1000, 0), (1400, 0), (1400, -400), (1000, -400), (1000, 0)], 0)
    network = drive([SQUARE[0], loop])
    start, goal = lonlat((0, 0)), lonlat((1000, -300))
    assert network.travel_s(start, goal)[0, 0] == pytest.approx(1300 / M_S, abs=1e-3)
    there, back = network.routes(start, goal)[0], network.routes(goal, start)[0]
    assert there is not None
    assert back is not None
    assert metres(there.line)[-2:] == pytest.approx(np.array([[1000, 0], [1000, -300]]), abs=0.1)
    assert back.length_m == pytest.approx(1300, abs=0.1)
    one_way = drive([SQUARE[0], (*loop[:3], 1)])
    assert one_way.travel_s(start, goal)[0, 0] == pytest.approx(2300 / M_S, abs=1e-3)
    round_ = one_way.routes(start, goal)[0]
    assert round_ is not None
    assert round_.length_m == pytest.approx(2300, abs=0.1)


def test_a_route_within_one_stretch_and_one_of_no_length():
    network = drive(SQUARE)
    route, nothing = network.routes(lonlat((800, 0), (300, 0)), lonlat((300, 0)))
    assert route is not None
    assert nothing is not None
    assert metres(route.line) == pytest.approx(np.array([[800, 0], [300, 0]]), abs=0.1)
    assert (nothing.seconds, nothing.length_m) == pytest.approx((0, 0), abs=1e-3)
    assert len(nothing.line.coords) == 2

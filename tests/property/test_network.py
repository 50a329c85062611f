"""Travel times of random road graphs agree with networkx on a graph that is cut at the points."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.crs import project
from geodata.network import build_network
from tests.road_graphs import M_S, SRID, lonlat, oracle_s, roads


@st.composite
def cases(draw):
    """A random graph with loops, double roads, one-ways and separate parts, and points on and off it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    places = rng.uniform(0, 3000, (draw(st.integers(2, 12)), 2))
    stretches = []
    for _ in range(draw(st.integers(1, 25))):
        first, last = (int(node) for node in rng.integers(0, len(places), 2))
        bends = rng.uniform(0, 3000, (int(rng.integers(2 if first == last else 0, 4)), 2))
        line = [tuple(places[first]), *map(tuple, bends), tuple(places[last])]
        stretches.append((first, last, line, draw(st.sampled_from([0, 0, 1, -1]))))
    mode = draw(st.sampled_from(["drive", "walk"]))
    network = build_network(roads(stretches), mode, SRID, fragment_m=draw(st.sampled_from([0, 2000])))
    at = rng.integers(0, len(places), 2)
    points = lonlat(*places[at], *rng.uniform(-500, 3500, (draw(st.integers(1, 5)), 2)))
    return network, points


@given(cases())
@settings(max_examples=150, deadline=None)
def test_times_are_those_of_a_plain_search(case):
    network, points = case
    expected = oracle_s(network, points)
    np.testing.assert_allclose(network.travel_s(points, points), expected, rtol=1e-9, atol=1e-9)
    for at in range(len(points)):
        np.testing.assert_allclose(network.travel_s(points, points[[at]])[:, 0], expected[:, at], rtol=1e-9, atol=1e-9)


@given(cases())
@settings(max_examples=60, deadline=None)
def test_a_detour_is_never_faster_and_walks_are_the_same_both_ways(case):
    network, points = case
    times = network.travel_s(points, points)
    for via in range(len(points)):
        assert (times <= times[:, [via]] + times[[via], :] + 1e-6).all()
    if network.mode == "walk":
        np.testing.assert_allclose(times, times.T, atol=1e-6)


@given(cases())
@settings(max_examples=100, deadline=None)
def test_routes_take_the_time_that_was_told_and_run_where_they_say(case):
    network, points = case
    times = network.travel_s(points, points[[0]])[:, 0]
    snapped = network.snap(points)
    for at, route in enumerate(network.routes(points, points[[0]])):
        if route is None:
            assert np.isinf(times[at])
            continue
        assert abs(route.seconds - times[at]) < 1e-6
        speed = M_S if network.mode == "drive" else 1.25
        on_road = times[at] - snapped.access_s[at] - snapped.access_s[0]
        assert abs(route.length_m / speed - on_road) < 1e-6
        drawn = shapely.transform(route.line, _metres)
        assert abs(drawn.length - route.length_m) < 0.01


def _metres(coordinates):
    return shapely.get_coordinates(project(shapely.points(coordinates), SRID))

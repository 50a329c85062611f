"""Which stretches a closure shuts, and the ways that are left: against a plain search without those stretches."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from dispatch.closure_model import check_shape
from dispatch.closures import stretches_shut, with_shut
from geodata.crs import WGS84, project
from geodata.network import build_network
from geodata.travel import matrix_s

SRID, SIDE, STEP_M = 32630, 6, 100.0
EAST_M, NORTH_M = 620_000.0, 5_617_000.0


def _degrees(*points):
    return project(np.array([shapely.LineString([(EAST_M + x, NORTH_M + y) for x, y in points])]), WGS84, SRID)[0]


def _town():
    """Six streets east and six north, 100 m apart; row and column of each stretch's first junction, and its way."""
    rows, names = [], []
    for column in range(SIDE):
        for row in range(SIDE):
            for dx, dy, way in ((1, 0, "east"), (0, 1, "north")):
                if column + dx < SIDE and row + dy < SIDE:
                    ends = [(column * STEP_M, row * STEP_M), ((column + dx) * STEP_M, (row + dy) * STEP_M)]
                    rows.append((column * SIDE + row, (column + dx) * SIDE + row + dy, _degrees(*ends)))
                    names.append((column, row, way))
    frame = pd.DataFrame(rows, columns=["from_node", "to_node", "geom"])
    frame = frame.assign(road_class="residential", speed_kmh=36.0, oneway=0, drivable=True, walkable=True)
    frame["length_m"] = STEP_M
    return build_network(frame, "drive", SRID, fragment_m=0), names


NETWORK, NAMES = _town()


def _shut(shape):
    return {NAMES[k] for k in stretches_shut(NETWORK, [shape])}


def test_a_line_along_a_street_shuts_it_and_no_street_beside_or_across():
    drawn = _degrees((4, 203), (150, 196), (296, 203))
    assert _shut(drawn) == {(0, 2, "east"), (1, 2, "east"), (2, 2, "east")}


def test_a_line_along_part_of_a_stretch_shuts_that_stretch():
    assert _shut(_degrees((130, 202), (180, 202))) == {(1, 2, "east")}


def test_a_barrier_across_a_street_shuts_the_stretch_it_stands_on():
    assert _shut(_degrees((150, 190), (150, 210))) == {(1, 2, "east")}


def test_a_line_beside_a_street_shuts_the_nearest_and_one_far_away_nothing():
    assert _shut(_degrees((150, 230), (151, 231))) == {(1, 2, "east")}
    assert _shut(_degrees((-900, -900), (-900, -901))) == set()


def test_an_area_shuts_what_leads_through_it():
    ring = shapely.get_coordinates(_degrees((150, 150), (250, 150), (250, 250), (150, 250)))
    assert _shut(shapely.Polygon(ring)) == {(1, 2, "east"), (2, 2, "east"), (2, 1, "north"), (2, 2, "north")}


@pytest.mark.parametrize(
    "shape",
    [
        shapely.Point(0, 0),
        shapely.LineString(),
        shapely.LineString([(0, 0), (0, 0)]),
        shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]),
        shapely.LineString([(0, 0), (0, 91)]),
        shapely.LineString([(0, 0), (float("nan"), 1)]),
    ],
)
def test_what_is_no_closure_is_refused_in_words(shape):
    with pytest.raises(InvalidInput) as refused:
        check_shape(shape)
    assert refused.value.hint
    assert refused.value.zh


@settings(max_examples=20)
@given(st.sets(st.sampled_from(range(len(NAMES))), max_size=25))
def test_ways_are_those_of_a_plain_search_without_the_stretches(stretches):
    shut = np.array(sorted(stretches), np.int64)
    network = with_shut(NETWORK, shut) if len(shut) else NETWORK
    junctions = [(column * STEP_M, row * STEP_M) for column in range(SIDE) for row in range(SIDE)]
    spots = [
        (x, y) for x, y in junctions if any((int(x / STEP_M), int(y / STEP_M)) in ends for ends in _left(stretches))
    ]
    points = np.array([shapely.get_coordinates(_degrees(spot, (spot[0], spot[1] + 1)))[0] for spot in spots])
    snapped = network.snap(points)
    found = matrix_s(network, snapped, snapped)
    plain = nx.Graph()
    plain.add_weighted_edges_from((*ends, STEP_M / 10.0) for ends in _left(stretches))
    for k, (x, y) in enumerate(spots):
        expected = nx.single_source_dijkstra_path_length(plain, (int(x / STEP_M), int(y / STEP_M)))
        for other, (u, v) in enumerate(spots):
            there = expected.get((int(u / STEP_M), int(v / STEP_M)), np.inf)
            assert found[k, other] == pytest.approx(there, abs=0.6)


def _left(stretches):
    steps = {"east": (1, 0), "north": (0, 1)}
    return [
        ((column, row), (column + steps[way][0], row + steps[way][1]))
        for k, (column, row, way) in enumerate(NAMES)
        if k not in stretches
    ]

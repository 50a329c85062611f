from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.crs import GEOD, metric_srid_of
from geodata.osm_coast import SEA_SHARE, land_of
from geodata.osm_roads import split_roads
from geodata.osm_roadtags import parse_speed_kmh
from geodata.osm_territory import communities_of, hull_of

NODES = 12
POINTS = np.column_stack([np.linspace(10, 10.1, NODES), 50 + np.linspace(0, 0.1, NODES) ** 2])
ways = st.lists(st.lists(st.integers(0, NODES - 1), min_size=2, max_size=8), min_size=0, max_size=8)


def split(drawn):
    refs = np.array([node for way in drawn for node in way], dtype=np.int64)
    table = pd.DataFrame({"source_ref": [f"w{index}" for index in range(len(drawn))]}, dtype=object)
    sizes = np.array([len(way) for way in drawn], dtype=np.int64)
    return split_roads(table, sizes, refs, POINTS[refs])


@given(ways)
def test_no_step_of_a_way_is_lost_or_made_up(drawn):
    made = split(drawn)
    steps = Counter(
        (round(a[0], 9), round(b[0], 9))
        for line in made["geom"]
        for a, b in zip(shapely.get_coordinates(line)[:-1], shapely.get_coordinates(line)[1:], strict=True)
    )
    wanted = Counter(
        (round(POINTS[a, 0], 9), round(POINTS[b, 0], 9)) for way in drawn for a, b in itertools.pairwise(way) if a != b
    )
    assert steps == wanted


@given(ways)
def test_inner_points_of_a_stretch_belong_to_it_alone(drawn):
    drawn = [[node for index, node in enumerate(way) if index == 0 or node != way[index - 1]] for way in drawn]
    drawn = [way for way in drawn if len(way) > 1]
    uses = Counter(node for way in drawn for node in way)
    made = split(drawn)
    for row in made.itertuples():
        inner = shapely.get_coordinates(row.geom)[1:-1, 0]
        assert all(uses[int(np.argmin(np.abs(POINTS[:, 0] - x)))] == 1 for x in inner)
        ends = shapely.get_coordinates(row.geom)[[0, -1]]
        assert np.allclose(ends, POINTS[[row.from_node, row.to_node]])
        assert row.length_m == pytest.approx(GEOD.line_length(*shapely.get_coordinates(row.geom).T))
    assert not made.duplicated(["source_ref", "piece"]).any()


@given(st.text(max_size=20))
def test_no_speed_text_breaks_the_reader(text):
    speed = parse_speed_kmh(text)
    assert speed is None or 3 <= speed <= 150


boxes = st.tuples(st.floats(0, 0.09), st.floats(0, 0.09), st.floats(0.002, 0.09), st.floats(0.002, 0.09))


@settings(max_examples=60)
@given(st.lists(boxes, min_size=1, max_size=8))
def test_communities_leave_no_gap_and_no_overlap(drawn):
    boundary = shapely.MultiPolygon([shapely.box(10, 50, 10.1, 50.1)])
    shapes = [shapely.MultiPolygon([shapely.box(10 + x, 50 + y, 10 + x + w, 50 + y + h)]) for x, y, w, h in drawn]
    areas = pd.DataFrame(
        {"source_ref": [f"r{i}" for i in range(len(shapes))], "admin_level": 10, "name": "N", "name_zh": None},
        dtype=object,
    )
    areas["geom"] = shapes
    places = pd.DataFrame({"kind": [], "name": [], "name_zh": [], "geom": []}, dtype=object)
    made = communities_of(areas, places, boundary, metric_srid_of(10, 50), level=10)
    parts = made["geom"].to_numpy(dtype=object)
    assert shapely.area(parts).sum() == pytest.approx(boundary.area, rel=1e-9)
    assert shapely.union_all(parts).area == pytest.approx(boundary.area, rel=1e-9)
    assert shapely.is_valid(parts).all()


@given(st.lists(st.tuples(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05)), min_size=2, max_size=30, unique=True))
def test_hull_is_an_area_near_the_roads(points):
    lines = np.array([shapely.LineString([(10, 50), (10 + x, 50 + y)]) for x, y in points], dtype=object)
    hull = hull_of(lines)
    assert hull.is_valid
    assert hull.area > 0
    west, _, _, north = shapely.total_bounds(lines)
    assert hull.bounds[0] <= west + 1e-3
    assert hull.bounds[3] >= north - 1e-3


@given(st.floats(0.01, 0.09), st.booleans())
def test_a_boundary_is_cut_at_the_coast(x, land_in_the_west):
    boundary = shapely.MultiPolygon([shapely.box(10, 50, 10.1, 50.1)])
    # Land lies on the left: northward it is the west.
    ends = (49.9, 50.2) if land_in_the_west else (50.2, 49.9)
    coast = np.array([shapely.LineString([(10 + x, y) for y in ends])], dtype=object)
    land, sea = land_of(boundary, coast)
    share = 1 - x / 0.1 if land_in_the_west else x / 0.1
    if share > SEA_SHARE + 1e-6:
        assert sea == pytest.approx(share, abs=1e-6)
        assert land.area == pytest.approx(boundary.area * (1 - share), rel=1e-6)
    elif share < SEA_SHARE - 1e-6:
        assert (land, sea) == (boundary, 0.0)


def test_an_island_in_its_box_is_cut_out_and_an_inland_line_parts_nothing():
    box = shapely.MultiPolygon([shapely.box(10, 50, 10.1, 50.1)])
    island = shapely.box(10.02, 50.02, 10.05, 50.06, ccw=True)
    land, sea = land_of(box, np.array([island.exterior], dtype=object))
    assert land.equals(shapely.MultiPolygon([island]))
    assert sea == pytest.approx(0.88)
    dangling = np.array([shapely.LineString([(10.05, 50.05), (10.06, 50.05)])], dtype=object)
    assert land_of(box, dangling) == (box, 0.0)
    assert land_of(box, np.empty(0, dtype=object)) == (box, 0.0)

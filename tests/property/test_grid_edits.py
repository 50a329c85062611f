"""Version algebra: split then merge is the same ground and resolves the same places; other shapes tessellate."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from grids.edits import lineage, merge_cells, move_border, rehomed, renumbered, split_cell
from grids.partition import partition
from grids.shapes import h3_cells, voronoi_cells
from tests.property.cities import CRS, cities


@settings(max_examples=25)
@given(
    sides=st.tuples(st.floats(60, 900), st.floats(60, 900)),
    at=st.floats(0.2, 0.8),
    lean=st.floats(-0.15, 0.15),
    seed=st.integers(0, 2**32 - 1),
)
def test_split_then_merge_is_the_same_ground(sides: tuple[float, float], at: float, lean: float, seed: int) -> None:
    wide, high = sides
    cell = shapely.box(5e5, 6e6, 5e5 + wide, 6e6 + high)
    line = shapely.LineString([(5e5 + wide * (at - lean), 6e6), (5e5 + wide * (at + lean), 6e6 + high)])
    rng = np.random.default_rng(seed)
    points = shapely.points(rng.uniform((5e5, 6e6), (5e5 + wide, 6e6 + high), (50, 2)))
    parts = split_cell(cell, line, least_m2=1)
    assert len(parts) == 2
    assert shapely.area(parts).sum() == pytest.approx(cell.area, rel=1e-9)
    assert shapely.get_x(shapely.centroid(parts))[0] < shapely.get_x(shapely.centroid(parts))[1]
    home = rehomed(parts, points)
    assert (home >= 0).all()
    assert shapely.dwithin(parts[home], points, 1e-6).all()
    child, parent, shared = lineage(np.array([cell]), parts)
    assert (child.tolist(), parent.tolist()) == ([0, 1], [0, 0])
    assert shared.sum() == pytest.approx(cell.area, rel=1e-9)
    again = merge_cells(parts, np.zeros(2, dtype=np.int64))
    assert again.area == pytest.approx(cell.area, rel=1e-9)
    assert shapely.symmetric_difference(again, cell).area < 1e-3
    assert (rehomed(np.array([again]), points) == 0).all()
    # A border moved there and back is where it was.
    other = shapely.LineString([(5e5 + wide * 0.5, 6e6 - 5), (5e5 + wide * 0.5, 6e6 + high + 5)])
    one, two = move_border(*parts, other, least_m2=1)
    assert one.area + two.area == pytest.approx(cell.area, rel=1e-9)
    back = move_border(one, two, line, least_m2=1)
    for now in back:  # in either order: a border in the middle leaves both the same share
        assert min(shapely.area(shapely.symmetric_difference(now, parts))) < 1e-2


@settings(max_examples=20)
@given(city=cities(), seed=st.integers(0, 2**32 - 1))
def test_new_numbers_are_whole_and_stable(city: gpd.GeoDataFrame, seed: int) -> None:
    cells = partition(city, kind="square", size_m=200.0)
    community, shapes = cells["community_id"].to_numpy(), cells.geometry.to_numpy()
    sequence = renumbered(community, shapes)
    for each in np.unique(community):
        mine = sequence[community == each]
        assert sorted(mine) == list(range(1, len(mine) + 1))
        # Numbers of a community do not hang on its neighbours, nor on the order of the rows.
        alone = renumbered(community[community == each], shapes[community == each])
        assert alone.tolist() == mine.tolist()
    order = np.random.default_rng(seed).permutation(len(cells))
    assert renumbered(community[order], shapes[order]).tolist() == sequence[order].tolist()


@settings(max_examples=15)
@given(city=cities(), seed=st.integers(0, 2**32 - 1), kind=st.sampled_from(["h3", "voronoi"]))
def test_other_shapes_cover_every_community(city: gpd.GeoDataFrame, seed: int, kind: str) -> None:
    if kind == "h3":
        cells = h3_cells(city, CRS, resolution=8)
    else:
        west, south, east, north = city.total_bounds
        places = np.random.default_rng(seed).uniform((west, south), (east, north), (12, 2))
        cells = voronoi_cells(city, shapely.points(places))
    by_community = cells.groupby("community_id")["area_m2"].sum()
    for identity, area in zip(city["community_id"], city.geometry, strict=True):
        assert by_community[identity] == pytest.approx(area.area, rel=1e-6)
    assert shapely.is_valid(cells.geometry.to_numpy()).all()
    assert set(cells.geometry.geom_type) == {"Polygon"}


SQUARE = shapely.box(0, 0, 100, 100)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ([(200, 0), (200, 100)], "does not cut"),
        ([(50, 40), (50, 60)], "does not cut"),
        ([(1, -5), (1, 105)], "at least 500"),
        ([(50, 50), (50, 50)], "No line"),
    ],
)
def test_a_bad_line_is_refused(line: list[tuple[float, float]], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        split_cell(SQUARE, shapely.LineString(line))


def test_cells_apart_are_not_merged() -> None:
    corner, far = shapely.box(100, 100, 200, 200), shapely.box(300, 0, 400, 100)
    same = np.zeros(2, dtype=np.int64)
    for other in (corner, far):
        with pytest.raises(InvalidInput, match="hang together"):
            merge_cells(np.array([SQUARE, other]), same)
    with pytest.raises(InvalidInput, match="several communities"):
        merge_cells(np.array([SQUARE, shapely.box(100, 0, 200, 100)]), np.array([1, 2]))
    with pytest.raises(InvalidInput, match="at least two"):
        merge_cells(np.array([SQUARE]), np.zeros(1, dtype=np.int64))
    assert rehomed(np.empty(0, dtype=object), np.array([shapely.Point(0, 0)])).tolist() == [-1]
    with pytest.raises(InvalidInput, match="resolution"):
        h3_cells(gpd.GeoDataFrame({"community_id": [1]}, geometry=[SQUARE], crs=CRS), CRS, resolution=2)
    with pytest.raises(InvalidInput, match="two different"):
        voronoi_cells(gpd.GeoDataFrame({"community_id": [1]}, geometry=[SQUARE], crs=CRS), shapely.points([[1, 1]]))

"""Cell of a point: agrees with the polygons, one cell for every point, mixed sizes and kinds."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from grids.lattice import Lattice
from grids.locate import Locator
from grids.partition import partition
from tests.property.cities import cities, sizes

KIND = st.sampled_from(["square", "hexagon"])
SEED = st.integers(0, 2**32 - 1)


def locator_of(cells: gpd.GeoDataFrame) -> Locator:
    return Locator(cells.geometry.to_numpy(), cells["kind"].tolist(), cells["size_m"].tolist())


CORNER_MOVES_M = 0.005
"""Cutting at a community line may move a lattice corner by millimetres; arithmetic keeps the lattice."""


def covering(cells: gpd.GeoDataFrame, x: np.ndarray, y: np.ndarray) -> list[set[int]]:
    """The oracle: all cells whose closed polygon holds the point."""
    found: list[set[int]] = [set() for _ in x]
    shapes = cells.geometry.to_numpy()
    for point, cell in zip(*shapely.STRtree(shapes).query(shapely.points(x, y), predicate="intersects"), strict=True):
        found[point].add(int(cell))
    return found


@settings(max_examples=60)
@given(data=st.data(), city=cities(), kind=KIND, seed=SEED)
def test_agrees_with_the_polygons(data: st.DataObject, city: gpd.GeoDataFrame, kind: str, seed: int) -> None:
    cells = partition(city, kind=kind, size_m=data.draw(sizes(city)))
    west, south, east, north = city.total_bounds
    rng = np.random.default_rng(seed)
    corners = shapely.get_coordinates(cells.geometry.to_numpy())
    corners = corners[rng.integers(len(corners), size=100)]
    x = np.r_[rng.uniform(west - 300, east + 300, 1_500), corners[:, 0], np.round(corners[:, 0], -2)]
    y = np.r_[rng.uniform(south - 300, north + 300, 1_500), corners[:, 1], np.round(corners[:, 1], -2)]
    locator = locator_of(cells)
    found = locator.locate(x, y)
    again = locator.locate(x[::-1], y[::-1])[::-1]
    assert (found == again).all()
    boundary = shapely.union_all(cells.geometry.to_numpy())
    shapely.prepare(boundary)
    deep_inside = shapely.dwithin(boundary, shapely.points(x, y), 0) & ~shapely.dwithin(
        boundary.boundary, shapely.points(x, y), 1e-6
    )
    for point, allowed in enumerate(covering(cells, x, y)):
        on_line = len(allowed) != 1
        if not on_line or deep_inside[point]:
            assert found[point] >= 0
        if not on_line:
            near = cells.geometry.iloc[found[point]].distance(shapely.Point(x[point], y[point]))
            assert found[point] in allowed or near < CORNER_MOVES_M
        elif allowed:
            assert found[point] in allowed or found[point] < 0 or not deep_inside[point]
        elif found[point] >= 0:
            assert cells.geometry.iloc[found[point]].distance(shapely.Point(x[point], y[point])) < CORNER_MOVES_M


@settings(max_examples=30)
@given(city=cities(), kind=KIND, seed=SEED)
def test_survives_the_way_through_the_database(city: gpd.GeoDataFrame, kind: str, seed: int) -> None:
    """Cells stored in degrees and read back are a nanometre off; whole ones must still be found as whole."""
    cells = partition(city, kind=kind, size_m=100.0)
    stored = cells.to_crs(4326).to_crs(cells.crs)
    west, south, east, north = city.total_bounds
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(west, east, 2_000), rng.uniform(south, north, 2_000)
    assert (locator_of(cells).locate(x, y) == locator_of(stored).locate(x, y)).all()


@settings(max_examples=100)
@given(kind=KIND, size=st.sampled_from([0.7, 100.0, 137.3, 500.0]), seed=SEED)
def test_every_point_lies_in_the_lattice_cell_of_its_index(kind: str, size: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    lattice = Lattice(kind, size)
    x, y = rng.uniform(-1e6, 6e6, 300), rng.uniform(-1e6, 6e6, 300)
    if kind == "square":  # on the lines, and the nearest numbers beside them
        line = np.arange(-20, 20) * size
        x = np.r_[x, line, np.nextafter(line, np.inf), np.nextafter(line, -np.inf)]
        y = np.r_[y, line, np.nextafter(line, -np.inf), line]
    column, row = lattice.index(x, y)
    bounds = shapely.bounds(lattice.polygons(column, row))
    if kind == "square":
        assert ((bounds[:, 0] <= x) & (x < bounds[:, 2]) & (bounds[:, 1] <= y) & (y < bounds[:, 3])).all()
    cells = lattice.polygons(column, row)
    assert (shapely.distance(cells, shapely.points(x, y)) < 1e-6 * size).all()


def test_cells_without_a_lattice_are_found_too() -> None:
    west, east = shapely.box(0, 0, 70, 100), shapely.box(70, 0, 200, 100)
    locator = Locator(np.array([west, east]), ["block", "block"], [None, None])
    found = locator.locate([10, 70, 150, 500, np.nan], [50, 50, 50, 50, 1])
    assert found.tolist() == [0, 0, 1, -1, -1]


def test_whole_squares_take_their_west_and_south_side_and_the_city_its_outer_side() -> None:
    cells = np.array([shapely.box(0, 0, 100, 100), shapely.box(100, 0, 200, 100)])
    locator = Locator(cells, ["square"] * 2, [100.0] * 2)
    x, y = [0, 100, 200, 50, 200, 201, -1e300, np.nan, np.inf], [0, 50, 100, 100, 0, 50, 0, 50, 50]
    assert locator.locate(x, y).tolist() == [0, 1, 1, 0, 1, -1, -1, -1, -1]


def test_cells_very_far_apart_need_no_big_table() -> None:
    lattice = Lattice("square", 1.0)
    column, row = np.array([0, 5_000_000]), np.array([0, 5_000_000])
    locator = Locator(lattice.polygons(column, row), ["square"] * 2, [1.0] * 2)
    assert locator.locate([0.5, 5_000_000.5, 2.5e6, 0.5], [0.5, 5_000_000.5, 2.5e6, 5e6]).tolist() == [0, 1, -1, -1]


def test_no_cell_and_no_point_are_no_fault() -> None:
    assert Locator(np.empty(0, dtype=object), [], []).locate([1.0], [2.0]).tolist() == [-1]
    assert Locator(np.array([shapely.box(0, 0, 1, 1)]), ["square"], [1.0]).locate([], []).tolist() == []
    with pytest.raises(InvalidInput, match="equally many"):
        Locator(np.empty(0, dtype=object), [], []).locate([1.0], [])

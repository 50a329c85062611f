"""Responsibility grids: contiguous, inside one community, all cells in exactly one."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from grids.partition import partition
from grids.responsibility import contiguous_groups
from grids.seams import neighbours
from tests.property.cities import cities


def place_of(cells: gpd.GeoDataFrame) -> np.ndarray:
    return shapely.get_coordinates(shapely.centroid(cells.geometry.to_numpy()))


@settings(max_examples=60)
@given(
    city=cities(),
    kind=st.sampled_from(["square", "hexagon"]),
    seed=st.integers(0, 2**32 - 1),
    target=st.floats(0.5, 50),
    empty=st.booleans(),
)
def test_groups_are_contiguous_and_in_one_community(
    city: gpd.GeoDataFrame, kind: str, seed: int, target: float, empty: bool
) -> None:
    cells = partition(city, kind=kind, size_m=150.0)
    shapes, community = cells.geometry.to_numpy(), cells["community_id"].to_numpy()
    weight = np.zeros(len(cells)) if empty else np.random.default_rng(seed).exponential(1, len(cells))
    targets = dict.fromkeys(np.unique(community).tolist(), target)
    group = contiguous_groups(community, place_of(cells), weight, neighbours(shapes), targets)
    assert sorted(set(group)) == list(range(group.max() + 1))
    for number in range(group.max() + 1):
        members = np.flatnonzero(group == number)
        assert len(set(community[members])) == 1
        # Joined along sides the union is one polygon whose inside hangs together.
        assert shapely.union_all(shapes[members]).geom_type == "Polygon"


@settings(max_examples=30)
@given(city=cities(), kind=st.sampled_from(["square", "hexagon"]))
def test_neighbours_are_those_with_a_common_side(city: gpd.GeoDataFrame, kind: str) -> None:
    cells = partition(city, kind=kind, size_m=200.0)
    shapes = cells.geometry.to_numpy()
    pairs = {tuple(pair) for pair in neighbours(shapes).tolist()}
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    left, right = left[left < right], right[left < right]
    border = shapely.length(shapely.intersection(shapely.boundary(shapes[left]), shapely.boundary(shapes[right])))
    if shapely.coverage_is_valid(city.geometry.to_numpy()):
        assert pairs == set(zip(left[border > 0].tolist(), right[border > 0].tolist(), strict=True))


def test_groups_weigh_about_the_target() -> None:
    """A square of 40 × 40 equal cells into 16: every group within a fifth of the target."""
    city = gpd.GeoDataFrame({"community_id": [1]}, geometry=[shapely.box(0, 0, 4_000, 4_000)], crs=32630)
    cells = partition(city, kind="square", size_m=100)
    weight = np.ones(len(cells))
    group = contiguous_groups(
        cells["community_id"].to_numpy(), place_of(cells), weight, neighbours(cells.geometry.to_numpy()), {1: 100.0}
    )
    counts = np.bincount(group)
    assert len(counts) == 16
    assert counts.min() >= 80
    assert counts.max() <= 120


def test_no_cells_no_groups() -> None:
    nothing = np.empty(0, dtype=np.int64)
    assert neighbours(np.empty(0, dtype=object)).shape == (0, 2)
    found = contiguous_groups(nothing, np.empty((0, 2)), np.empty(0), np.empty((0, 2), dtype=np.int64), {})
    assert found.tolist() == []

"""The partition: no gap, no overlap, each cell in one community, one closed polygon each."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DataQuality, InvalidInput
from grids.lattice import Lattice
from grids.partition import MOST_CELLS, SLIVER_SHARE, partition
from tests.property.cities import CRS, cities, sizes

KIND = st.sampled_from(["square", "hexagon"])


def areas_of(*shapes: shapely.Geometry, crs: int | None = CRS) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"community_id": range(1, len(shapes) + 1)}, geometry=list(shapes), crs=crs)


@settings(max_examples=80)
@given(data=st.data(), city=cities(), kind=KIND)
def test_cells_are_the_city(data: st.DataObject, city: gpd.GeoDataFrame, kind: str) -> None:
    cells = partition(city, kind=kind, size_m=data.draw(sizes(city)))
    shapes = cells.geometry.to_numpy()
    assert (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON).all()
    assert shapely.is_valid(shapes).all()
    assert not shapely.is_empty(shapes).any()
    boundary = shapely.union_all(city.geometry.to_numpy())
    assert cells["area_m2"].sum() == pytest.approx(boundary.area, rel=1e-9)
    assert np.allclose(cells["area_m2"], shapely.area(shapes), rtol=1e-12)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = left < right
    overlap = shapely.area(shapely.intersection(shapes[left[pairs]], shapes[right[pairs]]))
    assert overlap.sum() <= 1e-9 * boundary.area
    for identity, community in zip(city["community_id"], city.geometry, strict=True):
        own = cells[cells["community_id"] == identity]
        assert own["area_m2"].sum() == pytest.approx(community.area, rel=1e-9)
        outside = shapely.area(shapely.difference(own.geometry.to_numpy(), community))
        assert outside.sum() <= 1e-9 * community.area
        assert own["sequence"].tolist() == list(range(1, len(own) + 1))


@settings(max_examples=40)
@given(data=st.data(), city=cities(), kind=KIND)
def test_neighbours_share_their_corners_in_every_crs(data: st.DataObject, city: gpd.GeoDataFrame, kind: str) -> None:
    cells = partition(city, kind=kind, size_m=data.draw(sizes(city)))
    if shapely.coverage_is_valid(city.geometry.to_numpy()):
        assert shapely.coverage_is_valid(cells.geometry.to_numpy())
        assert shapely.coverage_is_valid(cells.geometry.to_crs(4326).to_numpy())


@settings(max_examples=40)
@given(data=st.data(), city=cities(), kind=KIND)
def test_a_small_cell_has_no_neighbour_to_join(data: st.DataObject, city: gpd.GeoDataFrame, kind: str) -> None:
    cells = partition(city, kind=kind, size_m=data.draw(sizes(city)))
    nominal = np.array([Lattice(kind, size).nominal_m2 for size in cells["size_m"]])
    for index in np.flatnonzero(cells["area_m2"] < SLIVER_SHARE * nominal):
        mine = cells.iloc[index]
        own = cells[(cells["community_id"] == mine["community_id"]) & (cells.index != index)].geometry
        border = own.boundary.intersection(mine["geometry"].boundary).length
        assert border.max() < 1e-6 if len(own) else True


@settings(max_examples=30)
@given(city=cities(), kind=KIND)
def test_the_sequence_runs_west_to_east_then_north_to_south(city: gpd.GeoDataFrame, kind: str) -> None:
    cells = partition(city, kind=kind, size_m=200.0)
    for _, own in cells.groupby("community_id"):
        assert (own["row"].diff().dropna() <= 0).all()
        for _, band in own.groupby("row"):
            assert (band.geometry.centroid.x.diff().dropna() >= -1e-6).all()


def test_the_same_city_gives_the_same_cells_twice() -> None:
    city = areas_of(shapely.Point(620_000, 5_615_000).buffer(900))
    first, second = (partition(city, kind="hexagon", size_m=100) for _ in range(2))
    assert first.equals(second)


def test_equal_sizes_align_across_communities() -> None:
    west, east = shapely.box(0, 0, 250, 200), shapely.box(250, 0, 500, 200)
    cells = partition(areas_of(west, east), kind="square", size_m=100)
    assert len(cells) == 6 + 6
    assert sorted(set(shapely.bounds(cells.geometry.to_numpy())[:, 0])) == [0, 100, 200, 250, 300, 400]


def test_a_square_city_on_the_lattice_is_cut_into_whole_squares_in_reading_order() -> None:
    cells = partition(areas_of(shapely.box(0, 0, 300, 200)), kind="square", size_m=100)
    assert [shape.bounds[:2] for shape in cells.geometry] == [
        (0, 100),
        (100, 100),
        (200, 100),
        (0, 0),
        (100, 0),
        (200, 0),
    ]


def test_parts_become_cells_of_their_own_and_slivers_join() -> None:
    teeth = shapely.union_all([shapely.box(0, 0, 100, 40), shapely.box(0, 40, 20, 100), shapely.box(80, 40, 100, 100)])
    cells = partition(areas_of(shapely.affinity.translate(teeth, 0, 60)), kind="square", size_m=100)
    assert sorted(cells["area_m2"].round()) == [1_200, 1_200, 4_000]  # two teeth on a foot
    sliver = partition(areas_of(shapely.box(0, 0, 204, 100)), kind="square", size_m=100)
    assert sliver["area_m2"].tolist() == [10_000, 10_400]
    assert shapely.is_valid(sliver.geometry.to_numpy()).all()


@pytest.mark.parametrize(
    ("kind", "size_m", "says"),
    [
        ("square", 0, "0 m wide"),
        ("hexagon", -5, "-5 m wide"),
        ("square", float("nan"), "nan m wide"),
        ("triangle", 100, "no grid of kind “triangle”"),
        ("square", 0.5, "4,000,000 cells"),
        ("square", {2: 100}, "No cell size was given for 1 communities, e.g. number 1"),
    ],
)
def test_what_cannot_be_cut_is_refused_in_words(kind: str, size_m: float | dict[int, float], says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        partition(areas_of(shapely.box(0, 0, 1_000, 1_000)), kind=kind, size_m=size_m)


def test_areas_that_cannot_be_cut_are_named() -> None:
    box = shapely.box(0, 0, 1_000, 1_000)
    with pytest.raises(InvalidInput, match="CRS in metres"):
        partition(areas_of(box, crs=4326), kind="square", size_m=100)
    with pytest.raises(InvalidInput, match="no community"):
        partition(areas_of(), kind="square", size_m=100)
    bow_tie = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    with pytest.raises(DataQuality, match=r"community 2: Self-intersection.*community 3 is no polygon"):
        partition(areas_of(box, bow_tie, shapely.Point(0, 0)), kind="square", size_m=100)
    with pytest.raises(DataQuality, match=r"1 and 2 share 5e\+05 m²"):
        partition(areas_of(box, shapely.box(500, 0, 2_000, 1_000)), kind="square", size_m=100)


def test_the_limit_is_the_documented_one() -> None:
    assert MOST_CELLS == 2_000_000

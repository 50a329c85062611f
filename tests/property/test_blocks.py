"""Street blocks: whatever the streets, the blocks are the communities again, and keep to the streets."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.errors import DataQuality, InvalidInput
from grids.blocks import blocks_at, street_blocks
from grids.border_reasons import reasons
from grids.built_up import BuiltUp
from grids.quality import check_cells

SRID = 32630
coordinate = st.integers(-20, 620).map(float)
point = st.tuples(coordinate, coordinate)
street = st.lists(point, min_size=2, max_size=4, unique=True)
TOWN = [(10, 0, 300, 610), (300, 0, 600, 610)]


def areas(boxes: list[tuple[float, float, float, float]] = TOWN) -> gpd.GeoDataFrame:
    shapes = [shapely.box(*box) for box in boxes]
    return gpd.GeoDataFrame({"community_id": range(1, len(shapes) + 1)}, geometry=shapes, crs=SRID)


def lines(drawn: list[list[tuple[float, float]]], kinds: list[str] | None = None) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(
        {"kind": kinds or ["street"] * len(drawn)}, geometry=[shapely.LineString(each) for each in drawn], crs=SRID
    )


def cut(drawn: gpd.GeoDataFrame, target_m2: float = 10_000.0) -> gpd.GeoDataFrame:
    return street_blocks(areas(), drawn, target_m2=target_m2, built_up=BuiltUp.of(drawn.geometry.to_numpy()))


@settings(max_examples=20)
@given(st.lists(street, min_size=1, max_size=12), st.sampled_from([2_000.0, 10_000.0, 60_000.0]))
def test_blocks_are_their_communities_again(drawn: list[list[tuple[float, float]]], target_m2: float) -> None:
    cells = cut(lines(drawn), target_m2)
    shapes = cells.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    assert (shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON).all()
    for community, area in zip((1, 2), areas().geometry, strict=True):
        own = shapes[(cells["community_id"] == community).to_numpy()]
        assert shapely.area(own).sum() == pytest.approx(area.area, rel=1e-9)
        assert shapely.area(shapely.union_all(own)) == pytest.approx(area.area, rel=1e-9)
        assert shapely.covers(shapely.buffer(area, 1e-6), own).all()
    card = check_cells(shapes, lines=lines(drawn).geometry.to_numpy(), boundary=shapely.box(10, 0, 600, 610))
    assert card.sound
    for _, sequence in cells.groupby("community_id")["sequence"]:
        assert sorted(sequence) == list(range(1, len(sequence) + 1))


MIXED = [
    [(245.0, -19.0), (190.0, 557.0), (464.0, 132.0)],
    [(11.0, 135.0), (337.0, 358.0), (55.0, 263.0)],
    [(446.0, 338.0), (170.0, 37.0), (476.0, 428.0)],
    [(54.0, 271.0), (260.0, 322.0), (174.0, 13.0), (-20.0, -20.0)],
]


@settings(max_examples=10)
@given(st.lists(street, min_size=1, max_size=8), st.sampled_from([2_000.0, 10_000.0]))
@example(MIXED, 2_000.0)
def test_the_same_streets_make_the_same_blocks_in_whatever_order(
    drawn: list[list[tuple[float, float]]], target_m2: float
) -> None:
    kinds = [("railway", "street", "path")[at % 3] for at in range(len(drawn))]
    once, again = cut(lines(drawn, kinds), target_m2), cut(lines(drawn[::-1], kinds[::-1]), target_m2)
    assert once.geometry.geom_equals_exact(again.geometry, 0.0).all()
    told, again_told = reasons(once, lines(drawn, kinds)), reasons(again, lines(drawn[::-1], kinds[::-1]))
    assert told["kind"].tolist() == again_told["kind"].tolist()
    assert told.is_valid.all()
    assert not told.duplicated(["left", "right", "kind", "name"]).any()


def chessboard(step: int = 100) -> list[list[tuple[float, float]]]:
    return [
        *([(x, -20.0), (x, 640.0)] for x in range(0, 620, step)),
        *([(-20.0, y), (620.0, y)] for y in range(0, 640, step)),
    ]


def test_a_chessboard_of_streets_makes_its_fields() -> None:
    cells = cut(lines(chessboard()))
    card = check_cells(cells.geometry.to_numpy(), lines=lines(chessboard()).geometry.to_numpy())
    assert card.border_on_line == pytest.approx(1.0)
    assert card.share_in_range is not None
    assert card.share_in_range > 0.95
    assert (cells["area_m2"] >= 500).all()


def test_the_strip_between_two_carriageways_joins_a_block() -> None:
    twice = [*chessboard(), [(-20.0, 304.0), (620.0, 304.0)]]
    cells = cut(lines(twice))
    width = 2 * cells["area_m2"] / cells.geometry.length
    assert width.min() > 9


def test_a_large_block_is_parted_along_its_path_before_it_is_cut() -> None:
    whole = [line for line in chessboard() if line[0][0] != 200 and line[0][1] != 300]
    halves = [[(200.0, -20.0), (200.0, 200.0)], [(200.0, 400.0), (200.0, 640.0)]]
    halves += [[(-20.0, 300.0), (100.0, 300.0)], [(300.0, 300.0), (620.0, 300.0)]]
    path = [(100.0, 290.0), (300.0, 290.0)]
    cells = cut(lines([*whole, *halves, path], ["street"] * (len(whole) + len(halves)) + ["path"]))
    block = cells[cells.within(shapely.box(99, 199, 301, 401))]
    assert sorted(block["area_m2"]) == pytest.approx([18_000.0, 22_000.0])


def test_a_roundabout_and_the_rim_of_the_boundary_are_no_cells() -> None:
    ring = shapely.Point(300, 300).buffer(25).exterior
    drawn = lines(chessboard())
    shapes = [*shapely.difference(drawn.geometry.to_numpy(), shapely.Polygon(ring)), ring]
    found = gpd.GeoDataFrame({"kind": "street", "oneway": 0}, index=range(len(shapes)), geometry=shapes, crs=SRID)
    found.loc[len(shapes) - 1, "oneway"] = 1
    wider = gpd.GeoDataFrame({"community_id": [1]}, geometry=[shapely.box(-18, -18, 618, 618)], crs=SRID)
    cells = street_blocks(wider, found, built_up=BuiltUp.of(found.geometry.to_numpy()))
    assert len(cells) == 36
    assert cells.area.min() > 9_000
    assert cells.area.sum() == pytest.approx(636.0**2, rel=1e-9)


def test_a_street_that_ends_a_hair_before_the_next_closes_its_block() -> None:
    short = [[(0.0, 0.0), (0.0, 600.0)], [(100.0, 0.0), (100.0, 600.0)], [(0.0, 0.0), (100.0, 0.0)]]
    short += [[(1e-4, float(y)), (100.0 - 1e-4, float(y))] for y in range(100, 700, 100)]
    area = gpd.GeoDataFrame({"community_id": [1]}, geometry=[shapely.box(0, 0, 100, 600)], crs=SRID)
    cells = street_blocks(area, lines(short), built_up=BuiltUp.of(lines(short).geometry.to_numpy()))
    assert len(cells) == 6


def test_more_border_on_no_line_brings_more_town_into_cells_of_lawful_size() -> None:
    coarse = lines(chessboard(300))
    shares = [0.0, 0.1, 0.3, 0.6]
    found = blocks_at(areas(), coarse, built_up=BuiltUp.of(coarse.geometry.to_numpy()), off_line_shares=shares)
    cards = [check_cells(cells.geometry.to_numpy(), lines=coarse.geometry.to_numpy()) for cells in found]
    in_range = [card.share_in_range or 0.0 for card in cards]
    assert in_range == sorted(in_range)
    assert in_range[-1] > in_range[0]
    assert all((card.border_on_line or 0) >= 1 - share - 1e-6 for card, share in zip(cards, shares, strict=True))


def test_every_border_says_why_it_is_there() -> None:
    whole = [line for line in chessboard() if line[0][0] != 200]
    drawn = lines([*whole, [(200.0, 100.0), (200.0, 400.0)]], ["street"] * len(whole) + ["path"])
    drawn["name"] = [f"Street {row + 1}" for row in range(len(drawn) - 1)] + [None]
    cells = street_blocks(areas(), drawn, built_up=BuiltUp.of(drawn.geometry.to_numpy()))
    told = reasons(cells, drawn)
    assert set(told["kind"]) <= {"street", "path", "community", "cut"}
    assert told.loc[told["kind"] == "street", "name"].str.startswith("Street").all()
    assert told.loc[told["kind"] == "cut", "name"].isna().all()
    outline = shapely.length(shapely.union_all(cells.geometry.to_numpy()))
    assert told["length_m"].sum() == pytest.approx((cells.length.sum() - outline) / 2, rel=1e-6)
    assert told["length_m"].to_numpy() == pytest.approx(told.length.to_numpy())
    alone = reasons(cells, drawn.iloc[:0])
    assert set(alone["kind"]) <= {"community", "cut"}


def test_islands_and_holes_are_cut_as_they_are() -> None:
    island = shapely.box(700, 0, 760, 60)
    holed = shapely.Polygon(shapely.box(0, 0, 600, 600).exterior, [shapely.box(220, 220, 280, 280).exterior])
    both = gpd.GeoDataFrame({"community_id": [1]}, geometry=[shapely.MultiPolygon([holed, island])], crs=SRID)
    cells = street_blocks(both, lines(chessboard()), built_up=BuiltUp.of(lines(chessboard()).geometry.to_numpy()))
    assert cells.area.sum() == pytest.approx(600**2 - 60**2 + 60**2, rel=1e-9)
    assert cells.geometry.is_valid.all()
    assert (cells.geom_type == "Polygon").all()


def test_a_boundary_around_one_building_is_one_cell_and_height_is_left_out() -> None:
    house = gpd.GeoDataFrame({"community_id": [1]}, geometry=[shapely.box(10, 10, 30, 22)], crs=SRID)
    high = gpd.GeoDataFrame({"kind": ["street"]}, geometry=[shapely.LineString([(0, 5, 3), (99, 5, 4)])], crs=SRID)
    cells = street_blocks(house, high, built_up=BuiltUp.of(high.geometry.to_numpy()))
    assert cells.area.tolist() == [240.0]
    assert not cells.has_z.any()


def test_a_dead_end_is_no_border_of_a_block_of_lawful_size() -> None:
    dead_end = [*chessboard(), [(150.0, 100.0), (150.0, 160.0)]]
    assert len(cut(lines(dead_end))) == len(cut(lines(chessboard())))


def test_what_cannot_be_cut_is_refused_in_words() -> None:
    good = lines(chessboard())
    with pytest.raises(InvalidInput, match="no street"):
        cut(good.iloc[:0])
    with pytest.raises(InvalidInput, match="same CRS"):
        street_blocks(areas(), good.set_crs(32631, allow_override=True), built_up=BuiltUp.of(np.empty(0, object)))
    with pytest.raises(InvalidInput, match="target"):
        cut(good, float("nan"))
    with pytest.raises(InvalidInput, match="kind"):
        cut(lines(chessboard()[:1], ["hedge"]))
    spot = gpd.GeoDataFrame({"kind": ["street"]}, geometry=[shapely.Point(1, 1)], crs=SRID)
    with pytest.raises(DataQuality, match="no lines"):
        street_blocks(areas(), spot, built_up=BuiltUp.of(np.empty(0, object)))
    twisted = gpd.GeoDataFrame(
        {"community_id": [1]}, geometry=[shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])], crs=SRID
    )
    with pytest.raises(DataQuality, match="cannot be cut"):
        street_blocks(twisted, good, built_up=BuiltUp.of(np.empty(0, object)))

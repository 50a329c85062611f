"""Cells of a file: what is planted is found with its place and area, and repaired cells fit, whatever was wrong."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from app.cli import grid
from core.errors import InvalidInput
from geodata import vector_files
from grids.crowding import check_crowding
from grids.edits import take_corners
from grids.ground import ground_of
from grids.importing import read_cells_of
from grids.quality import check_cells
from grids.topology import KINDS, Repaired, repair

X, Y, SIDE = 5e5, 6e6, 100.0
CRS = 32630


def field(column: float, row: float, wide: float = SIDE, high: float = SIDE) -> shapely.Polygon:
    x, y = X + SIDE * column, Y + SIDE * row
    return shapely.box(x, y, x + wide, y + high)


def board(size: int) -> np.ndarray:
    return np.array([field(column, row) for row in range(size) for column in range(size)], dtype=object)


def fits(found: Repaired, ground: shapely.Geometry) -> None:
    shapes = found.shapes
    assert shapely.is_valid(shapes).all()
    assert set(shapely.get_type_id(shapes)) == {3}
    assert shapely.area(shapes).sum() == pytest.approx(ground.area, rel=1e-9)
    assert shapely.symmetric_difference(shapely.union_all(shapes), ground).area < 1e-3
    card = check_cells(shapes, boundary=ground)
    assert card.sound
    assert repair(shapes, np.array([ground])).sound


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1), shift=st.floats(0, 8), lost=st.integers(0, 6), bows=st.integers(0, 3))
def test_repaired_cells_cover_their_ground_once(seed: int, shift: float, lost: int, bows: int) -> None:
    rng = np.random.default_rng(seed)
    cells = [shapely.affinity.translate(cell, *rng.normal(0, shift, 2)) for cell in board(6)]
    for _ in range(lost):
        del cells[int(rng.integers(len(cells)))]
    for at in rng.integers(0, len(cells), bows):
        ring = list(cells[at].exterior.coords)
        cells[at] = shapely.Polygon([ring[0], ring[2], ring[1], ring[3]])
    ground = field(0, 0, 6 * SIDE, 6 * SIDE)
    found = repair(np.array(cells, dtype=object), np.array([ground]))
    fits(found, ground)
    assert shapely.area(found.shapes).min() >= 500
    assert found.counts["self_intersection"] == len(set(np.flatnonzero(~shapely.is_valid(np.array(cells)))))
    assert set(found.row[found.row > 0]) <= set(range(1, len(cells) + 1))
    for fault in found.faults:
        assert fault.kind in KINDS
        assert fault.area_m2 >= 0
        if fault.shape is not None:
            assert shapely.dwithin(fault.shape, shapely.Point(fault.x, fault.y), 1e-6)


def test_what_is_planted_is_found_with_place_area_and_repair() -> None:
    cells = board(3)
    cells[0] = field(0, 0, wide=130)
    cells = np.delete(cells, 4)  # rows 5 to 8 are now the old 6 to 9
    bow = shapely.Polygon([(X + 300, Y), (X + 400, Y + 100), (X + 400, Y), (X + 300, Y + 100)])
    pair = shapely.MultiPolygon([field(3, 1), field(3.5, 2.5, 50, 50)])
    cells = np.append(cells, [bow, pair, field(3, 2, 10, 10), shapely.LineString([(X, Y), (X + 9, Y)])])
    found = repair(cells)
    told = {fault.kind: fault for fault in reversed(found.faults)}  # the largest of each kind
    assert found.counts == {
        "gap": 2, "overlap": 1, "sliver": 1, "self_intersection": 1, "parts": 1, "outside": 0, "across": 0,
        "no_surface": 1,
    }  # fmt: skip
    assert (told["gap"].area_m2, told["gap"].mend) == (10_000, "own_cell")
    assert field(1, 1).contains(shapely.Point(told["gap"].x, told["gap"].y))
    assert (told["overlap"].area_m2, told["overlap"].rows, told["overlap"].mend) == (3_000, (1, 2), "given")
    assert (told["sliver"].area_m2, told["sliver"].rows, told["sliver"].mend) == (100, (11,), "merged")
    assert (told["self_intersection"].rows, told["self_intersection"].mend) == ((9,), "untangled")
    assert (told["self_intersection"].x, told["self_intersection"].y) == (X + 350, Y + 50)
    assert (told["parts"].area_m2, told["parts"].rows) == (2_500, (10,))
    assert (told["no_surface"].rows, told["no_surface"].mend) == ((12,), "left_out")
    assert told["gap"].as_dict().keys() == {"kind", "area_m2", "x", "y", "rows", "mend", "heir"}


def test_cells_are_cut_at_community_lines_and_hairs_join() -> None:
    west, east = field(0, 0, 2 * SIDE, 2 * SIDE), field(2, 0, 2 * SIDE, 2 * SIDE)
    cells = np.array([field(0, 0, 2.02 * SIDE, 2 * SIDE), field(2.02, 0, 2.5 * SIDE, 2 * SIDE)], dtype=object)
    found = repair(cells, np.array([west, east]))
    assert found.counts["across"] == found.counts["outside"] == 1
    assert found.area.tolist() == [0, 1]
    assert found.row.tolist() == [1, 2]
    assert shapely.area(found.shapes).tolist() == pytest.approx([40_000, 40_000])
    hair = np.array([field(0, 0, 199.99, 200), field(2, 0, 200, 200)], dtype=object)
    mended = repair(hair, np.array([shapely.union_all([west, east])]))
    assert [(fault.kind, fault.mend) for fault in mended.faults] == [("gap", "joined")]
    assert len(ground_of(mended.shapes).pairs) == 1
    with pytest.raises(InvalidInput, match="outside the communities"):
        repair(cells, np.array([field(90, 90)]))
    with pytest.raises(InvalidInput, match="No row"):
        repair(np.array([shapely.Point(0, 0)], dtype=object))
    with pytest.raises(InvalidInput, match="0 cells"):
        repair(np.empty(0, dtype=object))


def test_a_small_file_that_would_never_end_is_refused() -> None:
    star = shapely.Polygon(np.random.default_rng(1).random((3_000, 2)) * SIDE)
    heap = np.array([field(0, 0)] * 1_000)
    rings = np.array([field(-at, -at, (1 + 2 * at) * SIDE, (1 + 2 * at) * SIDE) for at in range(400)])
    strips = [field(0, 3 * at, 900 * SIDE) for at in range(300)] + [
        field(3 * at, 0, SIDE, 900 * SIDE) for at in range(300)
    ]
    for cells in (np.array([star]), heap, rings, np.array(strips)):
        with pytest.raises(InvalidInput, match="many times over"):
            repair(cells)
    check_crowding(board(40))
    check_crowding(board(3))


@settings(max_examples=10)
@given(at=st.lists(st.floats(0.01, 0.99), min_size=1, max_size=5, unique=True), turn=st.floats(0, 3))
def test_a_corner_on_a_side_is_taken_over(at: list[float], turn: float) -> None:
    one = shapely.affinity.rotate(shapely.box(24.90, 60.10, 24.91, 60.11), turn, origin=(24.91, 60.11))
    ring = np.array(one.exterior.coords)
    corners = [ring[0] + share * (ring[1] - ring[0]) for share in sorted(at)]
    away = ring[0] + 2 * (ring[0] - ring[3])
    other = shapely.Polygon([ring[0], *corners, ring[1], away + ring[1] - ring[0], away])
    rows, shapes = take_corners(np.array([one]), np.array([other]))
    assert rows.tolist() == [0]
    assert {tuple(each) for each in corners} <= set(shapes[0].exterior.coords)
    assert shapes[0].symmetric_difference(one).area < 1e-14
    assert len(take_corners(shapes, np.array([other]))[0]) == 0
    assert len(take_corners(shapes, np.empty(0, dtype=object))[0]) == 0


def test_a_file_from_check_to_repaired(tmp_path: Path) -> None:
    commands = typer.Typer()
    grid.register(commands, groups := {"grid": typer.Typer()})  # the whole command line costs seconds to import
    commands.add_typer(groups["grid"], name="grid")
    cells = board(4)
    cells[5] = field(1, 1, wide=90)
    path, out = tmp_path / "cells.gpkg", tmp_path / "sound.gpkg"
    gpd.GeoDataFrame({"code": [f"X-{at:05d}" for at in range(1, 17)]}, geometry=cells, crs=CRS).to_file(path)
    card = json.loads(CliRunner().invoke(commands, ["grid", "check", str(path), "--json"]).stdout)
    assert card["gaps"] == 1
    assert [(each["kind"], each["mend"]) for each in card["repair"]] == [("gap", "own_cell")]
    refused = CliRunner().invoke(commands, ["grid", "make", "file", str(path), "--out", str(out)])
    assert "--repair" in getattr(refused.exception, "hint", "")
    assert not out.exists()
    made = CliRunner().invoke(commands, ["grid", "make", "file", str(path), "--out", str(out), "--repair", "--json"])
    facts = json.loads(made.stdout)
    assert (facts["cells"], facts["faults"]) == (17, {"gap": 1})
    assert facts["area_m2"] == pytest.approx(160_000, rel=1e-3)
    again = json.loads(CliRunner().invoke(commands, ["grid", "check", str(out), "--json"]).stdout)
    assert again["ok"]
    assert again["repair"] == []


def test_bad_files_are_refused_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vector_files, "UNPACKED_SHARE", 2)
    metres = tmp_path / "metres.geojson"
    metres.write_text(json.dumps({"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(field(0, 0))}]}))  # fmt: skip
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("cells.geojson", b" " * (3 << 20))
    bare = tmp_path / "bare.zip"
    shape = tmp_path / "bare.shp"
    gpd.GeoDataFrame(geometry=board(2), crs=CRS).to_file(shape)
    with zipfile.ZipFile(bare, "w") as archive:
        for ending in (".shp", ".shx", ".dbf"):
            archive.write(shape.with_suffix(ending), f"bare{ending}")
    for path, said in ((metres, "no longitude"), (bomb, "unpacks"), (bare, "coordinate reference")):
        with pytest.raises(InvalidInput, match=said):
            read_cells_of(path)
    high = tmp_path / "high.gpkg"
    gpd.GeoDataFrame(geometry=shapely.force_3d(board(2), 7.0), crs=CRS).to_file(high)
    assert not shapely.has_z(read_cells_of(high).geometry).any()

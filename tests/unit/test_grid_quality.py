"""The quality card finds what is planted, and names its place."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from typer.testing import CliRunner

from app.cli import build
from app.cli.grid_files import check_file, make_file, read_cells, repair_file
from core.errors import InvalidInput
from core.progress import Silent
from geodata.crs import project
from grids.quality import check_cells

SRID = 32630
HOME = (600_000.0, 5_600_000.0)


def field(column: int, row: int, width: float = 100.0, height: float = 100.0) -> shapely.Polygon:
    x, y = HOME[0] + 100.0 * column, HOME[1] + 100.0 * row
    return shapely.box(x, y, x + width, y + height)


def board(size: int = 3) -> np.ndarray:
    return np.array([field(column, row) for row in range(size) for column in range(size)], dtype=object)


def streets(size: int = 3) -> np.ndarray:
    ends = np.arange(size + 1) * 100.0
    far = 100.0 * size
    pairs = [((0, at), (far, at)) for at in ends] + [((at, 0), (at, far)) for at in ends]
    return np.array([shapely.LineString(np.array(each) + HOME) for each in pairs], dtype=object)


def test_a_sound_board_has_no_fault() -> None:
    card = check_cells(board(), lines=streets())
    assert card.sound
    assert card.counts == {"gaps": 0, "overlaps": 0, "slivers": 0}
    assert card.border_on_line == pytest.approx(1.0)
    assert card.share_in_range == pytest.approx(1.0)
    assert card.compactness == pytest.approx(np.pi / 4)


def test_a_hole_in_the_middle_is_a_gap_with_its_place() -> None:
    card = check_cells(np.delete(board(), 4))
    assert [fault.area_m2 for fault in card.gaps] == [10_000.0]
    assert field(1, 1).contains(shapely.Point(card.gaps[0].x, card.gaps[0].y))
    corner = check_cells(np.delete(board(), 0), boundary=shapely.union_all(board()))
    assert corner.counts["gaps"] == 1
    assert check_cells(np.delete(board(), 0)).counts["gaps"] == 0


def test_an_overlap_names_both_cells() -> None:
    cells = board()
    cells[0] = field(0, 0, width=130.0)
    card = check_cells(cells)
    assert [(fault.area_m2, fault.cells) for fault in card.overlaps] == [(3_000.0, (1, 2))]
    assert not card.sound


def test_slivers_and_invalid_cells_are_listed() -> None:
    bow = shapely.Polygon([(0, 0), (10, 10), (10, 0), (0, 10)])
    card = check_cells(np.array([*board(), field(3, 0, width=2.0), bow, shapely.Point(0, 0)], dtype=object))
    assert [fault.cells for fault in card.slivers] == [(10,)]
    assert [row for row, _ in card.invalid] == [11, 12]
    assert card.as_dict()["invalid"] == 2


def test_a_border_beside_the_street_is_not_on_it() -> None:
    moved = np.array([shapely.affinity.translate(line, 3.0, 3.0) for line in streets()], dtype=object)
    card = check_cells(board(), lines=moved)
    assert card.border_on_line == pytest.approx(0.0, abs=0.05)


def test_nothing_to_check_is_said() -> None:
    with pytest.raises(InvalidInput, match="no cell"):
        check_cells(np.empty(0, dtype=object))


def geojson(path: Path, shapes: np.ndarray) -> Path:
    degrees = project(shapes, 4326, SRID)
    features = [
        {"type": "Feature", "properties": {"highway": "residential"}, "geometry": json.loads(shapely.to_geojson(each))}
        for each in degrees
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


@pytest.mark.parametrize("ending", [".gpkg", ".geojson", ".parquet"])
def test_cells_are_made_and_checked_on_files_alone(tmp_path: Path, ending: str) -> None:
    roads = geojson(tmp_path / "streets.geojson", streets(6))
    boundary = geojson(tmp_path / "boundary.geojson", np.array([shapely.union_all(board(6))], dtype=object))
    out = tmp_path / f"cells{ending}"
    command = ["grid", "make", "--kind", "block", "--boundary", str(boundary), "--streets", str(roads)]
    made = CliRunner().invoke(build(), [*command, "--out", str(out), "--json"])
    assert made.exit_code == 0, made.output
    facts = json.loads(made.stdout)
    assert facts["cells"] == 36
    assert facts["area_m2"] == pytest.approx(facts["boundary_area_m2"], rel=1e-9)
    found = CliRunner().invoke(build(), ["grid", "check", str(out), "--streets", str(roads), "--json"])
    card = json.loads(found.stdout)
    assert card["ok"], card["faults"]
    assert card["border_on_line"] > 0.99
    assert not list(tmp_path.glob("*.part*"))


def test_bad_files_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "cells.gpkg"
    nothing = tmp_path / "none.geojson"
    for arguments in (
        ["make", "--kind", "block", "--out", str(out)],
        ["make", "--kind", "block", "--streets", str(nothing), "--out", str(out)],
        ["make", "--kind", "square", "--boundary", str(nothing), "--out", str(out)],
        ["make", "--kind", "block", "--streets", str(nothing)],
        ["make", "--kind", "block", "--streets", str(nothing), "--out", str(tmp_path / "cells.exe")],
        ["check", str(nothing)],
    ):
        answer = CliRunner().invoke(build(), ["grid", *arguments])
        assert answer.exit_code != 0, arguments
        assert not out.exists()


def test_hostile_files_of_cells_are_refused_in_words(tmp_path: Path) -> None:
    """What cannot be cells ends with 2 and a sentence, whichever command reads it; nothing is written."""
    box = shapely.box(0, 0, 0.001, 0.001)
    broken = shapely.Polygon([(0, 0), (float("inf"), 0), (1, 1)])
    frames = {
        "nan.parquet": gpd.GeoDataFrame(geometry=[box, broken], crs=4326),
        "bare.parquet": gpd.GeoDataFrame(geometry=[box]),
        "null.parquet": gpd.GeoDataFrame({"a": [1]}, geometry=[None], crs=4326),
        "far.parquet": gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 1e308, 1)], crs=4326),
    }
    for name, frame in frames.items():
        frame.to_parquet(tmp_path / name)
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "table.parquet")
    (tmp_path / "text.parquet").write_text("hello", encoding="utf-8")
    geojson(tmp_path / "good.geojson", board())
    out = tmp_path / "cells.gpkg"
    for name, said in (
        ("nan.parquet", "no numbers"),
        ("bare.parquet", "coordinate system"),
        ("null.parquet", "surface"),
        ("far.parquet", "longitude and latitude"),
        ("table.parquet", "GeoParquet"),
        ("text.parquet", "GeoParquet"),
        ("nowhere.parquet", "no file"),
    ):
        for read in (
            lambda path: check_file(path, streets=None, boundary=None),
            lambda path: repair_file(path, out, boundary=None, mend=True),
        ):
            with pytest.raises(InvalidInput, match=said):
                read(tmp_path / name)
    with pytest.raises(InvalidInput, match="no folder"):
        repair_file(tmp_path / "good.geojson", tmp_path / "nowhere" / "cells.gpkg", boundary=None, mend=True)
    assert not out.exists()


def test_a_hole_that_touches_the_rim_comes_back_out_of_geojson_in_whole_cells(tmp_path: Path) -> None:
    at = np.arange(6) / 1_000
    drawn = [[(x, -0.001), (x, 0.006)] for x in at] + [[(-0.001, y), (0.006, y)] for y in at]
    roads, rim, out = (tmp_path / f"{name}.geojson" for name in ("roads", "rim", "cells"))
    gpd.GeoDataFrame({"highway": "road"}, index=range(12), geometry=shapely.linestrings(drawn), crs=4326).to_file(roads)
    hole = [(0.002, 0), (0.003, 0.001), (0.002, 0.002), (0.001, 0.001)]
    holed = shapely.Polygon(shapely.box(0, 0, 0.005, 0.005).exterior, [hole])
    rim.write_text(shapely.to_geojson(holed), encoding="utf-8")
    make_file("block", out, boundary=rim, streets=roads, size_m=None, target_m2=10_000.0, progress=Silent())
    assert len(read_cells(out)) == 25


@pytest.mark.parametrize(
    ("ground", "what"),
    [
        (shapely.box(8.0, 60.0, 8.01, 60.01), "No street of the file runs inside"),
        (shapely.box(8.0, 50.0, 8.0002, 50.0001), "smallest cell"),
    ],
    ids=["far from all streets", "one building"],
)
def test_a_boundary_that_makes_no_blocks_is_refused(tmp_path: Path, ground: shapely.Geometry, what: str) -> None:
    rim, roads, out = (tmp_path / name for name in ("rim.gpkg", "roads.gpkg", "out.gpkg"))
    gpd.GeoDataFrame(geometry=[ground], crs=4326).to_file(rim)
    street = shapely.LineString([(7.99, 50.00005), (8.02, 50.00005)])
    gpd.GeoDataFrame(geometry=[street], crs=4326).to_file(roads)
    with pytest.raises(InvalidInput, match=what) as caught:
        make_file("block", out, boundary=rim, streets=roads, size_m=None, target_m2=10_000.0, progress=Silent())
    assert caught.value.hint
    assert caught.value.zh
    assert not out.exists()

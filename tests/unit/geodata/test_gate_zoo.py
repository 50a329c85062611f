"""A zoo of broken files, built here: each gets its own plain sentence, or is read for what it is; nothing crashes."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from core.errors import GridkeeperError, InvalidInput
from geodata import exchange_unpack, quarantine
from geodata.exchange import Chunk, FieldSpec, Role, Spec, Type
from geodata.exchange_check import Checker
from geodata.exchange_open import opened
from geodata.exchange_place import Ground, guess_places
from geodata.exchange_understand import Overrides
from tests.halves import EAST, MIDDLE, NORTH, SOUTH, WEST

GROUND = Ground("Small City", shapely.box(WEST, SOUTH, EAST, NORTH), 32630, "Europe/London", np.empty(0, dtype=object))
POINTS = gpd.GeoDataFrame(
    {"名称": ["一号井盖", "二号井盖"], "n": [1, 2]},
    geometry=shapely.points([[MIDDLE, 50.69], [MIDDLE, 50.695]]),
    crs=4326,
)


def read(path: Path, **said: str) -> tuple[list[dict[str, str | None]], Chunk]:
    with opened(path, **said) as source:
        chunks = list(source.chunks())
    rows = [
        {name: cells[at].as_py() for name, cells in each.columns.items()} for each in chunks for at in range(len(each))
    ]
    return rows, chunks[0]


def check(path: Path, spec: Spec | None = None):
    with opened(path) as source:
        first = next(source.chunks())
        spec = spec or Spec(tuple(FieldSpec(each, each) for each in source.layout.headings))
        spec, guesses = guess_places(spec, first, source.layout.crs, GROUND, path.name)
        return Checker(spec, GROUND, path.name).check(first), spec, guesses


def zipped(path: Path, **parts: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "."), content)
    return path


def shapefile(folder: Path, *, without: tuple[str, ...] = (), encoding: str = "gb18030", frame=POINTS) -> Path:
    frame.to_file(folder / "a.shp", encoding=encoding)
    parts = {each.suffix: each.read_bytes() for each in folder.glob("a.*") if each.suffix not in (*without, ".zip")}
    return zipped(folder / "a.zip", **{f"a{suffix.replace('.', '__')}": content for suffix, content in parts.items()})


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", b"", "a.csv is empty"),
        ("a.csv", b"\r\n \r\n", "a.csv is empty"),
        ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40, "holds binary data"),
        ("a.csv.gz", gzip.compress(bytes(range(33, 126)) * 90)[:-30], "cut short"),
        ("a.csv.gz", b"not packed at all", "no gzip file"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "before 2007"),
        ("a.xlsx", b"PK\x03\x04 cut", "no readable Excel workbook"),
        ("a.pdf", b"%PDF-1.4", "printed page"),
        ("a.zip", b"PK\x03\x04 cut", "no readable zip"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [{"type"', "no readable GeoJSON"),
        ("a.geojson", b"<html>Not found</html>", "not what its ending"),
        ("a.gpkg", b"SQLite format 3\x00" + b"\x00" * 84, "no readable GeoPackage"),
        ("a.parquet", b"PAR1 cut PAR1", "no readable Parquet"),
        ("a.fgb", b"fgb\x03fgb\x00", "holds no layer"),
        ("a.jsonl", b'{"a": 1}\n{"a": \n', "JSON in line 2"),
        ("a.jsonl", b"[1, 2]\n", "no object with keys"),
        ("a.kml", b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><kml>&b;</kml>', "declares entities"),
        ("a.kml", b"<!--" + b" " * 200_000 + b'--><!DOCTYPE x [<!ENTITY a "ha">]><kml>&a;</kml>', "declares entities"),
        ("a.kml", '<!DOCTYPE x [<!ENTITY a "ha">]><kml>&a;</kml>'.encode("utf-16"), "declares entities|not what its"),
        ("a.gml", b'<?xml version="1.0" encoding="GB18030"?>' + b" " * 200_000 + b'<!DOCTYPE x [<!ENTITY a "h">]><x/>',
         "declares entities"),
        ("a.kml", b"<kml><Document><Placemark>", "no readable KML|no layer"),
        ("a.osm.pbf", b"\x00\x00\x00\x0d rubbish", "no readable OpenStreetMap"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_in_a_sentence(tmp_path: Path, name: str, content: bytes, sentence: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=sentence) as refused:
        rows, _ = read(path)
        if not rows:
            raise InvalidInput(f"{name} has no rows.")
    assert "Traceback" not in str(refused.value)
    assert len(str(refused.value)) < 400


def test_archives_that_lead_out_or_blow_up_are_not_unpacked(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(exchange_unpack, "_SHARE", 2)
    for evil in ("../../evil.kml", "/etc/evil.kml", "C:\\evil.kml", "a/../../evil.kml", "."):
        path = tmp_path / "a.kmz"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(evil, "<kml/>")
        with pytest.raises(InvalidInput, match="outside its folder"):
            read(path)
    bomb = zipped(tmp_path / "b.zip", a__csv=b"0" * (3 << 20))
    with pytest.raises(InvalidInput, match="far more than it is"):
        read(bomb)
    with pytest.raises(InvalidInput, match="holds no data set"):
        read(zipped(tmp_path / "c.zip", readme__md=b"hello"))


def test_a_timetable_gives_its_stops(tmp_path: Path) -> None:
    stops = b"stop_id,stop_name,stop_lat,stop_lon\nS1,Pier,50.69,-1.29\n"
    path = zipped(tmp_path / "a.zip", stops__txt=stops, routes__txt=b"route_id\nR1\n")
    assert read(path)[0] == [{"stop_id": "S1", "stop_name": "Pier", "stop_lat": "50.69", "stop_lon": "-1.29"}]
    assert read(path, layer="routes")[0] == [{"route_id": "R1"}]


def test_a_shapefile_without_its_code_page_or_projection(tmp_path: Path) -> None:
    rows, first = read(shapefile(tmp_path, without=(".cpg",)))
    assert rows[0]["名称"] == "一号井盖"
    assert first.shapes is not None
    checked, spec, guesses = check(shapefile(tmp_path, without=(".prj", ".cpg")))
    assert spec.crs == "EPSG:4326"
    assert checked.good.all()
    assert any("longitude and latitude" in each.reason for each in guesses)


def test_a_wrong_projection_puts_every_row_outside(tmp_path: Path) -> None:
    frame = POINTS.set_crs(32650, allow_override=True)
    checked, _, _ = check(shapefile(tmp_path, frame=frame))
    assert not checked.good.any()
    assert {each.rule for each in checked.violations} <= {"inside", "place"}


def test_a_datum_nobody_ties_to_wgs84_is_refused(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame(geometry=shapely.points([[116.4, 39.9]]), crs=4610)
    path = tmp_path / "a.gpkg"
    frame.to_file(path)
    with pytest.raises(InvalidInput, match="is not published"):
        check(path)


def test_shapes_of_every_kind_of_wrong(tmp_path: Path) -> None:
    inside = {"type": "Point", "coordinates": [MIDDLE, 50.69, 12.5]}
    bow = {
        "type": "Polygon",
        "coordinates": [[[-1.3, 50.685], [-1.28, 50.695], [-1.28, 50.685], [-1.3, 50.695], [-1.3, 50.685]]],
    }
    shapes = [
        inside, None, bow, {"type": "Point", "coordinates": []}, {"type": "Point", "coordinates": [1e308, 1]},
        {"type": "LineString", "coordinates": [[179.9, 0], [-179.9, 0]]},
        {"type": "GeometryCollection", "geometries": []},
    ]  # fmt: skip
    features = [{"type": "Feature", "properties": {"n": n}, "geometry": each} for n, each in enumerate(shapes)]
    path = tmp_path / "a.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    checked, _, _ = check(path)
    assert checked.good.tolist() == [True] + [False] * 6
    assert checked.shapes is not None
    assert not shapely.has_z(checked.shapes[0])
    rules = {each.row: each.rule for each in checked.violations}
    assert rules == {1: "place", 2: "shape", 3: "place", 4: "place", 5: "inside", 6: "place"}
    assert next(each for each in checked.violations if each.rule == "shape").repair.startswith("MULTIPOLYGON")


def test_cells_of_every_kind_of_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("﻿id,n,t\r\n1,nan,a\n2,inf,b\r\n3,1e308,c\r4,1e999,d\n5,-,e\n6,７８,f\n".encode())
    fields = (FieldSpec("id", "id", Type.INTEGER), FieldSpec("n", "n", Type.NUMBER), FieldSpec("t", "t"))
    checked, _, _ = check(path, Spec(fields))
    assert checked.good.tolist() == [False, False, True, False, False, True]
    assert checked.values["n"].to_pylist() == [None, None, 1e308, None, None, 78]
    path.write_bytes(b"id,t\n1,a\x00b\n2," + b"x" * 200_000 + b"\n3,\xff\xfe\n4," + "é".encode() * 50 + b"\n5,fine\n")
    checked, _, _ = check(path)
    assert checked.good.tolist() == [False, False, False, True, True]
    assert all("\x00" not in each.value + each.repair for each in checked.violations)


@pytest.mark.slow
def test_a_cell_of_ten_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,t\n1,a\x00b\n2," + b"x" * (10 << 20) + b"\n")
    checked, _, _ = check(path)
    assert not checked.good.any()
    path.write_bytes(b"id,t\n1,a\n2," + b"x" * (20 << 20) + b"\n")
    with pytest.raises(InvalidInput, match="longer than 8 MB"):
        read(path)


def test_headings_of_every_kind(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("name,name,,name\n1,2,3,4\nx,y\n5,6,7,8\n")
    rows, first = read(path)
    assert list(rows[0]) == ["name", "name (2)", "column 3", "name (3)"]
    assert [row["name"] for row in rows] == ["1", "5"]
    assert first.broken[0][0] == 2
    assert first.row_numbers.tolist() == [1, 3]
    book = Workbook()
    for row in (
        ["街道人口统计表", None, None, None],
        ["街道", "人口", None, "面积"],
        [None, "男", "女", None],
        ["东街", 12, "=B4+1", 3.5],
    ):
        book.active.append(row)
    book.active.merge_cells("B2:C2")
    book.save(tmp_path / "a.xlsx")
    rows, _ = read(tmp_path / "a.xlsx")
    assert rows == [{"街道": "东街", "人口 男": "12", "人口 女": None, "面积": "3.5"}]


def test_folders_of_this_machine_are_not_told(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read /etc/passwd"}')
    with pytest.raises(InvalidInput, match="a.json is no readable GeoJSON") as refused:
        read(path)
    assert str(tmp_path.parent) not in str(refused.value)
    twice = zipped(tmp_path / "t.zip", a=b"x", **{"a/b__csv": b"a,b\n"})
    with pytest.raises(InvalidInput, match="t.zip is no readable zip") as refused:
        read(twice)
    assert "gk-unpacked" not in str(refused.value)


def test_nothing_in_a_sheet_of_quarantine_is_run_and_all_comes_back_as_it_was() -> None:
    evil = ('=HYPERLINK("http://x")', "@SUM(A1)", "-1+2", "＝1+1", "'=1", "''-a", "\n=1", "\t=1")
    wrong = [{"field": evil[0], "sentence": f"{evil[0]} has to be a number.", "repair": ""}]
    row = quarantine.QuarantinedView(1, 1, 1, 1, dict.fromkeys(evil, "=1+1") | {evil[4]: "-1.5"}, wrong, "open", 1)
    text = quarantine.as_csv([row], evil)
    read_back = list(csv.reader(io.StringIO(text, newline="")))
    cells = [cell for line in read_back for cell in line]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "+", "＝", "\t", "\n"))]
    assert "-1.5" in cells  # a number stays one
    plain = [[quarantine._as_typed(cell) for cell in line[3:]] for line in read_back]
    assert plain[0] == list(evil)
    assert plain[1] == [row.raw[each] for each in evil]


def test_formulas_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('id,t\n1,=HYPERLINK("http://x")\n2,@SUM(A1)\n')
    assert [row["t"] for row in read(path)[0]] == ['=HYPERLINK("http://x")', "@SUM(A1)"]


@pytest.mark.parametrize("driver", ["GPKG", "FlatGeobuf", "GeoJSON", "KML", "DXF", "OpenFileGDB"])
def test_every_map_format_gives_its_places(tmp_path: Path, driver: str) -> None:
    ending = {
        "GPKG": "gpkg",
        "FlatGeobuf": "fgb",
        "GeoJSON": "geojson",
        "KML": "kml",
        "DXF": "dxf",
        "OpenFileGDB": "gdb",
    }[driver]
    frame = POINTS[["geometry"]] if driver == "DXF" else POINTS
    frame.to_file(tmp_path / f"a.{ending}", driver=driver)
    path = tmp_path / f"a.{ending}"
    if driver == "OpenFileGDB":
        parts = {f"a.gdb/{each.name}": each.read_bytes() for each in path.iterdir()}
        with zipfile.ZipFile(tmp_path / "g.zip", "w") as archive:
            for name, content in parts.items():
                archive.writestr(name, content)
        path = tmp_path / "g.zip"
    checked, spec, _ = check(path)
    assert checked.good.tolist() == [True, True]
    assert spec.crs in {"EPSG:4326", "OGC:CRS84"}


def test_overrides_travel() -> None:
    spec = Spec((FieldSpec("a", "a", Type.NUMBER, Role.LON),), places="pair", key=("a",), rules=({"rule": "required"},))
    assert Spec.of(json.loads(json.dumps(spec.as_dict()))) == spec
    assert Overrides().key is None


@settings(max_examples=25)
@given(
    content=st.binary(max_size=400),
    ending=st.sampled_from([".csv", ".tsv", ".jsonl", ".geojson", ".xlsx", ".zip", ".parquet", ".csv.gz"]),
)
@example(content=b'a,b\n"', ending=".csv")
@example(content=b"\xff\xfe", ending=".csv")
@example(content=b"a\x00,\x00", ending=".csv")
def test_no_bytes_bring_the_readers_down(tmp_path_factory, content: bytes, ending: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"fuzz{ending}"
    path.write_bytes(content)
    with contextlib.suppress(GridkeeperError), opened(path) as source:
        for _ in source.chunks():
            pass


@settings(max_examples=15)
@given(
    rows=st.lists(
        st.tuples(*[st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=12)] * 3),
        min_size=1,
        max_size=20,
    )
)
def test_what_is_written_as_csv_is_read_back(tmp_path_factory, rows) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["id", "甲", "乙"], *([f"k{n}", *row[1:]] for n, row in enumerate(rows))])
    path = tmp_path_factory.getbasetemp() / "round.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    found, first = read(path, delimiter=",")
    assert not first.broken
    assert [row["id"] for row in found] == [f"k{n}" for n in range(len(rows))]

"""Files as they come: encodings, separators, broken ones."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from openpyxl import Workbook

from core.errors import InvalidInput
from geodata.files import decode, read_table

TEXT = "编号,类别,说明\n1,暴露垃圾,中山路口有垃圾\n2,路灯,不亮\n"


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("gbk", "GB18030"), ("gb18030", "GB18030"), ("utf-16", "UTF-16")],
)
def test_chinese_text_is_read_in_any_usual_encoding(tmp_path: Path, encoding: str, said: str) -> None:
    table = read_table(write(tmp_path, "a.csv", TEXT.encode(encoding)))
    assert list(table.columns) == ["编号", "类别", "说明"]
    assert table.columns["类别"].tolist() == ["暴露垃圾", "路灯"]
    assert table.form == f"CSV, {said}"


@pytest.mark.parametrize("text", ["Café à Montréal, île", "Straße, Müll, größer", "señor, año, niño"])
def test_western_text_is_not_mistaken_for_chinese(text: str) -> None:
    assert decode(text.encode("cp1252"), "a.csv") == (text, "Windows-1252")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    content = f'"a, b"{separator}c\n1{separator}2\n'.encode()
    assert list(read_table(write(tmp_path, "a.csv", content)).columns) == ["a, b", "c"]


def test_lines_inside_quotes_and_leading_zeros_stay(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a.csv", b'id,note\n007,"two\nlines"\n'))
    assert table.columns["id"].tolist() == ["007"]
    assert table.columns["note"].tolist() == ["two\nlines"]


def test_gzip_is_opened(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "my.file.csv.gz", gzip.compress(b"a,b\n1,2\n")))
    assert (len(table), table.stem) == (1, "my")


def test_formula_like_text_stays_text(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a.csv", b"a\n=1+1\n@SUM(A1)\n+7\n"))
    assert table.columns["a"].tolist() == ["=1+1", "@SUM(A1)", "+7"]


def test_excel_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    pd.DataFrame({"id": [1, 2], "when": pd.to_datetime(["2025-03-05 08:00", None]), "lon": [1.5, None]}).to_excel(
        path, index=False
    )
    table = read_table(path)
    assert table.columns["id"].tolist() == ["1", "2"]
    assert table.columns["when"].tolist() == ["2025-03-05T08:00:00", ""]
    assert table.columns["lon"].tolist() == ["1.5", ""]


def test_map_files_come_in_degrees(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    points = gpd.GeoDataFrame({"class": ["路灯"]}, geometry=[shapely.Point(-1.3, 50.7)], crs=4326).to_crs(27700)
    points.to_file(path)
    table = read_table(path)
    assert table.geometry is not None
    assert (round(table.geometry[0].x, 6), round(table.geometry[0].y, 6)) == (-1.3, 50.7)
    assert table.columns["class"].tolist() == ["路灯"]


def test_a_map_file_without_coordinate_system_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    gpd.GeoDataFrame({"a": [1]}, geometry=[shapely.Point(1, 2)]).to_file(path)
    with pytest.raises(InvalidInput, match=r"a\.gpkg does not say its coordinate system"):
        read_table(path)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\n \n", "is empty"),
        ("a.csv", b"a,b\n", "has no rows"),
        ("a.csv.gz", gzip.compress(b"a,b\n" + os.urandom(2000).hex().encode())[:-300], "cut short"),
        ("a.csv.gz", b"a,b\n1,2\n", "no gzip file"),
        ("a.csv", bytes(range(256)) * 40, "no text|binary data"),
        ("a.csv", b"\x89PNG\r\n\x1a\n" + bytes(100), "no text|binary data"),
        ("a.csv", b'a,b\n1,"2\n3,4\n', r"breaks as a table.*"),
        ("a.csv", b"a,b\n1,2\n1,2,3\n", "line 3"),
        ("a.xlsx", b"PK\x03\x04 broken", "no readable Excel workbook"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [', "cannot be read as a map file"),
        ("a.gpkg", b"SQLite format 3\x00 broken", "cannot be read as a map file"),
        ("a.docx", b"x", "of this kind cannot be read"),
    ],
)
def test_broken_files_are_refused_by_name(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises(InvalidInput, match=said) as refused:
        read_table(write(tmp_path, name, content))
    assert name in str(refused.value)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"There is no file .*nowhere\.csv"):
        read_table(tmp_path / "nowhere.csv")


@pytest.mark.parametrize(("row", "column"), [(60_000, 16_384), (2, 1_500)])
def test_a_cell_far_out_does_not_fill_the_memory(tmp_path: Path, row: int, column: int) -> None:
    """Every row is as wide as the widest: 5 KB of a workbook took 6 GB."""
    book = Workbook()
    sheet = book.active
    sheet.append(["code", "name"])
    sheet.append(["1", "x"])
    sheet.cell(row, column).value = "far out"
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(InvalidInput, match="too large for a table"):
        read_table(tmp_path / "a.xlsx")


def test_a_long_sheet_is_read(tmp_path: Path) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for number in range(3_000):
        sheet.append([f"c{number}", "x", None])
    book.save(tmp_path / "a.xlsx")
    assert len(read_table(tmp_path / "a.xlsx")) == 2_999

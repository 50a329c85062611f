"""Older lists and crosswalks of codes as files: read line by line, written without formulas."""

from __future__ import annotations

import csv
import io

import pytest

from app.code_parts import pattern_html
from core.errors import InvalidInput
from grids.code_lists import LINK, crosswalk_csv, read_rows


def test_rows_are_read_with_their_lines() -> None:
    assert read_rows('\ufeffold_code,new_code,note\r\nA-1,B-1,"two\nlines"\r\n\r\n A-2 ,B-2\r\n', LINK) == [
        (3, {"old_code": "A-1", "new_code": "B-1"}),
        (5, {"old_code": "A-2", "new_code": "B-2"}),
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "has no column old_code"),
        ("old_code;new_code\nA;B\n", "has no column old_code"),
        ("old_code,new_code\n", "is empty"),
        ('old_code,new_code\n"A,B\n', "cannot be read"),
        (f"old_code,new_code\nA,{'B' * 200_000}\n", "cannot be read"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason(content: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        read_rows(content, LINK)


def test_a_crosswalk_holds_no_formula_and_comes_back_as_it_was() -> None:
    row = dict.fromkeys(("old_scheme", "new_scheme", "since", "share_of_old", "share_of_new"))
    evil = ('=HYPERLINK("http://x","y")', "A-1")
    text = crosswalk_csv([row | {"old_code": evil[0], "new_code": evil[1], "source": '@SUM(1)\n"x", y'}])
    cells = next(csv.DictReader(io.StringIO(text, newline="")))
    assert cells["old_code"].startswith("'=")
    assert cells["source"].startswith("'@")
    assert tuple(read_rows(text, LINK)[0][1].values()) == evil


def test_a_long_pattern_may_go_on_in_the_next_line_after_each_part_and_stays_text() -> None:
    assert pattern_html("A<{district:6}{sequence:4}").text == "A&lt;{district:6}<wbr>{sequence:4}"

"""Older lists and crosswalks of codes as files: read with each row's line, written for spreadsheet programs (pure)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from core.errors import InvalidInput
from core.spreadsheets import neutral, plain

LONGEST_CODE = 60
LINK = ("old_code", "new_code")
"""Columns of a crosswalk that is brought in."""
_WRITTEN = ("old_scheme", "old_code", "new_scheme", "new_code", "since", "share_of_old", "share_of_new", "source")


def read_rows(content: str, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Return the line and the named columns of every row of a CSV file.

    Raises
    ------
    InvalidInput
        When it is no table with these columns, or has no row.
    """
    lines = csv.DictReader(io.StringIO(content.lstrip("\ufeff"), newline=""), strict=True)
    try:
        missing = [each for each in columns if each not in (lines.fieldnames or [])]
        if missing:
            raise InvalidInput(
                f"The list has no column {missing[0]}.",
                hint=f"Its first line is: {','.join(columns)}.",
                zh=f"列表缺少列 {missing[0]}，首行应为 {','.join(columns)}。",
            )
        rows = [(lines.line_num, {each: plain(row[each] or "") for each in columns}) for row in lines]
    except csv.Error as error:
        raise InvalidInput(
            f"The list cannot be read: {error} (line {lines.line_num}).",
            hint="Save it as CSV UTF-8; a quotation mark that is opened has to be closed.",
            zh=f"列表第 {lines.line_num} 行无法读取，请另存为 CSV UTF-8，并检查引号是否成对。",
        ) from error
    if not rows:
        raise InvalidInput("The list is empty.", hint="It needs a row for each code.", zh="列表没有数据行。")
    return rows


def crosswalk_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Return a crosswalk as CSV, a line for each old and new code, in which no spreadsheet program finds a formula."""
    held = io.StringIO()
    written = csv.writer(held, lineterminator="\n")
    written.writerow(_WRITTEN)
    for row in rows:
        written.writerow([_cell(name, row[name]) for name in _WRITTEN])
    return held.getvalue()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4f}" if name.startswith("share") else neutral(str(value))

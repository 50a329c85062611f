"""Older lists and crosswalks of codes as files: read with each row's line, written for spreadsheet programs (pure)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

from core.errors import InvalidInput
from core.spreadsheets import neutral, plain

LONGEST_CODE = 60
_READ = ("old_code", "new_code")
_WRITTEN = ("old_scheme", "old_code", "new_scheme", "new_code", "since", "share_of_old", "share_of_new", "source")


def read_links(content: str) -> list[tuple[int, str, str]]:
    """Return the line, the old and the new code of every row of a CSV file.

    Raises
    ------
    InvalidInput
        When it is no table with the columns old_code and new_code, or has no row.
    """
    lines = csv.DictReader(io.StringIO(content.lstrip("\ufeff"), newline=""), strict=True)
    try:
        missing = [each for each in _READ if each not in (lines.fieldnames or [])]
        if missing:
            raise InvalidInput(
                f"The crosswalk has no column {missing[0]}.",
                hint="Its first line is: old_code,new_code.",
                zh=f"对照表缺少列 {missing[0]}，首行应为 old_code,new_code。",
            )
        rows = [(lines.line_num, plain(row["old_code"] or ""), plain(row["new_code"] or "")) for row in lines]
    except csv.Error as error:
        raise InvalidInput(
            f"The crosswalk cannot be read: {error} (line {lines.line_num}).",
            hint="Save it as CSV UTF-8; a quotation mark that is opened has to be closed.",
            zh=f"对照表第 {lines.line_num} 行无法读取，请另存为 CSV UTF-8，并检查引号是否成对。",
        ) from error
    if not rows:
        raise InvalidInput("The crosswalk is empty.", hint="It needs a row for each code.", zh="对照表没有数据行。")
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

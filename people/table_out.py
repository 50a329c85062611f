"""Tables of text as files for spreadsheets: CSV in UTF-8 with its mark, and XLSX; no cell is ever a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from people.duty_files import shielded

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_csv(table: Mapping[str, Sequence[str]]) -> bytes:
    """Return the table as CSV."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow(table)
    for row in zip(*table.values(), strict=True):
        writer.writerow([shielded(value) for value in row])
    return written.getvalue().encode("utf-8-sig")


def as_xlsx(table: Mapping[str, Sequence[str]], *, sheet: str) -> bytes:
    """Return the table as an Excel workbook of one sheet; every cell is text."""
    from openpyxl import Workbook

    book = Workbook(write_only=False)
    page = book.active
    if page is None:  # a new workbook always has one
        page = book.create_sheet()
    page.title = sheet
    page.append(list(table))
    for row in zip(*table.values(), strict=True):
        page.append([shielded(value) for value in row])
    page.freeze_panes = "A2"
    for letter, (name, values) in zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", table.items(), strict=False):
        width = max([len(name), *(len(value) for value in values[:200])], default=8)
        page.column_dimensions[letter].width = min(max(width + 2, 8), 60)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()

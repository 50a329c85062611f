"""Texts that go into files which spreadsheet programs open, and come back from them."""

from __future__ import annotations

import re

FORMULA = re.compile(r"'*(\s*[=+\-@＝＋－＠]|[\t\r\n])")
UNWRITABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
"""Signs that no workbook holds, and that break a line of a text file."""


def neutral(text: str) -> str:
    """Return text that a spreadsheet program takes for text, whatever it begins with and holds."""
    text = UNWRITABLE.sub("", text)
    return f"'{text}" if FORMULA.match(text) else text


def plain(cell: str) -> str:
    """Return a cell as it was before `neutral`."""
    stripped = cell.strip()
    return stripped[1:] if stripped.startswith("'") and FORMULA.match(stripped[1:]) else stripped

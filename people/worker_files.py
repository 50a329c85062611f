"""The staff list as a file: its headings in two languages, its rows as fields, its text for others (pure)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core import spreadsheets
from core.errors import GridkeeperError, InvalidInput
from people.worker_model import LANGUAGES, clean_code, clean_labels, clean_name, clean_phone

ROWS_AT_MOST = 5_000
BYTES_AT_MOST = 5 << 20
CELL_LETTERS = 500
UNWRITABLE, neutral, plain = spreadsheets.UNWRITABLE, spreadsheets.neutral, spreadsheets.plain


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of the file: its key, its names, and other names it is known by."""

    key: str
    en: str
    zh: str
    required: bool = False
    also: tuple[str, ...] = ()


HEADINGS = (
    Heading("code", "Staff number", "工号", True, ("staff no", "code", "worker", "员工编号", "人员编号", "编号")),
    Heading("name", "Name", "姓名", True, ("full name", "网格员姓名")),
    Heading("unit", "Unit", "单位", True, ("department", "office", "所属单位", "部门")),
    Heading("phone", "Phone", "电话", False, ("telephone", "mobile", "手机", "手机号", "联系电话", "手机号码")),
    Heading("grid", "Responsibility grid", "责任网格", False, ("grid", "网格", "网格编码")),
    Heading("language", "Language", "语言"),
    Heading("skills", "Skills", "技能", False, ("skill", "专长")),
    Heading("equipment", "Equipment", "装备", False, ("设备",)),
    Heading("employed_from", "First day", "入职日期", False, ("employed from", "start date", "hired")),
)
LANGUAGE_WORDS = {
    "en": "en",
    "english": "en",
    "英语": "en",
    "英文": "en",
    "zh": "zh",
    "chinese": "zh",
    "中文": "zh",
    "汉语": "zh",
}
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T].*)?")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a cell, in both languages.

    Attributes
    ----------
    row
        As a spreadsheet counts: the heading is row 1.
    """

    row: int
    column: str
    en: str
    zh: str = ""

    def says(self, locale: str) -> str:
        """Return what is wrong, in a language."""
        return (self.zh or self.en) if locale.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of the file; a field that the file does not have, or leaves empty, is None: it changes nothing."""

    row: int
    code: str
    name: str | None = None
    phone: str | None = None
    unit: str | None = None
    grid: str | None = None
    language: str | None = None
    skills: tuple[str, ...] | None = None
    equipment: tuple[str, ...] | None = None
    employed_from: dt.date | None = None


@dataclass(frozen=True, slots=True)
class StaffFile:
    """What a file says, with every fault of every row; a row with a fault is in ``faults`` only."""

    rows: tuple[FileRow, ...]
    faults: tuple[Fault, ...]
    ignored: tuple[str, ...] = ()
    count: int = field(default=0)


def read_staff(columns: Mapping[str, Any], file: str) -> StaffFile:
    """Return the rows of a table of text.

    Parameters
    ----------
    columns
        Heading to its cells, in any order, in English or Chinese.

    Raises
    ------
    InvalidInput
        When required headings are missing or stand twice, naming found and expected ones; when there are
        too many rows.
    """
    places, ignored = _places(list(columns), file)
    count = len(next(iter(columns.values()), ()))
    if count > ROWS_AT_MOST:
        raise InvalidInput(
            f"{file} has {count:,} rows; {ROWS_AT_MOST:,} are read at once.",
            hint="Split it.",
            zh=f"{file} 有 {count:,} 行，一次最多读取 {ROWS_AT_MOST:,} 行。请拆分后再导入。",
        )
    rows: list[FileRow] = []
    faults: list[Fault] = []
    first: dict[str, int] = {}
    for place in range(count):
        cells = {key: plain(str(columns[heading][place])) for key, heading in places.items()}
        if not any(cells.values()):
            continue
        values, wrong = _read_row(place + 2, cells, places)
        code = values.get("code")
        if isinstance(code, str) and first.setdefault(code, place + 2) != place + 2:
            wrong.append(
                Fault(
                    place + 2,
                    places["code"],
                    f"{code} stands in row {first[code]} already",
                    f"{code} 已在第 {first[code]} 行出现",
                )
            )
        faults += wrong
        if not wrong:
            rows.append(FileRow(place + 2, **values))
    return StaffFile(tuple(rows), tuple(faults), ignored, len(rows) + len({fault.row for fault in faults}))


def _places(found: Sequence[str], file: str) -> tuple[dict[str, str], tuple[str, ...]]:
    known = {_key(name): each.key for each in HEADINGS for name in (each.key, each.en, each.zh, *each.also)}
    places: dict[str, str] = {}
    ignored = []
    for heading in found:
        key = known.get(_key(heading))
        if key is None:
            ignored.append(heading)
        elif key in places:
            raise InvalidInput(
                f"{file}: the columns {places[key]!r} and {heading!r} mean the same.",
                hint="Take one of them out.",
                zh=f"{file}：列“{places[key]}”和“{heading}”含义相同，请删除其中一列。",
            )
        else:
            places[key] = heading
    missing = [each for each in HEADINGS if each.required and each.key not in places]
    if missing:
        seen = ", ".join(found[:20]) or "none"
        raise InvalidInput(
            f"{file} lacks the column{'s' if len(missing) > 1 else ''} {_listed(each.en for each in missing)};"
            f" found are: {seen}.",
            hint=f"Expected are: {_listed(each.en for each in HEADINGS)}, or in Chinese"
            f" {'、'.join(each.zh for each in HEADINGS)}; the first three are required.",
            zh=f"{file} 缺少列：{'、'.join(each.zh for each in missing)}；现有列：{seen}。"
            f"可用的列：{'、'.join(each.zh for each in HEADINGS)}，其中前三列必填。",
        )
    return places, tuple(ignored)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _key(heading: str) -> str:
    words = re.sub(r"[(（].*?[)）]|[*＊:：]", "", unicodedata.normalize("NFKC", heading)).casefold()
    return re.sub(r"[\s_]+", " ", words).strip()


def _read_row(row: int, cells: Mapping[str, str], places: Mapping[str, str]) -> tuple[dict[str, Any], list[Fault]]:
    values: dict[str, Any] = {}
    faults = []
    for key, cell in cells.items():
        if not cell:
            if key == "code":
                faults.append(Fault(row, places[key], "the staff number is missing", "缺少工号"))
            continue
        try:
            if len(cell) > CELL_LETTERS:
                raise InvalidInput(f"more than {CELL_LETTERS} letters", zh=f"超过 {CELL_LETTERS} 个字符")
            values[key] = READERS.get(key, str)(cell)
        except GridkeeperError as error:
            faults.append(Fault(row, places[key], error.message.rstrip("."), error.zh.rstrip("。")))
    return values, faults


def _language(cell: str) -> str:
    found = LANGUAGE_WORDS.get(cell.casefold())
    if found is None:
        raise InvalidInput(
            f"there is no language {cell[:20]!r}, known are {' and '.join(LANGUAGES)}",
            zh=f"没有语言“{cell[:20]}”，可用：中文、英文",
        )
    return found


def _day(cell: str) -> dt.date:
    match = _DAY.fullmatch(cell)
    try:
        if match:
            return dt.date(*(int(part) for part in match.groups()))
    except ValueError:
        pass
    raise InvalidInput(
        f"{cell[:20]!r} is no day; write it as 2026-03-02", zh=f"“{cell[:20]}”不是日期，请写成 2026-03-02"
    )


READERS: dict[str, Callable[[str], Any]] = {
    "code": clean_code,
    "name": clean_name,
    "phone": clean_phone,
    "language": _language,
    "skills": lambda cell: clean_labels([cell]),
    "equipment": lambda cell: clean_labels([cell]),
    "employed_from": _day,
}


def headings(locale: str) -> list[str]:
    """Return the headings of a file in a language."""
    return [each.zh if locale.startswith("zh") else each.en for each in HEADINGS]


def as_csv(rows: Iterable[Sequence[str]], locale: str) -> bytes:
    """Return a file for a spreadsheet program: UTF-8 with its mark."""
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(headings(locale))
    writer.writerows([neutral(cell) for cell in row] for row in rows)
    return written.getvalue().encode("utf-8-sig")


def as_xlsx(rows: Iterable[Sequence[str]], locale: str) -> bytes:
    """Return a workbook with one sheet, every cell text; no rows make a template."""
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    book = Workbook()
    sheet = book.active
    sheet.title = "网格员" if locale.startswith("zh") else "Workers"
    sheet.append(headings(locale))
    for place, heading in enumerate(HEADINGS, 1):
        sheet.cell(1, place).font = Font(bold=heading.required)
        sheet.column_dimensions[get_column_letter(place)].width = 20
    for number, row in enumerate(rows, 2):
        for place, text in enumerate(row, 1):
            cell = sheet.cell(number, place)
            cell.number_format = "@"
            if text:
                cell.value, cell.data_type = neutral(text), "s"
    sheet.freeze_panes = "A2"
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()

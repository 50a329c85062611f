"""The duty list and the units as tables of text: what a file says, every broken row told, and the way back out."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import InvalidInput
from people import worker_files
from people.duty_model import AreaName, ClassName, DutyEntry, DutyList
from people.unit_model import UnitRecord, Violation

DUTY_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "class": ("class", "class key", "class code", "小类", "类别", "小类编码"),
    "area": ("area", "area code", "community", "区域", "社区", "区域编码"),
    "unit": ("unit", "unit code", "owner", "单位", "责任单位", "单位编码"),
    "legal_basis": ("legal basis", "basis", "law", "法律依据", "依据"),
    "valid_from": ("valid from", "first day", "from", "生效日期", "起始日", "开始日期"),
    "valid_to": ("valid to", "last day", "to", "until", "失效日期", "截止日", "结束日期"),
}
UNIT_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "code": ("code", "unit code", "编码", "单位编码"),
    "kind": ("kind", "type", "类型", "单位类型"),
    "name": ("name", "name en", "名称", "单位名称"),
    "name_zh": ("name zh", "name in chinese", "中文名称", "中文名"),
    "parent": ("parent", "unit above", "parent code", "上级", "上级单位", "上级编码"),
    "contact": ("contact", "contact function", "联系岗位", "联系人岗位"),
    "contact_zh": ("contact zh", "contact in chinese", "中文联系岗位"),
    "phone": ("phone", "office phone", "电话", "办公电话"),
    "email": ("email", "e mail", "邮箱", "电子邮箱"),
    "address": ("address", "地址", "办公地址"),
    "calendar": ("calendar", "working calendar", "工作日历", "日历"),
    "valid_from": DUTY_HEADINGS["valid_from"],
    "valid_to": DUTY_HEADINGS["valid_to"],
}
DUTY_COLUMNS = (
    "class", "class name", "area", "area name", "unit", "unit name", "legal basis", "valid from", "valid to",
)  # fmt: skip
WHOLE = frozenset({"", "*", "-", "all", "whole territory", "全辖区", "全区", "全市"})
Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class DutyRow:
    """A row of a file of the duty list, looked up; ``number`` counts from 2, below the headings.

    ``valid_from`` is None where the file gives no first day.
    """

    number: int
    class_id: int
    area_id: int | None
    unit_id: int
    legal_basis: str
    valid_from: dt.date | None
    valid_to: dt.date | None


def plain(text: str) -> str:
    """Return a text in the form in which names and headings are compared."""
    folded = unicodedata.normalize("NFKC", text).replace("\ufeff", "").casefold()
    return re.sub(r"[\s_\-]+", " ", folded).strip()


def by_role(
    columns: Columns, headings: Mapping[str, tuple[str, ...]], needed: Sequence[str], *, file: str
) -> dict[str, Sequence[str]]:
    """Return role to its cells.

    Raises
    ------
    InvalidInput
        When a needed column is not among the headings; names those there are and those that are known.
    """
    there = {plain(heading): heading for heading in reversed(list(columns))}
    found = {}
    for role, names in headings.items():
        heading = next((there[plain(name)] for name in (role, *names) if plain(name) in there), None)
        if heading is not None:
            found[role] = columns[heading]
    missing = [role for role in needed if role not in found]
    if missing:
        raise InvalidInput(
            f"{file}: found no column for {', '.join(missing)} among {', '.join(list(columns)[:30]) or 'no headings'}.",
            hint=f"The headings are: {', '.join(name.replace('_', ' ') for name in headings)}.",
            zh=f"{file}：表头中缺少 {'、'.join(headings[role][-1] for role in missing)}。"
            f"可用表头：{'、'.join(names[-1] for names in headings.values())}。",
        )
    return found


def cell(text: str) -> str:
    """Return a cell as meant: `shielded` text without its shield."""
    return worker_files.plain(text)


def shielded(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    return worker_files.neutral(text)


def day(text: str) -> dt.date | None:
    """Return a date written as 2026-03-01, 2026/3/1, 2026.3.1, 20260301 or 2026年3月1日; None for no date at all.

    Raises
    ------
    ValueError
        When it is none of these.
    """
    written = unicodedata.normalize("NFKC", text).strip()
    if not written:
        return None
    found = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?([T ]00:00(:00)?)?", written)
    found = found or re.fullmatch(r"(\d{4})(\d{2})(\d{2})", written)
    if found is None:
        raise ValueError(written)
    return dt.date(int(found[1]), int(found[2]), int(found[3]))


def duty_rows(columns: Columns, listed: DutyList, *, file: str) -> tuple[list[DutyRow], list[Violation]]:
    """Return the rows of a file and every sentence about a row that cannot be taken.

    An empty area means the whole territory.

    Raises
    ------
    InvalidInput
        When the headings are not those of a duty list.
    """
    by = by_role(columns, DUTY_HEADINGS, ("class", "unit"), file=file)
    classes, areas, units = _class_names(listed.classes), _area_names(listed.areas), _unit_names(listed.units)
    count = len(next(iter(by.values()), ()))
    rows: list[DutyRow] = []
    broken: list[Violation] = []
    for place in range(count):
        given = {role: cell(cells[place]).strip() for role, cells in by.items()}
        said: list[Violation] = []
        class_id = _looked_up(given["class"], classes, "class", "小类", said)
        whole = plain(given.get("area", "")) in WHOLE
        area_id = None if whole else _looked_up(given["area"], areas, "area", "区域", said)
        unit_id = _looked_up(given["unit"], units, "unit", "单位", said)
        first = read_day(given.get("valid_from", ""), said)
        last = read_day(given.get("valid_to", ""), said)
        broken += [in_row(place + 2, each) for each in said]
        if not said and class_id is not None and unit_id is not None:
            basis = " ".join(given.get("legal_basis", "").split())
            rows.append(DutyRow(place + 2, class_id, area_id, unit_id, basis, first, last))
    return rows, broken


def in_row(number: int, said: Violation) -> Violation:
    """Return a sentence with the row it is about."""
    return Violation(f"row {number}: {said}", f"第 {number} 行：{said.zh}")


def read_day(text: str, said: list[Violation]) -> dt.date | None:
    """Return a date, or None after adding the sentence that it is none."""
    try:
        return day(text)
    except ValueError:
        said.append(Violation(f"{text!r} is no date; write it as 2026-03-01", f"“{text}”不是日期，请写成 2026-03-01"))
        return None


def _looked_up(
    text: str, known: Mapping[str, int | None], what: str, what_zh: str, said: list[Violation]
) -> int | None:
    key = plain(text)
    found = known.get(key)
    if found is None and key in known:
        said.append(
            Violation(f"{text!r} can be several; give the code of the {what}", f"“{text}”不唯一，请填写{what_zh}编码")
        )
    elif found is None:
        said.append(Violation(f"there is no {what} {text!r}", f"没有{what_zh}“{text}”"))
    return found


def _class_names(classes: Mapping[int, ClassName]) -> dict[str, int | None]:
    """Return every name of a class to its id; None where several share the name."""
    pairs = [(name, each.id) for each in classes.values() for name in (each.key, each.code, each.name_en, each.name_zh)]
    return _names(pairs)


def _area_names(areas: Mapping[int, AreaName]) -> dict[str, int | None]:
    found = _names([(each.key, each.id) for each in areas.values()])
    names = [(name, each.id) for each in areas.values() for name in (each.name, each.name_zh or "") if name]
    # A spreadsheet may have eaten the zeros before a code.
    names += [(each.code.lstrip("0"), each.id) for each in areas.values() if each.level == "community"]
    communities = _names([(name, key) for name, key in names if areas[key].level == "community"])
    return {**_names(names), **communities, **found}


def _unit_names(units: Mapping[int, UnitRecord]) -> dict[str, int | None]:
    codes = _names([(each.code, each.id) for each in units.values()])
    names = [(name, each.id) for each in units.values() for name in (each.spec.name, each.spec.name_zh or "") if name]
    return {**_names(names), **codes}


def _names(pairs: Sequence[tuple[str, int]]) -> dict[str, int | None]:
    found: dict[str, int | None] = {}
    for name, key in pairs:
        there = plain(name)
        found[there] = key if found.get(there, key) == key else None
    return found


def duty_table(entries: Sequence[DutyEntry], listed: DutyList) -> dict[str, list[str]]:
    """Return entries as the table that `duty_rows` reads, with names beside the codes for the reader."""
    table: dict[str, list[str]] = {name: [] for name in DUTY_COLUMNS}
    for each in entries:
        kind, unit = listed.classes[each.class_id], listed.units[each.unit_id].spec
        area = listed.areas[each.area_id] if each.area_id is not None else None
        values = (
            kind.key, f"{kind.name_en} {kind.name_zh}", area.key if area else "*", area.name if area else "",
            unit.code, unit.name, each.legal_basis, each.valid_from.isoformat(),
            each.valid_to.isoformat() if each.valid_to else "",
        )  # fmt: skip
        for name, value in zip(table, values, strict=True):
            table[name].append(value)
    return table

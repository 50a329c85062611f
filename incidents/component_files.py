"""The register of components as a table of text: what a file says, every broken row told (pure)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from core.words import one_line
from incidents.components import ComponentRow, ComponentSpec, broken_rules
from people.duty_files import Columns, by_role, cell, in_row, plain, read_day, shielded
from people.unit_model import Violation

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "code": ("identifier", "component id", "标识码", "部件标识码", "部件编码", "部件代码"),
    "class": ("class key", "class code", "小类", "类别", "部件名称", "小类编码"),
    "lon": ("longitude", "lng", "x", "经度"),
    "lat": ("latitude", "y", "纬度"),
    "state": ("status", "状态", "部件状态"),
    "unit": ("in charge", "department in charge", "主管部门"),
    "property_unit": ("property", "owner", "权属单位", "权属部门"),
    "upkeep_unit": ("maintenance", "upkeep", "养护单位", "养护部门"),
    "sensitivity": ("敏感级别",),
    "place": ("address", "street", "地点", "位置", "地址"),
    "valid_from": ("first day", "start date", "start", "初始时间", "开始日期", "启用日期"),
    "valid_to": ("last day", "end date", "end", "变更时间", "结束日期", "停用日期"),
}
STATE_WORDS: Mapping[str, tuple[str, ...]] = {
    "in_use": ("in use", "ok", "启用", "完好", "在用", "正常"),
    "damaged": ("破损", "损坏"),
    "removed": ("废弃", "移除", "已移除", "已拆除", "拆除"),
    "planned": ("规划", "规划中", "待建", "计划"),
}
SENSITIVITY_WORDS: Mapping[str, tuple[str, ...]] = {
    "open": ("public", "公开"),
    "restricted": ("sensitive", "受限", "敏感", "内部"),
}
_OWNERS = {"unit": "unit_id", "property_unit": "property_unit_id", "upkeep_unit": "upkeep_unit_id"}


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of a file, looked up; ``number`` counts from 2, below the headings."""

    number: int
    spec: ComponentSpec


@dataclass(frozen=True, slots=True)
class Names:
    """Plain name to class key or unit id; None where several share the name."""

    classes: Mapping[str, str | None]
    units: Mapping[str, int | None]


def component_rows(
    columns: Columns,
    points: Sequence[object] | None,
    known: Mapping[str, ComponentSpec],
    *,
    names: Names,
    file: str,
) -> tuple[list[FileRow], list[Violation]]:
    """Return the rows of a file and every sentence about a row that cannot be taken.

    A column that the file lacks changes nothing of a component that is there.

    Parameters
    ----------
    points
        Shapes in EPSG:4326 where the file has its own; a line or an area counts by an inner point.
    known
        Identifier to the component as it stands.

    Raises
    ------
    InvalidInput
        When the headings are not those of components.
    """
    needed = ("code",) if points is not None else ("code", "lon", "lat")
    by = by_role(columns, HEADINGS, needed, file=file)
    places = _points(points) if points is not None else None
    rows: list[FileRow] = []
    broken: list[Violation] = []
    first: dict[str, int] = {}
    for at in range(len(by["code"])):
        given = {role: cell(cells[at]).strip() for role, cells in by.items()}
        said: list[Violation] = []
        where = places[at] if places is not None else (_degrees(given["lon"]), _degrees(given["lat"]))
        spec = _spec(given, where, known.get(given["code"]), names, said)
        said += broken_rules(spec)
        if spec.code in first:
            said.append(
                Violation(
                    f"the identifier {spec.code} stands in row {first[spec.code]} already",
                    f"标识码 {spec.code} 与第 {first[spec.code]} 行重复",
                )
            )
        first.setdefault(spec.code, at + 2)
        broken += [in_row(at + 2, each) for each in said]
        rows.append(FileRow(at + 2, spec))
    return rows, broken


def _spec(
    given: Mapping[str, str],
    where: tuple[float, float],
    there: ComponentSpec | None,
    names: Names,
    said: list[Violation],
) -> ComponentSpec:
    if not all(map(math.isfinite, where)):
        said.append(Violation("longitude and latitude are no numbers", "经纬度不是数字"))
        where = (0.0, 0.0)
    digits = f"component-{given['code'][6:8]}-{given['code'][8:10]}"
    spec = there or ComponentSpec(given["code"], digits, *where)
    if _differ(spec, where):
        spec = replace(spec, lon=where[0], lat=where[1])
    changes: dict[str, Any] = {"class_key": _class(given.get("class"), spec.class_key, names.classes, said)}
    changes |= {column: _unit(given[role], names.units, said) for role, column in _OWNERS.items() if role in given}
    if given.get("state"):
        changes["state"] = _word(given["state"], STATE_WORDS)
    if given.get("sensitivity"):
        changes["sensitivity"] = _word(given["sensitivity"], SENSITIVITY_WORDS)
    if "place" in given:
        changes["place"] = one_line(given["place"])
    changes |= {role: read_day(given[role], said) for role in ("valid_from", "valid_to") if role in given}
    return replace(spec, **changes)


def _differ(spec: ComponentSpec, where: tuple[float, float]) -> bool:
    """Return whether the places differ by more than a file's seven decimals can tell."""
    return max(abs(spec.lon - where[0]), abs(spec.lat - where[1])) > 1e-7


def _class(text: str | None, stands: str, classes: Mapping[str, str | None], said: list[Violation]) -> str:
    """Return the class key that a cell names; without a column that of the identifier's digits."""
    if text is None and stands in classes.values():
        return stands
    wanted = stands.removeprefix("component-") if text is None else text
    found = None if text is None else classes.get(plain(text))
    if found is None:
        said.append(Violation(f"there is no component class {wanted!r}", f"没有部件小类“{wanted}”"))
    return found or stands


def _unit(text: str, units: Mapping[str, int | None], said: list[Violation]) -> int | None:
    if not text:
        return None
    found = units.get(plain(text))
    if found is None:
        said.append(Violation(f"there is no unit {text!r}", f"没有单位“{text}”"))
    return found


def _word(text: str, words: Mapping[str, tuple[str, ...]]) -> str:
    wanted = plain(text)
    return next((key for key, names in words.items() if wanted in {plain(key), *map(plain, names)}), text)


def _degrees(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _points(shapes: Sequence[object]) -> list[tuple[float, float]]:
    """Return an inner point of each shape; NaN for none."""
    inner = shapely.point_on_surface(np.asarray(shapes, dtype=object))
    x, y = shapely.get_x(inner), shapely.get_y(inner)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def component_table(rows: Sequence[ComponentRow], unit_codes: Mapping[int, str]) -> dict[str, list[str]]:
    """Return components as the table that `component_rows` reads; restricted ones never leave with a file."""
    table: dict[str, list[str]] = {role.replace("_", " "): [] for role in HEADINGS}
    for row in rows:
        if row.sensitivity != "open":
            continue
        values = (
            row.code, row.class_key, f"{row.lon:.7f}", f"{row.lat:.7f}", row.state,
            *(unit_codes.get(unit or 0, "") for unit in row.spec.owners), row.sensitivity, shielded(row.place),
            *("" if day is None else day.isoformat() for day in (row.valid_from, row.valid_to)),
        )  # fmt: skip
        for name, value in zip(table, values, strict=True):
            table[name].append(value)
    return table

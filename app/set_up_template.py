"""The usual units of a city, as a table that the administrator edits before they are made (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import DataQuality
from incidents.classes import MAJORS


@dataclass(frozen=True, slots=True)
class Office:
    """A unit to be made: its code, kind and names, the code of the unit above, and the categories it owns."""

    code: str
    kind: str
    name: str
    name_zh: str
    parent: str = ""
    owns: tuple[str, ...] = ()


USUAL: tuple[Office, ...] = (
    Office("GOV", "centre", "City Governance Office", "城市运行管理办公室"),
    Office("SC", "centre", "Supervision Centre", "监督中心", "GOV"),
    Office("CC", "centre", "Command Centre", "指挥中心", "GOV"),
    Office("UT", "department", "Public Utilities", "公用事业局", "GOV", ("component-01", "event-04")),
    Office("TP", "department", "Traffic and Roads", "交通运输局", "GOV", ("component-02",)),
    Office("CL", "department", "Waste and Street Cleaning", "环境卫生管理局", "GOV", ("component-03", "event-01")),
    Office("PG", "department", "Parks and Greenery", "园林绿化局", "GOV", ("component-04",)),
    Office("HB", "department", "Housing and Construction", "住房和建设局", "GOV", ("component-05", "event-03")),
    Office("SO", "department", "Street Order Office", "综合执法局", "GOV", ("event-02", "event-05")),
    Office("ST01", "street_office", "Street Office", "街道办事处", "GOV", ("component-06", "component-07")),
)


def offices_of(rows: Iterable[Mapping[str, Any]]) -> tuple[Office, ...]:
    """Return the rows of the edited table as units; rows without a code and a name are left out.

    Raises
    ------
    DataQuality
        Naming every code that stands twice, unit above that is not in the table, and category owned twice.
    """
    found = tuple(
        Office(
            code=_text(row, "code"),
            kind=_text(row, "kind") or "department",
            name=_text(row, "name") or _text(row, "name_zh"),
            name_zh=_text(row, "name_zh"),
            parent=_text(row, "parent"),
            owns=tuple(row.get("owns") or ()),
        )
        for row in rows
        if _text(row, "code") or _text(row, "name") or _text(row, "name_zh")
    )
    codes = [office.code for office in found]
    faults = [f"{office.name} has no code" for office in found if not office.code]
    faults += [f"the code {code} stands twice" for code in sorted({each for each in codes if codes.count(each) > 1})]
    faults += [
        f"{office.code}: there is no unit {office.parent} above it"
        for office in found
        if office.parent and office.parent not in codes
    ]
    owners: dict[str, list[str]] = {}
    for office in found:
        for category in office.owns:
            owners.setdefault(category, []).append(office.code)
    faults += [
        f"{MAJORS.get(category, (category,))[0]} belongs to {' and '.join(units)}"
        for category, units in owners.items()
        if len(units) > 1
    ]
    faults += [f"there is no category {category}" for category in sorted(set(owners) - set(MAJORS))]
    if faults:
        raise DataQuality("The table of units has faults.", faults, hint="Mend them in the table.")
    return found


def in_order(offices: Iterable[Office]) -> list[Office]:
    """Return the units so that each comes after the one above it; those of a ring come last."""
    waiting, made = list(offices), {""}
    ordered: list[Office] = []
    while waiting:
        ready = [office for office in waiting if office.parent in made]
        if not ready:
            return ordered + waiting
        ordered += ready
        made |= {office.code for office in ready}
        waiting = [office for office in waiting if office not in ready]
    return ordered


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    return value.strip() if isinstance(value, str) else ""

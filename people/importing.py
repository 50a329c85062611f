"""Use cases of bringing units and the duty list in from a table: all of it or nothing, and twice is once."""

from __future__ import annotations

import datetime as dt
import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from core.errors import DataQuality
from core.identity import Actor, May
from people import duties, store_duty, store_units, units
from people.duty_files import (
    UNIT_HEADINGS,
    Columns,
    DutyRow,
    by_role,
    cell,
    duty_rows,
    duty_table,
    in_row,
    plain,
    read_day,
)
from people.duty_model import DutyEntry, DutyList
from people.unit_model import KINDS, UnitRecord, UnitSpec, Violation, broken_rules, ring

HINT = "Nothing was written; put these right and bring the file in again."
KIND_WORDS: Mapping[str, tuple[str, ...]] = {
    "centre": ("center", "中心"),
    "department": ("部门", "局", "委办局"),
    "company": ("企业", "公司"),
    "street_office": ("street office", "街道", "街道办事处", "街道办"),
    "team": ("班组", "队", "科室"),
    "partner": ("合作单位", "物业", "志愿者"),
}


@dataclass(frozen=True, slots=True)
class Imported:
    """How many rows of a file were added, changed, or stood there already."""

    added: int
    changed: int
    unchanged: int

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for JSON."""
        return asdict(self)


# --- units


def import_units(session: Session, actor: Actor, territory_id: int, columns: Columns, *, file: str) -> Imported:
    """Add the units of a table whose code is new and change those that differ; others are left alone.

    A column that the file lacks changes nothing of a unit that is there.

    Raises
    ------
    InvalidInput
        When the headings are not those of units.
    DataQuality
        With every row that breaks a rule, rings of units among them; nothing is written then.
    """
    units.require_here(actor, May.MANAGE_UNITS, territory_id)
    by = by_role(columns, UNIT_HEADINGS, ("code", "name", "kind"), file=file)
    there = {unit.code.casefold(): unit for unit in store_units.units(session, territory_id)}
    specs, broken = _unit_specs(by, there, set(store_units.calendars(session)))
    broken += _ring_of(specs, there)
    if broken:
        raise DataQuality(f"{file} cannot be taken in:", broken, hint=HINT)
    added, changed = 0, 0
    # Parents first: what stands above is as it shall be already, so no ring is closed on the way.
    for spec in _parents_first([spec for _, spec in specs]):
        known = there.get(spec.code.casefold())
        everybody = store_units.units(session, territory_id)
        wanted = units.columns_of(session, everybody, spec)
        if known is None:
            store_units.add(session, territory_id, wanted)
            added += 1
            continue
        differs = {name: value for name, value in wanted.items() if value != units.stored(known)[name]}
        if differs:
            store_units.lock(session, territory_id, known.id)
            store_units.change(session, known.id, differs)
            changed += 1
    return Imported(added, changed, len(specs) - added - changed)


def export_units(session: Session, actor: Actor, territory_id: int) -> dict[str, list[str]]:
    """Return all units as the table that `import_units` takes; brought in again it changes nothing."""
    specs = [unit.spec for unit in units.tree(session, actor, territory_id)]
    return {
        role.replace("_", " "): ["" if (value := getattr(spec, role)) is None else str(value) for spec in specs]
        for role in UNIT_HEADINGS
    }


def _unit_specs(
    by: Mapping[str, Sequence[str]], there: Mapping[str, UnitRecord], calendars: set[str]
) -> tuple[list[tuple[int, UnitSpec]], list[Violation]]:
    specs: list[tuple[int, UnitSpec]] = []
    broken: list[Violation] = []
    first_row: dict[str, int] = {}
    codes = {cell(code).strip().casefold() for code in by["code"]} | set(there)
    for place in range(len(by["code"])):
        number = place + 2
        said: list[Violation] = []
        given = {role: cell(cells[place]).strip() for role, cells in by.items()}
        known = there.get(given["code"].casefold())
        spec = _unit_spec(given, known, said)
        said += broken_rules(spec)
        code = spec.code.casefold()
        if code in first_row:
            said.append(
                Violation(
                    f"the code {spec.code} stands in row {first_row[code]} already",
                    f"编码 {spec.code} 与第 {first_row[code]} 行重复",
                )
            )
        first_row.setdefault(code, number)
        if spec.parent is not None and spec.parent.casefold() not in codes:
            said.append(Violation(f"there is no unit {spec.parent!r} above", f"没有上级单位“{spec.parent}”"))
        if spec.calendar is not None and spec.calendar not in calendars:
            said.append(
                Violation(
                    f"there is no calendar {spec.calendar!r}; known are {', '.join(sorted(calendars))}",
                    f"没有工作日历“{spec.calendar}”",
                )
            )
        broken += [in_row(number, each) for each in said]
        specs.append((number, spec))
    return specs, broken


def _unit_spec(given: Mapping[str, str], known: UnitRecord | None, said: list[Violation]) -> UnitSpec:
    fields: dict[str, Any] = {} if known is None else asdict(known.spec)
    for role, text in given.items():
        if role == "kind":
            fields[role] = _kind(text)
        elif role in {"valid_from", "valid_to"}:
            read = read_day(text, said)
            if role == "valid_to" or read is not None:
                fields[role] = read
        else:
            fields[role] = text if role in {"code", "name"} else text or None
    if known is not None:
        fields["code"] = known.code
    fields.setdefault("valid_from", duties.today())
    return units.tidy(UnitSpec(**fields))


def _kind(text: str) -> str:
    wanted = plain(text)
    for kind in KINDS:
        if wanted in {plain(kind), *map(plain, KIND_WORDS[kind])}:
            return kind
    return text


def _ring_of(specs: Sequence[tuple[int, UnitSpec]], there: Mapping[str, UnitRecord]) -> list[Violation]:
    parents = {code: (unit.spec.parent or "").casefold() or None for code, unit in there.items()}
    parents |= {spec.code.casefold(): (spec.parent or "").casefold() or None for _, spec in specs}
    found = [code.upper() for code in ring(parents)]
    if len(found) < 2:  # a unit above itself is told of its row
        return []
    way = " → ".join([*found, found[0]])
    return [Violation(f"these units would stand above themselves: {way}", f"上下级关系成环：{way}")]


def _parents_first(specs: Sequence[UnitSpec]) -> list[UnitSpec]:
    """Return the specs so that each stands behind its parent; they hold no ring."""
    by_code = {spec.code.casefold(): spec for spec in specs}
    found: dict[str, UnitSpec] = {}

    def put(code: str) -> None:
        spec = by_code.get(code)
        if spec is not None and code not in found:
            put((spec.parent or "").casefold())
            found[code] = spec

    for code in by_code:
        put(code)
    return list(found.values())


# --- the duty list


def import_duties(session: Session, actor: Actor, territory_id: int, columns: Columns, *, file: str) -> Imported:
    """Add the entries of a table that are new and change those with the same class, area and first day.

    Entries that the file does not name are left alone. A row without a first day means the entry that
    is in force today, or a new one from today.

    Raises
    ------
    InvalidInput
        When the headings are not those of a duty list.
    DataQuality
        With every row that breaks a rule, two owners on one day among them; nothing is written then.
    """
    units.require_here(actor, May.MANAGE_DUTIES, territory_id)
    store_duty.lock_list(session, territory_id)
    listed = duties.read(session, actor, territory_id)
    rows, broken = duty_rows(columns, listed, file=file)
    wanted: dict[tuple[int, int | None, dt.date], tuple[DutyRow, DutyEntry]] = {}
    for row in rows:
        entry = _as_entry(row, listed)
        key = (entry.class_id, entry.area_id, entry.valid_from)
        said = duties.broken_days(listed.units[entry.unit_id], entry.valid_from, entry.valid_to, entry.legal_basis)
        earlier = wanted.get(key)
        if earlier is not None and _content(earlier[1]) != _content(entry):
            said.append(
                Violation(
                    f"the same class, area and first day stand in row {earlier[0].number} with other words",
                    f"与第 {earlier[0].number} 行的小类、区域和起始日相同而内容不同",
                )
            )
        broken += [in_row(row.number, each) for each in said]
        wanted.setdefault(key, (row, entry))
    broken += _two_owners(wanted, listed)
    if broken:
        raise DataQuality(f"{file} cannot be taken in:", broken, hint=HINT)
    return _write(session, territory_id, [entry for _, entry in wanted.values()], listed, rows=len(rows))


def export_duties(session: Session, actor: Actor, territory_id: int) -> dict[str, list[str]]:
    """Return the whole duty list as the table that `import_duties` takes; brought in again it changes nothing."""
    listed = duties.read(session, actor, territory_id)
    order = {class_id: place for place, class_id in enumerate(listed.classes)}
    return duty_table(sorted(listed.entries, key=lambda each: (order[each.class_id], each.id)), listed)


def _as_entry(row: DutyRow, listed: DutyList) -> DutyEntry:
    """Return the entry a row asks for; its id is that of the entry it means, 0 for a new one."""
    today = duties.today()
    same = [each for each in listed.entries if (each.class_id, each.area_id) == (row.class_id, row.area_id)]
    if row.valid_from is None:
        meant = next((each for each in same if each.stands(today)), None)
    else:
        meant = next((each for each in same if each.valid_from == row.valid_from), None)
    begins = row.valid_from or (today if meant is None else meant.valid_from)
    number, version = (0, 1) if meant is None else (meant.id, meant.version)
    return DutyEntry(number, version, row.class_id, row.area_id, row.unit_id, row.legal_basis, begins, row.valid_to)


def _content(entry: DutyEntry) -> tuple[int, str, dt.date | None]:
    return entry.unit_id, entry.legal_basis, entry.valid_to


def _two_owners(
    wanted: Mapping[tuple[int, int | None, dt.date], tuple[DutyRow, DutyEntry]], listed: DutyList
) -> list[Violation]:
    """Return the sentences about entries that would share a day, as the list would be after the file."""
    changed = {entry.id for _, entry in wanted.values() if entry.id}
    after: dict[tuple[int, int | None], list[tuple[int, DutyEntry]]] = defaultdict(list)
    for each in listed.entries:
        if each.id not in changed:
            after[each.class_id, each.area_id].append((0, each))
    for row, entry in wanted.values():
        after[entry.class_id, entry.area_id].append((row.number, entry))
    found = []
    for same in after.values():
        ordered = sorted(same, key=lambda pair: pair[1].valid_from)
        for (number, one), (later_number, two) in itertools.pairwise(ordered):
            if one.meets(two.valid_from, two.valid_to) and (number or later_number):
                said = duties.overlap(listed, one if not number or number < later_number else two)
                found.append(in_row(max(number, later_number), said))
    return found


def _write(
    session: Session, territory_id: int, wanted: Sequence[DutyEntry], listed: DutyList, *, rows: int
) -> Imported:
    there = {each.id: each for each in listed.entries}
    new = [entry for entry in wanted if not entry.id]
    changed = [entry for entry in wanted if entry.id and _content(entry) != _content(there[entry.id])]
    # What becomes shorter goes first, so that no two entries share a day on the way.
    changed.sort(key=lambda each: (each.valid_to or dt.date.max) > (there[each.id].valid_to or dt.date.max))
    with duties.in_words():
        for each in changed:
            columns = {"unit_id": each.unit_id, "legal_basis": each.legal_basis, "valid_to": each.valid_to}
            store_duty.change(session, each.id, columns)
        names = ("class_id", "area_id", "unit_id", "legal_basis", "valid_from", "valid_to")
        store_duty.add(session, territory_id, [{name: getattr(each, name) for name in names} for each in new])
    return Imported(len(new), len(changed), rows - len(new) - len(changed))

"""Use cases of bringing workers in from a file, and of taking the list out: preview, then one act."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput
from core.identity import Actor, May, Role, require
from geodata import persons
from geodata.files import SHEETS, TABLES, read_table
from geodata.record import note_event
from people import store_workers as store
from people import workers
from people.model import UnitInfo
from people.service import list_units
from people.staff import list_staff
from people.staff_reach import reaches
from people.worker_files import BYTES_AT_MOST, Fault, FileRow, StaffFile, read_staff
from people.worker_model import GridRef, StaffFilter, StaffRow, WorkerFields


@dataclass(frozen=True, slots=True)
class Planned:
    """A row of the file that can be kept: a new worker (``known`` is None), or what changes of a known one."""

    row: int
    fields: WorkerFields
    known: StaffRow | None = None
    changes: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """Return ``new``, ``changed`` or ``unchanged``."""
        return "new" if self.known is None else "changed" if self.changes else "unchanged"


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a file would do, row by row; ``digest`` names the plan, so that only what was seen is done."""

    planned: tuple[Planned, ...]
    faults: tuple[Fault, ...]
    ignored: tuple[str, ...]
    digest: str

    @property
    def counts(self) -> dict[str, int]:
        """Return how many rows are new, changed, unchanged and refused."""
        counted = dict.fromkeys(("new", "changed", "unchanged"), 0)
        for each in self.planned:
            counted[each.state] += 1
        return counted | {"refused": len({fault.row for fault in self.faults})}


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rows of a file are held against."""

    actor: Actor
    staff: Mapping[str, StaffRow]
    elsewhere: Mapping[str, int]
    units: tuple[UnitInfo, ...]
    grids: tuple[GridRef, ...]
    subjects: Mapping[int, store.SealedStaff]
    phones: Mapping[str, str]


def plan_import(session: Session, actor: Actor, territory_id: int, path: Path, *, today: dt.date) -> ImportPlan:
    """Return what bringing the file in would do; nothing is written.

    Raises
    ------
    InvalidInput
        When the file as a whole cannot be used: too large, unreadable, or its headings are others.
    """
    require(actor, May.MANAGE_WORKERS)
    if path.suffix.lower() not in {*TABLES, *SHEETS}:
        raise InvalidInput(f"{path.name} is neither a table nor a workbook.", hint="Give it as .xlsx or .csv.")
    if path.is_file() and path.stat().st_size > BYTES_AT_MOST:
        raise InvalidInput(f"{path.name} is larger than {BYTES_AT_MOST >> 20} MB.", hint="Split it.")
    table = read_table(path)
    file = read_staff(table.columns, table.name)
    known = _known(session, actor, territory_id, file, today)
    planned, faults = [], list(file.faults)
    numbers: dict[str, int] = {}
    for row in file.rows:
        wrong = _faults(known, row, numbers)
        faults += wrong
        if not wrong:
            planned.append(_planned(session, known, row))
    faults.sort(key=lambda fault: fault.row)
    told = "\n".join(f"{each.row} {each.state} {each.fields} {each.known and each.known.version}" for each in planned)
    digest = persons.keyed_digest(f"{told}\n{faults}")
    return ImportPlan(tuple(planned), tuple(faults), file.ignored, digest)


def apply_import(
    session: Session, actor: Actor, territory_id: int, path: Path, *, today: dt.date, digest: str | None = None
) -> ImportPlan:
    """Bring the rows of the file in that can be kept, new and changed ones, in one act; return what was done.

    Raises
    ------
    Conflict
        When the plan is another than the one with ``digest`` that was looked at.
    InvalidInput
        As `plan_import`.
    """
    require(actor, May.MANAGE_WORKERS)
    store.lock_staff(session, territory_id)
    plan = plan_import(session, actor, territory_id, path, today=today)
    if digest is not None and digest != plan.digest:
        raise Conflict(
            "The staff list changed since the preview.",
            hint="Nothing was written. Look at the new preview and decide again.",
            zh="预览之后网格员名册已有变化，未写入任何内容。请查看新的预览后重新决定。",
        )
    _add(session, territory_id, [each for each in plan.planned if each.state == "new"], today)
    changed = [(each.known, each.fields) for each in plan.planned if each.known is not None and each.changes]
    workers.change_checked(session, territory_id, changed)
    return plan


def export_staff(session: Session, actor: Actor, territory_id: int, *, today: dt.date) -> list[list[str]]:
    """Return the employed workers in reach as cells in the order of the headings; the taking is recorded.

    Brought in again as they are, they change nothing.
    """
    require(actor, May.MANAGE_WORKERS)
    rows = list_staff(session, actor, territory_id, today=today, wanted=StaffFilter())
    sealed = {item.row.id: item for item in store.staff(session, territory_id)}
    held = [sealed[row.id] for row in rows]
    phones = persons.unseal_many(
        session, [item.subject_id or "" for item in held], [item.phone_cipher for item in held]
    )
    note_event(session, "export", "worker", territory_id, {"rows": len(rows)})
    return [
        [
            row.code,
            row.name or "",
            row.unit_code,
            phone or "",
            row.grid.code if row.grid else "",
            row.language,
            "; ".join(row.skills),
            "; ".join(row.equipment),
            row.employed_from.isoformat() if row.employed_from else "",
        ]
        for row, phone in zip(rows, phones, strict=True)
    ]


def _known(session: Session, actor: Actor, territory_id: int, file: StaffFile, today: dt.date) -> _Known:
    reached = list_staff(session, actor, territory_id, today=today)
    wanted = {persons.phone_hash(row.phone): row.phone for row in file.rows if row.phone}
    phones: dict[str, str] = {}
    for held, _, code, active in store.phone_holders(session, territory_id, list(wanted)):
        if active:
            phones.setdefault(held.hex(), code)
    return _Known(
        actor=actor,
        staff={row.code: row for row in reached},
        elsewhere=store.codes(session, territory_id),
        units=tuple(list_units(session, actor, territory_id)),
        grids=tuple(store.grids(session, territory_id)),
        subjects={item.row.id: item for item in store.staff(session, territory_id)},
        phones=phones,
    )


def _faults(known: _Known, row: FileRow, numbers: dict[str, int]) -> list[Fault]:
    """Return what keeps a row from being kept; ``numbers`` holds the phones of the rows before."""
    mine = known.staff.get(row.code)
    if mine is None and row.code in known.elsewhere:
        return [Fault(row.row, "code", f"{row.code} is not a worker of yours", f"{row.code} 不属于您管理的网格员")]
    if mine is not None and not mine.active:
        return [Fault(row.row, "code", f"{row.code} has left; employ again first", f"{row.code} 已离职，请先恢复在职")]
    faults = []
    if mine is None and row.name is None:
        faults.append(Fault(row.row, "name", "the name is missing", "缺少姓名"))
    if mine is not None and mine.person == "erased" and (row.name or row.phone):
        faults.append(Fault(row.row, "name", "the person was erased", "个人信息已删除"))
    unit, wrong = _unit(known, row, mine)
    faults += wrong
    grid, wrong = _grid(known, row, mine)
    faults += wrong
    if not faults and not reaches(known.actor, unit or 0, grid):
        manager = known.actor.role is Role.GRID_MANAGER
        faults.append(
            Fault(row.row, "grid", "it needs a grid in your communities", "须指定您所辖社区的责任网格")
            if manager
            else Fault(row.row, "unit", "this is not your unit", "不是您的单位")
        )
    return faults + _phone_faults(known, row, numbers)


def _phone_faults(known: _Known, row: FileRow, numbers: dict[str, int]) -> list[Fault]:
    if not row.phone:
        return []
    held = persons.phone_hash(row.phone).hex()
    before = numbers.setdefault(held, row.row)
    if before != row.row:
        return [Fault(row.row, "phone", f"row {before} has the same phone", f"与第 {before} 行电话相同")]
    holder = known.phones.get(held)
    if holder is not None and holder != row.code:
        return [Fault(row.row, "phone", f"{holder} has this phone number already", f"{holder} 已登记此电话号码")]
    return []


def _unit(known: _Known, row: FileRow, mine: StaffRow | None) -> tuple[int | None, list[Fault]]:
    if row.unit is None:
        if mine is not None:
            return mine.unit_id, []
        return None, [Fault(row.row, "unit", "the unit is missing", "缺少单位")]
    if mine is not None and row.unit.casefold() == mine.unit_code.casefold():
        return mine.unit_id, []
    wanted = row.unit.casefold()
    by_code = [unit.id for unit in known.units if unit.code.casefold() == wanted]
    found = by_code or [
        unit.id for unit in known.units if wanted in {unit.name.casefold(), (unit.name_zh or "").casefold()}
    ]
    if len(found) == 1:
        return found[0], []
    if found:
        return None, [
            Fault(
                row.row,
                "unit",
                f"several units are called {row.unit}; give the code",
                f"有多个单位名为“{row.unit}”，请填写代码",
            )
        ]
    return None, [Fault(row.row, "unit", f"there is no unit {row.unit[:40]}", f"没有单位“{row.unit[:40]}”")]


def _grid(known: _Known, row: FileRow, mine: StaffRow | None) -> tuple[GridRef | None, list[Fault]]:
    if row.grid is None:
        return (mine.grid if mine is not None else None), []
    wanted = row.grid.casefold()
    by_code = [grid for grid in known.grids if grid.code.casefold() == wanted]
    found = by_code or [
        grid for grid in known.grids if wanted in {grid.name.casefold(), (grid.name_zh or "").casefold()}
    ]
    if len(found) == 1:
        return found[0], []
    said = (f"several grids are called {row.grid}; give the code", f"有多个责任网格名为“{row.grid}”，请填写编码")
    if not found:
        said = (f"there is no responsibility grid {row.grid[:40]}", f"没有责任网格“{row.grid[:40]}”")
    return None, [Fault(row.row, "grid", *said)]


def _planned(session: Session, known: _Known, row: FileRow) -> Planned:
    mine = known.staff.get(row.code)
    unit, _ = _unit(known, row, mine)
    grid, _ = _grid(known, row, mine)
    kept = WorkerFields(code=row.code, unit_id=unit or 0) if mine is None else mine.fields()
    given = {
        name: value
        for name in ("language", "skills", "equipment", "employed_from")
        if (value := getattr(row, name)) is not None
    }
    fields = replace(kept, unit_id=unit or 0, grid_id=grid.id if grid else None, **given)
    changes = [name for name in WorkerFields.__slots__ if getattr(fields, name) != getattr(kept, name)]
    personal = _personal(session, known, row, mine)
    return Planned(row.row, replace(fields, **personal), mine, (*changes, *personal))


def _personal(session: Session, known: _Known, row: FileRow, mine: StaffRow | None) -> dict[str, Any]:
    """Return name and phone where the file gives others than are kept."""
    given = {name: value for name in ("name", "phone") if (value := getattr(row, name)) is not None}
    if mine is None:
        return given
    item = known.subjects[mine.id]
    same = {"name": mine.name}
    if "phone" in given and item.phone_hash == persons.phone_hash(given["phone"]):
        # The hash forgets blanks; only where it fits the number itself is unsealed.
        same["phone"] = persons.unseal(session, item.subject_id or "", item.phone_cipher)
    return {name: value for name, value in given.items() if value != same.get(name)}


def _add(session: Session, territory_id: int, new: list[Planned], today: dt.date) -> None:
    """Write the new workers, sealed, in bulk."""
    if not new:
        return
    fields = [each.fields for each in new]
    subjects, (names, phones) = persons.seal_columns(
        session, [each.name for each in fields], [each.phone or None for each in fields]
    )
    count = len(new)
    store.add_workers(
        session,
        {
            "territory_id": [territory_id] * count,
            "unit_id": [each.unit_id for each in fields],
            "responsibility_grid_id": [each.grid_id for each in fields],
            "code": [each.code for each in fields],
            "language": [each.language for each in fields],
            "skills": [list(each.skills) for each in fields],
            "equipment": [list(each.equipment) for each in fields],
            "employed_from": [each.employed_from or today for each in fields],
        },
        {
            "territory_id": [territory_id] * count,
            "subject_id": subjects,
            "name_cipher": names,
            "phone_cipher": phones,
            "phone_hash": [persons.phone_hash(each.phone) if each.phone else None for each in fields],
        },
    )

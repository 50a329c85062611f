"""All SQL of units."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from geodata.tables import Calendar, ClassOwner, Unit, UserRole, Worker
from people.unit_model import Holding, UnitRecord, UnitSpec

FIELDS = (
    "code", "kind", "name", "name_zh", "contact", "contact_zh", "phone", "email", "address", "valid_from", "valid_to",
)  # fmt: skip


def units(session: Session, territory_id: int) -> list[UnitRecord]:
    """Return all units of the territory, ended ones too, by code."""
    rows = session.execute(
        select(Unit, Calendar)
        .outerjoin(Calendar, Calendar.id == Unit.calendar_id)
        .where(Unit.territory_id == territory_id)
        .order_by(Unit.code)
        .execution_options(populate_existing=True)
    ).all()
    codes = {unit.id: unit.code for unit, _ in rows}
    return [_record(unit, calendar, codes.get(unit.parent_id or 0)) for unit, calendar in rows]


def _record(unit: Unit, calendar: Calendar | None, parent: str | None) -> UnitRecord:
    fields = {name: getattr(unit, name) for name in FIELDS}
    spec = UnitSpec(**fields, parent=parent, calendar=calendar.code if calendar else None)
    return UnitRecord(
        unit.id,
        unit.version,
        spec,
        unit.parent_id,
        unit.calendar_id,
        calendar.name_en if calendar else None,
        calendar.name_zh if calendar else None,
    )


def calendars(session: Session) -> dict[str, tuple[int, str, str]]:
    """Return code to id and names of the working calendars."""
    rows = session.execute(select(Calendar.code, Calendar.id, Calendar.name_en, Calendar.name_zh).order_by(Calendar.id))
    return {code: (calendar_id, name_en, name_zh) for code, calendar_id, name_en, name_zh in rows}


def add(session: Session, territory_id: int, columns: Mapping[str, Any]) -> int:
    """Insert a unit and return its id."""
    row = Unit(territory_id=territory_id, **columns)
    session.add(row)
    session.flush()
    return row.id


def lock(session: Session, territory_id: int, unit_id: int) -> int | None:
    """Lock a unit until the end of the transaction and return its version; None when there is none.

    The lock lets other units go on referring to this one.
    """
    return session.scalar(
        select(Unit.version)
        .where(Unit.id == unit_id, Unit.territory_id == territory_id)
        .with_for_update(key_share=True)
    )


def change(session: Session, unit_id: int, columns: Mapping[str, Any]) -> int:
    """Write columns of a locked unit and return its new version."""
    row = session.get_one(Unit, unit_id, populate_existing=True)
    for name, value in columns.items():
        setattr(row, name, value)
    row.version += 1
    session.flush()
    return row.version


def worker_counts(session: Session, territory_id: int) -> dict[int, int]:
    """Return unit id to the number of its active workers; units without any are left out."""
    rows = session.execute(
        select(Worker.unit_id, func.count())
        .where(Worker.territory_id == territory_id, Worker.active)
        .group_by(Worker.unit_id)
    )
    return {row[0]: row[1] for row in rows}


def holding(session: Session, territory_id: int, unit_id: int, after: dt.date) -> Holding:
    """Return what the unit has after a day."""
    work = session.execute(text("SELECT tasks, incidents FROM gk_unit_open(:unit)"), {"unit": unit_id}).one_or_none()
    workers = session.scalar(
        select(func.count())
        .select_from(Worker)
        .where(Worker.unit_id == unit_id, Worker.active, or_(Worker.employed_to.is_(None), Worker.employed_to > after))
    )
    children = session.scalar(
        select(func.count())
        .select_from(Unit)
        .where(Unit.parent_id == unit_id, or_(Unit.valid_to.is_(None), Unit.valid_to > after))
    )
    duties = session.scalar(
        select(func.count())
        .select_from(ClassOwner)
        .where(ClassOwner.unit_id == unit_id, or_(ClassOwner.valid_to.is_(None), ClassOwner.valid_to > after))
    )
    accounts = session.scalar(
        select(func.count())
        .select_from(UserRole)
        .where(UserRole.territory_id == territory_id, UserRole.unit_ids.any_() == unit_id)
    )
    tasks, incidents = work or (0, 0)
    return Holding(tasks, incidents, workers or 0, children or 0, duties or 0, accounts or 0)

"""All SQL of the duty list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from geodata.tables import Area, ClassOwner, IncidentClass, Unit
from people.duty_model import AreaName, ClassName, DutyEntry


def entries(session: Session, territory_id: int) -> list[DutyEntry]:
    """Return every entry of the duty list, ended ones too, by class, area and first day."""
    rows = session.execute(
        select(
            ClassOwner.id,
            ClassOwner.version,
            ClassOwner.class_id,
            ClassOwner.area_id,
            ClassOwner.unit_id,
            ClassOwner.legal_basis,
            ClassOwner.valid_from,
            ClassOwner.valid_to,
        )
        .where(ClassOwner.territory_id == territory_id)
        .order_by(ClassOwner.class_id, ClassOwner.area_id.nulls_first(), ClassOwner.valid_from, ClassOwner.id)
    )
    return [DutyEntry(*row) for row in rows]


def classes(session: Session, scheme: str) -> list[ClassName]:
    """Return the classes of a scheme that are in use, components first, by code."""
    rows = session.execute(
        select(
            IncidentClass.id,
            IncidentClass.kind,
            IncidentClass.code,
            IncidentClass.category,
            IncidentClass.category_en,
            IncidentClass.category_zh,
            IncidentClass.name_en,
            IncidentClass.name_zh,
        )
        .where(IncidentClass.scheme == scheme, IncidentClass.active)
        .order_by(IncidentClass.kind, IncidentClass.code)
    )
    return [ClassName(*row) for row in rows]


def areas(session: Session, territory_id: int) -> list[AreaName]:
    """Return districts, streets and communities of a territory by level and code."""
    rows = session.execute(
        select(Area.id, Area.level, Area.parent_id, Area.code, Area.name, Area.name_zh)
        .where(Area.territory_id == territory_id)
        .order_by(Area.level, Area.code)
    )
    return [AreaName(*row) for row in rows]


def unit_days(session: Session, territory_id: int) -> dict[int, tuple[dt.date, dt.date | None]]:
    """Return unit id to its first and last day."""
    rows = session.execute(select(Unit.id, Unit.valid_from, Unit.valid_to).where(Unit.territory_id == territory_id))
    return {row[0]: (row[1], row[2]) for row in rows}


def lock_list(session: Session, territory_id: int) -> None:
    """Lock every entry of the territory until the end of the transaction."""
    session.execute(select(ClassOwner.id).where(ClassOwner.territory_id == territory_id).with_for_update()).all()


def lock(session: Session, territory_id: int, duty_id: int) -> int | None:
    """Lock an entry until the end of the transaction and return its version; None when there is none."""
    return session.scalar(
        select(ClassOwner.version)
        .where(ClassOwner.id == duty_id, ClassOwner.territory_id == territory_id)
        .with_for_update()
    )


def add(session: Session, territory_id: int, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert entries and return their ids in order."""
    made = [ClassOwner(territory_id=territory_id, **row) for row in rows]
    session.add_all(made)
    session.flush()
    return [row.id for row in made]


def change(session: Session, duty_id: int, columns: Mapping[str, Any]) -> int:
    """Write columns of a locked entry and return its new version."""
    row = session.get_one(ClassOwner, duty_id, populate_existing=True)
    for name, value in columns.items():
        setattr(row, name, value)
    row.version += 1
    session.flush()
    return row.version


def remove(session: Session, duty_id: int) -> None:
    """Delete an entry that has not begun; the record keeps it."""
    session.execute(delete(ClassOwner).where(ClassOwner.id == duty_id))

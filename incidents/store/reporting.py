"""SQL of taking a report in: its row, and who is responsible for a class in a community."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from geodata.tables import Area, ClassOwner, Incident, IncidentPersonal, UnitGrid
from geodata.tables import Unit as UnitRow
from incidents.work import Unit


def owner(session: Session, territory_id: int, class_id: int, community_id: int) -> tuple[Unit, str, bool] | None:
    """Return the unit of the duty list, its legal basis, and whether the entry holds for the whole territory.

    An entry for the community comes before one for the whole territory, a newer one before an older.
    """
    today = func.current_date()
    row = session.execute(
        select(UnitRow.id, UnitRow.code, UnitRow.name, UnitRow.name_zh, ClassOwner.legal_basis, ClassOwner.area_id)
        .join(ClassOwner, ClassOwner.unit_id == UnitRow.id)
        .where(
            ClassOwner.territory_id == territory_id,
            ClassOwner.class_id == class_id,
            or_(ClassOwner.area_id == community_id, ClassOwner.area_id.is_(None)),
            ClassOwner.valid_from <= today,
            or_(ClassOwner.valid_to.is_(None), ClassOwner.valid_to >= today),
        )
        .order_by(ClassOwner.area_id.is_(None), ClassOwner.valid_from.desc(), ClassOwner.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return Unit(row.id, row.code, row.name, row.name_zh), row.legal_basis, row.area_id is None


def place_names(session: Session, grid_id: int, community_id: int) -> tuple[str, str, str | None]:
    """Return the code of a unit grid, and the name of a community in both languages."""
    code = session.execute(select(UnitGrid.code).where(UnitGrid.id == grid_id)).scalar_one()
    area = session.execute(select(Area.name, Area.name_zh).where(Area.id == community_id)).one()
    return code, area.name, area.name_zh


def add(session: Session, columns: dict[str, Any]) -> Incident:
    """Insert an incident."""
    row = Incident(**columns)
    session.add(row)
    session.flush()
    return row


def add_personal(session: Session, columns: dict[str, Any]) -> None:
    """Insert what names people, sealed."""
    session.add(IncidentPersonal(**columns))
    session.flush()

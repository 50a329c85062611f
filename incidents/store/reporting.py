"""SQL of taking a report in: its row, and who is responsible for a class in a community."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.sql.functions import Function

from geodata.tables import Area, ClassOwner, Incident, IncidentPersonal, UnitGrid
from geodata.tables import Unit as UnitRow
from incidents.work import Unit


def owner(session: Session, territory_id: int, class_id: int, community_id: int) -> tuple[Unit, str, bool] | None:
    """Return the unit of the duty list, its legal basis, and whether the entry holds for the whole territory.

    The rule is that of `people.duty`: the most specific area wins (community, street, district, whole
    territory), and an entry counts while it is in force and its unit exists. The database keeps two
    entries for one class and area from sharing a day.
    """
    today = func.current_date()
    street, district = aliased(Area), aliased(Area)
    above = (
        select(Area.id.label("community"), street.id.label("street"), district.id.label("district"))
        .outerjoin(street, street.id == Area.parent_id)
        .outerjoin(district, district.id == street.parent_id)
        .where(Area.id == community_id)
        .subquery()
    )
    levels = (above.c.community, above.c.street, above.c.district)
    row = session.execute(
        select(UnitRow.id, UnitRow.code, UnitRow.name, UnitRow.name_zh, ClassOwner.legal_basis, ClassOwner.area_id)
        .join(ClassOwner, ClassOwner.unit_id == UnitRow.id)
        .outerjoin(above, or_(*(ClassOwner.area_id == level for level in levels)))
        .where(
            ClassOwner.territory_id == territory_id,
            ClassOwner.class_id == class_id,
            or_(above.c.community.is_not(None), ClassOwner.area_id.is_(None)),
            *((each.valid_from <= today) & _goes_on(each.valid_to, today) for each in (ClassOwner, UnitRow)),
        )
        .order_by(case(*((ClassOwner.area_id == level, rank) for rank, level in enumerate(levels)), else_=3))
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    return Unit(row.id, row.code, row.name, row.name_zh), row.legal_basis, row.area_id is None


def _goes_on(valid_to: InstrumentedAttribute[dt.date | None], day: Function[dt.date]) -> ColumnElement[bool]:
    return or_(valid_to.is_(None), valid_to >= day)


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

"""SQL of classes, limits, calendars and the duty list."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from geodata.tables import Calendar, CalendarDay, ClassOwner, IncidentClass, TimeLimit
from incidents.calendars import CalendarSpec
from incidents.classes import SCHEME, SCHEME_VERSION, ClassSpec
from incidents.deadlines import Limit
from incidents.limits import LimitSpec
from incidents.model import ClassInfo, LimitInForce

VALID_FROM = dt.date(2000, 1, 1)


def add_calendars(session: Session, specs: Iterable[CalendarSpec]) -> int:
    """Add the calendars whose code is new, with their days, and return how many; edited ones stay as they are."""
    known = set(session.scalars(select(Calendar.code)))
    new = [spec for spec in specs if spec.code not in known]
    for spec in new:
        row = Calendar(
            code=spec.code,
            name_en=spec.name_en,
            name_zh=spec.name_zh,
            timezone=spec.timezone,
            hours=dict(spec.hours),
            holidays_source=spec.holidays_source,
        )
        session.add(row)
        session.flush()
        session.add_all(
            CalendarDay(calendar_id=row.id, day=day, kind=kind, name=name) for day, (kind, name) in spec.days.items()
        )
    session.flush()
    return len(new)


def calendar(session: Session, code: str) -> CalendarSpec | None:
    """Return a calendar as stored; None when there is none of that code."""
    row = session.scalars(select(Calendar).where(Calendar.code == code)).one_or_none()
    if row is None:
        return None
    days = session.execute(
        select(CalendarDay.day, CalendarDay.kind, CalendarDay.name).where(CalendarDay.calendar_id == row.id)
    )
    exceptions = {day: (kind, name) for day, kind, name in days}
    return CalendarSpec(row.code, row.name_en, row.name_zh, row.timezone, row.hours, exceptions, row.holidays_source)


def add_classes(session: Session, specs: Sequence[ClassSpec], scheme: str, scheme_version: str) -> int:
    """Add the classes whose key is new and return how many; edited ones stay as they are."""
    if not specs:
        return 0
    rows = [
        {
            "scheme": scheme,
            "scheme_version": scheme_version,
            "kind": spec.kind,
            "code": spec.code,
            "category": spec.category,
            "category_en": spec.category_en,
            "category_zh": spec.category_zh,
            "name_en": spec.name_en,
            "name_zh": spec.name_zh,
            "priority": spec.priority,
            "emergency": spec.emergency,
            "evidence": spec.evidence,
            "check_on_site": spec.kind == "component",
            **spec.needs.fields(),
        }
        for spec in specs
    ]
    added = session.scalars(insert(IncidentClass).on_conflict_do_nothing().returning(IncidentClass.id), rows)
    return len(added.all())


def classes(session: Session, scheme: str, scheme_version: str) -> list[ClassInfo]:
    """Return the active classes of a scheme, by kind and code."""
    rows = session.scalars(
        select(IncidentClass)
        .where(IncidentClass.scheme == scheme, IncidentClass.scheme_version == scheme_version, IncidentClass.active)
        .order_by(IncidentClass.kind, IncidentClass.code)
    )
    return [_class_info(row) for row in rows]


def shipped(session: Session) -> list[ClassInfo]:
    """Return the active classes of the shipped scheme, by kind and code."""
    return classes(session, SCHEME, SCHEME_VERSION)


def add_limits(session: Session, specs: Sequence[LimitSpec], class_ids: Mapping[str, int]) -> int:
    """Add the limits that the shipped scheme has none of yet, and return how many."""
    known = set(
        session.execute(
            select(TimeLimit.class_id, TimeLimit.stage, TimeLimit.condition).where(
                TimeLimit.scheme == SCHEME, TimeLimit.scheme_version == SCHEME_VERSION
            )
        )
    )
    new = [
        TimeLimit(
            scheme=SCHEME,
            scheme_version=SCHEME_VERSION,
            class_id=class_id,
            condition=spec.condition,
            stage=spec.stage,
            value=spec.limit.value,
            unit=spec.limit.unit,
            closing_condition_en=spec.closing_condition_en,
            closing_condition_zh=spec.closing_condition_zh,
            responsible_kind=spec.responsible_kind,
            verified=spec.verified,
            source=spec.source,
            valid_from=VALID_FROM,
        )
        for spec in specs
        for class_id in [None if spec.class_key is None else class_ids[spec.class_key]]
        if (class_id, spec.stage, spec.condition) not in known
    ]
    session.add_all(new)
    session.flush()
    return len(new)


def handle_limits(session: Session) -> dict[int, LimitInForce]:
    """Return class id to its main limit of the stage ``handle`` that is valid today; of retired classes too."""
    rows = session.execute(
        select(TimeLimit.id, TimeLimit.class_id, TimeLimit.value, TimeLimit.unit, Calendar.code)
        .join(Calendar, Calendar.id == TimeLimit.calendar_id, isouter=True)
        .where(
            TimeLimit.class_id.is_not(None),
            TimeLimit.stage == "handle",
            TimeLimit.condition == "",
            _valid_today(TimeLimit),
        )
        .order_by(TimeLimit.valid_from, TimeLimit.id)
    )
    return {
        class_id: LimitInForce(id_, Limit(value, unit), code)
        for id_, class_id, value, unit, code in rows
        if class_id is not None
    }


def add_owners(session: Session, territory_id: int, owners: Mapping[int, int], legal_basis: str) -> int:
    """Write class id to unit id for the whole territory, for classes that nobody owns yet; return how many."""
    known = set(owners_of(session, territory_id))
    new = [
        ClassOwner(
            class_id=class_id,
            territory_id=territory_id,
            unit_id=unit_id,
            legal_basis=legal_basis,
            valid_from=VALID_FROM,
        )
        for class_id, unit_id in owners.items()
        if class_id not in known
    ]
    session.add_all(new)
    session.flush()
    return len(new)


def owners_of(session: Session, territory_id: int) -> dict[int, int]:
    """Return class id to the unit that owns it in the whole territory today."""
    rows = session.execute(
        select(ClassOwner.class_id, ClassOwner.unit_id)
        .where(ClassOwner.territory_id == territory_id, ClassOwner.area_id.is_(None), _valid_today(ClassOwner))
        .order_by(ClassOwner.valid_from, ClassOwner.id)
    )
    return {row.class_id: row.unit_id for row in rows}


def _valid_today(table: type[TimeLimit | ClassOwner]) -> ColumnElement[bool]:
    return (table.valid_from <= func.current_date()) & or_(
        table.valid_to.is_(None), table.valid_to >= func.current_date()
    )


def _class_info(row: IncidentClass) -> ClassInfo:
    return ClassInfo(
        row.id,
        row.scheme,
        row.kind,
        row.code,
        row.category,
        row.category_en,
        row.category_zh,
        row.name_en,
        row.name_zh,
        row.priority,
        row.emergency,
        row.version,
    )

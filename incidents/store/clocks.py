"""SQL of clocks: the limits that may hold for an incident, and how far calendars know their days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from sqlalchemy import extract, func, or_, select
from sqlalchemy.orm import Session

from geodata.tables import Calendar, CalendarDay, Incident, IncidentClass, Territory, TimeLimit
from incidents.deadlines import Limit, LimitRule


def limits_of(session: Session, incident_id: int) -> tuple[int, list[LimitRule]]:
    """Return the class of an incident and every limit of that class and of any class in its scheme, ended ones too."""
    class_id, scheme, version = session.execute(
        select(IncidentClass.id, IncidentClass.scheme, IncidentClass.scheme_version)
        .join(Incident, Incident.class_id == IncidentClass.id)
        .where(Incident.id == incident_id)
    ).one()
    rows = session.execute(
        select(
            TimeLimit.id,
            TimeLimit.class_id,
            TimeLimit.stage,
            TimeLimit.condition,
            TimeLimit.value,
            TimeLimit.unit,
            Calendar.code,
            TimeLimit.valid_from,
            TimeLimit.valid_to,
            TimeLimit.version,
            TimeLimit.verified,
            TimeLimit.closing_condition_en,
            TimeLimit.closing_condition_zh,
            TimeLimit.responsible_kind,
        )
        .outerjoin(Calendar, Calendar.id == TimeLimit.calendar_id)
        .where(
            TimeLimit.scheme == scheme,
            TimeLimit.scheme_version == version,
            or_(TimeLimit.class_id == class_id, TimeLimit.class_id.is_(None)),
        )
        .order_by(TimeLimit.id)
    )
    return class_id, [
        LimitRule(id_, of_class, stage, condition, Limit(value, unit), *rest)
        for id_, of_class, stage, condition, value, unit, *rest in rows
    ]


def limit_of(session: Session, limit_id: int) -> tuple[Limit, str | None] | None:
    """Return a limit with the code of its own calendar."""
    row = session.execute(
        select(TimeLimit.value, TimeLimit.unit, Calendar.code)
        .outerjoin(Calendar, Calendar.id == TimeLimit.calendar_id)
        .where(TimeLimit.id == limit_id)
    ).one_or_none()
    return None if row is None else (Limit(row[0], row[1]), row[2])


def holidays_by_year(session: Session, codes: Collection[str]) -> dict[tuple[str, str, str], dict[int, int]]:
    """Return code and both names of each calendar named to its number of holidays by year."""
    year = extract("year", CalendarDay.day)
    rows = session.execute(
        select(Calendar.code, Calendar.name_en, Calendar.name_zh, year, func.count(CalendarDay.id))
        .outerjoin(CalendarDay, (CalendarDay.calendar_id == Calendar.id) & (CalendarDay.kind == "holiday"))
        .where(Calendar.code.in_(codes))
        .group_by(Calendar.code, Calendar.name_en, Calendar.name_zh, year)
        .order_by(Calendar.code, year)
    )
    found: dict[tuple[str, str, str], dict[int, int]] = {}
    for code, name_en, name_zh, of_year, count in rows:
        years = found.setdefault((code, name_en, name_zh), {})
        if of_year is not None:
            years[int(of_year)] = int(count)
    return found


def named_calendars(session: Session, today: dt.date) -> set[str]:
    """Return the codes of the calendars that a limit in force names."""
    rows = session.scalars(
        select(Calendar.code)
        .distinct()
        .join(TimeLimit, TimeLimit.calendar_id == Calendar.id)
        .where(or_(TimeLimit.valid_to.is_(None), TimeLimit.valid_to >= today))
    )
    return set(rows)


def zones(session: Session) -> set[str]:
    """Return the time zones of all territories."""
    return set(session.scalars(select(Territory.timezone).distinct()))

"""SQL of the rules: all rows as they stand, proposed changes, and applying one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from geodata.tables import (
    OPEN_STATUSES,
    Calendar,
    CalendarDay,
    Incident,
    IncidentClass,
    RuleChange,
    Territory,
    TimeLimit,
)
from incidents.classes import SCHEME, SCHEME_VERSION
from incidents.deadlines import Limit
from incidents.model import FiledUnder
from incidents.rules import CALENDAR, CLASS, DAY, DEFAULTS, LIMIT, Change, Edit, Key, Row, day_key, edit_from, limit_key


def read(session: Session) -> dict[Key, Row]:
    """Return the rules: classes, limits, calendars and their days; of a limit the latest row that goes on.

    A limit that was approved for a later day is the one that a further change is about.
    """
    made: dict[Key, Row] = {}
    shipped = (IncidentClass.scheme == SCHEME, IncidentClass.scheme_version == SCHEME_VERSION)
    names: dict[int, str] = {}
    for row in session.scalars(select(IncidentClass).where(*shipped).order_by(IncidentClass.kind, IncidentClass.code)):
        names[row.id] = f"{row.kind}-{row.code}"
        made[CLASS, names[row.id]] = Row(_fields(CLASS, row), row.id, row.version)
    codes: dict[int, str] = {}
    for calendar in session.scalars(select(Calendar).order_by(Calendar.code)):
        codes[calendar.id] = calendar.code
        made[CALENDAR, calendar.code] = Row(_fields(CALENDAR, calendar), calendar.id, calendar.version)
    limits = select(TimeLimit).where(
        TimeLimit.scheme == SCHEME, TimeLimit.scheme_version == SCHEME_VERSION, TimeLimit.valid_to.is_(None)
    )
    for limit in session.scalars(limits.order_by(TimeLimit.stage, TimeLimit.class_id, TimeLimit.condition)):
        class_key = None if limit.class_id is None else names.get(limit.class_id)
        fields = _fields(LIMIT, limit) | {"class": class_key, "calendar": codes.get(limit.calendar_id or 0)}
        key = limit_key(class_key, limit.stage, limit.condition)
        made[LIMIT, key] = Row(fields, limit.id, limit.version, None, limit.valid_from)
    days = select(CalendarDay.id, CalendarDay.calendar_id, CalendarDay.day, CalendarDay.kind, CalendarDay.name)
    for id_, calendar_id, day, kind, name in session.execute(days.order_by(CalendarDay.day)):
        key = day_key(codes[calendar_id], day)
        made[DAY, key] = Row({"kind": kind, "name": name}, id_, 1, calendar_id)
    return made


def past_limits(session: Session) -> list[tuple[str, Row]]:
    """Return the limits that were closed, with their key and days, the newest first."""
    class_ = aliased(IncidentClass)
    calendar = aliased(Calendar)
    rows = session.execute(
        select(TimeLimit, class_.kind, class_.code, calendar.code)
        .join(class_, class_.id == TimeLimit.class_id, isouter=True)
        .join(calendar, calendar.id == TimeLimit.calendar_id, isouter=True)
        .where(TimeLimit.scheme == SCHEME, TimeLimit.scheme_version == SCHEME_VERSION, TimeLimit.valid_to.is_not(None))
        .order_by(TimeLimit.id.desc())
    )
    found = []
    for limit, kind, code, calendar_code in rows:
        class_key = None if kind is None else f"{kind}-{code}"
        fields = _fields(LIMIT, limit) | {"class": class_key, "calendar": calendar_code}
        row = Row(fields, limit.id, limit.version, None, limit.valid_from, limit.valid_to)
        found.append((limit_key(class_key, limit.stage, limit.condition), row))
    return found


def add_change(session: Session, actor_id: int, label: str, *, title: str, reason: str, edits: Sequence[Edit]) -> int:
    """Insert a proposal and return its id."""
    row = RuleChange(
        title=title,
        reason=reason,
        edits=[edit.as_json() for edit in edits],
        proposed_by=actor_id,
        proposed_label=label,
    )
    session.add(row)
    session.flush()
    return row.id


def changes(session: Session, *, states: Collection[str] = (), limit: int = 200) -> list[Change]:
    """Return the changes in these states, all when none is named; the newest first."""
    query = select(RuleChange).order_by(RuleChange.id.desc()).limit(limit)
    if states:
        query = query.where(RuleChange.state.in_(states))
    return [_change(row) for row in _fresh(session, query)]


def change(session: Session, change_id: int, *, lock: bool = False) -> Change | None:
    """Return one change, with ``lock`` until the end of the transaction; None when there is none."""
    query = select(RuleChange).where(RuleChange.id == change_id)
    found = _fresh(session, query.with_for_update() if lock else query)
    return _change(found[0]) if found else None


def lock_deciding(session: Session) -> None:
    """Wait until nobody else decides a change; held until the transaction ends.

    Two approvals at once would each find the rows unmoved, and both would write them.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('gridkeeper rules'))"))


def decide(session: Session, change_id: int, state: str, *, actor_id: int | None, label: str, note: str) -> None:
    """Write what was decided; the database stamps who and when."""
    row = session.get_one(RuleChange, change_id)
    row.state, row.decided_by, row.decided_label, row.note = state, actor_id, label, note
    row.decided_at, row.version = func.now(), row.version + 1
    session.flush()


def apply(session: Session, change_id: int, edits: Sequence[Edit], today: dt.date) -> None:
    """Write an approved change; classes first, so that a limit finds the class it came with."""
    session.execute(text("SELECT set_config('gridkeeper.change', :id, true)"), {"id": str(change_id)})
    for table in (CLASS, LIMIT, CALENDAR, DAY):
        for edit in edits:
            if edit.table == table:
                _WRITE[table](session, edit, today)
        session.flush()
    for calendar_id in sorted({edit.of for edit in edits if edit.table == DAY and edit.of is not None}):
        row = session.get_one(Calendar, calendar_id, populate_existing=True)
        row.version += 1
    session.flush()
    session.execute(text("SELECT set_config('gridkeeper.change', '', true)"))


def _write_class(session: Session, edit: Edit, _today: dt.date) -> None:
    fields = dict(edit.after or {})
    if edit.id is None:
        kind, _, code = edit.key.partition("-")
        session.add(
            IncidentClass(scheme=SCHEME, scheme_version=SCHEME_VERSION, kind=kind, code=code, version=1, **fields)
        )
        return
    _set(session.get_one(IncidentClass, edit.id, populate_existing=True), fields)


def _write_limit(session: Session, edit: Edit, today: dt.date) -> None:
    start = max(today, edit.start or today)
    version = 1
    if edit.id is not None:
        old = session.get_one(TimeLimit, edit.id, populate_existing=True)
        # Both rows hold on the day of the change itself, the newer one before the older; see handle_limits.
        last = start if start == today else start - dt.timedelta(days=1)
        if last < old.valid_from:  # it had not begun, and never will
            last = old.valid_from - dt.timedelta(days=1)
        old.valid_to, version = last, old.version + 1
        session.flush()
    if edit.after is None:
        return
    fields = dict(edit.after)
    class_key, calendar = fields.pop("class"), fields.pop("calendar")
    session.add(
        TimeLimit(
            scheme=SCHEME,
            scheme_version=SCHEME_VERSION,
            class_id=_class_id(session, class_key),
            calendar_id=None if calendar is None else _calendar_id(session, calendar),
            valid_from=start,
            version=version,
            **fields,
        )
    )


def _write_calendar(session: Session, edit: Edit, _today: dt.date) -> None:
    _set(session.get_one(Calendar, edit.id, populate_existing=True), dict(edit.after or {}))


def _write_day(session: Session, edit: Edit, _today: dt.date) -> None:
    if edit.id is None:
        day = dt.date.fromisoformat(edit.key.partition("|")[2])
        session.add(CalendarDay(calendar_id=edit.of, day=day, **dict(edit.after or {})))
        return
    row = session.get_one(CalendarDay, edit.id, populate_existing=True)
    if edit.after is None:
        session.delete(row)
        return
    row.kind, row.name = edit.after["kind"], edit.after["name"]


_WRITE = {CLASS: _write_class, LIMIT: _write_limit, CALENDAR: _write_calendar, DAY: _write_day}


def _set(row: IncidentClass | Calendar, fields: dict[str, Any]) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.version += 1


def _class_id(session: Session, key: str | None) -> int | None:
    if key is None:
        return None
    kind, _, code = key.partition("-")
    return session.execute(
        select(IncidentClass.id).where(
            IncidentClass.scheme == SCHEME,
            IncidentClass.scheme_version == SCHEME_VERSION,
            IncidentClass.kind == kind,
            IncidentClass.code == code,
        )
    ).scalar_one()


def _calendar_id(session: Session, code: str) -> int:
    return session.execute(select(Calendar.id).where(Calendar.code == code)).scalar_one()


def _fields(table: str, row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in DEFAULTS[table] if name not in {"class", "calendar"}}


def _change(row: RuleChange) -> Change:
    return Change(
        row.id,
        row.title,
        row.reason,
        tuple(edit_from(stored) for stored in row.edits),
        row.state,
        row.proposed_by,
        row.proposed_label,
        row.proposed_at,
        row.decided_by,
        row.decided_label,
        row.decided_at,
        row.note,
    )


def _fresh(session: Session, query: Select[RuleChange]) -> list[RuleChange]:
    return list(session.scalars(query.execution_options(populate_existing=True)))


# --- Incidents and the rules they keep


def filed_under(session: Session, incident_id: int) -> FiledUnder | None:
    """Return the class and the limit an incident was filed under, as they stood then."""
    row = session.execute(
        select(
            IncidentClass.kind,
            IncidentClass.code,
            Incident.class_version,
            TimeLimit.value,
            TimeLimit.unit,
            TimeLimit.version,
        )
        .join(IncidentClass, IncidentClass.id == Incident.class_id)
        .join(TimeLimit, TimeLimit.id == Incident.limit_id, isouter=True)
        .where(Incident.id == incident_id)
    ).one_or_none()
    if row is None:
        return None
    kind, code, class_version, value, unit, limit_version = row
    limit = None if value is None else Limit(value, unit)
    return FiledUnder(f"{kind}-{code}", class_version, limit, limit_version)


def open_under_limits(session: Session, limit_ids: Collection[int], class_ids: Collection[int]) -> int:
    """Return how many open incidents in reach have a deadline of one of these limits, or of no known one."""
    return int(
        session.scalar(
            select(func.count())
            .select_from(Incident)
            .where(
                Incident.status.in_(OPEN_STATUSES),
                Incident.due_at.is_not(None),
                or_(
                    Incident.limit_id.in_(list(limit_ids)),
                    and_(Incident.limit_id.is_(None), Incident.class_id.in_(list(class_ids))),
                ),
            )
        )
        or 0
    )


def open_by_calendar(session: Session, timezones: Collection[str], code: str) -> int:
    """Return how many open incidents in reach have a deadline to come that was counted by a calendar.

    ``timezones`` are those whose territories count by it; urgent hours know no calendar.
    """
    return int(
        session.scalar(
            select(func.count())
            .select_from(Incident)
            .join(TimeLimit, TimeLimit.id == Incident.limit_id)
            .join(Territory, Territory.id == Incident.territory_id)
            .join(Calendar, Calendar.id == TimeLimit.calendar_id, isouter=True)
            .where(
                Incident.status.in_(OPEN_STATUSES),
                Incident.due_at > func.now(),
                TimeLimit.unit != "urgent_hours",
                or_(Calendar.code == code, and_(TimeLimit.calendar_id.is_(None), Territory.timezone.in_(timezones))),
            )
        )
        or 0
    )


def timezones(session: Session) -> dict[str, int]:
    """Return each time zone of the platform's territories with how many of them it has."""
    rows = session.execute(select(Territory.timezone, func.count()).group_by(Territory.timezone))
    return {zone: int(count) for zone, count in rows}

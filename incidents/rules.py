"""Changes of classes, limits and calendars: what would differ, what a change does, what it collides with.

The rules are rows under (table, key); a change is a list of edits, each a row before and after. Nothing
here knows a database: the same functions show a proposal, check it, and say what an approval will do.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import Conflict, NotFound
from incidents.classes import MAJORS

CLASS, LIMIT, CALENDAR, DAY = "incident_class", "time_limit", "calendar", "calendar_day"
TABLES = (CLASS, LIMIT, CALENDAR, DAY)
ANY_CLASS = "*"
"""Stands for the class in the key of a limit that holds for every class."""

Fields = Mapping[str, Any]
Key = tuple[str, str]
"""Table, and the key in it: event-04-03, event-04-03|handle|fence, office-gb, office-gb|2026-12-25."""
Wanted = Mapping[Key, Fields | None]
"""What is asked for: the fields of a row that are to change, or None for a row that is to end."""

DEFAULTS: dict[str, dict[str, Any]] = {
    CLASS: {
        "category": "",
        "category_en": "",
        "category_zh": "",
        "name_en": "",
        "name_zh": "",
        "priority": 3,
        "emergency": False,
        "evidence": "",
        "check_on_site": False,
        "skills": [],
        "equipment": [],
        "workers": 1,
        "service_min": 0.0,
        "active": True,
    },
    LIMIT: {
        "class": None,
        "stage": "handle",
        "condition": "",
        "value": 0.0,
        "unit": "working_days",
        "closing_condition_en": "",
        "closing_condition_zh": "",
        "responsible_kind": "department",
        "calendar": None,
        "verified": False,
        "source": "",
    },
    CALENDAR: {"name_en": "", "name_zh": "", "timezone": "UTC", "hours": {}, "holidays_source": ""},
    DAY: {"kind": "holiday", "name": ""},
}
"""The fields of each table that a change may set, as they are in a new row."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the rules as it stands; ``of`` is the calendar of a day."""

    fields: Fields
    id: int | None = None
    version: int = 1
    of: int | None = None
    valid_from: dt.date | None = None
    valid_to: dt.date | None = None


Rules = Mapping[Key, Row]


@dataclass(frozen=True, slots=True)
class Edit:
    """One row of a change: as it was when it was proposed, and as it shall be.

    Attributes
    ----------
    before, after
        All fields; None before for a new row, None after for one that ends.
    id, version, of
        Of the row as it was.
    start
        First day of a changed limit; None means the day of approval.
    """

    table: str
    key: str
    before: Fields | None
    after: Fields | None
    id: int | None = None
    version: int | None = None
    of: int | None = None
    start: dt.date | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the edit as it is stored."""
        return {
            "table": self.table,
            "key": self.key,
            "id": self.id,
            "version": self.version,
            "of": self.of,
            "from": None if self.start is None else self.start.isoformat(),
            "before": None if self.before is None else dict(self.before),
            "after": None if self.after is None else dict(self.after),
        }


def edit_from(stored: Mapping[str, Any]) -> Edit:
    """Return a stored edit."""
    start = stored.get("from")
    return Edit(
        stored["table"],
        stored["key"],
        stored["before"],
        stored["after"],
        stored["id"],
        stored["version"],
        stored["of"],
        None if start is None else dt.date.fromisoformat(start),
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A proposed change with what became of it; persons by number and by the label they acted under."""

    id: int
    title: str
    reason: str
    edits: tuple[Edit, ...]
    state: str
    proposed_by: int | None
    proposed_label: str
    proposed_at: dt.datetime
    decided_by: int | None
    decided_label: str
    decided_at: dt.datetime | None
    note: str


def limit_key(class_key: str | None, stage: str, condition: str = "") -> str:
    """Return the key of a limit."""
    return f"{class_key or ANY_CLASS}|{stage}|{condition}"


def day_key(calendar: str, day: dt.date) -> str:
    """Return the key of a day of a calendar."""
    return f"{calendar}|{day.isoformat()}"


def edits_for(rules: Rules, wanted: Wanted, *, start: dt.date | None = None) -> tuple[Edit, ...]:
    """Return what has to change so that the rules are as wanted; what is so already is left out.

    Raises
    ------
    NotFound
        When a row is to end that is not there.
    """
    made = []
    for (table, key), fields in wanted.items():
        row = rules.get((table, key))
        if row is None and fields is None:
            raise NotFound(f"There is no {table} {key} that could end.", zh=f"{table} 中没有 {key}。")
        before = None if row is None else dict(row.fields)
        after = None
        if fields is not None:
            after = {**(before or _new(table, key)), **fields}
        if before == after:
            continue
        of = row.of if row is not None else _calendar_id(rules, table, key)
        first = start if table == LIMIT else None
        id_, version = (None, None) if row is None else (row.id, row.version)
        made.append(Edit(table, key, before, after, id_, version, of, first))
    return tuple(made)


def apply(rules: Rules, edits: Iterable[Edit]) -> dict[Key, Row]:
    """Return the rules after a change; rows that it does not name are the same objects."""
    changed = dict(rules)
    for edit in edits:
        place = (edit.table, edit.key)
        if edit.after is None:
            changed.pop(place, None)
            continue
        row = changed.get(place)
        fields = dict(edit.after)
        version = 1 if row is None else row.version + 1
        changed[place] = Row(fields, None, 1, edit.of) if row is None else replace(row, fields=fields, version=version)
    return changed


def undo(edits: Iterable[Edit]) -> dict[Key, Fields | None]:
    """Return what to want so that a change is taken back; a class that was added is retired, not removed."""
    return {
        (edit.table, edit.key): {"active": False} if edit.table == CLASS and edit.before is None else edit.before
        for edit in edits
    }


def again(edits: Iterable[Edit]) -> dict[Key, Fields | None]:
    """Return what a change wanted: only the fields that it set, so that it can be proposed on newer rows."""
    wanted: dict[Key, Fields | None] = {}
    for edit in edits:
        if edit.after is None or edit.before is None:
            wanted[edit.table, edit.key] = edit.after
        else:
            wanted[edit.table, edit.key] = {
                name: value for name, value in edit.after.items() if edit.before.get(name) != value
            }
    return wanted


def moved(edits: Iterable[Edit], rules: Rules) -> tuple[Edit, ...]:
    """Return the edits whose row is not any more what it was when they were proposed."""
    return tuple(edit for edit in edits if _has_moved(edit, rules.get((edit.table, edit.key))))


def refuse_moved(edits: Iterable[Edit], rules: Rules, told: Sequence[tuple[str, str]]) -> None:
    """Raise `Conflict` with what changed since (``told``, in both languages) when a row has moved.

    Raises
    ------
    Conflict
        With the way out: propose again from the present rules.
    """
    if moved(edits, rules):
        english, chinese = ("; ".join(each[place] for each in told) for place in (0, 1))
        raise Conflict(
            f"The rules changed since this was proposed: {english}.",
            hint="Propose it again from the present rules.",
            zh=f"提出之后规则已有变动：{chinese}。请按现行规则重新提出。",
        )


def _has_moved(edit: Edit, row: Row | None) -> bool:
    if edit.table == DAY:
        # A day has no version: its contents say whether it is the same.
        return (None if row is None else dict(row.fields)) != edit.before
    if row is None or edit.before is None:
        return (row is None) != (edit.before is None)
    return row.version != edit.version or row.id != edit.id


def _new(table: str, key: str) -> dict[str, Any]:
    fields = dict(DEFAULTS.get(table, {}))
    if table == LIMIT:
        class_key, _, rest = key.partition("|")
        stage, _, condition = rest.partition("|")
        fields |= {"class": None if class_key == ANY_CLASS else class_key, "stage": stage, "condition": condition}
    if table == CLASS:
        category = key.rpartition("-")[0]
        english, chinese = MAJORS.get(category, ("", ""))
        fields |= {"category": category, "category_en": english, "category_zh": chinese}
        fields["check_on_site"] = key.startswith("component-")
    return fields


def _calendar_id(rules: Rules, table: str, key: str) -> int | None:
    if table != DAY:
        return None
    row = rules.get((CALENDAR, key.partition("|")[0]))
    return None if row is None else row.id

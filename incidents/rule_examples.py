"""What a change means for a deadline: the same incident, filed on a Friday at four, before and after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from core.clock import WorkingCalendar
from core.errors import InvalidInput, NotFound
from incidents.calendars import CalendarSpec, working_calendar
from incidents.deadlines import Limit, due_at
from incidents.rule_words import Say, limit_words, subject
from incidents.rules import CALENDAR, DAY, LIMIT, Edit, Fields, Rules, apply

FRIDAY, FOUR = 4, dt.time(16)
TYPICAL = (Limit(8, "working_hours"), Limit(2, "working_days"))
"""Limits that a change of a calendar is shown by."""
DAYS_SHOWN = 2
WEEKS_BACK = 3


@dataclass(frozen=True, slots=True)
class Example:
    """A worked deadline: filed then, due so far, due from now on; None where there is no limit."""

    about: Say
    filed: dt.datetime
    before: dt.datetime | None
    after: dt.datetime | None
    timezone: str


def examples(edits: Sequence[Edit], rules: Rules, *, timezone: str, own: str, today: dt.date) -> tuple[Example, ...]:
    """Return worked deadlines for a change, by the clock of a territory.

    Parameters
    ----------
    rules
        As they stand before the change.
    own
        Code of the territory's calendar, which limits count by that name none.
    """
    changed = apply(rules, edits)
    made: list[Example] = []
    for edit in edits:
        if edit.table == LIMIT and edit.after is not None:
            filed = friday_afternoon(max(today, edit.start or today), timezone)
            before = _due(edit.before, rules, own, filed)
            after = _due(edit.after, changed, own, filed)
            made.append(Example(subject(edit, changed), filed, before, after, timezone))
    days = sorted(edit.key for edit in edits if edit.table == DAY)
    for key in days[:DAYS_SHOWN]:
        code, _, day = key.partition("|")
        made += _by_calendar(code, rules, changed, dt.date.fromisoformat(day), before=True)
    for edit in edits:
        if edit.table == CALENDAR:
            made += _by_calendar(edit.key, rules, changed, today, before=False)
    return tuple(made)


def friday_afternoon(day: dt.date, timezone: str) -> dt.datetime:
    """Return four in the afternoon, local time, of the first Friday from ``day`` on."""
    friday = day + dt.timedelta(days=(FRIDAY - day.weekday()) % 7)
    return dt.datetime.combine(friday, FOUR, ZoneInfo(timezone)).astimezone(dt.UTC)


def calendar_of(rules: Rules, code: str) -> CalendarSpec:
    """Return a calendar of the rules with its days.

    Raises
    ------
    NotFound
        When there is none of that code.
    """
    row = rules.get((CALENDAR, code))
    if row is None:
        raise NotFound(f"There is no calendar {code!r}.", zh=f"没有工作日历“{code}”。")
    days = {
        dt.date.fromisoformat(key.partition("|")[2]): (found.fields["kind"], found.fields["name"])
        for (table, key), found in rules.items()
        if table == DAY and key.startswith(f"{code}|")
    }
    fields = row.fields
    return CalendarSpec(
        code,
        fields["name_en"],
        fields["name_zh"],
        fields["timezone"],
        fields["hours"],
        days,
        fields["holidays_source"],
    )


def _by_calendar(code: str, rules: Rules, changed: Rules, day: dt.date, *, before: bool) -> list[Example]:
    """Return typical limits counted by a calendar, filed on the last workday before ``day`` or the Friday after it."""
    row = rules.get((CALENDAR, code))
    if row is None:
        return []
    zone = str(row.fields["timezone"])
    filed = (
        _afternoon_before(day, working_calendar(calendar_of(rules, code))) if before else friday_afternoon(day, zone)
    )
    made = []
    for limit in TYPICAL:
        fields = {"value": limit.value, "unit": limit.unit, "calendar": code}
        then, now = (_due(fields, each, code, filed) for each in (rules, changed))
        made.append(Example(limit_words(limit.value, limit.unit), filed, then, now, zone))
    return made


def _afternoon_before(day: dt.date, calendar: WorkingCalendar) -> dt.datetime:
    days = (day - dt.timedelta(days=back) for back in range(1, WEEKS_BACK * 7))
    last = next((each for each in days if calendar.is_workday(each)), day - dt.timedelta(days=1))
    return dt.datetime.combine(last, FOUR, calendar.zone).astimezone(dt.UTC)


def _due(fields: Fields | None, rules: Rules, own: str, filed: dt.datetime) -> dt.datetime | None:
    if fields is None:
        return None
    try:
        calendar = working_calendar(calendar_of(rules, fields["calendar"] or own))
        return due_at(Limit(float(fields["value"]), fields["unit"]), calendar, filed)
    except (InvalidInput, NotFound, ValueError, TypeError, OverflowError):
        return None  # what cannot be counted is told by the checks, with its reason

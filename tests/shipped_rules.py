"""The shipped rules as `incidents.rules` holds them, without a database."""

from __future__ import annotations

from itertools import count

from incidents.calendars import shipped_calendars
from incidents.classes import CLASSES
from incidents.limits import LIMITS
from incidents.rules import CALENDAR, CLASS, DAY, DEFAULTS, LIMIT, Key, Row, day_key, limit_key


def shipped_rules() -> dict[Key, Row]:
    ids = count(1)
    made: dict[Key, Row] = {}
    for spec in CLASSES:
        needs = spec.needs.fields()
        own = {name: getattr(spec, name) for name in DEFAULTS[CLASS] if name not in {"active", *needs}}
        made[CLASS, spec.key] = Row({**own, **needs, "active": True}, next(ids))
    for limit in LIMITS:
        fields = DEFAULTS[LIMIT] | {
            "class": limit.class_key,
            "stage": limit.stage,
            "condition": limit.condition,
            "value": float(limit.limit.value),
            "unit": limit.limit.unit,
            "closing_condition_en": limit.closing_condition_en,
            "closing_condition_zh": limit.closing_condition_zh,
            "responsible_kind": limit.responsible_kind,
            "verified": limit.verified,
            "source": limit.source,
        }
        made[LIMIT, limit_key(limit.class_key, limit.stage, limit.condition)] = Row(fields, next(ids))
    for calendar in shipped_calendars("Europe/London"):
        number = next(ids)
        hours = {day: [list(span) for span in spans] for day, spans in calendar.hours.items()}
        own = {name: getattr(calendar, name) for name in DEFAULTS[CALENDAR]}
        made[CALENDAR, calendar.code] = Row({**own, "hours": hours}, number)
        for day, (kind, name) in calendar.days.items():
            made[DAY, day_key(calendar.code, day)] = Row({"kind": kind, "name": name}, next(ids), 1, number)
    return made

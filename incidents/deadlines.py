"""When a stage is due: a limit counted from a start by a working calendar."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from core.clock import ALWAYS, WorkingCalendar
from core.errors import InvalidInput

UNITS = ("urgent_hours", "working_hours", "working_days", "calendar_days")


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit: ``value`` in ``unit``, one of `UNITS`."""

    value: float
    unit: str

    def __post_init__(self) -> None:
        """Refuse what no calendar could count."""
        if self.unit not in UNITS:
            raise InvalidInput(f"{self.unit!r} is not a unit of time limits.", hint=f"Units: {', '.join(UNITS)}.")
        if self.value < 0:
            raise InvalidInput("A time limit cannot be negative.")
        if self.unit.endswith("_days") and self.value != int(self.value):
            raise InvalidInput(f"{self.value:g} {self.unit.replace('_', ' ')} is not a whole number of days.")


_COUNT: dict[str, Callable[[WorkingCalendar, dt.datetime, float], dt.datetime]] = {
    "urgent_hours": lambda _calendar, start, value: ALWAYS.add_hours(start, value),
    "working_hours": lambda calendar, start, value: calendar.add_hours(start, value),
    "working_days": lambda calendar, start, value: calendar.add_workdays(start, int(value)),
    "calendar_days": lambda calendar, start, value: calendar.add_calendar_days(start, int(value)),
}


def due_at(limit: Limit, calendar: WorkingCalendar, start: dt.datetime) -> dt.datetime:
    """Return the moment, in UTC, by which the stage that began at ``start`` must be done.

    Urgent hours (紧急工作时) run day and night; working hours (工作时) and working days (工作日)
    follow ``calendar``, days ending with the office; calendar days (自然日) end at local midnight.
    """
    return _COUNT[limit.unit](calendar, start, limit.value)

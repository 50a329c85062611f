"""When a stage is due: limits, pauses, extensions, warnings, and how much of the time is used.

The time of a limit runs by one clock: day and night for urgent hours and calendar days, the hours of
the working calendar for working hours and working days. A pause stops that clock; what of the pause
the clock would have counted is what the deadline moves by. So a day-limit that was paused for one
whole working day ends one working day later, and a pause over a weekend moves nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from core.clock import ALWAYS, WorkingCalendar, aware
from core.errors import InvalidInput

UNITS = ("urgent_hours", "working_hours", "working_days", "calendar_days")
WARNINGS = (0.5, 0.8, 1.0)
"""Shares of the time at which somebody is told."""
_ZERO = dt.timedelta()
_TICK = dt.timedelta(microseconds=1)


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


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which nothing is counted: a postponement, waiting for the citizen; ``end`` None goes on."""

    begin: dt.datetime
    end: dt.datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a pause that ends before it begins."""
        if self.end is not None and aware(self.end) < aware(self.begin):
            raise InvalidInput("A pause cannot end before it begins.")


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


def countdown_to(
    due: dt.datetime, running: WorkingCalendar, start: dt.datetime, *, pauses: Iterable[Pause] = ()
) -> Countdown:
    """Return the clock of a stage whose deadline stands already, with its pauses counted in.

    What a pause took of the time before the deadline is no time of the stage.
    """
    held = merged(pauses, start)
    taken = (running.time_between(each.begin, due if each.end is None else min(each.end, aware(due))) for each in held)
    whole = running.time_between(start, due) - sum(taken, _ZERO)
    return Countdown(running, aware(start), running.add_time(start, whole) if held else aware(due), held)


def extended(due: dt.datetime, extension: Limit, calendar: WorkingCalendar) -> dt.datetime:
    """Return a deadline moved by an extension (延期): counted on from ``due`` as if the limit had been longer."""
    # A day that ends at midnight is over a moment before the next begins.
    start = aware(due) - _TICK if extension.unit.endswith("_days") else due
    return due_at(extension, calendar, start)


def paused(due: dt.datetime, running: WorkingCalendar, pause: Pause) -> dt.datetime:
    """Return a deadline moved by a pause: by what its clock would have counted of it.

    A pause outside the working time moves nothing, nor does one that begins when the deadline has passed.
    """
    due = aware(due)
    if pause.end is None or aware(pause.begin) >= due:
        return due
    taken = running.time_between(pause.begin, pause.end)
    return due if taken == _ZERO else running.add_time(due, taken)


def running_calendar(limit: Limit, calendar: WorkingCalendar) -> WorkingCalendar:
    """Return the clock that the time of a limit runs by."""
    return calendar if limit.unit in {"working_hours", "working_days"} else ALWAYS


def merged(pauses: Iterable[Pause], start: dt.datetime) -> tuple[Pause, ...]:
    """Return pauses as disjoint ones in order, from ``start`` on; those without length are left out."""
    made: list[Pause] = []
    start = aware(start)
    for pause in sorted(pauses, key=lambda each: aware(each.begin)):
        begin = max(aware(pause.begin), start)
        end = None if pause.end is None else aware(pause.end)
        if end is not None and end <= begin:
            continue
        if made and (made[-1].end is None or begin <= made[-1].end):
            last = made[-1]
            longest = None if last.end is None or end is None else max(last.end, end)
            made[-1] = Pause(last.begin, longest)
        else:
            made.append(Pause(begin, end))
    return tuple(made)


@dataclass(frozen=True)
class Countdown:
    """The clock of one stage.

    Attributes
    ----------
    running
        The clock its time runs by.
    start
        When the stage began.
    unpaused
        When it would be due had it never been paused, extensions included.
    pauses
        Disjoint and in order, as `merged` returns them.
    """

    running: WorkingCalendar
    start: dt.datetime
    unpaused: dt.datetime
    pauses: Sequence[Pause] = ()

    @property
    def whole(self) -> dt.timedelta:
        """Return the running time that the stage has."""
        return self.running.time_between(self.start, self.unpaused)

    def due(self) -> dt.datetime | None:
        """Return the deadline, in UTC; None while a pause goes on that began before it."""
        return self.reaches(1.0)

    def reaches(self, share: float) -> dt.datetime | None:
        """Return when ``share`` (0 … 1) of the time is used, in UTC; None while a pause keeps that from coming."""
        plain = self.unpaused if share == 1.0 else self.running.add_time(self.start, self.whole * share)
        if not self.pauses:
            return aware(plain)
        left, cursor, taken = self.whole * share, aware(self.start), _ZERO
        for pause in self.pauses:
            gap = self.running.time_between(cursor, pause.begin)
            if gap >= left:
                break
            if pause.end is None:
                return None
            left -= gap
            taken += self.running.time_between(pause.begin, pause.end)
            cursor = pause.end
        return aware(plain) if taken == _ZERO else max(aware(plain), self.running.add_time(cursor, left))

    def warnings(self) -> tuple[tuple[float, dt.datetime | None], ...]:
        """Return each share of `WARNINGS` with the moment it falls due; None while a pause keeps it from coming."""
        return tuple((share, self.reaches(share)) for share in WARNINGS)

    def used(self, moment: dt.datetime) -> dt.timedelta:
        """Return the running time used between the start and ``moment``; zero before the start."""
        paused = (
            self.running.time_between(pause.begin, moment if pause.end is None else min(pause.end, aware(moment)))
            for pause in self.pauses
        )
        return self.running.time_between(self.start, moment) - sum(paused, _ZERO)

    def remaining(self, moment: dt.datetime) -> dt.timedelta:
        """Return the running time left at ``moment``; negative when the stage is late."""
        return self.whole - self.used(moment)

    def share(self, moment: dt.datetime) -> float:
        """Return the used share of the time at ``moment``; above 1 when it ran out."""
        if self.whole > _ZERO:
            return self.used(moment) / self.whole
        due = self.due()
        return 1.0 if due is not None and aware(moment) >= due else 0.0

    def reached(self, moment: dt.datetime) -> float:
        """Return the highest share of `WARNINGS` that is reached at ``moment``; 0 when none is."""
        share = self.share(moment)
        return max((each for each in WARNINGS if share >= each), default=0.0)

    def paused(self, moment: dt.datetime) -> bool:
        """Return whether a pause holds the clock at ``moment``."""
        at = aware(moment)
        return any(pause.begin <= at and (pause.end is None or at < pause.end) for pause in self.pauses)


def countdown(
    limit: Limit,
    calendar: WorkingCalendar,
    start: dt.datetime,
    *,
    pauses: Iterable[Pause] = (),
    extensions: Iterable[Limit] = (),
) -> Countdown:
    """Return the clock of a stage with this limit that began at ``start``."""
    due = due_at(limit, calendar, start)
    for extension in extensions:
        due = extended(due, extension, calendar)
    return Countdown(running_calendar(limit, calendar), aware(start), due, merged(pauses, start))


@dataclass(frozen=True, slots=True)
class LimitRule:
    """A limit as it stands in the table of limits.

    Attributes
    ----------
    class_id
        None holds for every class without a limit of its own.
    condition
        Empty for the main limit of the stage, else a step of it.
    calendar
        Code of its own calendar; None means that of the territory.
    valid_from, valid_to
        First and last day, both included; None while it goes on.
    """

    id: int
    class_id: int | None
    stage: str
    condition: str
    limit: Limit
    calendar: str | None
    valid_from: dt.date
    valid_to: dt.date | None = None
    version: int = 1
    verified: bool = False
    closing_condition_en: str = ""
    closing_condition_zh: str = ""
    responsible_kind: str = "department"


def choose(
    rules: Iterable[LimitRule], class_id: int | None, stage: str, day: dt.date, *, condition: str = ""
) -> LimitRule | None:
    """Return the limit that holds on ``day``: the class's own before that of every class, the newest version first.

    None when there is none, so that the stage has no deadline.
    """
    fitting = [
        rule
        for rule in rules
        if rule.stage == stage
        and rule.condition == condition
        and rule.class_id in {class_id, None}
        and rule.valid_from <= day
        and (rule.valid_to is None or day <= rule.valid_to)
    ]
    return max(fitting, key=lambda rule: (rule.class_id is not None, rule.valid_from, rule.id), default=None)

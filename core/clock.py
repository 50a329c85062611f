"""Time: aware UTC now, and the working calendar that deadlines count by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from core.errors import InvalidInput

Span = tuple[dt.time, dt.time]
HORIZON_DAYS = 3660


def now() -> dt.datetime:
    """Return the present moment, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


EARLIEST = dt.date(1900, 1, 1)
"""Nothing is asked as of an earlier day; near the years 1 and 9999 the ends of days in a zone cannot be told."""


def past_day(words: str, today: dt.date) -> dt.date:
    """Return the day written as 2026-03-14 as of which something is asked.

    Raises
    ------
    InvalidInput
        When it is none, lies before 1900, or is still to come.
    """
    try:
        day = dt.date.fromisoformat(words)
    except ValueError as error:
        raise InvalidInput(f"{words!r} is not a day.", hint="Give it as 2026-03-14.") from error
    if not EARLIEST <= day <= today:
        raise InvalidInput(
            f"Nothing can be told as of {words}.",
            hint=f"Choose a day from {EARLIEST} to {today}.",
            zh=f"无法查询 {words} 的情况，请选择 {EARLIEST} 至 {today} 之间的日期。",
        )
    return day


def aware(moment: dt.datetime) -> dt.datetime:
    """Return ``moment`` in UTC; raise `InvalidInput` when it has no zone."""
    if moment.tzinfo is None:
        raise InvalidInput(f"The time {moment.isoformat()} has no time zone.", hint="Give one, e.g. +00:00.")
    return moment.astimezone(dt.UTC)


@dataclass(frozen=True)
class WorkingCalendar:
    """Opening hours by ISO weekday with holidays and make-up workdays, in one time zone.

    Attributes
    ----------
    hours
        ISO weekday (1 Monday … 7 Sunday) to spans of local time, sorted and disjoint. A span that
        ends at 00:00 runs to midnight.
    holidays
        Local days without work, whatever the weekday.
    workdays
        Make-up workdays: the hours of ``makeup_weekday`` apply, whatever the weekday.
    """

    timezone: str
    hours: Mapping[int, Sequence[Span]]
    holidays: frozenset[dt.date] = frozenset()
    workdays: frozenset[dt.date] = frozenset()
    makeup_weekday: int = 1
    zone: ZoneInfo = field(init=False, repr=False, compare=False)
    _known: dict[dt.date, list[tuple[dt.datetime, dt.datetime]]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        """Check the spans once, so that nobody checks again."""
        object.__setattr__(self, "zone", ZoneInfo(self.timezone))
        for weekday, spans in self.hours.items():
            last = None
            for begin, end in spans:
                closed = end == dt.time(0)
                if (not closed and end <= begin) or (last is not None and begin < last):
                    raise InvalidInput(f"Opening hours of weekday {weekday} overlap or run backwards.")
                last = dt.time.max if closed else end

    def is_workday(self, day: dt.date) -> bool:
        """Return whether any hour of the local ``day`` is working time."""
        return bool(self.spans_on(day))

    def add_hours(self, start: dt.datetime, hours: float) -> dt.datetime:
        """Return the moment when ``hours`` of working time have passed since ``start``, in UTC.

        Raises
        ------
        InvalidInput
            For negative hours, and when the calendar opens too seldom to ever get there.
        """
        return self.add_time(start, dt.timedelta(hours=hours))

    def add_time(self, start: dt.datetime, left: dt.timedelta) -> dt.datetime:
        """Return the moment when the working time ``left`` has passed since ``start``, in UTC, to the microsecond.

        Raises as `add_hours` does.
        """
        if left < dt.timedelta():
            raise InvalidInput("A time limit cannot be negative.")
        moment = aware(start)
        day = moment.astimezone(self.zone).date()
        for offset in range(HORIZON_DAYS):
            for begin, end in self.spans_on(day + dt.timedelta(days=offset)):
                if end < moment:
                    continue
                opened = max(begin, moment)
                if left <= end - opened:
                    return opened + left
                left -= end - opened
        raise InvalidInput("The working calendar has no opening hours for ten years.", hint="Check its hours.")

    def add_workdays(self, start: dt.datetime, days: int) -> dt.datetime:
        """Return the end of the ``days``-th working day after the local day of ``start``, in UTC."""
        if days < 0:
            raise InvalidInput("A time limit cannot be negative.")
        day = aware(start).astimezone(self.zone).date()
        counted = 0
        for _ in range(HORIZON_DAYS):
            if counted == days and (days or self.is_workday(day)):
                return self.spans_on(day)[-1][1]
            day += dt.timedelta(days=1)
            counted += self.is_workday(day)
            if days == 0 and self.is_workday(day):
                return self.spans_on(day)[-1][1]
        raise InvalidInput("The working calendar has no workdays for ten years.", hint="Check its hours.")

    def add_calendar_days(self, start: dt.datetime, days: int) -> dt.datetime:
        """Return the end of the ``days``-th local calendar day after that of ``start``, in UTC."""
        day = aware(start).astimezone(self.zone).date() + dt.timedelta(days=days + 1)
        return dt.datetime.combine(day, dt.time(0), self.zone).astimezone(dt.UTC)

    def working_hours_between(self, start: dt.datetime, end: dt.datetime) -> float:
        """Return the hours of working time between two moments; 0 when ``end`` is not later."""
        return self.time_between(start, end) / dt.timedelta(hours=1)

    def time_between(self, start: dt.datetime, end: dt.datetime) -> dt.timedelta:
        """Return the working time between two moments; zero when ``end`` is not later."""
        start, end = aware(start), aware(end)
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        total = dt.timedelta()
        while day <= last:
            for begin, finish in self.spans_on(day):
                total += max(dt.timedelta(), min(finish, end) - max(begin, start))
            day += dt.timedelta(days=1)
        return total

    def spans_on(self, day: dt.date) -> list[tuple[dt.datetime, dt.datetime]]:
        """Return the open spans of the local ``day`` in UTC; computed once, thousands of deadlines fall on one day."""
        moments = self._known.get(day)
        if moments is None:
            moments = []
            for begin, end in self._spans_of(day):
                closing = day + dt.timedelta(days=1) if end == dt.time(0) else day
                opens = dt.datetime.combine(day, begin, self.zone).astimezone(dt.UTC)
                closes = dt.datetime.combine(closing, end, self.zone).astimezone(dt.UTC)
                # Where the clocks go forward a local time may not exist: no hour is counted twice or backwards.
                opens = max([opens, *(earlier for _, earlier in moments[-1:])])
                moments.append((opens, max(opens, closes)))
            self._known[day] = moments
        return moments

    def _spans_of(self, day: dt.date) -> Sequence[Span]:
        if day in self.workdays:
            return self.hours.get(self.makeup_weekday, ())
        if day in self.holidays:
            return ()
        return self.hours.get(day.isoweekday(), ())


ALWAYS = WorkingCalendar("UTC", {weekday: ((dt.time(0), dt.time(0)),) for weekday in range(1, 8)})
"""The clock of urgent hours: 24 × 7."""

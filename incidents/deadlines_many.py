"""Deadlines of many incidents at once: the same answers as `incidents.deadlines`, on arrays.

A `Timeline` lays the opening hours of a calendar out over some years, once; every question is then
two binary searches. All moments are ``datetime64[us]`` in UTC.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from core.clock import ALWAYS, WorkingCalendar
from core.errors import InvalidInput
from incidents.deadlines import Limit

Moments = npt.NDArray[np.datetime64]
_Ints = npt.NDArray[np.int64]
MARGIN_DAYS = 400


@dataclass(frozen=True)
class Timeline:
    """The opening hours of a calendar between two days.

    Attributes
    ----------
    opens
        When each span opens, microseconds since 1970 in UTC, ascending; shape (n_spans,).
    done
        Working time before each span, microseconds, and behind the last one; shape (n_spans + 1,).
    midnights
        When each local day begins; shape (n_days + 1,).
    workdays
        Workdays up to and including each day; shape (n_days,).
    last_close
        When the office closes on the k-th workday, counted from 1; shape (n_workdays,).
    """

    opens: _Ints
    done: _Ints
    midnights: _Ints
    workdays: _Ints
    last_close: _Ints

    def add_time(self, starts: _Ints, left: _Ints) -> _Ints:
        """Return when ``left`` working time has passed since each start."""
        span, used = self._place(starts)
        wanted = self.done[span] + used + left
        _within(wanted <= self.done[-1])
        found = np.searchsorted(self.done, wanted, side="left") - 1
        at = self.opens[np.maximum(found, 0)] + wanted - self.done[np.maximum(found, 0)]
        # Nothing left to count: the moment itself when the office is open, else the next opening.
        following = np.where(starts > self.opens[span] + self.done[span + 1] - self.done[span], span + 1, span)
        _within(following[left == 0] < len(self.opens))
        at_once = np.maximum(starts, self.opens[np.minimum(following, len(self.opens) - 1)])
        return np.where(left == 0, at_once, at)

    def time_between(self, starts: _Ints, ends: _Ints) -> _Ints:
        """Return the working time between each start and end; 0 when the end is not later."""
        (first, before), (last, after) = self._place(starts), self._place(ends)
        used: _Ints = np.maximum(self.done[last] + after - self.done[first] - before, 0)
        return used

    def add_workdays(self, starts: _Ints, days: int) -> _Ints:
        """Return the end of the ``days``-th workday after the local day of each start."""
        day = self._day(starts)
        before = np.where(day > 0, self.workdays[np.maximum(day - 1, 0)], 0)
        nth = self.workdays[day] + days if days else before + 1
        _within(nth <= len(self.last_close))
        return self.last_close[nth - 1]

    def add_calendar_days(self, starts: _Ints, days: int) -> _Ints:
        """Return the end of the ``days``-th local day after that of each start."""
        day = self._day(starts) + days + 1
        _within(day < len(self.midnights))
        return self.midnights[day]

    def _day(self, moments: _Ints) -> _Ints:
        day = np.searchsorted(self.midnights, moments, side="right") - 1
        _within((day >= 0) & (day < len(self.workdays)))
        return day

    def _place(self, moments: _Ints) -> tuple[_Ints, _Ints]:
        """Return the last span that opened at or before each moment, the first for none, and the time used in it."""
        span = np.maximum(np.searchsorted(self.opens, moments, side="right") - 1, 0)
        return span, np.clip(moments - self.opens[span], 0, self.done[span + 1] - self.done[span])


def timeline(calendar: WorkingCalendar, first: dt.date, last: dt.date) -> Timeline:
    """Return the hours of a calendar from one local day to another, both included."""
    days = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    spans = [calendar.spans_on(day) for day in days]
    flat = [span for of_day in spans for span in of_day if span[1] > span[0]]
    if not flat:
        raise InvalidInput("The working calendar has no opening hours in these years.", hint="Check its hours.")
    opens = _micros([span[0] for span in flat])
    lengths = _micros([span[1] for span in flat]) - opens
    edges = [dt.datetime.combine(day, dt.time(0), calendar.zone) for day in [*days, last + dt.timedelta(days=1)]]
    return Timeline(
        opens,
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        _micros(edges),
        np.cumsum([bool(of_day) for of_day in spans]).astype(np.int64),
        _micros([of_day[-1][1] for of_day in spans if of_day]),
    )


def due_many(limit: Limit, calendar: WorkingCalendar, starts: Moments) -> Moments:
    """Return the deadline of each start under one limit, as `incidents.deadlines.due_at` has it.

    Parameters
    ----------
    starts
        ``datetime64`` in UTC, any order; no NaT.
    """
    if len(starts) == 0:
        return starts.astype("datetime64[us]")
    micros = starts.astype("datetime64[us]").astype(np.int64)
    if limit.unit == "urgent_hours":
        return (micros + _hours(limit.value)).astype("datetime64[us]")
    first = _date(int(micros.min())) - dt.timedelta(days=2)
    # Hours by a calendar that opens seldom may reach far; a short reach is tried first.
    for reach in (MARGIN_DAYS, 3660):
        line = timeline(calendar, first, _date(int(micros.max())) + dt.timedelta(days=reach))
        try:
            return _count(limit, line, micros).astype("datetime64[us]")
        except InvalidInput:
            continue
    raise InvalidInput("The working calendar has no opening hours for ten years.", hint="Check its hours.")


def used_many(limit: Limit, calendar: WorkingCalendar, starts: Moments, ends: Moments) -> npt.NDArray[np.float64]:
    """Return the hours that the clock of a limit counted between each start and end."""
    first, last = (moments.astype("datetime64[us]").astype(np.int64) for moments in (starts, ends))
    if limit.unit in {"urgent_hours", "calendar_days"} or calendar is ALWAYS:
        hours: npt.NDArray[np.float64] = np.maximum(last - first, 0) / 3.6e9
        return hours
    edges = np.concatenate([first, last])
    if len(edges) == 0:
        return np.empty(0)
    day = dt.timedelta(days=2)
    line = timeline(calendar, _date(int(edges.min())) - day, _date(int(edges.max())) + day)
    return line.time_between(first, last) / 3.6e9


def _count(limit: Limit, line: Timeline, micros: _Ints) -> _Ints:
    if limit.unit == "working_hours":
        return line.add_time(micros, np.full_like(micros, _hours(limit.value)))
    if limit.unit == "working_days":
        return line.add_workdays(micros, int(limit.value))
    return line.add_calendar_days(micros, int(limit.value))


def _hours(value: float) -> int:
    return dt.timedelta(hours=value) // dt.timedelta(microseconds=1)


def _micros(moments: list[dt.datetime]) -> _Ints:
    return np.array(
        [moment.astimezone(dt.UTC).replace(tzinfo=None) for moment in moments], dtype="datetime64[us]"
    ).astype(np.int64)


def _date(micros: int) -> dt.date:
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=micros)).date()


def _within(fits: npt.NDArray[np.bool_]) -> None:
    if not bool(np.all(fits)):
        raise InvalidInput("The deadline lies beyond the days that were laid out.", hint="Lay out more years.")

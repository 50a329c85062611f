"""Who works when: shifts of workers over days from patterns, exceptions and absences; arrays in, arrays out.

Times of a plan are minutes after the local midnight of the day a shift begins on; above 1440 they lie on the
next day. Moments are seconds since 1970 in UTC, so that a night with a change of the clocks has its true length.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

EPOCH = dt.date(1970, 1, 1)
DAY_MIN = 1440
NONE = -1
"""Stands for no shift, no pattern, no deputy."""
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Step:
    """A shift of a pattern on a day of its cycle."""

    day: int
    start_min: int
    end_min: int
    break_min: int = 0


@dataclass(frozen=True, slots=True)
class Pattern:
    """Shifts that repeat after ``cycle_days``; days without a step are free."""

    id: int
    code: str
    name: str
    name_zh: str | None
    cycle_days: int
    steps: tuple[Step, ...]
    version: int = 1

    def title(self, locale: str) -> str:
        """Return the name in the language of ``locale``, or the only one there is."""
        return self.name_zh or self.name if locale.startswith("zh") else self.name


@dataclass(frozen=True, slots=True)
class Assignment:
    """A worker works by a pattern from a day on; ``anchor_on`` is day 0 of the cycle."""

    id: int
    worker_id: int
    pattern_id: int
    anchor_on: dt.date
    valid_from: dt.date
    valid_to: dt.date | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class DayException:
    """What a worker does on a day instead of the pattern; ``start_min`` None is a free day."""

    worker_id: int
    day: dt.date
    start_min: int | None
    end_min: int | None
    break_min: int = 0
    reason: str = "change"
    version: int = 0


@dataclass(frozen=True, slots=True)
class Away:
    """Days, both included, on which a worker is away, and who stands in."""

    worker_id: int
    deputy_id: int | None
    from_on: dt.date
    to_on: dt.date


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides who works when; ``employed`` holds first and last day where there is one."""

    patterns: tuple[Pattern, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    exceptions: tuple[DayException, ...] = ()
    away: tuple[Away, ...] = ()
    employed: Mapping[int, tuple[dt.date | None, dt.date | None]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class Roster:
    """What each worker does on each day; arrays of shape (workers, days).

    Attributes
    ----------
    start_min, end_min, break_min
        Of the shift; start and end are `NONE` where there is none.
    pattern
        Index into the plan's patterns that is in force, else `NONE`.
    special
        Whether an exception stands in place of the pattern.
    away
        Whether an absence took the day.
    deputy
        Index of the worker who stands in, else `NONE`.
    """

    worker_ids: Ints
    first: dt.date
    start_min: Ints
    end_min: Ints
    break_min: Ints
    pattern: Ints
    special: Flags
    away: Flags
    deputy: Ints

    @property
    def days(self) -> int:
        """Return the number of days."""
        return int(self.start_min.shape[1])

    def day(self, index: int) -> dt.date:
        """Return the date of a column."""
        return self.first + dt.timedelta(days=index)

    def index_of(self, day: dt.date) -> int:
        """Return the column of a date, which may lie outside."""
        return (day - self.first).days


@dataclass(frozen=True, eq=False, slots=True)
class Shifts:
    """Shifts one by one, by worker and day; none of a worker overlaps another.

    Attributes
    ----------
    worker, day
        Index of the row and the column in the roster.
    start_s, end_s
        Moments in seconds since 1970, UTC; the end does not belong to the shift.
    work_s
        Length without the break.
    """

    worker: Ints
    day: Ints
    start_s: Ints
    end_s: Ints
    work_s: Ints

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.worker)

    def at(self, moment_s: int) -> Ints:
        """Return the indices of the workers on shift at a moment."""
        return self.worker[(self.start_s <= moment_s) & (moment_s < self.end_s)]


def ordinal(day: dt.date) -> int:
    """Return the number of a day since 1970."""
    return (day - EPOCH).days


@dataclass(frozen=True, slots=True)
class OnDay:
    """A worker around a moment: the shift that covers it, else that of its local day, in local time."""

    start: dt.datetime | None
    end: dt.datetime | None
    away: bool
    stands_in_for: tuple[int, ...]
    break_min: int = 0


def on_day(plan: Plan, worker_ids: Sequence[int], moment: dt.datetime, zone: ZoneInfo) -> dict[int, OnDay]:
    """Return what each worker does around a moment; the plan has to hold its local day and the one before."""
    first = moment.astimezone(zone).date() - dt.timedelta(days=1)
    roster = expand(plan, worker_ids, first, 2)
    shifts = shifts_of(roster, zone)
    moment_s = int(moment.timestamp())
    chosen: dict[int, int] = {}
    for place, (row, day) in enumerate(zip(shifts.worker.tolist(), shifts.day.tolist(), strict=True)):
        # By worker and day: the one of the day before counts only while it lasts, and then before the next.
        if shifts.start_s[place] <= moment_s < shifts.end_s[place] or (day == 1 and row not in chosen):
            chosen.setdefault(row, place)
    helped: dict[int, list[int]] = {}
    for row, other in enumerate(roster.deputy[:, 1].tolist()):
        if other >= 0:
            helped.setdefault(other, []).append(int(roster.worker_ids[row]))
    found = {}
    for row, worker in enumerate(roster.worker_ids.tolist()):
        place = chosen.get(row, NONE)
        start, end = (
            (local_time(int(shifts.start_s[place]), zone), local_time(int(shifts.end_s[place]), zone))
            if place >= 0
            else (None, None)
        )
        rest = int(roster.break_min[row, shifts.day[place]]) if place >= 0 else 0
        found[worker] = OnDay(start, end, bool(roster.away[row, 1]), tuple(helped.get(row, ())), rest)
    return found


def local_time(moment_s: int, zone: ZoneInfo) -> dt.datetime:
    """Return a moment in seconds since 1970 as local time."""
    return dt.datetime.fromtimestamp(moment_s, zone)


def check_pattern(cycle_days: int, steps: Sequence[Step]) -> None:
    """Return when a pattern can be worked, else raise `InvalidInput` that names the day."""
    if not 1 <= cycle_days <= 366:
        raise InvalidInput("A pattern repeats after 1 to 366 days.")
    seen: dict[int, Step] = {}
    for step in steps:
        if not 0 <= step.day < cycle_days:
            raise InvalidInput(f"Day {step.day + 1} lies outside the {cycle_days} days of the pattern.")
        if step.day in seen:
            raise InvalidInput(
                f"Day {step.day + 1} of the pattern has two shifts.",
                hint="Make it one with a break.",
                zh=f"班制第 {step.day + 1} 天有两个班次，请合为一个带休息的班次。",
            )
        check_shift(step.start_min, step.end_min, step.break_min)
        seen[step.day] = step
    for step in steps:
        after = seen.get((step.day + 1) % cycle_days)
        if after is not None and step.end_min - DAY_MIN > after.start_min:
            raise InvalidInput(
                f"The shift of day {step.day + 1} of the pattern runs into that of the next day.",
                hint="Let one end before the other begins.",
                zh=f"班制第 {step.day + 1} 天的班次与次日班次重叠，请让前者先结束。",
            )


def check_shift(start_min: int, end_min: int, break_min: int) -> None:
    """Return when a shift can be worked, else raise `InvalidInput`."""
    if not 0 <= start_min < DAY_MIN or end_min > start_min + DAY_MIN:
        raise InvalidInput("A shift begins on its day and is no longer than 24 hours.")
    if end_min <= start_min:
        raise InvalidInput(
            "The shift ends before it begins.", hint="Mark an end on the next day with +1, e.g. 21:00 to 06:00+1."
        )
    if not 0 <= break_min < end_min - start_min:
        raise InvalidInput("The break is longer than the shift.")


def expand(plan: Plan, worker_ids: Sequence[int], first: dt.date, days: int) -> Roster:
    """Return what the workers do on ``days`` days from ``first``.

    An exception comes before the pattern, an absence before both; outside an employment there is nothing.
    """
    ids = np.asarray(worker_ids, dtype=np.int64)
    row_of = {int(worker): row for row, worker in enumerate(ids)}
    shape = (len(ids), days)
    start, end = np.full(shape, NONE, dtype=np.int64), np.full(shape, NONE, dtype=np.int64)
    rest, pattern = np.zeros(shape, dtype=np.int64), np.full(shape, NONE, dtype=np.int64)
    special, away = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    deputy = np.full(shape, NONE, dtype=np.int64)
    begins = ordinal(first)
    columns = begins + np.arange(days)

    index_of = {each.id: index for index, each in enumerate(plan.patterns)}
    known = [each for each in plan.assignments if each.worker_id in row_of and each.pattern_id in index_of]
    if known:
        offsets, table = _cycles(plan.patterns)
        which = np.array([index_of[each.pattern_id] for each in known])
        anchors = np.array([ordinal(each.anchor_on) for each in known])
        since = np.array([ordinal(each.valid_from) for each in known])
        until = np.array([ordinal(each.valid_to) if each.valid_to else begins + days for each in known])
        place, column = np.nonzero((columns >= since[:, None]) & (columns <= until[:, None]))
        cycle = np.array([each.cycle_days for each in plan.patterns])[which]
        at = offsets[which[place]] + (columns[column] - anchors[place]) % cycle[place]
        row = np.array([row_of[each.worker_id] for each in known])[place]
        start[row, column], end[row, column], rest[row, column] = table[:, at]
        pattern[row, column] = which[place]

    told = [
        (row_of[each.worker_id], ordinal(each.day) - begins, NONE if each.start_min is None else each.start_min,
         NONE if each.end_min is None else each.end_min, each.break_min)
        for each in plan.exceptions
        if each.worker_id in row_of
    ]  # fmt: skip
    if told:
        row, column, starts, ends, breaks = np.array(told, dtype=np.int64).T
        inside = (column >= 0) & (column < days)
        row, column = row[inside], column[inside]
        start[row, column], end[row, column], rest[row, column] = starts[inside], ends[inside], breaks[inside]
        special[row, column] = True

    outside = _spans(shape, begins, [
        (row_of[worker], before, after)
        for worker, (since_on, until_on) in plan.employed.items()
        if worker in row_of
        for before, after in (
            (-(10**6), ordinal(since_on) - 1 if since_on else -(10**6)),
            (ordinal(until_on) + 1 if until_on else 10**6, 10**6),
        )
    ])  # fmt: skip
    for each in plan.away:
        if each.worker_id in row_of:
            low, high = max(0, ordinal(each.from_on) - begins), ordinal(each.to_on) - begins + 1
            if high > low:
                away[row_of[each.worker_id], low:high] = True
                deputy[row_of[each.worker_id], low:high] = row_of.get(each.deputy_id or NONE, NONE)
    away &= ~outside
    deputy[outside] = NONE
    gone = away | outside
    start[gone], end[gone], rest[gone] = NONE, NONE, 0
    pattern[outside] = NONE
    special &= ~outside
    return Roster(ids, first, start, end, rest, pattern, special, away, deputy)


def shifts_of(roster: Roster, zone: ZoneInfo) -> Shifts:
    """Return the shifts of a roster as moments.

    Where a shift would begin before the one of the day before ended, it begins when that one ends; one that
    would be over by then is none.
    """
    worker, day = np.nonzero(roster.start_min >= 0)
    base = (ordinal(roster.first) + day) * DAY_MIN
    start = moments(base + roster.start_min[worker, day], zone)
    end = moments(base + roster.end_min[worker, day], zone)
    if len(worker):
        reached = np.where(worker[1:] == worker[:-1], end[:-1], start[1:])
        start[1:] = np.maximum(start[1:], reached)
    length = end - start
    work = np.maximum(length - roster.break_min[worker, day] * 60, 0)
    real = length > 0
    return Shifts(worker[real], day[real], start[real], end[real], work[real])


def moments(local_min: Ints, zone: ZoneInfo) -> Ints:
    """Return seconds since 1970 in UTC of local times, given as minutes since 1970 on the local clock.

    A time that comes twice means the first; one that the clocks skip is as many minutes after the change.
    """
    day = local_min // DAY_MIN
    if not len(day):
        return np.zeros(0, dtype=np.int64)
    low, high = int(day.min()), int(day.max())
    offsets = np.array([_offset_s(each * DAY_MIN, zone) for each in range(low, high + 2)], dtype=np.int64)
    found = local_min * 60 - offsets[day - low]
    changing = offsets[day - low] != offsets[day - low + 1]
    if changing.any():
        for local in np.unique(local_min[changing]):
            found[local_min == local] = int(local) * 60 - _offset_s(int(local), zone)
    return found


def _offset_s(local_min: int, zone: ZoneInfo) -> int:
    local = dt.datetime.combine(EPOCH, dt.time(0), zone) + dt.timedelta(minutes=local_min)
    offset = local.utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def _cycles(patterns: Sequence[Pattern]) -> tuple[Ints, Ints]:
    """Return where each pattern begins in a table of days, and the table: start, end and break of each day."""
    offsets = np.cumsum([0, *(each.cycle_days for each in patterns)]).astype(np.int64)
    table = np.full((3, int(offsets[-1])), NONE, dtype=np.int64)
    table[2] = 0
    for offset, each in zip(offsets, patterns, strict=False):
        for step in each.steps:
            table[:, offset + step.day] = step.start_min, step.end_min, step.break_min
    return offsets, table


def _spans(shape: tuple[int, int], begins: int, spans: Sequence[tuple[int, int, int]]) -> Flags:
    """Return which days lie in one of the spans (row, first and last day since 1970)."""
    found = np.zeros(shape, dtype=np.bool_)
    for row, low, high in spans:
        left, right = max(0, low - begins), high - begins + 1
        if right > left:
            found[row, left:right] = True
    return found

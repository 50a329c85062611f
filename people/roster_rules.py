"""Hours and rest: which shifts break the rules of a territory, with the numbers; arrays in, a list out."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from people.roster import DAY_MIN, Roster, Shifts, ordinal

HOUR_S = 3600
_WEEKDAY_OF_1970 = 3
"""1 January 1970 was a Thursday, day 3 from Monday."""


class Rule(enum.StrEnum):
    """What a roster has to keep."""

    DAY_HOURS = "day_hours"
    WEEK_HOURS = "week_hours"
    REST = "rest"
    DAYS_ROW = "days_row"
    BREAK = "break"


WORDS = {
    Rule.DAY_HOURS: "{worker}, {day}: {found} h of work in a shift, at most {limit} h are allowed",
    Rule.WEEK_HOURS: "{worker}, week from {day}: {found} h of work, at most {limit} h are allowed",
    Rule.REST: "{worker}, {day}: {found} h of rest before the shift, {limit} h are needed",
    Rule.DAYS_ROW: "{worker}, {day}: {found} days of work in a row, at most {limit} are allowed",
    Rule.BREAK: "{worker}, {day}: a break of {found} min in the shift, {limit} min are needed",
}
"""The reason in words; a page translates it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The limits of a territory; what ships is editable data and no law of any place.

    Attributes
    ----------
    max_day_h, max_week_h
        Work without breaks, of a shift and from Monday to Sunday.
    min_rest_h
        From the end of a shift to the beginning of the next.
    max_days_row
        Days in a row with a shift.
    break_after_h, min_break_min
        A shift longer than the one needs a break at least as long as the other.
    cover_from_min, cover_to_min
        The hours in which a responsibility grid needs somebody, minutes after local midnight.
    """

    max_day_h: float = 10
    max_week_h: float = 48
    min_rest_h: float = 11
    max_days_row: int = 6
    break_after_h: float = 6
    min_break_min: int = 30
    cover_from_min: int = 480
    cover_to_min: int = 1080
    version: int = 0


@dataclass(frozen=True, slots=True, order=True)
class Violation:
    """A rule that a worker's shifts break.

    Attributes
    ----------
    day
        On which the shift begins that breaks it; of a week its Monday, of a row of days the first too many.
    found, limit
        Hours, days or minutes, as the rule counts.
    """

    day: dt.date
    worker_id: int
    rule: Rule
    found: float
    limit: float


def said(violation: Violation, worker: str) -> str:
    """Return a violation as an English sentence."""
    found, limit = (f"{number:g}" for number in (violation.found, violation.limit))
    return WORDS[violation.rule].format(worker=worker, day=violation.day, found=found, limit=limit)


def check_rules(rules: Rules) -> None:
    """Return when the limits make sense, else raise `InvalidInput`."""
    if not (0 < rules.max_day_h <= 24 and 0 < rules.max_week_h <= 168 and 0 <= rules.min_rest_h <= 24):
        raise InvalidInput("Hours a day are 1 to 24, hours a week 1 to 168, rest 0 to 24.")
    if not (1 <= rules.max_days_row <= 31 and 0 <= rules.break_after_h <= 24 and 0 <= rules.min_break_min <= 240):
        raise InvalidInput("Days in a row are 1 to 31, a break 0 to 240 minutes.")
    if not 0 <= rules.cover_from_min < rules.cover_to_min <= DAY_MIN:
        raise InvalidInput("The hours that need cover begin and end on the same day.")


def lead_days(rules: Rules) -> int:
    """Return how many days before a first day have to be known to judge it."""
    return max(7, rules.max_days_row + 1)


def violations(roster: Roster, shifts: Shifts, rules: Rules, *, first: dt.date, last: dt.date) -> tuple[Violation, ...]:
    """Return what breaks the rules from ``first`` to ``last``, by day, worker and rule.

    The roster should begin `lead_days` before ``first`` and hold whole weeks, else what lies outside counts
    as free. Weeks are those with a day in the time asked for.
    """
    found = [
        *_lengths(roster, shifts, rules),
        *_rests(roster, shifts, rules),
        *_rows(roster, shifts, rules),
    ]
    asked = [each for each in found if first <= each.day <= last]
    monday = first - dt.timedelta(days=first.weekday())
    asked += [each for each in _weeks(roster, shifts, rules) if monday <= each.day <= last]
    return tuple(sorted(asked))


def _made(
    roster: Roster, shifts: Shifts, rule: Rule, *, places: NDArray[np.int64], found: NDArray[np.float64], limit: float
) -> Iterator[Violation]:
    for place, value in zip(places.tolist(), found.tolist(), strict=True):
        day, worker = roster.day(int(shifts.day[place])), int(roster.worker_ids[shifts.worker[place]])
        yield Violation(day, worker, rule, round(value, 2), limit)


def _lengths(roster: Roster, shifts: Shifts, rules: Rules) -> Iterator[Violation]:
    work_h = shifts.work_s / HOUR_S
    places = np.flatnonzero(work_h > rules.max_day_h)
    yield from _made(roster, shifts, Rule.DAY_HOURS, places=places, found=work_h[places], limit=rules.max_day_h)
    length_h = (shifts.end_s - shifts.start_s) / HOUR_S
    rest_min = roster.break_min[shifts.worker, shifts.day].astype(np.float64)
    places = np.flatnonzero((length_h > rules.break_after_h) & (rest_min < rules.min_break_min))
    yield from _made(roster, shifts, Rule.BREAK, places=places, found=rest_min[places], limit=rules.min_break_min)


def _rests(roster: Roster, shifts: Shifts, rules: Rules) -> Iterator[Violation]:
    rest_h = (shifts.start_s[1:] - shifts.end_s[:-1]) / HOUR_S
    places = np.flatnonzero((shifts.worker[1:] == shifts.worker[:-1]) & (rest_h < rules.min_rest_h))
    yield from _made(roster, shifts, Rule.REST, places=places + 1, found=rest_h[places], limit=rules.min_rest_h)


def _rows(roster: Roster, shifts: Shifts, rules: Rules) -> Iterator[Violation]:
    if not len(shifts):
        return
    begins = np.ones(len(shifts), dtype=np.bool_)
    begins[1:] = (shifts.worker[1:] != shifts.worker[:-1]) | (shifts.day[1:] != shifts.day[:-1] + 1)
    firsts = np.flatnonzero(begins)
    lengths = np.diff(np.append(firsts, len(shifts)))
    long = lengths > rules.max_days_row
    places = firsts[long] + rules.max_days_row
    yield from _made(
        roster, shifts, Rule.DAYS_ROW, places=places, found=lengths[long].astype(np.float64), limit=rules.max_days_row
    )


def _weeks(roster: Roster, shifts: Shifts, rules: Rules) -> Iterator[Violation]:
    since = ordinal(roster.first)
    week = (since + shifts.day + _WEEKDAY_OF_1970) // 7
    if not len(week):
        return
    low = int(week.min())
    hours = np.zeros((len(roster.worker_ids), int(week.max()) - low + 1))
    np.add.at(hours, (shifts.worker, week - low), shifts.work_s / HOUR_S)
    for worker, column in np.argwhere(hours > rules.max_week_h + 1e-9).tolist():
        monday = dt.date(1970, 1, 1) + dt.timedelta(days=(column + low) * 7 - _WEEKDAY_OF_1970)
        found = round(float(hours[worker, column]), 2)
        yield Violation(monday, int(roster.worker_ids[worker]), Rule.WEEK_HOURS, found, rules.max_week_h)

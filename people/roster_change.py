"""A change of the roster before it is written: what it would make of the plan, and which rules it would break."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from core.errors import InvalidInput
from people.roster import (
    DAY_MIN,
    Assignment,
    DayException,
    Pattern,
    Plan,
    check_shift,
    expand,
    shifts_of,
)
from people.roster_rules import Rules, Violation, lead_days, violations

LOOK_AHEAD_DAYS = 35
"""How far the effect of a pattern without an end is judged."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be written in one act.

    Attributes
    ----------
    days
        Exceptions, each with the version of the one it replaces (0 where there is none).
    cleared
        Exceptions that go, so that the pattern holds again.
    given
        Patterns that workers get.
    ended
        Assignments with their new last day; one that would end before it began goes.
    """

    days: tuple[DayException, ...] = ()
    cleared: tuple[DayException, ...] = ()
    given: tuple[Assignment, ...] = ()
    ended: tuple[tuple[Assignment, dt.date], ...] = ()

    @property
    def worker_ids(self) -> frozenset[int]:
        """Return whose roster changes."""
        return frozenset(
            [each.worker_id for each in (*self.days, *self.cleared)] + [each.worker_id for each in self.given]
        )

    @property
    def span(self) -> tuple[dt.date, dt.date]:
        """Return the first and the last day to be judged."""
        first = [each.day for each in (*self.days, *self.cleared)] + [each.valid_from for each in self.given]
        last = [each.day for each in (*self.days, *self.cleared)] + [
            min(each.valid_to or dt.date.max, each.valid_from + dt.timedelta(days=LOOK_AHEAD_DAYS))
            for each in self.given
        ]
        return min(first), max(last)

    def __bool__(self) -> bool:
        """Return whether there is anything to write."""
        return bool(self.days or self.cleared or self.given)

    def and_also(self, other: Change) -> Change:
        """Return both changes as one."""
        return Change(
            self.days + other.days, self.cleared + other.cleared, self.given + other.given, self.ended + other.ended
        )


def anchor_for(pattern: Pattern, from_on: dt.date) -> dt.date:
    """Return day 0 of a cycle that begins with ``from_on``: a cycle of whole weeks begins on its Monday."""
    return from_on - dt.timedelta(days=from_on.weekday()) if pattern.cycle_days % 7 == 0 else from_on


def give_pattern(
    known: Iterable[Assignment],
    worker_id: int,
    pattern: Pattern,
    from_on: dt.date,
    *,
    anchor_on: dt.date | None = None,
    to_on: dt.date | None = None,
) -> Change:
    """Return the change that lets a worker work by a pattern from a day on.

    What the worker works by until then ends the day before.

    Raises
    ------
    InvalidInput
        When the last day comes before the first, or another pattern begins in the time.
    """
    if to_on is not None and to_on < from_on:
        raise InvalidInput("The last day comes before the first.")
    ended = []
    for each in known:
        if each.worker_id != worker_id or (each.valid_to is not None and each.valid_to < from_on):
            continue
        if each.valid_from > from_on and (to_on is None or each.valid_from <= to_on):
            raise InvalidInput(
                f"Another pattern begins on {each.valid_from}.",
                hint="End this one before that day, or change that one.",
                zh=f"另一班制自 {each.valid_from} 开始。请让本班制在此之前结束，或修改另一班制。",
            )
        if each.valid_from <= from_on:
            if to_on is not None and (each.valid_to is None or each.valid_to > to_on):
                raise InvalidInput(
                    "The pattern of now would have to go on afterwards.",
                    hint="Leave the last day out, and give the other pattern again from the day after.",
                )
            ended.append((each, from_on - dt.timedelta(days=1)))
    made = Assignment(0, worker_id, pattern.id, anchor_on or anchor_for(pattern, from_on), from_on, to_on)
    return Change(given=(made,), ended=tuple(ended))


def swap_shifts(plan: Plan, one: int, other: int, day: dt.date) -> Change:
    """Return the change by which two workers do each other's shift of a day.

    Raises
    ------
    InvalidInput
        When it is one worker, when one is away, or when both are free or work the same hours.
    """
    if one == other:
        raise InvalidInput("A swap needs two workers.")
    roster = expand(plan, [one, other], day, 1)
    if roster.away[:, 0].any():
        raise InvalidInput("One of the two is away on that day.", hint="End the absence first.")
    mine, theirs = (
        tuple(int(part[row, 0]) for part in (roster.start_min, roster.end_min, roster.break_min)) for row in (0, 1)
    )
    if mine == theirs:
        raise InvalidInput("Both work the same hours on that day, so there is nothing to swap.")
    known = {(each.worker_id, each.day): each.version for each in plan.exceptions}
    return Change(
        tuple(
            DayException(
                worker, day, start if start >= 0 else None, end if end >= 0 else None, rest, "swap",
                known.get((worker, day), 0),
            )
            for worker, (start, end, rest) in ((one, theirs), (other, mine))
        )
    )  # fmt: skip


def applied(plan: Plan, change: Change) -> Plan:
    """Return the plan as the change would leave it."""
    gone = {(each.worker_id, each.day) for each in (*change.days, *change.cleared)}
    ended = {each.id: last for each, last in change.ended}
    kept = [
        replace(each, valid_to=ended[each.id]) if each.id in ended else each
        for each in plan.assignments
        if each.id not in ended or ended[each.id] >= each.valid_from
    ]
    return replace(
        plan,
        assignments=(*kept, *change.given),
        exceptions=(*(e for e in plan.exceptions if (e.worker_id, e.day) not in gone), *change.days),
    )


def broken_by(plan: Plan, change: Change, rules: Rules, zone: ZoneInfo) -> tuple[Violation, ...]:
    """Return the rules that the change would break and that are not broken already.

    The plan has to hold the time that `judged_days` says.
    """
    if not change:
        return ()
    first, last = judged_days(change, rules)
    workers = sorted(change.worker_ids)
    found = []
    for each in (plan, applied(plan, change)):
        roster = expand(each, workers, first, (last - first).days + 1)
        found.append(
            violations(
                roster, shifts_of(roster, zone), rules, first=first + dt.timedelta(days=lead_days(rules)), last=last
            )
        )
    before = {(each.worker_id, each.rule, each.day): each.found for each in found[0]}
    return tuple(each for each in found[1] if before.get((each.worker_id, each.rule, each.day)) != each.found)


def judged_days(change: Change, rules: Rules) -> tuple[dt.date, dt.date]:
    """Return the first and the last day that a plan has to hold for a change to be judged."""
    first, last = change.span
    lead = dt.timedelta(days=lead_days(rules))
    monday = first - dt.timedelta(days=first.weekday())
    return monday - lead, last + lead + dt.timedelta(days=6 - last.weekday())


def check_days(plan: Plan, days: Iterable[DayException]) -> None:
    """Return when every changed day can be worked, else raise `InvalidInput` that says why not."""
    for each in days:
        if each.start_min is not None and each.end_min is not None:
            check_shift(each.start_min, each.end_min, each.break_min)
        problem = day_problem(plan, each.worker_id, each.day)
        if problem == "employment":
            raise InvalidInput("The worker is not employed on that day.", hint="See the employment of the worker.")
        if problem == "away" and each.start_min is not None:
            raise InvalidInput("The worker is away on that day.", hint="End the absence first.")


def day_problem(plan: Plan, worker_id: int, day: dt.date) -> str:
    """Return why a worker cannot work on a day: ``employment``, ``away``, or empty."""
    since, until = plan.employed.get(worker_id, (None, None))
    if (since is not None and day < since) or (until is not None and day > until):
        return "employment"
    away = any(each.worker_id == worker_id and each.from_on <= day <= each.to_on for each in plan.away)
    return "away" if away else ""


def clock_words(start_min: int | None, end_min: int | None) -> str:
    """Return hours as they are written in files: "21:00–06:00+1"; empty for a free day."""
    if start_min is None or end_min is None or start_min < 0:
        return ""
    return f"{clock(start_min)}–{clock(end_min)}"


def clock(minutes: int) -> str:
    """Return minutes after local midnight as "06:00", on the next day as "06:00+1"."""
    late = minutes >= DAY_MIN and minutes != DAY_MIN
    hour, minute = divmod(minutes - DAY_MIN if late else minutes, 60)
    return f"{hour:02d}:{minute:02d}" + ("+1" if late else "")


def parse_clock(text: str) -> int:
    """Return minutes after local midnight of "06:00", "24:00", "06:00+1" or "次日06:00".

    Raises
    ------
    InvalidInput
        When it is no time of day.
    """
    given = text.strip().replace("：", ":").replace("＋", "+")
    late = given.endswith("+1") or given.startswith("次日")
    given = given.removesuffix("+1").removeprefix("次日").strip()
    hour, _, rest = given.partition(":")
    minute, _, seconds = rest.partition(":")
    whole = hour.isdecimal() and len(hour) <= 2 and minute.isdecimal() and len(minute) == 2 and seconds in {"", "00"}
    if not whole or int(minute) > 59 or int(hour) * 60 + int(minute) > DAY_MIN:
        raise InvalidInput(f"{text!r} is no time of day.", hint="Write 06:00, or 06:00+1 for the next day.")
    return int(hour) * 60 + int(minute) + (DAY_MIN if late else 0)

"""The stages of one incident, each with its own clock, from its moments, its tasks and the limits.

Where a stage begins and ends is told by the moments that the record keeps: report, filing, handing out,
handling, closing, and the tasks of verifying and checking. Handling is counted from the filing, as its
deadline is; dispatching has its own, shorter limit from the same moment, or from a return.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.clock import WorkingCalendar
from incidents.deadlines import (
    Countdown,
    Limit,
    LimitRule,
    Pause,
    choose,
    countdown,
    countdown_to,
    running_calendar,
)
from incidents.model import IncidentRow, TaskInfo

STAGES = ("verify", "file", "dispatch", "handle", "check", "close")
CHECK_AND_CLOSE = "check_close"
"""Checking and closing in one, where no task of checking parts them: it has the time of both."""
WAITING, RUNNING, PAUSED, ON_TIME, LATE, OVERDUE, STEP, NO_LIMIT = (
    "waiting",
    "running",
    "paused",
    "on time",
    "late",
    "overdue",
    "step",
    "no limit",
)
"""How a stage stands; ``step`` is a step of handling whose end no moment tells."""

Span = tuple[dt.datetime | None, dt.datetime | None]


@dataclass(frozen=True, slots=True)
class StageClock:
    """A stage of an incident as it stands at a moment.

    Attributes
    ----------
    condition
        Empty, or the step of handling.
    began_at, ended_at
        None: not yet.
    due_at
        None without a limit, before the beginning, and while a pause goes on.
    share
        Used share of its time, until its end or the moment; None without a limit.
    reached
        The highest of 0.5, 0.8 and 1 that is reached; 0 below them.
    warnings
        Each share with the moment it falls due.
    rule
        The limit it is counted by; None when there is none.
    """

    stage: str
    condition: str
    state: str
    began_at: dt.datetime | None
    ended_at: dt.datetime | None
    due_at: dt.datetime | None
    share: float | None
    reached: float
    warnings: tuple[tuple[float, dt.datetime | None], ...]
    rule: LimitRule | None

    @property
    def present(self) -> bool:
        """Return whether the stage goes on."""
        return self.began_at is not None and self.ended_at is None


@dataclass(frozen=True)
class Limits:
    """The limits of an incident's class and of every class, and the calendars they count by.

    Attributes
    ----------
    calendar
        Of the territory; it counts every limit that names none of its own.
    calendars
        Code to calendar, for those that do.
    """

    class_id: int
    rules: Sequence[LimitRule]
    calendar: WorkingCalendar
    calendars: Mapping[str, WorkingCalendar]

    def of(self, stage: str, began_at: dt.datetime, condition: str = "") -> LimitRule | None:
        """Return the limit of a stage that began then, by the local day."""
        day = began_at.astimezone(self.calendar.zone).date()
        return choose(self.rules, self.class_id, stage, day, condition=condition)

    def calendar_of(self, rule: LimitRule) -> WorkingCalendar:
        """Return the calendar that a limit counts by."""
        return self.calendars.get(rule.calendar or "", self.calendar)

    def steps(self, began_at: dt.datetime) -> list[LimitRule]:
        """Return the limits of the steps of handling that began then, the shortest first as they are numbered."""
        conditions = dict.fromkeys(
            rule.condition
            for rule in sorted(self.rules, key=lambda rule: rule.id)
            if rule.stage == "handle" and rule.condition and rule.class_id == self.class_id
        )
        found = (self.of("handle", began_at, condition) for condition in conditions)
        return [rule for rule in found if rule is not None]


def stage_clocks(
    row: IncidentRow,
    tasks: Sequence[TaskInfo],
    limits: Limits,
    moment: dt.datetime,
    *,
    filed_under: Limit | None = None,
    pauses: Iterable[Pause] = (),
) -> tuple[StageClock, ...]:
    """Return the stages of an incident in order, each with its clock at ``moment``.

    Parameters
    ----------
    filed_under
        The limit that set ``row.due_at``; None when another one did, or none.
    pauses
        Times in which the clock of handling stood; ``row.due_at`` has them counted in.
    """
    spans = _spans(row, tasks)
    made = []
    for stage, (began, ended) in spans.items():
        if began is None and (ended is not None or not row.is_open):
            continue  # the moments do not tell it
        if ended is None and not row.is_open:
            continue
        if stage == "handle":
            made += _handling(row, limits, (began, ended), moment, filed_under=filed_under, pauses=tuple(pauses))
        else:
            made.append(_stage(stage, limits, (began, ended), moment))
    return tuple(made)


def _spans(row: IncidentRow, tasks: Sequence[TaskInfo]) -> dict[str, Span]:
    """Return when each stage began and ended."""
    spans: dict[str, Span] = {}
    verify = [task for task in tasks if task.kind == "verify"]
    reported: dt.datetime | None = row.reported_at
    if verify:
        spans["verify"] = (verify[0].created_at, _last_end(verify))
        reported = spans["verify"][1]
    spans["file"] = (reported, row.filed_at)
    handle = [task for task in tasks if task.kind == "handle"]
    spans["dispatch"] = _dispatching(row, handle)
    spans["handle"] = (row.filed_at, row.handled_at or (row.closed_at if row.status == "closed" else None))
    check = [task for task in tasks if task.kind == "check" and task.state != "cancelled"]
    if check:
        spans["check"] = (check[0].created_at, _last_end(check))
        spans["close"] = (spans["check"][1], row.closed_at)
    else:
        spans[CHECK_AND_CLOSE] = (row.handled_at, row.closed_at)
    return spans


def _last_end(tasks: Sequence[TaskInfo]) -> dt.datetime | None:
    """Return when the last of several tasks ended; None while one goes on."""
    ends = [task.finished_at for task in tasks if task.finished_at is not None]
    return max(ends) if len(ends) == len(tasks) else None


def _dispatching(row: IncidentRow, tasks: Sequence[TaskInfo]) -> Span:
    """Return when the incident last came to the dispatchers, by filing or return, and when it was given out then.

    A part of joint handling that is returned leaves the incident with its lead.
    """
    came = row.filed_at
    returns = [
        task.finished_at
        for task in tasks
        if task.state == "returned" and task.finished_at is not None and not task.joint
    ]
    if came is not None:
        came = max([came, *returns])
    if row.status in {"reported", "filed"}:
        return came, None
    given = min((task.created_at for task in tasks if came is None or task.created_at >= came), default=None)
    return came, given or row.dispatched_at or row.handled_at


def _handling(
    row: IncidentRow,
    limits: Limits,
    span: Span,
    moment: dt.datetime,
    *,
    filed_under: Limit | None,
    pauses: tuple[Pause, ...],
) -> list[StageClock]:
    """Return handling by the deadline that stands, and its steps by their own limits."""
    began = span[0]
    if began is None:
        return [_stage("handle", limits, span, moment)]
    rule = limits.of("handle", began)
    clock = None
    if row.due_at is not None:
        # The deadline that stands in the incident holds, whatever the table of limits says today.
        limit = filed_under or (None if rule is None else rule.limit)
        calendar = limits.calendar if rule is None else limits.calendar_of(rule)
        running = calendar if limit is None else running_calendar(limit, calendar)
        clock = countdown_to(row.due_at, running, began, pauses=pauses)
    made = [_standing("handle", "", clock, span, moment, rule=rule, due=row.due_at)]
    for step in limits.steps(began):
        own = countdown(step.limit, limits.calendar_of(step), began, pauses=pauses)
        made.append(_standing("handle", step.condition, own, span, moment, rule=step))
    return made


def _stage(stage: str, limits: Limits, span: Span, moment: dt.datetime) -> StageClock:
    began, _ = span
    if began is None:
        return StageClock(stage, "", WAITING, None, None, None, None, 0.0, (), None)
    rule = limits.of("check" if stage == CHECK_AND_CLOSE else stage, began)
    more = limits.of("close", began) if stage == CHECK_AND_CLOSE else None
    clock = None
    if rule is not None:
        extensions = () if more is None else (more.limit,)
        clock = countdown(rule.limit, limits.calendar_of(rule), began, extensions=extensions)
    return _standing(stage, "", clock, span, moment, rule=rule)


def _standing(
    stage: str,
    condition: str,
    clock: Countdown | None,
    span: Span,
    moment: dt.datetime,
    *,
    rule: LimitRule | None,
    due: dt.datetime | None = None,
) -> StageClock:
    """Return a stage as it stands; ``due`` where its deadline is set, else what the clock says."""
    began, ended = span
    if clock is None:
        return StageClock(stage, condition, NO_LIMIT, began, ended, None, None, 0.0, (), rule)
    until, due = ended or moment, due or clock.due()
    passed = due is not None and until > due
    if condition:
        state = STEP
    elif ended is not None:
        state = LATE if passed else ON_TIME
    elif passed:
        state = OVERDUE
    else:
        state = PAUSED if clock.paused(moment) else RUNNING
    return StageClock(
        stage, condition, state, began, ended, due, clock.share(until), clock.reached(until), clock.warnings(), rule
    )

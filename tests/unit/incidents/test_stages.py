"""The stages of an incident on paper: where each begins and ends, by which limit, and how it stands."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from core.clock import WorkingCalendar
from incidents import stages
from incidents.calendars import LEAST_HOLIDAYS, known_years, missing_years, office_for, working_calendar
from incidents.deadlines import Limit, LimitRule, Pause, due_at
from incidents.model import IncidentRow, TaskInfo
from incidents.stages import Limits, StageClock, stage_clocks

CN = working_calendar(office_for("Asia/Shanghai"))
ALL_DAY = WorkingCalendar("Asia/Shanghai", {day: ((dt.time(0), dt.time(0)),) for day in range(1, 8)})
FIRST = dt.date(2000, 1, 1)
BURST_MAIN = 7


def rule(number: int, stage: str, value: float, unit: str, **more: Any) -> LimitRule:
    given = {"class_id": None, "condition": "", "calendar": None} | more
    return LimitRule(
        number,
        given["class_id"],
        stage,
        given["condition"],
        Limit(value, unit),
        given["calendar"],
        FIRST,
        verified=True,
    )


LIMITS = Limits(
    BURST_MAIN,
    (
        rule(1, "verify", 2, "working_hours"),
        rule(2, "file", 1, "working_hours"),
        rule(3, "dispatch", 1.5, "working_hours"),
        rule(4, "check", 4, "working_hours"),
        rule(5, "close", 2, "working_hours"),
        rule(6, "handle", 3, "urgent_hours", class_id=BURST_MAIN, condition="fence"),
        rule(7, "handle", 8, "urgent_hours", class_id=BURST_MAIN),
        rule(8, "handle", 5, "working_days", class_id=BURST_MAIN, condition="surface"),
    ),
    CN,
    {"night": ALL_DAY},
)


def at(text: str) -> dt.datetime:
    """Return a local time of Tuesday, 3 March 2026, or of another day of that month as ``5 10:00``."""
    day, _, clock = text.rpartition(" ")
    moment = dt.datetime.combine(dt.date(2026, 3, int(day or 3)), dt.time.fromisoformat(clock), CN.zone)
    return moment.astimezone(dt.UTC)


def incident(status: str, **given: Any) -> IncidentRow:
    names = IncidentRow.__dataclass_fields__
    values: dict[str, Any] = dict.fromkeys(names)
    values |= {"id": 1, "number": "T-1", "status": status, "reported_at": at("09:00")} | given
    return IncidentRow(**values)


def task(kind: str, state: str, created: str, finished: str | None = None) -> TaskInfo:
    end = None if finished is None else at(finished)
    return TaskInfo(1, kind, state, None, None, None, None, None, None, at(created), None, None, end)


def by_name(found: tuple[StageClock, ...]) -> dict[str, StageClock]:
    return {each.stage + (f": {each.condition}" if each.condition else ""): each for each in found}


def test_a_report_waits_for_its_filing() -> None:
    found = by_name(stage_clocks(incident("reported"), [], LIMITS, at("09:48")))
    filing = found["file"]
    assert (filing.state, filing.due_at, filing.share, filing.reached) == (stages.RUNNING, at("10:00"), 0.8, 0.8)
    assert filing.warnings == ((0.5, at("09:30")), (0.8, at("09:48")), (1.0, at("10:00")))
    assert found["dispatch"].state == found["handle"].state == stages.WAITING
    assert found[stages.CHECK_AND_CLOSE].state == stages.WAITING
    assert [each.stage for each in found.values() if each.present] == ["file"]


def test_a_public_report_is_verified_before_its_filing_is_counted() -> None:
    verify = [task("verify", "done", "09:05", "10:30")]
    found = by_name(stage_clocks(incident("reported"), verify, LIMITS, at("10:45")))
    assert (found["verify"].state, found["verify"].due_at) == (stages.ON_TIME, at("11:05"))
    assert (found["file"].began_at, found["file"].due_at) == (at("10:30"), at("11:30"))
    waits = by_name(stage_clocks(incident("reported"), [task("verify", "waiting", "09:05")], LIMITS, at("13:30")))
    assert (waits["verify"].state, waits["file"].state) == (stages.OVERDUE, stages.WAITING)


def filed(status: str, **given: Any) -> IncidentRow:
    return incident(status, **({"filed_at": at("09:30"), "due_at": at("17:30")} | given))


def test_dispatching_has_its_own_limit_and_handling_runs_from_the_filing_too() -> None:
    found = by_name(stage_clocks(filed("filed"), [], LIMITS, at("11:30"), filed_under=Limit(8, "urgent_hours")))
    assert (found["file"].state, found["file"].share) == (stages.ON_TIME, 0.5)
    assert (found["dispatch"].state, found["dispatch"].due_at) == (stages.OVERDUE, at("11:00"))
    assert (found["handle"].state, found["handle"].due_at, found["handle"].share) == (
        stages.RUNNING,
        at("17:30"),
        0.25,
    )
    assert (found["handle: fence"].state, found["handle: fence"].due_at) == (stages.STEP, at("12:30"))
    assert found["handle: surface"].due_at == due_at(Limit(5, "working_days"), CN, at("09:30"))


def test_a_return_begins_dispatching_again() -> None:
    tasks = [task("handle", "returned", "10:00", "11:00")]
    row = filed("filed", dispatched_at=at("10:00"))
    found = by_name(stage_clocks(row, tasks, LIMITS, at("11:30")))["dispatch"]
    assert (found.began_at, found.ended_at, found.due_at) == (at("11:00"), None, at("13:30"))
    again = by_name(
        stage_clocks(
            filed("dispatched", dispatched_at=at("14:00")),
            [*tasks, task("handle", "cancelled", "13:10", "14:00"), task("handle", "waiting", "14:00")],
            LIMITS,
            at("15:00"),
        )
    )["dispatch"]
    assert (again.ended_at, again.state) == (at("13:10"), stages.ON_TIME)  # given anew later is not late


def test_a_returned_part_of_joint_handling_leaves_the_incident_with_its_lead() -> None:
    tasks = [task("handle", "started", "09:30"), replace(task("handle", "returned", "10:00", "11:00"), joint=True)]
    alone = by_name(stage_clocks(filed("handling"), tasks[:1], LIMITS, at("11:30")))
    assert by_name(stage_clocks(filed("handling"), tasks, LIMITS, at("11:30")))["dispatch"] == alone["dispatch"]


def test_the_deadline_that_stands_in_the_incident_holds() -> None:
    longer = filed("handling", dispatched_at=at("10:00"), due_at=at("4 09:30"))
    found = by_name(stage_clocks(longer, [], LIMITS, at("21:30"), filed_under=Limit(8, "urgent_hours")))["handle"]
    assert (found.due_at, found.share, found.state) == (at("4 09:30"), 0.5, stages.RUNNING)
    without = by_name(stage_clocks(filed("handling", due_at=None), [], LIMITS, at("21:30")))["handle"]
    assert (without.state, without.share) == (stages.NO_LIMIT, None)


def test_a_pause_holds_the_clock_of_handling() -> None:
    # Eight hours from 09:30, postponed from 11:30 until 13:30 of the next day: the deadline has that in it.
    row = filed("handling", due_at=at("4 19:30"))
    pauses = [Pause(at("11:30"), at("4 13:30"))]
    limit = Limit(8, "urgent_hours")
    during = by_name(stage_clocks(row, [], LIMITS, at("21:30"), filed_under=limit, pauses=pauses))["handle"]
    assert (during.state, during.due_at, during.share) == (stages.PAUSED, at("4 19:30"), 0.25)
    after = by_name(stage_clocks(row, [], LIMITS, at("4 15:30"), filed_under=limit, pauses=pauses))["handle"]
    assert (after.state, after.share, after.reached) == (stages.RUNNING, 0.5, 0.5)
    assert after.warnings[0] == (0.5, at("4 15:30"))


def test_checking_and_closing_share_their_time_unless_a_task_parts_them() -> None:
    row = filed("checking", dispatched_at=at("10:00"), handled_at=at("13:30"))
    found = by_name(stage_clocks(row, [], LIMITS, at("15:30")))
    assert found["handle"].state == stages.ON_TIME
    # 3.5 hours of Tuesday, 2.5 of Wednesday: four for the check, two for closing
    assert found[stages.CHECK_AND_CLOSE].due_at == at("4 11:30")
    parted = by_name(stage_clocks(row, [task("check", "done", "13:30", "15:00")], LIMITS, at("15:30")))
    assert (parted["check"].due_at, parted["check"].state) == (at("4 09:30"), stages.ON_TIME)
    assert (parted["close"].began_at, parted["close"].due_at) == (at("15:00"), at("17:00"))


@pytest.mark.parametrize(
    ("handled", "closed", "handling", "closing"),
    [("17:30", "4 10:00", stages.ON_TIME, stages.ON_TIME), ("17:31", "5 10:00", stages.LATE, stages.LATE)],
)
def test_what_is_closed_keeps_how_it_went(handled: str, closed: str, handling: str, closing: str) -> None:
    row = filed("closed", dispatched_at=at("10:00"), handled_at=at(handled), closed_at=at(closed))
    found = by_name(stage_clocks(row, [], LIMITS, at("30 10:00")))
    assert (found["handle"].state, found[stages.CHECK_AND_CLOSE].state) == (handling, closing)
    assert not any(each.present for each in found.values() if not each.condition)


def test_what_the_moments_do_not_tell_is_left_out() -> None:
    row = incident("closed", closed_at=at("15:00"))
    assert stage_clocks(row, [], LIMITS, at("16:00")) == ()
    void = by_name(stage_clocks(filed("void", closed_at=None), [], LIMITS, at("16:00")))
    assert set(void) == {"file"}


def test_a_limit_may_name_its_own_calendar_and_one_of_the_class_goes_before() -> None:
    limits = Limits(
        BURST_MAIN,
        (*LIMITS.rules, rule(9, "file", 12, "working_hours", class_id=7, calendar="night")),
        CN,
        {"night": ALL_DAY},
    )
    assert stage_clocks(incident("reported"), [], limits, at("10:00"))[0].due_at == at("21:00")
    assert limits.of("verify", at("10:00")) == LIMITS.rules[0]
    assert limits.of("visit", at("10:00")) is None


def test_a_calendar_knows_the_years_that_have_holidays() -> None:
    known = {2024: 28, 2025: 28, 2026: 33, 2027: LEAST_HOLIDAYS - 1}
    assert known_years(known) == (2024, 2026)
    assert known_years({2020: 9, 2022: 9}) == (2022, 2022)
    assert known_years({}) is None
    assert missing_years(known, 2026, 2026) == ()
    assert missing_years(known, 2026, 2028) == (2027, 2028)
    counted: dict[int, int] = {}
    for day, (kind, _) in office_for("Asia/Shanghai").days.items():
        counted[day.year] = counted.get(day.year, 0) + (kind == "holiday")
    assert known_years(counted) == (2010, max(counted))
    assert max(counted) >= 2026

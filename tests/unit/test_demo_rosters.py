"""Rosters of the demo city: somebody is there at any hour, and the patterns can be worked."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from app.demo.rosters import PATTERNS, absences, assignments, changed_days
from people.roster import Plan, check_pattern, on_day

UTC = ZoneInfo("UTC")


@pytest.mark.parametrize("weekday", range(1, 8))
@pytest.mark.parametrize("hour", [0, 3, 6, 9, 12, 15, 18, 21, 23])
def test_at_any_hour_somebody_is_on_duty(weekday: int, hour: int) -> None:
    moment = dt.datetime(2026, 11, 15 + weekday, hour, 30, tzinfo=UTC)
    assert moment.isoweekday() == weekday
    patterns = tuple(replace(each, id=rank) for rank, each in enumerate(PATTERNS, start=1))
    workers = range(1, 61)
    plan = Plan(patterns, tuple(assignments(workers, {each.code: each.id for each in patterns})))
    found = on_day(plan, workers, moment, UTC).values()
    present = sum(each.start is not None and each.end is not None and each.start <= moment < each.end for each in found)
    assert 3 <= present <= 45


def test_patterns_can_be_worked() -> None:
    for pattern in PATTERNS:
        check_pattern(pattern.cycle_days, pattern.steps)


def test_changes_and_absences_stand_once_a_worker() -> None:
    today = dt.date(2026, 11, 20)
    changed = changed_days(range(1, 81), today)
    assert len({(each.worker_id, each.day) for each in changed}) == len(changed) > 4
    away = absences(range(1, 81), today)
    assert len({worker for worker, *_ in away}) == len(away) > 4
    assert all(worker != deputy for worker, deputy, *_ in away)
    assert any(deputy is None for _, deputy, *_ in away)

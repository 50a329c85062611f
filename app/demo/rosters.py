"""Rosters of a demo city: patterns, who works by them, a few changed days and absences (the data, then the writing)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy.orm import Session

from geodata.bulk import copy_rows, reserve_ids
from geodata.territory import TerritoryInfo
from people.roster import Assignment, DayException, Pattern, Step

_MONDAY = dt.date(2020, 1, 6)
EARLY, DAY, LATE, NIGHT = "E", "D", "L", "N"


def _in_a_row(days: int, start_h: int, end_h: int, break_min: int) -> tuple[Step, ...]:
    return tuple(Step(day, start_h * 60, end_h * 60, break_min) for day in range(days))


PATTERNS = (
    Pattern(0, EARLY, "Early, 5 days", "早班（五天）", 7, _in_a_row(5, 6, 14, 30)),
    Pattern(0, DAY, "Day, 6 days", "日班（六天）", 7, _in_a_row(6, 9, 17, 60)),
    Pattern(0, LATE, "Late, 5 days", "晚班（五天）", 7, _in_a_row(5, 13, 21, 30)),
    Pattern(0, NIGHT, "Night, 5 days", "夜班（五天）", 7, _in_a_row(5, 21, 30, 30)),
)
"""Codes, names and shifts; a night ends at six on the next day."""
_BY_CODE = {each.code: each for each in PATTERNS}
# Most grids have their worker by day; of ten workers of a city one or two are out at night. The first of the
# list look after the focus community.
ORDER = (DAY, EARLY, DAY, LATE, DAY, NIGHT, DAY, DAY, EARLY, DAY, NIGHT, DAY, LATE, DAY, DAY, NIGHT)
_AWAY_EVERY, _CHANGED_EVERY = 6, 9


def pattern_of(rank: int) -> Pattern:
    """Return the pattern of the worker of this rank."""
    return _BY_CODE[ORDER[rank % len(ORDER)]]


def anchor_of(rank: int) -> dt.date:
    """Return the first day of the cycle of the worker of this rank; neighbours are off on different days."""
    return _MONDAY + dt.timedelta(days=rank * 3 % 7)


def assignments(worker_ids: Sequence[int], pattern_ids: dict[str, int]) -> list[Assignment]:
    """Return who works by which pattern, since long."""
    return [
        Assignment(0, worker, pattern_ids[pattern_of(rank).code], anchor_of(rank), _MONDAY)
        for rank, worker in enumerate(worker_ids)
    ]


def changed_days(worker_ids: Sequence[int], today: dt.date) -> list[DayException]:
    """Return a few days of these weeks on which somebody works at another time, more, or not."""
    found = []
    for rank in range(3, len(worker_ids), _CHANGED_EVERY):
        worker, day = worker_ids[rank], today + dt.timedelta(days=rank % 11 - 2)
        found.append(DayException(worker, day, 6 * 60, 14 * 60, 30, "change"))
        found.append(DayException(worker, day + dt.timedelta(days=9), None, None, 0, "free"))
    return found


def absences(worker_ids: Sequence[int], today: dt.date) -> list[tuple[int, int | None, str, dt.date, dt.date]]:
    """Return worker, deputy, kind, first and last day of some absences; every third is without a deputy."""
    found = []
    for turn, rank in enumerate(range(1, len(worker_ids), _AWAY_EVERY)):
        first = today + dt.timedelta(days=(turn * 5) % 12 - 4)
        deputy = None if turn % 3 == 2 else worker_ids[(rank + 1) % len(worker_ids)]
        kind = ("leave", "sick", "training")[turn % 3]
        found.append((worker_ids[rank], deputy, kind, first, first + dt.timedelta(days=4 + turn % 5)))
    return found


def make_rosters(session: Session, territory: TerritoryInfo, worker_ids: Sequence[int], today: dt.date) -> None:
    """Write patterns, who works by them, changed days around today, absences, and the rules."""
    pattern_ids = dict(
        zip(
            (each.code for each in PATTERNS), reserve_ids(session, "shift_pattern", len(PATTERNS)).tolist(), strict=True
        )
    )
    home = territory.id
    copy_rows(
        session,
        "shift_pattern",
        {
            "id": list(pattern_ids.values()),
            "territory_id": [home] * len(PATTERNS),
            "code": [each.code for each in PATTERNS],
            "name": [each.name for each in PATTERNS],
            "name_zh": [each.name_zh for each in PATTERNS],
            "cycle_days": [each.cycle_days for each in PATTERNS],
            "steps": [[asdict(step) for step in each.steps] for each in PATTERNS],
        },
    )
    given = assignments(worker_ids, pattern_ids)
    copy_rows(
        session,
        "worker_pattern",
        {
            "territory_id": [home] * len(given),
            "worker_id": [each.worker_id for each in given],
            "pattern_id": [each.pattern_id for each in given],
            "anchor_on": [each.anchor_on for each in given],
            "valid_from": [each.valid_from for each in given],
        },
    )
    changed = changed_days(worker_ids, today)
    names = ("worker_id", "day", "start_min", "end_min", "break_min", "reason")
    copy_rows(
        session,
        "roster_exception",
        {"territory_id": [home] * len(changed)} | {name: [getattr(each, name) for each in changed] for name in names},
    )
    away = absences(worker_ids, today)
    columns = zip(("worker_id", "deputy_id", "kind", "from_on", "to_on"), zip(*away, strict=True), strict=False)
    copy_rows(session, "absence", {"territory_id": [home] * len(away)} | {name: list(part) for name, part in columns})
    copy_rows(
        session,
        "roster_rule",
        {"territory_id": [home], "cover_from_min": [9 * 60], "cover_to_min": [17 * 60]},
    )

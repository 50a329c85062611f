"""Rosters for tests: everybody on shift, or one worker with usual hours."""

from __future__ import annotations

import datetime as dt
import json
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.orm import Session

from core.clock import now
from geodata.tables import ShiftPattern, WorkerPattern

MONDAY = dt.date(2020, 1, 6)


def everybody_on_shift(session: Session, moment: dt.datetime | None = None) -> None:
    """Let every worker with a pattern be on shift around the clock, and nobody away.

    The shift that covers the moment (None: now) began an hour before it, so that a day's work has room in it.
    """
    zone = ZoneInfo(session.scalars(text("SELECT timezone FROM territory ORDER BY id LIMIT 1")).one())
    local = (moment or now()).astimezone(zone)
    start = (local.hour * 60 + local.minute - 60) % 1440
    always = json.dumps([{"day": 0, "start_min": start, "end_min": start + 1440, "break_min": 0}])
    session.execute(text("UPDATE shift_pattern SET cycle_days = 1, steps = CAST(:always AS jsonb)"), {"always": always})
    session.execute(text("DELETE FROM roster_exception"))
    session.execute(text("DELETE FROM absence"))


def nobody_on_shift(session: Session) -> None:
    """Let every pattern be free days only."""
    session.execute(text("UPDATE shift_pattern SET cycle_days = 1, steps = '[]'"))
    session.execute(text("DELETE FROM roster_exception"))


def give_shift(
    session: Session,
    territory_id: int,
    worker_id: int,
    start_min: int,
    end_min: int,
    *,
    days: tuple[int, ...] = (0, 1, 2, 3, 4),
) -> None:
    """Give a worker the same shift on days of the week, 0 Monday."""
    steps = [{"day": day, "start_min": start_min, "end_min": end_min, "break_min": 0} for day in days]
    pattern = ShiftPattern(territory_id=territory_id, code=f"T{worker_id}", name="Test", cycle_days=7, steps=steps)
    session.add(pattern)
    session.flush()
    session.add(
        WorkerPattern(
            territory_id=territory_id, worker_id=worker_id, pattern_id=pattern.id, anchor_on=MONDAY, valid_from=MONDAY
        )
    )
    session.flush()

"""The small lines by month of the page Indicators: one scale for all, and no month that still runs."""

from __future__ import annotations

import datetime as dt
import re
from urllib.parse import unquote

from app.indicator_behind import Period
from app.indicator_parts import EDGE, HIGH, WIDE, lines_by_month
from app.widgets import Html
from insight.model import Month, Score

PERIOD = Period(dt.date(2026, 1, 1), dt.date(2026, 4, 15), dt.datetime(2026, 4, 15, 12, tzinfo=dt.UTC))


def score(low: float) -> Score:
    return Score(
        indicator="closing_on_time", subject="department", subject_id=1, name="Unit", name_zh="", numerator=90,
        denominator=100, rate=0.9, low=low, high=0.95, rank_low=None, rank_high=None, ranked=0, shrunk=None,
        expected=None, too_few=False,
    )  # fmt: skip


def months(**rates: float) -> list[Month]:
    return [Month(dt.date(2026, int(name[1:]), 1), int(100 * rate), 100, rate) for name, rate in rates.items()]


def points(line: Html) -> list[tuple[float, float]]:
    (found,) = re.findall(r'points="([^"]*)"', unquote(line.text))
    return [(float(x), float(y)) for x, y in (each.split(",") for each in found.split())]


def test_all_lines_have_the_scale_of_the_intervals_and_the_same_months() -> None:
    told = {1: months(m1=0.8, m2=0.9, m3=1.0), 2: months(m2=0.9, m3=0.1)}
    lines = lines_by_month([score(0.85)], told, PERIOD)
    middle, top, bottom = HIGH / 2, EDGE, HIGH - EDGE
    assert points(lines[1]) == [(EDGE, bottom), (WIDE / 2, middle), (WIDE - EDGE, top)]
    assert points(lines[2]) == [(WIDE / 2, middle), (WIDE - EDGE, bottom)], "below the scale is at its foot"


def test_the_month_that_still_runs_is_left_out() -> None:
    told = {1: months(m2=0.9, m3=0.9, m4=0.1), 2: months(m3=0.9, m4=0.1), 3: []}
    lines = lines_by_month([score(0.85)], told, PERIOD)
    assert list(lines) == [1]
    assert len(points(lines[1])) == 2
    after = Period(PERIOD.first, dt.date(2026, 4, 30), dt.datetime(2026, 5, 1, tzinfo=dt.UTC))
    assert list(lines_by_month([score(0.85)], told, after)) == [1, 2]

"""What the address of the City map says is checked; nonsense is answered by a sentence."""

from __future__ import annotations

import datetime as dt

import pytest

from app.map_address import DEFAULTS, link, read, write
from app.map_compare import earlier_days

TODAY = dt.date(2026, 7, 22)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"from": "2026-13-45", "to": "2026-07-01"}, "“2026-13-45” in the address is no day"),
        ({"from": "2026-07-01"}, "“” in the address is no day"),
        ({"from": "2026-07-02", "to": "2026-07-01"}, "ends before it begins"),
        ({"from": "2026-07-01", "to": "9999-12-31"}, "no day from"),
        ({"on": "yesterday"}, "“yesterday” in the address is no day"),
        ({"days": "-5"}, "days is one of"),
        ({"days": "٧"}, "days is one of"),
        ({"status": "<script>alert(1)</script>"}, "“<script>alert(1)</script…” in the address"),
        ({"metric": "x" * 500}, "xxx…” in the address"),
        ({"classes": "99"}, "2–7"),
        ({"breaks": "manual", "own": "3, 1"}, "Breaks are numbers above zero"),
        ({"layers": "grids,secrets"}, "“secrets” in the address"),
    ],
)
def test_nonsense_is_said_and_not_taken(given: dict[str, str], words: str) -> None:
    asked = read(given, TODAY)
    assert any(words in sentence for sentence in asked.wrong), asked.wrong
    assert set(asked.kept) <= {"layers", "breaks"}
    assert asked.kept.get("layers", ("grids",)) == ("grids",)


def test_a_view_survives_its_own_address() -> None:
    days = (dt.date(2026, 6, 1), dt.date(2026, 6, 30))
    state = dict(DEFAULTS) | {
        "period": 0, "dates": days, "status": "closed", "layers": ("grids", "facilities"), "categories": ("event-05",),
        "breaks": "manual", "own": "1, 3, 8", "ramp": "cividis", "compare": "dates", "view": "table",
        "compared": (dt.date(2026, 5, 1), dt.date(2026, 5, 31)),
    }  # fmt: skip
    said = write(state, days, days)
    back = read(said, TODAY)
    assert not back.wrong
    assert dict(DEFAULTS) | dict(back.kept) == state
    assert write(DEFAULTS, days, days) == {}, "what is as usual is not said"


def test_a_part_of_a_period_keeps_the_period() -> None:
    asked = read({"days": "30", "from": "2026-07-01", "to": "2026-07-05"}, TODAY)
    assert asked.kept == {"period": 30, "range": (dt.date(2026, 7, 1), dt.date(2026, 7, 5))}


def test_the_earlier_period_is_as_long_and_begins_on_the_same_weekday() -> None:
    later = (dt.date(2026, 7, 1), dt.date(2026, 7, 7))
    assert earlier_days("before", later, None) == (dt.date(2026, 6, 24), dt.date(2026, 6, 30))
    year = earlier_days("year", later, None)
    assert [day.weekday() for day in year] == [day.weekday() for day in later]
    assert earlier_days("dates", later, (dt.date(2020, 1, 1),) * 2) == (dt.date(2020, 1, 1),) * 2


@pytest.mark.parametrize("length", [1, 364, 365, 366, 800])
def test_a_year_before_shares_no_day_with_the_period(length: int) -> None:
    later = (TODAY - dt.timedelta(days=length - 1), TODAY)
    year = earlier_days("year", later, None)
    assert year[1] < later[0]
    assert [day.weekday() for day in year] == [day.weekday() for day in later]


def test_a_link_within_the_map_keeps_the_filter() -> None:
    seen = {"days": "365", "status": "overdue", "view": "table", "grid": "7", "place": "1,2", "on": "2026-07-01"}
    assert link(seen, {"grid": "9"}) == "/map?grid=9&days=365&status=overdue&view=table&on=2026-07-01"
    assert link(seen, {"view": "", "days": "0"}) == "/map?days=0&status=overdue&on=2026-07-01"
    assert link({"categories": "a&b"}, {}) == "/map?categories=a%26b"

"""Times as people write them."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from core.errors import InvalidInput
from incidents.moments import read_moments, read_time_of_day

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONDON = ZoneInfo("Europe/London")


def read(text: str, zone: ZoneInfo = SHANGHAI, *beside: str) -> str | None:
    """Return the local reading of a time, beside others of the same column."""
    found = read_moments([text, *beside], zone, column="when", file="f.csv")[0]
    return None if found is None else f"{found.astimezone(zone):%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ("2025-03-05", "2025-03-05 00:00:00"),
        ("2025-03-05 08:15", "2025-03-05 08:15:00"),
        ("2025-03-05T08:15:30", "2025-03-05 08:15:30"),
        ("2025-03-05T08:15:30.123456", "2025-03-05 08:15:30"),
        ("2025-03-05T00:15:30Z", "2025-03-05 08:15:30"),
        ("2025-03-05 08:15+01:00", "2025-03-05 15:15:00"),
        ("2014/03/02 05:00:00+00", "2014-03-02 13:00:00"),
        ("2025-03-05 01:00 -0500", "2025-03-05 14:00:00"),
        ("2025.3.5 8:05", "2025-03-05 08:05:00"),
        ("2025年3月5日", "2025-03-05 00:00:00"),
        ("2025年3月5日 14时30分", "2025-03-05 14:30:00"),
        ("2025年3月5日14时30分20秒", "2025-03-05 14:30:20"),
        ("２０２５-０３-０５　０８：１５", "2025-03-05 08:15:00"),
        ("20250305", "2025-03-05 00:00:00"),
        ("31/12/2025 23:59", "2025-12-31 23:59:00"),
        ("12/31/2025 11:59:00 PM", "2025-12-31 23:59:00"),
        ("12/31/2025 12:00:00 AM", "2025-12-31 00:00:00"),
        ("31.12.2025", "2025-12-31 00:00:00"),
        ("15542.0", "2012-07-21 00:00:00"),
        ("45000.5", "2023-03-15 12:00:00"),
        ("1741162530", "2025-03-05 16:15:30"),
        ("1741162530000", "2025-03-05 16:15:30"),
    ],
)
def test_times_are_read(text: str, local: str) -> None:
    assert read(text) == local


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "2025-02-30",
        "2025-13-01",
        "25:00",
        "2025-03-05 25:00",
        "2025-03-05 10:20:75",
        "2025-03-05 10:20+99:99",
        "2025-03-05 10:20+08:60",
        "13:00 PM",
        "0001-01-01",
        "9999-12-31",
        "12",
        "1e5",
    ],
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert read(text) is None


def test_one_clear_day_decides_for_the_column() -> None:
    assert read("03/04/2025", LONDON, "28/06/2025") == "2025-04-03 00:00:00"
    assert read("03/04/2025", LONDON, "06/28/2025") == "2025-03-04 00:00:00"
    assert read("05/05/2025", LONDON) == "2025-05-05 00:00:00"


def test_days_that_cannot_be_told_from_months_are_refused() -> None:
    with pytest.raises(InvalidInput, match=r"f\.csv: in column 'when' day and month"):
        read("03/04/2025", LONDON)


def test_the_missing_and_the_doubled_hour() -> None:
    forward, back = read_moments(["2026-03-29 01:30", "2026-10-25 01:30"], LONDON, column="when", file="f.csv")
    assert forward == dt.datetime(2026, 3, 29, 1, 30, tzinfo=dt.UTC)
    assert back == dt.datetime(2026, 10, 25, 0, 30, tzinfo=dt.UTC)  # the first of the two


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("8", dt.time(8)),
        ("08:15", dt.time(8, 15)),
        ("8:15 pm", dt.time(20, 15)),
        ("23.0", dt.time(23)),
        ("24", None),
        ("noon", None),
        ("", None),
    ],
)
def test_times_of_day(text: str, clock: dt.time | None) -> None:
    assert read_time_of_day(text) == clock

"""Readings of traffic: each line that cannot be so is refused with its reason, the others are kept."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from dispatch.traffic_model import medians, read_readings, too_fast

ZONE = ZoneInfo("Asia/Shanghai")
NOW = dt.datetime(2026, 3, 3, 8, 45, tzinfo=ZONE)
OLDEST = dt.timedelta(minutes=45)


def read(*lines: str, head: str = "time,speed_kmh,lon,lat,street"):
    return read_readings("\n".join([head, *lines]), ZONE, NOW, OLDEST)


def test_a_place_or_a_street_in_local_time_or_with_its_zone():
    readings, faults = read("2026-03-03 08:40,23.5,113.2,23.1,", "2026-03-03T00:41:00+00:00,12,,,High Street")
    assert faults == []
    assert [each.at.astimezone(ZONE).hour for each in readings] == [8, 8]
    assert (readings[0].lon, readings[1].street) == (113.2, "High Street")


def test_chinese_headings():
    readings, _ = read("2026/03/03 08:40,30,高街", head="\ufeff时间,速度,道路")
    assert (readings[0].kmh, readings[0].street) == (30.0, "高街")


def test_times_as_sheets_write_them():
    readings, faults = read("2026/3/3 8:40,30,1,1,", "2026/3/3 8:40:05,30,1,1,")
    assert (len(readings), faults) == (2, [])
    assert readings[0].at == dt.datetime(2026, 3, 3, 8, 40, tzinfo=ZONE)


def test_a_first_line_without_end_is_a_sentence():
    with pytest.raises(InvalidInput, match="no CSV"):
        read(head="x" * 200_000)
    with pytest.raises(InvalidInput) as told:
        read(head="x" * 100_000)
    assert len(told.value.message) < 300


@pytest.mark.parametrize(
    ("line", "why", "zh"),
    [
        ("yesterday,30,1,1,", "is no time", "时间"),
        ("2026-03-03 08:40,fast,1,1,", "is no number", "不是数字"),
        ("2026-03-03 08:40,30,,,High\0Street", "cannot be read", "无法识别"),
        ("2026-03-03 08:40,30,,,", "neither a place nor a street", "缺少坐标"),
        ("2026-03-03 08:40,30,300,1,", "not on the Earth", "坐标"),
        ("2026-03-03 08:40,,1,1,", "has no speed", "缺少速度"),
        ("2026-03-03 08:40,nan,1,1,", "has no speed", "缺少速度"),
        ("2026-03-03 08:40,-5,1,1,", "nothing moves there", "封闭"),
        ("2026-03-03 08:40,0,1,1,", "close the street instead", "封闭"),
        ("2026-03-03 08:40,400,1,1,", "no speed of a street", "不合理"),
        ("2026-03-03 09:40,30,1,1,", "in the future", "晚于"),
        ("2026-03-03 07:40,30,1,1,", "older than 45 min", "45 分钟"),
    ],
)
def test_what_cannot_be_is_refused_by_line(line, why, zh):
    readings, faults = read("2026-03-03 08:40,30,1,1,", line)
    assert len(readings) == 1
    assert [each.line for each in faults] == [3]
    assert why in faults[0].en
    assert zh in faults[0].zh


@pytest.mark.parametrize("head", ["", "a,b", "time,lon,lat", "speed_kmh,street", "time,speed_kmh,lon"])
def test_other_columns_are_refused(head):
    with pytest.raises(InvalidInput, match="The columns are"):
        read("x,y", head=head)


def test_what_is_no_csv_is_a_sentence():
    with pytest.raises(InvalidInput, match="no CSV"):
        read('"' + "x" * 200_000 + '"')


def test_too_fast_is_judged_by_what_the_road_allows():
    found = too_fast(np.array([50.0, 59.0, 61.0, 100.0, 151.0]), np.array([30.0, 30.0, 30.0, 100.0, 100.0]))
    assert found.tolist() == [False, False, True, False, True]


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(1, 160)), max_size=40))
def test_a_stretch_has_the_median_of_its_readings(pairs):
    stretches = np.array([one for one, _ in pairs], np.int64)
    kmh = np.array([speed for _, speed in pairs])
    found, middle = medians(stretches, kmh)
    assert found.tolist() == sorted(set(stretches.tolist()))
    assert middle.tolist() == [float(np.median(kmh[stretches == one])) for one in found]

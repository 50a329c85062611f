"""Readings of traffic: what a file says of the speed on streets, line by line, and what cannot be so (pure)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

LINES_MOST = 50_000
BYTES_MOST = 8_000_000
SLOWEST_KMH, FASTEST_KMH = 1.0, 160.0
OVER, OVER_KMH = 1.5, 30.0
"""Faster than so many times what the road allows, and by so much, is a mistake of the device."""
NEAR_M = 40.0
"""A reading farther from every street than this belongs to none."""
AHEAD = dt.timedelta(minutes=2)
"""Clocks of devices may be so much ahead."""
LONGEST_TOLD = 120
DAYS_FROM_MIN = 2 * 24 * 60
"""From so many minutes on an age is told in days."""
_DIGIT = re.compile(r"\b(\d)\b")
NAMES = {
    "time": ("time", "at", "timestamp", "时间"),
    "kmh": ("kmh", "speed_kmh", "speed", "速度"),
    "lon": ("lon", "lng", "longitude", "经度"),
    "lat": ("lat", "latitude", "纬度"),
    "street": ("street", "road", "name", "道路", "街道"),
    "heading": ("heading", "bearing", "direction", "方向角", "方向"),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """A speed at a moment: at a place (longitude, latitude), or on a whole street by its name.

    ``heading`` is where the cars drive to, degrees clockwise from north; NaN where that is not said.
    """

    line: int
    at: dt.datetime
    kmh: float
    lon: float = math.nan
    lat: float = math.nan
    street: str = ""
    heading: float = math.nan


@dataclass(frozen=True, eq=False)
class Speeds:
    """The readings of one file: places, speeds, the moment of each in seconds since 1970, and where cars drove to.

    ``headings`` are degrees clockwise from north, NaN where nobody said.
    """

    id: int
    places: NDArray[np.float64]
    kmh: NDArray[np.float64]
    at_s: NDArray[np.float64]
    headings: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be used, and why, in both languages; with ``last`` nothing after it was read."""

    line: int
    en: str
    zh: str
    last: bool = False


@dataclass(frozen=True, slots=True)
class TrafficRead:
    """What became of a file: readings kept, stretches of street they lie on, and the lines that were refused."""

    readings: int
    stretches: int
    newest_at: dt.datetime
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class TrafficNow:
    """The speeds that the plan reckons with: when the newest was taken, and on how many stretches of street."""

    newest_at: dt.datetime
    stretches: int


def read_readings(
    text: str, zone: ZoneInfo, moment: dt.datetime, oldest: dt.timedelta
) -> tuple[list[Reading], list[Fault]]:
    """Return the readings of a CSV and the lines that are refused.

    Columns: time, speed_kmh, and lon with lat or street; Chinese names too. A time without a zone is local.

    Raises
    ------
    InvalidInput
        When the columns are others, or the file is too large.
    """
    if len(text) > BYTES_MOST:
        raise InvalidInput(
            f"The file is larger than {BYTES_MOST // 1_000_000} MB.",
            hint="Give the readings of the last hour.",
            zh=f"文件超过 {BYTES_MOST // 1_000_000} MB，请只上传最近一小时的数据。",
        )
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")))
    rows = _rows(reader)
    head = [each.strip().casefold() for each in next(rows, [])]
    at = {key: next((head.index(name) for name in names if name in head), -1) for key, names in NAMES.items()}
    if at["time"] < 0 or at["kmh"] < 0 or (at["street"] < 0 and min(at["lon"], at["lat"]) < 0):
        said = "".join(sign if sign.isprintable() else " " for sign in ", ".join(filter(None, head))[:LONGEST_TOLD])
        raise InvalidInput(
            f"The columns are {said or 'none'}; speeds need others.",
            hint="Give time, speed_kmh, and lon with lat or street.",
            zh="列名不符：须有 时间、速度，以及 经度与纬度 或 道路。",
        )
    readings: list[Reading] = []
    faults: list[Fault] = []
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(readings) + len(faults) >= LINES_MOST:
            faults.append(Fault(reader.line_num, f"more than {LINES_MOST:,} lines", f"超过 {LINES_MOST} 行", last=True))
            break
        given = {key: cells[k].strip() if 0 <= k < len(cells) else "" for key, k in at.items()}
        found = _reading(reader.line_num, given, zone)
        why = found if isinstance(found, Fault) else _why_not(found, moment, oldest)
        if isinstance(found, Reading) and why is None:
            readings.append(found)
        elif why is not None:
            faults.append(why)
    return readings, faults


def _rows(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise InvalidInput(f"This is no CSV: {error}.", hint="Save it as CSV.", zh="不是有效的 CSV 文件。") from error


def _reading(line: int, given: Mapping[str, str], zone: ZoneInfo) -> Reading | Fault:
    try:  # a sheet writes 2026/3/3 8:40
        at = dt.datetime.fromisoformat(_DIGIT.sub(r"0\1", given["time"].replace("/", "-")))
    except ValueError:
        return Fault(line, f"{given['time'][:30]!r} is no time such as 2026-03-03 08:40", "时间格式有误")
    numbers = {}
    for key in ("kmh", "lon", "lat", "heading"):
        try:
            numbers[key] = float(given[key]) if given[key] else math.nan
        except ValueError:
            return Fault(line, f"{given[key][:30]!r} is no number", f"“{given[key][:30]}”不是数字")
    return Reading(line, at if at.tzinfo else at.replace(tzinfo=zone), **numbers, street=given["street"])


def _why_not(one: Reading, moment: dt.datetime, oldest: dt.timedelta) -> Fault | None:
    placed, minutes = is_placed(one), round(oldest.total_seconds() / 60)
    days = 0 if minutes < DAYS_FROM_MIN else oldest.days
    wrong = (
        (
            placed and not (abs(one.lon) <= 180 and abs(one.lat) <= 90),
            "its place is not on the Earth",
            "坐标超出范围",
        ),
        (not placed and not one.street, "it has neither a place nor a street", "缺少坐标或道路名"),
        (not one.street.isprintable(), "its street has signs that cannot be read", "道路名含有无法识别的字符"),
        (math.isnan(one.kmh), "it has no speed", "缺少速度"),
        (
            one.kmh < SLOWEST_KMH,
            f"{one.kmh:g} km/h: nothing moves there; close the street instead",
            f"时速 {one.kmh:g} 公里：如已断行，请封闭该道路",
        ),
        (one.kmh > FASTEST_KMH, f"{one.kmh:g} km/h is no speed of a street", f"时速 {one.kmh:g} 公里不合理"),
        (
            one.heading < 0 or one.heading > 360,
            "its direction is not between 0 and 360 degrees",
            "方向角应为 0 至 360 度",
        ),
        (one.at > moment + AHEAD, "it was taken in the future", "时间晚于现在"),
        (
            one.at < moment - oldest,
            f"it is older than {days:,} days" if days else f"it is older than {minutes} min",
            f"超过 {days} 天" if days else f"超过 {minutes} 分钟",
        ),
    )
    return next((Fault(one.line, english, chinese) for holds, english, chinese in wrong if holds), None)


def is_placed(one: Reading) -> bool:
    """Return whether a reading has a place of its own, not only a street."""
    return math.isfinite(one.lon) and math.isfinite(one.lat)


def too_fast(kmh: NDArray[np.float64], allowed_kmh: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which speeds no car drives on a street that allows so much."""
    return (kmh > OVER * allowed_kmh) & (kmh > allowed_kmh + OVER_KMH)


def medians(stretches: NDArray[np.int64], kmh: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return each stretch once, sorted, with the median of its speeds."""
    order = np.lexsort((kmh, stretches))
    stretches, kmh = stretches[order], kmh[order]
    found, first, count = np.unique(stretches, return_index=True, return_counts=True)
    low, high = first + (count - 1) // 2, first + count // 2
    return found, (kmh[low] + kmh[high]) / 2 if len(found) else kmh


def told(faults: Sequence[Fault]) -> list[str]:
    """Return the refused lines in English, one each."""
    return [f"line {each.line}: {each.en}" for each in faults]

"""Times as people write them in files, read into UTC."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from core.errors import InvalidInput

YEARS = (1800, 2200)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_OFFSET_MOST = (14, 59)
"""Hours and minutes that a zone is ahead or behind at most."""
_EXCEL_EPOCH = dt.date(1899, 12, 30)
_CHINESE = str.maketrans({"年": "-", "月": "-", "日": " ", "号": " ", "时": ":", "点": ":", "分": ":", "秒": " "})
_CLOCK = r"(?P<h>\d{1,2}):(?P<min>\d{1,2})(?::(?P<s>\d{1,2})(?:[.,]\d+)?)?:?\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
_ZONE = r"(?P<zone>Z|UTC|[+-]\d{2}(?::?\d{2})?)?"
_YEAR_FIRST = re.compile(rf"(?P<y>\d{{4}})[-/.](?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})(?:[T\s]+{_CLOCK})?\s*{_ZONE}")
_YEAR_LAST = re.compile(rf"(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})[-/.](?P<y>\d{{4}})(?:[T,\s]+{_CLOCK})?\s*{_ZONE}")
_TIME_OF_DAY = re.compile(_CLOCK)
_NUMBER = re.compile(r"\d+(\.\d+)?")


def read_moments(texts: Sequence[str], zone: ZoneInfo, *, column: str, file: str) -> list[dt.datetime | None]:
    """Return each text as a time in UTC, None where it is no time.

    A time without a zone is local to ``zone``; of an hour that comes twice the first is meant.
    Known are ISO and its relatives, 31/12/2025 and 12/31/2025 with a 12- or 24-hour clock,
    2025年12月31日 14时30分, 20251231, seconds and milliseconds since 1970, days since 1970
    (10,000 … 29,999) and days as Excel counts them (30,000 … 79,999).

    Raises
    ------
    InvalidInput
        When days and months cannot be told apart anywhere in the column.
    """
    spellings = {text: _plain(text) for text in dict.fromkeys(texts)}
    day_first = _day_first(spellings.values(), column=column, file=file)
    known = {text: _read(spelling, zone, day_first=day_first) for text, spelling in spellings.items()}
    return [known[text] for text in texts]


def read_time_of_day(text: str) -> dt.time | None:
    """Return a time of day (``08:15``, ``8:15 pm``, or an hour as a number), None where it is none."""
    spelling = _plain(text)
    if re.fullmatch(r"\d{1,2}(\.0+)?", spelling):
        hour = int(float(spelling))
        return dt.time(hour) if hour < 24 else None
    match = _TIME_OF_DAY.fullmatch(spelling)
    return None if match is None else _clock(match)


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).strip()
    return folded if folded.isascii() else folded.translate(_CHINESE).strip(" :")


def _day_first(spellings: Iterable[str], *, column: str, file: str) -> bool:
    """Return whether 03/04/2025 is in April: decided by the days above 12 that the column holds."""
    day_first = month_first = unclear = 0
    for spelling in spellings:
        match = _YEAR_LAST.fullmatch(spelling)
        if match is not None:
            first, second = int(match["a"]), int(match["b"])
            day_first += first > 12
            month_first += second > 12
            unclear += first != second and first <= 12 and second <= 12
    if unclear and day_first == month_first:
        raise InvalidInput(
            f"{file}: in column {column!r} day and month cannot be told apart.",
            hint="Write the times as 2025-12-31 14:30.",
        )
    return day_first > month_first


def _read(spelling: str, zone: ZoneInfo, *, day_first: bool) -> dt.datetime | None:
    if not spelling:
        return None
    if _NUMBER.fullmatch(spelling):
        return _from_number(spelling, zone)
    match = _YEAR_FIRST.fullmatch(spelling)
    month_at, day_at = "a", "b"
    if match is None:
        match = _YEAR_LAST.fullmatch(spelling)
        month_at, day_at = ("b", "a") if day_first else ("a", "b")
    if match is None or not YEARS[0] <= int(match["y"]) <= YEARS[1]:
        return None
    try:
        day = dt.date(int(match["y"]), int(match[month_at]), int(match[day_at]))
    except ValueError:
        return None
    if match["h"] is None:
        return _utc(dt.datetime.combine(day, dt.time(0)), match["zone"], zone)
    clock = _clock(match)
    return None if clock is None else _utc(dt.datetime.combine(day, clock), match["zone"], zone)


def _clock(match: re.Match[str]) -> dt.time | None:
    hour, minute, second = int(match["h"]), int(match["min"]), int(match["s"] or 0)
    half = (match["half"] or "").lower().replace(".", "")
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
    try:
        return dt.time(hour, minute, 59 if second == 60 else second)  # a leap second
    except ValueError:
        return None


def _utc(local: dt.datetime, written: str | None, zone: ZoneInfo) -> dt.datetime | None:
    """Return a local time in UTC; None when the zone written behind it is none."""
    if written is None:
        return local.replace(tzinfo=zone).astimezone(dt.UTC)
    if written in {"Z", "UTC"}:
        return local.replace(tzinfo=dt.UTC)
    digits = written[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > _OFFSET_MOST[0] or minutes > _OFFSET_MOST[1]:
        return None
    offset = dt.timedelta(hours=hours, minutes=minutes)
    return (local - (offset if written[0] == "+" else -offset)).replace(tzinfo=dt.UTC)


def _from_number(spelling: str, zone: ZoneInfo) -> dt.datetime | None:
    number = float(spelling)
    if 10_000 <= number < 30_000:
        return _from_days(dt.date(1970, 1, 1), number, zone)
    if 30_000 <= number < 80_000:
        return _from_days(_EXCEL_EPOCH, number, zone)
    if 19_000_101 <= number <= 21_001_231:
        digits = f"{int(number)}"
        return _read(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}", zone, day_first=False)
    if 1e8 <= number < 4.2e9:
        return _EPOCH + dt.timedelta(seconds=number)
    if 1e11 <= number < 4.2e12:
        return _EPOCH + dt.timedelta(milliseconds=number)
    return None


def _from_days(epoch: dt.date, days: float, zone: ZoneInfo) -> dt.datetime | None:
    seconds = round((days % 1) * 86_400)
    local = dt.datetime.combine(epoch, dt.time(0)) + dt.timedelta(days=int(days), seconds=seconds)
    return _utc(local, None, zone)

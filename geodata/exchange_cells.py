"""Cells of text into numbers, truth, days and moments, a column at a time; what cannot be is marked, never guessed."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geodata.exchange import Type

YES: Final = ("true", "yes", "y", "1", "t", "是", "有", "真")
NO: Final = ("false", "no", "n", "0", "f", "否", "无", "假")
DATE_STYLES: Final = {
    "iso": "ISO8601",
    "ymd": "%Y/%m/%d",
    "dmy": "%d/%m/%Y",
    "mdy": "%m/%d/%Y",
    "excel": "",
    "epoch": "",
}
"""Style of dates to how they are written, after full-width signs, dots and Chinese units became slashes."""
_WIDE = "[０-９Ａ-Ｚａ-ｚ．，－＋：／　]"
_INTEGER = r"^[-+]?\d{1,18}$"
_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,3})?$"
_OFFSET = r"(?:Z|[+-]\d\d:?\d\d)$"
_CLOCK = re.compile(r"\d:\d\d")
_DIGITS: Final = {each: place for place, each in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TENS: Final = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
Mask = NDArray[np.bool_]


def trimmed(cells: pa.Array) -> pa.Array:
    """Return cells without spaces around them, null where nothing is left."""
    cut = pc.utf8_trim_whitespace(cells)
    return pc.if_else(pc.equal(cut, ""), pa.scalar(None, pa.string()), cut)


def narrow(cells: pa.Array) -> pa.Array:
    """Return cells with full-width letters, digits and signs in their ordinary form."""
    if not pc.any(pc.match_substring_regex(cells, _WIDE)).as_py():
        return cells
    return pa.array(
        [None if each is None else unicodedata.normalize("NFKC", each) for each in cells.to_pylist()], pa.string()
    )


def typed(cells: pa.Array, kind: Type, style: str = "", zone: str = "UTC") -> tuple[pa.Array, Mask]:
    """Return cells as values of a type, and which of them are no such thing (an empty cell is none of them).

    Days come as ``2026-03-02``, moments as ISO text in UTC; a moment without a zone is read in ``zone``.
    """
    cells = trimmed(cells)
    if kind is Type.TEXT:
        return cells, np.zeros(len(cells), dtype=bool)
    cells = narrow(cells)
    if kind in {Type.INTEGER, Type.NUMBER}:
        made = _numbers(cells, style, whole=kind is Type.INTEGER)
    elif kind is Type.BOOLEAN:
        made = _truths(cells)
    else:
        made = _moments(cells, style, zone, day_only=kind is Type.DATE)
    wrong = pc.and_(pc.is_valid(cells), pc.is_null(made))
    return made, wrong.to_numpy(zero_copy_only=False)


def plain_numbers(cells: pa.Array, style: str) -> pa.Array:
    """Return cells with a decimal point and without signs that part thousands."""
    if style == "comma":
        parted = pc.match_substring_regex(cells, r"^[-+]?\d{1,3}([.' \x{a0}]\d{3})*(,\d+)?$|^[-+]?\d+(,\d+)?$")
        flat = pc.replace_substring(pc.replace_substring_regex(cells, r"[.' \x{a0}]", ""), ",", ".")
        cells = pc.if_else(parted, flat, pa.scalar(None, pa.string()))
    elif pc.any(pc.match_substring(cells, ",")).as_py():
        cells = pc.if_else(
            pc.match_substring_regex(cells, r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$"),
            pc.replace_substring(cells, ",", ""),
            cells,
        )
    return cells


def _numbers(cells: pa.Array, style: str, *, whole: bool) -> pa.Array:
    cells = plain_numbers(cells, style)
    fits = pc.match_substring_regex(cells, _NUMBER)
    made = pc.cast(pc.if_else(fits, cells, pa.scalar(None, pa.string())), pa.float64())
    made = pc.if_else(pc.is_finite(made), made, pa.scalar(None, pa.float64()))
    if not whole:
        return made
    exact = pc.match_substring_regex(cells, _INTEGER)
    if pc.all(pc.or_kleene(pc.is_null(cells), exact)).as_py():
        return pc.cast(pc.if_else(exact, pc.utf8_ltrim(cells, "+"), pa.scalar(None, pa.string())), pa.int64())
    near = pc.and_(pc.equal(made, pc.round(made)), pc.less(pc.abs(made), 2.0**53))
    return pc.cast(pc.if_else(near, made, pa.scalar(None, pa.float64())), pa.int64())


def spelled(cell: str) -> str:
    """Return a whole number written in Chinese numerals as digits, e.g. 六十 as 60; empty for anything else."""
    if not cell or any(each not in _DIGITS and each not in _TENS for each in cell):
        return ""
    if all(each in _DIGITS for each in cell):
        return "".join(str(_DIGITS[each]) for each in cell)
    whole, part, digit = 0, 0, 0
    for each in cell:
        if each in _DIGITS:
            digit = _DIGITS[each]
        elif _TENS[each] >= 10_000:
            whole, part, digit = (whole + part + digit) * _TENS[each], 0, 0
        else:
            part, digit = part + (digit or 1) * _TENS[each], 0
    return str(whole + part + digit)


def _truths(cells: pa.Array) -> pa.Array:
    low = pc.utf8_lower(cells)
    yes, no = (pc.is_in(low, pa.array(words)) for words in (YES, NO))
    return pc.if_else(yes, True, pc.if_else(no, False, pa.scalar(None, pa.bool_())))


def _moments(cells: pa.Array, style: str, zone: str, *, day_only: bool) -> pa.Array:
    """Return days or moments as ISO text; parsed once for each different cell."""
    coded = pc.dictionary_encode(cells)
    words = pd.Series(coded.dictionary.to_pylist(), dtype=object)
    moments = parse_moments(words, style or "iso", zone)
    if day_only:
        told = moments.dt.tz_convert(zone).dt.strftime("%Y-%m-%d")
    else:
        told = moments.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    told = told.astype(object).where(moments.notna(), None)
    return pc.take(pa.array(told.tolist(), pa.string()), coded.indices)


def parse_moments(words: pd.Series, style: str, zone: str) -> pd.Series:
    """Return moments in UTC, NaT for what is none in that style."""
    if style in {"excel", "epoch"}:
        numbers = pd.to_numeric(words, errors="coerce")
        if style == "excel":
            numbers = numbers.where((numbers > 1) & (numbers < 73_050))  # up to the year 2099
            return _placed(pd.Timestamp("1899-12-30") + pd.to_timedelta(numbers, unit="D").dt.round("s"), zone)
        scale = np.where(numbers > 1e11, 1e-3, 1.0)
        numbers = (numbers * scale).where((numbers * scale > 0) & (numbers * scale < 4e9))
        return pd.to_datetime(numbers, unit="s", utc=True)
    text = words.astype(str)
    if style == "iso":
        offset = text.str.contains(_OFFSET, regex=True) & text.str.contains(":", regex=False)
        made = pd.to_datetime(text.where(offset), format="ISO8601", utc=True, errors="coerce")
        naive = pd.to_datetime(text.where(~offset), format="ISO8601", errors="coerce")
        return made.where(offset, _placed(naive, zone))
    text = text.str.replace(r"[年月./-]", "/", regex=True).str.replace("日", " ", regex=False)
    text = (
        text.str.replace("时", ":", regex=False).str.replace("分", ":", regex=False).str.replace("秒", "", regex=False)
    )
    text = text.str.replace("T", " ", regex=False).str.replace(r"\s+", " ", regex=True).str.strip(" :")
    day = DATE_STYLES[style]
    made = pd.Series(pd.NaT, index=words.index, dtype="datetime64[us]")
    for clock in ("", " %H:%M:%S", " %H:%M", " %I:%M:%S %p", " %I:%M %p", " %H"):
        left = made.isna()
        if not left.any():
            break
        made = made.where(
            ~left, pd.to_datetime(text.where(left), format=day + clock, errors="coerce").astype(made.dtype)
        )
    return _placed(made, zone)


def _placed(naive: pd.Series, zone: str) -> pd.Series:
    """Return moments without a zone as moments of a zone; of an hour that came twice the first."""
    if not pd.api.types.is_datetime64_dtype(naive.dtype):
        return pd.Series(pd.NaT, index=naive.index, dtype="datetime64[us, UTC]")
    bounded = naive.where((naive > pd.Timestamp("1700-01-01")) & (naive < pd.Timestamp("2200-01-01")))
    first = np.ones(len(bounded), dtype=bool)
    made: pd.Series = bounded.dt.tz_localize(
        ZoneInfo(zone), ambiguous=first, nonexistent="shift_forward"
    ).dt.tz_convert("UTC")
    return made


def has_clock(words: pd.Series) -> bool:
    """Return whether any of the texts says a time of day."""
    return any(_CLOCK.search(str(each)) or "时" in str(each) for each in words)

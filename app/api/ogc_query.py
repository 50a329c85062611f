"""What a query of the OGC API asks for, read and checked; pure."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from functools import lru_cache

from pyproj import CRS, Transformer

from app.api.ogc_documents import CRS84, DEFAULT_FEATURES, MOST_FEATURES, crs_uri
from core.errors import InvalidInput
from geodata.catalogue_model import Offer
from geodata.features import WGS84, Box, Wanted
from geodata.filters import Filter

KNOWN = frozenset({
    "limit", "bbox", "bbox-crs", "crs", "datetime", "after", "f", "lang", "filter", "filter-lang", "filter-crs",
})  # fmt: skip
WEB_MERCATOR = 3857


def systems(metric_srid: int) -> dict[str, tuple[int, bool]]:
    """Return the coordinate systems of a territory's answers: address to EPSG code and whether the axes turn."""
    codes = dict.fromkeys((WGS84, WEB_MERCATOR, metric_srid))
    return {CRS84: (WGS84, False)} | {crs_uri(code): (code, north_first(code)) for code in codes}


@lru_cache(maxsize=64)
def north_first(srid: int) -> bool:
    """Return whether the authority writes the northward axis first, as of EPSG:4326 and the CGCS2000 zones."""
    axes = CRS.from_epsg(srid).axis_info
    return bool(axes) and axes[0].direction.lower() == "north"


@lru_cache(maxsize=16)
def _to_degrees(srid: int) -> Transformer:
    return Transformer.from_crs(srid, WGS84, always_xy=True)


def wanted(query: Mapping[str, str], offer: Offer, metric_srid: int) -> Wanted:
    """Return what a query asks of an offer.

    Raises
    ------
    InvalidInput
        Naming the parameter that is unknown or cannot be read.
    """
    names = {each.name for each in offer.fields}
    unknown = sorted(set(query) - KNOWN - names)
    if unknown:
        raise InvalidInput(
            f"{unknown[0]!r} is neither a parameter nor a column of {offer.key}.",
            hint=f"Columns: {', '.join(each.name for each in offer.fields)}.",
            zh=f"{unknown[0]} 不是参数或 {offer.key} 的列，列有：{'、'.join(each.name for each in offer.fields)}。",
        )
    check_format(query)
    known = systems(metric_srid)
    srid, flipped = system_of(query.get("crs", CRS84), known)
    since, until = span(query.get("datetime", ""))
    return Wanted(
        boxes=boxes(query.get("bbox", ""), *system_of(query.get("bbox-crs", CRS84), known)),
        since=since,
        until=until,
        equals={name: value for name, value in query.items() if name in names and name not in KNOWN},
        filter=filter_of(query, known),
        after=query.get("after"),
        limit=limit(query.get("limit", "")),
        srid=srid,
        flipped=flipped,
    )


def filter_of(query: Mapping[str, str], known: Mapping[str, tuple[int, bool]]) -> Filter | None:
    """Return the filter that is asked for; None without one."""
    if query.get("filter-lang", "cql2-text") != "cql2-text":
        raise InvalidInput(
            "Filters are written in CQL2 text here.", hint="Say filter-lang=cql2-text.",
            zh="过滤条件使用 CQL2 文本，请写 filter-lang=cql2-text。",
        )  # fmt: skip
    srid, flipped = system_of(query.get("filter-crs", CRS84), known)
    return Filter(query["filter"], srid, flipped) if query.get("filter", "").strip() else None


def check_format(query: Mapping[str, str]) -> None:
    """Return when the format is one there is."""
    if query.get("f", "json") not in {"json", "geojson", "html"}:
        raise InvalidInput(
            "There is JSON and HTML here.", hint="Leave f away, or say f=json or f=html.",
            zh="此处提供 JSON 和 HTML，请去掉 f，或写 f=json、f=html。",
        )  # fmt: skip


def system_of(given: str, known: Mapping[str, tuple[int, bool]]) -> tuple[int, bool]:
    """Return the code and the order of axes of a coordinate system that is offered."""
    if given not in known:
        raise InvalidInput(
            f"{given[:120]!r} is not offered here.", hint=f"Known are: {', '.join(known)}.",
            zh=f"不提供坐标系 {given[:120]}，可用：{'、'.join(known)}。",
        )  # fmt: skip
    return known[given]


def limit(given: str) -> int:
    """Return how many features a page holds; above the maximum it is the maximum."""
    if not given:
        return DEFAULT_FEATURES
    if not (given.isascii() and given.isdecimal()) or len(given) > 18 or int(given) < 1:
        raise InvalidInput(
            "limit is a whole number from 1.", hint=f"At most {MOST_FEATURES} come at once.",
            zh=f"limit 应为不小于 1 的整数，一次最多返回 {MOST_FEATURES} 行。",
        )  # fmt: skip
    return min(int(given), MOST_FEATURES)


def boxes(given: str, srid: int, flipped: bool) -> tuple[Box, ...]:
    """Return the box in degrees; one across the antimeridian as two, heights ignored, none for an empty text."""
    if not given:
        return ()
    try:
        numbers = [float(part) for part in given.split(",")]
    except ValueError as error:
        raise _no_box() from error
    if len(numbers) == 6:
        numbers = [*numbers[:2], *numbers[3:5]]
    if len(numbers) != 4 or not all(map(math.isfinite, numbers)):
        raise _no_box()
    west, south, east, north = numbers
    if flipped:
        south, west, north, east = numbers
    if srid != WGS84:
        if west > east or south > north:
            raise _no_box()
        west, south, east, north = _to_degrees(srid).transform_bounds(west, south, east, north)
    if not all(map(math.isfinite, (west, south, east, north))) or south > north:
        raise _no_box()
    west, east = (min(max(each, -180.0), 180.0) for each in (west, east))
    south, north = (min(max(each, -90.0), 90.0) for each in (south, north))
    if west > east:
        return ((west, south, 180.0, north), (-180.0, south, east, north))
    return ((west, south, east, north),)


def _no_box() -> InvalidInput:
    return InvalidInput(
        "bbox is west, south, east, north.", hint="Four numbers, or six with heights.",
        zh="bbox 依次为西、南、东、北四个数，含高程时为六个数。",
    )  # fmt: skip


def span(given: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return the first and the last moment of a time filter; None leaves a side open, a day is the whole day (UTC)."""
    if not given:
        return None, None
    parts = given.split("/")
    if len(parts) > 2:
        raise _no_time(given)
    since = _moment(parts[0], given, end=False)
    until = _moment(parts[-1], given, end=True)
    if len(parts) == 2 and since is None and until is None:
        return None, None
    if len(parts) == 1 and since is None:
        raise _no_time(given)
    if since is not None and until is not None and since > until:
        raise InvalidInput(
            "The span ends before it begins.", hint="Write the earlier moment first.", zh="时段的结束早于开始。"
        )
    return since, until


def _moment(text: str, given: str, *, end: bool) -> dt.datetime | None:
    if text in {"", ".."}:
        return None
    try:
        if len(text) == len("2026-03-01"):
            day = dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC)
            return day + dt.timedelta(days=1) - dt.timedelta(microseconds=1) if end else day
        told = dt.datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise _no_time(given) from error
    if told.tzinfo is None:
        raise _no_time(given)
    return told


def _no_time(given: str) -> InvalidInput:
    return InvalidInput(
        f"{given[:60]!r} is no moment and no span.", hint="Write 2026-03-01T00:00:00Z, or two with / between, or ..",
        zh=f"{given[:60]} 不是时刻或时段，请写 2026-03-01T00:00:00Z，或用 / 连接两个时刻。",
    )  # fmt: skip

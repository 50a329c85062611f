"""Feeds of traffic: where a reading's parts stand in an answer, and the answer as rows we know (pure)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.errors import InvalidInput
from dispatch.traffic_model import LINES_MOST
from geodata.datum import Datum, to_wgs84

FIELDS = ("time", "kmh", "lon", "lat", "street", "heading")
ROWS = "rows"
"""Name of the way to the list of readings in a JSON answer; empty: the answer is the list."""
FORMS = ("csv", "json")
ANSWER_MOST = 8_000_000
LEAST_S, MOST_S = 60, 3600
EPOCH_MS = 100_000_000_000
"""A number of seconds since 1970 is below this, one of milliseconds above."""


@dataclass(frozen=True, slots=True)
class NewFeed:
    """What the administrator says of a feed; ``fields`` are our names to the feed's (dots lead into objects)."""

    name: str
    address: str
    form: str
    fields: Mapping[str, str]
    every_s: int = 300
    secret: str = field(default="", repr=False)
    datum: str = Datum.WGS84.value


@dataclass(frozen=True, slots=True)
class FeedInfo:
    """A feed and how it answered last; ``secret`` only where the system asks it."""

    id: int
    territory_id: int
    name: str
    address: str
    form: str
    fields: Mapping[str, str]
    datum: str
    every_s: int
    active: bool
    version: int
    asked_at: dt.datetime | None = None
    good_at: dt.datetime | None = None
    readings: int = 0
    refused: int = 0
    wrong_en: str = ""
    wrong_zh: str = ""
    secret: str = field(default="", repr=False)

    def due(self, at: dt.datetime) -> bool:
        """Return whether it is to be asked; half a minute early, because the clock ticks once a minute."""
        ago = None if self.asked_at is None else (at - self.asked_at).total_seconds()
        return self.active and (ago is None or ago >= self.every_s - 30)


def check_feed(new: NewFeed) -> None:
    """Raise `InvalidInput` for a feed that cannot be."""
    unknown = sorted(set(new.fields) - {*FIELDS, ROWS})
    named = {key for key, value in new.fields.items() if value}
    named_well = 0 < len(new.name.strip()) <= 80 and new.name.isprintable()
    too_long = any(len(value) > 120 or not value.isprintable() for value in new.fields.values())
    wrong = (
        (not named_well, "Give a name of up to 80 signs.", "请填写不超过 80 字的名称。"),
        (not 0 < len(new.address) <= 500, "Give an address of up to 500 signs.", "请填写不超过 500 字的地址。"),
        (new.form not in FORMS, "A feed is csv or json.", "数据格式应为 csv 或 json。"),
        (bool(unknown), f"{', '.join(unknown)} is no field of a reading.", "含有未知的字段。"),
        (not {"time", "kmh"} <= named, "Say where time and speed stand.", "请指明时间与速度所在字段。"),
        (
            not {"lon", "lat"} <= named and "street" not in named,
            "Say where longitude and latitude stand, or the street.",
            "请指明经纬度或道路名所在字段。",
        ),
        (too_long, "A field's name is too long.", "字段名过长。"),
        (not LEAST_S <= new.every_s <= MOST_S, "Ask it every 60 to 3,600 seconds.", "轮询间隔应为 60 至 3600 秒。"),
        (new.datum not in set(Datum), "The datum is WGS-84, GCJ-02 or BD-09.", "坐标基准有误。"),
    )  # fmt: skip
    found = next((words for holds, *words in wrong if holds), None)
    if found is not None:
        raise InvalidInput(found[0], hint="Correct it and try again.", zh=found[1])


def as_table(body: bytes, feed: FeedInfo) -> str:
    """Return an answer as the CSV that `dispatch.traffic_model.read_readings` reads, in WGS 84.

    Raises
    ------
    InvalidInput
        When the answer has another form than was said.
    """
    rows = _csv_rows(body, feed) if feed.form == "csv" else _json_rows(body, feed)
    if Datum(feed.datum) != Datum.WGS84:
        _shift(rows, Datum(feed.datum))
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(FIELDS)
    table.writerows([row[name] for name in FIELDS] for row in rows)
    return out.getvalue()


def _csv_rows(body: bytes, feed: FeedInfo) -> list[dict[str, str]]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = body.decode("gb18030", errors="replace")
    try:
        rows = list(itertools.islice(csv.DictReader(io.StringIO(text)), LINES_MOST + 1))
    except csv.Error as error:
        raise _other_form("csv") from error
    missing = [name for name in feed.fields.values() if name and rows and name not in rows[0]]
    if missing:
        raise _lacks(missing[0])
    named = {ours: feed.fields.get(ours) for ours in FIELDS}  # a column without a name is nobody's
    return [{ours: _told(row.get(name) if name else None, ours) for ours, name in named.items()} for row in rows]


def _json_rows(body: bytes, feed: FeedInfo) -> list[dict[str, str]]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _other_form("json") from error
    found = _inside(found, feed.fields.get(ROWS, ""))
    if not isinstance(found, list):
        raise InvalidInput(
            f"The answer has no list of readings{' at ' + feed.fields[ROWS] if feed.fields.get(ROWS) else ''}.",
            hint="Say where the list stands, e.g. data.items.",
            zh="返回内容中没有读数列表，请指明列表所在位置，如 data.items。",
        )
    rows = []
    for row in found[: LINES_MOST + 1]:  # one more, so that it is told
        given = {ours: _inside(row, path) if (path := feed.fields.get(ours, "")) else None for ours in FIELDS}
        rows.append({ours: _told(value, ours) for ours, value in given.items()})
    return rows


def _inside(value: Any, path: str) -> Any:
    """Return what stands at ``a.b.0`` of nested objects and lists; None where nothing does."""
    for step in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _told(value: Any, ours: str) -> str:
    """Return a value as it stands in our table; a time as a number is seconds or milliseconds since 1970."""
    if value is None or isinstance(value, (dict, list, bool)):
        return ""
    if ours == "time":
        number = _number(value)
        if number is not None:
            seconds = number / 1000 if number > EPOCH_MS else number
            try:
                return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()
            except (OverflowError, OSError, ValueError):
                return ""
    return str(value).strip()


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number > 1_000_000_000 else None


def _shift(rows: Sequence[dict[str, str]], datum: Datum) -> None:
    for row in rows:
        try:
            lon, lat = float(row["lon"]), float(row["lat"])
        except ValueError:
            continue
        moved = to_wgs84(np.array(lon), np.array(lat), datum)
        row["lon"], row["lat"] = (f"{float(each):.7f}" for each in moved)


def _other_form(form: str) -> InvalidInput:
    return InvalidInput(
        f"The answer is no {form}.", hint="Check address and form.", zh=f"返回内容不是 {form}，请检查地址与格式。"
    )


def _lacks(name: str) -> InvalidInput:
    return InvalidInput(
        f"The answer has no column {name[:60]!r}.",
        hint="Check the names of the fields.",
        zh=f"返回内容没有列“{name[:60]}”。",
    )

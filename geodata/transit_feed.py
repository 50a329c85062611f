"""Timetables of public transport (GTFS) read for one day: every ride from a stop to the next, in order of time.

Of a feed are read stops, trips, stop_times, calendar, calendar_dates and frequencies (gtfs.org/documentation/schedule).
Stop times may be left out between two that are given; they are spread evenly over the stops between. What began the
day before and still runs counts too. Transfers, fares, shapes and levels are not read: people change where they can
walk from stop to stop.
"""

from __future__ import annotations

import datetime as dt
import io
import lzma
import math
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.progress import Progress, Silent

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
DAY_S = 86_400.0
TIMES_AT_MOST, PART_AT_MOST = 1 << 30, 128 << 20
"""Bytes of stop_times, and of any other table, unpacked."""
SHARE_AT_MOST, SMALL = 200, 64 << 10
"""A table that unpacks to more than so many times what it takes is none; so small a one may."""
ROWS_AT_MOST, TIMES_ROWS_AT_MOST = 3_000_000, 20_000_000
RIDES_AT_MOST = 10_000_000
PIECE, PIECE_ROWS = 8 << 20, 200_000
"""Bytes unpacked, and rows read, between two looks at whether to stop."""
_UNREADABLE = (
    zipfile.BadZipFile, OSError, RuntimeError, EOFError, ValueError, zlib.error, lzma.LZMAError, struct.error,
)  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEEDED = {
    "stops": ("stop_id", "stop_lat", "stop_lon"),
    "trips": ("trip_id", "service_id"),
    "stop_times": ("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time"),
}
_OPTIONAL = {
    "calendar": ("service_id", *_DAYS, "start_date", "end_date"),
    "calendar_dates": ("service_id", "date", "exception_type"),
    "frequencies": ("trip_id", "start_time", "end_time", "headway_secs"),
}
"""Tables that may be left out, with the columns they have where they are there."""
_MORE = ("pickup_type", "drop_off_type")


@dataclass(frozen=True, eq=False)
class Timetable:
    """Rides of one day, by departure.

    Attributes
    ----------
    stops
        Longitude and latitude, shape (n, 2).
    from_stop, to_stop, trip
        Of each ride from a stop to the next; a trip that runs often is as many trips.
    leaves_s, arrives_s
        Seconds since midnight, below 0 before it.
    boards, alights
        Whether passengers may get on, and off at its end.
    notes
        What was noticed, in sentences.
    """

    stops: Floats
    from_stop: Ints
    to_stop: Ints
    trip: Ints
    leaves_s: Floats
    arrives_s: Floats
    boards: NDArray[np.bool_]
    alights: NDArray[np.bool_]
    trips: int
    notes: tuple[str, ...] = ()


def read_timetable(feeds: Sequence[Path], day: dt.date, *, progress: Progress | None = None) -> Timetable:
    """Return the rides of a day in one or more feeds (``.zip`` or folders) of the same area.

    Parameters
    ----------
    progress
        Asked piece by piece whether to stop; `core.progress.Cancelled` passes through.

    Raises
    ------
    InvalidInput
        When a feed cannot be read, or nothing runs on that day; says which days are covered.
    """
    if not feeds:
        raise InvalidInput("No timetable is given.", hint="Give a GTFS feed: --gtfs FEED.zip")
    parts: list[pd.DataFrame] = []
    stops: list[Floats] = []
    notes: list[str] = []
    spans: list[str] = []
    for feed in feeds:
        read = _Feed(feed, progress)
        spans.append(read.span())
        known = read.table("stops")
        at = known[["stop_lon", "stop_lat"]].apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
        good = np.isfinite(at).all(axis=1) & (np.abs(at) <= [180, 90]).all(axis=1)
        number = pd.Series(np.arange(good.sum()) + sum(len(each) for each in stops), index=known.loc[good, "stop_id"])
        if number.index.has_duplicates:
            raise InvalidInput(f"{feed.name}: a stop_id stands twice in stops.txt.")
        if not good.all():
            notes.append(f"{feed.name}: {int((~good).sum()):,} of {len(good):,} stops have no place.")
        stops.append(at[good])
        times = read.stop_times(notes)
        for back in (0, 1):
            running = read.running(day - dt.timedelta(days=back))
            rides = read.rides(times[times["trip_id"].isin(running)], number)
            parts.append(_later(rides, -DAY_S * back))
    rides = _joined(parts)
    rides = rides[rides["arrives"] > 0]
    if not len(rides):
        raise InvalidInput(
            f"Nothing runs on {day:%Y-%m-%d} in {', '.join(feed.name for feed in feeds)}.",
            hint=f"The timetables are for: {'; '.join(span for span in spans if span) or 'no day'}.",
            zh=f"{day:%Y-%m-%d} 没有班次。时刻表日期：{'；'.join(span for span in spans if span) or '未注明'}。",
        )
    rides = rides.sort_values(["leaves", "arrives", "key", "order"], kind="stable")
    trip, names = pd.factorize(rides["key"])
    return Timetable(
        np.concatenate(stops), _column(rides, "from", np.int64), _column(rides, "to", np.int64), trip.astype(np.int64),
        _column(rides, "leaves", np.float64), _column(rides, "arrives", np.float64), _column(rides, "boards", np.bool_),
        _column(rides, "alights", np.bool_), trips=len(names), notes=tuple(notes),
    )  # fmt: skip


def days_of(feeds: Sequence[Path]) -> tuple[dt.date, dt.date] | None:
    """Return the first and the last day that one or more feeds say they are for; None where none says it.

    Raises
    ------
    InvalidInput
        When one is no feed.
    """
    said = [day for feed in feeds for day in _Feed(feed).days()]
    return (min(said), max(said)) if said else None


def _column(rides: pd.DataFrame, name: str, kind: type) -> NDArray[Any]:
    return np.ascontiguousarray(rides[name].to_numpy(dtype=kind))


class _Feed:
    """The tables of a feed."""

    def __init__(self, path: Path, progress: Progress | None = None) -> None:
        if not path.exists():
            raise InvalidInput(f"There is no file {path}.")
        self.path, self.progress = path, progress or Silent()

    def table(self, name: str) -> pd.DataFrame:
        """Return a table as text; empty where it is left out and need not be there."""
        content = self._content(f"{name}.txt")
        needed = (_NEEDED | _OPTIONAL)[name]
        if content is None or (name in _OPTIONAL and not content.strip()):
            if name in _NEEDED:
                raise InvalidInput(
                    f"{self.path.name} holds no {name}.txt.", hint="Is it a GTFS feed?",
                    zh=f"{self.path.name} 中没有 {name}.txt。它是 GTFS 时刻表吗？",
                )  # fmt: skip
            return pd.DataFrame()
        try:
            most = TIMES_ROWS_AT_MOST if name == "stop_times" else ROWS_AT_MOST
            read = self._rows(content, {*needed, *_MORE}, most + 1)
        except (ValueError, pd.errors.ParserError) as error:
            raise InvalidInput(f"{self.path.name}: {name}.txt cannot be read ({error}).") from error
        if len(read) > most:
            raise InvalidInput(
                f"{self.path.name}: {name}.txt has more than {most:,} rows.", hint="Cut the timetable to the city.",
                zh=f"{self.path.name}：{name}.txt 超过 {most:,} 行。请将时刻表裁剪到本市范围。",
            )  # fmt: skip
        read.columns = [str(column).strip() for column in read.columns]
        missing = [column for column in needed if column not in read]
        if missing:
            raise InvalidInput(
                f"{self.path.name}: {name}.txt has no column {', '.join(missing)}.", hint="GTFS asks for it.",
                zh=f"{self.path.name}：{name}.txt 缺少列 {'、'.join(missing)}。GTFS 要求提供。",
            )  # fmt: skip
        return read

    def _rows(self, content: bytes, columns: set[str], most: int) -> pd.DataFrame:
        """Return the first rows of a table, read piece by piece."""
        pieces = pd.read_csv(
            io.BytesIO(content), dtype=str, encoding="utf-8-sig", skipinitialspace=True, nrows=most,
            usecols=lambda column: str(column).strip() in columns, chunksize=PIECE_ROWS,
        )  # fmt: skip
        read = list[pd.DataFrame]()
        with pieces:
            for piece in pieces:
                read.append(piece)
                self.progress.advance(0)
        return pd.concat(read, ignore_index=True)

    def _unpacked(self, archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bytes:
        """Return a part of an archive; no more than it says: zipfile stops there and finds the sum wrong."""
        made = io.BytesIO()
        with archive.open(part) as stream:
            while piece := stream.read(PIECE):
                made.write(piece)
                self.progress.advance(0)
        return made.getvalue()

    def _content(self, name: str) -> bytes | None:
        if self.path.is_dir():
            found = self.path / name
            return found.read_bytes() if found.is_file() else None
        try:
            with zipfile.ZipFile(self.path) as archive:
                inside = [part for part in archive.infolist() if part.filename.rpartition("/")[2] == name]
                if not inside:
                    return None
                self._check(inside[0], name)
                return self._unpacked(archive, inside[0])
        except _UNREADABLE as error:
            raise InvalidInput(
                f"{self.path.name} is no GTFS feed.", hint="A .zip, or a folder of its tables.",
                zh=f"{self.path.name} 不是 GTFS 时刻表，应为 .zip 文件或其各表所在的文件夹。",
            ) from error  # fmt: skip

    def _check(self, part: zipfile.ZipInfo, name: str) -> None:
        """Refuse a table that unpacks to more than is read, before it is unpacked."""
        most = TIMES_AT_MOST if name == "stop_times.txt" else PART_AT_MOST
        if part.file_size > most or part.file_size > SHARE_AT_MOST * max(part.compress_size, SMALL):
            raise InvalidInput(
                f"{self.path.name}: {name} unpacks to {part.file_size:,} bytes, out of {part.compress_size:,}.",
                hint=f"At most {most >> 20:,} MB are read, and {SHARE_AT_MOST} times what it takes packed.",
                zh=f"{self.path.name}：{name} 解压后 {part.file_size:,} 字节，上限 {most >> 20:,} MB。",
            )  # fmt: skip

    def running(self, day: dt.date) -> set[str]:
        """Return the trips of a day."""
        said, here = f"{day:%Y%m%d}", set()
        calendar, dates = self.table("calendar"), self.table("calendar_dates")
        if len(calendar):
            on = (
                (calendar["start_date"] <= said)
                & (calendar["end_date"] >= said)
                & (calendar[_DAYS[day.weekday()]] == "1")
            )
            here = set(calendar.loc[on, "service_id"])
        if len(dates):
            that = dates[dates["date"] == said]
            here |= set(that.loc[that["exception_type"] == "1", "service_id"])
            here -= set(that.loc[that["exception_type"] == "2", "service_id"])
        trips = self.table("trips")
        return set(trips.loc[trips["service_id"].isin(here), "trip_id"])

    def days(self) -> list[dt.date]:
        """Return the days at which its calendars begin and end, and those they name."""
        calendar, dates = self.table("calendar"), self.table("calendar_dates")
        said = pd.Series(
            [*calendar.get("start_date", []), *calendar.get("end_date", []), *dates.get("date", [])], dtype=str
        )
        read = pd.to_datetime(said.str.strip(), format="%Y%m%d", errors="coerce").dropna()
        return [each.date() for each in read]

    def span(self) -> str:
        """Return which days the feed is for; "" where it does not say."""
        days = self.days()
        return f"{self.path.name} {min(days)} to {max(days)}" if days else ""

    def stop_times(self, notes: list[str]) -> pd.DataFrame:
        """Return the stop times of all trips in order, in seconds, those left out between two filled in."""
        read = self.table("stop_times")
        order = pd.to_numeric(read["stop_sequence"], errors="coerce")
        times = {name: _seconds(read[f"{name}_time"]) for name in ("arrival", "departure")}
        made = pd.DataFrame(
            {
                "trip_id": read["trip_id"], "stop_id": read["stop_id"], "order": order,
                "arrival": times["arrival"].fillna(times["departure"]),
                "departure": times["departure"].fillna(times["arrival"]),
                "boards": read["pickup_type"].ne("1") if "pickup_type" in read else True,
                "alights": read["drop_off_type"].ne("1") if "drop_off_type" in read else True,
            }
        )  # fmt: skip
        self.progress.advance(0)
        made = made[made["order"].notna()].sort_values(["trip_id", "order"], kind="stable").reset_index(drop=True)
        empty = int(made["departure"].isna().sum())
        if empty:
            for name in ("arrival", "departure"):
                made[name] = _filled(made["trip_id"], made[name])
            notes.append(f"{self.path.name}: {empty:,} of {len(made):,} stop times are left out and spread evenly.")
        return made

    def rides(self, times: pd.DataFrame, number: pd.Series) -> pd.DataFrame:
        """Return the rides from stop to stop of some trips, each run of a trip that runs often by itself."""
        self.progress.advance(0)
        times = times[times["stop_id"].isin(number.index) & times["departure"].notna()]
        here, there = times.iloc[:-1], times.iloc[1:]
        same = here["trip_id"].to_numpy() == there["trip_id"].to_numpy()
        here, there = here[same], there[same]
        leaves = here["departure"].to_numpy(dtype=np.float64)
        made = pd.DataFrame(
            {
                "key": self.path.name + "/" + here["trip_id"].astype(str).to_numpy(), "order": here["order"].to_numpy(),
                "from": number.loc[here["stop_id"]].to_numpy(), "to": number.loc[there["stop_id"]].to_numpy(),
                "leaves": leaves, "arrives": np.maximum(there["arrival"].to_numpy(dtype=np.float64), leaves),
                "boards": here["boards"].to_numpy(dtype=bool), "alights": there["alights"].to_numpy(dtype=bool),
            }
        )  # fmt: skip
        return self._often(made)

    def _often(self, rides: pd.DataFrame) -> pd.DataFrame:
        """Return the rides with those of frequencies.txt, which say how often a trip runs, once for each run."""
        often = self.table("frequencies")
        if not len(often) or not len(rides):
            return rides
        parts, keys = [rides[~rides["key"].isin(self.path.name + "/" + often["trip_id"])]], rides.groupby("key")
        start, end = _seconds(often["start_time"]), _seconds(often["end_time"])
        every = pd.to_numeric(often["headway_secs"], errors="coerce")
        count = len(parts[0])
        for name, first, last, headway in zip(often["trip_id"], start, end, every, strict=True):
            key = f"{self.path.name}/{name}"
            if key not in keys.groups or not (1 <= headway < np.inf and first < last):
                continue
            self.progress.advance(0)
            one, runs = keys.get_group(key), math.ceil((last - first) / headway)
            count += len(one) * runs
            if count > RIDES_AT_MOST:
                raise InvalidInput(
                    f"{self.path.name} holds more than {RIDES_AT_MOST:,} rides of a day.",
                    hint="Is headway_secs of frequencies.txt in seconds?",
                    zh=f"{self.path.name} 一天的班次超过 {RIDES_AT_MOST:,}。headway_secs 是否以秒为单位？",
                )
            parts.append(_repeated(one, first + headway * np.arange(runs), f"#{first:.0f}"))
        return _joined(parts)


def _repeated(rides: pd.DataFrame, starts: Floats, name: str) -> pd.DataFrame:
    """Return the rides of a trip once for each start, each run as a trip of its own."""
    made = rides.iloc[np.tile(np.arange(len(rides)), len(starts))]
    by_s = np.repeat(starts - rides["leaves"].iloc[0], len(rides))
    names = np.repeat([f"{name}+{number}" for number in range(len(starts))], len(rides))
    return made.assign(leaves=made["leaves"] + by_s, arrives=made["arrives"] + by_s, key=made["key"] + names)


def _later(rides: pd.DataFrame, by_s: float) -> pd.DataFrame:
    name = "" if by_s == 0 else "#the day before"
    return rides.assign(leaves=rides["leaves"] + by_s, arrives=rides["arrives"] + by_s, key=rides["key"] + name)


def _joined(parts: list[pd.DataFrame]) -> pd.DataFrame:
    there = [part for part in parts if len(part)]
    return pd.concat(there, ignore_index=True) if there else parts[0]


def _seconds(said: pd.Series) -> pd.Series:
    """Return H:MM:SS as seconds; nan where it is no time."""
    parts = said.fillna("").str.strip().str.extract(r"^(\d{1,3}):(\d{2}):(\d{2})$").astype(np.float64)
    return parts[0] * 3600 + parts[1] * 60 + parts[2]


def _filled(trip: pd.Series, times: pd.Series) -> pd.Series:
    """Return the times with those between two given ones of a trip spread evenly; outside them they stay out."""
    position = np.arange(len(times), dtype=np.float64)
    given = times.notna().to_numpy()
    code = pd.factorize(trip)[0]
    known, values = position[given], times.to_numpy(dtype=np.float64)[given]
    if not len(known):
        return times
    after = np.searchsorted(known, position, side="left")
    before = np.searchsorted(known, position, side="right") - 1
    inside = (after < len(known)) & (before >= 0)
    low, high = known[np.maximum(before, 0)].astype(int), known[np.minimum(after, len(known) - 1)].astype(int)
    inside &= (code[low] == code) & (code[high] == code)
    return pd.Series(np.where(inside, np.interp(position, known, values), np.nan), index=times.index)

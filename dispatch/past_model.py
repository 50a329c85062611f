"""What is usual on a road and how reliable it is, folded from speeds by the hour (pure).

The buffer index and the planning time index are those of the Federal Highway Administration, "Travel Time Reliability:
Making It There On Time, All The Time" (FHWA-HOP-06-070, 2006): from the 95th percentile of the travel time, here in
the road's own rush, the usual slowest hour with the hours beside it.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

Floats = NDArray[np.float64]
HALF = 0.5
"""Cosine of the angle between a heading and a road up to which both run together: 60 degrees."""
FEWEST_DAYS = 5
FREE_PERCENTILE, LATE_PERCENTILE = 85.0, 95.0
FREE_FROM = 24
"""With so many hours measured the free speed is measured too; else it is what the road allows."""
MPH = 1.609344
STEPS_A_DAY = 288


@dataclass(frozen=True, slots=True)
class RoadRow:
    """A road and how fast it may be driven."""

    id: int
    speed_kmh: float


@dataclass(frozen=True, eq=False)
class Seen:
    """Speeds of a territory, one entry a road, day and hour (local), with what each road allows and its source."""

    road: NDArray[np.int64]
    day: NDArray[np.int64]
    hour: NDArray[np.int64]
    kmh: Floats
    allowed_kmh: Floats
    source: Sequence[str]


@dataclass(frozen=True, slots=True)
class Usual:
    """How a road usually is; ``buffer`` and ``planning`` are None of too few days."""

    road_id: int
    free_kmh: float
    hours: tuple[float | None, ...]
    rush: float
    buffer: float | None
    planning: float | None
    days: int
    source: str
    name: str = ""
    name_zh: str | None = None
    length_m: float = 0.0
    lon: float = 0.0
    lat: float = 0.0

    @property
    def rush_hour(self) -> int:
        """Return the local hour in which the road usually is slowest."""
        known = [(speed, hour) for hour, speed in enumerate(self.hours) if speed is not None]
        return min(known)[1] if known else 0


@dataclass(frozen=True, slots=True)
class CityTraffic:
    """The usual day of all measured roads together: travel time over that when free, by hour; None without."""

    index: tuple[float | None, ...]
    roads: int
    km: float
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """A data set of sensors: how many, and the middle of their usual days by hour."""

    data_set: str
    sensors: int
    days: int
    readings: int
    ratios: tuple[float, ...]


def folded(seen: Seen) -> list[Usual]:
    """Return how each road usually is."""
    if not len(seen.road):
        return []
    order = np.lexsort((seen.hour, seen.day, seen.road))
    roads, first = np.unique(seen.road[order], return_index=True)
    ends = np.r_[first[1:], len(order)]
    return [_one(int(road), seen, order[a:b]) for road, a, b in zip(roads, first, ends, strict=True)]


def _one(road: int, seen: Seen, rows: NDArray[np.int64]) -> Usual:
    kmh, hours = seen.kmh[rows], seen.hour[rows]
    enough = len(rows) >= FREE_FROM
    free = float(np.percentile(kmh, FREE_PERCENTILE)) if enough else float(seen.allowed_kmh[rows[0]])
    by_hour = [float(np.median(kmh[hours == hour])) if (hours == hour).any() else None for hour in range(24)]
    slowest = min((speed, hour) for hour, speed in enumerate(by_hour) if speed is not None)
    days = len(np.unique(seen.day[rows]))
    buffer = planning = None
    if days >= FEWEST_DAYS:
        near = np.abs((hours - slowest[1] + 12) % 24 - 12) <= 1
        times = 1.0 / kmh[near]
        late = float(np.percentile(times, LATE_PERCENTILE))
        buffer = late / float(times.mean()) - 1.0
        planning = late * free
    rush = max(1.0, free / slowest[0])
    return Usual(road, free, tuple(by_hour), rush, buffer, planning, days, seen.source[int(rows[0])])


def city_traffic(roads: Sequence[Usual]) -> CityTraffic:
    """Return the usual day of roads together: all are driven once, so long ones count more."""
    index: list[float | None] = []
    for hour in range(24):
        known = [
            (each.length_m / speed, each.length_m / each.free_kmh) for each in roads if (speed := each.hours[hour])
        ]
        free = sum(each[1] for each in known)
        index.append(sum(each[0] for each in known) / free if free else None)
    sources = tuple(sorted({each.source for each in roads}))
    return CityTraffic(tuple(index), len(roads), sum(each.length_m for each in roads) / 1000.0, sources)


def read_sensors(text: str, name: str) -> tuple[list[str], Floats]:
    """Return the sensors of a table of five-minute speeds (miles an hour, a column each) and the speeds in km/h.

    Zeros are gaps. The table is that of METR-LA: a row every five minutes from a midnight on.

    Raises
    ------
    InvalidInput
        When it is no such table.
    """
    rows = list(csv.reader(io.StringIO(text)))
    try:
        head, speeds = rows[0], np.array(rows[1:], dtype=np.float64)
    except (IndexError, ValueError) as error:
        raise _no_table(name) from error
    if speeds.ndim != 2 or speeds.shape[1] != len(head) or len(speeds) < STEPS_A_DAY:
        raise _no_table(name)
    return head, np.where(speeds > 0, speeds * MPH, np.nan)


def hourly_ratios(kmh: Floats) -> tuple[Floats, Floats]:
    """Return speed over that when free, shape (days, 24, sensors), and the free speed of each sensor.

    Parameters
    ----------
    kmh
        Five-minute steps by sensor; what is left of the last day is dropped.
    """
    days = len(kmh) // STEPS_A_DAY
    free = np.nanpercentile(kmh, FREE_PERCENTILE, axis=0)
    steps = (kmh[: days * STEPS_A_DAY] / free).reshape(days, 24, STEPS_A_DAY // 24, -1)
    known = np.isfinite(steps)
    many = known.sum(axis=2)
    total = np.where(known, steps, 0.0).sum(axis=2)
    return np.where(many >= 6, total / np.maximum(many, 1), np.nan), free


def first_weekday(of: dt.date) -> int:
    """Return the ISO weekday of a day."""
    return of.isoweekday()


def _no_table(name: str) -> InvalidInput:
    return InvalidInput(
        f"{name} is no table of five-minute speeds with a sensor a column.",
        hint="E.g. los_speed.csv of METR-LA.",
        zh=f"{name} 不是每列一个检测器、每行五分钟的车速表。",
    )

"""Speeds out of a file on the streets of a file: the network as cars drove on it, at an hour or at any time."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import shapely

from core.clock import now
from core.errors import DataQuality, InvalidInput
from dispatch import past
from dispatch.traffic import on_streets, with_places
from dispatch.traffic_model import Fault, medians, read_readings, told
from geodata.network import RoadNetwork
from geodata.travel import with_traffic
from geodata.travel_modes import usable_by

OLDEST = dt.timedelta(days=36_500)
NO_ZONE = ZoneInfo("UTC")
"""Times are compared as they are written; nothing is told of the zone of streets in a file."""
EASTMOST = dt.timedelta(hours=14)
"""Where a day begins first, clocks are ahead of UTC by so much: what they say is not in the future."""
WEEKEND = 6
SHOWN = 5


@dataclass(frozen=True)
class SpeedFile:
    """Which speeds of a CSV file count: those of weekdays at an hour as it is written there, or all of them (None)."""

    name: str
    text: str
    hour: int | None = None


def with_speeds(network: RoadNetwork, roads: pd.DataFrame, file: SpeedFile) -> tuple[RoadNetwork, dict[str, Any]]:
    """Return the network with the median speed of each stretch and direction, and what became of the file.

    Parameters
    ----------
    roads
        What the network was made of; of its column ``name`` come the streets that readings name.

    Raises
    ------
    InvalidInput
        When the file has other columns, no reading of the hour, or more readings than are taken.
    DataQuality
        When no reading can be used, with each line's reason.
    """
    readings, faults = read_readings(file.text, NO_ZONE, now() + EASTMOST, OLDEST)
    _check_whole(file, faults)
    read = len(readings)
    if file.hour is not None:
        readings = [one for one in readings if one.at.hour == file.hour and one.at.isoweekday() < WEEKEND]
        if read and not readings:
            raise InvalidInput(
                f"{file.name} has no speed of a weekday at {file.hour}:00.",
                hint="Choose another hour, or leave it out: then all its speeds count.",
            )
    placed = with_places(readings, _middles(network, roads), faults)
    _check_whole(file, faults)
    speeds, stretches = on_streets(network, placed, faults)
    faults.sort(key=lambda each: each.line)
    if not len(stretches):
        raise DataQuality(f"No speed of {file.name} can be used:", told(faults) or ["the file has no lines"])
    ways = past.ways_of(network, network.snap(speeds.places), speeds.headings)
    both, kmh = medians(stretches * 3 + ways + 1, speeds.kmh)
    notes = []
    refused = [next(group) for _, group in groupby(faults, lambda each: each.line)]
    if refused:
        lines = f"1 line of {file.name} was" if len(refused) == 1 else f"{len(refused):,} lines of {file.name} were"
        more = " …" if len(refused) > SHOWN else ""
        notes = [f"{lines} left out: {'; '.join(told(refused[:SHOWN]))}{more}"]
    return with_traffic(network, both // 3, kmh, both % 3 - 1), {
        "hour": file.hour,
        "readings": len(speeds.kmh),
        "measured": len(np.unique(stretches)),
        "stretches": len(network.ends),
        "notes": notes,
    }


def _check_whole(file: SpeedFile, faults: Sequence[Fault]) -> None:
    """Refuse a file that was not read to its end: its rest would be left out without a word."""
    cut = next((each for each in faults if each.last), None)
    if cut is not None:
        raise InvalidInput(
            f"{file.name} is too long: {cut.en}.", hint="Give the speeds of fewer days, or of the hour alone."
        )


def _middles(network: RoadNetwork, roads: pd.DataFrame) -> dict[str, list[tuple[float, float]]]:
    """Return the middle of each stretch by the name of its street in small letters."""
    if "name" not in roads:
        return {}
    usable = roads[usable_by(roads, network.mode) & roads["name"].notna()]
    middles = shapely.line_interpolate_point(usable["geom"].to_numpy(dtype=object), 0.5, normalized=True)
    lon, lat = shapely.get_x(middles).tolist(), shapely.get_y(middles).tolist()
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for name, *place in zip(usable["name"], lon, lat, strict=True):
        found[str(name).lower()].append((place[0], place[1]))
    return dict(found)

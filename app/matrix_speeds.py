"""Speeds out of a file on the streets of a file: the network as cars drove on it, at an hour or at any time."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import shapely

from core.clock import now
from core.errors import DataQuality, InvalidInput
from dispatch import past
from dispatch.traffic import on_streets
from dispatch.traffic_model import Fault, Reading, is_placed, medians, read_readings, told
from geodata.network import RoadNetwork
from geodata.travel import with_traffic
from geodata.travel_modes import usable_by

OLDEST = dt.timedelta(days=36_500)
NO_ZONE = ZoneInfo("UTC")
"""Times are compared as they are written; nothing is told of the zone of streets in a file."""
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
        When the file has other columns, or no reading of the hour.
    DataQuality
        When no reading can be used, with each line's reason.
    """
    readings, faults = read_readings(file.text, NO_ZONE, now(), OLDEST)
    read = len(readings)
    if file.hour is not None:
        readings = [one for one in readings if one.at.hour == file.hour and one.at.isoweekday() < WEEKEND]
        if read and not readings:
            raise InvalidInput(
                f"{file.name} has no speed of a weekday at {file.hour}:00.",
                hint="Choose another hour, or leave it out: then all its speeds count.",
            )
    placed = _placed(network, roads, readings, faults)
    speeds, stretches = on_streets(network, placed, faults)
    faults.sort(key=lambda each: each.line)
    if not len(stretches):
        raise DataQuality(f"No speed of {file.name} can be used:", told(faults) or ["the file has no lines"])
    ways = past.ways_of(network, network.snap(speeds.places), speeds.headings)
    both, kmh = medians(stretches * 3 + ways + 1, speeds.kmh)
    notes = []
    refused = sorted({each.line for each in faults})
    if refused:
        more = " …" if len(faults) > SHOWN else ""
        notes = [f"{len(refused):,} lines of {file.name} were left out: {'; '.join(told(faults)[:SHOWN])}{more}"]
    return with_traffic(network, both // 3, kmh, both % 3 - 1), {
        "hour": file.hour,
        "readings": len(speeds.kmh),
        "measured": len(np.unique(stretches)),
        "stretches": len(network.ends),
        "notes": notes,
    }


def _placed(
    network: RoadNetwork, roads: pd.DataFrame, readings: Sequence[Reading], faults: list[Fault]
) -> list[Reading]:
    """Return the readings with a place each: one of a whole street stands in the middle of each of its stretches."""
    placed = [one for one in readings if is_placed(one)]
    named = [one for one in readings if not is_placed(one)]
    if not named:
        return placed
    usable = roads[usable_by(roads, network.mode)]
    middles = shapely.line_interpolate_point(usable["geom"].to_numpy(dtype=object), 0.5, normalized=True)
    names = usable["name"].fillna("").astype(str).str.lower() if "name" in usable else [""] * len(usable)
    places = defaultdict(list)
    for name, lonlat in zip(names, shapely.get_coordinates(middles).tolist(), strict=True):
        places[name].append(lonlat)
    for one in named:
        here = places.get(one.street.lower(), [])
        if not here:
            faults.append(Fault(one.line, f"there is no street {one.street[:60]!r}", f"没有道路“{one.street[:60]}”"))
        placed += [dataclasses.replace(one, lon=lon, lat=lat) for lon, lat in here]
    return placed

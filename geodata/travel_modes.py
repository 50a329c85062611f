"""Who may use a road, how fast and which way, by mode of travel: the documented defaults.

======  ======================================================  ==============================================
mode    speed                                                   one-ways
======  ======================================================  ==============================================
walk    4.5 km/h on every road and path open to walkers         none
cycle   15 km/h; 5 km/h where a cycle is pushed or people walk  as for cars, unless `cycle_oneway` says other
drive   the limit, else the default of the class                as signed
======  ======================================================  ==============================================

15 km/h is what the cycle profile of OSRM assumes; 4.5 km/h lies between OSRM's foot profile (5) and r5r's
walker (3.6). Access follows the OSM wiki, "OSM tags for routing/Access restrictions" (world-wide defaults).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Mode = Literal["drive", "walk", "cycle"]
ALL_MODES: tuple[Mode, ...] = ("walk", "cycle", "drive")
WALK_KMH = 4.5
CYCLE_KMH = 15.0
PUSHED_KMH = 5.0
_NO_CYCLES = ("motorway", "motorway_link", "trunk", "trunk_link", "steps", "busway")
_PUSHED = ("footway", "pedestrian", "steps")


def usable_by(roads: pd.DataFrame, mode: Mode) -> NDArray[np.bool_]:
    """Return which stretches a mode may use, shape (stretches,).

    Cycling takes column ``cyclable`` where the roads have it. Else it goes where cars go but for motorways and
    trunk roads, on cycleways, tracks and paths that may be walked, and is pushed where only walkers may be.
    """
    if mode != "cycle":
        return np.asarray(roads["drivable" if mode == "drive" else "walkable"].to_numpy(dtype=bool))
    if "cyclable" in roads:
        return np.asarray(roads["cyclable"].to_numpy(dtype=bool))
    drivable, walkable = (roads[name].to_numpy(dtype=bool) for name in ("drivable", "walkable"))
    classes = _classes(roads)
    return np.asarray((drivable | walkable) & ~np.isin(classes, _NO_CYCLES))


def cycling(roads: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the cycling speed in km/h of each stretch, and its one-way (1, -1, 0)."""
    classes = _classes(roads)
    pushed = np.isin(classes, _PUSHED) & ~_ridden(roads)
    oneway = roads["cycle_oneway" if "cycle_oneway" in roads else "oneway"].to_numpy(dtype=np.int64)
    return np.where(pushed, PUSHED_KMH, CYCLE_KMH), np.where(pushed, 0, oneway)


def _ridden(roads: pd.DataFrame) -> NDArray[np.bool_]:
    """Return where a sign lets cycles be ridden."""
    if "cycle_signed" not in roads:
        return np.zeros(len(roads), dtype=bool)
    return np.asarray(roads["cycle_signed"].to_numpy(dtype=bool))


def _classes(roads: pd.DataFrame) -> NDArray[np.object_]:
    if "road_class" not in roads:
        return np.full(len(roads), "", dtype=object)
    return np.asarray(roads["road_class"].to_numpy(dtype=object))

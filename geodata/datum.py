"""Coordinates shifted by law or by a map provider in China: GCJ-02 and BD-09, and back to WGS 84.

Neither is an EPSG code: a data set declares its datum, or has one proposed from the residual against our roads.
The shift of GCJ-02 is a published series of sines on the Krasovsky ellipsoid; BD-09 turns and stretches GCJ-02 once
more. Neither has a closed inverse: each is inverted by a fixed-point iteration, which errs below 1e-6 m (one step
alone errs up to 4.5 m).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Coordinates = NDArray[np.float64]

_AXIS_M: Final = 6378245.0  # Krasovsky 1940, in which the series is given
_ECCENTRICITY2: Final = 0.00669342162296594323
_BAIDU_TURN: Final = np.pi * 3000.0 / 180.0
_BAIDU_LON: Final = 0.0065
_BAIDU_LAT: Final = 0.006
_ROUNDS: Final = 12  # each round leaves about a thousandth of the error: the fourth is already at rounding
WEST, EAST, SOUTH, NORTH = 72.004, 137.8347, 0.8293, 55.8271  # outside it nothing is shifted


class Datum(StrEnum):
    """How longitudes and latitudes of a data set are to be read."""

    WGS84 = "WGS-84"
    GCJ02 = "GCJ-02"
    BD09 = "BD-09"


def shifted_there(lon: Coordinates, lat: Coordinates) -> NDArray[np.bool_]:
    """Return where the two shifted datums differ from WGS 84 at all: in the rectangle around China."""
    return (lon >= WEST) & (lon <= EAST) & (lat >= SOUTH) & (lat <= NORTH)


def from_wgs84(lon: Coordinates, lat: Coordinates, datum: Datum) -> tuple[Coordinates, Coordinates]:
    """Return places given in WGS 84 as a data set of that datum would write them.

    Parameters
    ----------
    lon, lat
        Degrees, of one shape. NaN stays NaN; places outside the rectangle around China stay as they are.
    """
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if datum == Datum.WGS84:
        return lon, lat
    east, north = _gcj_shift(lon, lat)
    moved_lon, moved_lat = lon + east, lat + north
    if datum == Datum.BD09:
        moved_lon, moved_lat = _baidu(moved_lon, moved_lat)
    there = shifted_there(lon, lat)
    return np.where(there, moved_lon, lon), np.where(there, moved_lat, lat)


def to_wgs84(lon: Coordinates, lat: Coordinates, datum: Datum) -> tuple[Coordinates, Coordinates]:
    """Return places of a data set of that datum in WGS 84: the inverse of `from_wgs84` to below 1e-6 m.

    A place outside the rectangle around China stays as it is; NaN stays NaN.
    """
    lon, lat = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    if datum == Datum.WGS84:
        return lon, lat
    true_lon, true_lat = lon.copy(), lat.copy()
    for _round in range(_ROUNDS):
        # without the rectangle's edge, across which the shift jumps and the iteration would swing
        east, north = _gcj_shift(true_lon, true_lat)
        back_lon, back_lat = true_lon + east, true_lat + north
        if datum == Datum.BD09:
            back_lon, back_lat = _baidu(back_lon, back_lat)
        true_lon, true_lat = true_lon + (lon - back_lon), true_lat + (lat - back_lat)
    there = shifted_there(true_lon, true_lat)
    return np.where(there, true_lon, lon), np.where(there, true_lat, lat)


def _gcj_shift(lon: Coordinates, lat: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Return how far GCJ-02 lies east and north of WGS 84, in degrees."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    short = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + 2.0 / 3.0 * (
        short
        + 20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0)
        + 160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0)
    )  # fmt: skip
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + 2.0 / 3.0 * (
        short
        + 20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0)
        + 150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0)
    )  # fmt: skip
    phi = np.radians(lat)
    flat = 1.0 - _ECCENTRICITY2 * np.sin(phi) ** 2
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY2) / flat**1.5  # radius of curvature along the meridian
    parallel_m = _AXIS_M / np.sqrt(flat) * np.cos(phi)  # radius of the parallel
    return np.degrees(east_m / parallel_m), np.degrees(north_m / meridian_m)


def _baidu(lon: Coordinates, lat: Coordinates) -> tuple[Coordinates, Coordinates]:
    """Return places of GCJ-02 in BD-09."""
    far = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU_TURN)
    turn = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU_TURN)
    return far * np.cos(turn) + _BAIDU_LON, far * np.sin(turn) + _BAIDU_LAT

"""Coordinate systems: the metric CRS and the time zone of a place, and geodesic lengths."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import shapely
import tzfpy
from numpy.typing import NDArray
from pyproj import Geod, Transformer

WGS84 = 4326
GEOD = Geod(ellps="WGS84")
_CHINA_ZONES = frozenset({"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Harbin", "Asia/Kashgar"})


def timezone_of(lon: float, lat: float) -> str:
    """Return the IANA name of the time zone at a place, found offline; "UTC" where there is none."""
    return tzfpy.get_tz(lon, lat) or "UTC"


def metric_srid_of(lon: float, lat: float, code_scheme: str = "local") -> int:
    """Return the EPSG code of the metric CRS for a place.

    The UTM zone on WGS 84 (326xx north, 327xx south); under the Chinese code scheme and inside mainland
    China the CGCS2000 3-degree Gauss-Krüger zone by central meridian (EPSG 4534 for 75° E … 4554 for 135° E).
    """
    if code_scheme in {"cn14", "cn15"} and timezone_of(lon, lat) in _CHINA_ZONES:
        meridian = min(max(3 * round(lon / 3), 75), 135)
        return 4534 + (meridian - 75) // 3
    zone = int((lon + 180) // 6) % 60 + 1
    return (32600 if lat >= 0 else 32700) + zone


@lru_cache(maxsize=32)
def _transformer(source: int, target: int) -> Transformer:
    return Transformer.from_crs(source, target, always_xy=True)


def project(geometries: NDArray[np.object_], target_srid: int, source_srid: int = WGS84) -> NDArray[np.object_]:
    """Return the geometries in another CRS; longitude (or easting) stands first on both sides."""
    transformer = _transformer(source_srid, target_srid)

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = transformer.transform(points[:, 0], points[:, 1])
        return np.column_stack([x, y])

    moved: NDArray[np.object_] = shapely.transform(geometries, move)
    return moved


def stretch_lengths_m(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    starts: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the geodesic length in metres of each polyline.

    ``lon`` and ``lat`` hold the points of all polylines one after the other, ``starts`` the index of the
    first point of each, ascending from 0.
    """
    if not len(starts):
        return np.empty(0)
    steps = np.zeros(len(lon))
    if len(lon) > 1:
        steps[1:] = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2]
    # The step into a first point leads over from the polyline before it.
    steps[starts] = 0
    return np.add.reduceat(steps, starts)

"""Coordinate systems: the metric CRS and the time zone of a place, and geodesic lengths."""

from __future__ import annotations

import warnings
from functools import lru_cache

import numpy as np
import shapely
import tzfpy
from numpy.typing import NDArray
from pyproj import CRS, Geod, Transformer
from pyproj.transformer import AreaOfInterest, TransformerGroup

from core.errors import InvalidInput

WGS84 = 4326
_CGCS2000 = 4490
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


def shapes_in_wgs84(shapes: NDArray[np.object_], crs: CRS | None, name: str) -> NDArray[np.object_]:
    """Return shapes of a file in WGS 84, flat, longitude first; ``name`` is told when that cannot be had.

    The coordinate system needs no code of an authority: a .prj file often gives none.

    Raises
    ------
    InvalidInput
        When there is no coordinate system, or nobody published how it lies to WGS 84 where the data is. PROJ then
        takes both for the same, without a word: Xian 1980 and Beijing 1954 come out up to 150 m beside their place.
    """
    if crs is None:
        raise InvalidInput(f"{name} does not say its coordinate system.", hint="Write it with one, best EPSG:4326.")
    if crs.is_geographic and crs.to_epsg() in {WGS84, _CGCS2000}:
        return shapely.force_2d(shapes)
    _refuse_unknown_shift(shapes, crs, name)
    transformer = Transformer.from_crs(crs, WGS84, always_xy=True)

    def move(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))

    moved: NDArray[np.object_] = shapely.transform(shapely.force_2d(shapes), move)
    return moved


def _refuse_unknown_shift(shapes: NDArray[np.object_], source: CRS, name: str) -> None:
    below = source.geodetic_crs
    if below is None:
        raise InvalidInput(
            f"{name}: {source.name} is a plane of its own that lies nowhere on Earth.",
            hint="Convert the file to EPSG:4326.",
        )
    if source.is_bound or below.equals(CRS.from_epsg(WGS84)):
        return  # with parameters of its own, or nothing to shift
    if below.to_2d().equals(CRS.from_epsg(_CGCS2000)):
        return  # agrees with WGS 84 to a few centimetres; no operation is published because none is needed
    bounds = shapely.total_bounds(shapes)
    area = None
    if np.isfinite(bounds).all():
        to_degrees = Transformer.from_crs(source, below, always_xy=True)
        degrees = np.clip(to_degrees.transform_bounds(*bounds), [-180, -90, -180, -90], [180, 90, 180, 90])
        area = AreaOfInterest(*map(float, degrees)) if np.isfinite(degrees).all() else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a better grid that is not installed
        known = TransformerGroup(source, WGS84, always_xy=True, area_of_interest=area)
    if known.transformers and known.transformers[0].accuracy >= 0:
        return
    raise InvalidInput(
        f"{name}: how {source.name} lies to WGS 84 is not published for this area; it may be 100 m and more.",
        hint="Ask the surveying office for the parameters and save the file with them, or in CGCS2000 or WGS 84.",
        zh=f"{name}：该地区没有公开的 {source.name} 到 WGS 84 的转换参数，误差可达 100 米以上。"
        "请向测绘部门索取参数后转换，或以 CGCS2000、WGS 84 另存。",
    )

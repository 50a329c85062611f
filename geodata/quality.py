"""The door for geometry: what is not a valid area in longitude and latitude is mended, counted or refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from pyproj.exceptions import CRSError
from shapely import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from core.errors import InvalidInput
from geodata.crs import shapes_in_wgs84

LATITUDE_MAX = 85.0
"""Web maps end here; a territory beyond it cannot be drawn."""


_UNCLEAR_SHARE = 0.01
"""A boundary whose ground changes by more than this where its rings are mended is refused."""


def as_areas(geometries: NDArray[np.object_]) -> tuple[NDArray[np.object_], int]:
    """Return the geometries as valid multipolygons (None where nothing is left), and how many were mended.

    Lines and points that are left over by the repair are thrown away.
    """
    areas = np.array(geometries, dtype=object)
    present = shapely.is_geometry(areas)
    invalid = present & ~shapely.is_valid(areas)
    if invalid.any():
        areas[invalid] = shapely.make_valid(areas[invalid], method="structure", keep_collapsed=False)
    kinds = shapely.get_type_id(areas)
    single = np.flatnonzero(kinds == shapely.GeometryType.POLYGON)
    if len(single):
        areas[single] = shapely.multipolygons(areas[single], indices=np.arange(len(single)))
    for index in np.flatnonzero(kinds == shapely.GeometryType.GEOMETRYCOLLECTION):
        parts = shapely.get_parts(shapely.get_parts(areas[index]))
        polygons = [part for part in parts if isinstance(part, Polygon) and not part.is_empty]
        areas[index] = MultiPolygon(polygons) if polygons else None
    other = shapely.is_geometry(areas) & (shapely.get_type_id(areas) != shapely.GeometryType.MULTIPOLYGON)
    areas[other | shapely.is_empty(areas)] = None
    return areas, int(invalid.sum())


def territory_boundary(geometry: BaseGeometry, where: str) -> MultiPolygon:
    """Return a boundary as a valid multipolygon in EPSG:4326.

    Parameters
    ----------
    where
        What the geometry is called in a message, e.g. the file it came from.

    Raises
    ------
    InvalidInput
        When it has no area, or lies outside longitude ±180 and latitude ±85.
    """
    area = as_areas(np.array([geometry], dtype=object))[0][0]
    if area is None or area.area == 0:
        raise InvalidInput(
            f"{where} has no area: it is {'empty' if geometry.is_empty else 'a ' + geometry.geom_type}.",
            hint="Give a polygon or several.",
            zh="该边界没有面积，请提供一个或多个多边形。",
        )
    west, south, east, north = area.bounds
    if not (west >= -180 and east <= 180 and south >= -LATITUDE_MAX and north <= LATITUDE_MAX):
        raise InvalidInput(
            f"{where} runs from {west:g}, {south:g} to {east:g}, {north:g}: that is not longitude and latitude.",
            hint="Say its CRS in the file, or convert it to EPSG:4326.",
            zh="该边界的坐标不是经纬度，请在文件中注明坐标系，或转换为 EPSG:4326。",
        )
    return MultiPolygon(area)


def parse_bbox(text: str) -> tuple[float, float, float, float]:
    """Return west, south, east, north of a text such as ``-1.6,50.57,-1.06,50.78``.

    Raises
    ------
    InvalidInput
        When it is not four numbers, swapped, without extent, or off the map.
    """
    try:
        west, south, east, north = (float(part) for part in text.replace(" ", "").split(","))
    except ValueError:
        raise InvalidInput(
            f"The box {text!r} is not four numbers.", hint="Write WEST,SOUTH,EAST,NORTH in degrees."
        ) from None
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -LATITUDE_MAX <= south <= LATITUDE_MAX >= north):
        raise InvalidInput(
            f"The box {text} leaves longitude ±180 or latitude ±{LATITUDE_MAX:g}.",
            hint="Longitude comes first: WEST,SOUTH,EAST,NORTH.",
        )
    if west >= east or south >= north:
        raise InvalidInput(
            f"The box {text} has its corners swapped.",
            hint="West must be less than east and south less than north: WEST,SOUTH,EAST,NORTH.",
        )
    return west, south, east, north


def read_boundary(path: Path) -> MultiPolygon:
    """Return the union of all polygons of a vector file (GeoJSON, GeoPackage, Shapefile …) in EPSG:4326.

    Raises
    ------
    InvalidInput
        When the file cannot be read, has no CRS, or no polygon.
    """
    import pyogrio

    if not path.is_file():
        raise InvalidInput(
            f"There is no file {path}.",
            hint="Check the name of the boundary file.",
            zh=f"没有文件 {path}，请检查文件名。",
        )
    try:
        meta: dict[str, Any]
        meta, _, wkb, _ = pyogrio.raw.read(path, columns=[])
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError) as error:
        raise InvalidInput(
            f"The boundary file {path.name} cannot be read: {str(error).splitlines()[0]}",
            hint="Give GeoJSON, GeoPackage, Shapefile or another vector file.",
            zh=f"边界文件 {path.name} 无法读取，请提供 GeoJSON、GeoPackage、Shapefile 等矢量文件。",
        ) from error
    shapes = shapely.from_wkb(wkb) if wkb is not None else np.empty(0, dtype=object)
    shapes = shapes[shapely.is_geometry(shapes)]
    polygonal = shapes[shapely.get_dimensions(shapes) == 2]
    if not len(polygonal):
        raise InvalidInput(
            f"The boundary file {path.name} holds no polygon.", hint="Give a polygon or several.",
            zh=f"边界文件 {path.name} 中没有多边形，请提供一个或多个多边形。",
        )  # fmt: skip
    if not meta["crs"]:
        raise InvalidInput(
            f"The boundary file {path.name} does not say its coordinate reference system.",
            hint="Add the .prj file, or write it as GeoJSON in longitude and latitude.",
            zh=f"边界文件 {path.name} 没有注明坐标系，请补上 .prj 文件，或存为经纬度的 GeoJSON。",
        )
    flat = shapely.force_2d(polygonal)
    _check_inside(flat, path.name)
    areas, _ = as_areas(flat)
    areas = areas[shapely.is_geometry(areas)]
    areas = shapes_in_wgs84(areas, crs_of(meta["crs"], path.name), path.name)
    return territory_boundary(shapely.union_all(areas), f"The boundary file {path.name}")


def crs_of(crs_text: str, where: str) -> CRS:
    """Return a coordinate system as GDAL writes it, with or without a code; ``where`` names the file in a message.

    Raises
    ------
    InvalidInput
        When it cannot be understood.
    """
    try:
        return CRS.from_user_input(crs_text)
    except CRSError as error:
        raise InvalidInput(
            f"The coordinate reference system of {where} cannot be understood.",
            hint="Convert the file to EPSG:4326.",
            zh=f"无法识别 {where} 的坐标系，请转换为 EPSG:4326。",
        ) from error


def _check_inside(shapes: NDArray[np.object_], name: str) -> None:
    """Return when it is clear what the rings enclose; a ring that touches itself, or has a hair, is mended."""
    parts = shapely.get_parts(shapes)
    for part in parts[~shapely.is_valid(parts)]:
        why = shapely.is_valid_reason(part)
        clear = abs(_swept_by(part))
        mended = shapely.area(shapely.make_valid(part, method="structure", keep_collapsed=False))
        if why.startswith("Self-intersection") and abs(mended - clear) > _UNCLEAR_SHARE * max(mended, clear):
            raise InvalidInput(
                f"The boundary file {name}: a polygon crosses itself ({why}); what lies inside is not clear.",
                hint="Mend it in a map program.",
                zh=f"边界文件 {name} 中的多边形自相交（{why}），无法判断内外，请先用地图软件修正。",
            )


def _swept_by(polygon: Polygon) -> float:
    """Return the area that the outer ring sweeps, less its holes; loops the other way round count against it."""
    rings = [shapely.get_coordinates(ring) for ring in (polygon.exterior, *polygon.interiors)]
    swept = [abs(float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y))) / 2 for x, y in (ring.T for ring in rings)]
    return swept[0] - sum(swept[1:])

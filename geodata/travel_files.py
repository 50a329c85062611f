"""Streets and points out of files: OpenStreetMap extracts, map files of lines and points, tables with coordinates."""

from __future__ import annotations

import gzip
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.settings import settings
from geodata import osm_roadtags as roadtags
from geodata.crs import shapes_in_wgs84
from geodata.files import Cells, Table, read_table
from geodata.osm_roads import split_roads

Floats = NDArray[np.float64]
OSM = (".pbf", ".osm", ".osm.gz", ".osm.bz2")
_LON = ("lon", "longitude", "lng", "long", "x", "经度")
_LAT = ("lat", "latitude", "y", "纬度")
_IDS = ("id", "code", "ref", "name", "fid", "编号", "名称")
_WKT = ("wkt", "geometry", "geom", "the_geom")
_TAGS = (
    "highway", "maxspeed", "oneway", "access", "foot", "bicycle", "vehicle", "motor_vehicle", "motorcar", "motorroad",
    "junction", "tracktype", "oneway:bicycle", "name",
)  # fmt: skip
_SAID = {"road_class": "highway", "class": "highway", "fclass": "highway", "speed_kmh": "maxspeed"}
_SAID |= {"limit_kmh": "maxspeed", "speed": "maxspeed"}
_SAME_DEGREES = 6
"""Decimals of a degree in which ends of lines are the same junction: a tenth of a metre."""


@dataclass(frozen=True, eq=False)
class Streets:
    """Stretches of road as `geodata.network.build_network` takes them, and what was noticed."""

    roads: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Points:
    """Places with a name each.

    Attributes
    ----------
    ids
        As text, each once.
    lonlat
        Shape (n, 2).
    """

    ids: NDArray[np.str_]
    lonlat: Floats
    notes: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.ids)


def read_streets(path: Path) -> Streets:
    """Return the streets of an OpenStreetMap extract, or of a map file or table of lines.

    Lines meet where they share a point, to a tenth of a metre; a crossing without a shared point is a bridge.
    Columns are read as OpenStreetMap names them (highway, maxspeed, oneway, access, foot, bicycle …); a line
    without ``highway`` is a road open to all at 30 km/h.

    Raises
    ------
    InvalidInput
        When the file cannot be read or holds no line.
    """
    if path.name.lower().endswith(OSM):
        from geodata.osm_read import read_osm

        content = read_osm(path)
        if not len(content.roads):
            raise InvalidInput(f"{path.name} holds no street.", hint="Take an extract with all ways.")
        cut = content.dropped["incomplete_roads"]
        return Streets(content.roads, (f"{cut:,} ways lie outside the extract and were left out",) if cut else ())
    table = _table(path)
    shapes = _shapes(table)
    kinds = shapely.get_type_id(shapes)
    lines, row = shapely.get_parts(shapes, return_index=True)
    real = (shapely.get_type_id(lines) == shapely.GeometryType.LINESTRING) & ~shapely.is_empty(lines)
    lines, row = lines[real], row[real]
    if not len(lines):
        raise InvalidInput(f"{path.name} holds no line.", hint="Streets are lines, or an OpenStreetMap extract.")
    other = len(kinds) - len(np.unique(row))
    roads = _roads(table, lines, row)
    _check_degrees(shapely.get_coordinates(lines), path.name)
    return Streets(roads, (f"{other:,} rows of {len(kinds):,} are no lines and were left out",) if other else ())


def read_points(path: Path) -> Points:
    """Return the places of a file: points, the middle of other shapes, or columns of longitude and latitude.

    Of an OpenStreetMap extract: its facilities. Names come from a column id, code, ref or name, where each name is
    there once, else rows are numbered from 1.

    Raises
    ------
    InvalidInput
        When there is no place, or coordinates are missing or no longitude and latitude; says how many.
    """
    if path.name.lower().endswith(OSM):
        from geodata.osm_read import read_osm

        found = read_osm(path).facilities
        if not len(found):
            raise InvalidInput(f"{path.name} holds no facility.", hint="Give points, or a table with lon and lat.")
        lonlat = shapely.get_coordinates(found["geom"].to_numpy(dtype=object))
        return Points(np.arange(1, len(found) + 1).astype(str), lonlat)
    table = _table(path)
    lonlat = _lonlat(table)
    lost = int((~np.isfinite(lonlat).all(axis=1)).sum())
    if lost:
        raise InvalidInput(
            f"{path.name}: {lost:,} of {len(lonlat):,} places have no coordinates.", hint="Mend or delete these rows."
        )
    _check_degrees(lonlat, path.name)
    ids, note = _ids(table, len(lonlat))
    return Points(ids, lonlat, note)


def _table(path: Path) -> Table:
    name = path.name.lower()
    if name.endswith((".parquet", ".geoparquet")):
        return _from_parquet(path)
    if name.endswith((".geojson.gz", ".json.gz")):
        most = settings().upload_max_mib << 23
        with tempfile.TemporaryDirectory() as folder, gzip.open(path) as packed:
            plain = Path(folder) / path.with_suffix("").name
            raw = packed.read(most + 1)
            if len(raw) > most:
                raise InvalidInput(f"{path.name} unpacks to more than {most >> 20:,} MB.")
            plain.write_bytes(raw)
            return read_table(plain)
    return read_table(path)


def _from_parquet(path: Path) -> Table:
    import geopandas as gpd

    if not path.is_file():
        raise InvalidInput(f"There is no file {path}.")
    try:
        frame = gpd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise InvalidInput(f"{path.name} cannot be read as GeoParquet ({error}).") from error
    if frame.crs is None:
        raise InvalidInput(f"{path.name} does not say its coordinate system.", hint="Write it with one.")
    geometry = shapes_in_wgs84(frame.geometry.to_numpy(), frame.crs, path.name)
    rest = frame.drop(columns=frame.geometry.name)
    columns = {
        str(title): cells.astype(object).where(cells.notna(), "").astype(str).to_numpy(dtype=object)
        for title, cells in rest.items()
    }
    return Table(path.name, columns, geometry, "GeoParquet")


def _shapes(table: Table) -> NDArray[np.object_]:
    if table.geometry is not None:
        return np.asarray(table.geometry)
    cells = _column(table, _WKT)
    if cells is None:
        raise InvalidInput(
            f"{table.name} has no geometry.", hint="Give GeoJSON or GeoPackage, or a table with a column wkt."
        )
    try:
        return np.asarray(shapely.from_wkt(cells))
    except shapely.errors.GEOSException as error:
        raise InvalidInput(f"{table.name}: a geometry is no WKT ({error}).") from error


def _lonlat(table: Table) -> Floats:
    lon, lat = _column(table, _LON), _column(table, _LAT)
    if table.geometry is None and lon is not None and lat is not None:
        return np.column_stack([pd.to_numeric(pd.Series(each), errors="coerce") for each in (lon, lat)]).astype(float)
    shapes = _shapes(table)
    places = shapes.copy()
    places[shapely.get_type_id(shapes) != shapely.GeometryType.POINT] = None
    other = shapely.is_missing(places) & ~shapely.is_missing(shapes) & ~shapely.is_empty(shapes)
    places[other] = shapely.point_on_surface(shapes[other])
    return np.column_stack([shapely.get_x(places), shapely.get_y(places)])


def _ids(table: Table, count: int) -> tuple[NDArray[np.str_], tuple[str, ...]]:
    cells = _column(table, _IDS)
    if cells is None:
        return np.arange(1, count + 1).astype(str), ()
    names = cells.astype(str)
    if len(np.unique(names)) < count or (names == "").any():
        return np.arange(1, count + 1).astype(str), (f"{table.name}: names are not unique, so rows are numbered",)
    return names, ()


def _column(table: Table, names: tuple[str, ...]) -> Cells | None:
    headings = {heading.lower().strip(): heading for heading in table.columns}
    return next((table.columns[headings[name]] for name in names if name in headings), None)


def _check_degrees(lonlat: Floats, name: str) -> None:
    outside = int((~(np.abs(lonlat) <= (180, 90)).all(axis=1)).sum())  # what is no number is no degree either
    if outside:
        raise InvalidInput(
            f"{name}: {outside:,} of {len(lonlat):,} coordinates are no longitude and latitude"
            f" (the first is {', '.join(f'{each:.7g}' for each in lonlat[np.abs(lonlat).max(axis=1).argmax()])}).",
            hint="Say the coordinate system in the file (GeoPackage), or convert it to EPSG:4326, longitude first.",
        )


def _roads(table: Table, lines: NDArray[np.object_], row: NDArray[np.int64]) -> pd.DataFrame:
    """Return the stretches of lines, cut where they share a point."""
    kept = {
        _SAID.get(heading.lower(), heading.lower()): heading
        for heading in table.columns
        if _SAID.get(heading.lower(), heading.lower()) in _TAGS
    }
    columns = {tag: table.columns[heading] for tag, heading in kept.items()}
    described = [_described({tag: _first(cells[at]) for tag, cells in columns.items()}) for at in range(len(table))]
    ways = pd.DataFrame([described[at] for at in row], dtype=object)
    ways["source_ref"] = np.arange(len(ways)).astype(str)
    points, line = shapely.get_coordinates(lines, return_index=True)
    _, refs = np.unique(np.round(points, _SAME_DEGREES), axis=0, return_inverse=True)
    return split_roads(ways, np.bincount(line, minlength=len(lines)), refs.reshape(-1).astype(np.int64), points)


def _first(cell: str) -> str:
    """Return the value, of a list written as text the first one; True and False as OpenStreetMap says them."""
    text = cell.strip("[]").split(",")[0].strip("'\" ") if cell.startswith("[") else cell.strip()
    return {"True": "yes", "False": "no", "None": "", "nan": ""}.get(text, text)


def _described(said: dict[str, str]) -> dict[str, object]:
    tags = {tag: value for tag, value in said.items() if value}
    road_class = roadtags.road_class_of(tags) or "road"
    limit = roadtags.limit_kmh(tags)
    return {
        "road_class": road_class,
        "name": tags.get("name"),
        "speed_kmh": roadtags.speed_kmh(road_class, limit, tags),
        "oneway": roadtags.oneway(road_class, tags),
        **roadtags.users(road_class, tags),
    }

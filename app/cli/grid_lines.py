"""Lines that blocks are cut along, out of a file: streets with their names, railways, rivers, community lines."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from core.errors import InvalidInput
from geodata.crs import project
from geodata.osm_read import OsmContent, read_osm
from geodata.travel_files import OSM, read_streets
from grids.blocks import STREET_CLASSES
from grids.built_up import BuiltUp
from grids.lattice import Geometries

_WATER_M2 = 10_000.0
_BUILDINGS_A_KM = 5.0
"""Buildings are known where a file has at least so many for each kilometre of street."""


@dataclass(frozen=True, eq=False)
class CityLines:
    """What a file tells about borders, in EPSG:4326 or, after `to_metres`, in a CRS in metres.

    Attributes
    ----------
    frame
        Columns ``kind`` (street, path, railway, river, community), ``name``, ``oneway``, ``geometry``.
    buildings
        Outlines; none where they are not known.
    """

    frame: gpd.GeoDataFrame
    buildings: Geometries

    def to_metres(self, srid: int) -> CityLines:
        """Return the same in a CRS in metres; buildings too few to tell where the town is are left out."""
        frame = self.frame.set_geometry(project(self.frame.geometry.to_numpy(), srid), crs=srid)
        buildings = project(self.buildings, srid) if len(self.buildings) else self.buildings
        street_km = float(shapely.length(frame.geometry.to_numpy()[(frame["kind"] == "street").to_numpy()]).sum()) / 1e3
        enough = len(buildings) >= _BUILDINGS_A_KM * max(street_km, 1.0)
        return CityLines(frame, buildings if enough else buildings[:0])

    def of(self, *kinds: str) -> Geometries:
        """Return the lines of these kinds."""
        return np.asarray(self.frame.geometry.to_numpy()[self.frame["kind"].isin(kinds).to_numpy()])

    @property
    def streets(self) -> Geometries:
        """Return the streets; all ways where there is none."""
        found = self.of("street")
        return found if len(found) else self.of("path")

    @property
    def cut_along(self) -> gpd.GeoDataFrame:
        """Return the lines as `grids.blocks.street_blocks` takes them."""
        return self.frame[self.frame["kind"] != "community"].reset_index(drop=True)

    @property
    def built_up(self) -> BuiltUp:
        """Return where the town is: near buildings where they are known, else near streets."""
        return BuiltUp.of(self.streets, self.buildings if len(self.buildings) else None)


def read_city_lines(path: Path) -> CityLines:
    """Return the lines of an OpenStreetMap extract, or of a map file of streets.

    Of an extract: ways above ground by their class, railways, waterways and banks of water above a hectare, and
    administrative boundaries. Of a file of lines: streets and paths by column ``highway``, all of them streets
    without it; railways and rivers come from an extract alone.

    Raises
    ------
    InvalidInput
        When the file cannot be read or holds no line.
    """
    none: Geometries = np.empty(0, dtype=object)
    if not path.name.lower().endswith(OSM):
        return CityLines(_ways(read_streets(path).roads), none)
    content = read_osm(path)
    if not len(content.roads):
        raise InvalidInput(f"{path.name} holds no street.", hint="Take an extract with all ways.")
    roads = content.roads[~content.roads["tunnel"].astype(bool)]
    parts = [_ways(roads), _rivers(content), _rails(content), _communities(content)]
    frame = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return CityLines(gpd.GeoDataFrame(frame, geometry="geometry", crs=4326), content.buildings["geom"].to_numpy())


def _frame(kind: str | NDArray[np.str_], geometry: Geometries, name: object = None) -> gpd.GeoDataFrame:
    index = range(len(geometry))
    return gpd.GeoDataFrame({"kind": kind, "name": name, "oneway": 0}, index=index, geometry=geometry, crs=4326)


def _ways(roads: pd.DataFrame) -> gpd.GeoDataFrame:
    kind = np.where(roads["road_class"].isin(STREET_CLASSES), "street", "path")
    frame = _frame(kind, roads["geom"].to_numpy(dtype=object))
    for column in ("name", "oneway"):
        if column in roads:
            frame[column] = roads[column].to_numpy()
    return frame


def _rivers(content: OsmContent) -> gpd.GeoDataFrame:
    cover = content.cover
    shapes = cover["geom"].to_numpy(dtype=object)
    flat = shapely.get_dimensions(shapes) == 2
    chosen = ((cover["kind"] == "waterway") & ~flat).to_numpy(dtype=bool)
    water = np.flatnonzero((cover["kind"] == "water").to_numpy() & flat)
    latitude = np.cos(np.radians(shapely.get_y(shapely.centroid(shapes[water]))))
    large = water[shapely.area(shapes[water]) * latitude * 111_320.0**2 > _WATER_M2]
    banks, owner = shapely.get_parts(shapely.boundary(shapes[large]), return_index=True)
    names = cover["name"].to_numpy(dtype=object)
    lines = np.concatenate([shapes[chosen], banks])
    return _frame("river", lines, np.concatenate([names[chosen], names[large][owner]]))


def _communities(content: OsmContent) -> gpd.GeoDataFrame:
    areas = content.areas
    if not len(areas):
        return _frame("community", np.empty(0, dtype=object))
    lines, owner = shapely.get_parts(shapely.boundary(areas["geom"].to_numpy(dtype=object)), return_index=True)
    return _frame("community", lines, areas["name"].to_numpy(dtype=object)[owner])


def _rails(content: OsmContent) -> gpd.GeoDataFrame:
    return _frame("railway", content.rails["geom"].to_numpy(dtype=object), content.rails["name"].to_numpy(dtype=object))

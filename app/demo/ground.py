"""The ground a demo city stands on: street points with what is near, read from the database."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from app.demo.sites import Sites, count_near, distance_m, points_along
from core.errors import InvalidInput
from geodata import surroundings
from geodata.crs import project
from geodata.territory import TerritoryInfo
from grids.service import locate

Ids = NDArray[np.int64]
Texts = NDArray[np.object_]

BUSY_KINDS = ("shop", "marketplace", "entertainment", "post_office", "pharmacy", "bank", "railway_station")
"""Facilities that draw a crowd."""
UNTRODDEN = ("motorway", "motorway_link", "trunk_link", "construction", "proposed", "raceway")
BIN_M = 100.0
WATER_FARTHEST_M, GREEN_FARTHEST_M = 500.0, 300.0
LANDMARK_FARTHEST_M = 80.0


@dataclass(frozen=True, slots=True)
class Ground:
    """Where incidents can happen.

    Attributes
    ----------
    grid_ids, community_ids
        Unit grid and community of each site.
    landmark
        Name of a facility close to each site, else empty.
    """

    sites: Sites
    grid_ids: Ids
    community_ids: Ids
    landmark: Texts


def survey(session: Session, territory: TerritoryInfo, focus_community: int) -> Ground:
    """Return the points along all streets that lie in a unit grid.

    Raises
    ------
    InvalidInput
        When the territory has no street inside its grids.
    """
    streets = surroundings.streets(session, territory.id)
    streets = streets[~streets["road_class"].isin(UNTRODDEN)]
    lines = streets.geometry.to_numpy()
    line, lon, lat = points_along(lines, streets["length_m"].to_numpy(dtype=np.float64))
    located = locate(session, territory.id, lon, lat)
    inside = np.asarray(located.grid_id) > 0
    if not inside.any():
        raise InvalidInput(f"{territory.title_en} has no street inside its unit grids.", hint="Load its map first.")
    line, lon, lat = line[inside], lon[inside], lat[inside]
    community = np.asarray(located.community_id, dtype=np.int64)[inside]
    points = project(np.asarray(shapely.points(lon, lat), dtype=object), territory.metric_srid)
    places = surroundings.facility_points(session, territory.id)
    spots = project(places.geometry.to_numpy(), territory.metric_srid)
    busy = places["kind"].isin(BUSY_KINDS).to_numpy(dtype=bool)
    sites = Sites(
        lon=lon,
        lat=lat,
        street=_texts(streets, "name")[line],
        road_class=streets["road_class"].to_numpy(dtype=object)[line],
        people_km2=_people_km2(points, surroundings.building_people(session, territory.id), territory.metric_srid),
        shops=count_near(points, spots[busy]),
        water_m=_nearest(session, territory, points, ("water", "waterway"), WATER_FARTHEST_M),
        green_m=_nearest(session, territory, points, ("green", "wood"), GREEN_FARTHEST_M),
        in_focus=community == focus_community,
    )
    landmark = _landmarks(points, spots, _texts(places, "name"))
    return Ground(sites, np.asarray(located.grid_id, dtype=np.int64)[inside], community, landmark)


def _texts(frame: gpd.GeoDataFrame, column: str) -> Texts:
    """Return a column of names with empty texts where there is none."""
    return np.array([value if isinstance(value, str) else "" for value in frame[column]], dtype=object)


def _people_km2(points: NDArray[np.object_], homes: gpd.GeoDataFrame, metric_srid: int) -> NDArray[np.float64]:
    """Return the density around each point: the people of its square of `BIN_M` and the eight around."""
    if len(homes) == 0:
        return np.full(len(points), 500.0)
    at = shapely.get_coordinates(project(homes.geometry.to_numpy(), metric_srid)) // BIN_M
    here = shapely.get_coordinates(points) // BIN_M
    low = np.minimum(at.min(axis=0), here.min(axis=0)) - 1
    at, here = (at - low).astype(np.int64), (here - low).astype(np.int64)
    size = np.maximum(at.max(axis=0), here.max(axis=0)) + 2
    people = np.zeros(size)
    np.add.at(people, (at[:, 0], at[:, 1]), homes["people"].to_numpy(dtype=np.float64))
    around = sum(np.roll(people, shift, axis=(0, 1)) for shift in np.ndindex(3, 3)) if people.size else people
    around = np.roll(around, (-1, -1), axis=(0, 1))
    density: NDArray[np.float64] = around[here[:, 0], here[:, 1]] / (9 * BIN_M**2 / 1e6)
    return density


def _nearest(
    session: Session, territory: TerritoryInfo, points: NDArray[np.object_], kinds: tuple[str, ...], farthest_m: float
) -> NDArray[np.float64]:
    shapes = surroundings.land_shapes(session, territory.id, kinds).to_numpy()
    return distance_m(points, project(shapes, territory.metric_srid), farthest_m)


def _landmarks(points: NDArray[np.object_], spots: NDArray[np.object_], names: Texts) -> Texts:
    """Return the name of the nearest named facility within `LANDMARK_FARTHEST_M` of each point."""
    named = names != ""
    found = np.full(len(points), "", dtype=object)
    if named.any():
        tree = shapely.STRtree(spots[named])
        point, spot = tree.query_nearest(points, max_distance=LANDMARK_FARTHEST_M, all_matches=False)
        found[point] = names[named][spot]
    return found

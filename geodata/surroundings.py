"""What a territory holds, as plain frames: streets, facilities, water, green, homes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import pandas as pd
import shapely
from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from core.identity import Actor, May, require
from geodata.tables import Area, Building, Facility, LandCover, Road


def streets(session: Session, territory_id: int) -> gpd.GeoDataFrame:
    """Return the stretches of road outside tunnels: road_class, name, name_zh, length_m, geometry (EPSG:4326)."""
    query = (
        select(Road.road_class, Road.name, Road.name_zh, Road.length_m, func.ST_AsBinary(Road.geom))
        .where(Road.territory_id == territory_id, ~Road.tunnel)
        .order_by(Road.id)
    )
    return _frame(session, query, ("road_class", "name", "name_zh", "length_m"))


def facility_points(session: Session, territory_id: int) -> gpd.GeoDataFrame:
    """Return the facilities: kind, name, name_zh, geometry (EPSG:4326)."""
    query = (
        select(Facility.kind, Facility.name, Facility.name_zh, func.ST_AsBinary(Facility.geom))
        .where(Facility.territory_id == territory_id)
        .order_by(Facility.id)
    )
    return _frame(session, query, ("kind", "name", "name_zh"))


def land_shapes(session: Session, territory_id: int, kinds: Sequence[str]) -> gpd.GeoSeries:
    """Return the shapes of land cover of these kinds (EPSG:4326)."""
    query = (
        select(LandCover.kind, func.ST_AsBinary(LandCover.geom))
        .where(LandCover.territory_id == territory_id, LandCover.kind.in_(list(kinds)))
        .order_by(LandCover.id)
    )
    return _frame(session, query, ("kind",)).geometry


def building_people(session: Session, territory_id: int) -> gpd.GeoDataFrame:
    """Return a point per building and its people (EPSG:4326)."""
    query = (
        select(Building.people, func.ST_AsBinary(func.ST_Centroid(Building.geom)))
        .where(Building.territory_id == territory_id)
        .order_by(Building.id)
    )
    return _frame(session, query, ("people",))


def name_communities(session: Session, actor: Actor, territory_id: int, names_zh: Mapping[str, str]) -> None:
    """Give communities their Chinese names, by English name; others keep what they have."""
    require(actor, May.LOAD_DATA)
    for name, name_zh in names_zh.items():
        session.execute(
            update(Area)
            .where(Area.territory_id == territory_id, Area.level == "community", Area.name == name)
            .values(name_zh=name_zh)
        )


def _frame(session: Session, query: Select[Any], names: Sequence[str]) -> gpd.GeoDataFrame:
    """Return a query whose last column is WKB as a frame with these names; empty, it still has a CRS."""
    rows = session.execute(query).all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * (len(names) + 1)
    frame = pd.DataFrame(dict(zip(names, map(list, columns), strict=False)), columns=list(names))
    return gpd.GeoDataFrame(frame, geometry=shapely.from_wkb([bytes(wkb) for wkb in columns[-1]]), crs=4326)

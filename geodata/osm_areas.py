"""Writing the communities of an extract and what it tells of the territory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import shapely
from geoalchemy2.shape import from_shape
from numpy.typing import NDArray
from shapely import MultiPolygon
from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.orm import Session

from geodata.osm_read import PLACE_KINDS, OsmContent
from geodata.osm_rows import SOURCE
from geodata.osm_territory import TOWN_PLACES, settlements
from geodata.quality import as_areas
from geodata.tables import Area, Building, PlaceName, Road, Territory, UnitGrid
from geodata.territory import TerritoryInfo

NEAR_M = 1500.0
VIEW_ZOOM = 14


def store_communities(
    session: Session,
    territory: TerritoryInfo,
    found: pd.DataFrame,
    content: OsmContent,
    buildings: pd.DataFrame,
    *,
    fresh: bool,
) -> tuple[int, str]:
    """Write the communities and return how many the territory has, and a sentence when they were kept as they were.

    Areas known by their OSM identity keep their id. Where ``found`` is empty the communities stay as they are.

    Parameters
    ----------
    fresh
        ``content`` and ``buildings`` are all there is from OSM in the territory.
    """
    of_territory = (Area.territory_id == territory.id, Area.level == "community")
    there = {row.source_ref: row for row in session.scalars(select(Area).where(*of_territory))}
    if not len(found):
        _settle(session, territory, content, buildings, fresh=fresh)
        return len(there), ""
    if session.scalar(select(exists().where(UnitGrid.territory_id == territory.id))):
        same = {ref for ref in there if ref} == set(found["source_ref"])
        hint = "The territory has unit grids, so its communities were kept; make the grids anew to change them."
        return len(there), "" if same else hint
    gone = [row.id for ref, row in there.items() if ref not in set(found["source_ref"])]
    # Codes are unique: make room before they are given anew.
    for number, row in enumerate(there.values()):
        row.code = f"~{number}"
    session.flush()
    street = session.scalar(
        select(Area.id).where(Area.territory_id == territory.id, Area.level == "street").order_by(Area.id).limit(1)
    )
    for number, area in enumerate(found.to_dict("records"), start=1):
        values = {
            "code": f"{number:03d}",
            "name": area["name"],
            "name_zh": area["name_zh"],
            "boundary": from_shape(area["geom"], srid=4326),
        }
        known = there.get(area["source_ref"])
        if known is None:
            place = {"territory_id": territory.id, "level": "community", "parent_id": street, "source": SOURCE}
            session.add(Area(**place, source_ref=area["source_ref"], **values))
        else:
            for key, value in values.items():
                setattr(known, key, value)
    session.execute(delete(Area).where(Area.id.in_(gone)))
    session.flush()
    # The same line with the corners of the communities in it, so that areas agree in every projection.
    noded = shapely.union_all(found["geom"].to_numpy(dtype=object))
    boundary = from_shape(MultiPolygon(as_areas(np.array([noded], dtype=object))[0][0]), srid=4326)
    session.execute(update(Territory).where(Territory.id == territory.id).values(boundary=boundary))
    session.execute(
        update(Area).where(Area.territory_id == territory.id, Area.level != "community").values(boundary=boundary)
    )
    _settle(session, territory, content, buildings, fresh=fresh)
    return len(found), ""


def _settle(
    session: Session, territory: TerritoryInfo, content: OsmContent, buildings: pd.DataFrame, *, fresh: bool
) -> None:
    """Mark each community as town or countryside, by all places, buildings and roads of the territory."""
    if not fresh:
        settle(session, territory)
        return
    homes, people = shapely.point_on_surface(_shapes(buildings)), buildings["people"].to_numpy(dtype=float)
    _mark(session, territory, homes, people, content.roads)


def settle(session: Session, territory: TerritoryInfo) -> None:
    """Mark each community as town or countryside, by what is stored; nothing is marked before there are roads."""
    stored = select(func.ST_AsBinary(func.ST_PointOnSurface(Building.geom)), Building.people)
    wkb, residents = _columns(session, stored.where(Building.territory_id == territory.id))
    homes, people = shapely.from_wkb(wkb), np.array(residents, dtype=float)
    wkb, lengths = _columns(
        session, select(func.ST_AsBinary(Road.geom), Road.length_m).where(Road.territory_id == territory.id)
    )
    if lengths:
        roads = pd.DataFrame({"geom": list(shapely.from_wkb(wkb)), "length_m": lengths})
        _mark(session, territory, homes, people, roads)


def _mark(
    session: Session,
    territory: TerritoryInfo,
    homes: NDArray[np.object_],
    people: NDArray[np.float64],
    roads: pd.DataFrame,
) -> None:
    rows = session.execute(
        select(Area.id, func.ST_AsBinary(Area.boundary)).where(
            Area.territory_id == territory.id, Area.level == "community"
        )
    ).all()
    shapes = shapely.from_wkb(np.array([bytes(wkb) for _, wkb in rows], dtype=object))
    towns = session.scalars(
        select(func.ST_AsBinary(PlaceName.geom)).where(
            PlaceName.territory_id == territory.id, PlaceName.kind.in_(TOWN_PLACES)
        )
    )
    at = shapely.from_wkb(np.array([bytes(wkb) for wkb in towns], dtype=object))
    kinds = settlements(shapes, territory.metric_srid, people_at=homes, people=people, roads=roads, towns=at)
    for (area_id, _), kind in zip(rows, kinds, strict=True):
        session.execute(update(Area).where(Area.id == area_id).values(settlement=kind))


def _columns(session: Session, query: Select[tuple[Any, float]]) -> tuple[NDArray[np.object_], list[float]]:
    """Return the geometry (WKB) and the number of each row of a query."""
    rows = session.execute(query).all()
    return np.array([bytes(wkb) for wkb, _ in rows], dtype=object), [number for _, number in rows]


def _shapes(frame: pd.DataFrame) -> NDArray[np.object_]:
    return frame["geom"].to_numpy(dtype=object)


def town_view(content: OsmContent, buildings: pd.DataFrame) -> tuple[float, float, int] | None:
    """Return longitude, latitude and zoom of the town to open the map on; None without a named place.

    It is, of the towns (else of the places of the highest rank), the one with most people within 1.5 km.
    """
    places = content.places
    if not len(places):
        return None
    rank = np.array([PLACE_KINDS.index(kind) for kind in places["kind"]])
    # Which of them is tagged a city says little of its size.
    towns = rank <= max(rank.min(), PLACE_KINDS.index("town"))
    points = _shapes(places)[towns]
    x, y = shapely.get_x(points), shapely.get_y(points)
    homes = shapely.centroid(buildings["geom"].to_numpy(dtype=object))
    people = buildings["people"].to_numpy(dtype=float)
    hx, hy = shapely.get_x(homes), shapely.get_y(homes)
    metres = 111_320.0
    near = [
        people[np.hypot((hx - lon) * metres * np.cos(np.radians(lat)), (hy - lat) * metres) <= NEAR_M].sum()
        for lon, lat in zip(x, y, strict=True)
    ]
    best = int(np.argmax(near)) if near else 0
    return float(x[best]), float(y[best]), VIEW_ZOOM

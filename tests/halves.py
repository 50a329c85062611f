"""A territory of two communities side by side, 2 × 2 km each, cut into squares of 500 m, with its catalogue."""

from __future__ import annotations

import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.identity import system_actor
from geodata import db
from geodata.tables import Area
from geodata.territory import TerritoryInfo, make_territory
from grids.service import make_grid
from incidents.service import seed_catalogue

WEST, SOUTH, EAST, NORTH = -1.32, 50.68, -1.26, 50.70
MIDDLE = (WEST + EAST) / 2
Halves = tuple[TerritoryInfo, int, int]
"""The territory, its western and its eastern community."""


def make_halves(session: Session, name: str, *, title_zh: str | None = None) -> Halves:
    """Make the territory and return it with its western and its eastern community; the system acts in it."""
    territory = make_territory(
        session,
        system_actor(),
        name,
        boundary=shapely.box(WEST, SOUTH, EAST, NORTH),
        timezone="Europe/London",
        title_zh=title_zh,
    )
    actor = system_actor(territory.id)
    db.as_actor(session, actor)
    west = session.scalars(select(Area).where(Area.territory_id == territory.id, Area.level == "community")).one()
    west.name, west.boundary = "Westend", _half(WEST, MIDDLE)
    east = Area(
        territory_id=territory.id,
        level="community",
        parent_id=west.parent_id,
        code="002",
        name="Eastend",
        settlement="town",
        boundary=_half(MIDDLE, EAST),
    )
    session.add(east)
    session.flush()
    make_grid(session, actor, territory, kind="square", size_m=500)
    seed_catalogue(session, actor, territory)
    return territory, west.id, east.id


def _half(west: float, east: float):
    return from_shape(shapely.MultiPolygon([shapely.box(west, SOUTH, east, NORTH)]), 4326)

"""A small city for the map: two communities, cells of 500 m, streets, a school, incidents of known state."""

from __future__ import annotations

import datetime as dt
import secrets
from dataclasses import dataclass
from typing import Any

import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core.identity import Actor, Role
from geodata.bulk import copy_rows
from geodata.tables import Incident, IncidentClass, UnitGrid
from geodata.territory import TerritoryInfo
from tests.halves import EAST, MIDDLE, SOUTH, WEST, Halves, make_halves

CENTRES = {"west": (-1.305, 50.69), "east": (-1.275, 50.69)}
CODES = {"gas": "04-03", "order": "05-01"}


@dataclass(frozen=True)
class MapCity:
    """The city with the communities and one cell of each half."""

    territory: TerritoryInfo
    communities: dict[str, int]
    cells: dict[str, int]

    def officer(self, role: Role, *halves: str) -> Actor:
        areas = tuple(self.communities[half] for half in halves)
        return Actor(None, role.value, role, self.territory.id, area_ids=areas)


def make_map_city(session: Session, name: str = "map-city", halves: Halves | None = None) -> MapCity:
    """Make the city, or build it on halves that are there."""
    territory, west_id, east_id = halves or make_halves(session, name, title_zh="地图城")
    communities = {"west": west_id, "east": east_id}
    cells = {}
    for half, (lon, lat) in CENTRES.items():
        point = from_shape(shapely.Point(lon, lat), 4326)
        cells[half] = session.scalars(
            select(UnitGrid.id).where(UnitGrid.community_id == communities[half], UnitGrid.geom.ST_Contains(point))
        ).one()
    session.execute(update(UnitGrid).where(UnitGrid.territory_id == territory.id).values(people=10))
    session.execute(update(UnitGrid).where(UnitGrid.id == cells["west"]).values(people=500))
    _build(session, territory.id)
    return MapCity(territory, communities, cells)


def _build(session: Session, territory_id: int) -> None:
    row = {"territory_id": [territory_id], "source": ["test"], "source_ref": ["w1"]}
    street = shapely.LineString([(WEST, 50.69), (EAST, 50.69)])
    copy_rows(
        session,
        "road",
        row
        | {
            "piece": [0],
            "from_node": [1],
            "to_node": [2],
            "road_class": ["primary"],
            "name": ["High Street"],
            "name_zh": ["高街"],
            "limit_kmh": [50.0],
            "speed_kmh": [50.0],
            "oneway": [0],
            "drivable": [True],
            "walkable": [True],
            "length_m": [4000.0],
            "geom": [street],
        },
    )
    school = {"kind": ["school"], "name": ["Oak School"], "attributes": [{}], "geom": [shapely.Point(CENTRES["west"])]}
    copy_rows(session, "facility", row | school)
    park = shapely.box(WEST + 0.002, SOUTH + 0.002, WEST + 0.01, SOUTH + 0.008)
    copy_rows(session, "land_cover", row | {"kind": ["green"], "geom": [park]})
    copy_rows(
        session, "place_name", row | {"kind": ["town"], "name": ["Mapton"], "geom": [shapely.Point(MIDDLE, 50.69)]}
    )
    house = shapely.MultiPolygon([shapely.box(-1.3051, 50.6899, -1.3049, 50.6901)])
    copy_rows(
        session,
        "building",
        row | {"use": ["residential"], "levels": [2.0], "footprint_m2": [300.0], "people": [12.0], "geom": [house]},
    )


def add_incidents(session: Session, city: MapCity, rows: list[dict[str, Any]]) -> None:
    """Insert incidents: keys half, code (gas | order), status, reported_at, due_at, closed_at."""
    classes = {
        row.code: row
        for row in session.scalars(
            select(IncidentClass).where(IncidentClass.scheme == "gk", IncidentClass.kind == "event")
        )
    }
    for row in rows:
        half = row.get("half", "west")
        lon, lat = CENTRES[half]
        kind = classes[CODES[row.get("code", "gas")]]
        session.add(
            Incident(
                territory_id=city.territory.id,
                number=f"T-{secrets.token_hex(6)}",
                source="hotline",
                class_id=kind.id,
                category=kind.category,
                status=row.get("status", "filed"),
                priority=3,
                reported_at=row["reported_at"],
                due_at=row.get("due_at"),
                closed_at=row.get("closed_at"),
                grid_id=city.cells[half],
                community_id=city.communities[half],
                geom=from_shape(shapely.Point(lon, lat), 4326),
            )
        )
    session.flush()


def at(day: str, hour: int = 12) -> dt.datetime:
    """Return a moment of a local day, in UTC."""
    return dt.datetime.fromisoformat(f"{day}T{hour:02d}:00:00+00:00")

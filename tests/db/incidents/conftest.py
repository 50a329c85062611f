"""A small city: two communities of 2 × 2 km each, cut into squares of 500 m, with its catalogue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.tables import Area, Incident, IncidentClass, UnitGrid
from geodata.territory import TerritoryInfo, make_territory
from grids.service import make_grid
from incidents.service import seed_catalogue

WEST, SOUTH, EAST, NORTH = -1.32, 50.68, -1.26, 50.70
MIDDLE = (WEST + EAST) / 2
NOW = dt.datetime(2026, 7, 1, 11, 0, tzinfo=dt.UTC)  # a Wednesday, noon in London


@dataclass(frozen=True)
class City:
    """The city, its system actor, its two communities and a cell in each."""

    territory: TerritoryInfo
    actor: Actor
    west_id: int
    east_id: int
    west_grid: int
    east_grid: int

    def officer(self, role: Role, **reach: tuple[int, ...]) -> Actor:
        return Actor(None, role.value, role, self.territory.id, **reach)


@pytest.fixture
def city(session: Session) -> City:
    return make_city(session)


def make_city(session: Session, name: str = "small-city") -> City:
    territory = make_territory(
        session, system_actor(), name, boundary=shapely.box(WEST, SOUTH, EAST, NORTH), timezone="Europe/London"
    )
    actor = system_actor(territory.id)
    db.as_actor(session, actor)
    west = session.scalars(select(Area).where(Area.territory_id == territory.id, Area.level == "community")).one()
    west.boundary = from_shape(shapely.MultiPolygon([shapely.box(WEST, SOUTH, MIDDLE, NORTH)]), 4326)
    east = Area(
        territory_id=territory.id,
        level="community",
        parent_id=west.parent_id,
        code="002",
        name="East",
        settlement="town",
        boundary=from_shape(shapely.MultiPolygon([shapely.box(MIDDLE, SOUTH, EAST, NORTH)]), 4326),
    )
    session.add(east)
    session.flush()
    make_grid(session, actor, territory, kind="square", size_m=500)
    seed_catalogue(session, actor, territory)
    cells = {
        area: session.scalars(select(UnitGrid.id).where(UnitGrid.community_id == area).order_by(UnitGrid.id)).first()
        for area in (west.id, east.id)
    }
    return City(territory, actor, west.id, east.id, cells[west.id] or 0, cells[east.id] or 0)


@pytest.fixture
def add_incident(session: Session, city: City) -> Callable[..., int]:
    """A maker of incidents: a gas leak in the west, reported yesterday at noon, unless said otherwise."""
    classes = {
        row.code: row
        for row in session.scalars(
            select(IncidentClass).where(IncidentClass.scheme == "gk", IncidentClass.kind == "event")
        )
    }
    made = 0

    def add(**given: Any) -> int:
        nonlocal made
        made += 1
        kind = classes[given.pop("code", "04-03")]
        in_east = given.pop("east", False)
        values: dict[str, Any] = {
            "territory_id": city.territory.id,
            "number": f"T-{made}",
            "source": "hotline",
            "class_id": kind.id,
            "category": kind.category,
            "status": "filed",
            "priority": kind.priority,
            "emergency": kind.emergency,
            "reported_at": NOW - dt.timedelta(days=1),
            "filed_at": NOW - dt.timedelta(days=1),
            "grid_id": city.east_grid if in_east else city.west_grid,
            "community_id": city.east_id if in_east else city.west_id,
            "geom": from_shape(shapely.Point(-1.31, 50.69), 4326),
        } | given
        row = Incident(**values)
        session.add(row)
        session.flush()
        return row.id

    return add


@pytest.fixture
def recount(session: Session) -> Callable[[], dict[tuple[Any, ...], tuple[Any, ...]]]:
    """What the summary must say, counted from the incidents by other means than the triggers'."""

    def count() -> dict[tuple[Any, ...], tuple[Any, ...]]:
        from incidents.summary import N_BINS, bin_of

        found: dict[tuple[Any, ...], list[Any]] = {}
        rows = session.execute(
            text(
                "SELECT i.territory_id, i.reported_at, t.timezone, i.grid_id, i.category, i.status, i.closed_at"
                " FROM incident i JOIN territory t ON t.id = i.territory_id"
            )
        )
        for territory_id, reported, zone, grid_id, category, status, closed in rows:
            from zoneinfo import ZoneInfo

            key = (territory_id, reported.astimezone(ZoneInfo(zone)).date(), grid_id, category)
            entry = found.setdefault(key, [0, 0, 0, [0] * N_BINS])
            entry[{"closed": 1, "void": 2}.get(status, 0)] += 1
            if status == "closed" and closed is not None:
                entry[3][int(bin_of([(closed - reported).total_seconds() / 3600])[0])] += 1
        return {key: tuple(entry) for key, entry in found.items()}

    return count


@pytest.fixture
def write_csv(tmp_path: Path) -> Callable[..., Path]:
    """A writer of files of incidents: header and rows as given."""

    def write(*lines: str, name: str = "reports.csv", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        path.write_bytes(("\n".join(lines) + "\n").encode(encoding))
        return path

    return write

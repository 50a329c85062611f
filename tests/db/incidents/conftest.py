"""A small city: two communities of 2 × 2 km each, cut into squares of 500 m, with its catalogue."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import shapely
from geoalchemy2.shape import from_shape
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from core.identity import Actor, Role, system_actor
from geodata.tables import Incident, IncidentClass, UnitGrid
from geodata.territory import TerritoryInfo
from tests.halves import Halves, make_halves

if TYPE_CHECKING:
    from tests.db.incidents.desk import Desk
    from tests.db.incidents.office import Office

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
def city(session: Session, small_city: Halves) -> City:
    return _city_of(session, small_city)


def make_city(session: Session, name: str) -> City:
    return _city_of(session, make_halves(session, name))


def _city_of(session: Session, halves: Halves) -> City:
    territory, west_id, east_id = halves
    cells = {
        area: session.scalars(select(UnitGrid.id).where(UnitGrid.community_id == area).order_by(UnitGrid.id)).first()
        for area in (west_id, east_id)
    }
    return City(territory, system_actor(territory.id), west_id, east_id, cells[west_id] or 0, cells[east_id] or 0)


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


@pytest.fixture
def office(session: Session, city: City) -> Office:
    from tests.db.incidents.office import make_office

    return make_office(session, city)


@pytest.fixture
def desk(session: Session, city: City) -> Desk:
    from tests.db.incidents.desk import make_desk

    return make_desk(session, city)

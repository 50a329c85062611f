"""All SQL of the grids."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from geodata.tables import Area, Load, ResponsibilityGrid, UnitGrid
from grids.blocks import STREET_CLASSES

LOAD_KIND = "grid"
_AROUND_DEG = 1e-4


def live(territory_id: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return the condition of the cells in force."""
    return UnitGrid.territory_id == territory_id, UnitGrid.ended_on.is_(None)


def on_day(territory_id: int, day: dt.date) -> tuple[ColumnElement[bool], ...]:
    """Return the condition of the cells that were in force on a day."""
    open_end = or_(UnitGrid.ended_on.is_(None), UnitGrid.ended_on > day)
    return UnitGrid.territory_id == territory_id, UnitGrid.started_on <= day, open_end


def lock_territory(session: Session, territory_id: int) -> None:
    """Wait until nobody else draws grids in the territory; held to the end of the transaction."""
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('gridkeeper grids'), :id)"), {"id": territory_id})


def count_live(session: Session, territory_id: int) -> int:
    """Return the number of cells in force."""
    return session.scalar(select(func.count()).select_from(UnitGrid).where(*live(territory_id))) or 0


def sum_people(session: Session, territory_id: int) -> float | None:
    """Return the people of all cells in force; None while unknown."""
    return session.scalar(select(func.sum(UnitGrid.people)).where(*live(territory_id)))


def last_load(session: Session, territory_id: int) -> Load | None:
    """Return the load that cut the territory last; None when it never was."""
    same = (Load.territory_id == territory_id, Load.kind == LOAD_KIND)
    return session.scalars(select(Load).where(*same).order_by(Load.id.desc()).limit(1)).first()


def live_kinds(session: Session, territory_id: int) -> list[tuple[str, float | None]]:
    """Return kinds and sizes of the cells in force."""
    found = session.execute(
        select(UnitGrid.kind, UnitGrid.size_m).where(*live(territory_id)).distinct().order_by(UnitGrid.size_m)
    )
    return [(kind, size) for kind, size in found]


def parent_codes(session: Session, territory_id: int) -> dict[int, tuple[str, str]]:
    """Return district and street code of each community; empty where it has no such parent."""
    street, district = aliased(Area), aliased(Area)
    found = session.execute(
        select(Area.id, func.coalesce(district.code, ""), func.coalesce(street.code, ""))
        .outerjoin(street, (Area.parent_id == street.id) & (street.level == "street"))
        .outerjoin(district, (street.parent_id == district.id) & (district.level == "district"))
        .where(Area.territory_id == territory_id, Area.level == "community"),
    )
    return {identity: (district_code, street_code) for identity, district_code, street_code in found}


def end_live_cells(session: Session, territory_id: int, day: dt.date) -> tuple[int, int]:
    """Take the cells in force out of it; return how many ended, and how many unused ones were removed."""
    parameters = {"territory": territory_id, "day": day}
    removed = session.execute(
        text(
            "DELETE FROM unit_grid AS g WHERE territory_id = :territory AND ended_on IS NULL"
            " AND NOT EXISTS (SELECT FROM incident WHERE incident.grid_id = g.id)"
            " AND NOT EXISTS (SELECT FROM incident_day WHERE incident_day.grid_id = g.id)"
            " AND NOT EXISTS (SELECT FROM grid_note WHERE grid_note.unit_grid_id = g.id) RETURNING id",
        ),
        parameters,
    )
    count_removed = len(removed.all())
    ended = session.execute(
        text(
            "UPDATE unit_grid SET ended_on = :day, version = version + 1"
            " WHERE territory_id = :territory AND ended_on IS NULL RETURNING id",
        ),
        parameters,
    )
    return len(ended.all()), count_removed


def live_cells(session: Session, territory_id: int) -> gpd.GeoDataFrame:
    """Return the cells in force by id.

    Columns: id, community_id, kind, size_m, sequence, people, responsibility_grid_id, geometry (EPSG:4326).
    """
    columns = (
        UnitGrid.id,
        UnitGrid.community_id,
        UnitGrid.kind,
        UnitGrid.size_m,
        UnitGrid.sequence,
        UnitGrid.people,
        UnitGrid.responsibility_grid_id,
    )
    rows = session.execute(
        select(*columns, func.ST_AsBinary(UnitGrid.geom).label("wkb")).where(*live(territory_id)).order_by(UnitGrid.id),
    ).all()
    frame = pd.DataFrame(rows, columns=[*(column.key for column in columns), "wkb"])
    shapes = shapely.from_wkb(frame.pop("wkb").to_numpy(dtype=object))
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=4326)


def live_version(session: Session, territory_id: int) -> tuple[Any, ...]:
    """Return a key that changes whenever the cells in force change (cells are never changed in place)."""
    statement = select(func.count(), func.max(UnitGrid.id), func.sum(UnitGrid.id)).where(*live(territory_id))
    return (str(session.get_bind().engine.url), territory_id, *session.execute(statement).one())


def cells_at(
    session: Session, territory_id: int, lon: float, lat: float, day: dt.date | None = None
) -> gpd.GeoDataFrame:
    """Return the cells in force, now or on a day, around a point: id, community_id, kind, size_m, geometry.

    Sides that are straight in metres bend in degrees, by metres where a cell is kilometres wide; so
    the search reaches a little further, and the polygons in metres decide.
    """
    near = func.ST_Expand(func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326), _AROUND_DEG)
    rows = session.execute(
        select(UnitGrid.id, UnitGrid.community_id, UnitGrid.kind, UnitGrid.size_m, func.ST_AsBinary(UnitGrid.geom))
        .where(*(live(territory_id) if day is None else on_day(territory_id, day)), UnitGrid.geom.op("&&")(near))
        .order_by(UnitGrid.id),
    ).all()
    frame = pd.DataFrame(rows, columns=["id", "community_id", "kind", "size_m", "wkb"])
    return gpd.GeoDataFrame(frame, geometry=shapely.from_wkb(frame.pop("wkb").to_numpy(dtype=object)), crs=4326)


def metric_srid(session: Session, territory_id: int) -> int | None:
    """Return the EPSG code of the territory's metric CRS; None where there is no such territory."""
    return session.execute(text("SELECT metric_srid FROM territory WHERE id = :id"), {"id": territory_id}).scalar()


def buildings(session: Session, territory_id: int) -> np.ndarray:
    """Return longitude, latitude and people of every building, shape (n, 3)."""
    rows = session.execute(
        text(
            "SELECT ST_X(at), ST_Y(at), people FROM ("
            " SELECT ST_PointOnSurface(geom) AS at, people FROM building WHERE territory_id = :territory) AS b",
        ),
        {"territory": territory_id},
    )
    return np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 3)


def border_lines(
    session: Session, territory_id: int, near: tuple[float, float, float, float] | None = None
) -> gpd.GeoDataFrame:
    """Return the lines that blocks are cut along: kind (street | railway | river | path), name, oneway, geometry.

    Streets are those of a class that parts a town, but not in tunnels; smaller ways are paths. Rivers
    are waterways and the banks of water wider than a hectare. By kind and id; ``near`` (west, south, east, north)
    leaves out what lies elsewhere.
    """
    here = "" if near is None else " AND geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
    box = {} if near is None else dict(zip(("west", "south", "east", "north"), map(float, near), strict=True))
    rows = session.execute(
        text(
            "SELECT CASE WHEN road_class = ANY(:streets) THEN 'street' ELSE 'path' END, name, oneway, ST_AsBinary(geom)"  # noqa: S608  (all parts stand here)
            " FROM ("
            " SELECT road_class, name, oneway, geom FROM road"
            f" WHERE territory_id = :territory AND NOT tunnel{here} ORDER BY id) AS r"
            " UNION ALL SELECT 'railway', name, 0, ST_AsBinary(geom) FROM ("
            f" SELECT name, geom FROM railway WHERE territory_id = :territory{here} ORDER BY id) AS t"
            " UNION ALL SELECT 'river', name, 0, ST_AsBinary(line) FROM ("
            " SELECT name,"
            " (ST_Dump(CASE WHEN ST_Dimension(geom) = 2 THEN ST_Boundary(geom) ELSE geom END)).geom AS line"
            f" FROM land_cover WHERE territory_id = :territory{here} AND (kind = 'waterway'"
            " OR (kind = 'water' AND ST_Dimension(geom) = 2 AND ST_Area(geom::geography) > 10000)) ORDER BY id) AS w"
            " WHERE ST_Dimension(line) = 1",
        ),
        {"territory": territory_id, "streets": list(STREET_CLASSES), **box},
    ).all()
    columns = {name: [row[at] for row in rows] for at, name in enumerate(("kind", "name", "oneway"))}
    return gpd.GeoDataFrame(columns, geometry=shapely.from_wkb([row[3] for row in rows]), crs=4326)


def write_people(session: Session, cell_ids: Sequence[int], people: Sequence[float]) -> int:
    """Write the people of cells; return how many numbers changed."""
    changed = session.execute(
        text(
            "UPDATE unit_grid AS g SET people = v.people, version = g.version + 1"
            " FROM unnest(CAST(:ids AS integer[]), CAST(:people AS double precision[])) AS v (id, people)"
            " WHERE g.id = v.id AND g.people IS DISTINCT FROM v.people RETURNING g.id",
        ),
        {"ids": list(cell_ids), "people": list(people)},
    )
    return len(changed.all())


def write_responsibility_grid(session: Session, row: dict[str, Any]) -> int:
    """Write a responsibility grid by its code and return its id; its boundary is WKB in EPSG:4326."""
    written = session.execute(
        text(
            "INSERT INTO responsibility_grid AS r (territory_id, code, name, name_zh, boundary)"
            " VALUES (:territory, :code, :name, :name_zh, ST_GeomFromWKB(:boundary, 4326))"
            " ON CONFLICT (territory_id, code) DO UPDATE SET name = excluded.name, name_zh = excluded.name_zh,"
            " boundary = excluded.boundary, version = r.version + 1"
            " WHERE ST_AsBinary(r.boundary) IS DISTINCT FROM ST_AsBinary(excluded.boundary)"
            " OR (r.name, r.name_zh) IS DISTINCT FROM (excluded.name, excluded.name_zh) RETURNING id",
        ),
        row,
    ).scalar()
    if written is None:  # nothing differed
        same = (ResponsibilityGrid.territory_id == row["territory"], ResponsibilityGrid.code == row["code"])
        written = session.execute(select(ResponsibilityGrid.id).where(*same)).scalar_one()
    return cast(int, written)


def bind_cells(
    session: Session, cell_ids: Sequence[int], responsibility_ids: Sequence[int], *, since: dt.date | None = None
) -> int:
    """Put cells into responsibility grids, from today or an earlier day; return how many changed theirs."""
    said = text("SELECT set_config('gridkeeper.bound_since', :day, true)")
    session.execute(said, {"day": since.isoformat() if since else ""})
    changed = session.execute(
        text(
            "UPDATE unit_grid AS g SET responsibility_grid_id = v.owner, version = g.version + 1"
            " FROM unnest(CAST(:ids AS integer[]), CAST(:owners AS integer[])) AS v (id, owner)"
            " WHERE g.id = v.id AND g.responsibility_grid_id IS DISTINCT FROM v.owner RETURNING g.id",
        ),
        {"ids": list(cell_ids), "owners": list(responsibility_ids)},
    )
    count = len(changed.all())
    session.execute(said, {"day": ""})
    return count


def drop_empty_responsibility_grids(session: Session, territory_id: int) -> int:
    """Take the boundary from responsibility grids without a cell in force; delete those nothing refers to."""
    parameters = {"territory": territory_id}
    empty = (
        " WHERE r.territory_id = :territory AND NOT EXISTS (SELECT FROM unit_grid AS g"
        " WHERE g.responsibility_grid_id = r.id AND g.ended_on IS NULL)"
    )
    dropped = session.execute(
        text(
            f"DELETE FROM responsibility_grid AS r {empty}"  # noqa: S608  (both parts stand here)
            " AND NOT EXISTS (SELECT FROM unit_grid AS g WHERE g.responsibility_grid_id = r.id)"
            " AND NOT EXISTS (SELECT FROM grid_binding AS b WHERE b.responsibility_grid_id = r.id)"
            " AND NOT EXISTS (SELECT FROM worker AS w WHERE w.responsibility_grid_id = r.id) RETURNING id",
        ),
        parameters,
    )
    count = len(dropped.all())
    session.execute(
        text(
            "UPDATE responsibility_grid AS r SET boundary = NULL, version = version + 1"  # noqa: S608
            f" {empty} AND boundary IS NOT NULL",
        ),
        parameters,
    )
    return count


def card(session: Session, territory_id: int | None, grid_id: int) -> dict[str, Any] | None:
    """Return what is known of one cell in force; None where there is none."""
    found = session.execute(
        select(
            UnitGrid.id,
            UnitGrid.code,
            UnitGrid.kind,
            UnitGrid.size_m,
            UnitGrid.area_m2,
            UnitGrid.people,
            UnitGrid.started_on,
            UnitGrid.community_id,
            Area.name.label("community"),
            Area.name_zh.label("community_zh"),
            Area.settlement,
            ResponsibilityGrid.code.label("responsibility_code"),
            ResponsibilityGrid.name.label("responsibility_name"),
            ResponsibilityGrid.name_zh.label("responsibility_name_zh"),
        )
        .join(Area, Area.id == UnitGrid.community_id)
        .outerjoin(ResponsibilityGrid, ResponsibilityGrid.id == UnitGrid.responsibility_grid_id)
        .where(UnitGrid.id == grid_id, UnitGrid.ended_on.is_(None))
        .where(*([] if territory_id is None else [UnitGrid.territory_id == territory_id])),
    ).mappings()
    row = found.one_or_none()
    return None if row is None else dict(row)


def facilities_in(session: Session, grid_id: int) -> dict[str, int]:
    """Return the number of facilities inside a cell by kind, most frequent first."""
    rows = session.execute(
        text(
            "SELECT f.kind, count(*) AS number FROM unit_grid AS g JOIN facility AS f"
            " ON f.territory_id = g.territory_id AND ST_Intersects(f.geom, g.geom)"
            " WHERE g.id = :grid GROUP BY f.kind ORDER BY count(*) DESC, f.kind",
        ),
        {"grid": grid_id},
    )
    return {row.kind: row.number for row in rows}

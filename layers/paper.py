"""What a map on paper is drawn from: the ground and the grids of a frame, in the territory's metric CRS, and names."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.errors import NotFound
from geodata.crs import project

Shapes = NDArray[np.object_]
Box = tuple[float, float, float, float]
MAJOR = ("motorway", "trunk", "primary", "secondary", "tertiary")
MINOR = ("unclassified", "residential", "living_street", "pedestrian", "service")


@dataclass(frozen=True, eq=False)
class PaperGround:
    """The ground of a frame; the same parts as a study's report draws.

    Attributes
    ----------
    cover
        Kind and shape.
    streets
        Class, name, Chinese name and line.
    places
        Kind, name, Chinese name and point, the largest first.
    """

    srid: int
    boundary: shapely.Geometry
    cover: Sequence[tuple[str, shapely.Geometry]]
    streets: Sequence[tuple[str, str, str, shapely.Geometry]]
    places: Sequence[tuple[str, str, str, shapely.Geometry]]
    buildings: Shapes


@dataclass(frozen=True, eq=False)
class PaperCells:
    """Grids of a frame: identity and shape, one a row."""

    grid_id: NDArray[np.int64]
    shapes: Shapes


def read_ground(session: Session, territory_id: int, srid: int, box: Box, *, fine: bool) -> PaperGround:
    """Return the ground inside a box of degrees (west, south, east, north), projected to ``srid``.

    Parameters
    ----------
    fine
        Whether small streets and houses are read.
    """
    here = " AND geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326)"
    west, south, east, north = box
    given = {"territory": territory_id, "west": west, "south": south, "east": east, "north": north}
    boundary = session.scalar(text("SELECT ST_AsBinary(boundary) FROM territory WHERE id = :territory"), given)
    if boundary is None:
        raise NotFound("This territory does not exist any more.")
    cover = session.execute(
        text(f"SELECT kind, ST_AsBinary(geom) FROM land_cover WHERE territory_id = :territory{here}"),  # noqa: S608
        given,
    ).all()
    classes = [*MAJOR, *(MINOR if fine else ())]
    streets = session.execute(
        text(
            "SELECT split_part(road_class, '_link', 1), coalesce(name, ''), coalesce(name_zh, ''), ST_AsBinary(geom)"  # noqa: S608
            " FROM road WHERE territory_id = :territory AND split_part(road_class, '_link', 1) = ANY(:classes)" + here
        ),
        {**given, "classes": classes},
    ).all()
    places = session.execute(
        text(
            "SELECT kind, coalesce(name, ''), coalesce(name_zh, (SELECT a.name_zh FROM area AS a WHERE"  # noqa: S608
            " a.territory_id = :territory AND a.name = place_name.name AND a.name_zh IS NOT NULL LIMIT 1), ''),"
            " ST_AsBinary(geom) FROM place_name"
            f" WHERE territory_id = :territory AND kind IN ('city', 'town', 'village', 'suburb'){here}"
            " ORDER BY array_position(ARRAY['city', 'town', 'village', 'suburb'], kind), people DESC NULLS LAST, id"
        ),
        given,
    ).all()
    houses = (
        session.scalars(
            text(f"SELECT ST_AsBinary(geom) FROM building WHERE territory_id = :territory{here}"),  # noqa: S608
            given,
        ).all()
        if fine
        else []
    )
    return PaperGround(
        srid,
        _metric([boundary], srid)[0],
        [(row[0], shape) for row, shape in zip(cover, _metric([row[1] for row in cover], srid), strict=True)],
        [(*row[:3], shape) for row, shape in zip(streets, _metric([row[3] for row in streets], srid), strict=True)],
        [(*row[:3], shape) for row, shape in zip(places, _metric([row[3] for row in places], srid), strict=True)],
        _metric(houses, srid),
    )


def read_shapes(
    session: Session, territory_id: int, srid: int, box: Box, *, level: str = "cell", day: dt.date | None = None
) -> PaperCells:
    """Return places inside a box of degrees, projected to ``srid``: unit grids, responsibility grids or communities.

    Unit grids are those in force, now or on a day.
    """
    source = {
        "community": "SELECT id, boundary AS geom FROM area WHERE territory_id = :territory AND level = 'community'",
        "responsibility": "SELECT id, boundary AS geom FROM responsibility_grid"
        " WHERE territory_id = :territory AND boundary IS NOT NULL",
    }.get(
        level,
        "SELECT id, geom FROM unit_grid WHERE territory_id = :territory AND CASE WHEN CAST(:day AS date) IS NULL"
        " THEN ended_on IS NULL ELSE started_on <= :day AND (ended_on IS NULL OR ended_on > :day) END",
    )
    west, south, east, north = box
    rows = session.execute(
        text(
            f"SELECT id, ST_AsBinary(geom) FROM ({source}) AS places"  # noqa: S608  (parts stand above)
            " WHERE geom && ST_MakeEnvelope(:west, :south, :east, :north, 4326) ORDER BY id"
        ),
        {"territory": territory_id, "day": day, "west": west, "south": south, "east": east, "north": north},
    ).all()
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    return PaperCells(ids, _metric([row[1] for row in rows], srid))


def box_of(session: Session, area_ids: Sequence[int], grid_id: int | None) -> Box | None:
    """Return the box of a unit grid, else of some communities, in degrees; None where neither is."""
    source = "SELECT geom AS g FROM unit_grid WHERE id = :grid"
    if grid_id is None:
        source = "SELECT boundary AS g FROM area WHERE id = ANY(:areas)"
    row = session.execute(
        text(
            "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e)"  # noqa: S608  (parts stand above)
            f" FROM (SELECT ST_Extent(g) AS e FROM ({source}) AS chosen) AS box"
        ),
        {"grid": grid_id, "areas": list(area_ids)},
    ).one()
    return None if row[0] is None else (float(row[0]), float(row[1]), float(row[2]), float(row[3]))


def place_names(session: Session, level: str, ids: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    """Return name and Chinese name of communities or responsibility grids, the code of unit grids, by id."""
    source = {
        "community": "SELECT id, name, name_zh FROM area WHERE id = ANY(:ids)",
        "responsibility": "SELECT id, name, name_zh FROM responsibility_grid WHERE id = ANY(:ids)",
    }.get(level, "SELECT id, code, NULL FROM unit_grid WHERE id = ANY(:ids)")
    return {row[0]: (row[1], row[2]) for row in session.execute(text(source), {"ids": list(ids)})}


def _metric(wkb: Sequence[bytes], srid: int) -> Shapes:
    shapes = shapely.from_wkb([bytes(each) for each in wkb]) if wkb else np.empty(0, dtype=object)
    return np.asarray(project(np.asarray(shapes, dtype=object), srid), dtype=object)

"""All SQL of publishing a change of grids, and of the grids as of a date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from geodata.tables import Area, GridBinding, ResponsibilityGrid, UnitGrid
from grids.change_model import CellVersion


def cells_as_of(session: Session, territory_id: int, day: dt.date) -> gpd.GeoDataFrame:
    """Return the cells that were in force on a day, by id.

    A cell is in force from its first day up to, not including, the day it ended on; its responsibility grid is that of
    the day. Columns: id, community_id,
    community, code, scheme, kind, size_m, area_m2, people, started_on, ended_on, responsibility_grid, geometry.
    """
    columns = (
        UnitGrid.id,
        UnitGrid.community_id,
        Area.name.label("community"),
        UnitGrid.code,
        UnitGrid.scheme,
        UnitGrid.kind,
        UnitGrid.size_m,
        UnitGrid.area_m2,
        UnitGrid.people,
        UnitGrid.started_on,
        UnitGrid.ended_on,
        ResponsibilityGrid.code.label("responsibility_grid"),
    )
    bound = (
        select(GridBinding.responsibility_grid_id)
        .where(GridBinding.unit_grid_id == UnitGrid.id, GridBinding.started_on <= day)
        .order_by(GridBinding.started_on.desc())
        .limit(1)
        .scalar_subquery()
    )
    rows = session.execute(
        select(*columns, func.ST_AsBinary(UnitGrid.geom))
        .join(Area, Area.id == UnitGrid.community_id)
        .outerjoin(ResponsibilityGrid, ResponsibilityGrid.id == bound)
        .where(
            UnitGrid.territory_id == territory_id,
            UnitGrid.started_on <= day,
            or_(UnitGrid.ended_on.is_(None), UnitGrid.ended_on > day),
        )
        .order_by(UnitGrid.id)
    ).all()
    frame = pd.DataFrame(rows, columns=[*(column.key for column in columns), "wkb"])
    shapes = shapely.from_wkb(frame.pop("wkb").to_numpy(dtype=object))
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=4326)


def counts_as_of(session: Session, territory_id: int, first: dt.date, last: dt.date, day: dt.date) -> dict[int, int]:
    """Return the incidents reported from ``first`` to ``last`` by the cell they were in on ``day``."""
    rows = session.execute(
        text(
            "SELECT coalesce(h.grid_id, i.grid_id) AS grid, count(*) AS number FROM incident AS i"
            " JOIN territory AS t ON t.id = i.territory_id LEFT JOIN LATERAL ("
            "   SELECT grid_id FROM incident_home AS h WHERE h.incident_id = i.id AND h.until > :day"
            "   ORDER BY h.until, h.id LIMIT 1) AS h ON true"
            " WHERE i.territory_id = :territory"
            " AND i.reported_at >= CAST(:first AS date)::timestamp AT TIME ZONE t.timezone"
            " AND i.reported_at < (CAST(:last AS date) + 1)::timestamp AT TIME ZONE t.timezone GROUP BY 1"
        ),
        {"territory": territory_id, "first": first, "last": last, "day": day},
    )
    return {row.grid: row.number for row in rows}


def live_ids(session: Session, area_ids: Sequence[int]) -> list[int]:
    """Return the cells in force of some communities."""
    live = (UnitGrid.community_id.in_(area_ids), UnitGrid.ended_on.is_(None))
    return list(session.scalars(select(UnitGrid.id).where(*live).order_by(UnitGrid.id)))


def end(session: Session, cell_ids: Sequence[int], day: dt.date) -> int:
    """End cells on a day; return how many were in force."""
    ended = session.execute(
        text(
            "UPDATE unit_grid SET ended_on = :day, version = version + 1"
            " WHERE id = ANY(CAST(:ids AS integer[])) AND ended_on IS NULL RETURNING id"
        ),
        {"ids": list(cell_ids), "day": day},
    )
    return len(ended.all())


def shapes_of(session: Session, cell_ids: Sequence[int]) -> np.ndarray:
    """Return the shapes of cells, ended or not, by id in EPSG:4326."""
    rows = session.scalars(
        select(func.ST_AsBinary(UnitGrid.geom)).where(UnitGrid.id.in_(cell_ids)).order_by(UnitGrid.id)
    )
    return np.asarray(shapely.from_wkb(np.array(rows.all(), dtype=object)))


def cells_beside(session: Session, territory_id: int, shapes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return id and shape of the cells in force that some shapes (EPSG:4326) touch."""
    if len(shapes) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=object)
    rows = session.execute(
        text(
            "SELECT g.id, ST_AsBinary(g.geom) FROM unit_grid AS g,"
            " (SELECT ST_Buffer(ST_GeomFromWKB(:around, 4326), 1e-9) AS zone) AS a WHERE g.territory_id = :territory"
            " AND g.ended_on IS NULL AND g.geom && a.zone AND ST_Intersects(g.geom, a.zone) ORDER BY g.id"
        ),
        {"territory": territory_id, "around": shapely.to_wkb(shapely.boundary(shapely.union_all(shapes)))},
    ).all()
    ids = np.array([identity for identity, _ in rows], dtype=np.int64)
    return ids, np.asarray(shapely.from_wkb(np.array([bytes(shape) for _, shape in rows], dtype=object)))


def plain_of(session: Session, cell_ids: Sequence[int]) -> pd.DataFrame:
    """Return id, community_id and kind of cells, by id."""
    columns = (UnitGrid.id, UnitGrid.community_id, UnitGrid.kind)
    rows = session.execute(select(*columns).where(UnitGrid.id.in_(cell_ids)).order_by(UnitGrid.id)).all()
    return pd.DataFrame(rows, columns=[column.key for column in columns])


def reshape(session: Session, cell_ids: Sequence[int], shapes: np.ndarray) -> None:
    """Write other corners of cells in force; their ground stays, so they stay the same cells."""
    session.execute(
        text(
            "UPDATE unit_grid AS g SET geom = ST_GeomFromWKB(v.shape, 4326), version = version + 1"
            " FROM unnest(CAST(:ids AS integer[]), CAST(:shapes AS bytea[])) AS v (id, shape) WHERE g.id = v.id"
        ),
        {"ids": list(cell_ids), "shapes": [bytes(each) for each in shapely.to_wkb(shapes)] if len(shapes) else []},
    )


def open_incidents(session: Session, cell_ids: Sequence[int]) -> pd.DataFrame:
    """Return the open incidents of cells: id, grid_id, lon, lat, by id."""
    rows = session.execute(
        text(
            "SELECT id, grid_id, ST_X(geom), ST_Y(geom) FROM incident WHERE grid_id = ANY(CAST(:ids AS integer[]))"
            " AND status NOT IN ('closed', 'void') ORDER BY id"
        ),
        {"ids": list(cell_ids)},
    ).all()
    return pd.DataFrame(rows, columns=["id", "grid_id", "lon", "lat"])


def rehome(session: Session, change_id: int, moved: pd.DataFrame, homes: Sequence[int], day: dt.date) -> None:
    """Keep where the incidents were, and put them into their new cells."""
    parameters = {
        "ids": moved["id"].tolist(),
        "old": moved["grid_id"].tolist(),
        "new": list(homes),
        "change": change_id,
        "day": day,
    }
    pairs = "unnest(CAST(:ids AS bigint[]), CAST(:old AS integer[]), CAST(:new AS integer[])) AS v (id, old, new)"
    session.execute(
        text(
            "INSERT INTO incident_home (territory_id, incident_id, grid_id, until, change_id)"  # noqa: S608  (ours)
            f" SELECT c.territory_id, v.id, v.old, :day, c.id FROM grid_change AS c, {pairs} WHERE c.id = :change"
        ),
        parameters,
    )
    session.execute(
        text(f"UPDATE incident AS i SET grid_id = v.new FROM {pairs} WHERE i.id = v.id"),  # noqa: S608  (ours)
        parameters,
    )


def add_parents(session: Session, change_id: int, links: dict[str, Any]) -> None:
    """Write which cells the ground of new ones belonged to: children, parents, shared m²."""
    session.execute(
        text(
            "INSERT INTO grid_parent (child_id, parent_id, territory_id, change_id, shared_m2)"
            " SELECT v.child, v.parent, c.territory_id, c.id, v.shared FROM grid_change AS c,"
            " unnest(CAST(:child AS integer[]), CAST(:parent AS integer[]), CAST(:shared AS double precision[]))"
            " AS v (child, parent, shared) WHERE c.id = :change"
        ),
        {**links, "change": change_id},
    )


def versions_of(session: Session, cell_id: int) -> list[CellVersion]:
    """Return the parents and children of a cell, parents first."""
    rows = session.execute(
        text(
            "SELECT g.id, g.code, g.started_on, g.ended_on, p.shared_m2, p.child_id = :cell AS is_parent"
            " FROM grid_parent AS p JOIN unit_grid AS g ON g.id = CASE WHEN p.child_id = :cell THEN p.parent_id"
            " ELSE p.child_id END WHERE :cell IN (p.child_id, p.parent_id)"
            " ORDER BY p.child_id = :cell DESC, p.shared_m2 DESC"
        ),
        {"cell": cell_id},
    )
    return [CellVersion(*row) for row in rows]


def cell_file(session: Session, territory_id: int | None, cell_id: int) -> dict[str, Any] | None:
    """Return what is known of one cell, in force or ended; None where there is none."""
    row = (
        session.execute(
            select(
                UnitGrid.id,
                UnitGrid.code,
                UnitGrid.scheme,
                UnitGrid.sequence,
                UnitGrid.kind,
                UnitGrid.area_m2,
                UnitGrid.people,
                UnitGrid.started_on,
                UnitGrid.ended_on,
                UnitGrid.community_id,
                Area.name.label("community"),
                Area.name_zh.label("community_zh"),
                Area.settlement,
                ResponsibilityGrid.code.label("responsibility_code"),
                ResponsibilityGrid.name.label("responsibility_name"),
                ResponsibilityGrid.name_zh.label("responsibility_name_zh"),
                func.ST_AsBinary(UnitGrid.geom).label("shape"),
                func.ST_Perimeter(func.Geography(UnitGrid.geom)).label("border_m"),
            )
            .join(Area, Area.id == UnitGrid.community_id)
            .outerjoin(ResponsibilityGrid, ResponsibilityGrid.id == UnitGrid.responsibility_grid_id)
            .where(UnitGrid.id == cell_id)
            .where(*([] if territory_id is None else [UnitGrid.territory_id == territory_id]))
        )
        .mappings()
        .one_or_none()
    )
    return None if row is None else {**row, "shape": shapely.from_wkb(bytes(row["shape"]))}


def territory_of(session: Session, cell_id: int) -> int:
    """Return the territory of a cell."""
    return session.scalars(select(UnitGrid.territory_id).where(UnitGrid.id == cell_id)).one()


def outlines_near(session: Session, cell_id: int, metres: float) -> list[tuple[str, Any]]:
    """Return code and shape (EPSG:4326) of the cells in force around a cell, itself left out."""
    rows = session.execute(
        text(
            "SELECT o.code, ST_AsBinary(o.geom) FROM unit_grid AS g JOIN unit_grid AS o"
            " ON o.territory_id = g.territory_id AND o.ended_on IS NULL AND o.id <> g.id"
            " AND o.geom && ST_Expand(g.geom, CAST(:metres AS float8) / 60000) WHERE g.id = :cell"
        ),
        {"cell": cell_id, "metres": metres},
    )
    return [(code, shapely.from_wkb(bytes(shape))) for code, shape in rows]


def neighbours_of(session: Session, cell_id: int) -> list[tuple[int, str]]:
    """Return id and code of the cells in force that share a side with a cell, by code."""
    rows = session.execute(
        text(
            "SELECT o.id, o.code FROM unit_grid AS g JOIN unit_grid AS o ON o.territory_id = g.territory_id"
            " AND o.ended_on IS NULL AND o.id <> g.id AND ST_Intersects(o.geom, g.geom)"
            " WHERE g.id = :cell AND ST_Length(ST_Intersection(ST_Boundary(o.geom), ST_Boundary(g.geom))) > 1e-7"
            " ORDER BY o.code"
        ),
        {"cell": cell_id},
    )
    return [(identity, code) for identity, code in rows]


def id_of_code(session: Session, territory_id: int | None, code: str) -> int | None:
    """Return the cell of a code: the one in force, else the one that ended last."""
    here = [] if territory_id is None else [UnitGrid.territory_id == territory_id]
    return session.scalars(
        select(UnitGrid.id)
        .where(UnitGrid.code == code, *here)
        .order_by(UnitGrid.ended_on.desc().nulls_first(), UnitGrid.id.desc())
        .limit(1)
    ).first()


def daily_by_place(session: Session, cell_id: int, days: int) -> dict[dt.date, int]:
    """Return the incidents of the last days that lie inside a cell, whatever cell they were filed under, by local day.

    Those of the cell itself and of all it came of, void ones left out, as far as the actor may see them.
    """
    rows = session.execute(
        text(
            "WITH RECURSIVE line (id) AS (SELECT CAST(:cell AS integer) UNION"
            " SELECT p.parent_id FROM grid_parent AS p JOIN line ON line.id = p.child_id)"
            " SELECT (i.reported_at AT TIME ZONE t.timezone)::date AS day, count(*) AS number FROM unit_grid AS g"
            " JOIN incident AS i ON i.grid_id IN (SELECT id FROM line) AND ST_Intersects(i.geom, g.geom)"
            " JOIN territory AS t ON t.id = g.territory_id"
            " WHERE g.id = :cell AND i.status <> 'void' AND i.reported_at > now() - make_interval(days => :days)"
            " GROUP BY 1"
        ),
        {"cell": cell_id, "days": days},
    )
    return {row.day: row.number for row in rows}


def owners_across(session: Session, territory_id: int, area_ids: Sequence[int]) -> list[int]:
    """Return the responsibility grids with cells in force outside some communities and any, ended too, inside."""
    rows = session.scalars(
        text(
            "SELECT r.id FROM responsibility_grid AS r WHERE r.territory_id = :territory"
            " AND EXISTS (SELECT FROM unit_grid AS g WHERE g.responsibility_grid_id = r.id AND g.ended_on IS NULL"
            "   AND g.community_id <> ALL (CAST(:areas AS integer[])))"
            " AND EXISTS (SELECT FROM unit_grid AS g WHERE g.responsibility_grid_id = r.id"
            "   AND g.community_id = ANY (CAST(:areas AS integer[]))) ORDER BY r.id"
        ),
        {"territory": territory_id, "areas": list(area_ids)},
    )
    return list(rows)


def outline_anew(session: Session, owner_ids: Sequence[int]) -> None:
    """Make the boundaries of responsibility grids what their cells in force cover."""
    session.execute(
        text(
            "UPDATE responsibility_grid AS r SET boundary = u.shape, version = r.version + 1 FROM ("
            " SELECT responsibility_grid_id AS id, ST_Multi(ST_Union(geom)) AS shape FROM unit_grid"
            " WHERE responsibility_grid_id = ANY(CAST(:ids AS integer[])) AND ended_on IS NULL GROUP BY 1) AS u"
            " WHERE r.id = u.id"
        ),
        {"ids": list(owner_ids)},
    )

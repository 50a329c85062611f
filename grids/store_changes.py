"""All SQL of drafts of grids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from geodata.bulk import copy_rows, reserve_ids
from geodata.tables import Area, GridChange, GridChangeCell, ResponsibilityGrid, UnitGrid
from grids.change_model import Change

_COLUMNS = (
    GridChangeCell.id,
    GridChangeCell.community_id,
    GridChangeCell.unit_grid_id,
    GridChangeCell.area,
    GridChangeCell.code,
    GridChangeCell.sequence,
    GridChangeCell.kind,
    GridChangeCell.size_m,
    GridChangeCell.area_m2,
    GridChangeCell.people,
)


def add(session: Session, territory_id: int, title: str, area_ids: Sequence[int], author_id: int | None) -> int:
    """Write a draft and return its id."""
    change = GridChange(territory_id=territory_id, title=title, area_ids=list(area_ids), author_id=author_id)
    session.add(change)
    session.flush()
    return change.id


def find(session: Session, territory_id: int | None, change_id: int, *, lock: bool = False) -> Change | None:
    """Return a change; None where there is none."""
    statement = select(GridChange).where(GridChange.id == change_id)
    if territory_id is not None:
        statement = statement.where(GridChange.territory_id == territory_id)
    if lock:
        statement = statement.with_for_update()
    row = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    return None if row is None else _change(row)


def known(session: Session, territory_id: int, limit: int) -> list[Change]:
    """Return the newest changes, those that wait first."""
    waiting = GridChange.state.in_(("draft", "submitted"))
    rows = session.scalars(
        select(GridChange)
        .where(GridChange.territory_id == territory_id)
        .order_by(waiting.desc(), GridChange.id.desc())
        .limit(limit)
    )
    return [_change(row) for row in rows]


def write(session: Session, change_id: int, version: int, values: Mapping[str, Any]) -> bool:
    """Write what is given if the version is still that one; return whether it was."""
    done = session.execute(
        update(GridChange)
        .where(GridChange.id == change_id, GridChange.version == version)
        .values(**values, version=version + 1)
        .returning(GridChange.id)
        .execution_options(synchronize_session=False)
    )
    return done.scalar() is not None


def communities_of(session: Session, territory_id: int) -> list[int]:
    """Return the communities of a territory that have cells in force, by id."""
    rows = session.scalars(
        select(Area.id).where(Area.territory_id == territory_id, Area.level == "community").order_by(Area.id)
    )
    return list(rows)


def copy_live(session: Session, change_id: int) -> int:
    """Put the cells in force of the draft's communities into it; return how many."""
    done = session.execute(
        text(
            "INSERT INTO grid_change_cell (change_id, territory_id, community_id, unit_grid_id, area, code, sequence,"
            " kind, size_m, area_m2, people, geom)"
            " SELECT c.id, c.territory_id, g.community_id, g.id, coalesce(r.code, ''), g.code, g.sequence, g.kind,"
            " g.size_m, g.area_m2, g.people, g.geom FROM grid_change AS c JOIN unit_grid AS g"
            " ON g.territory_id = c.territory_id AND g.community_id = ANY (c.area_ids) AND g.ended_on IS NULL"
            " LEFT JOIN responsibility_grid AS r ON r.id = g.responsibility_grid_id WHERE c.id = :change ORDER BY g.id"
        ),
        {"change": change_id},
    )
    return int(getattr(done, "rowcount", 0))


def standing(session: Session, area_ids: Sequence[int]) -> str:
    """Return a digest of the cells in force of some communities and the responsibility grids they belong to."""
    return str(
        session.execute(
            text(
                "SELECT md5(coalesce(string_agg(concat(id, ':', responsibility_grid_id), ',' ORDER BY id), ''))"
                " FROM unit_grid WHERE community_id = ANY(CAST(:areas AS integer[])) AND ended_on IS NULL"
            ),
            {"areas": list(area_ids)},
        ).scalar_one()
    )


def published_since(session: Session, change: Change) -> list[str]:
    """Return the titles of changes of the same communities that were published since one began, the newest first."""
    rows = session.scalars(
        text(
            "SELECT title FROM grid_change WHERE territory_id = :territory AND state = 'published'"
            " AND area_ids && CAST(:areas AS integer[]) AND decided_at >= :began ORDER BY decided_at DESC"
        ),
        {"territory": change.territory_id, "areas": list(change.area_ids), "began": change.made_at},
    )
    return list(rows)


def cells(
    session: Session,
    change_id: int,
    community_id: int | None = None,
    *,
    ids: Sequence[int] | None = None,
    areas: Sequence[str] | None = None,
) -> gpd.GeoDataFrame:
    """Return the cells of a draft by id: the columns of `GridChangeCell`, geometry in EPSG:4326.

    Only those of a community, of some numbers, or of some responsibility grids, where these are given.
    """
    statement = select(*_COLUMNS, func.ST_AsBinary(GridChangeCell.geom)).where(GridChangeCell.change_id == change_id)
    if community_id is not None:
        statement = statement.where(GridChangeCell.community_id == community_id)
    if ids is not None:
        statement = statement.where(GridChangeCell.id.in_(ids))
    if areas is not None:
        statement = statement.where(GridChangeCell.area.in_(areas))
    rows = session.execute(statement.order_by(GridChangeCell.id)).all()
    frame = pd.DataFrame(rows, columns=[*(column.key for column in _COLUMNS), "wkb"])
    shapes = shapely.from_wkb(frame.pop("wkb").to_numpy(dtype=object))
    frame["unit_grid_id"] = frame["unit_grid_id"].astype("Int64")
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=4326)


def ground_key(session: Session, change_id: int) -> tuple[int, int]:
    """Return what changes whenever a cell of a draft gets another ground: how many there are, and the last number."""
    row = session.execute(
        text("SELECT count(*), coalesce(max(id), 0) FROM grid_change_cell WHERE change_id = :change"),
        {"change": change_id},
    ).one()
    return int(row[0]), int(row[1])


def extent(session: Session, change_id: int, community_id: int | None) -> tuple[float, float, float, float] | None:
    """Return west, south, east and north of the cells of a draft; None without any."""
    row = session.execute(
        text(
            "SELECT ST_XMin(e), ST_YMin(e), ST_XMax(e), ST_YMax(e) FROM (SELECT ST_Extent(geom) AS e"
            " FROM grid_change_cell WHERE change_id = :change"
            " AND (CAST(:community AS integer) IS NULL OR community_id = :community)) AS q"
        ),
        {"change": change_id, "community": community_id},
    ).one()
    return None if row[0] is None else (float(row[0]), float(row[1]), float(row[2]), float(row[3]))


def cells_on(session: Session, change_id: int, line: shapely.LineString) -> list[int]:
    """Return the cells of a draft that a line in EPSG:4326 runs through, the one with most of it first."""
    rows = session.scalars(
        text(
            "SELECT id FROM (SELECT id, ST_Length(ST_Intersection(geom, l.line)) AS inside FROM grid_change_cell,"
            " (SELECT ST_GeomFromWKB(:line, 4326) AS line) AS l WHERE change_id = :change"
            " AND ST_Intersects(geom, l.line)) AS q WHERE inside > 0 ORDER BY inside DESC, id"
        ),
        {"change": change_id, "line": shapely.to_wkb(line)},
    )
    return list(rows)


def cells_beside(session: Session, change_id: int, shapes: np.ndarray) -> gpd.GeoDataFrame:
    """Return the cells of a draft that some shapes (EPSG:4326) touch: id, code, geometry."""
    rows = session.execute(
        text(
            "SELECT id, code, ST_AsBinary(geom) FROM grid_change_cell WHERE change_id = :change"
            " AND ST_Intersects(geom, ST_Buffer(ST_GeomFromWKB(:around, 4326), 1e-9)) ORDER BY id"
        ),
        {"change": change_id, "around": shapely.to_wkb(shapely.union_all(shapes))},
    ).all()
    frame = pd.DataFrame(rows, columns=["id", "code", "wkb"])
    return gpd.GeoDataFrame(frame, geometry=shapely.from_wkb(frame.pop("wkb").to_numpy(dtype=object)), crs=4326)


def reshape(session: Session, cell_ids: Sequence[int], shapes: np.ndarray) -> None:
    """Write other corners of cells of a draft; their ground stays, so they stay the cells in force they were."""
    for identity, shape in zip(cell_ids, shapes, strict=True):
        session.execute(
            text("UPDATE grid_change_cell SET geom = ST_GeomFromWKB(:shape, 4326) WHERE id = :id"),
            {"id": identity, "shape": shapely.to_wkb(shape)},
        )


def remove(session: Session, change_id: int, cell_ids: Sequence[int] | None) -> None:
    """Take cells out of a draft; None takes all."""
    only = "" if cell_ids is None else " AND id = ANY(CAST(:ids AS integer[]))"
    session.execute(
        text(f"DELETE FROM grid_change_cell WHERE change_id = :change{only}"),  # noqa: S608  (both parts stand here)
        {"change": change_id, "ids": list(cell_ids or [])},
    )


def put(session: Session, change: Change, frame: gpd.GeoDataFrame) -> np.ndarray:
    """Put new cells into a draft and return their numbers.

    Columns: community_id, area, code, sequence, kind, size_m, area_m2, people, geometry.
    """
    count = len(frame)
    ids = reserve_ids(session, "grid_change_cell", count)
    columns = {
        name: frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        if name in {"size_m", "people", "area_m2"}
        else frame[name].tolist()
        for name in ("community_id", "area", "code", "sequence", "kind", "size_m", "area_m2", "people")
    }
    fixed: dict[str, Any] = {"id": ids, "change_id": [change.id] * count, "territory_id": [change.territory_id] * count}
    copy_rows(session, "grid_change_cell", {**fixed, **columns, "geom": frame.geometry.to_numpy()})
    return ids


def set_areas(session: Session, change_id: int, cell_ids: Sequence[int], areas: Sequence[str]) -> int:
    """Give cells of a draft their responsibility grids; return how many changed theirs."""
    changed = session.execute(
        text(
            "UPDATE grid_change_cell AS c SET area = v.area"
            " FROM unnest(CAST(:ids AS integer[]), CAST(:areas AS text[])) AS v (id, area)"
            " WHERE c.id = v.id AND c.change_id = :change AND c.area <> v.area RETURNING c.id"
        ),
        {"ids": list(cell_ids), "areas": list(areas), "change": change_id},
    )
    return len(changed.all())


def responsibility_names(session: Session, territory_id: int) -> dict[str, tuple[str, str | None]]:
    """Return English and Chinese name of the responsibility grids there are, by code."""
    rows = session.execute(
        select(ResponsibilityGrid.code, ResponsibilityGrid.name, ResponsibilityGrid.name_zh).where(
            ResponsibilityGrid.territory_id == territory_id
        )
    )
    return {code: (name, name_zh) for code, name, name_zh in rows}


def highest_sequences(session: Session, area_ids: Sequence[int]) -> dict[int, int]:
    """Return the highest sequence that any cell of a community ever had, by community."""
    rows = session.execute(
        select(UnitGrid.community_id, func.max(UnitGrid.sequence))
        .where(UnitGrid.community_id.in_(area_ids))
        .group_by(UnitGrid.community_id)
    )
    return {community: int(highest) for community, highest in rows}


def incident_points(session: Session, area_ids: Sequence[int], days: int, categories: Sequence[str] = ()) -> np.ndarray:
    """Return longitude and latitude of the incidents of the last days that the actor may see, shape (n, 2).

    Of some categories, or of all when none is named.
    """
    rows = session.execute(
        text(
            "SELECT ST_X(geom), ST_Y(geom) FROM incident AS i WHERE community_id = ANY(CAST(:areas AS integer[]))"
            " AND reported_at >= now() - make_interval(days => :days) AND (:every OR EXISTS (SELECT FROM incident_class"
            " AS c WHERE c.id = i.class_id AND c.category = ANY(CAST(:categories AS text[]))))"
        ),
        {"areas": list(area_ids), "days": days, "categories": list(categories), "every": not categories},
    )
    return np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 2)


def facility_points(session: Session, territory_id: int) -> np.ndarray:
    """Return longitude and latitude of an inner point of every facility, shape (n, 2)."""
    rows = session.execute(
        text(
            "SELECT ST_X(at), ST_Y(at) FROM (SELECT ST_PointOnSurface(geom) AS at FROM facility"
            " WHERE territory_id = :territory) AS f"
        ),
        {"territory": territory_id},
    )
    return np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 2)


def _change(row: GridChange) -> Change:
    return Change(
        row.id,
        row.territory_id,
        row.title,
        row.state,
        tuple(row.area_ids),
        row.author_id,
        row.made_at,
        row.submitted_at,
        row.decided_by,
        row.decided_at,
        row.remark,
        row.effective_on,
        dict(row.facts),
        row.version,
    )

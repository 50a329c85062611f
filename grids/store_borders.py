"""All SQL of the borders of cells, in force and in drafts, and of which grid a cell belonged to on a day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy import text
from sqlalchemy.orm import Session

from geodata.bulk import copy_rows
from grids.change_model import Change
from grids.lattice import Ints

_COLUMNS = ["left", "right", "kind", "name", "length_m"]


def put(session: Session, territory_id: int, ids: Ints, found: gpd.GeoDataFrame) -> int:
    """Write borders in EPSG:4326 between cells in force; ``left`` and ``right`` are rows of ``ids``."""
    return copy_rows(session, "grid_border", _columns(territory_id, ids, found)) if len(found) else 0


def put_draft(session: Session, change: Change, ids: Ints, found: gpd.GeoDataFrame) -> int:
    """Write borders in EPSG:4326 between cells of a draft; ``left`` and ``right`` are rows of ``ids``."""
    if len(found) == 0:
        return 0
    columns = _columns(change.territory_id, ids, found)
    return copy_rows(session, "grid_change_border", {**columns, "change_id": np.full(len(found), change.id)})


def _columns(territory_id: int, ids: Ints, found: gpd.GeoDataFrame) -> dict[str, Any]:
    right = found["right"].to_numpy()
    parts, owner = shapely.get_parts(found.geometry.to_numpy(), return_index=True)
    return {
        "territory_id": np.full(len(found), territory_id),
        "left_id": ids[found["left"].to_numpy()],
        "right_id": np.where(right < 0, np.nan, ids[right].astype(np.float64)),
        "kind": found["kind"].tolist(),
        "name": found["name"].tolist(),
        "length_m": found["length_m"].to_numpy(),
        "geom": shapely.multilinestrings(parts, indices=owner),
    }


def copy_live(session: Session, change_id: int) -> None:
    """Put the borders of the cells in force that a draft holds into it; beyond them there is nothing."""
    session.execute(
        text(
            "INSERT INTO grid_change_border (change_id, territory_id, left_id, right_id, kind, name, length_m, geom)"
            " SELECT c.id, c.territory_id, coalesce(l.id, r.id), CASE WHEN l.id IS NOT NULL THEN r.id END, b.kind,"
            " b.name, b.length_m, b.geom FROM grid_change AS c JOIN grid_border AS b ON b.territory_id = c.territory_id"
            " LEFT JOIN grid_change_cell AS l ON l.change_id = c.id AND l.unit_grid_id = b.left_id"
            " LEFT JOIN grid_change_cell AS r ON r.change_id = c.id AND r.unit_grid_id = b.right_id"
            " WHERE c.id = :change AND (l.id IS NOT NULL OR r.id IS NOT NULL) AND NOT EXISTS ("
            "  SELECT FROM unit_grid AS g WHERE g.id IN (b.left_id, b.right_id) AND g.ended_on IS NOT NULL)"
        ),
        {"change": change_id},
    )


def publish(session: Session, change_id: int, cell_ids: Sequence[int], unit_ids: Ints, *, rims: bool) -> None:
    """Put the borders of the new cells of a draft in force; ``rims`` tells those too that have no cell beyond."""
    session.execute(
        text(
            "WITH made AS MATERIALIZED ("
            "  SELECT * FROM unnest(CAST(:cells AS integer[]), CAST(:units AS integer[])) AS v (cell, unit)"
            ") INSERT INTO grid_border (territory_id, left_id, right_id, kind, name, length_m, geom)"
            " SELECT b.territory_id, coalesce(l.unit_grid_id, ml.unit), coalesce(r.unit_grid_id, mr.unit), b.kind,"
            " b.name, b.length_m, b.geom FROM grid_change_border AS b JOIN grid_change_cell AS l ON l.id = b.left_id"
            " LEFT JOIN grid_change_cell AS r ON r.id = b.right_id LEFT JOIN made AS ml ON ml.cell = l.id"
            " LEFT JOIN made AS mr ON mr.cell = r.id WHERE b.change_id = :change"
            " AND (ml.cell IS NOT NULL OR mr.cell IS NOT NULL)"
            " AND (:rims OR b.right_id IS NOT NULL OR b.kind = 'city')"
        ),
        {"change": change_id, "cells": list(cell_ids), "units": unit_ids.tolist(), "rims": rims},
    )


def of_draft(
    session: Session, change_id: int, *, cells: Sequence[int] | None = None, community_id: int | None = None
) -> gpd.GeoDataFrame:
    """Return borders of a draft, of some cells or of a community: left and right (numbers), kind, name, length_m."""
    rows = session.execute(
        text(
            "SELECT b.left_id, b.right_id, b.kind, b.name, b.length_m, ST_AsBinary(b.geom) FROM grid_change_border AS b"
            " WHERE b.change_id = :change AND (CAST(:cells AS integer[]) IS NULL"
            "  OR b.left_id = ANY(CAST(:cells AS integer[])) OR b.right_id = ANY(CAST(:cells AS integer[])))"
            " AND (CAST(:community AS integer) IS NULL OR EXISTS (SELECT FROM grid_change_cell AS c"
            "  WHERE c.id IN (b.left_id, b.right_id) AND c.community_id = :community)) ORDER BY b.id"
        ),
        {"change": change_id, "cells": None if cells is None else list(cells), "community": community_id},
    ).all()
    return _frame(rows)


def lengths_of_draft(session: Session, change_id: int, community_id: int) -> dict[str, float]:
    """Return metres of border by reason between and around the cells of a community of a draft."""
    rows = session.execute(
        text(
            "SELECT b.kind, sum(b.length_m) FROM grid_change_border AS b WHERE b.change_id = :change AND EXISTS ("
            " SELECT FROM grid_change_cell AS c WHERE c.id IN (b.left_id, b.right_id) AND c.community_id = :community)"
            " GROUP BY 1"
        ),
        {"change": change_id, "community": community_id},
    )
    return {kind: float(metres) for kind, metres in rows}


def of_cell(session: Session, cell_id: int, day: dt.date | None) -> gpd.GeoDataFrame:
    """Return what is kept of the borders of a cell with those in force now, or on a day; right is None on the rim."""
    rows = session.execute(
        text(
            "SELECT CAST(:cell AS integer), CASE WHEN b.left_id = :cell THEN b.right_id ELSE b.left_id END, b.kind,"
            " b.name, b.length_m, ST_AsBinary(b.geom) FROM grid_border AS b LEFT JOIN unit_grid AS o"
            " ON o.id = CASE WHEN b.left_id = :cell THEN b.right_id ELSE b.left_id END"
            " WHERE :cell IN (b.left_id, b.right_id) AND (o.id IS NULL"
            "  OR CAST(:day AS date) IS NULL AND o.ended_on IS NULL"
            "  OR o.started_on <= :day AND (o.ended_on IS NULL OR o.ended_on > :day)) ORDER BY b.id"
        ),
        {"cell": cell_id, "day": day},
    ).all()
    return _frame(rows)


def beside(session: Session, cell_id: int, day: dt.date | None) -> gpd.GeoDataFrame:
    """Return a cell and those that touch it, in force now or on a day: id, code, community_id, kind; itself first."""
    rows = session.execute(
        text(
            "SELECT o.id, o.code, o.community_id, o.kind, ST_AsBinary(o.geom) FROM unit_grid AS g JOIN unit_grid AS o"
            " ON o.territory_id = g.territory_id AND ST_Intersects(o.geom, g.geom) WHERE g.id = :cell AND (o.id = :cell"
            "  OR CAST(:day AS date) IS NULL AND o.ended_on IS NULL"
            "  OR o.started_on <= :day AND (o.ended_on IS NULL OR o.ended_on > :day)) ORDER BY o.id <> :cell, o.code"
        ),
        {"cell": cell_id, "day": day},
    ).all()
    frame = pd.DataFrame(rows, columns=["id", "code", "community_id", "kind", "wkb"])
    return gpd.GeoDataFrame(frame, geometry=shapely.from_wkb(frame.pop("wkb").to_numpy(dtype=object)), crs=4326)


def in_force(session: Session, territory_id: int, day: dt.date) -> gpd.GeoDataFrame:
    """Return the borders in force in a territory on a day: left and right as codes, kind, name, length_m."""
    rows = session.execute(
        text(
            "SELECT l.code, r.code, b.kind, b.name, b.length_m, ST_AsBinary(b.geom) FROM grid_border AS b"
            " JOIN unit_grid AS l ON l.id = b.left_id LEFT JOIN unit_grid AS r ON r.id = b.right_id"
            " WHERE b.territory_id = :territory AND NOT EXISTS (SELECT FROM unit_grid AS g"
            "  WHERE g.id IN (b.left_id, b.right_id) AND (g.started_on > :day OR g.ended_on <= :day)) ORDER BY b.id"
        ),
        {"territory": territory_id, "day": day},
    ).all()
    return _frame(rows)


def bound_on(session: Session, cell_id: int, day: dt.date) -> tuple[str, str, str | None] | None:
    """Return code and names of the responsibility grid that a cell belonged to on a day; None of none."""
    row = session.execute(
        text(
            "SELECT r.code, r.name, r.name_zh FROM grid_binding AS b LEFT JOIN responsibility_grid AS r"
            " ON r.id = b.responsibility_grid_id WHERE b.unit_grid_id = :cell AND b.started_on <= :day"
            " ORDER BY b.started_on DESC LIMIT 1"
        ),
        {"cell": cell_id, "day": day},
    ).one_or_none()
    return None if row is None or row.code is None else (row.code, row.name, row.name_zh)


def bindings_of(session: Session, cell_id: int) -> list[tuple[dt.date, str | None, str | None, str | None]]:
    """Return since when a cell belonged to which responsibility grid (code, names; None of none), the newest first."""
    rows = session.execute(
        text(
            "SELECT b.started_on, r.code, r.name, r.name_zh FROM grid_binding AS b LEFT JOIN responsibility_grid AS r"
            " ON r.id = b.responsibility_grid_id WHERE b.unit_grid_id = :cell ORDER BY b.started_on DESC"
        ),
        {"cell": cell_id},
    )
    return [(day, code, name, name_zh) for day, code, name, name_zh in rows]


def _frame(rows: Sequence[Any]) -> gpd.GeoDataFrame:
    frame = pd.DataFrame(rows, columns=[*_COLUMNS, "wkb"])
    return gpd.GeoDataFrame(frame, geometry=shapely.from_wkb(frame.pop("wkb").to_numpy(dtype=object)), crs=4326)

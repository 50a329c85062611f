"""Use cases: the form of the streets in and around cells, in force or of a draft."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from sqlalchemy.orm import Session

from core.errors import NotFound
from core.identity import Actor, May, require
from geodata.crs import project
from geodata.territory import TerritoryInfo
from grids import store, store_borders, store_changes
from grids.street_form import street_form

WITHIN_M = 1.0
"""Streets on the border of a block count for the cells on both sides."""
MEASURES = ("density_km_km2", "circuity", "entropy")


def form_of_draft(
    session: Session, actor: Actor, territory: TerritoryInfo, change_id: int, community_id: int
) -> pd.DataFrame:
    """Return the form of the streets by cell of a community of a draft: id, and what `street_form` says."""
    require(actor, May.SEE_MAP)
    cells = store_changes.cells(session, change_id, community_id)
    return _form(session, territory, cells)


def form_of_cell(session: Session, actor: Actor, territory: TerritoryInfo, cell_id: int) -> dict[str, Any]:
    """Return the form of the streets of one cell; raise `NotFound` where there is none."""
    require(actor, May.SEE_MAP)
    cells = store_borders.beside(session, cell_id, None).iloc[:1]
    if len(cells) == 0 or int(cells["id"].iloc[0]) != cell_id:
        raise NotFound(
            f"There is no cell with the number {cell_id}.", hint="Choose one on the map.",
            zh=f"没有编号为 {cell_id} 的网格。请在地图上选择。",
        )  # fmt: skip
    return {str(key): value for key, value in _form(session, territory, cells).iloc[0].items()}


def _form(session: Session, territory: TerritoryInfo, cells: gpd.GeoDataFrame) -> pd.DataFrame:
    if len(cells) == 0:
        return pd.DataFrame({"id": [], **{each: [] for each in MEASURES}})
    west, south, east, north = cells.total_bounds.tolist()
    lines = store.border_lines(session, territory.id, (west, south, east, north))
    streets = lines.geometry.to_numpy()[(lines["kind"] == "street").to_numpy()]
    metres = project(streets, territory.metric_srid) if len(streets) else np.empty(0, dtype=object)
    found = street_form(project(cells.geometry.to_numpy(), territory.metric_srid), metres, within_m=WITHIN_M)
    found.insert(0, "id", cells["id"].to_numpy())
    return found

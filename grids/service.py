"""Use cases of the grids: find the cell of a point, share cells among workers; cutting stands in `grids.making`."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound
from core.identity import Actor, May, require
from core.progress import Progress, Silent
from geodata.bulk import begin_load, finish_load
from geodata.crs import project
from geodata.territory import TerritoryInfo, communities
from grids import store
from grids.locate import Locator
from grids.making import check_actor, make_block_grid, make_grid, people_of, to_metric
from grids.model import GridCard, Located, MadeResponsibility, PeopleEstimate
from grids.responsibility import contiguous_groups
from grids.seams import neighbours

__all__ = [
    "CELLS_EACH", "PEOPLE_EACH", "estimate_people", "grid_card", "locate", "locate_one", "make_block_grid", "make_grid",
    "make_responsibility_grids", "responsibilities",
]  # fmt: skip

PEOPLE_EACH = 3_000.0
"""People in a responsibility grid unless said otherwise: what one worker can know (editable by the caller)."""
CELLS_EACH = 100.0
"""Cells in a responsibility grid where the number of people is unknown."""
_LOCATORS = 4


def locate(session: Session, territory_id: int, lon: npt.ArrayLike, lat: npt.ArrayLike) -> Located:
    """Return cell and community of each point in degrees, 0 where it lies in no cell in force."""
    lon, lat = (np.asarray(part, dtype=np.float64).ravel() for part in (lon, lat))
    srid = _metric_srid(session, territory_id)
    key = store.live_version(session, territory_id)
    known = _KNOWN.get(key)
    if known is None:
        cells = store.live_cells(session, territory_id)
        known = _locator(cells, srid), cells["id"].to_numpy(), cells["community_id"].to_numpy()
        while len(_KNOWN) >= _LOCATORS:
            _KNOWN.pop(next(iter(_KNOWN)), None)
        _KNOWN[key] = known
    return _located(known, srid, lon, lat)


def locate_one(
    session: Session, territory_id: int, lon: float, lat: float, *, day: dt.date | None = None
) -> tuple[int, int] | None:
    """Return cell, in force now or on a day, and community of one point in degrees by an index search, else None."""
    if not (np.isfinite(lon) and np.isfinite(lat)):
        return None
    srid = _metric_srid(session, territory_id)
    cells = store.cells_at(session, territory_id, lon, lat, day)
    known = _locator(cells, srid), cells["id"].to_numpy(), cells["community_id"].to_numpy()
    found = _located(known, srid, np.array([lon]), np.array([lat]))
    grid_id = int(found.grid_id[0])
    return (grid_id, int(found.community_id[0])) if grid_id else None


def estimate_people(session: Session, actor: Actor, territory: TerritoryInfo) -> PeopleEstimate:
    """Write the residents of each cell anew: the sum over buildings whose inner point lies in it.

    To be called when buildings changed after the cells were made. Without any building or cell nothing is written.
    """
    check_actor(actor, May.EDIT_GRIDS, territory.id)
    cells = store.live_cells(session, territory.id)
    if len(cells) == 0:
        return PeopleEstimate(0, 0.0, 0.0)
    people, outside = people_of(session, territory, _locator(cells, territory.metric_srid))
    if np.isnan(people).any():
        return PeopleEstimate(0, 0.0, 0.0)
    load_id = _begin(session, actor, territory, "people", people)
    changed = store.write_people(session, cells["id"].tolist(), people.tolist())
    finish_load(session, load_id, {"cells": changed})
    return PeopleEstimate(changed, float(people.sum()), outside)


def make_responsibility_grids(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    *,
    people_each: float = PEOPLE_EACH,
    cells_each: float | None = None,
    per_community: int | None = None,
    since: dt.date | None = None,
    progress: Progress | None = None,
) -> MadeResponsibility:
    """Bind the cells in force into contiguous responsibility grids, each inside one community.

    Parameters
    ----------
    people_each
        People that a responsibility grid should hold; where they are unknown, `CELLS_EACH` cells.
    cells_each
        Cells that it should hold, instead of people.
    per_community
        Number of responsibility grids in every community, instead of both. A community that no side
        joins into one whole gets at least one for each of its parts.
    since
        From which day on cells belong to theirs, of a city whose history is older than its map; today when left out.
    """
    check_actor(actor, May.EDIT_GRIDS, territory.id)
    if min(people_each, cells_each or 1, per_community or 1) <= 0:
        raise InvalidInput("A responsibility grid must hold something.", hint="Give a number above 0.")
    progress = progress or Silent()
    cells = store.live_cells(session, territory.id)
    if len(cells) == 0:
        raise InvalidInput(f"{territory.title_en} has no cells yet.", hint="Make them with 'gridkeeper grid make'.")
    community = cells["community_id"].to_numpy()
    people = cells["people"].to_numpy(dtype=np.float64, na_value=np.nan)
    counted = cells_each is not None or np.isnan(people).any() or not people.any()
    weight = np.ones(len(cells)) if counted else people
    each = (cells_each or CELLS_EACH) if counted else people_each
    targets = {
        int(one): each if per_community is None else max(float(weight[community == one].sum()) / per_community, 1e-9)
        for one in np.unique(community)
    }
    shapes = cells.geometry.to_numpy()
    centre = shapely.centroid(project(shapes, territory.metric_srid))
    place = np.stack([shapely.get_x(centre), shapely.get_y(centre)], axis=1)
    group = contiguous_groups(community, place, weight, neighbours(shapes), targets)
    areas = communities(session, territory.id).set_index("id")
    progress.step("Storing the responsibility grids", int(group.max()) + 1)
    load_id = _begin(session, actor, territory, "responsibility", group)
    owners, rank = np.zeros(len(cells), dtype=np.int64), dict.fromkeys(areas.index, 0)
    for number in range(int(group.max()) + 1):
        members = np.flatnonzero(group == number)
        area = areas.loc[int(community[members[0]])]
        rank[area.name] = position = rank[area.name] + 1
        union = shapely.union_all(shapes[members])
        row = {
            "territory": territory.id,
            "code": f"{area['code']}-R{position:02d}",
            "name": f"{area['name']} {position}",
            "name_zh": f"{area['name_zh'] or area['name']}第{position}责任网格",
            "boundary": shapely.to_wkb(shapely.multipolygons(shapely.get_parts([union]))),
        }
        owners[members] = store.write_responsibility_grid(session, row)
        progress.advance()
    changed = store.bind_cells(session, cells["id"].tolist(), owners.tolist(), since=since)
    dropped = store.drop_empty_responsibility_grids(session, territory.id)
    made = MadeResponsibility(int(group.max()) + 1, changed, dropped)
    finish_load(session, load_id, {"grids": made.grids, "cells": changed, "dropped": dropped})
    return made


def responsibilities(session: Session, territory_id: int) -> tuple[pd.DataFrame, dict[int, int]]:
    """Return the responsibility grids in force (id, community_id, cells, people), and that of each cell."""
    cells = store.live_cells(session, territory_id)
    bound = cells[cells["responsibility_grid_id"].notna()]
    owner = bound["responsibility_grid_id"].astype(np.int64)
    frame = pd.DataFrame({"id": owner, "community_id": bound["community_id"], "people": bound["people"].fillna(0.0)})
    grids = frame.groupby("id", as_index=False).agg(
        community_id=("community_id", "first"), cells=("people", "size"), people=("people", "sum")
    )
    return grids, dict(zip(bound["id"].tolist(), owner.tolist(), strict=True))


def grid_card(session: Session, actor: Actor, grid_id: int) -> GridCard:
    """Return what a side panel shows of a cell in force; raise `NotFound` elsewhere."""
    require(actor, May.SEE_MAP)
    found = store.card(session, actor.territory_id, grid_id)
    if found is None:
        raise NotFound(
            f"There is no cell with the number {grid_id}.", hint="It may have ended; choose one on the map.",
            zh=f"没有编号为 {grid_id} 的网格，可能已终止。请在地图上选择。",
        )  # fmt: skip
    return GridCard(**found, facilities=store.facilities_in(session, grid_id))


_Known = tuple[Locator, npt.NDArray[np.int64], npt.NDArray[np.int64]]
_KNOWN: dict[tuple[Any, ...], _Known] = {}


def _located(known: _Known, srid: int, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> Located:
    locator, grid_ids, community_ids = known
    index = locator.locate(*to_metric(srid).transform(lon, lat))
    # A zero behind the last cell answers for the index -1.
    grid_id, community_id = (np.append(values, 0).astype(np.int64)[index] for values in (grid_ids, community_ids))
    return Located(grid_id, community_id)


def _locator(cells: gpd.GeoDataFrame, srid: int) -> Locator:
    shapes = project(cells.geometry.to_numpy(), srid) if len(cells) else np.empty(0, dtype=object)
    sizes = cells["size_m"].astype(float).tolist()
    return Locator(shapes, cells["kind"].tolist(), sizes)


def _metric_srid(session: Session, territory_id: int) -> int:
    srid = store.metric_srid(session, territory_id)
    if srid is None:
        raise NotFound(f"There is no territory with the number {territory_id}.")
    return srid


def _begin(session: Session, actor: Actor, territory: TerritoryInfo, kind: str, content: npt.NDArray[Any]) -> int:
    """Open a load for derived numbers, so that the record keeps one bulk row instead of thousands."""
    digest = hashlib.sha256(content.tobytes()).hexdigest()
    return begin_load(
        session, territory_id=territory.id, kind=kind, source_name="cells", content_sha256=digest, actor=actor
    )

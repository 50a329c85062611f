"""Use cases of borders: why each is there is kept with the cells, through drafts, acts by hand, and publishing."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from sqlalchemy.orm import Session

from core.identity import Actor, May, require
from geodata.crs import project
from geodata.territory import TerritoryInfo, boundary_of, communities
from grids import store, store_borders, store_changes, store_versions
from grids.border_model import Stretch
from grids.border_reasons import DIRECTIONS, direction_of, reasons
from grids.change_model import Change
from grids.lattice import Bools, Ints

REGULAR = ("square", "hexagon", "h3")
"""Kinds whose borders follow from the kind: kept only where a cell of another kind is beside."""


def found_between(
    session: Session,
    territory: TerritoryInfo,
    cells: gpd.GeoDataFrame,
    *,
    near: bool = False,
    earlier: gpd.GeoDataFrame | None = None,
    by_hand: Bools | None = None,
) -> gpd.GeoDataFrame:
    """Return why borders between cells in EPSG:4326 are there, in EPSG:4326; see `grids.border_reasons.reasons`."""
    srid = territory.metric_srid
    west, south, east, north = cells.total_bounds.tolist() if near and len(cells) else (-180.0, -90.0, 180.0, 90.0)
    lines = store.border_lines(session, territory.id, (west, south, east, north) if near else None)
    metric = cells.set_geometry(project(cells.geometry.to_numpy(), srid), crs=srid)
    lines = lines.set_geometry(project(lines.geometry.to_numpy(), srid), crs=srid)
    boundary = project(np.array([boundary_of(session, territory.id)]), srid)[0]
    if earlier is not None:
        earlier = earlier.set_geometry(project(earlier.geometry.to_numpy(), srid), crs=srid)
    told = reasons(metric, lines, boundary=boundary, earlier=earlier, by_hand=by_hand)
    told = told[~shapely.is_empty(told.geometry.to_numpy())]  # shorter than what floats tell apart
    return told.set_geometry(project(told.geometry.to_numpy(), 4326, srid), crs=4326)


def note_drawn(
    session: Session, territory: TerritoryInfo, cells: gpd.GeoDataFrame, ids: Ints, change: Change | None = None
) -> None:
    """Keep why the borders of cells that were just drawn are there: in a draft, or in force where none is named."""
    if cells["kind"].isin(REGULAR).all():
        return
    found = found_between(session, territory, cells.reset_index(drop=True))
    if change is None:
        store_borders.put(session, territory.id, ids, found)
    else:
        store_borders.put_draft(session, change, ids, found)


def note_edited(  # noqa: PLR0917  (what was there, and what came instead)
    session: Session,
    territory: TerritoryInfo,
    change: Change,
    before: gpd.GeoDataFrame,
    ids: Ints,
    rest: list[int],
) -> None:
    """Keep why the borders of cells made by hand are there: what was known of them, else the hand's line."""
    new, old = (store_changes.cells(session, change.id, ids=each) for each in (ids.tolist(), rest))
    cells = gpd.GeoDataFrame(pd.concat([new, old], ignore_index=True), geometry="geometry", crs=4326)
    by_hand = np.arange(len(cells)) < len(new)
    found = found_between(session, territory, cells, near=True, earlier=before, by_hand=by_hand)
    found = found[found["left"] < len(new)]
    store_borders.put_draft(session, change, cells["id"].to_numpy(dtype=np.int64), found)


def renamed(session: Session, change: Change, before: gpd.GeoDataFrame, ids: dict[int, int]) -> None:
    """Keep the borders of cells of a draft that got other numbers."""
    known = sorted({*before["left"].astype(int), *before["right"].dropna().astype(int)})
    row = {each: at for at, each in enumerate(known)}
    now = np.array([ids.get(each, each) for each in known], dtype=np.int64)
    left = [row[int(each)] for each in before["left"]]
    right = [-1 if pd.isna(each) else row[int(each)] for each in before["right"]]
    store_borders.put_draft(session, change, now, before.assign(left=left, right=right))


def publish(
    session: Session, territory: TerritoryInfo, change: Change, new: gpd.GeoDataFrame, identities: np.ndarray
) -> None:
    """Put the borders of the new cells of a draft in force, also those with cells outside its communities."""
    if len(new) == 0:
        return
    ids, shapes = store_versions.cells_beside(session, territory.id, new.geometry.to_numpy())
    beyond = store_versions.plain_of(session, ids.tolist())
    outside = ~beyond["community_id"].isin(change.area_ids).to_numpy()
    store_borders.publish(session, change.id, new["id"].tolist(), identities, rims=not outside.any())
    if not outside.any():
        return
    edge = store_borders.of_draft(session, change.id)
    edge = edge[edge["right"].isna()]
    rim = np.isin(ids, identities)
    frame = beyond.assign(geometry=shapes)[rim | outside]
    cells = gpd.GeoDataFrame(frame.reset_index(drop=True), geometry="geometry", crs=4326)
    found = found_between(session, territory, cells, near=True, earlier=edge)
    mine = np.append(np.isin(cells["id"].to_numpy(), identities), False)
    left, right = found["left"].to_numpy(), found["right"].to_numpy()
    store_borders.put(session, territory.id, cells["id"].to_numpy(), found[(mine[left] != mine[right]) & (right >= 0)])


def borders_of(
    session: Session, actor: Actor, territory: TerritoryInfo, cell_id: int, day: dt.date | None = None
) -> list[Stretch]:
    """Return every stretch of a cell's border and why it is there, from north clockwise, as of now or of a day."""
    require(actor, May.SEE_MAP)
    around = store_borders.beside(session, cell_id, day)
    if len(around) == 0:
        return []
    kept = store_borders.of_cell(session, cell_id, day)
    srid = territory.metric_srid
    metric = around.set_geometry(project(around.geometry.to_numpy(), srid), crs=srid)
    boundary = project(np.array([boundary_of(session, territory.id)]), srid)[0]
    none = gpd.GeoDataFrame({"kind": []}, geometry=[], crs=srid)
    areas = communities(session, territory.id)
    home = areas[areas["id"] == int(around["community_id"].iloc[0])].geometry.to_numpy()
    community = project(home, srid)[0] if len(home) else None
    told = reasons(metric, none, boundary=boundary, community=community)
    told = told[told["left"] == 0]
    row = told["right"].to_numpy()
    beyond = np.where(row < 0, -1, around["id"].to_numpy()[row])
    said = {*kept["right"].dropna().astype(int), *([-1] if kept["right"].isna().any() else [])}
    unsaid = told.assign(right=np.where(beyond < 0, np.nan, beyond))[~np.isin(beyond, list(said))]
    unsaid = unsaid.set_geometry(project(unsaid.geometry.to_numpy(), 4326, srid), crs=4326)
    return _stretches(around, pd.concat([kept, unsaid], ignore_index=True), srid)


def draft_borders_of(
    session: Session, actor: Actor, territory: TerritoryInfo, change_id: int, cell_id: int
) -> list[Stretch]:
    """Return what a draft keeps of the borders of one of its cells, from north clockwise; none of regular cells."""
    require(actor, May.SEE_MAP)
    found = store_borders.of_draft(session, change_id, cells=[cell_id])
    left = found["left"].to_numpy()
    found["right"] = [other if here == cell_id else here for here, other in zip(left, found["right"], strict=True)]
    ids = [cell_id, *(int(each) for each in found["right"].dropna().unique())]
    cells = store_changes.cells(session, change_id, ids=ids)
    cells = cells.iloc[np.argsort(cells["id"].to_numpy() != cell_id, kind="stable")].reset_index(drop=True)
    return _stretches(cells, found, territory.metric_srid) if len(cells) else []


def draft_reasons(session: Session, actor: Actor, change_id: int, community_id: int) -> dict[str, float]:
    """Return metres of border of a community of a draft by reason; none of regular cells, whose borders are theirs."""
    require(actor, May.SEE_MAP)
    return store_borders.lengths_of_draft(session, change_id, community_id)


def _stretches(around: gpd.GeoDataFrame, found: pd.DataFrame, srid: int) -> list[Stretch]:
    """Return stretches of the first cell, in order of direction and length."""
    if len(found) == 0:
        return []
    names = dict(zip(around["id"].tolist(), around["code"].tolist(), strict=True))
    lines = np.asarray(found["geometry"], dtype=object)
    at = shapely.centroid(project(lines, srid))
    home = shapely.centroid(project(around.geometry.to_numpy()[:1], srid))[0]
    where = direction_of(home.x, home.y, shapely.get_x(at), shapely.get_y(at))
    made = []
    columns = (found[each].tolist() for each in ("right", "kind", "name", "length_m"))
    for right, kind, name, metres, at_side, line in zip(*columns, where.tolist(), lines, strict=True):
        beyond = None if pd.isna(right) else int(right)
        code = names.get(beyond, "") if beyond is not None else ""
        called = name if isinstance(name, str) else ""
        made.append((at_side, Stretch(kind, called, metres, DIRECTIONS[at_side], beyond, code, line)))
    return [each for _, each in sorted(made, key=lambda pair: (pair[0], -pair[1].length_m))]

"""Use cases: draft a change of grids; nothing here is in force before somebody else publishes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from core.progress import Progress, Silent
from geodata.crs import metric_srid_of, project
from geodata.territory import TerritoryInfo, communities
from grids import bordering, store, store_borders, store_changes
from grids.change_model import Change
from grids.codes import check_room
from grids.coding import codes_of, scheme_in
from grids.edits import merge_cells, move_border, renumbered, split_cell, take_corners
from grids.locate import Locator
from grids.making import check_actor, cut_blocks, people_of
from grids.partition import check_count, lattices_of, partition

WHOLE = "block", "square", "hexagon"
INCIDENT_DAYS = 90
_LISTED = 30


def start_draft(
    session: Session, actor: Actor, territory: TerritoryInfo, title: str, area_ids: Sequence[int] = ()
) -> Change:
    """Return a draft that holds the cells in force of some communities; of all the actor reaches when none is named.

    Raises
    ------
    NotPermitted
        Communities outside the reach of a grid manager.
    """
    check_actor(actor, May.PROPOSE_GRIDS, territory.id)
    reach = _reach(session, actor, territory)
    chosen = sorted(set(area_ids)) or reach
    if not chosen:
        raise InvalidInput(
            f"{territory.title_en} has no communities.", hint="Load its map first.", zh="此地区尚无社区，请先载入地图。"
        )
    if not set(chosen) <= set(reach):
        raise NotPermitted(
            "You may draft only the communities of your own area.",
            hint="Choose among them, or ask for a wider area.",
            zh="只能为本人管辖的社区拟定草案，请在其中选择，或申请扩大管辖范围。",
        )
    if not title.strip():
        raise InvalidInput(
            "The draft has no title.", hint="Say in a few words what it is for.", zh="请用几个字写明草案的用途。"
        )
    change_id = store_changes.add(session, territory.id, title.strip(), chosen, actor.user_id)
    store_changes.copy_live(session, change_id)
    store_borders.copy_live(session, change_id)
    change = get_change(session, actor, change_id)
    return saved(session, change, {"facts": {"base": store_changes.standing(session, chosen)}})


def get_change(session: Session, actor: Actor, change_id: int) -> Change:
    """Return a change; raise `NotFound` outside the territory."""
    require(actor, May.SEE_MAP)
    return find_change(session, actor, change_id)


def find_change(session: Session, actor: Actor, change_id: int, *, lock: bool = False) -> Change:
    """Return a change of the actor's territory, whatever its state, locked where it will be written."""
    found = store_changes.find(session, actor.territory_id, change_id, lock=lock)
    if found is None:
        raise NotFound(
            f"There is no change of grids with the number {change_id}.",
            hint="Choose one from the list.",
            zh="没有这份草案，请从列表中选择。",
        )
    return found


def list_changes(session: Session, actor: Actor, territory_id: int) -> list[Change]:
    """Return the newest changes, those that wait first."""
    require(actor, May.SEE_MAP)
    return store_changes.known(session, territory_id, _LISTED)


def draft_cells(session: Session, actor: Actor, change_id: int, community_id: int | None = None) -> gpd.GeoDataFrame:
    """Return the cells of a change in EPSG:4326, of one community or of all."""
    get_change(session, actor, change_id)
    return store_changes.cells(session, change_id, community_id)


def ground_key(session: Session, actor: Actor, change_id: int) -> tuple[int, int]:
    """Return what changes whenever a cell of a change gets another ground; its numbers may be kept until then."""
    require(actor, May.SEE_MAP)
    return store_changes.ground_key(session, change_id)


def extent_of(
    session: Session, actor: Actor, change_id: int, community_id: int | None = None
) -> tuple[float, float, float, float] | None:
    """Return west, south, east and north of the cells of a change, of one community or of all; None without any."""
    require(actor, May.SEE_MAP)
    return store_changes.extent(session, change_id, community_id)


def cells_on(session: Session, actor: Actor, change_id: int, line: shapely.LineString) -> list[int]:
    """Return the cells of a change that a line in degrees runs through, the one with most of it first."""
    require(actor, May.SEE_MAP)
    return store_changes.cells_on(session, change_id, line)


def draw(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    change_id: int,
    *,
    kind: str,
    size: float,
    progress: Progress | None = None,
) -> Change:
    """Cut the communities of a draft anew, number and code the cells; returns the change.

    Parameters
    ----------
    size
        Width in metres of squares and hexagons; area in m² of blocks as wished.
    """
    change = own_draft(session, actor, change_id)
    if kind not in WHOLE:
        raise InvalidInput(
            f"There is no method “{kind}”.", hint=f"Known are: {', '.join(WHOLE)}.", zh="没有这种划分方法。"
        )
    progress = progress or Silent()
    areas = communities(session, territory.id).rename(columns={"id": "community_id"})
    areas = areas[areas["community_id"].isin(change.area_ids)].reset_index(drop=True)
    metric = areas.set_geometry(project(areas.geometry.to_numpy(), territory.metric_srid), crs=territory.metric_srid)
    if kind == "block":
        lines = store.border_lines(session, territory.id)
        cells = cut_blocks(session, territory, metric, lines, target_m2=size, progress=progress)
    else:
        check_count(metric, lattices_of(list(metric["community_id"]), kind=kind, size_m=size))
        cells = partition(metric, kind=kind, size_m=size, progress=progress)
    progress.step("Numbering and coding")
    cells["code"] = codes_of(session, territory, areas, cells, change.facts.get("coding"))
    progress.step("Counting people")
    locator = Locator(cells.geometry.to_numpy(), cells["kind"].tolist(), cells["size_m"].tolist())
    cells["people"], _ = people_of(session, territory, locator)
    progress.step("Keeping the cells")
    cells["area"] = ""
    cells = cells.set_geometry(project(cells.geometry.to_numpy(), 4326, territory.metric_srid), crs=4326)
    return replaced(session, territory, change, cells, {"drawn": {"kind": kind, "size": size}, "balanced": None})


def replaced(
    session: Session, territory: TerritoryInfo, change: Change, cells: gpd.GeoDataFrame, facts: Mapping[str, Any]
) -> Change:
    """Put cells (see `grids.store_changes.put`) in the place of all that an own draft holds, and return it."""
    store_changes.remove(session, change.id, None)
    bordering.note_drawn(session, territory, cells, store_changes.put(session, change, cells), change)
    return _touched(session, change, facts)


def split(  # noqa: PLR0917  (who, where, what, and how)
    session: Session, actor: Actor, territory: TerritoryInfo, change_id: int, cell_id: int, line: shapely.LineString
) -> Change:
    """Split a cell of a draft along a line in EPSG:4326; the parts get the next numbers of the community."""
    change, frame = _picked(session, actor, change_id, [cell_id])
    cell = frame.iloc[0]
    parts = split_cell(cell.geometry, line, measure=_measure(territory))
    return _replace(
        session, territory, change, frame, [int(cell["community_id"])] * len(parts), parts, [0] * len(parts)
    )


def merge(session: Session, actor: Actor, territory: TerritoryInfo, change_id: int, cell_ids: Sequence[int]) -> Change:
    """Merge cells of a draft; the new one gets the next number, and the responsibility grid of the largest."""
    change, frame = _picked(session, actor, change_id, cell_ids)
    union = merge_cells(frame.geometry.to_numpy(), frame["community_id"].to_numpy())
    largest = int(np.argmax(frame["area_m2"].to_numpy()))
    parts = np.array([union])
    return _replace(session, territory, change, frame, [int(frame["community_id"].iloc[0])], parts, [largest])


def shift_border(  # noqa: PLR0917  (who, where, what, and how)
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    change_id: int,
    cell_ids: Sequence[int],
    line: shapely.LineString,
) -> Change:
    """Give two neighbours of a draft a new border along a line in EPSG:4326; both become new cells."""
    change, frame = _picked(session, actor, change_id, cell_ids)
    if len(frame) != 2:
        raise InvalidInput(
            "A border lies between two cells.",
            hint="Pick exactly two neighbours.",
            zh="边界位于两个网格之间，请让所画的线只穿过两个相邻网格。",
        )
    if len(set(frame["community_id"])) != 1:
        raise InvalidInput(
            "These cells lie in two communities, and their border is the community line.",
            hint="Pick two cells of one community.",
            zh="两个网格分属两个社区，其边界即社区界线，请选同一社区的两个网格。",
        )
    one, other = frame.geometry
    parts = np.array(move_border(one, other, line, measure=_measure(territory)))
    return _replace(session, territory, change, frame, frame["community_id"].tolist(), parts, [0, 1])


def renumber(session: Session, actor: Actor, territory: TerritoryInfo, change_id: int, community_id: int) -> Change:
    """Give the cells of a community new numbers from 1, from north-west to south-east; another code is a new cell."""
    change = own_draft(session, actor, change_id)
    frame = store_changes.cells(session, change_id, community_id)
    if len(frame) == 0:
        raise InvalidInput(
            "This community has no cell in the draft.",
            hint="Choose another one.",
            zh="此社区在草案中没有网格，请选择其他社区。",
        )
    metres = project(frame.geometry.to_numpy(), territory.metric_srid)
    frame["sequence"] = renumbered(frame["community_id"].to_numpy(), metres)
    areas = communities(session, territory.id).rename(columns={"id": "community_id"})
    codes = codes_of(session, territory, areas, frame, change.facts.get("coding"))
    other = np.array(codes) != frame["code"].to_numpy()
    frame["code"] = codes
    old = frame["id"][other].tolist()
    before = store_borders.of_draft(session, change_id, cells=old)
    store_changes.remove(session, change_id, old)
    new = store_changes.put(session, change, frame[other])
    bordering.renamed(session, change, before, dict(zip(old, new.tolist(), strict=True)))
    return _touched(session, change, {})


def move_cells(session: Session, actor: Actor, change_id: int, cell_ids: Sequence[int], area: str) -> Change:
    """Give cells of a draft to a responsibility grid; it must stay in one piece, and so must those that lose them."""
    from grids.rebalancing import check_contiguous

    change, picked = _picked(session, actor, change_id, cell_ids)
    frame = store_changes.cells(session, change_id, areas=sorted({area, *picked["area"]} - {""}))
    if area not in set(frame["area"]):
        raise InvalidInput(
            f"The draft has no responsibility grid “{area}”.",
            hint="Choose one of its own.",
            zh=f"草案中没有责任网格“{area}”，请选择草案中已有的责任网格。",
        )
    loose = picked[picked["area"] == ""]  # cells of no responsibility grid yet
    frame = gpd.GeoDataFrame(pd.concat([frame, loose], ignore_index=True), crs=4326) if len(loose) else frame
    before = frame["area"].to_numpy(dtype=object)
    after = np.where(frame["id"].isin(picked["id"]), area, before)
    west, south, east, north = frame.total_bounds
    metres = project(frame.geometry.to_numpy(), metric_srid_of((west + east) / 2, (south + north) / 2))
    check_contiguous(metres, after, before, {area, *picked["area"]} - {""})
    store_changes.set_areas(session, change_id, picked["id"].tolist(), [area] * len(picked))
    return _touched(session, change, {})


def withdraw(session: Session, actor: Actor, change_id: int) -> Change:
    """Give up an own draft; its cells go."""
    change = own_draft(session, actor, change_id)
    store_changes.remove(session, change_id, None)
    return saved(session, change, {"state": "withdrawn"})


def own_draft(session: Session, actor: Actor, change_id: int) -> Change:
    """Return a draft that the actor may change, locked; raise where it is another's or no draft any more."""
    require(actor, May.PROPOSE_GRIDS)
    change = find_change(session, actor, change_id, lock=True)
    if change.state != "draft":
        raise Conflict(
            f"“{change.title}” is {change.state} and cannot be changed.",
            hint="Take it back, or begin a new draft.",
            zh="此草案已不在拟定状态，不能修改，请先收回，或另起草案。",
        )
    if actor.role is not Role.SYSTEM and change.author_id != actor.user_id:
        raise NotPermitted(
            "This draft is somebody else's.", hint="Begin one of your own.", zh="此草案由他人拟定，请另起草案。"
        )
    return change


def saved(session: Session, change: Change, values: Mapping[str, Any]) -> Change:
    """Write values of a change and return it; raise `Conflict` when somebody else was faster."""
    if not store_changes.write(session, change.id, change.version, values):
        raise Conflict(
            f"“{change.title}” was changed meanwhile.", hint="Look at it again.", zh="此草案刚被修改，请重新查看。"
        )
    found = store_changes.find(session, change.territory_id, change.id)
    return found or dataclasses.replace(change, version=change.version + 1)


def _touched(session: Session, change: Change, facts: Mapping[str, Any]) -> Change:
    return saved(session, change, {"facts": {**change.facts, **facts}})


def _reach(session: Session, actor: Actor, territory: TerritoryInfo) -> list[int]:
    every = store_changes.communities_of(session, territory.id)
    if actor.role is not Role.GRID_MANAGER:
        return every
    return [each for each in every if each in actor.area_ids]


def _picked(session: Session, actor: Actor, change_id: int, cell_ids: Sequence[int]) -> tuple[Change, gpd.GeoDataFrame]:
    change = own_draft(session, actor, change_id)
    picked = store_changes.cells(session, change_id, ids=list(cell_ids))
    if len(picked) != len(set(cell_ids)) or len(picked) == 0:
        raise NotFound(
            "A picked cell is not in the draft any more.",
            hint="Pick again on the map.",
            zh="所选网格已不在草案中，请在地图上重新选择。",
        )
    return change, picked


def _measure(territory: TerritoryInfo) -> Any:
    def areas(shapes: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
        return shapely.area(project(np.asarray(shapes, dtype=object), territory.metric_srid))

    return areas


def _replace(  # noqa: PLR0917  (what goes, and what comes instead)
    session: Session,
    territory: TerritoryInfo,
    change: Change,
    old: gpd.GeoDataFrame,
    community: Sequence[int],
    parts: npt.NDArray[np.object_],
    heir_of: Sequence[int],
) -> Change:
    """Put cells in the place of others: next numbers of the community, people of their buildings, areas of heirs."""
    metres = project(parts, territory.metric_srid)
    locator = Locator(metres, ["block"] * len(parts), [float("nan")] * len(parts))
    people, _ = people_of(session, territory, locator)
    known = store_changes.cells(session, change.id, int(community[0]))
    highest = max(
        int(known["sequence"].max()), store_changes.highest_sequences(session, community).get(int(community[0]), 0)
    )
    areas = communities(session, territory.id).rename(columns={"id": "community_id"})
    name = str(areas.set_index("community_id")["name"][int(community[0])])
    coding = change.facts.get("coding")
    scheme = scheme_in(session, territory.id, (coding or {}).get("scheme") or territory.code_scheme)
    check_room(scheme, name, highest + len(parts))
    frame = gpd.GeoDataFrame(
        {
            "community_id": list(community),
            "area": [old["area"].iloc[each] for each in heir_of],
            "sequence": np.arange(highest + 1, highest + 1 + len(parts)),
            "kind": [old["kind"].iloc[each] for each in heir_of],
            "size_m": np.nan,
            "area_m2": shapely.area(metres),
            "people": people,
        },
        geometry=list(parts),
        crs=4326,
    )
    frame["code"] = codes_of(session, territory, areas, frame, coding)
    before = store_borders.of_draft(session, change.id, cells=old["id"].tolist())
    store_changes.remove(session, change.id, old["id"].tolist())
    ids = store_changes.put(session, change, frame)
    rest = store_changes.cells_beside(session, change.id, parts)
    rest = rest[~rest["code"].isin(frame["code"])].reset_index(drop=True)
    rows, seamed = take_corners(rest.geometry.to_numpy(), parts)
    store_changes.reshape(session, rest["id"].to_numpy()[rows].tolist(), seamed)
    bordering.note_edited(session, territory, change, before, ids, rest["id"].tolist())
    return _touched(session, change, {})

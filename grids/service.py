"""Use cases of the grids: cut a territory, find the cell of a point, share cells among workers."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from pyproj import Transformer
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, require
from core.progress import Progress, Silent
from geodata.bulk import begin_load, copy_rows, finish_load
from geodata.crs import project
from geodata.territory import TerritoryInfo, boundary_of, communities
from grids import store
from grids.codes import check_room, make_code, scheme_of
from grids.locate import Locator
from grids.model import GridCard, Located, MadeGrid, MadeResponsibility, PeopleEstimate
from grids.partition import check_count, lattices_of, partition
from grids.responsibility import contiguous_groups
from grids.seams import neighbours

PEOPLE_EACH = 3_000.0
"""People in a responsibility grid unless said otherwise: what one worker can know (editable by the caller)."""
CELLS_EACH = 100.0
"""Cells in a responsibility grid where the number of people is unknown."""
_COVERS_SHARE = 1 - 1e-6
_LOCATORS = 4


def make_grid(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    *,
    kind: str,
    size_m: float | Mapping[int, float],
    town_size_m: float | None = None,
    progress: Progress | None = None,
    replace: bool = False,
) -> MadeGrid:
    """Cut the communities of a territory into cells, number and store them, and return what came of it.

    Each cell gets the people of the buildings in it, where buildings are known. The same grid again
    writes nothing. Another grid ends the earlier cells: those an incident refers to get an end date
    and stay, so that it still resolves; unused ones are removed.

    Parameters
    ----------
    size_m
        Width of a cell in metres (see `grids.lattice.Lattice`), for all or by community id.
    town_size_m
        Width in communities that are towns; None takes ``size_m``.
    replace
        Allow earlier cells to end.

    Raises
    ------
    InvalidInput
        Bad kind or size, too many cells, no communities, codes without room, or other cells in force
        without ``replace``.
    """
    _require(actor, May.EDIT_GRIDS, territory.id)
    began = time.perf_counter()
    progress = progress or Silent()
    store.lock_territory(session, territory.id)
    areas = communities(session, territory.id).rename(columns={"id": "community_id"})
    if len(areas) == 0:
        raise InvalidInput(
            f"{territory.title_en} has no communities to cut into cells.",
            hint="Load its map with 'gridkeeper load osm', or make the territory with a boundary.",
        )
    wanted = _sizes(areas, size_m, town_size_m)
    metric = areas.set_geometry(project(areas.geometry.to_numpy(), territory.metric_srid), crs=territory.metric_srid)
    check_count(metric, lattices_of(list(areas["community_id"]), kind=kind, size_m=wanted))
    boundary_m2 = float(shapely.area(project(np.array([boundary_of(session, territory.id)]), territory.metric_srid)[0]))
    fingerprint = _fingerprint(territory, areas, kind, wanted)
    live, last = store.count_live(session, territory.id), store.last_load(session, territory.id)
    if live and last is not None and last.content_sha256 == fingerprint and last.counts.get("cells") == live:
        return MadeGrid(
            cells=live,
            area_m2=float(last.counts["area_m2"]),
            boundary_area_m2=boundary_m2,
            seconds=time.perf_counter() - began,
            unchanged=True,
            largest_community=int(last.counts["largest_community"]),
            people=store.sum_people(session, territory.id),
            hint="This very grid was there already; nothing was changed.",
        )
    if live and not replace:
        there = ", ".join(
            f"{name} {size:g} m" if size else name for name, size in store.live_kinds(session, territory.id)
        )
        raise InvalidInput(
            f"{territory.title_en} has {live:,} cells already ({there}).",
            hint="Say --replace to end them and make new ones; incidents keep the cells they were filed under.",
        )
    cells = partition(metric, kind=kind, size_m=wanted, progress=progress)
    codes = _codes(session, territory, areas, cells)
    locator = Locator(cells.geometry.to_numpy(), [kind] * len(cells), cells["size_m"].tolist())
    people, _ = _people(session, territory, locator)
    progress.step("Storing the cells", len(cells))
    load_id = begin_load(
        session,
        territory_id=territory.id,
        kind=store.LOAD_KIND,
        source_name=f"{kind} {', '.join(f'{size:g} m' for size in sorted(set(wanted.values())))}",
        content_sha256=fingerprint,
        actor=actor,
    )
    today = now().astimezone(territory.zone).date()
    ended, removed = store.end_live_cells(session, territory.id, today) if live else (0, 0)
    count = len(cells)
    copy_rows(
        session,
        "unit_grid",
        {
            "territory_id": np.full(count, territory.id),
            "community_id": cells["community_id"].to_numpy(),
            "scheme": [territory.code_scheme] * count,
            "code": codes,
            "sequence": cells["sequence"].to_numpy(),
            "kind": [kind] * count,
            "size_m": cells["size_m"].to_numpy(),
            "area_m2": cells["area_m2"].to_numpy(),
            "people": people,
            "started_on": [today] * count,
            "geom": project(cells.geometry.to_numpy(), 4326, territory.metric_srid),
        },
    )
    progress.advance(count)
    made = MadeGrid(
        cells=count,
        area_m2=float(cells["area_m2"].sum()),
        boundary_area_m2=boundary_m2,
        seconds=time.perf_counter() - began,
        ended=ended,
        removed=removed,
        largest_community=int(cells["sequence"].max()),
        people=None if np.isnan(people).any() else round(float(people.sum()), 1),
        hint=_hint(float(cells["area_m2"].sum()), boundary_m2, ended),
    )
    finish_load(session, load_id, made.as_dict())
    return made


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


def locate_one(session: Session, territory_id: int, lon: float, lat: float) -> tuple[int, int] | None:
    """Return cell and community of one point in degrees by an index search; None outside every cell."""
    if not (np.isfinite(lon) and np.isfinite(lat)):
        return None
    srid = _metric_srid(session, territory_id)
    cells = store.cells_at(session, territory_id, lon, lat)
    known = _locator(cells, srid), cells["id"].to_numpy(), cells["community_id"].to_numpy()
    found = _located(known, srid, np.array([lon]), np.array([lat]))
    grid_id = int(found.grid_id[0])
    return (grid_id, int(found.community_id[0])) if grid_id else None


def estimate_people(session: Session, actor: Actor, territory: TerritoryInfo) -> PeopleEstimate:
    """Write the residents of each cell anew: the sum over buildings whose inner point lies in it.

    To be called when buildings changed after the cells were made. Without any building or cell nothing is written.
    """
    _require(actor, May.EDIT_GRIDS, territory.id)
    cells = store.live_cells(session, territory.id)
    if len(cells) == 0:
        return PeopleEstimate(0, 0.0, 0.0)
    people, outside = _people(session, territory, _locator(cells, territory.metric_srid))
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
    """
    _require(actor, May.EDIT_GRIDS, territory.id)
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
    changed = store.bind_cells(session, cells["id"].tolist(), owners.tolist())
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
        raise NotFound(f"There is no cell with the number {grid_id}.", hint="It may have ended; choose one on the map.")
    return GridCard(**found, facilities=store.facilities_in(session, grid_id))


_Known = tuple[Locator, npt.NDArray[np.int64], npt.NDArray[np.int64]]
_KNOWN: dict[tuple[Any, ...], _Known] = {}


@lru_cache(maxsize=8)
def _to_metric(srid: int) -> Transformer:
    return Transformer.from_crs(4326, srid, always_xy=True)


def _people(session: Session, territory: TerritoryInfo, locator: Locator) -> tuple[npt.NDArray[np.float64], float]:
    """Return people of each cell (NaN while no building is known), and people outside every cell."""
    buildings = store.buildings(session, territory.id)
    if len(buildings) == 0:
        return np.full(len(locator), np.nan), 0.0
    index = locator.locate(*_to_metric(territory.metric_srid).transform(buildings[:, 0], buildings[:, 1]))
    inside = index >= 0
    people = np.bincount(index[inside], weights=buildings[inside, 2], minlength=len(locator))
    return np.round(people, 6), float(buildings[~inside, 2].sum())


def _located(known: _Known, srid: int, lon: npt.NDArray[np.float64], lat: npt.NDArray[np.float64]) -> Located:
    locator, grid_ids, community_ids = known
    index = locator.locate(*_to_metric(srid).transform(lon, lat))
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


def _require(actor: Actor, capability: May, territory_id: int) -> None:
    require(actor, capability)
    if actor.territory_id not in {None, territory_id}:
        raise NotPermitted("You act for another territory.", hint="Change the territory first.")


def _sizes(
    areas: gpd.GeoDataFrame,
    size_m: float | Mapping[int, float],
    town_size_m: float | None,
) -> dict[int, float]:
    """Return the cell size of each community."""
    sizes = {}
    for identity, settlement in zip(areas["community_id"], areas["settlement"], strict=True):
        given = size_m.get(identity) if isinstance(size_m, Mapping) else size_m
        chosen = town_size_m if town_size_m is not None and settlement == "town" else given
        if chosen is not None:
            sizes[int(identity)] = float(chosen)
    return sizes


def _fingerprint(territory: TerritoryInfo, areas: gpd.GeoDataFrame, kind: str, sizes: Mapping[int, float]) -> str:
    """Return a hash of all that decides the cells."""
    facts = [territory.metric_srid, territory.code_scheme, kind, sorted(sizes.items())]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for identity, code, shape in zip(areas["community_id"], areas["code"], areas.geometry, strict=True):
        digest.update(f"{identity} {code}".encode() + shapely.to_wkb(shape))
    return digest.hexdigest()


def _codes(session: Session, territory: TerritoryInfo, areas: gpd.GeoDataFrame, cells: gpd.GeoDataFrame) -> list[str]:
    """Return the code of each cell; refuses where the scheme has no room."""
    scheme = scheme_of(territory.code_scheme)
    parents = store.parent_codes(session, territory.id)
    names, community_codes = (
        dict(zip(areas["community_id"], areas[column], strict=True)) for column in ("name", "code")
    )
    for identity, largest in cells.groupby("community_id")["sequence"].max().items():
        check_room(scheme, str(names[identity]), int(largest))
    codes = []
    for identity, sequence in zip(cells["community_id"], cells["sequence"], strict=True):
        district, street = parents[identity]
        community = str(community_codes[identity])
        parts = make_code(scheme, district=district, street=street, community=community, sequence=int(sequence))
        codes.append(parts.text)
    return codes


def _begin(session: Session, actor: Actor, territory: TerritoryInfo, kind: str, content: npt.NDArray[Any]) -> int:
    """Open a load for derived numbers, so that the record keeps one bulk row instead of thousands."""
    digest = hashlib.sha256(content.tobytes()).hexdigest()
    return begin_load(
        session, territory_id=territory.id, kind=kind, source_name="cells", content_sha256=digest, actor=actor
    )


def _hint(area_m2: float, boundary_m2: float, ended: int) -> str:
    hints = []
    if area_m2 < boundary_m2 * _COVERS_SHARE:
        hints.append(f"The communities cover {area_m2 / boundary_m2:.2%} of the territory; the rest has no cells.")
    if ended:
        hints.append(f"{ended:,} earlier cells have incidents; they ended today and stay for those.")
    return " ".join(hints)

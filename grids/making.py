"""Use case: cut a territory into cells, number them and put them in force."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import InvalidInput, NotPermitted
from core.identity import Actor, May, require
from core.progress import Progress, Silent
from geodata.bulk import begin_load, copy_rows, finish_load, reserve_ids
from geodata.crs import project
from geodata.territory import TerritoryInfo, boundary_of, communities
from grids import bordering, homing, store
from grids.blocks import TARGET_M2, street_blocks
from grids.built_up import BuiltUp
from grids.coding import codes_of
from grids.locate import Locator
from grids.model import MadeGrid
from grids.partition import check_count, lattices_of, partition

_COVERS_SHARE = 1 - 1e-6
_BLOCKS = "block"
_BLOCK_RULES = 2
"""Goes up when the same streets would make other blocks."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """Cells somebody wants: their name, a hash of all that decides them, the communities, and how to cut."""

    name: str
    fingerprint: str
    areas: gpd.GeoDataFrame
    cut: Callable[[], gpd.GeoDataFrame]
    replace: bool
    since: dt.date | None = None


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
    since: dt.date | None = None,
) -> MadeGrid:
    """Cut the communities of a territory into regular cells, number and store them, and return what came of it.

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
    since
        First day of the cells, of a city whose history is older than its map; today when left out.

    Raises
    ------
    InvalidInput
        Bad kind or size, too many cells, no communities, codes without room, or other cells in force
        without ``replace``.
    """
    check_actor(actor, May.EDIT_GRIDS, territory.id)
    began = time.perf_counter()
    progress = progress or Silent()
    areas, metric = _areas(session, territory)
    wanted = _sizes(areas, size_m, town_size_m)
    check_count(metric, lattices_of(list(areas["community_id"]), kind=kind, size_m=wanted))
    fingerprint = _fingerprint(territory, areas, kind, sorted(wanted.items()))
    name = f"{kind} {', '.join(f'{size:g} m' for size in sorted(set(wanted.values())))}"

    def cut() -> gpd.GeoDataFrame:
        return partition(metric, kind=kind, size_m=wanted, progress=progress)

    wish = _Wish(name, fingerprint, areas, cut, replace, since)
    return _put_in_force(session, actor, territory, wish, began=began, progress=progress)


def make_block_grid(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    *,
    target_m2: float = TARGET_M2,
    progress: Progress | None = None,
    replace: bool = False,
) -> MadeGrid:
    """Cut the communities of a territory along their streets and rivers, and put the blocks in force.

    Everything else is as `make_grid` says: people, codes, the same again, earlier cells, errors.

    Parameters
    ----------
    target_m2
        Area of a block as wished; see `grids.blocks.street_blocks`.
    """
    check_actor(actor, May.EDIT_GRIDS, territory.id)
    began = time.perf_counter()
    progress = progress or Silent()
    areas, metric = _areas(session, territory)
    lines = store.border_lines(session, territory.id)
    shapes = lines.geometry.to_numpy()
    content = hashlib.sha256(b"".join(shapely.to_wkb(shapes)) + "|".join(lines["kind"]).encode()).hexdigest()
    fingerprint = _fingerprint(territory, areas, _BLOCKS, [target_m2, content, _BLOCK_RULES])

    def cut() -> gpd.GeoDataFrame:
        return cut_blocks(session, territory, metric, lines, target_m2=target_m2, progress=progress)

    wish = _Wish(f"block {target_m2:g} m²", fingerprint, areas, cut, replace)
    return _put_in_force(session, actor, territory, wish, began=began, progress=progress)


def cut_grid(  # noqa: PLR0917  (who, where, what)
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    kind: str,
    path: Path,
    cut: Callable[[], gpd.GeoDataFrame],
    *,
    replace: bool,
    progress: Progress,
) -> MadeGrid:
    """Put cells that came of a file in force; the same file again writes nothing."""
    began = time.perf_counter()
    areas, _ = _areas(session, territory)
    content = hashlib.sha256(path.read_bytes()).hexdigest()
    wish = _Wish(f"{kind} {path.name}", _fingerprint(territory, areas, kind, [content]), areas, cut, replace)
    return _put_in_force(session, actor, territory, wish, began=began, progress=progress)


def cut_blocks(
    session: Session,
    territory: TerritoryInfo,
    metric: gpd.GeoDataFrame,
    lines: gpd.GeoDataFrame,
    *,
    target_m2: float,
    progress: Progress,
) -> gpd.GeoDataFrame:
    """Return communities in metres as blocks along lines in degrees; the town is where buildings are."""
    metres = project(lines.geometry.to_numpy(), territory.metric_srid)
    projected = lines.set_geometry(metres, crs=territory.metric_srid)
    streets = metres[(lines["kind"] == "street").to_numpy()]
    places = store.buildings(session, territory.id)
    at = shapely.points(*to_metric(territory.metric_srid).transform(places[:, 0], places[:, 1]))
    return street_blocks(metric, projected, target_m2=target_m2, built_up=BuiltUp.of(streets, at), progress=progress)


def _areas(session: Session, territory: TerritoryInfo) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Return the communities in degrees and in metres, nobody else drawing meanwhile; refuse where there is none."""
    store.lock_territory(session, territory.id)
    areas = communities(session, territory.id).rename(columns={"id": "community_id"})
    if len(areas) == 0:
        raise InvalidInput(
            f"{territory.title_en} has no communities to cut into cells.",
            hint="Load its map with 'gridkeeper load osm', or make the territory with a boundary.",
        )
    metric = project(areas.geometry.to_numpy(), territory.metric_srid)
    return areas, areas.set_geometry(metric, crs=territory.metric_srid)


def _put_in_force(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    wish: _Wish,
    *,
    began: float,
    progress: Progress,
) -> MadeGrid:
    """Cut, unless the very same cells are in force, end the earlier ones, and store the new."""
    boundary_m2 = float(shapely.area(project(np.array([boundary_of(session, territory.id)]), territory.metric_srid)[0]))
    live, last = store.count_live(session, territory.id), store.last_load(session, territory.id)
    if live and last is not None and last.content_sha256 == wish.fingerprint and last.counts.get("cells") == live:
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
    if live and not wish.replace:
        there = ", ".join(
            f"{kind} {size:g} m" if size else kind for kind, size in store.live_kinds(session, territory.id)
        )
        raise InvalidInput(
            f"{territory.title_en} has {live:,} cells already ({there}).",
            hint="Say --replace to end them and make new ones; incidents keep the cells they were filed under.",
        )
    cells = wish.cut()
    codes = codes_of(session, territory, wish.areas, cells)
    locator = Locator(cells.geometry.to_numpy(), cells["kind"].tolist(), cells["size_m"].tolist())
    people, _ = people_of(session, territory, locator)
    progress.step("Storing the cells", len(cells))
    load_id = begin_load(
        session,
        territory_id=territory.id,
        kind=store.LOAD_KIND,
        source_name=wish.name,
        content_sha256=wish.fingerprint,
        actor=actor,
    )
    today = now().astimezone(territory.zone).date()
    ended, removed = store.end_live_cells(session, territory.id, today) if live else (0, 0)
    count = len(cells)
    sizes = cells["size_m"].to_numpy(dtype=np.float64)
    ids, degrees = (
        reserve_ids(session, "unit_grid", count),
        project(cells.geometry.to_numpy(), 4326, territory.metric_srid),
    )
    copy_rows(
        session,
        "unit_grid",
        {
            "id": ids,
            "territory_id": np.full(count, territory.id),
            "community_id": cells["community_id"].to_numpy(),
            "scheme": [territory.code_scheme] * count,
            "code": codes,
            "sequence": cells["sequence"].to_numpy(),
            "kind": cells["kind"].tolist(),
            "size_m": sizes,  # NaN, of cells without a lattice, is stored as unknown
            "area_m2": cells["area_m2"].to_numpy(),
            "people": people,
            "started_on": [wish.since if wish.since and not live else today] * count,
            "geom": degrees,
        },
    )
    bordering.note_drawn(session, territory, cells.set_geometry(degrees, crs=4326), ids)
    if live:
        homing.move_all(session, territory.id, today)
    progress.advance(count)
    area_m2 = float(cells["area_m2"].sum())
    made = MadeGrid(
        cells=count,
        area_m2=area_m2,
        boundary_area_m2=boundary_m2,
        seconds=time.perf_counter() - began,
        ended=ended,
        removed=removed,
        largest_community=int(cells["sequence"].max()),
        people=None if np.isnan(people).any() else round(float(people.sum()), 1),
        hint=_hint(area_m2, boundary_m2, ended),
    )
    finish_load(session, load_id, made.as_dict())
    return made


@lru_cache(maxsize=8)
def to_metric(srid: int) -> Transformer:
    """Return what turns longitude and latitude into metres."""
    return Transformer.from_crs(4326, srid, always_xy=True)


def people_of(session: Session, territory: TerritoryInfo, locator: Locator) -> tuple[npt.NDArray[np.float64], float]:
    """Return people of each cell (NaN while no building is known), and people outside every cell."""
    buildings = store.buildings(session, territory.id)
    if len(buildings) == 0:
        return np.full(len(locator), np.nan), 0.0
    index = locator.locate(*to_metric(territory.metric_srid).transform(buildings[:, 0], buildings[:, 1]))
    inside = index >= 0
    people = np.bincount(index[inside], weights=buildings[inside, 2], minlength=len(locator))
    return np.round(people, 6), float(buildings[~inside, 2].sum())


def check_actor(actor: Actor, capability: May, territory_id: int) -> None:
    """Return when the actor may, in this territory; else raise `NotPermitted`."""
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


def _fingerprint(territory: TerritoryInfo, areas: gpd.GeoDataFrame, kind: str, rules: list[Any]) -> str:
    """Return a hash of all that decides the cells."""
    facts = [territory.metric_srid, territory.code_scheme, kind, rules]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for identity, code, shape in zip(areas["community_id"], areas["code"], areas.geometry, strict=True):
        digest.update(f"{identity} {code}".encode() + shapely.to_wkb(shape))
    return digest.hexdigest()


def _hint(area_m2: float, boundary_m2: float, ended: int) -> str:
    hints = []
    if area_m2 < boundary_m2 * _COVERS_SHARE:
        hints.append(f"The communities cover {area_m2 / boundary_m2:.2%} of the territory; the rest has no cells.")
    if ended:
        hints.append(f"{ended:,} earlier cells have incidents; they ended today and stay for those.")
    return " ".join(hints)

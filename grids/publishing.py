"""Use cases: compare a draft of grids with today, submit it, send it back, and put it in force."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, DataQuality, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, May, Role, require
from geodata.bulk import begin_load, copy_rows, finish_load, reserve_ids
from geodata.crs import project
from geodata.territory import TerritoryInfo
from grids import bordering, homing, recoding, store, store_borders, store_changes, store_comparing, store_versions
from grids.change_model import Change, Comparison, GridFile, Published
from grids.comparing import compared_with_today
from grids.drafting import find_change, get_change, own_draft, saved
from grids.edits import lineage, rehomed, take_corners

_GAP_M2 = 1.0


def compare(session: Session, actor: Actor, territory: TerritoryInfo, change_id: int) -> Comparison:
    """Return what a change would do to today's grids; incidents are those that the actor may see."""
    change = get_change(session, actor, change_id)
    return compared_with_today(session, territory, change)


def submit(session: Session, actor: Actor, territory: TerritoryInfo, change_id: int) -> Change:
    """Hand an own draft to the supervisor, with the comparison of this moment.

    Raises
    ------
    InvalidInput
        Nothing differs from today, or cells would lose their responsibility grid.
    Conflict
        Another change of the same communities came into force since the draft began.
    DataQuality
        The cells leave ground of the communities open, or lie on each other.
    """
    change = own_draft(session, actor, change_id)
    _check_base(session, change)
    compared = compared_with_today(session, territory, change)
    if compared.nothing:
        raise InvalidInput(
            "The draft is what is in force already.",
            hint="Change something, or withdraw it.",
            zh="草案与现行网格完全相同，请修改后再提交，或撤回草案。",
        )
    _check_cover(compared)
    unbound = int((store_comparing.areas_of(session, change_id) == "").sum())
    if unbound and compared.areas_now:
        raise InvalidInput(
            f"{unbound:,} cells belong to no responsibility grid, so nobody would look after them.",
            hint="Share them out first.",
            zh=f"有 {unbound:,} 个单元网格不属于任何责任网格，无人负责，请先分配责任网格。",
        )
    facts = {**change.facts, "compared": compared.as_dict()}
    return saved(session, change, {"state": "submitted", "submitted_at": now(), "remark": "", "facts": facts})


def take_back(session: Session, actor: Actor, change_id: int, *, remark: str = "") -> Change:
    """Make a submitted change a draft again: its author without a word, a supervisor with a reason."""
    change = _submitted(session, actor, change_id)
    own = change.author_id == actor.user_id or actor.role is Role.SYSTEM
    if not own:
        require(actor, May.EDIT_GRIDS)
        if not remark.strip():
            raise InvalidInput(
                "No reason is given.",
                hint="Say what the author should mend.",
                zh="请写明退回原因，说明拟定人应修改之处。",
            )
    return saved(session, change, {"state": "draft", "remark": remark.strip()})


def publish(
    session: Session, actor: Actor, territory: TerritoryInfo, change_id: int, *, seen: int | None = None
) -> Published:
    """Put a submitted change in force from today, and return what came of it.

    Cells that it leaves out end today, new ones begin today and are linked to those whose ground they take.
    Open incidents go to the cell of their place, closed ones keep theirs; where the open ones were is kept, so
    that the statistics of earlier days stay what they were.

    Parameters
    ----------
    seen
        Version of the change that the supervisor looked at; None publishes what is submitted now.

    Raises
    ------
    NotPermitted
        Not a supervisor, or the author himself.
    Conflict
        The change is not submitted or another than the one looked at, or the cells that it began with are not
        those of today any more.
    """
    require(actor, May.EDIT_GRIDS)
    store.lock_territory(session, territory.id)
    change = _submitted(session, actor, change_id)
    if seen is not None and change.version != seen:
        raise Conflict(
            f"“{change.title}” was changed meanwhile.", hint="Look at it again.", zh="此草案刚被修改，请重新查看。"
        )
    if change.author_id is not None and change.author_id == actor.user_id:
        raise NotPermitted(
            "You drafted this change, so somebody else publishes it.",
            hint="Ask another supervisor to look at it.",
            zh="草案由您本人拟定，须由其他主管发布。",
        )
    _check_base(session, change)
    cells = store_changes.cells(session, change_id)
    _check_cover(compared_with_today(session, territory, change))
    live = store_versions.live_ids(session, change.area_ids)
    kept = cells["unit_grid_id"].dropna().astype(int).tolist()
    ended = sorted(set(live) - set(kept))
    today = now().astimezone(territory.zone).date()
    digest = hashlib.sha256(f"{change.id}|{change.version}".encode()).hexdigest()
    load_id = begin_load(
        session,
        territory_id=territory.id,
        kind=store.LOAD_KIND,
        source_name=change.title,
        content_sha256=digest,
        actor=actor,
    )
    ended_count = store_versions.end(session, ended, today)
    new = cells[cells["unit_grid_id"].isna()].reset_index(drop=True)
    territory = recoding.put_in_force(session, territory, change, today)
    identities = _write_cells(session, territory, new, today)
    _share_corners(session, territory, new, identities)
    bordering.publish(session, territory, change, new, identities)
    parents = _write_parents(session, territory, change, ended, new, identities)
    moved = _rehome(session, change, ended, new, identities, today)
    homing.settle(session, territory.id, ended)
    rebound = _bind(session, territory, change, cells, identities)
    counts = {"cells": len(cells), "ended": ended_count, "new": len(new), "incidents": moved, "rebound": rebound}
    finish_load(session, load_id, counts)
    saved(
        session,
        change,
        {"state": "published", "decided_by": actor.user_id, "decided_at": now(), "effective_on": today},
    )
    return Published(change.id, today, len(new), ended_count, parents, moved, rebound)


def cells_as_of(session: Session, actor: Actor, territory_id: int, day: dt.date) -> gpd.GeoDataFrame:
    """Return the cells in force on a day; see `grids.store_versions.cells_as_of`."""
    require(actor, May.SEE_MAP)
    return store_versions.cells_as_of(session, territory_id, day)


def incidents_as_of(  # noqa: PLR0917  (a span of days, and the day they are said on)
    session: Session, actor: Actor, territory_id: int, first: dt.date, last: dt.date, day: dt.date
) -> dict[int, int]:
    """Return the incidents reported from ``first`` to ``last`` by the cell they were in on ``day``.

    What was said on that day is said again, whatever was split or merged since.
    """
    require(actor, May.SEE_INCIDENTS)
    return store_versions.counts_as_of(session, territory_id, first, last, day)


def grid_file(session: Session, actor: Actor, cell_id: int) -> GridFile:
    """Return all that the grids know of a cell, in force or ended; raise `NotFound` outside the territory."""
    require(actor, May.SEE_MAP)
    found = store_versions.cell_file(session, actor.territory_id, cell_id)
    if found is None:
        raise NotFound(
            f"There is no cell with the number {cell_id}.",
            hint="Choose one on the map.",
            zh="没有这个单元网格，请在地图上选择。",
        )
    border = float(found["border_m"])
    return GridFile(
        **found,
        compactness=4 * np.pi * float(found["area_m2"]) / max(border, 1e-9) ** 2,
        facilities=store.facilities_in(session, cell_id),
        neighbours=tuple(store_versions.neighbours_of(session, cell_id)),
        versions=tuple(store_versions.versions_of(session, cell_id)),
    )


def borders_as_of(session: Session, actor: Actor, territory_id: int, day: dt.date) -> gpd.GeoDataFrame:
    """Return the borders kept of cells in force on a day: left and right as codes, kind, name, length_m, geometry."""
    require(actor, May.SEE_MAP)
    return store_borders.in_force(session, territory_id, day)


def bound_on(session: Session, actor: Actor, cell_id: int, day: dt.date) -> tuple[str, str, str | None] | None:
    """Return code and names of the responsibility grid that a cell belonged to on a day; None of none."""
    require(actor, May.SEE_MAP)
    return store_borders.bound_on(session, cell_id, day)


def bindings_of(
    session: Session, actor: Actor, cell_id: int
) -> list[tuple[dt.date, str | None, str | None, str | None]]:
    """Return since when a cell belonged to which responsibility grid (code and names), the newest first."""
    require(actor, May.SEE_MAP)
    return store_borders.bindings_of(session, cell_id)


def daily_by_place(session: Session, actor: Actor, cell_id: int, days: int) -> dict[dt.date, int]:
    """Return the incidents of the last days inside a cell by local day, also those filed under its parents."""
    require(actor, May.SEE_INCIDENTS)
    return store_versions.daily_by_place(session, cell_id, days)


def outlines_near(session: Session, actor: Actor, cell_id: int, metres: float = 200.0) -> list[tuple[str, Any]]:
    """Return code and shape (EPSG:4326) of the cells in force within some metres of a cell, itself left out."""
    require(actor, May.SEE_MAP)
    return store_versions.outlines_near(session, cell_id, metres)


def find_cell(session: Session, actor: Actor, code: str) -> int:
    """Return the cell of a code, in force or the last that bore it; raise `NotFound`."""
    require(actor, May.SEE_MAP)
    found = store_versions.id_of_code(session, actor.territory_id, code.strip())
    if found is None:
        raise NotFound(
            f"No unit grid has the code “{code.strip()}”.",
            hint="Look it up on the map.",
            zh=f"没有编码为“{code.strip()}”的单元网格，请在地图上查找。",
        )
    return found


def _submitted(session: Session, actor: Actor, change_id: int) -> Change:
    require(actor, May.PROPOSE_GRIDS)
    change = find_change(session, actor, change_id, lock=True)
    if change.state != "submitted":
        raise Conflict(
            f"“{change.title}” is {change.state}, not submitted.",
            hint="Look at it again.",
            zh="此草案不在待发布状态，请重新查看。",
        )
    return change


def _check_base(session: Session, change: Change) -> None:
    """Two drafts may begin with the same cells; the second would undo the first without a word."""
    if change.facts.get("base") == store_changes.standing(session, change.area_ids):
        return
    titles = store_changes.published_since(session, change)
    between = f": “{titles[0]}” was published" if titles else ""
    between_zh = f"（“{titles[0]}”已发布）" if titles else ""
    raise Conflict(
        f"The grids of today are not those that “{change.title}” began with{between}.",
        hint="Begin a new draft with today's cells.",
        zh=f"“{change.title}”拟定后，现行网格已有变动{between_zh}，请按现行网格另起草案。",
    )


def _check_cover(compared: Comparison) -> None:
    """Areas in metres of sides that are straight in degrees differ by a trace, so a millionth is let pass."""
    missing = compared.missing_m2
    if abs(missing) > max(_GAP_M2 * (compared.kept + compared.new), 100.0):
        what = "leave open" if missing > 0 else "lie on each other on"
        error = DataQuality(
            "The cells do not cover the communities exactly.",
            [f"they {what} {abs(missing):,.0f} m²"],
            hint="Draw the communities anew, or begin a new draft.",
        )
        what_zh = "有空隙" if missing > 0 else "相互重叠"
        error.zh = f"网格未能完整覆盖社区，{what_zh} {abs(missing):,.0f} 平方米，请重新划分，或另起草案。"
        raise error


def _write_cells(session: Session, territory: TerritoryInfo, new: gpd.GeoDataFrame, today: dt.date) -> np.ndarray:
    count = len(new)
    if count == 0:
        return np.empty(0, dtype=np.int64)
    identities = reserve_ids(session, "unit_grid", count)
    numbers = {name: new[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("size_m", "area_m2", "people")}
    copy_rows(
        session,
        "unit_grid",
        {
            "id": identities,
            "territory_id": [territory.id] * count,
            "community_id": new["community_id"].tolist(),
            "scheme": [territory.code_scheme] * count,
            "code": new["code"].tolist(),
            "sequence": new["sequence"].tolist(),
            "kind": new["kind"].tolist(),
            **numbers,
            "started_on": [today] * count,
            "geom": new.geometry.to_numpy(),
        },
    )
    return identities


def _share_corners(session: Session, territory: TerritoryInfo, new: gpd.GeoDataFrame, identities: np.ndarray) -> None:
    """Give cells that stay the corners that new ones have on their sides: the same ground, and no gap in any CRS."""
    parts = new.geometry.to_numpy()
    ids, shapes = store_versions.cells_beside(session, territory.id, parts)
    old = ~np.isin(ids, identities)
    rows, seamed = take_corners(shapes[old], parts)
    store_versions.reshape(session, ids[old][rows].tolist(), seamed)


def _write_parents(  # noqa: PLR0917  (what ended, and what came instead)
    session: Session,
    territory: TerritoryInfo,
    change: Change,
    ended: list[int],
    new: gpd.GeoDataFrame,
    identities: np.ndarray,
) -> int:
    old = project(store_versions.shapes_of(session, ended), territory.metric_srid) if ended else np.empty(0, object)
    begun = project(new.geometry.to_numpy(), territory.metric_srid) if len(new) else np.empty(0, object)
    child, parent, shared = lineage(old, begun)
    links = {
        "child": identities[child].tolist(),
        "parent": np.array(ended, dtype=np.int64)[parent].tolist(),
        "shared": shared.tolist(),
    }
    if len(child):
        store_versions.add_parents(session, change.id, links)
    return len(child)


def _rehome(  # noqa: PLR0917  (what ended, and what came instead)
    session: Session, change: Change, ended: list[int], new: gpd.GeoDataFrame, identities: np.ndarray, today: dt.date
) -> int:
    moved = store_versions.open_incidents(session, ended)
    if len(moved):
        points = np.asarray(shapely.points(moved[["lon", "lat"]].to_numpy(dtype=np.float64)))
        homes = identities[rehomed(new.geometry.to_numpy(), points)]
        store_versions.rehome(session, change.id, moved, homes.tolist(), today)
    return len(moved)


def _bind(
    session: Session, territory: TerritoryInfo, change: Change, cells: gpd.GeoDataFrame, identities: np.ndarray
) -> int:
    """Write the responsibility grids of a change, their shapes, and which cells belong to them.

    Parameters
    ----------
    identities
        Numbers in force of the cells that are new, in their order.
    """
    names = store_changes.responsibility_names(session, territory.id)
    said = change.facts.get("names") or {}
    identity = cells["unit_grid_id"].to_numpy(dtype=np.float64, na_value=np.nan)
    identity[cells["unit_grid_id"].isna().to_numpy()] = identities
    shapes = cells.geometry.to_numpy()
    ids: list[int] = []
    owners: list[int] = []
    for code in sorted(set(cells["area"]) - {""}):
        members = np.flatnonzero((cells["area"] == code).to_numpy())
        name, name_zh = names.get(code) or tuple(said.get(code, (code, None)))
        union = shapely.union_all(shapes[members])
        outline = shapely.multipolygons(shapely.get_parts([union]))
        row = {"territory": territory.id, "code": code, "name": name, "name_zh": name_zh}
        owner = store.write_responsibility_grid(session, {**row, "boundary": shapely.to_wkb(outline)})
        ids += identity[members].astype(int).tolist()
        owners += [owner] * len(members)
    across = store_versions.owners_across(session, territory.id, change.area_ids)
    changed = store.bind_cells(session, ids, owners) if ids else 0
    if ids:
        across += store_versions.owners_across(session, territory.id, change.area_ids)
        store_versions.outline_anew(session, across)
        store.drop_empty_responsibility_grids(session, territory.id)
    return changed

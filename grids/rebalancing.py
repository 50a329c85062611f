"""Use cases: share the cells of a draft among responsibility grids, and say what each is loaded with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import shapely
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.identity import Actor
from core.progress import Progress, Silent
from geodata.crs import project
from geodata.territory import TerritoryInfo, communities
from grids import store, store_changes, store_comparing
from grids.balance import AreaLoad, Balanced, balance, compose, explain, rebalance, staffing_curve
from grids.change_model import Change
from grids.drafting import INCIDENT_DAYS, draft_cells, get_change, own_draft, saved
from grids.edits import rehomed
from grids.ground import ground_of
from grids.responsibility import components

MEASURES = ("incidents", "people", "street_m", "facilities", "area_m2", "cells", "travel")
"""What a workload may be composed of."""
DEFAULT = {"incidents": 1.0, "people": 0.2}


@dataclass(frozen=True, eq=False)
class Measured:
    """Cells of a draft by id, their communities, and the numbers of each that a workload is composed of.

    It holds as long as `grids.drafting.ground_key` says the same, whoever looks after which cell.
    """

    ids: npt.NDArray[np.int64]
    community: npt.NDArray[np.int64]
    columns: dict[str, npt.NDArray[np.float64]]


def measured(
    session: Session, actor: Actor, territory: TerritoryInfo, change_id: int, categories: Sequence[str] = ()
) -> Measured:
    """Return what the cells of a change hold; see `measures`."""
    change = get_change(session, actor, change_id)
    cells = store_changes.cells(session, change_id)
    columns = measures(session, territory, change, cells, categories)
    return Measured(cells["id"].to_numpy(dtype=np.int64), cells["community_id"].to_numpy(dtype=np.int64), columns)


def measures(
    session: Session,
    territory: TerritoryInfo,
    change: Change,
    cells: gpd.GeoDataFrame,
    categories: Sequence[str] = (),
) -> dict[str, npt.NDArray[np.float64]]:
    """Return the numbers of each cell of a draft that a workload is composed of.

    Incidents are those of the last `INCIDENT_DAYS` that the actor may see, of some categories or of all; streets
    the metres inside; travel the length of the shortest round through the incidents of a cell (see `tour_m`).
    """
    shapes = project(cells.geometry.to_numpy(), territory.metric_srid)
    points = store_changes.incident_points(session, change.area_ids, INCIDENT_DAYS, categories)
    area_m2 = cells["area_m2"].to_numpy(dtype=np.float64)
    incidents = _counted(shapes, territory, points)
    found = {
        "incidents": incidents,
        "people": np.nan_to_num(cells["people"].to_numpy(dtype=np.float64, na_value=np.nan)),
        "facilities": _counted(shapes, territory, store_changes.facility_points(session, territory.id)),
        "area_m2": area_m2,
        "cells": np.ones(len(cells)),
        "travel": tour_m(incidents, area_m2),
    }
    lines = store.border_lines(session, territory.id)
    streets = project(lines.geometry.to_numpy()[(lines["kind"] == "street").to_numpy()], territory.metric_srid)
    cell, line = shapely.STRtree(streets).query(shapes, predicate="intersects")
    inside = shapely.length(shapely.intersection(shapes[cell], streets[line]))
    found["street_m"] = np.bincount(cell, weights=inside, minlength=len(cells)).astype(np.float64)
    return found


def tour_m(stops: npt.NDArray[np.float64], area_m2: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the metres of the shortest round through ``stops`` scattered places of an area: 0.7124 √(stops · area).

    After Beardwood, Halton and Hammersley (1959); a sum over cells, so that it can be shared out like any load.
    """
    return 0.7124 * np.sqrt(stops * area_m2)


def balance_draft(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    change_id: int,
    *,
    k: int,
    weights: Mapping[str, float] = DEFAULT,
    respect: bool = True,
    from_today: bool = False,
    change_cost: float = 1.0,
    categories: Sequence[str] = (),
    progress: Progress | None = None,
) -> tuple[Change, Balanced]:
    """Share the cells of a draft among ``k`` contiguous responsibility grids; return the change and how even they are.

    Parameters
    ----------
    weights
        How much each of `MEASURES` counts; see `grids.balance.compose`.
    respect
        No responsibility grid crosses a community line.
    from_today
        Begin with the responsibility grids that the cells have, keep their codes, and move few cells; ``k`` is
        not looked at then.
    """
    change = own_draft(session, actor, change_id)
    progress = progress or Silent()
    progress.step("Measuring the cells")
    cells = store_changes.cells(session, change_id)
    if len(cells) == 0:
        raise InvalidInput("The draft has no cells.", hint="Draw them first.", zh="草案中没有网格，请先划分。")
    load, _ = compose(measures(session, territory, change, cells, categories), weights)
    if load.sum() <= 0:
        raise InvalidInput(
            "Nothing of this workload is known here.",
            hint="Choose cells or area_m2 too.",
            zh="此处没有所选工作量的数据，请同时选择网格数或面积。",
        )
    progress.step("Sharing out")
    ground = ground_of(project(cells.geometry.to_numpy(), territory.metric_srid))
    community = cells["community_id"].to_numpy()
    group = community if respect else None
    areas = communities(session, territory.id).set_index("id")
    if from_today:
        if (cells["area"] == "").any():
            raise InvalidInput(
                "Some cells have no responsibility grid to begin with.",
                hint="Share them out anew, without today's map.",
                zh="部分网格尚无责任网格，不能从现行方案开始，请取消该选项重新分配。",
            )
        known, today = np.unique(cells["area"].to_numpy(dtype=str), return_inverse=True)
        found = rebalance(ground, load, today.astype(np.int64), group=group, change_cost=change_cost)
        codes = known.tolist()
    else:
        found = balance(ground, load, k, group=group)
        codes, names = _codes(found.area, community, areas)
        change = saved(session, change, {"facts": {**change.facts, "names": names}})
    progress.step("Keeping the cells")
    store_changes.set_areas(session, change_id, cells["id"].tolist(), [codes[each] for each in found.area])
    facts: dict[str, Any] = {"weights": dict(weights), "respect": respect, **found.as_dict()}
    change = saved(session, change, {"facts": {**change.facts, "balanced": facts}})
    return change, found


def loads(
    session: Session, actor: Actor, territory: TerritoryInfo, change_id: int, weights: Mapping[str, float]
) -> list[tuple[str, AreaLoad]]:
    """Return what each responsibility grid of a change is loaded with, the heaviest first."""
    found = measured(session, actor, territory, change_id)
    return loads_of(found, areas_of(session, actor, change_id), weights)


def areas_of(session: Session, actor: Actor, change_id: int) -> npt.NDArray[np.str_]:
    """Return the responsibility grid of each cell of a change by the id of the cell; empty for none."""
    get_change(session, actor, change_id)
    return store_comparing.areas_of(session, change_id)


def loads_of(found: Measured, areas: npt.NDArray[np.str_], weights: Mapping[str, float]) -> list[tuple[str, AreaLoad]]:
    """Return what each responsibility grid is loaded with, the heaviest first, by measures and areas of the cells."""
    codes, area = np.unique(areas, return_inverse=True)
    if len(areas) == 0 or codes.tolist() == [""]:
        return []
    load, parts = compose(found.columns, weights)
    bound = areas != ""
    mean = float(load[bound].sum()) / max(len(set(codes) - {""}), 1)
    balanced = Balanced(area, np.bincount(area, weights=load).astype(np.float64), 0.0, 0)
    told = [
        (str(codes[each.area]), replace(each, over_mean=each.load / mean if mean > 0 else 1.0))
        for each in explain(balanced, parts)
        if codes[each.area]
    ]
    return sorted(told, key=lambda pair: -pair[1].load)


def staffing(
    session: Session,
    actor: Actor,
    change_id: int,
    found: Measured,
    territory: TerritoryInfo,
    *,
    numbers: Sequence[int],
    weights: Mapping[str, float],
    respect: bool,
) -> list[dict[str, Any]]:
    """Return for each number of responsibility grids how heavy the heaviest is; nothing is written."""
    cells = draft_cells(session, actor, change_id)
    load, _ = compose(found.columns, weights)
    ground = ground_of(project(cells.geometry.to_numpy(), territory.metric_srid))
    return staffing_curve(ground, load, numbers, group=found.community if respect else None)


def check_contiguous(
    shapes: npt.NDArray[np.object_], after: npt.NDArray[np.object_], before: npt.NDArray[np.object_], codes: set[str]
) -> None:
    """Return when the named areas of cells (in metres) stay in as few pieces as they had; else raise `InvalidInput`."""
    for code in sorted(codes):
        pieces = _pieces(shapes[after == code])
        if pieces == 0:
            raise InvalidInput(
                f"{code} would lose its last cell.",
                hint="Leave it one, or share out anew.",
                zh=f"{code} 将失去最后一个网格，请至少保留一个，或重新分配。",
            )
        if pieces > 1 and pieces > _pieces(shapes[before == code]):
            raise InvalidInput(
                f"{code} would fall into {pieces} pieces.",
                hint="Move cells at its border, from the outside in.",
                zh=f"{code} 将被分成 {pieces} 块，请从其边缘由外向内移交网格。",
            )


def _pieces(shapes: npt.NDArray[np.object_]) -> int:
    """Return in how many pieces cells (in metres) lie."""
    return int(components(len(shapes), ground_of(shapes).pairs).max(initial=-1)) + 1


def _counted(
    shapes: npt.NDArray[np.object_], territory: TerritoryInfo, places: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    points = (
        project(np.asarray(shapely.points(places)), territory.metric_srid) if len(places) else np.empty(0, dtype=object)
    )
    if len(points) == 0:
        return np.zeros(len(shapes))
    near = shapely.STRtree(points).query(shapes, predicate="intersects")[1]
    home = rehomed(shapes, points[np.unique(near)])
    return np.bincount(home, minlength=len(shapes)).astype(np.float64)


def _codes(
    area: npt.NDArray[np.int64], community: npt.NDArray[np.int64], areas: gpd.GeoDataFrame
) -> tuple[list[str], dict[str, list[str]]]:
    """Return code and names of each area, after the community that most of its cells are in."""
    codes, names, rank = [], {}, dict.fromkeys(areas.index, 0)
    for number in range(int(area.max()) + 1):
        where, count = np.unique(community[area == number], return_counts=True)
        home = int(where[int(np.argmax(count))])
        rank[home] += 1
        row = areas.loc[home]
        code = f"{row['code']}-R{rank[home]:02d}"
        codes.append(code)
        names[code] = [f"{row['name']} {rank[home]}", f"{row['name_zh'] or row['name']}第{rank[home]}责任网格"]
    return codes, names

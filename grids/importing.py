"""Use cases: cells of a file into a draft; what is wrong with them is told with its repair before anything is taken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from sqlalchemy.orm import Session

from core.errors import DataQuality, InvalidInput
from core.identity import Actor, May
from core.progress import Progress, Silent
from geodata.crs import project
from geodata.territory import TerritoryInfo, communities
from geodata.vector_files import Shapes, read_shapes
from grids.change_model import Change
from grids.codes import Scheme, parse_code
from grids.coding import codes_of, scheme_in
from grids.drafting import get_change, own_draft, replaced
from grids.edits import LEAST_M2, renumbered
from grids.lattice import Geometries
from grids.locate import Locator
from grids.making import check_actor, cut_grid, people_of
from grids.model import MadeGrid
from grids.topology import MOST_CELLS, Repaired, repair

KIND = "file"
CODE_COLUMNS = ("code", "grid_code", "unit_grid", "网格编码", "编码")
"""Where the code of a cell may stand, whatever the case."""


@dataclass(frozen=True, eq=False)
class FromFile:
    """Cells of a file as they would be taken, and what was wrong with those read.

    Attributes
    ----------
    cells
        In metres: community_id, sequence, kind, size_m, area_m2, row, geometry.
    read, elsewhere
        Rows of the file, and those of them that lie in none of the communities; they are left out.
    codes_kept, codes_new
        Cells that keep the code of the file, and those that get a new number.
    """

    cells: gpd.GeoDataFrame
    repaired: Repaired
    read: int
    elsewhere: int
    codes_kept: int
    codes_new: int
    least_m2: float = LEAST_M2


def read_cells_of(path: Path, *, name: str | None = None) -> Shapes:
    """Return the rows of a file in longitude and latitude; refuse what lies nowhere on the earth.

    Raises
    ------
    InvalidInput
        A file that cannot be read, without a coordinate reference system, with too many rows, or with coordinates
        that are no degrees.
    """
    found = read_shapes(path, name=name)
    shown = name or path.name
    if len(found.geometry) > MOST_CELLS:
        raise InvalidInput(
            f"{shown} holds {len(found.geometry):,} rows; at most {MOST_CELLS:,} are taken.",
            hint="Bring a large city in by districts.",
            zh=f"{shown} 有 {len(found.geometry):,} 行，最多可导入 {MOST_CELLS:,} 行，大城市请分区导入。",
        )
    check_degrees(found.geometry, shown)
    return found


def check_degrees(shapes: Geometries, shown: str) -> None:
    """Return when every coordinate is a longitude or latitude, else raise `InvalidInput`; rows may be empty."""
    points, row = shapely.get_coordinates(shapes, return_index=True)
    broken = np.unique(row[~np.isfinite(points).all(axis=1)])
    if len(broken):
        raise InvalidInput(
            f"{len(broken):,} rows of {shown} have coordinates that are no numbers (the first is row {broken[0] + 1}).",
            hint="Mend or delete these rows.",
            zh=f"{shown} 有 {len(broken):,} 行的坐标不是数字（首个为第 {broken[0] + 1} 行），请修正或删除。",
        )
    if not len(points):
        raise InvalidInput(
            f"No row of {shown} has a surface.", hint="Give polygons.", zh="文件中没有任何面状要素，请提供多边形。"
        )
    farthest = float(np.abs(points).max())
    if (np.abs(points) > (180, 90)).any():
        far = f"{farthest:,.0f}" if farthest < 1e9 else f"{farthest:.1e}"
        raise InvalidInput(
            f"The coordinates of {shown} are no longitude and latitude (they reach to {far}).",
            hint="GeoJSON is written in degrees (EPSG:4326); or send a GeoPackage, which says what it is in.",
            zh=f"{shown} 的坐标不是经纬度。GeoJSON 须为度（EPSG:4326），或改用自带坐标系的 GeoPackage。",
        )


def look(
    session: Session, actor: Actor, territory: TerritoryInfo, change_id: int, path: Path, *, name: str | None = None
) -> FromFile:
    """Return the cells of a file as a draft would take them; nothing is written."""
    change = get_change(session, actor, change_id)
    areas = communities(session, territory.id).rename(columns={"id": "community_id"})
    areas = areas[areas["community_id"].isin(change.area_ids)].reset_index(drop=True)
    return _looked(session, territory, areas, read_cells_of(path, name=name))


def take(session: Session, actor: Actor, territory: TerritoryInfo, change_id: int, found: FromFile) -> Change:
    """Put the cells of a file, repaired as shown, in the place of those of an own draft; returns the change."""
    change = own_draft(session, actor, change_id)
    areas = communities(session, territory.id).rename(columns={"id": "community_id"})
    cells = found.cells.copy()
    missing = sorted(set(change.area_ids) - set(cells["community_id"]))
    if missing:
        names = areas.set_index("community_id")["name"]
        told = ", ".join(str(names[each]) for each in missing[:5])
        raise InvalidInput(
            f"The file has no cell in {told}{' …' if len(missing) > 5 else ''}.",
            hint="Begin a draft of the communities that it covers.",
            zh=f"文件中没有 {told}{' 等' if len(missing) > 5 else ''} 的网格，请仅为文件覆盖的社区另起草案。",
        )
    cells["code"] = codes_of(session, territory, areas, cells)
    locator = Locator(cells.geometry.to_numpy(), cells["kind"].tolist(), cells["size_m"].tolist())
    cells["people"], _ = people_of(session, territory, locator)
    cells["area"] = ""
    cells = cells.set_geometry(project(cells.geometry.to_numpy(), 4326, territory.metric_srid), crs=4326)
    facts = {"kind": KIND, "rows": found.read, "faults": found.repaired.counts}
    return replaced(session, territory, change, cells, {"drawn": facts, "balanced": None})


def make_file_grid(
    session: Session,
    actor: Actor,
    territory: TerritoryInfo,
    path: Path,
    *,
    mend: bool = False,
    replace: bool = False,
    progress: Progress | None = None,
) -> MadeGrid:
    """Put the cells of a file in force over all communities of a territory; see `grids.making.make_grid`.

    Parameters
    ----------
    mend
        Repair what is wrong; without it a file with faults is refused.
    """
    check_actor(actor, May.EDIT_GRIDS, territory.id)
    progress = progress or Silent()
    areas = communities(session, territory.id).rename(columns={"id": "community_id"})
    found = _looked(session, territory, areas, read_cells_of(path))
    if not (found.repaired.sound or mend):
        raise DataQuality(
            f"The cells of {path.name} do not fit.",
            [words_of(found.repaired)],
            hint="See each with 'gridkeeper grid check FILE'; say --repair to mend them as it says.",
        )
    return cut_grid(session, actor, territory, KIND, path, lambda: found.cells, replace=replace, progress=progress)


def words_of(repaired: Repaired) -> str:
    """Return how many faults of each kind there are, in words."""
    return (
        ", ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in repaired.counts.items() if count) or "none"
    )


def _looked(session: Session, territory: TerritoryInfo, areas: gpd.GeoDataFrame, read: Shapes) -> FromFile:
    metric = project(read.geometry, territory.metric_srid)
    ground = project(areas.geometry.to_numpy(), territory.metric_srid)
    box = shapely.box(*shapely.total_bounds(ground))
    near = np.flatnonzero(shapely.intersects(shapely.envelope(metric), box))
    here = np.unique(shapely.STRtree(ground).query(metric[near], predicate="intersects")[0]) if len(near) else near
    lost = shapely.is_missing(metric) | shapely.is_empty(metric)
    kept = np.unique(np.concatenate([near[here], np.flatnonzero(lost)])).astype(np.int64)
    if len(near[here]) == 0:
        raise InvalidInput(
            "No cell of the file lies in the communities of the draft.",
            hint="Check its coordinate reference system, and that longitude stands before latitude.",
            zh="文件中没有网格位于草案的社区内，请检查坐标参考系，并确认经度在前、纬度在后。",
        )
    repaired = repair(metric[kept], ground, rows=kept + 1)
    community = areas["community_id"].to_numpy()[repaired.area]
    codes = _codes_in(read.columns)
    given = [codes[row - 1] if codes and row else "" for row in repaired.row.tolist()]
    cells = gpd.GeoDataFrame(
        {
            "community_id": community,
            "kind": KIND,
            "size_m": np.nan,
            "area_m2": shapely.area(repaired.shapes),
            "row": repaired.row,
        },
        geometry=repaired.shapes,
        crs=territory.metric_srid,
    )
    known = _sequences(session, territory, areas, cells, given)
    fresh = np.flatnonzero(known == 0)
    if len(fresh):
        rank = renumbered(community[fresh], repaired.shapes[fresh])
        for each in np.unique(community[fresh]):
            mine = fresh[community[fresh] == each]
            known[mine] = rank[community[fresh] == each] + known[community == each].max(initial=0)
    cells["sequence"] = known
    elsewhere = len(metric) - len(kept)
    return FromFile(cells, repaired, len(metric), elsewhere, len(cells) - len(fresh), len(fresh))


def _codes_in(columns: dict[str, list[str]]) -> list[str]:
    for name, values in columns.items():
        if name.strip().lower() in CODE_COLUMNS:
            return values
    return []


def _sequences(
    session: Session, territory: TerritoryInfo, areas: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, given: list[str]
) -> np.ndarray:
    """Return the sequence that a given code says; 0 where it says none, another community's, or one said before."""
    scheme: Scheme = scheme_in(session, territory.id, territory.code_scheme)
    wanted = np.zeros(len(cells), dtype=np.int64)
    for at, text in enumerate(given):
        if text:
            try:
                wanted[at] = parse_code(scheme, text).sequence
            except InvalidInput:
                continue
    said = np.flatnonzero(wanted)
    if len(said) == 0:
        return wanted
    trial = cells.iloc[said].assign(sequence=wanted[said])
    right = np.array(codes_of(session, territory, areas, trial), dtype=object) == np.array(given, dtype=object)[said]
    wanted[said[~right]] = 0
    seen: set[tuple[int, int]] = set()
    for at in said[right].tolist():
        key = int(cells["community_id"].iloc[at]), int(wanted[at])
        if key in seen:
            wanted[at] = 0
        seen.add(key)
    return wanted

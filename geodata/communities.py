"""Communities from a file: every fault named at once, then written as the areas that grids are cut in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from geoalchemy2.shape import from_shape
from numpy.typing import NDArray
from shapely import MultiPolygon
from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from core.errors import Conflict, DataQuality, InvalidInput
from core.identity import Actor, May, require
from geodata.bulk import begin_load, file_sha256, finish_load
from geodata.crs import project
from geodata.osm_areas import settle
from geodata.quality import as_areas
from geodata.tables import Area, Territory, UnitGrid
from geodata.territory import TerritoryInfo, boundary_of
from geodata.vector_files import Shapes, read_shapes

KIND = "communities"
NAME_COLUMNS = ("name", "name_en", "title", "community", "neighbourhood", "名称", "社区名称", "社区", "name_zh")
CHINESE_COLUMNS = ("name_zh", "name:zh", "名称", "社区名称", "社区")
CODE_COLUMNS = ("code", "community_code", "社区代码", "社区编码", "代码", "编码")
MOST = 5_000
CODE_MOST = 20
OVERLAP_M2, OVERLAP_SHARE = 100.0, 0.001
"""Two communities may share so much by careless drawing: the smaller one gets it. More is a fault."""
TOLD_M2 = 1.0
OUTSIDE_SHARE, OUTSIDE_TOLD = 0.05, 0.001
"""So much of a community may stick out of the territory and is cut off (and told, from the second). More is a fault."""
FREE_SHARE = 0.001
"""Land of the territory in no community is told from this share of it."""


@dataclass(frozen=True)
class MadeCommunities:
    """What came of bringing communities in.

    Attributes
    ----------
    cut
        Communities that stuck out of the territory a little and were cut at its boundary.
    mended
        Slivers that two communities shared, given to the smaller one.
    free_share
        Share of the territory that lies in no community.
    """

    communities: int
    area_km2: float
    cut: int = 0
    mended: int = 0
    free_share: float = 0.0


def communities_from_file(
    session: Session, actor: Actor, territory: TerritoryInfo, path: Path, *, name: str | None = None
) -> MadeCommunities:
    """Put the polygons of a file in place of the communities of a territory.

    Raises
    ------
    DataQuality
        With every fault of the file: no name, a code twice, no polygon, outside the territory, overlaps.
    Conflict
        When the territory has unit grids: they lie in the communities there are.
    """
    require(actor, May.LOAD_DATA)
    if territory.is_blank:
        raise InvalidInput(f"{territory.title_en} has no boundary yet.", hint="Bring in its map or its boundary first.")
    if session.scalar(select(exists().where(UnitGrid.territory_id == territory.id))):
        raise Conflict(
            f"{territory.title_en} is cut into unit grids already, so its communities stay.",
            hint="Communities change with the supervision centre's grids.",
        )
    shown = name or path.name
    frame, made = check_communities(
        read_shapes(path, name=shown),
        boundary_of(session, territory.id),
        territory.metric_srid,
        name=shown,
        code_digits=3 if territory.code_scheme in {"cn14", "cn15"} else None,
    )
    load_id = begin_load(
        session,
        territory_id=territory.id,
        kind=KIND,
        source_name=shown,
        content_sha256=file_sha256(path),
        actor=actor,
    )
    _store(session, territory, frame, shown)
    finish_load(session, load_id, asdict(made))
    return made


def check_communities(
    shapes: Shapes, boundary: MultiPolygon, metric_srid: int, *, name: str, code_digits: int | None = None
) -> tuple[pd.DataFrame, MadeCommunities]:
    """Return the communities (code, name, name_zh, geom in EPSG:4326, apart from each other) and what was mended.

    Parameters
    ----------
    code_digits
        The number of digits a code must have; None takes any text without blanks.

    Raises
    ------
    InvalidInput
        When there are too many rows, or no column of names.
    DataQuality
        Naming every row that breaks a rule.
    """
    count = len(shapes.geometry)
    if count > MOST:
        raise InvalidInput(f"{name} holds {count:,} shapes; at most {MOST:,} communities are taken.")
    names = _column(shapes, NAME_COLUMNS)
    if names is None:
        raise InvalidInput(
            f"{name} has no column with the names of the communities.",
            hint=f"Call one of its columns name; it has: {', '.join(shapes.columns) or 'none'}.",
        )
    chinese = _column(shapes, CHINESE_COLUMNS) or [""] * count
    codes = _column(shapes, CODE_COLUMNS) or [f"{number:03d}" for number in range(1, count + 1)]
    called = [each or f"row {row}" for row, each in enumerate(names, start=1)]
    faults = _name_faults(names, codes, called, code_digits)
    areas, _ = as_areas(shapes.geometry)
    faults += [
        f"{called[row]} is no polygon but {_kind(shapes.geometry[row])}"
        for row in np.flatnonzero(~shapely.is_geometry(areas))
    ]
    ground = np.array([each if each is not None else MultiPolygon() for each in areas], dtype=object)
    metric = project(ground, metric_srid)
    outline = project(np.array([boundary], dtype=object), metric_srid)[0]
    inside, cut = _outside(metric, outline, called, faults)
    apart, mended = _overlaps(inside, called, faults)
    if faults:
        raise DataQuality(
            f"{name} cannot be taken as it is: {len(faults)} faults.", faults, hint="Mend them and choose it again."
        )
    free = float(shapely.area(shapely.difference(outline, shapely.union_all(apart)))) / float(shapely.area(outline))
    made = MadeCommunities(
        communities=count,
        area_km2=round(float(shapely.area(apart).sum()) / 1e6, 3),
        cut=cut,
        mended=mended,
        free_share=round(free, 4) if free > FREE_SHARE else 0.0,
    )
    frame = pd.DataFrame({"code": codes, "name": names, "name_zh": [each or None for each in chinese]}, dtype=object)
    frame["geom"] = as_areas(project(apart, 4326, metric_srid))[0]
    return frame, made


def _column(shapes: Shapes, known: Sequence[str]) -> list[str] | None:
    by_title = {title.strip().lower(): values for title, values in shapes.columns.items()}
    return next((by_title[title] for title in known if title in by_title), None)


def _name_faults(names: list[str], codes: list[str], called: list[str], digits: int | None) -> list[str]:
    faults = [f"{called[row]} has no name" for row, name in enumerate(names) if not name]
    if digits is not None:
        faults += [
            f"{called[row]}: the code {code!r} must have {digits} digits"
            for row, code in enumerate(codes)
            if not (code.isascii() and code.isdecimal() and len(code) == digits)
        ]
    else:
        faults += [
            f"{called[row]}: the code {code!r} is empty, too long or holds blanks"
            for row, code in enumerate(codes)
            if not code or len(code) > CODE_MOST or any(each.isspace() for each in code)
        ]
    return faults + [
        f"the code {code} stands {number} times ({', '.join(called[row] for row in _rows(codes, code))})"
        for code, number in Counter(codes).items()
        if number > 1 and code
    ]


def _rows(codes: list[str], code: str) -> list[int]:
    return [row for row, each in enumerate(codes) if each == code]


def _kind(shape: object) -> str:
    return "nothing" if shape is None else f"a {getattr(shape, 'geom_type', 'thing')}"


def _outside(
    metric: NDArray[np.object_], outline: MultiPolygon, called: list[str], faults: list[str]
) -> tuple[NDArray[np.object_], int]:
    """Return what of each community lies in the territory, and how many were cut; what sticks out far is a fault."""
    shapely.prepare(outline)
    inside = metric.copy()
    crossing = np.flatnonzero(~shapely.covers(outline, metric) & ~shapely.is_empty(metric))
    cut = 0
    for row in crossing:
        kept = shapely.intersection(metric[row], outline)
        share = 1 - float(shapely.area(kept)) / float(shapely.area(metric[row]))
        if share > OUTSIDE_SHARE:
            faults.append(f"{called[row]} lies outside the territory by {share:.1%} of its area")
        inside[row] = kept
        cut += share > OUTSIDE_TOLD
    return inside, cut


def _overlaps(metric: NDArray[np.object_], called: list[str], faults: list[str]) -> tuple[NDArray[np.object_], int]:
    """Return the communities without overlap, and how many slivers were given away; more than a sliver is a fault."""
    apart = metric.copy()
    left, right = shapely.STRtree(metric).query(metric, predicate="intersects")
    mended = 0
    for one, other in sorted({(min(a, b), max(a, b)) for a, b in zip(left.tolist(), right.tolist(), strict=True)}):
        if one == other:
            continue
        common = float(shapely.area(shapely.intersection(metric[one], metric[other])))
        smaller, larger = sorted((one, other), key=lambda row: float(shapely.area(metric[row])))
        if common > max(OVERLAP_M2, OVERLAP_SHARE * float(shapely.area(metric[smaller]))):
            faults.append(f"{called[one]} and {called[other]} share {common:,.0f} m²")
        elif common > 0:
            apart[larger] = shapely.difference(apart[larger], metric[smaller])
            mended += common > TOLD_M2
    return apart, mended


def _store(session: Session, territory: TerritoryInfo, frame: pd.DataFrame, source: str) -> None:
    street = session.scalar(
        select(Area.id).where(Area.territory_id == territory.id, Area.level == "street").order_by(Area.id).limit(1)
    )
    session.execute(delete(Area).where(Area.territory_id == territory.id, Area.level == "community"))
    session.add_all(
        Area(
            territory_id=territory.id,
            level="community",
            parent_id=street,
            code=row["code"],
            name=row["name"],
            name_zh=row["name_zh"],
            source="file",
            source_ref=source,
            boundary=from_shape(row["geom"], srid=4326),
        )
        for row in frame.to_dict("records")
    )
    session.flush()
    # The same line with the corners of the communities in it, where they fill the territory.
    noded = shapely.union_all(frame["geom"].to_numpy(dtype=object))
    whole = boundary_of(session, territory.id)
    if shapely.area(shapely.difference(whole, noded)) <= FREE_SHARE * shapely.area(whole):
        outline = from_shape(MultiPolygon(as_areas(np.array([noded], dtype=object))[0][0]), srid=4326)
        session.execute(update(Territory).where(Territory.id == territory.id).values(boundary=outline))
        session.execute(
            update(Area).where(Area.territory_id == territory.id, Area.level != "community").values(boundary=outline)
        )
    settle(session, territory)
    session.expire_all()

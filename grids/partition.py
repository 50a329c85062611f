"""Cutting communities into unit grids: regular cells, clipped, without gap or overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry.base import BaseGeometry

from core.errors import DataQuality, InvalidInput
from core.progress import Progress, Silent
from grids.codes import reading_order
from grids.lattice import Geometries, Ints, Lattice
from grids.seams import share_vertices
from grids.slivers import Groups

MOST_CELLS = 2_000_000
"""More cells than this are refused; a city of a thousand square kilometres has 100,000 hectare cells."""
SLIVER_SHARE = 0.05
"""A piece below this share of a whole cell joins the neighbour it shares the longest border with."""
_AT_ONCE = 200_000
_OVERLAP_SHARE = 1e-9


class _Pieces(NamedTuple):
    """Cells of one community while they are being cut; ``seam`` marks those on or beside its boundary."""

    shapes: Geometries
    column: Ints
    row: Ints
    seam: np.ndarray


def partition(
    areas: gpd.GeoDataFrame,
    *,
    kind: str,
    size_m: float | Mapping[int, float],
    progress: Progress | None = None,
) -> gpd.GeoDataFrame:
    """Return the cells of all communities: together they are the communities, to the last corner.

    Parameters
    ----------
    areas
        Columns ``community_id`` and ``geometry`` (polygons of one metric CRS, in metres).
    kind
        ``square`` or ``hexagon``.
    size_m
        Width of a cell in metres (see `Lattice`), for all or by ``community_id``. The lattice begins
        at the origin of the CRS, so cells of equal size align across communities.

    Returns
    -------
    GeoDataFrame
        One row a cell, ordered by community and sequence: ``community_id``, ``kind``, ``size_m``,
        ``column``, ``row`` (of the lattice), ``sequence`` (from 1 inside the community),
        ``area_m2``, ``geometry`` (Polygon). A community line that cuts a cell in several parts makes
        several cells. A part below `SLIVER_SHARE` of a whole cell joins the neighbour in the same
        community with which it shares the longest border; it stays a cell where it has none.

    Raises
    ------
    InvalidInput
        Unknown kind, bad size, no CRS in metres, or more than `MOST_CELLS` cells.
    DataQuality
        Communities that are not valid polygons or overlap, all of them named.
    """
    check_areas(areas)
    identities = [int(value) for value in areas["community_id"]]
    lattices = lattices_of(identities, kind=kind, size_m=size_m)
    check_count(areas, lattices)
    progress = progress or Silent()
    progress.step("Cutting communities into cells", len(areas))
    found: dict[str, list[np.ndarray]] = {name: [] for name in ("community", "size", *_Pieces._fields)}
    for identity, area in zip(identities, areas.geometry, strict=True):
        lattice = lattices[identity]
        pieces = _without_slivers(_cut(area, lattice), lattice.nominal_m2 * SLIVER_SHARE)
        count = len(pieces.shapes)
        found["community"].append(np.full(count, identity))
        found["size"].append(np.full(count, lattice.size_m))
        for name, values in pieces._asdict().items():
            found[name].append(values)
        progress.advance()
    columns = {name: np.concatenate(values) for name, values in found.items()}
    shapes, seam = columns["shapes"], columns["seam"]
    shapes[seam] = share_vertices(shapes[seam])
    centre = shapely.centroid(shapes)
    frame = pd.DataFrame(
        {
            "community_id": columns["community"],
            "kind": kind,
            "size_m": columns["size"],
            "column": columns["column"],
            "row": columns["row"],
            "sequence": reading_order(
                columns["community"], columns["row"], shapely.get_x(centre), shapely.get_y(centre)
            ),
            "area_m2": shapely.area(shapes),
        },
    )
    cells = gpd.GeoDataFrame(frame, geometry=shapes, crs=areas.crs)
    return cells.sort_values(["community_id", "sequence"], ignore_index=True)


def lattices_of(
    identities: list[int],
    *,
    kind: str,
    size_m: float | Mapping[int, float],
) -> dict[int, Lattice]:
    """Return the lattice of each community; raise `InvalidInput` where a size is missing or bad."""
    if not isinstance(size_m, Mapping):
        return dict.fromkeys(identities, Lattice(kind, float(size_m)))
    missing = sorted(set(identities) - set(size_m))
    if missing:
        raise InvalidInput(f"No cell size was given for {len(missing)} communities, e.g. number {missing[0]}.")
    return {identity: Lattice(kind, float(size_m[identity])) for identity in identities}


def check_areas(areas: gpd.GeoDataFrame) -> None:
    """Return when the communities can be cut, else raise as `partition` says."""
    if len(areas) == 0:
        raise InvalidInput(
            "There is no community to cut into cells.", hint="Bring in administrative boundaries first.",
            zh="没有可划分网格的社区。请先导入行政区划界线。",
        )  # fmt: skip
    if areas.crs is None or not areas.crs.is_projected:
        raise InvalidInput(
            "The communities must be in a CRS in metres to be cut.", hint="Name the metric CRS.",
            zh="划分网格需要以米为单位的坐标系。请指定。",
        )  # fmt: skip
    faults = []
    for identity, area in zip(areas["community_id"], areas.geometry, strict=True):
        if area is None or area.is_empty or area.geom_type not in {"Polygon", "MultiPolygon"}:
            faults.append(f"community {identity} is no polygon")
        elif not area.is_valid:
            faults.append(f"community {identity}: {shapely.is_valid_reason(area)}")
    if faults:
        raise DataQuality(
            "Some communities cannot be cut.", faults, hint="Mend their boundaries.",
            zh=f"{len(faults)} 个社区无法划分，界线不是有效的多边形。请修正其界线。",
        )  # fmt: skip
    shapes = areas.geometry.to_numpy()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    left, right = left[left < right], right[left < right]
    overlap = shapely.area(shapely.intersection(shapes[left], shapes[right]))
    limit = _OVERLAP_SHARE * np.minimum(shapely.area(shapes[left]), shapely.area(shapes[right]))
    names = areas["community_id"].to_numpy()
    pairs = [
        f"{names[a]} and {names[b]} share {common:,.3g} m²"
        for a, b, common in zip(left[overlap > limit], right[overlap > limit], overlap[overlap > limit], strict=True)
    ]
    if pairs:
        raise DataQuality(
            "Communities overlap, so cells would too:", pairs, hint="Give every place to one community.",
            zh=f"{len(pairs)} 对社区相互重叠，网格也会重叠。每处只能属于一个社区。",
        )  # fmt: skip


def check_count(areas: gpd.GeoDataFrame, lattices: Mapping[int, Lattice]) -> None:
    """Return when the cells will be few enough, else raise `InvalidInput` naming their number."""
    shapes = areas.geometry.to_numpy()
    nominal = np.array([lattices[int(identity)].nominal_m2 for identity in areas["community_id"]])
    about = float(np.sum(shapely.area(shapes) / nominal))
    if about > MOST_CELLS:
        smallest = min(lattice.size_m for lattice in lattices.values())
        raise InvalidInput(
            f"Cells of {smallest:g} m would make about {about:,.0f} cells; at most {MOST_CELLS:,} are possible.",
            hint="Take bigger cells.",
            zh="网格数目过多，请增大网格尺寸。",
        )


def _cut(area: BaseGeometry, lattice: Lattice) -> _Pieces:
    """Return the faces that the lattice cuts the area into, each a polygon.

    Cells that do not touch the boundary are taken whole. The others are not intersected one by one:
    their edges and the boundary are noded together once and polygonised, so that neighbours have the
    very same vertices.
    """
    shapely.prepare(area)
    west, east, south, north = lattice.index_range(area.bounds)
    whole, touched = [], []
    columns = np.arange(west, east + 1)
    per_block = max(1, _AT_ONCE // len(columns))
    for first in range(south, north + 1, per_block):
        rows = np.arange(first, min(first + per_block, north + 1))
        column, row = (part.ravel() for part in np.meshgrid(columns, rows))
        boxes = lattice.polygons(column, row)
        inside = shapely.contains_properly(area, boxes)
        rest = np.flatnonzero(~inside)
        rest = rest[shapely.intersects(area, boxes[rest])]
        whole.append((boxes[inside], column[inside], row[inside]))
        touched.append((column[rest], row[rest]))
    shapes, column, row = (np.concatenate(parts) for parts in zip(*whole, strict=True))
    cut_column, cut_row = (np.concatenate(parts) for parts in zip(*touched, strict=True))
    edges = _edges(lattice, cut_column, cut_row)
    lines = shapely.union_all([area.boundary, *edges])
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    at = shapely.point_on_surface(faces)
    x, y = shapely.get_x(at), shapely.get_y(at)
    face_column, face_row = lattice.index(x, y)
    height = north - south + 3  # a spare row each way, so that keys of neighbours are unique too
    cut_keys = cut_column * height + (cut_row - south)
    # The ring of touched cells also closes a face around all whole cells: that one is dropped.
    keep = np.isin(face_column * height + (face_row - south), cut_keys) & shapely.contains_xy(area, x, y)
    # A boundary that passes nanometres from a corner leaves the cell whole, but its corner is on the seam.
    beside = (
        cut_keys[:, None] + np.array([-height - 1, -height, 1 - height, -1, 1, height - 1, height, height + 1])
    ).ravel()
    return _Pieces(
        np.concatenate([shapes, faces[keep]]),
        np.concatenate([column, face_column[keep]]),
        np.concatenate([row, face_row[keep]]),
        np.concatenate([np.isin(column * height + (row - south), beside), np.ones(int(keep.sum()), dtype=bool)]),
    )


def _edges(lattice: Lattice, column: Ints, row: Ints) -> Geometries:
    """Return the sides of the cells as lines, every shared side once."""
    corners = lattice.corners(column, row)
    begin, end = corners.reshape(-1, 2), np.roll(corners, -1, axis=1).reshape(-1, 2)
    low = corners.reshape(-1, 2).min(axis=0)
    high = int(corners[..., 1].max() - low[1]) + 1
    first, second = ((part - low) @ np.array([high, 1]) for part in (begin, end))
    _, unique = np.unique(np.stack([np.minimum(first, second), np.maximum(first, second)]), axis=1, return_index=True)
    ordered = (first <= second)[unique, None, None]
    pairs = np.stack([begin[unique], end[unique]], axis=1)
    return np.asarray(shapely.linestrings(lattice.metres(np.where(ordered, pairs, pairs[:, ::-1]))))


def _without_slivers(pieces: _Pieces, smallest_m2: float) -> _Pieces:
    """Return the pieces with every too small one joined to the neighbour of its longest border."""
    area = shapely.area(pieces.shapes)
    small = np.flatnonzero(area < smallest_m2)
    if len(small) == 0:
        return pieces
    left, right = shapely.STRtree(pieces.shapes).query(pieces.shapes[small], predicate="touches")
    left = small[left]
    lines = shapely.boundary(pieces.shapes)
    border = shapely.length(shapely.intersection(lines[left], lines[right]))
    groups = Groups(area, left[border > 0], right[border > 0], border[border > 0])
    for piece in small[np.argsort(area[small], kind="stable")].tolist():
        while groups.area_of(piece) < smallest_m2 and groups.join_longest(piece):
            pass
    owner = groups.owners()
    joined = np.flatnonzero(np.bincount(owner, minlength=len(owner)) > 1)
    members = np.flatnonzero(np.isin(owner, joined))
    shapes, seam = pieces.shapes.copy(), pieces.seam.copy()
    for group in joined:
        shapes[group] = shapely.union_all(pieces.shapes[members[owner[members] == group]])
    seam[joined] = True
    kept = np.flatnonzero(owner == np.arange(len(owner)))
    return _Pieces(shapes[kept], pieces.column[kept], pieces.row[kept], seam[kept])

"""Why each border of a cell is there: the street it runs along, a river, a community line, a cut, somebody's hand."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from grids.block_borders import ON_LINE_M, Sides, sides_of
from grids.lattice import Bools, Floats, Geometries, Ints

REASONS = ("street", "railway", "river", "path", "community", "city", "hand", "method", "cut")
"""Why a border is there; where several hold, the first.

``city`` is the boundary of the territory, ``hand`` a line that somebody drew, ``method`` what squares, hexagons, points
or a file make it, ``cut`` a shortest cut through a block that was too large.
"""
LINE_REASONS = REASONS[:4]
OF_METHOD = ("square", "hexagon", "h3", "voronoi", "file")
"""Kinds of cells whose borders come of the method, unless they lie on a line."""
DIRECTIONS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")
_RANK = {kind: at for at, kind in enumerate(REASONS)}
_COMMUNITY, _CITY, _HAND, _METHOD, _CUT = (_RANK[each] for each in REASONS[4:])


def reasons(
    cells: gpd.GeoDataFrame,
    lines: gpd.GeoDataFrame,
    *,
    earlier: gpd.GeoDataFrame | None = None,
    by_hand: Bools | None = None,
    boundary: shapely.Geometry | None = None,
    community: shapely.Geometry | None = None,
) -> gpd.GeoDataFrame:
    """Return why each border between two cells is there: a stretch a row, those of the same reason together.

    Parameters
    ----------
    cells
        Column ``community_id``, where known also ``kind``, and polygons in a CRS in metres that share their vertices.
    lines
        Column ``kind`` (see `LINE_REASONS`), where known also ``name``; lines in the same CRS.
    earlier
        What was known of borders before (``kind``, ``name``, lines): it holds on where no line says more.
    by_hand
        Cells that a hand just made: what is new between two of them is its line.
    boundary
        Boundary of the territory; with it the borders of one cell alone are told too, as ``city`` where they lie on
        it and else as ``community``. None leaves them out.
    community
        Area of the communities drawn: a border of one cell alone that is not on its edge comes of the method, as
        where the cell beyond is not known any more. None takes every such border for a community line.

    Returns
    -------
    GeoDataFrame
        ``left`` and ``right`` (rows of the cells from 0, the lower first; -1 where no cell is beyond), ``kind`` (one
        of `REASONS`), ``name`` (of the street, railway or river; None where it has none), ``length_m``, ``geometry``.
    """
    shapes = cells.geometry.to_numpy()
    sides = sides_of(shapes)
    plain = _plain(cells, sides, by_hand)
    if boundary is not None:
        rims = sides_of(shapes, rims=True)
        edge = shapely.boundary(boundary)
        shapely.prepare(edge)
        lost = np.full(len(rims.left), _COMMUNITY)
        if community is not None:
            line = shapely.boundary(community)
            shapely.prepare(line)
            shaped = _shaped(cells)[rims.left]
            lost[~shapely.dwithin(line, rims.middle, ON_LINE_M)] = _CUT
            lost[(lost == _CUT) & shaped] = _METHOD
        outer = np.where(shapely.dwithin(edge, rims.middle, ON_LINE_M), _CITY, lost)
        plain = np.concatenate([plain, outer])
        sides = Sides(
            np.concatenate([sides.left, rims.left]),
            np.concatenate([sides.right, rims.right]),
            np.concatenate([sides.ends, rims.ends]),
        )
    middle = sides.middle
    name = np.full(len(middle), "", dtype=object)
    rank = np.full(len(middle), len(REASONS))
    _learn(rank, name, middle, lines)
    silent = np.flatnonzero(rank == len(REASONS))
    if earlier is not None and len(silent):
        before, called = rank[silent], name[silent]
        _learn(before, called, middle[silent], earlier)
        rank[silent], name[silent] = before, called
    unsaid = (rank == len(REASONS)) | ((plain == _COMMUNITY) & (rank > _COMMUNITY))
    rank[unsaid], name[unsaid] = plain[unsaid], ""
    return _gathered(sides, rank, name, cells.crs)


def _plain(cells: gpd.GeoDataFrame, sides: Sides, by_hand: Bools | None) -> Ints:
    """Return why a side is there when nothing lies along it."""
    community = cells["community_id"].to_numpy()
    shaped = _shaped(cells)
    rank = np.where(shaped[sides.left] | shaped[sides.right], _METHOD, _CUT)
    if by_hand is not None:
        rank[by_hand[sides.left] & by_hand[sides.right]] = _HAND
    rank[community[sides.left] != community[sides.right]] = _COMMUNITY
    return rank


def _shaped(cells: gpd.GeoDataFrame) -> Bools:
    """Return which cells have the shape that a method gives."""
    return cells["kind"].isin(OF_METHOD).to_numpy() if "kind" in cells else np.zeros(len(cells), dtype=bool)


def _learn(rank: Ints, name: np.ndarray, middle: Geometries, lines: gpd.GeoDataFrame) -> None:
    """Write the lowest rank of the lines at each place, and of these the first name."""
    if len(lines) == 0 or len(middle) == 0:
        return
    kinds = np.array([_RANK[each] for each in lines["kind"]], dtype=np.int64)
    given = lines["name"] if "name" in lines else pd.Series([""] * len(lines))
    names = np.array([each if isinstance(each, str) else "" for each in given], dtype=object)
    side, line = shapely.STRtree(lines.geometry.to_numpy()).query(middle, predicate="dwithin", distance=ON_LINE_M)
    if len(side) == 0:
        return
    spelling = np.unique(names.astype(str), return_inverse=True)[1]
    order = np.lexsort((spelling[line], names[line] == "", kinds[line], side))
    first = order[np.flatnonzero(np.r_[True, side[order][1:] != side[order][:-1]])]
    rank[side[first]] = kinds[line[first]]
    name[side[first]] = names[line[first]]


def _gathered(sides: Sides, rank: Ints, name: np.ndarray, crs: Any) -> gpd.GeoDataFrame:
    """Return the sides as stretches: those of the same cells and reason together."""
    ends = np.stack([sides.ends.real, sides.ends.imag], axis=-1)
    count = len(rank)
    drawn = np.asarray(shapely.linestrings(ends), dtype=object).reshape(-1) if count else np.empty(0, dtype=object)
    frame = pd.DataFrame(
        {"left": sides.left, "right": sides.right, "rank": rank, "name": name, "length_m": sides.length_m}
    )
    grouped = frame.groupby(["left", "right", "rank", "name"], sort=True)
    rows = grouped["length_m"].sum().reset_index()
    which = grouped.ngroup().to_numpy()
    order = np.argsort(which, kind="stable")
    parts = shapely.multilinestrings(drawn[order], indices=which[order]) if count else np.empty(0, dtype=object)
    rows["kind"] = [REASONS[each] for each in rows["rank"]]
    rows["name"] = [each or None for each in rows["name"]]
    table = rows[["left", "right", "kind", "name", "length_m"]]
    return gpd.GeoDataFrame(table, geometry=shapely.line_merge(parts), crs=crs)


def direction_of(from_x: Floats, from_y: Floats, to_x: Floats, to_y: Floats) -> Ints:
    """Return in which of `DIRECTIONS` places lie, in metres, seen from others."""
    bearing = np.degrees(np.arctan2(np.asarray(to_x) - from_x, np.asarray(to_y) - from_y))
    return np.asarray(np.round(bearing / 45.0).astype(np.int64) % 8)

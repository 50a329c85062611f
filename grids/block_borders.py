"""Borders between cells: how long they are, what they run along, and why each is there."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from grids.lattice import Floats, Geometries, Ints

ON_LINE_M = 0.5
"""A side whose middle is at most this far from a line lies on it: nodes of lines are moved by rounding only."""
REASONS = ("street", "railway", "river", "path", "community", "cut")
"""Why a border is there; where several hold, the first."""
LINE_REASONS = REASONS[:4]


@dataclass(frozen=True, slots=True)
class Borders:
    """Borders between pairs of cells (``left`` below ``right``), each pair once.

    Attributes
    ----------
    length_m, off_line_m
        Length of the common border, and of its part on no line; shape (n,).
    """

    left: Ints
    right: Ints
    length_m: Floats
    off_line_m: Floats

    @property
    def on_line_share(self) -> float:
        """Return the share of all inner border that lies on a line; 1 where there is no inner border."""
        whole = float(self.length_m.sum())
        return 1.0 if whole == 0 else 1.0 - float(self.off_line_m.sum()) / whole


@dataclass(frozen=True, slots=True)
class Sides:
    """Straight sides that two polygons share: ``left`` below ``right``, the ends as complex numbers, shape (n, 2)."""

    left: Ints
    right: Ints
    ends: npt.NDArray[np.complex128]

    @property
    def length_m(self) -> Floats:
        """Return how long each is."""
        return np.asarray(np.abs(self.ends[:, 1] - self.ends[:, 0]))

    @property
    def middle(self) -> Geometries:
        """Return the points halfway."""
        at = self.ends.mean(axis=1)
        return np.asarray(shapely.points(at.real, at.imag), dtype=object).reshape(-1)


def sides_of(shapes: Geometries) -> Sides:
    """Return the sides between polygons that share their vertices exactly."""
    if len(shapes) == 0:
        none = np.empty(0, dtype=np.int64)
        return Sides(none, none, np.empty((0, 2), dtype=np.complex128))
    _, flat, (rings, polygons) = shapely.to_ragged_array(shapes)
    corner, vertex = np.unique(flat[:, 0] + 1j * flat[:, 1], return_inverse=True)
    vertex = vertex.ravel()
    begin = np.setdiff1d(np.arange(len(flat) - 1), rings[1:-1] - 1)
    low, high = np.minimum(vertex[begin], vertex[begin + 1]), np.maximum(vertex[begin], vertex[begin + 1])
    cell = np.searchsorted(rings[polygons], begin, side="right") - 1
    side = low * len(corner) + high
    order = np.lexsort((cell, side))
    same = np.flatnonzero((side[order][1:] == side[order][:-1]) & (cell[order][1:] != cell[order][:-1]))
    one, other = order[same], order[same + 1]
    ends = corner[np.stack([low[one], high[one]], axis=1)]
    return Sides(np.minimum(cell[one], cell[other]), np.maximum(cell[one], cell[other]), ends)


def on_line(shapes: Geometries, lines: shapely.STRtree, within: shapely.Geometry | None = None) -> Borders:
    """Return the borders between polygons that share their vertices exactly.

    Parameters
    ----------
    lines
        Tree of the lines that count as natural borders.
    within
        Area whose own boundary counts as a line; None when there is none.
    """
    sides = sides_of(shapes)
    points, length = sides.middle, sides.length_m
    natural = np.zeros(len(points), dtype=bool)
    if len(lines.geometries) and len(points):
        natural[np.unique(lines.query(points, predicate="dwithin", distance=ON_LINE_M)[0])] = True
    if within is not None and len(points):
        line = shapely.boundary(within)
        shapely.prepare(line)
        natural |= shapely.dwithin(line, points, ON_LINE_M)
    key, pair = np.unique(sides.left * max(len(shapes), 1) + sides.right, return_inverse=True)
    return Borders(
        key // max(len(shapes), 1),
        key % max(len(shapes), 1),
        np.bincount(pair.ravel(), length, minlength=len(key)).astype(np.float64),
        np.bincount(pair.ravel(), np.where(natural, 0.0, length), minlength=len(key)).astype(np.float64),
    )


def reasons(cells: gpd.GeoDataFrame, lines: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return why each border between two cells is there: a stretch a row, those of the same reason together.

    Parameters
    ----------
    cells
        Column ``community_id`` and polygons in a CRS in metres that share their vertices.
    lines
        Column ``kind`` (see `LINE_REASONS`), where known also ``name``; lines in the same CRS.

    Returns
    -------
    GeoDataFrame
        ``left`` and ``right`` (rows of the cells from 0, the lower first), ``kind`` (one of `REASONS`), ``name``
        (of the street or river; None where it has none, or for a cut), ``length_m``, ``geometry``.
    """
    shapes = cells.geometry.to_numpy()
    sides = sides_of(shapes)
    count = len(sides.left)
    community = cells["community_id"].to_numpy()
    between = community[sides.left] != community[sides.right] if count else np.zeros(0, dtype=bool)
    rank = np.where(between, REASONS.index("community"), REASONS.index("cut"))
    name = np.full(count, "", dtype=object)
    if len(lines) and count:
        kinds = np.array([REASONS.index(each) for each in lines["kind"]], dtype=np.int64)
        given = lines["name"] if "name" in lines else pd.Series([""] * len(lines))
        names = np.array([each if isinstance(each, str) else "" for each in given], dtype=object)
        side, line = shapely.STRtree(lines.geometry.to_numpy()).query(
            sides.middle, predicate="dwithin", distance=ON_LINE_M
        )
        spelling = np.unique(names.astype(str), return_inverse=True)[1]
        order = np.lexsort((spelling[line], names[line] == "", kinds[line], side))
        first = order[np.flatnonzero(np.r_[True, side[order][1:] != side[order][:-1]])] if len(order) else order
        rank[side[first]] = np.minimum(rank[side[first]], kinds[line[first]])
        said = kinds[line[first]] == rank[side[first]]
        name[side[first][said]] = names[line[first][said]]
    ends = np.stack([sides.ends.real, sides.ends.imag], axis=-1)
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
    return gpd.GeoDataFrame(table, geometry=shapely.line_merge(parts), crs=cells.crs)

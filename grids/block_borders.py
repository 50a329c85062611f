"""Borders between cells: how long they are, and what they run along; why each is there stands in `border_reasons`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from grids.lattice import Floats, Geometries, Ints

ON_LINE_M = 0.5
"""A side whose middle is at most this far from a line lies on it: nodes of lines are moved by rounding only."""


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


def sides_of(shapes: Geometries, *, rims: bool = False) -> Sides:
    """Return the sides between polygons that share their vertices exactly; with ``rims`` those of one polygon alone.

    Beyond a rim is nothing, so ``right`` is -1 there.
    """
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
    if rims:
        _, first, times = np.unique(side[order], return_index=True, return_counts=True)
        alone = order[first[times == 1]]
        ends = corner[np.stack([low[alone], high[alone]], axis=1)]
        return Sides(cell[alone], np.full(len(alone), -1), ends)
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

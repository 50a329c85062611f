"""Borders between cells: how long they are, and how much of them lies on a street, railway or river."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
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


def on_line(shapes: Geometries, lines: shapely.STRtree, within: shapely.Geometry | None = None) -> Borders:
    """Return the borders between polygons that share their vertices exactly.

    Parameters
    ----------
    lines
        Tree of the lines that count as natural borders.
    within
        Area whose own boundary counts as a line; None when there is none.
    """
    none = np.empty(0, dtype=np.int64)
    if len(shapes) == 0:
        return Borders(none, none, np.empty(0), np.empty(0))
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
    length = np.abs(ends[:, 1] - ends[:, 0])
    middle = ends.mean(axis=1)
    points = shapely.points(middle.real, middle.imag)
    natural = np.zeros(len(points), dtype=bool)
    if len(lines.geometries):
        natural[np.unique(lines.query(points, predicate="dwithin", distance=ON_LINE_M)[0])] = True
    if within is not None:
        line = shapely.boundary(within)
        shapely.prepare(line)
        natural |= shapely.dwithin(line, points, ON_LINE_M)
    left, right = np.minimum(cell[one], cell[other]), np.maximum(cell[one], cell[other])
    key, pair = np.unique(left * len(shapes) + right, return_inverse=True)
    return Borders(
        key // len(shapes),
        key % len(shapes),
        np.bincount(pair.ravel(), length, minlength=len(key)).astype(np.float64),
        np.bincount(pair.ravel(), np.where(natural, 0.0, length), minlength=len(key)).astype(np.float64),
    )

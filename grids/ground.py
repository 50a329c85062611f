"""Cells as a graph: who borders on whom, and for how many metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from grids.lattice import Floats, Geometries, Ints
from grids.seams import neighbours

_TOUCH_M = 1e-3


@dataclass(frozen=True, eq=False)
class Ground:
    """Cells as a graph: who borders on whom, and for how long.

    Attributes
    ----------
    pairs
        Cells that share a side, shape (m, 2), the first below the second.
    border_m
        Length of the common side of each pair.
    place
        A point of each cell, shape (n, 2), in metres.
    """

    pairs: npt.NDArray[np.int64]
    border_m: Floats
    place: Floats

    def within(self, group: Ints) -> Ground:
        """Return the ground without the borders between cells of different groups."""
        same = group[self.pairs[:, 0]] == group[self.pairs[:, 1]]
        return Ground(self.pairs[same], self.border_m[same], self.place)

    def rows(self) -> tuple[Ints, Ints, Floats]:
        """Return the neighbours of each cell, with the length of the sides: offsets, neighbours, lengths."""
        count = len(self.place)
        one = np.concatenate([self.pairs[:, 0], self.pairs[:, 1]])
        other = np.concatenate([self.pairs[:, 1], self.pairs[:, 0]])
        length = np.concatenate([self.border_m, self.border_m])
        order = np.lexsort((other, one))
        offsets = np.r_[0, np.cumsum(np.bincount(one, minlength=count))].astype(np.int64)
        return offsets, other[order].astype(np.int64), length[order].astype(np.float64)


def ground_of(shapes: Geometries) -> Ground:
    """Return the graph of cells given as polygons in a CRS in metres.

    Cells that share their vertices are compared side by side. Where some touch without sharing them, as cells
    of a file or of a border drawn by hand may, what they have in common is measured.
    """
    pairs = neighbours(shapes)
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    left, right = left[left < right], right[left < right]
    known = {(one, other) for one, other in pairs.tolist()}
    rest = np.array(
        [(one, other) for one, other in zip(left.tolist(), right.tolist(), strict=True) if (one, other) not in known],
        dtype=np.int64,
    ).reshape(-1, 2)
    both = np.concatenate([pairs, rest])
    lines = shapely.boundary(shapes)
    common = shapely.length(shapely.intersection(lines[both[:, 0]], lines[both[:, 1]]))
    strange = np.flatnonzero(common[len(pairs) :] <= _TOUCH_M) + len(pairs)
    if len(strange):  # borders that run nanometres apart
        near = shapely.buffer(shapes[both[strange, 0]], 0.01, quad_segs=1)
        common[strange] = shapely.length(shapely.intersection(near, lines[both[strange, 1]]))
        common[strange] = np.where(common[strange] > 0.1, common[strange], 0.0)
    kept = common > _TOUCH_M
    centre = shapely.centroid(shapes)
    place = np.stack([shapely.get_x(centre), shapely.get_y(centre)], axis=1)
    return Ground(both[kept], common[kept], place)

"""Seams between cells: neighbours get the very same vertices along their common border."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import shapely

from grids.lattice import Geometries

NEAR_M = 1e-7
"""Vertices nearer than this are one: a hundred times the spacing of floats at the far end of a UTM zone."""


def share_vertices(shapes: Geometries) -> Geometries:
    """Return the polygons with every vertex that lies on a neighbour's side taken over by the neighbour.

    Where cells of different size meet at a community line, one has a corner on the straight side of
    the other. In the metric CRS the side passes within nanometres of the corner, but drawn in another
    CRS a straight side bends away from it by millimetres: a gap. With the corner in both, no CRS
    parts them. A shape that would become invalid is left as it is.
    """
    if len(shapes) == 0:
        return shapes
    _, flat, (rings, polygons) = shapely.to_ragged_array(shapes)
    corner, same = np.unique(flat[:, 0] + 1j * flat[:, 1], return_inverse=True)
    points = np.asarray(shapely.points(corner.real, corner.imag))
    tree = shapely.STRtree(points)
    left, right = tree.query(points, predicate="dwithin", distance=NEAR_M)
    first = np.arange(len(corner))
    np.minimum.at(first, left, right)
    vertex = first[same.ravel()]
    begin = np.setdiff1d(np.arange(len(flat) - 1), rings[1:-1] - 1)
    ends = corner[np.stack([vertex[begin], vertex[begin + 1]], axis=1)]
    sides = shapely.linestrings(np.stack([ends.real, ends.imag], axis=-1))
    side, guest = tree.query(sides, predicate="dwithin", distance=NEAR_M)
    new = (first[guest] == guest) & (guest != vertex[begin[side]]) & (guest != vertex[begin[side] + 1])
    side, guest = side[new], guest[new]
    along = ends[side, 1] - ends[side, 0]
    share = ((corner[guest] - ends[side, 0]) * along.conj()).real / np.abs(along) ** 2
    order = np.lexsort((share, side))
    order = order[(share[order] > 0) & (share[order] < 1)]
    position = begin[side[order]] + 1
    vertex = np.insert(vertex, position, guest[order])
    shifted = rings + np.searchsorted(position, rings)
    seamed = _polygons(corner[vertex], shifted, polygons)
    return np.where(shapely.is_valid(seamed), seamed, shapes)


def neighbours(shapes: Geometries) -> npt.NDArray[np.int64]:
    """Return pairs of cells (first below second) that share a side, shape (n, 2); corners do not count.

    The cells must share their vertices exactly, as `share_vertices` leaves them.
    """
    if len(shapes) == 0:
        return np.empty((0, 2), dtype=np.int64)
    _, flat, (rings, polygons) = shapely.to_ragged_array(shapes)
    corner, vertex = np.unique(flat[:, 0] + 1j * flat[:, 1], return_inverse=True)
    vertex = vertex.ravel()
    begin = np.setdiff1d(np.arange(len(flat) - 1), rings[1:-1] - 1)
    low, high = np.minimum(vertex[begin], vertex[begin + 1]), np.maximum(vertex[begin], vertex[begin + 1])
    side = low * len(corner) + high
    cell = np.searchsorted(rings[polygons], begin, side="right") - 1
    order = np.lexsort((cell, side))
    side, cell = side[order], cell[order]
    same = np.flatnonzero((side[1:] == side[:-1]) & (cell[1:] != cell[:-1]))
    return np.unique(np.stack([cell[same], cell[same + 1]], axis=1), axis=0)


def _polygons(corners: npt.NDArray[np.complex128], rings: np.ndarray, polygons: np.ndarray) -> Geometries:
    flat = np.stack([corners.real, corners.imag], axis=1)
    return np.asarray(shapely.from_ragged_array(shapely.GeometryType.POLYGON, flat, (rings, polygons)))

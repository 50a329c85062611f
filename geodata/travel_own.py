"""Ways that a planner brings as a matrix, in place of a road network: known between its places, nowhere else."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.spatial import cKDTree

from geodata.network import Floats, Ints, Mode, RoadNetwork, Snapped

Floats32 = NDArray[np.float32]
SAME_DEG = 1e-5
"""Places as near as this, about a metre, are one."""


@dataclass(frozen=True, eq=False)
class MatrixWays(RoadNetwork):
    """A network without streets; a point meets it where it is a row or a column of the matrix.

    Attributes
    ----------
    od_s
        Seconds from rows to columns; infinite where no way leads.
    row_at, column_at
        Longitude and latitude of rows and columns, shape (n, 2).
    """

    od_s: Floats32 = field(default_factory=lambda: np.empty((0, 0), dtype=np.float32))
    row_at: Floats = field(default_factory=lambda: np.empty((0, 2)))
    column_at: Floats = field(default_factory=lambda: np.empty((0, 2)))

    def snap(self, points: Floats) -> Snapped:
        """Return which place of the matrix each point is; -1 and infinitely far where it is none."""
        points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        found = _nearest(np.concatenate([self.row_at, self.column_at]), points)
        return Snapped(found, np.zeros(len(points)), np.where(found >= 0, 0.0, np.inf))

    def times(self, origins: Snapped, destinations: Snapped) -> Floats:
        """Return seconds between rows and columns, shape (origins, destinations)."""
        places = np.concatenate([self.row_at, self.column_at])
        rows, columns = (
            np.where(each.stretch >= 0, _nearest(at, places[np.maximum(each.stretch, 0)]), -1)
            for each, at in ((origins, self.row_at), (destinations, self.column_at))
        )
        seconds = np.full((len(rows), len(columns)), np.inf)
        known = np.ix_(rows >= 0, columns >= 0)
        seconds[known] = self.od_s[np.ix_(rows[rows >= 0], columns[columns >= 0])]
        return seconds

    def slower(self, factor: float) -> MatrixWays:
        """Return the same ways, all of them longer by a factor."""
        return dataclasses.replace(self, od_s=(self.od_s * factor).astype(np.float32))


def matrix_ways(od_s: Floats32, row_at: Floats, column_at: Floats, *, mode: Mode, metric_srid: int) -> MatrixWays:
    """Return the ways of a matrix as a network."""
    nothing, none = np.empty(0), np.empty(0, dtype=np.int64)
    graph = csr_array((0, 0))
    return MatrixWays(
        mode=mode, metric_srid=metric_srid, ends=np.empty((0, 2), dtype=np.int64), forward_s=nothing,
        backward_s=nothing, length_m=nothing, lines=np.empty(0, dtype=object), graph=graph, reversed_graph=graph,
        arc_stretch=none, targets=np.arange(len(row_at) + len(column_at)), tree=shapely.STRtree([]), od_s=od_s,
        row_at=row_at, column_at=column_at,
    )  # fmt: skip


def _nearest(known: Floats, wanted: Floats) -> Ints:
    """Return the place of each wanted point among the known; -1 where none is so near."""
    if not len(known) or not len(wanted):
        return np.full(len(wanted), -1)
    away, at = cKDTree(known).query(wanted)
    return np.where(away <= SAME_DEG, at, -1)

"""Where the town is: the ground near buildings, or near streets where buildings are not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import shapely
from scipy.ndimage import distance_transform_edt

from core.errors import InvalidInput
from grids.lattice import Floats, Geometries

STEP_M = 20.0
"""Spacing of the lattice the built-up area is measured on: an error of some percent for a hectare, none for a town."""
NEAR_STREET_M = 100.0
NEAR_BUILDING_M = 50.0
_MOST_CELLS = 400_000_000


@dataclass(frozen=True, slots=True)
class BuiltUp:
    """The built-up area as points of a square lattice, each of which stands for ``step_m``² of ground."""

    x: Floats
    y: Floats
    step_m: float
    tree: shapely.STRtree

    @classmethod
    def near(cls, things: Geometries, *, within_m: float, step_m: float = STEP_M) -> Self:
        """Return the ground at most ``within_m`` from the things (lines or points in metres)."""
        if len(things) == 0:
            return cls(np.empty(0), np.empty(0), step_m, shapely.STRtree([]))
        points = shapely.get_coordinates(shapely.segmentize(things, step_m / 2))
        pad = int(np.ceil(within_m / step_m)) + 1
        low = np.floor(points.min(axis=0) / step_m).astype(np.int64) - pad
        width, height = (np.floor(points.max(axis=0) / step_m).astype(np.int64) + pad - low + 1).tolist()
        if width * height > _MOST_CELLS:
            raise InvalidInput("The streets or buildings lie too far apart to be one territory.")
        empty = np.ones((width, height), dtype=bool)
        column, row = (np.floor(points / step_m).astype(np.int64) - low).T
        empty[column, row] = False
        column, row = np.nonzero(distance_transform_edt(empty) * step_m <= within_m)
        x, y = (column + low[0] + 0.5) * step_m, (row + low[1] + 0.5) * step_m
        return cls(x, y, step_m, shapely.STRtree(shapely.points(x, y)))

    @classmethod
    def of(cls, streets: Geometries, buildings: Geometries | None = None) -> Self:
        """Return the ground near buildings where they are known, else near streets."""
        if buildings is not None and len(buildings):
            return cls.near(shapely.centroid(buildings), within_m=NEAR_BUILDING_M)
        return cls.near(streets, within_m=NEAR_STREET_M)

    @property
    def area_m2(self) -> float:
        """Return the whole built-up area."""
        return float(len(self.x)) * self.step_m**2

    def area_in(self, shapes: Geometries) -> npt.NDArray[np.float64]:
        """Return the built-up area in each polygon in m²."""
        if len(self.x) == 0 or len(shapes) == 0:
            return np.zeros(len(shapes))
        shape, _ = self.tree.query(shapes, predicate="contains")
        return np.bincount(shape, minlength=len(shapes)).astype(np.float64) * self.step_m**2

    def share(self, shapes: Geometries) -> npt.NDArray[np.float64]:
        """Return the built-up share of each polygon, 0 to about 1."""
        return np.asarray(self.area_in(shapes) / shapely.area(shapes))

"""Regular lattices of squares and hexagons: cell of a point and corners of a cell, by arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import shapely

from core.errors import InvalidInput

Kind = Literal["square", "hexagon"]
KINDS: tuple[str, ...] = get_args(Kind)
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Geometries = npt.NDArray[Any]

# Corners of a cell in lattice units around its anchor, anticlockwise: the anchor of a square is its
# south-west corner, that of a hexagon (upright, two vertical sides) its centre.
_SQUARE = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])
_HEXAGON = np.array([(0, -2), (1, -1), (1, 1), (0, 2), (-1, 1), (-1, -1)])


@dataclass(frozen=True)
class Lattice:
    """A lattice that begins at the origin of the metric CRS, so that equal sizes align everywhere.

    Parameters
    ----------
    kind
        ``square`` or ``hexagon`` (upright, in rows; every odd row is shifted east by half a cell).
    size_m
        Side of the square; for the hexagon the distance between opposite sides, which is also the
        distance between the centres of neighbours.

    Raises
    ------
    InvalidInput
        For an unknown kind and a size that is not a positive number.
    """

    kind: str
    size_m: float

    def __post_init__(self) -> None:
        """Refuse what cannot be a lattice."""
        if self.kind not in KINDS:
            raise InvalidInput(f"There is no grid of kind “{self.kind}”.", hint=f"Take one of: {', '.join(KINDS)}.")
        if not (math.isfinite(self.size_m) and self.size_m > 0):
            raise InvalidInput(f"A cell cannot be {self.size_m:g} m wide.", hint="Give a size above 0 in metres.")

    @property
    def nominal_m2(self) -> float:
        """Return the area of a whole cell."""
        return self.size_m**2 * (1.0 if self.kind == "square" else math.sqrt(3) / 2)

    @property
    def _units(self) -> tuple[float, float]:
        if self.kind == "square":
            return self.size_m, self.size_m
        return self.size_m / 2, self.size_m * math.sqrt(3) / 6

    def index(self, x: Floats, y: Floats) -> tuple[Ints, Ints]:
        """Return column and row of the cell of each point.

        A point on a line between squares belongs to the east and north one; hexagons take the
        nearest centre and, at equal distance, the one in the even row. One rule, so that each point
        has exactly one cell.
        """
        if self.kind == "square":
            return _floor(x, self.size_m), _floor(y, self.size_m)
        # The centres are two rectangular lattices (even and odd rows): round to each, take the nearer.
        width, height = self.size_m, self.size_m * math.sqrt(3)
        even_i, even_b = np.floor(x / width + 0.5), np.floor(y / height + 0.5)
        odd_i, odd_b = np.floor(x / width), np.floor(y / height)
        even = (x - even_i * width) ** 2 + (y - even_b * height) ** 2
        odd = (x - (odd_i + 0.5) * width) ** 2 + (y - (odd_b + 0.5) * height) ** 2
        nearer = even <= odd
        column = np.where(nearer, even_i, odd_i).astype(np.int64)
        return column, np.where(nearer, 2 * even_b, 2 * odd_b + 1).astype(np.int64)

    def index_range(self, bounds: tuple[float, float, float, float]) -> tuple[int, int, int, int]:
        """Return first and last column and row (inclusive) of all cells that may touch ``bounds``."""
        west, south, east, north = bounds
        if self.kind == "square":
            high, pad = self.size_m, 0
        else:
            high, pad = self.size_m * math.sqrt(3) / 2, 1
        # One cell further each way costs little, and rounding cannot lose a touching cell.
        return (
            math.floor(west / self.size_m) - 1 - pad,
            math.floor(east / self.size_m) + 1 + pad,
            math.floor(south / high) - 1 - pad,
            math.floor(north / high) + 1 + pad,
        )

    def corners(self, column: Ints, row: Ints) -> Ints:
        """Return the corners of cells in whole lattice units, shape (n, 4 or 6, 2)."""
        if self.kind == "square":
            anchor, offsets = np.stack([column, row], axis=-1), _SQUARE
        else:
            anchor, offsets = np.stack([2 * column + (row & 1), 3 * row], axis=-1), _HEXAGON
        return np.asarray(anchor[:, None, :] + offsets[None, :, :], dtype=np.int64)

    def metres(self, corners: Ints) -> Floats:
        """Return lattice units as metres; equal corners of neighbours are equal to the last bit."""
        return np.asarray(corners * np.array(self._units), dtype=np.float64)

    def polygons(self, column: Ints, row: Ints) -> Geometries:
        """Return whole cells as polygons."""
        if len(column) == 0:
            return np.empty(0, dtype=object)
        return np.asarray(shapely.polygons(self.metres(self.corners(column, row))))


def _floor(value: Floats, size_m: float) -> Ints:
    """Return floor(value / size) that agrees with the lines drawn at whole multiples of the size.

    The quotient of a point just beside a line may be rounded onto or over it.
    """
    index = np.floor(value / size_m)
    index -= value < index * size_m
    index += value >= (index + 1) * size_m
    return index.astype(np.int64)

"""What the use cases of borders answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Stretch:
    """A stretch of a cell's border and why it is there.

    Attributes
    ----------
    kind
        One of `grids.border_reasons.REASONS`.
    name
        Of the street, railway or river it runs along; empty where it has none.
    direction
        One of `grids.border_reasons.DIRECTIONS`: where it lies, seen from the cell.
    neighbour_id, neighbour
        Number and code of the cell beyond; None and empty where there is none.
    line
        In EPSG:4326.
    """

    kind: str
    name: str
    length_m: float
    direction: str
    neighbour_id: int | None
    neighbour: str
    line: Any

"""What the use cases of the grids answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclasses.dataclass(frozen=True)
class MadeGrid:
    """What came of cutting a territory.

    Attributes
    ----------
    cells
        Cells in force now.
    area_m2, boundary_area_m2
        Area of all cells, and of the territory, both in its metric CRS.
    unchanged
        The very same grid was there already; nothing was written.
    ended, removed
        Earlier cells that ended because incidents refer to them, and unused ones that were removed.
    largest_community
        The most cells in one community.
    people
        Estimated residents of all cells; None where no building is known.
    hint
        What the user should know, empty when nothing.
    """

    cells: int
    area_m2: float
    boundary_area_m2: float
    seconds: float
    unchanged: bool = False
    ended: int = 0
    removed: int = 0
    largest_community: int = 0
    people: float | None = None
    hint: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return all fields by name."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Located:
    """Cell and community of points; 0 where a point lies in no cell."""

    grid_id: npt.NDArray[np.int64]
    community_id: npt.NDArray[np.int64]


@dataclasses.dataclass(frozen=True)
class MadeResponsibility:
    """Responsibility grids in force, cells whose grid changed, and grids that were deleted."""

    grids: int
    cells_changed: int
    dropped: int


@dataclasses.dataclass(frozen=True)
class PeopleEstimate:
    """Cells with a changed number, people in cells, and people of buildings outside every cell."""

    cells_changed: int
    people: float
    people_outside: float


@dataclasses.dataclass(frozen=True)
class GridCard:
    """What a side panel shows of one cell.

    Attributes
    ----------
    people
        Estimated residents; None when unknown.
    responsibility_code, responsibility_name, responsibility_name_zh
        None while the cell belongs to no responsibility grid.
    facilities
        Number of facilities inside the cell by kind, most frequent first.
    """

    id: int
    code: str
    kind: str
    size_m: float | None
    area_m2: float
    people: float | None
    started_on: dt.date
    community_id: int
    community: str
    community_zh: str | None
    settlement: str
    responsibility_code: str | None
    responsibility_name: str | None
    responsibility_name_zh: str | None
    facilities: Mapping[str, int]

"""What the use cases of changing grids answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any


@dataclasses.dataclass(frozen=True)
class Change:
    """A change of grids: who drafted it, where it stands, what is known of it.

    Attributes
    ----------
    state
        draft | submitted | published | withdrawn.
    area_ids
        Communities whose cells it holds.
    facts
        ``drawn``: how the cells were cut; ``names``: names of responsibility grids by code; ``compared``: what
        changed against the day it was submitted.
    """

    id: int
    territory_id: int
    title: str
    state: str
    area_ids: tuple[int, ...]
    author_id: int | None
    made_at: dt.datetime
    submitted_at: dt.datetime | None
    decided_by: int | None
    decided_at: dt.datetime | None
    remark: str
    effective_on: dt.date | None
    facts: dict[str, Any]
    version: int


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What a change would do to today's grids.

    Attributes
    ----------
    kept, new, ended
        Cells that stay, that begin, and that end.
    rebound
        Cells that stay but change their responsibility grid.
    people
        People in cells that end; None where they are not known.
    open_incidents
        Open incidents that move to another cell.
    areas, areas_now
        Responsibility grids of the draft, and of today.
    max_over_mean, max_over_mean_now
        The most people in one of them by the mean; None where nothing is bound.
    missing_m2
        Ground of the communities that no cell of the draft covers; cells that overlap make it negative.
    """

    kept: int
    new: int
    ended: int
    rebound: int
    people: float | None
    open_incidents: int
    areas: int
    areas_now: int
    max_over_mean: float | None
    max_over_mean_now: float | None
    missing_m2: float

    @property
    def nothing(self) -> bool:
        """Return whether the draft is what is in force."""
        return not (self.new or self.ended or self.rebound)

    def as_dict(self) -> dict[str, Any]:
        """Return all fields by name."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Published:
    """What came of publishing: cells that began and ended, links to parents, incidents and cells that moved."""

    change_id: int
    effective_on: dt.date
    new: int
    ended: int
    parents: int
    incidents_moved: int
    cells_rebound: int

    def as_dict(self) -> dict[str, Any]:
        """Return all fields by name."""
        return dataclasses.asdict(self) | {"effective_on": self.effective_on.isoformat()}


@dataclasses.dataclass(frozen=True)
class CellVersion:
    """A cell before or after another one: its dates, and the ground they share."""

    id: int
    code: str
    started_on: dt.date
    ended_on: dt.date | None
    shared_m2: float
    is_parent: bool


@dataclasses.dataclass(frozen=True)
class Note:
    """A note on a grid; ``struck_at`` where it does not count any more."""

    id: int
    cell_id: int
    code: str
    body: str
    author_id: int | None
    author: str
    made_at: dt.datetime
    struck_at: dt.datetime | None


@dataclasses.dataclass(frozen=True)
class GridFile:
    """All that the grids know of one cell, in force or ended.

    Attributes
    ----------
    compactness
        4 π area by the square of the border: 1 of a circle, 0.79 of a square.
    shape
        In EPSG:4326.
    components
        Components inside, by their place; None where they are not for the actor.
    """

    id: int
    code: str
    scheme: str
    sequence: int
    kind: str
    area_m2: float
    border_m: float
    compactness: float
    people: float | None
    started_on: dt.date
    ended_on: dt.date | None
    community_id: int
    community: str
    community_zh: str | None
    settlement: str
    responsibility_code: str | None
    responsibility_name: str | None
    responsibility_name_zh: str | None
    shape: Any
    facilities: dict[str, int]
    neighbours: tuple[tuple[int, str], ...]
    versions: tuple[CellVersion, ...]

"""What the use cases of codes answer."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any


@dataclasses.dataclass(frozen=True)
class Named:
    """A cell that bears or bore a code."""

    id: int
    code: str
    scheme: str
    community: str
    community_zh: str | None
    started_on: dt.date
    ended_on: dt.date | None

    def on(self, day: dt.date) -> bool:
        """Return whether it was in force on a day."""
        return self.started_on <= day and (self.ended_on is None or self.ended_on > day)


@dataclasses.dataclass(frozen=True)
class Meaning:
    """What a code meant on a day.

    Attributes
    ----------
    cells
        In force on the day; of a code whose cell had ended or not yet begun, the cells of that ground on the day.
    how
        ``in force``, ``later`` (its cell had ended), ``earlier`` (its cell had not begun) or ``list`` (an older list).
    borne_by
        The cell that bore the code; None of a code known from a list alone.
    """

    code: str
    day: dt.date
    how: str
    cells: tuple[Named, ...]
    borne_by: Named | None = None
    list_name: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return all fields by name, days as text."""
        told = dataclasses.asdict(self)
        for cell in [*told["cells"], *([told["borne_by"]] if told["borne_by"] else [])]:
            for name in ("started_on", "ended_on"):
                cell[name] = None if cell[name] is None else cell[name].isoformat()
        return told | {"day": self.day.isoformat()}


@dataclasses.dataclass(frozen=True)
class Relative:
    """A cell of a family: ``depth`` generations after (before, if negative) the one asked about.

    Attributes
    ----------
    shared_m2
        Ground it shares with the one asked about.
    made_by
        Title of the change that made it; empty of the first ones.
    """

    depth: int
    id: int
    code: str
    scheme: str
    started_on: dt.date
    ended_on: dt.date | None
    area_m2: float
    shared_m2: float
    made_by: str


@dataclasses.dataclass(frozen=True)
class KnownScheme:
    """A scheme of the registry: since when, where from, and how many cells in force are written by it."""

    key: str
    pattern: str
    version: int
    valid_from: dt.date | None
    note: str
    cells: int
    in_use: bool


@dataclasses.dataclass(frozen=True)
class PrefixOffer:
    """An official code that was found for a community, or why none was."""

    area_id: int
    community: str
    community_zh: str | None
    code: str
    name: str
    reason: str = ""

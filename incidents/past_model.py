"""What the list of incidents as of a day answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PastRow:
    """An incident as it stood at the end of a day; ``stood`` is open, closed or void, ``status_now`` that of today."""

    id: int
    number: str
    class_en: str
    class_zh: str
    reported_at: dt.datetime
    place: str
    grid_id: int
    grid_code: str
    community: str
    community_zh: str | None
    status_now: str
    stood: str


@dataclass(frozen=True, slots=True)
class PastPage:
    """A page of a list as of a day, and how many of all it finds stood how."""

    rows: tuple[PastRow, ...]
    counts: dict[str, int]

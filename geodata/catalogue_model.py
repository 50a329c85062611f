"""Nouns of the catalogue: what data there are, what their columns mean, who keeps them, who uses them; pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from core.identity import May

KINDS = ("text", "integer", "number", "boolean", "day", "moment")
"""What a value of a column is."""
GEOMETRIES = ("Point", "LineString", "Polygon", "Geometry", "")
"""What a row looks like on a map; "" for a table without places."""
SENSITIVITIES = ("public", "internal", "restricted")
RHYTHMS = ("once", "continuous", "daily", "weekly", "monthly", "quarterly", "yearly", "irregular")
EXPECTED_DAYS = {"continuous": 2, "daily": 3, "weekly": 14, "monthly": 62, "quarterly": 186, "yearly": 730}
"""After how many days without a newer state a data set of a rhythm is stale; others never are."""
UNUSED_DAYS = 90
"""What nobody has read for so long is called unused."""
PERSONAL_ROLES = frozenset({"person", "name", "phone", "personal", "identity", "address"})
"""Roles of columns that never leave by an interface or an export, whatever the role of who asks."""
SET_PREFIX = "set-"
"""Before the key of an uploaded data set, where it stands beside the built-in tables."""


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A column as others read it.

    Attributes
    ----------
    unit
        Unit of measurement; empty where there is none.
    values
        The codes it takes, where they are few.
    """

    name: str
    kind: str
    title_en: str
    title_zh: str
    unit: str = ""
    values: tuple[str, ...] = ()

    def title(self, locale: str) -> str:
        """Return the meaning in a language, "zh" or else English."""
        return self.title_zh or self.title_en if locale.startswith("zh") else self.title_en or self.title_zh


@dataclass(frozen=True, slots=True)
class Offer:
    """A table or data set as it may be given to others.

    Attributes
    ----------
    key
        Short name in addresses and commands.
    geometry
        One of `GEOMETRIES`.
    moment
        The column that a time filter compares; empty where rows have no moment.
    capability
        What a role needs to read it at all; row-level security narrows it further.
    data_set_id
        Of an uploaded data set; None of a built-in table.
    """

    key: str
    title_en: str
    title_zh: str
    about_en: str
    about_zh: str
    geometry: str
    fields: tuple[FieldInfo, ...]
    moment: str = ""
    capability: May = May.SEE_MAP
    sensitivity: str = "internal"
    licence: str = ""
    rhythm: str = "irregular"
    data_set_id: int | None = None

    def title(self, locale: str) -> str:
        """Return the title in a language, "zh" or else English."""
        return self.title_zh or self.title_en if locale.startswith("zh") else self.title_en or self.title_zh

    def about(self, locale: str) -> str:
        """Return what it holds, in a language."""
        return self.about_zh or self.about_en if locale.startswith("zh") else self.about_en or self.about_zh

    def column(self, name: str) -> FieldInfo | None:
        """Return the column of a name, or None."""
        return next((each for each in self.fields if each.name == name), None)


@dataclass(frozen=True, slots=True)
class Use:
    """What a data set was read for by somebody on one day."""

    day: dt.date
    label: str
    way: str
    times: int
    rows: int
    joined: tuple[str, ...] = ()
    last_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the catalogue: an offer with who keeps it, how fresh it is and who uses it.

    Attributes
    ----------
    bounds
        West, south, east, north in degrees; None without rows or places.
    period
        First and last moment that rows tell of.
    lineage
        From which files, by which mapping, how many rows; newest first.
    quality
        Scores from 0 to 1 by name, of the newest load; empty where none were taken.
    uses_known
        Who asks oversees uses; without that nothing is called unused.
    """

    offer: Offer
    owner: str = ""
    owner_zh: str | None = None
    owner_unit_id: int | None = None
    steward: str = ""
    steward_zh: str = ""
    steward_id: int | None = None
    licence: str = ""
    rows: int | None = None
    bounds: tuple[float, float, float, float] | None = None
    period: tuple[dt.datetime | None, dt.datetime | None] = (None, None)
    updated_at: dt.datetime | None = None
    rhythm: str = "irregular"
    lineage: tuple[Mapping[str, Any], ...] = ()
    quality: Mapping[str, float] = field(default_factory=dict)
    last_use: Use | None = None
    uses_known: bool = True
    readable: bool = True
    version: int = 0

    @property
    def key(self) -> str:
        """Return the key of the offer."""
        return self.offer.key

    def stale(self, now: dt.datetime) -> bool:
        """Return whether by its rhythm there should be a newer state."""
        days = EXPECTED_DAYS.get(self.rhythm)
        return days is not None and self.updated_at is not None and now - self.updated_at > dt.timedelta(days=days)

    def unused(self, now: dt.datetime) -> bool:
        """Return whether nobody has read it for long, nor was it brought in lately."""
        if not self.uses_known:
            return False
        since = now - dt.timedelta(days=UNUSED_DAYS)
        if self.last_use is not None and self.last_use.last_at is not None:
            return self.last_use.last_at < since
        return self.updated_at is not None and self.updated_at < since


def may_leave(role: object) -> bool:
    """Return whether a column of this role of a data set may leave by an interface or an export."""
    return str(role or "").strip().lower() not in PERSONAL_ROLES

"""The nouns of access: what is asked, what the city gives to answer it, and the answer."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from geodata.network import MODES, Mode, RoadNetwork
from geodata.osm_facilities import FACILITY_KINDS
from planning.layer_model import Growth
from planning.terms import HOURS

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MINUTES_AT_MOST = 240.0
KINDS_AT_MOST = 12
BASKET = ("shop", "pharmacy", "clinic", "kindergarten", "school", "park", "bus_stop")
"""What a person needs near home every week, as the basket opens; the page lets it be changed."""


@dataclass(frozen=True)
class AccessQuestion:
    """Who reaches what in time.

    Attributes
    ----------
    kinds
        Keys of `geodata.osm_facilities.FACILITY_KINDS`; several are a basket, of which one of each is wanted.
    mode
        How people come: ``walk`` or ``drive``.
    limit_min
        Minutes that count as near.
    study_id
        A study whose sites are compared with what is there; None for now alone.
    demand_id
        A layer of demand whose people count; None for those of the map.
    growth
        An assumption about how many more there will be.
    matrix_id
        A matrix of the planner's own whose people and ways count in place of the map's.
    hour
        Cars go as fast as was measured on weekdays of late at this local hour; None: as fast as the roads allow.
    """

    kinds: tuple[str, ...]
    mode: Mode = "walk"
    limit_min: float = 15.0
    study_id: int | None = None
    demand_id: int | None = None
    growth: Growth = field(default_factory=Growth)
    matrix_id: int | None = None
    hour: int | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        if not self.kinds:
            raise InvalidInput("No kind of facility is chosen.", hint="Choose one, or several for a basket.")
        unknown = [kind for kind in self.kinds if kind not in FACILITY_KINDS]
        if unknown:
            raise InvalidInput(
                f"There is no kind of facility {unknown[0]!r}.", hint=f"Known are: {', '.join(FACILITY_KINDS)}."
            )
        if len(set(self.kinds)) < len(self.kinds) or len(self.kinds) > KINDS_AT_MOST:
            raise InvalidInput(
                f"A basket holds up to {KINDS_AT_MOST} different kinds of facility.", hint="Take some out."
            )
        if self.mode not in MODES:
            raise InvalidInput(f"Nobody travels by {self.mode!r} here.", hint=f"Take one of: {', '.join(MODES)}.")
        if not (math.isfinite(self.limit_min) and 0 < self.limit_min <= MINUTES_AT_MOST):
            raise InvalidInput(
                f"{self.limit_min:g} minutes is no useful limit.",
                hint=f"Take more than 0 and at most {MINUTES_AT_MOST:g}.",
            )
        if self.hour is not None and not 0 <= self.hour < HOURS:
            raise InvalidInput(f"{self.hour} is no hour of a day.", hint="Give 0 to 23.")
        if self.hour is not None and (self.mode != "drive" or self.matrix_id is not None):
            raise InvalidInput(
                "Speeds of an hour are those of cars on streets.",
                hint="Ask for people who drive, without travel times of your own, or leave the hour out.",
            )

    @property
    def limit_s(self) -> float:
        """Return the limit in seconds."""
        return self.limit_min * 60.0

    @property
    def key(self) -> str:
        """Return the question as one line; equal questions have equal ones."""
        key = f"{','.join(sorted(self.kinds))}|{self.mode}|{self.limit_min:g}|{self.study_id or ''}"
        if self.demand_id is not None:
            key += f"|d{self.demand_id}"
        if self.matrix_id is not None:
            key += f"|m{self.matrix_id}"
        if self.hour is not None:
            key += f"|h{self.hour}"
        return key if self.growth.factor == 1.0 else f"{key}|g{self.growth.per_cent:g}x{self.growth.years}"


@dataclass(frozen=True, eq=False)
class AccessCity:
    """What the city gives: homes with people, facilities, the network.

    Attributes
    ----------
    homes, people
        Longitude and latitude of buildings with people, shape (n, 2), and how many live there.
    grid_id, community_id
        Where each building lies; 0 in none.
    facilities
        Kind to longitude, latitude and places (NaN where unknown), shape (m, 3).
    sites
        Longitude and latitude of the sites of the study compared, shape (s, 2); empty without one.
    sites_kind
        Of which kind they are; None for something new.
    sites_alone
        The study was asked as if none of the kind were there.
    groups, group_names
        People of each home and group, shape (n, n_groups), where the layer of demand has groups.
    demand
        Which layer and what growth was assumed, in plain words for the answer; None for the people of the map.
    allowed
        The network with what the roads allow, where ``network`` goes by the speeds of an hour; None otherwise.
    """

    homes: Floats
    people: Floats
    grid_id: Ints
    community_id: Ints
    facilities: Mapping[str, Floats]
    sites: Floats
    sites_kind: str | None
    sites_alone: bool
    network: RoadNetwork
    metric_srid: int
    groups: Floats = field(default_factory=lambda: np.empty((0, 0)))
    group_names: tuple[str, ...] = ()
    demand: Mapping[str, Any] | None = None
    allowed: RoadNetwork | None = None


@dataclass(frozen=True, eq=False)
class CellAccess:
    """The answer by unit grid; only those with people.

    Attributes
    ----------
    now_s, then_s
        Mean way of those who have one; infinite where nobody has. ``then_s`` is empty without a study.
    within
        People within the limit now.
    supply
        Facilities (or their places) for a person by 2SFCA; empty for a basket.
    """

    grid_id: Ints
    people: Floats
    within: Floats
    now_s: Floats
    then_s: Floats
    supply: Floats


@dataclass(frozen=True, eq=False)
class AccessAnswer:
    """What came of a question; ``facts`` are plain numbers, None in place of infinite ones."""

    facts: Mapping[str, Any]
    cells: CellAccess


@dataclass(frozen=True)
class AccessRow:
    """A question as it is kept, with its answer where there is one.

    Attributes
    ----------
    state
        ``asked`` or ``answered``.
    fresh
        The answer is of the data that are loaded now.
    """

    id: int
    territory_id: int
    question: AccessQuestion
    state: str
    fresh: bool
    job_id: int | None
    asked_at: dt.datetime
    answered_at: dt.datetime | None
    facts: Mapping[str, Any] = field(repr=False)

"""The nouns of planning: the question, the study that holds its answer, its sites and grounds."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import shapely

from core.errors import InvalidInput
from geodata.network import MODES, Mode
from geodata.osm_facilities import FACILITY_KINDS
from planning.kinds import INFO, KINDS, Kind
from planning.terms import Terms

SITES_AT_MOST = 50
CANDIDATES_AT_MOST = 5000
AT_ONCE_CANDIDATES, AT_ONCE_POINTS = 2000, 10_000
"""What is compared in one piece; beyond, shortest ways for all are answered by blocks."""
LIMIT_MIN_AT_MOST = 240.0
TITLE_AT_MOST = 120
NO_TERMS = Terms()
ROOMED_POINTS = 600
"""Points of demand where room is counted: who goes where is a question of its own then."""
DEMAND_POINTS = 2500
"""Points the people of all buildings are gathered at unless more are asked for; figures count every building."""


@dataclass(frozen=True)
class Question:
    """Where should new facilities stand.

    Attributes
    ----------
    kind
        As in `planning.kinds`, e.g. ``p-median``: shortest ways for all; ``mclp``: as many people as possible
        within the limit.
    p
        How many new sites; 0 for as many as it takes (lscp, fixed-charge), else the most of these.
    facility_kind
        Key of `geodata.osm_facilities.FACILITY_KINDS`; None for something the city does not have yet.
    mode
        How people come: ``walk`` or ``drive``.
    limit_min
        Minutes that count as near; the p-median only reports how many live within them.
    keep_existing
        Whether facilities of the kind that are there go on serving.
    candidates
        How many buildable places are compared at most.
    terms
        What the answer keeps to besides.
    """

    kind: Kind
    p: int
    facility_kind: str | None = None
    mode: Mode = "walk"
    limit_min: float = 15.0
    keep_existing: bool = True
    candidates: int = 500
    seed: int = 0
    terms: Terms = NO_TERMS

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        if self.kind not in KINDS:
            raise InvalidInput(f"There is no siting question {self.kind!r}.", hint=f"Take one of: {', '.join(KINDS)}.")
        if self.mode not in MODES:
            raise InvalidInput(f"Nobody travels by {self.mode!r} here.", hint=f"Take one of: {', '.join(MODES)}.")
        if self.facility_kind is not None and self.facility_kind not in FACILITY_KINDS:
            raise InvalidInput(
                f"There is no kind of facility {self.facility_kind!r}.", hint=f"Known are: {', '.join(FACILITY_KINDS)}."
            )
        if not 1 <= self.candidates <= CANDIDATES_AT_MOST:
            raise InvalidInput(
                f"{self.candidates:,} candidates cannot be compared.", hint=f"Take 1 to {CANDIDATES_AT_MOST:,}."
            )
        if self.p < (1 if INFO[self.kind].needs_p else 0):
            raise InvalidInput(f"{self.p} sites cannot be chosen.", hint="Ask for at least one.")
        self._check_terms()
        if self.p > self.candidates:
            raise InvalidInput(
                f"{self.p:,} sites are asked for, but only {self.candidates:,} candidates are compared.",
                hint="Ask for fewer sites or compare more candidates.",
            )
        self._check_size()
        if self.p > SITES_AT_MOST:
            raise InvalidInput(f"{self.p:,} sites are too many for one study.", hint=f"At most {SITES_AT_MOST}.")
        if not (math.isfinite(self.limit_min) and 0 < self.limit_min <= LIMIT_MIN_AT_MOST):
            raise InvalidInput(
                f"{self.limit_min:g} minutes is no useful limit.",
                hint=f"Take more than 0 and at most {LIMIT_MIN_AT_MOST:g}.",
            )

    @property
    def by_blocks(self) -> bool:
        """Return whether it is so large that travel times of all pairs are never in memory at once."""
        terms = self.terms
        plain = terms.spacing_m is None and terms.budget is None and terms.floor is None
        large = (terms.points or 0) > DEMAND_POINTS or max(self.candidates, len(terms.places)) > AT_ONCE_CANDIDATES
        return self.kind == "p-median" and plain and large

    @property
    def with_few_points(self) -> Question:
        """Return it with no more points of people than usual, for what asks it many times over."""
        if (self.terms.points or 0) <= DEMAND_POINTS:
            return self
        return replace(
            self, candidates=min(self.candidates, AT_ONCE_CANDIDATES), terms=replace(self.terms, points=None)
        )

    def _check_size(self) -> None:
        if self.by_blocks:
            return
        way_out = "More are answered where shortest ways for all are asked for, without spacing, budget or share."
        candidates, points = max(self.candidates, len(self.terms.places)), self.terms.points or 0
        if candidates > AT_ONCE_CANDIDATES:
            raise InvalidInput(
                f"{candidates:,} candidates are too many for this question.",
                hint=f"Take at most {AT_ONCE_CANDIDATES:,}. {way_out}",
            )
        most = ROOMED_POINTS if INFO[self.kind].needs_capacity else AT_ONCE_POINTS
        if points > most:
            raise InvalidInput(
                f"{points:,} points of people are too many for this question.", hint=f"Take at most {most:,}. {way_out}"
            )

    def _check_terms(self) -> None:
        terms, info = self.terms, INFO[self.kind]
        if info.needs_capacity and terms.capacity is None and not _all(each.capacity for each in terms.places):
            raise InvalidInput("It is not said for how many people a site has room.", hint="Say the room of a site.")
        no_cost = terms.site_cost is None and not _all(each.cost for each in terms.places)
        if (info.needs_cost or terms.budget is not None) and no_cost:
            raise InvalidInput("It is not said what a site costs.", hint="Say the cost of a site.")
        if terms.by_hand and self.p not in {0, len(terms.by_hand)}:
            raise InvalidInput(
                f"{len(terms.by_hand):,} places are marked, but {self.p:,} sites are asked for.",
                hint="Mark as many as the question asks for.",
            )
        if terms.hour is not None and (self.mode != "drive" or terms.matrix is not None):
            raise InvalidInput(
                "Speeds of an hour are those of cars on streets.",
                hint="Ask for people who drive, without travel times of your own, or leave the hour out.",
            )
        if len(terms.fixed) > self.p > 0:
            raise InvalidInput(
                f"{len(terms.fixed):,} sites are to be built in any case, but only {self.p:,} are asked for."
            )

    @property
    def limit_s(self) -> float:
        """Return the limit in seconds."""
        return self.limit_min * 60.0

    @property
    def existing_kind(self) -> str | None:
        """Return the kind whose facilities go on serving; None when none do."""
        return self.facility_kind if self.keep_existing else None


def _all(values: Iterable[float | None]) -> bool:
    """Return whether there are values and none is missing."""
    given = list(values)
    return bool(given) and all(value is not None for value in given)


@dataclass(frozen=True)
class SiteAnswer:
    """One chosen site and whom it serves, counted on all buildings.

    Attributes
    ----------
    people
        To whom it is the nearest.
    within
        Of these, people within the limit.
    mean_s, farthest_s
        Of their ways; None when it serves nobody.
    """

    number: int
    lon: float
    lat: float
    people: float
    within: float
    mean_s: float | None
    farthest_s: float | None
    street: str = ""
    street_zh: str = ""
    community_id: int | None = None
    grid_id: int | None = None


@dataclass(frozen=True)
class Ground:
    """The ground of a group of people, drawn on the map.

    Attributes
    ----------
    kind
        ``catchment`` (of the site ``site_number``), ``existing`` (served by what is there), ``left_out``
        (beyond the limit) or ``unreachable`` (no way at all).
    """

    kind: str
    site_number: int | None
    people: float
    shape: shapely.MultiPolygon = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """What came of a question.

    Attributes
    ----------
    facts
        Plain numbers and lists for the record and the page; see `planning.answer.answer`.
    """

    status: str
    objective: float | None
    bound: float | None
    gap: float | None
    unserved: float
    facts: Mapping[str, Any]
    sites: tuple[SiteAnswer, ...] = ()
    grounds: tuple[Ground, ...] = ()


@dataclass(frozen=True)
class Study:
    """A question with its answer.

    Attributes
    ----------
    state
        ``asked``, ``answered`` or ``infeasible``.
    job_id
        The background work that answers; None when it was answered on the command line.
    parent_id
        The study that it is another answer to: a plan made by hand, or the question with other terms.
    """

    id: int
    title: str
    question: Question
    state: str
    asked_label: str
    created_at: dt.datetime
    answered_at: dt.datetime | None
    job_id: int | None
    version: int
    status: str | None
    objective: float | None
    bound: float | None
    gap: float | None
    unserved: float | None
    facts: Mapping[str, Any]
    parent_id: int | None = None

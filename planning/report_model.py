"""The nouns of a study's report: what is counted, what the trials showed, how sure it is, what it rests on."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planning.model import Ground, SiteAnswer, Study
from planning.norms import Norm

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PROVEN_GAP = 1e-6
"""A smaller gap is none: the choice is proven best."""
THERE, NOBODY = 0, -1
"""In place of the number of a site: served by what is there; served by nobody."""


@dataclass(frozen=True, eq=False)
class Homes:
    """The buildings of a city with the ways of their people, one entry a building.

    Attributes
    ----------
    lonlat, people
        Longitude and latitude, shape (n, 2), and how many live there.
    grid_id, community_id
        Where each lies; 0 in none.
    now_s, then_s
        Seconds to the nearest facility now and with the new sites; infinite where no way leads.
    site
        Number of the new site that serves it, `THERE` or `NOBODY`.
    point
        Which gathered point of demand it counts at; -1 where nobody lives.
    """

    lonlat: Floats
    people: Floats
    grid_id: Ints
    community_id: Ints
    now_s: Floats
    then_s: Floats
    site: Ints
    point: Ints


@dataclass(frozen=True)
class Ways:
    """How far it is for a group of people.

    Attributes
    ----------
    within
        People within the limit.
    mean_s, middle_s, far_s
        Mean way, the way of the person in the middle, and the way that nine of ten do not exceed, of those who have
        one; None when nobody has.
    unreached
        People without any way.
    """

    people: float
    within: float
    mean_s: float | None
    middle_s: float | None
    far_s: float | None
    unreached: float


@dataclass(frozen=True)
class AreaRow:
    """One community or grid before and after; ``key`` is its id, 0 for people who live in none."""

    key: int
    now: Ways
    then: Ways

    @property
    def gained(self) -> float:
        """Return how many people more are within the limit; negative where it is fewer."""
        return self.then.within - self.now.within

    @property
    def left_out(self) -> float:
        """Return the people who stay beyond the limit."""
        return self.then.people - self.then.within


@dataclass(frozen=True)
class Change:
    """For whom what changes, in people.

    Attributes
    ----------
    shorter, longer
        Whose way changes by more than `planning.report.NOTICED_S`.
    same
        All others.
    newly_in, newly_out
        Who comes within the limit, and who falls out of it.
    """

    shorter: float
    longer: float
    same: float
    newly_in: float
    newly_out: float


@dataclass(frozen=True, eq=False)
class Spread:
    """How the ways are spread over people.

    Attributes
    ----------
    edges_min
        Of the bars in minutes; the last bar holds everybody who has farther.
    bars
        People in each bar.
    curve_people, curve_minutes
        Lorenz curve of the lengths: share of the people from the shortest way on, share of all minutes.
    gini
        Of the lengths; None when nobody has a way.
    longest_tenth
        Share of all minutes that the tenth with the longest ways travels.
    """

    edges_min: Floats
    bars: Floats
    curve_people: Floats
    curve_minutes: Floats
    gini: float | None
    longest_tenth: float | None


@dataclass(frozen=True, eq=False)
class Numbers:
    """All that is counted; ``now`` parts are None where nothing of the kind is there yet."""

    now: Ways | None
    then: Ways
    change: Change
    communities: tuple[AreaRow, ...]
    grids: tuple[AreaRow, ...]
    spread_now: Spread | None
    spread_then: Spread


@dataclass(frozen=True)
class SiteTrial:
    """How a chosen site fared in the trials.

    Attributes
    ----------
    same, near
        Trials in which the best choice holds this very place, and one within `planning.report_trials.NEAR_M`.
    rank_kept
        Trials in which it keeps its rank by people served.
    """

    number: int
    same: int
    near: int
    rank_kept: int


@dataclass(frozen=True)
class Trials:
    """What became of the choice when speeds and people were drawn anew.

    Attributes
    ----------
    count, answered
        Trials made, and those in which the question had an answer.
    speed
        By what share speeds went up and down at most.
    behind, behind_worst
        Share by which the recommended plan was behind the best one found: in the middle trial, and at worst.
    within_low, within_high, mean_low_s, mean_high_s
        Between these nine of ten trials lay, for the recommended plan.
    """

    count: int
    answered: int
    speed: float
    sites: tuple[SiteTrial, ...]
    behind: float
    behind_worst: float
    within_low: float
    within_high: float
    mean_low_s: float
    mean_high_s: float


@dataclass(frozen=True)
class Source:
    """A load of data the answer rests on."""

    kind: str
    name: str
    sha256: str
    loaded_at: dt.datetime
    later: bool
    """Loaded after the study was answered."""


@dataclass(frozen=True)
class Signature:
    """Who decided what about the study, and why."""

    label: str
    decision: str
    note: str
    at: dt.datetime


@dataclass(frozen=True, eq=False)
class Report:
    """All that a report says, in numbers and keys; words are made where it is written.

    Attributes
    ----------
    drift
        Share by which today's count of the mean way differs from that of the study; above `DRIFT` the data changed.
    others
        Studies of the same question that were answered too: parent, other answers, plans by hand.
    """

    study: Study
    sites: tuple[SiteAnswer, ...]
    grounds: tuple[Ground, ...]
    numbers: Numbers
    trials: Trials | None
    sources: tuple[Source, ...]
    norms: tuple[Norm, ...]
    others: tuple[Study, ...]
    signatures: tuple[Signature, ...]
    drift: float
    made_at: dt.datetime

    @property
    def drifted(self) -> bool:
        """Return whether today's data no longer give the study's numbers."""
        return self.drift > DRIFT


DRIFT = 0.005


def at_most(gap: float) -> float:
    """Return a certified gap as the share to be printed: rounded up to a tenth of a per cent; 0 where it is proven."""
    if gap <= PROVEN_GAP:
        return 0.0
    return math.ceil(round(gap * 1000, 6)) / 1000

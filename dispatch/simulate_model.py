"""Nouns of the simulator: a day, who works in it, by which rule workers are sent, and what came of it.

All moments are seconds after the beginning of the day; travel is seconds between rows of a matrix of places.
"""

from __future__ import annotations

import dataclasses
import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from dispatch.plan_model import PRIORITIES, Break, Id, Seconds, Weights


class Policy(enum.StrEnum):
    """By which rule workers are sent."""

    NEAREST_IDLE = "nearest_idle"
    NEAREST_PAIR = "nearest_pair"
    FIXED_OWNER = "fixed_owner"
    OWNER_OVERFLOW = "owner_overflow"
    ROLLING = "rolling"


MYOPIC = (Policy.NEAREST_IDLE, Policy.NEAREST_PAIR, Policy.FIXED_OWNER, Policy.OWNER_OVERFLOW)
"""Rules that look at nothing but who is free now."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """An incident of the day.

    Attributes
    ----------
    at
        Row of its place in the matrix.
    arrival_s
        When it is known; nobody is sent before.
    service_s
        How long the work really takes; no rule is told before it is done.
    mean_s
        What such work takes on average; all that a rule may know.
    due_s
        A breach when nobody has begun by then; infinite without a deadline.
    owner
        Index of the worker whose grid it lies in; -1 nobody's.
    """

    id: Id
    at: int
    arrival_s: float
    service_s: float
    mean_s: float
    priority: int = 2
    due_s: float = math.inf
    skills: frozenset[str] = frozenset()
    owner: int = -1


@dataclass(frozen=True, slots=True)
class Member:
    """A worker of the day; ``at`` is the row of where the shift begins."""

    id: Id
    at: int
    start_s: float = 0.0
    end_s: float = math.inf
    skills: frozenset[str] = frozenset()
    breaks: tuple[Break, ...] = ()


@dataclass(frozen=True, eq=False)
class Day:
    """What happens and who is there.

    Attributes
    ----------
    travel_s
        Seconds between places, shape (places, places); inf where there is no way.
    notes
        How it was come by: what is assumed, in both languages, for the reader.
    """

    arrivals: Sequence[Arrival]
    members: Sequence[Member]
    travel_s: Seconds
    notes: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse a day in which nothing can happen, or that does not fit together."""
        if not self.arrivals:
            raise InvalidInput("There is no incident in this day.", hint="Choose another day or file.")
        if not self.members:
            raise InvalidInput("There is no worker in this day.", hint="Put somebody on shift, or choose another day.")
        shape = self.travel_s.shape
        rows = [each.at for each in self.arrivals] + [each.at for each in self.members]
        if len(shape) != 2 or shape[0] != shape[1] or not 0 <= min(rows) <= max(rows) < shape[0]:
            raise InvalidInput(f"The matrix of travel times has the shape {shape}; it must be square, a row a place.")


@dataclass(frozen=True, slots=True)
class Options:
    """How a day is played.

    Attributes
    ----------
    seed
        Same seed, same day: refusals and searches; the same for every policy.
    refusals
        Share of sendings that a worker refuses; the same worker refuses the same incident under every policy.
    answer_s
        How long a refusal takes.
    weights
        The cost table of the rolling plan.
    overtime_s
        Nobody is sent who would be done so much after the end of the shift.
    overflow_s
        The owner's incidents go to another when they have waited so long.
    debounce_s
        The rolling plan is made anew at most so often.
    rounds
        Rounds of search of each re-plan.
    margin_s
        The rolling plan aims so much before each deadline, because work takes longer than its mean now and then;
        one figure a priority.
    """

    seed: int = 1
    refusals: float = 0.0
    answer_s: float = 60.0
    weights: Weights = field(default_factory=Weights)
    overtime_s: float = 1800.0
    overflow_s: float = 600.0
    debounce_s: float = 20.0
    rounds: int = 150
    margin_s: tuple[float, float, float] = (180.0, 600.0, 1200.0)

    def __post_init__(self) -> None:
        """Refuse what cannot be played."""
        if not 0 <= self.refusals <= 0.9:
            raise InvalidInput("The share of refusals must lie between 0 and 0.9.", hint="0.1 is one in ten.")
        if self.seed < 0 or self.rounds < 1:
            raise InvalidInput("The seed must be zero or more, and the rounds one or more.")
        times = (self.answer_s, self.overtime_s, self.overflow_s, self.debounce_s, *self.margin_s)
        if not all(0 <= each < math.inf for each in times) or len(self.margin_s) != PRIORITIES:
            raise InvalidInput("The times of a simulation must be zero or more, and finite.")


@dataclass(frozen=True, slots=True)
class Change:
    """What is different from the day as it was: "5 more workers", "owner penalty 900"."""

    workers: int = 0
    owner_s: float | None = None
    refusals: float | None = None

    def of(self, options: Options) -> Options:
        """Return the options with the change."""
        if self.owner_s is not None:
            options = dataclasses.replace(options, weights=dataclasses.replace(options.weights, owner_s=self.owner_s))
        return options if self.refusals is None else dataclasses.replace(options, refusals=self.refusals)


@dataclass(frozen=True, slots=True)
class Leg:
    """What became of an incident: who came when; ``worker`` -1 when nobody did by the end."""

    worker: int
    left_s: float
    begun_s: float
    done_s: float


@dataclass(frozen=True, slots=True)
class Measures:
    """What came of a day.

    Attributes
    ----------
    response_s, response_p90_s
        From when an incident was known until somebody was there, of those somebody came to.
    by_priority
        Priority to mean, 90th percentile, count and breaches.
    breaches
        Begun after the deadline, or not at all by the deadline and the end of the day.
    load_cv
        Standard deviation over mean of what each worker did (ways and work): 0 is even.
    churn
        How often the worker planned for an incident became another one before anybody set out.
    own_grid
        Share of incidents somebody's grid has that went to that worker; nan when no grid has an owner.
    """

    incidents: int
    workers: int
    response_s: float
    response_p90_s: float
    by_priority: Mapping[int, tuple[float, float, int, int]]
    breaches: int
    unserved: int
    travel_s: float
    load_cv: float
    churn: int
    refusals: int
    own_grid: float
    overtime_s: float


@dataclass(frozen=True, eq=False)
class Outcome:
    """A day played by a policy."""

    policy: Policy
    change: Change
    measures: Measures
    legs: tuple[Leg, ...]
    cpu_s: float


def measure(day: Day, legs: Sequence[Leg], until_s: float, *, churn: int = 0, refusals: int = 0) -> Measures:
    """Return the measures of a day that was played until a moment."""
    worker = np.array([leg.worker for leg in legs])
    there = worker >= 0
    begun = np.array([leg.begun_s for leg in legs])
    known = np.array([each.arrival_s for each in day.arrivals])
    due = np.array([each.due_s for each in day.arrivals])
    late = (begun > due) | (~there & (due <= until_s))
    response = np.where(there, begun - known, np.nan)
    priority = np.array([each.priority for each in day.arrivals])
    way = np.array([leg.begun_s - leg.left_s for leg in legs])
    load = np.bincount(worker[there], (np.array([leg.done_s - leg.left_s for leg in legs]))[there], len(day.members))
    owner = np.array([each.owner for each in day.arrivals])
    ends = np.array([each.end_s for each in day.members])
    last = np.full(len(day.members), -np.inf)
    np.maximum.at(last, worker[there], np.array([leg.done_s for leg in legs])[there])
    owned = owner >= 0
    return Measures(
        incidents=len(legs),
        workers=len(day.members),
        response_s=_mean(response[there]),
        response_p90_s=_p90(response[there]),
        by_priority={
            int(p): (
                _mean(response[there & (priority == p)]),
                _p90(response[there & (priority == p)]),
                int((priority == p).sum()),
                int((late & (priority == p)).sum()),
            )
            for p in np.unique(priority)
        },
        breaches=int(late.sum()),
        unserved=int((~there).sum()),
        travel_s=float(way[there].sum()),
        load_cv=float(load.std() / load.mean()) if load.any() else 0.0,
        churn=churn,
        refusals=refusals,
        own_grid=float((worker == owner)[owned].mean()) if owned.any() else math.nan,
        overtime_s=float(np.maximum(0.0, last - ends)[np.isfinite(last)].sum()),
    )


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else math.nan


def _p90(values: NDArray[np.float64]) -> float:
    return float(np.quantile(values, 0.9)) if len(values) else math.nan

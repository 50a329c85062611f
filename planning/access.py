"""Access to facilities: floating catchments, shares in time, percentiles, the worst tenth, a basket of several kinds.

Times are seconds on the network, infinite where no way leads. Whom nothing reaches is counted, never left out:
a measure of ways says how many people have none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput

Floats = NDArray[np.float64]
Times = NDArray[np.floating]
Bools = NDArray[np.bool_]
Decay = Callable[[Times, float], Times]
"""What a way counts, 0…1, by its seconds and the limit in seconds; nothing counts beyond the limit."""

WORST_SHARE = 0.1
_GAUSS_END = float(np.exp(-0.5))


@dataclass(frozen=True)
class Served:
    """People by what they reach.

    Attributes
    ----------
    within
        Those who reach one within the limit.
    beyond
        Those who reach one, but not within it.
    unreached
        Those whom no way leads to one.
    """

    people: float
    within: float
    beyond: float
    unreached: float

    @property
    def share(self) -> float:
        """Return the share of people within the limit."""
        return self.within / self.people


@dataclass(frozen=True)
class Worst:
    """The tenth of the people with the longest ways.

    Attributes
    ----------
    people
        A tenth of all; at the threshold a place counts in part.
    from_s
        The shortest way among them; infinite when all have none.
    mean_s
        Of those of them who have a way; None when nobody has.
    unreached
        Those of them who have none.
    """

    people: float
    from_s: float
    mean_s: float | None
    unreached: float


@dataclass(frozen=True, eq=False)
class Catchments:
    """The answer of a floating catchment method.

    Attributes
    ----------
    access
        Supply for each person of a place, shape (n_places,).
    ratio
        Supply for each person in reach of a facility, shape (n_facilities,); 0 where nobody is.
    unused
        Supply of facilities with nobody in reach. All other supply is shared out: ``weight @ access``.
    """

    access: Floats
    ratio: Floats
    unused: float


def binary(seconds: Times, limit_s: float) -> Times:
    """Return 1 within the limit, else 0: the catchment of the 2SFCA."""
    return (seconds <= limit_s).astype(np.float64)


def gaussian(seconds: Times, limit_s: float) -> Times:
    """Return a bell that is 1 at the door and 0 at the limit.

    ``(exp(-(t/T)²/2) - exp(-1/2)) / (1 - exp(-1/2))`` for ``t <= T`` (Dai 2010, Health & Place 16, 1038–1052).
    """
    near = np.where(seconds <= limit_s, seconds, limit_s) / limit_s
    return np.asarray((np.exp(-0.5 * near**2) - _GAUSS_END) / (1.0 - _GAUSS_END))


def stepped(shares: Sequence[float] = (1.0, 0.68, 0.22)) -> Decay:
    """Return a staircase over equal parts of the limit, by default the three of Luo and Qi (2009).

    Raises
    ------
    InvalidInput
        When a step is not within 0…1 or higher than the one before it.
    """
    steps = np.asarray(shares, dtype=np.float64)
    if not len(steps) or not ((steps >= 0) & (steps <= 1)).all() or (np.diff(steps) > 0).any():
        raise InvalidInput("The steps of a staircase fall from 1 to 0.", hint="For example 1, 0.68, 0.22.")

    def stairs(seconds: Times, limit_s: float) -> Times:
        part = np.ceil(np.where(seconds <= limit_s, seconds, limit_s) / limit_s * len(steps)).astype(np.int64) - 1
        return np.where(seconds <= limit_s, steps[np.clip(part, 0, len(steps) - 1)], 0.0)

    return stairs


def two_step(od_s: Times, weight: Floats, supply: Floats, limit_s: float, *, decay: Decay = binary) -> Catchments:
    """Return supply per person by the two-step floating catchment area method, plain or enhanced.

    First each facility shares its supply among the people in its reach, ``R_j = S_j / Σ_i w(t_ij) P_i``; then each
    place adds up what it has in reach, ``A_i = Σ_j w(t_ij) R_j``. With `binary` this is the 2SFCA (Luo and Wang 2003,
    Environment and Planning B 30, 865–884), with `stepped` or `gaussian` the E2SFCA (Luo and Qi 2009, Health & Place
    15, 1100–1107).

    Parameters
    ----------
    od_s
        Shape (n_places, n_facilities).
    weight
        People of each place.
    supply
        Places, doctors, beds or 1 of each facility; 0 is allowed.
    """
    times = checked_times(od_s)
    if times.ndim != 2:
        raise InvalidInput(f"The times have shape {times.shape}, not (places, facilities).")
    people = checked_weight(weight, len(times))
    offered = np.asarray(supply, dtype=np.float64)
    if offered.shape != (times.shape[1],):
        raise InvalidInput(f"The times are of {times.shape[1]:,} facilities, the supply of {offered.size:,}.")
    bad = int((~(np.isfinite(offered) & (offered >= 0))).sum())
    if bad:
        raise InvalidInput(
            f"The supply of {bad:,} of {offered.size:,} facilities is negative or missing.", hint="Give 0 or more."
        )
    checked_limit(limit_s)
    counts = decay(times, limit_s)
    reach = people @ counts
    used = reach > 0
    ratio = np.divide(offered, reach, out=np.zeros_like(offered), where=used)
    return Catchments(np.asarray(counts @ ratio, dtype=np.float64), ratio, float(offered[~used].sum()))


def served(time_s: Times, weight: Floats, limit_s: float) -> Served:
    """Return how many people reach one within the limit, later, or not at all."""
    times, people = _pair(time_s, weight)
    checked_limit(limit_s)
    within, reached = times <= limit_s, np.isfinite(times)
    return Served(
        float(people.sum()),
        float(people[within].sum()),
        float(people[reached & ~within].sum()),
        float(people[~reached].sum()),
    )


def percentiles(time_s: Times, weight: Floats, shares: Sequence[float] = (0.5, 0.9)) -> tuple[float, ...]:
    """Return the time within which each share of all people has reached one.

    It is the shortest time of the data that covers the share; infinite when the share cannot be reached at all.
    """
    times, people = _pair(time_s, weight)
    if any(not 0 <= share <= 1 for share in shares):
        raise InvalidInput("A share lies between 0 and 1.")
    order = np.argsort(times, kind="stable")
    covered = np.cumsum(people[order])
    goals = np.asarray(shares) * covered[-1] * (1 - 1e-12)
    return tuple(float(times[order[at]]) for at in np.minimum(np.searchsorted(covered, goals), len(times) - 1))


def mean_s(time_s: Times, weight: Floats) -> float | None:
    """Return the mean way of those who have one; None when nobody has."""
    times, people = _pair(time_s, weight)
    reached = np.isfinite(times)
    return float(np.average(times[reached], weights=people[reached])) if reached.any() else None


def worst(time_s: Times, weight: Floats, share: float = WORST_SHARE) -> Worst:
    """Return the people with the longest ways, a tenth of all by default; those without a way come first."""
    times, people = _pair(time_s, weight)
    if not 0 < share <= 1:
        raise InvalidInput("A share lies between 0 and 1.")
    order = np.argsort(-times, kind="stable")
    wanted = share * float(people.sum())
    before = np.cumsum(people[order]) - people[order]
    counted = np.clip(wanted - before, 0.0, people[order])
    mine = counted > wanted * 1e-12
    taken, ways = counted[mine], times[order][mine]
    reached = np.isfinite(ways)
    mean = float(np.average(ways[reached], weights=taken[reached])) if reached.any() else None
    return Worst(wanted, float(ways[-1]), mean, float(taken[~reached].sum()))


def basket_s(times_s: Times) -> Times:
    """Return the seconds after which a place has reached one of every kind, shape (n_places,).

    Parameters
    ----------
    times_s
        Seconds to the nearest of each kind, shape (n_places, n_kinds).
    """
    times = checked_times(times_s)
    if times.ndim != 2 or not times.shape[1]:
        raise InvalidInput("A basket holds at least one kind of facility.", hint="Choose one or more.")
    return np.asarray(times.max(axis=1))


def kinds_within(times_s: Times, limit_s: float) -> NDArray[np.int64]:
    """Return how many kinds each place reaches within the limit, shape (n_places,)."""
    checked_limit(limit_s)
    return np.asarray((checked_times(times_s) <= limit_s).sum(axis=1), dtype=np.int64)


def checked_times(time_s: Times) -> Times:
    """Return times; refuse negative ones and what is no number."""
    times = np.asarray(time_s)
    if not np.issubdtype(times.dtype, np.floating):
        times = times.astype(np.float64)
    bad = int((~(times >= 0)).sum())
    if bad:
        raise InvalidInput(
            f"{bad:,} of {times.size:,} times are negative or no number.", hint="Write inf where no way leads."
        )
    return times


def checked_weight(weight: Floats, count: int) -> Floats:
    """Return the people of places; refuse what is zero, negative or no number, and a wrong count."""
    people = np.asarray(weight, dtype=np.float64)
    if people.shape != (count,):
        raise InvalidInput(f"There are {count:,} places, but weights of {people.size:,}.")
    if not count:
        raise InvalidInput("There is no place at all.", hint="Nothing can be said of nobody.")
    bad = int((~(np.isfinite(people) & (people > 0))).sum())
    if bad:
        raise InvalidInput(
            f"The weights of {bad:,} of {count:,} places are zero, negative or missing.",
            hint="Leave out places where nobody lives, and count again where the data are wrong.",
        )
    return people


def checked_limit(limit_s: float) -> None:
    """Refuse a limit that is not above zero."""
    if not (np.isfinite(limit_s) and limit_s > 0):
        raise InvalidInput(f"{limit_s:g} seconds is no useful limit.", hint="Take more than 0.")


def _pair(time_s: Times, weight: Floats) -> tuple[Times, Floats]:
    times = checked_times(time_s)
    if times.ndim != 1:
        raise InvalidInput(f"The times have shape {times.shape}; one way a place is needed.")
    return times, checked_weight(weight, len(times))

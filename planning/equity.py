"""How evenly something is shared: Lorenz curve, Gini, Theil with its parts between and within groups, Palma.

Values are what one person of a place has (supply within reach, kinds within reach, or the length of a way); weights
are people. Every measure is of people, not of places: to split a place in two changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from planning.access import checked_weight

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PALMA_TOP, PALMA_BOTTOM = 0.1, 0.4
ROUNDING = 1e-12
"""A share below this is what adding up leaves of nothing."""


@dataclass(frozen=True)
class Theil:
    """Theil's index with its parts; ``between + within`` is ``total``.

    Attributes
    ----------
    between
        What would be left if everybody in a group had the group's mean.
    within
        The inequality inside the groups, each weighed by its share of all that is shared.
    parts
        Key of each group to its own share of ``within``.
    """

    total: float
    between: float
    within: float
    parts: Mapping[int, float]


@dataclass(frozen=True, eq=False)
class Lorenz:
    """The Lorenz curve: the poorest ``people`` share of all people has the ``value`` share of all; both begin at 0."""

    people: Floats
    value: Floats


def lorenz(values: Floats, weight: Floats) -> Lorenz:
    """Return the Lorenz curve of values over people, from those who have least."""
    have, people = _checked(values, weight)
    order = np.argsort(have, kind="stable")
    people_share = np.cumsum(people[order])
    value_share = np.cumsum(have[order] * people[order])
    return Lorenz(
        np.concatenate([[0.0], people_share / people_share[-1]]),
        np.concatenate([[0.0], value_share / value_share[-1]]),
    )


def gini(values: Floats, weight: Floats) -> float:
    """Return the Gini coefficient: 0 when all have the same, towards 1 when one has all.

    Twice the area between the Lorenz curve and the diagonal, by trapezoids, which is exact.
    """
    return gini_of(lorenz(values, weight))


def gini_of(curve: Lorenz) -> float:
    """Return the Gini coefficient of a Lorenz curve."""
    area = float(np.sum(np.diff(curve.people) * (curve.value[1:] + curve.value[:-1])) / 2)
    return max(0.0, 1.0 - 2.0 * area)


def theil(values: Floats, weight: Floats, groups: Ints | None = None) -> Theil:
    """Return Theil's T with its parts between and within groups (Theil 1967; Shorrocks 1980, Econometrica 48, 613–625).

    ``T = Σ p_i (x_i/μ) ln(x_i/μ)`` with shares ``p_i`` of the people and ``0 ln 0 = 0``; at most the logarithm of
    the number of people. With groups ``T = Σ_g s_g ln(μ_g/μ) + Σ_g s_g T_g``, ``s_g`` the group's share of the values.

    Parameters
    ----------
    groups
        Key of each place's group; None makes one group of all.
    """
    have, people = _checked(values, weight)
    keys = np.zeros(len(have), dtype=np.int64) if groups is None else np.asarray(groups)
    if keys.shape != have.shape:
        raise InvalidInput(f"There are {len(have):,} places, but groups of {keys.size:,}.")
    known, group = np.unique(keys, return_inverse=True)
    held = have * people
    total, everybody = float(held.sum()), float(people.sum())
    group_people = np.bincount(group, weights=people)
    group_share = np.bincount(group, weights=held) / total
    ratio = group_share * everybody / group_people  # the group's mean by the mean of all
    between = float(_x_log(group_share, ratio).sum())
    group_mean = np.bincount(group, weights=held) / group_people
    inside = np.divide(have, group_mean[group], out=np.zeros_like(have), where=group_mean[group] > 0)
    parts = np.bincount(group, weights=_x_log(held / total, inside))
    within = float(parts.sum())
    each = {int(key): float(part) for key, part in zip(known, parts, strict=True)}
    return Theil(between + within, between, within, each)


def palma(values: Floats, weight: Floats) -> float:
    """Return what the tenth with most has, by what the four tenths with least have (Palma 2011).

    Infinite when the four tenths have nothing. A place at the border of a tenth counts in part.
    """
    curve = lorenz(values, weight)
    low = float(np.interp(PALMA_BOTTOM, curve.people, curve.value))
    top = 1.0 - float(np.interp(1.0 - PALMA_TOP, curve.people, curve.value))
    return top / low if low > ROUNDING else float("inf")


def share_of_lowest(curve: Lorenz, people: float) -> float:
    """Return which share of all the people with least have, for a share of the people."""
    return float(np.interp(people, curve.people, curve.value))


def _x_log(share: Floats, ratio: Floats) -> Floats:
    """Return ``share * ln(ratio)``, 0 where the share is 0."""
    return np.asarray(share * np.log(np.where(share > 0, ratio, 1.0)))


def _checked(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    have = np.asarray(values, dtype=np.float64)
    if have.ndim != 1:
        raise InvalidInput(f"The values have shape {have.shape}; one a place is needed.")
    people = checked_weight(weight, len(have))
    bad = int((~(np.isfinite(have) & (have >= 0))).sum())
    if bad:
        raise InvalidInput(
            f"{bad:,} of {len(have):,} values are negative, infinite or missing.",
            hint="Count whom nothing reaches by themselves, or compare what they have: nothing.",
        )
    if not (have > 0).any():
        raise InvalidInput("Nobody has anything, so it cannot be shared unevenly.", hint="Choose a longer limit.")
    return have, people

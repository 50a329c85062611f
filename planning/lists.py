"""Costs as lists: for each demand its candidates in rising order of cost, as far as they can matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from planning.lagrange_kernels import (
    CLOSED,
    FREE,
    OPEN,
    Floats,
    Ints,
    Places,
    States,
    ascend,
    count_below,
    fill_below,
    sort_each,
    squeeze,
)
from planning.listening import patiently

START = -1e300
PACE, MOMENTUM, PATIENCE, SLOWER = 1.0, 0.7, 20, 0.7
OVER = 1.002
"""The step aims this much above the best known cost."""


@dataclass(frozen=True, eq=False)
class Lists:
    """Candidates and costs of each demand.

    Attributes
    ----------
    starts
        Where the list of each demand begins, shape (demand + 1,).
    places, values
        Candidates and their costs, rising.
    cap
        Costs from here on may be missing in the list, shape (demand,); multipliers stay below it, so every bound holds.
    """

    starts: Ints
    places: Places
    values: Floats
    cap: Floats

    def sort(self) -> None:
        """Bring the costs of each demand into rising order."""
        sort_each(self.starts, self.places, self.values)

    def without(self, states: States) -> Lists:
        """Return the lists without closed candidates and what lies behind an open one."""
        starts = np.empty_like(self.starts)
        places, values = np.empty_like(self.places), np.empty_like(self.values)
        length = squeeze(self.starts, self.places, self.values, states, starts, places, values)
        return Lists(starts, places[:length].copy(), values[:length].copy(), self.cap)


def lists_of(costs: Floats, cap: Floats | None = None) -> Lists:
    """Return the lists of a matrix of costs (candidates, demand)."""
    cap = costs.max(axis=0) * 1.01 + 1.0 if cap is None else cap
    starts = starts_below(costs, cap)
    places, values = np.empty(int(starts[-1]), dtype=np.int32), np.empty(int(starts[-1]))
    fill_below(costs, cap, starts, places, values)
    made = Lists(starts, places, values, cap)
    made.sort()
    return made


def starts_below(costs: Floats, cap: Floats) -> Ints:
    """Return where the costs of each demand below its cap begin in a list of all of them."""
    starts = np.empty(costs.shape[1] + 1, dtype=np.int64)
    count_below(costs, cap, starts)
    return starts


@dataclass(eq=False)
class Ascent:
    """Multipliers on their way up, and what the highest bound knows.

    Attributes
    ----------
    at_best, worth
        Multipliers of the highest bound, and what each candidate undercuts them by (negative).
    share
        How often each candidate was taken lately.
    """

    multipliers: Floats
    candidates: int
    pace: float = PACE

    def __post_init__(self) -> None:
        """Begin."""
        demand = len(self.multipliers)
        self.multipliers = np.array(self.multipliers, dtype=np.float64)
        self.at_best = self.multipliers.copy()
        self.direction = np.zeros(demand)
        self.worth = np.zeros(self.candidates)
        self.share = np.zeros(self.candidates)
        self.taken: States = np.zeros(self.candidates, dtype=np.int8)
        self.told = np.array([START, self.pace, 0.0])

    @property
    def bound(self) -> float:
        """Return the highest bound of these lists and states."""
        return float(self.told[0])

    @property
    def weary(self) -> bool:
        """Return whether steps have become too small to raise the bound."""
        return bool(self.told[1] < self.pace * 2e-3)

    def anew(self, pace: float | None = None) -> None:
        """Forget the highest bound, go on from its multipliers: states have changed, or only the pace."""
        self.multipliers[:] = self.at_best
        self.direction[:] = 0.0
        self.told[:] = START, self.told[1] if pace is None else pace, 0.0

    def raised(self, lists: Lists, states: States, p: int, *, target: float, enough: float, rounds: int) -> None:
        """Raise the bound by some rounds, until it is ``enough`` to show that nothing is better."""
        patiently(
            lambda: ascend(
                lists.starts, lists.places, lists.values, lists.cap, states, p, OVER * target, enough, rounds,
                MOMENTUM, PATIENCE, SLOWER, self.multipliers, self.direction, self.at_best, self.worth, self.taken,
                self.share, self.told,
            ),
            pairs=len(lists.values),
        )  # fmt: skip

    def settle(self, states: States, p: int, enough: float) -> bool:
        """Close candidates that cannot be in a better choice, open those that must be; return whether one can be.

        By what the bound rises to when one more, or one less, is taken.
        """
        free = np.flatnonzero(states == FREE)
        choose = p - int((states == OPEN).sum())
        if self.bound >= enough or choose < 0 or len(free) < choose:
            return False
        worth = self.worth[free]
        order = np.argsort(worth, kind="stable")
        ordered = worth[order]
        if choose == 0 or choose == len(free):
            states[free] = CLOSED if choose == 0 else OPEN
            return True
        last = ordered[choose - 1]
        closing = self.bound + ordered[choose:] - last >= enough
        states[free[order[choose:][closing]]] = CLOSED
        if len(free) > choose:
            opening = self.bound - ordered[:choose] + ordered[choose] >= enough
            states[free[order[:choose][opening]]] = OPEN
        return True


def multipliers_of(costs: Floats, sites: NDArray[np.int64], cap: Floats | None = None) -> Floats:
    """Return multipliers between the first and the second cost of each demand."""
    own = costs[sites]
    between: Floats = 1.2 * own[0] if len(own) == 1 else np.partition(own, 1, axis=0)[:2].mean(axis=0)
    return between if cap is None else np.minimum(between, cap)

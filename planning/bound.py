"""How low the cost of p sites can go at most: Lagrangian relaxation, raised by subgradients.

Relaxing "each demand is served once" with a multiplier per demand leaves a problem that is solved by
looking: every candidate is worth the sum of what it undercuts, and the p worthiest are taken
(Cornuéjols, Fisher & Nemhauser 1977). Every set of multipliers gives a true lower bound. Candidates
that cannot be in a better choice than the one known are dropped on the way.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress, Silent
from planning.search import swap_search
from planning.swap_kernels import times_served, worths
from planning.watching import enough, tell

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PROVEN = 1e-9
"""A smaller gap is rounding: nothing better exists."""
SEARCH_EVERY = 12
SHRINK_EVERY = 20
PATIENCE = 30
SLOWER = 0.7
SMALLEST_PACE = 1e-4
MOMENTUM = 0.85


@dataclass
class Best:
    """The best choice known and the highest bound known."""

    cost: float
    sites: Ints
    bound: float = -np.inf

    @property
    def gap(self) -> float:
        """Return the share of the cost that could still be saved at most."""
        return 0.0 if self.cost <= 0 else max(0.0, 1.0 - max(self.bound, 0.0) / self.cost)

    def is_within(self, gap: float) -> bool:
        """Return whether the choice is proven within ``gap`` of the best."""
        return self.gap <= max(gap, PROVEN)

    def learn_choice(self, cost: float, sites: Ints) -> None:
        """Keep a choice that is better."""
        if cost < self.cost:
            self.cost, self.sites = cost, sites

    def learn_bound(self, bound: float) -> None:
        """Keep a bound that is higher; none is higher than a cost that was reached."""
        self.bound = min(max(self.bound, bound), self.cost)


def raise_bound(
    costs: Floats,
    p: int,
    best: Best,
    *,
    rounds: int,
    gap: float,
    deadline: float,
    progress: Progress | None = None,
) -> Ints:
    """Raise the bound in ``best`` and return the candidates that could still be in a better choice.

    Parameters
    ----------
    costs
        Shape (candidates, demand).
    rounds
        Steps of the subgradient method at most.
    gap
        Proven gap that suffices.
    deadline
        Moment of `time.perf_counter` to end at.
    """
    progress = progress or Silent()
    whole = bool(np.array_equal(costs, np.rint(costs)))  # then so is every cost, and bounds round up
    rows = np.arange(len(costs))
    kept = np.ascontiguousarray(costs)
    multipliers = _start(costs, best.sites)
    at_best = multipliers
    direction = np.zeros(costs.shape[1])
    highest, pace, tries = -np.inf, 1.0, 0
    progress.step("Bounding what is possible", rounds)
    for number in range(rounds):
        tell(progress, best.cost, best.bound)
        if best.is_within(gap) or pace < SMALLEST_PACE or time.perf_counter() > deadline or enough(progress):
            break
        worth = np.empty(len(kept))
        worths(kept, multipliers, worth)
        taken = np.argpartition(worth, p - 1)[:p] if p < len(worth) else np.arange(len(worth))
        reached = float(multipliers.sum() + worth[taken].sum())
        if reached > highest + PROVEN * abs(highest) or number == 0:
            highest, at_best, tries = reached, multipliers, 0
        else:
            tries += 1
        best.learn_bound(np.ceil(reached - 1e-6) if whole else reached)
        if number % SEARCH_EVERY == SEARCH_EVERY - 1:
            cost, sites = swap_search(kept, taken)
            best.learn_choice(cost, rows[sites])
        if number % SHRINK_EVERY == SHRINK_EVERY - 1:
            possible = _possible(kept, at_best, p, best.cost - (1 - 1e-6 if whole else 0.0))
            if possible.sum() < p:
                best.learn_bound(best.cost)  # no p of the rest can be better
                break
            if possible.sum() < 0.9 * len(kept):
                rows, kept = rows[possible], kept[possible]
                highest = -np.inf
                multipliers, tries = at_best, 0
                progress.advance()
                continue
        if tries >= PATIENCE:
            pace, tries, multipliers, direction = pace * SLOWER, 0, at_best, np.zeros(costs.shape[1])
            progress.advance()
            continue
        slack = np.empty(len(multipliers))
        times_served(kept, taken, multipliers, slack)
        direction = slack + MOMENTUM * direction
        length = float(direction @ direction)
        if length == 0.0:
            break  # each demand is served once: the relaxed choice is a real one, and best
        step = pace * (1.002 * best.cost - reached) / length
        multipliers = np.maximum(multipliers + step * direction, 0.0)
        progress.advance()
    tell(progress, best.cost, best.bound)
    return rows


def _start(costs: Floats, sites: Ints) -> Floats:
    """Return multipliers between the first and the second cost of each demand."""
    own = costs[sites]
    between: Floats = 1.2 * own[0] if len(own) == 1 else np.partition(own, 1, axis=0)[:2].mean(axis=0)
    return between


def _possible(kept: Floats, multipliers: Floats, p: int, cost: float) -> NDArray[np.bool_]:
    """Return which candidates could be in a choice below ``cost``, by what the bound rises with each."""
    worth = np.minimum(kept - multipliers, 0.0).sum(axis=1)
    if p >= len(worth):
        return np.ones(len(worth), dtype=bool)
    ordered = np.sort(worth)
    bound = multipliers.sum() + ordered[:p].sum()
    possible: NDArray[np.bool_] = bound + worth - np.minimum(ordered[p - 1], worth) < cost * (1 - 1e-12)
    return possible

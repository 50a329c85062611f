"""Compiled loops of siting: eager exchange of sites, and the sums of the Lagrangian relaxation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.kernels import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST_GAIN = 1e-12


@kernel
def two_nearest(costs: Floats, sites: Ints, first: Ints, low: Floats, second: Floats) -> None:
    """Write for each demand the place of its cheapest site in ``sites``, its cost and that of the next."""
    for i in range(costs.shape[1]):
        low[i] = np.inf
        second[i] = np.inf
        first[i] = -1
    for s in range(len(sites)):
        row = costs[sites[s]]
        for i in range(len(row)):
            cost = row[i]
            if cost < low[i]:
                second[i] = low[i]
                low[i] = cost
                first[i] = s
            elif cost < second[i]:
                second[i] = cost


@kernel
def swap_eagerly(  # noqa: C901, PLR0912  (a compiled kernel is one long loop)
    costs: Floats, sites: Ints, order: Ints
) -> float:
    """Exchange sites as long as one exchange gains, each newcomer for whom it serves best to go; return the cost.

    Eager swap with best removal (Schubert and Rousseeuw 2021): a newcomer is weighed against all sites in one pass
    over the demand. ``sites`` is changed in place; ``order`` is the order in which candidates are tried.
    """
    demand, p = costs.shape[1], len(sites)
    first = np.empty(demand, np.int64)
    low = np.empty(demand)
    second = np.empty(demand)
    two_nearest(costs, sites, first, low, second)
    inside = np.zeros(len(costs), np.bool_)
    for s in range(p):
        inside[sites[s]] = True
    loss = np.zeros(p)
    for i in range(demand):
        loss[first[i]] += second[i] - low[i]
    total = low.sum()
    change = np.empty(p)
    since, at = 0, 0
    while since < len(order):
        come = order[at % len(order)]
        at += 1
        since += 1
        if inside[come]:
            continue
        row = costs[come]
        gain = 0.0
        for s in range(p):
            change[s] = loss[s]
        for i in range(demand):
            cost = row[i]
            if cost < second[i]:
                if cost < low[i]:
                    gain += cost - low[i]
                    change[first[i]] += low[i] - second[i]
                else:
                    change[first[i]] += cost - second[i]
        go = 0
        for s in range(1, p):
            if change[s] < change[go]:
                go = s
        if (p > 1 and change[go] + gain < -LEAST_GAIN * total) or (p == 1 and row.sum() < total * (1 - LEAST_GAIN)):
            leaves = sites[go]
            sites[go] = come
            two_nearest(costs, sites, first, low, second)
            if low.sum() < total:
                inside[leaves] = False
                inside[come] = True
                for s in range(p):
                    loss[s] = 0.0
                for i in range(demand):
                    loss[first[i]] += second[i] - low[i]
                total = low.sum()
                since = 0
            else:  # the gain was only of rounding; to take it would go round for ever
                sites[go] = leaves
                two_nearest(costs, sites, first, low, second)
    return float(total)


@kernel
def worths(costs: Floats, multipliers: Floats, worth: Floats) -> None:
    """Write what each candidate undercuts the multipliers by, together; negative."""
    for j in range(len(costs)):
        row = costs[j]
        total = 0.0
        for i in range(len(row)):
            less = row[i] - multipliers[i]
            if less < 0.0:
                total += less
        worth[j] = total


@kernel
def times_served(costs: Floats, taken: Ints, multipliers: Floats, slack: Floats) -> None:
    """Write one less the number of taken candidates that undercut each multiplier."""
    for i in range(len(slack)):
        slack[i] = 1.0
    for s in range(len(taken)):
        row = costs[taken[s]]
        for i in range(len(row)):
            if row[i] < multipliers[i]:
                slack[i] -= 1.0

"""Compiled loops of siting: eager exchange of sites, and the choice of one after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.kernels import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
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
def choose_greedily(  # noqa: C901, PLR0912  (a compiled kernel is one long loop)
    costs: Floats, nearest: Floats, inside: Flags, sites: Ints
) -> None:
    """Write into ``sites`` one candidate after the other, each the one that lowers the sum of ``nearest`` most.

    ``nearest`` (what each demand costs before, infinite where nothing serves it) and ``inside`` (candidates that are
    taken already) are brought up to date. What a candidate gains only falls as others come: most need no second look.
    """
    candidates, demand = costs.shape
    gain = np.empty(candidates)
    fresh = np.zeros(candidates, np.int64)
    begun = 0
    if not np.isfinite(nearest[0]):
        best, least = -1, np.inf
        for j in range(candidates):
            total = 0.0
            for i in range(demand):
                total += costs[j, i]
            if not inside[j] and (total < least or best < 0):
                best, least = j, total
        sites[0] = best
        inside[best] = True
        for i in range(demand):
            nearest[i] = costs[best, i]
        begun = 1
    for j in range(candidates):
        gain[j] = np.inf
        fresh[j] = -1
    for s in range(begun, len(sites)):
        while True:
            best = -1
            for j in range(candidates):
                if not inside[j] and (best < 0 or gain[j] > gain[best]):
                    best = j
            if fresh[best] == s:
                break
            total = 0.0
            for i in range(demand):
                less = nearest[i] - costs[best, i]
                if less > 0.0:
                    total += less
            gain[best] = total
            fresh[best] = s
        sites[s] = best
        inside[best] = True
        for i in range(demand):
            nearest[i] = min(nearest[i], costs[best, i])

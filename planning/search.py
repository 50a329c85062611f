"""First choices of sites and the swap search that improves them, on a matrix of costs (candidates, demand)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST_GAIN = 1e-12
"""A swap that gains a smaller share of the cost is rounding."""


def greedy(costs: Floats, p: int) -> Ints:
    """Return p candidates, each the one that lowers the cost most after those before it."""
    nearest = np.full(costs.shape[1], np.inf)
    chosen: list[int] = []
    for _ in range(p):
        totals = np.minimum(costs, nearest).sum(axis=1)
        totals[chosen] = np.inf
        best = int(totals.argmin())
        chosen.append(best)
        nearest = np.minimum(nearest, costs[best])
    return np.array(chosen, dtype=np.int64)


def completed(costs: Floats, initial: Sequence[int], p: int) -> Ints:
    """Return p different candidates that begin with those of ``initial`` that exist."""
    kept = [at for at in dict.fromkeys(int(each) for each in initial) if 0 <= at < len(costs)][:p]
    if len(kept) < p:
        kept += [int(at) for at in greedy(costs, p) if int(at) not in kept]
    return np.array(kept[:p], dtype=np.int64)


def swap_search(costs: Floats, sites: ArrayLike) -> tuple[float, Ints]:
    """Return cost and sites after exchanging one site at a time, always the best exchange.

    All exchanges are weighed at once (Teitz & Bart 1968, in the form of Whitaker 1983): the newcomer
    takes over whom it serves cheaper, the demand of the site that goes falls to its second site or to
    the newcomer.
    """
    chosen = np.array(sites, dtype=np.int64)
    p, demand = len(chosen), np.arange(costs.shape[1])
    while True:
        own = costs[chosen]
        owner = own.argmin(axis=0)
        first = own[owner, demand]
        own[owner, demand] = np.inf
        second = own.min(axis=0)
        total = float(first.sum())
        taken = np.minimum(costs, first)
        gained = taken.sum(axis=1) - total
        by_owner = np.argsort(owner, kind="stable")
        counts = np.bincount(owner, minlength=p)
        busy = np.flatnonzero(counts)
        starts = np.cumsum(counts[busy]) - counts[busy]
        lost = np.zeros((len(costs), p))
        lost[:, busy] = np.add.reduceat((np.minimum(costs, second) - taken)[:, by_owner], starts, axis=1)
        change = gained[:, None] + lost
        change[chosen] = np.inf
        come, go = np.unravel_index(int(change.argmin()), change.shape)
        if not change[come, go] < -LEAST_GAIN * total:
            return total, chosen
        chosen[go] = come

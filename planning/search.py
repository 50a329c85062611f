"""First choices of sites and the swap search that improves them, on a matrix of costs (candidates, demand)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planning.swap_kernels import swap_eagerly, times_served, worths

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


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
    """Return cost and sites after exchanging one site at a time as long as one exchange gains (compiled)."""
    chosen = np.array(sites, dtype=np.int64)
    order = np.roll(np.arange(len(costs)), -int(chosen[0]))
    swap_eagerly(np.ascontiguousarray(costs), chosen, order)
    return float(costs[chosen].min(axis=0).sum()), chosen


def warm_up() -> None:
    """Bring the compiled loops into the process (made by set-up, then read from the disk)."""
    costs, ones = np.ones((2, 2)), np.ones(2)
    swap_search(costs, [0])
    worths(costs, ones, np.zeros(2))
    times_served(costs, np.zeros(1, dtype=np.int64), ones, np.zeros(2))

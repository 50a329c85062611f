"""First choices of sites and the swap search that improves them, on a matrix of costs (candidates, demand)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from planning.listening import patiently
from planning.lists import Ascent, lists_of
from planning.swap_kernels import choose_greedily, swap_eagerly

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def greedy(costs: Floats, p: int) -> Ints:
    """Return p candidates, each the one that lowers the cost most after those before it."""
    if p < 1 or not costs.size:  # compiled loops write the first without asking whether there is room for one
        return np.arange(min(max(p, 0), len(costs)), dtype=np.int64)
    sites = np.empty(p, dtype=np.int64)
    nearest, inside = np.full(costs.shape[1], np.inf), np.zeros(len(costs), dtype=np.bool_)
    rows = np.ascontiguousarray(costs)
    patiently(lambda: choose_greedily(rows, nearest, inside, sites), pairs=costs.size)
    return sites


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
    rows = np.ascontiguousarray(costs)
    patiently(lambda: swap_eagerly(rows, chosen, order), pairs=costs.size)
    return float(costs[chosen].min(axis=0).sum()), chosen


def warm_up() -> None:
    """Bring the compiled loops into the process (made by set-up, then read from the disk)."""
    costs, states = np.ones((2, 2)), np.zeros(2, dtype=np.int8)
    swap_search(costs, greedy(costs, 1))
    lists = lists_of(costs).without(states)
    Ascent(np.ones(2), 2).raised(lists, states, 1, target=1.0, enough=2.0, rounds=1)

"""Whether p sites can cover all demand: by greedy choice, by exchanges, else by a proof case by case.

The same relaxation as for the p-median, of a question in which demand that is not covered costs one: where its bound
rises above nothing, so many sites cannot cover all (the linear relaxation of set covering says no more). What one
demand or candidate says already, another need not say: demand that is covered whenever another one is, and candidates
that cover no more than another one does, are left out before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress, Silent
from planning.best import Best
from planning.bound import raise_bound
from planning.branch import by_cases
from planning.choice import fewest
from planning.effort import effort_s
from planning.search import greedy, swap_search

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
DENSE_AT_MOST = 3_000
"""Of demand or candidates that are compared with each other, each with each."""
STARTS = 12
CASES = 20_000
"""By the number of sites: so many cases, then HiGHS is asked."""
NO = 1e-6


def coverable(
    reach: Mask, p: int, *, seconds: float, begin: Ints | None = None, seed: int = 0, progress: Progress | None = None
) -> tuple[Ints | None, bool]:
    """Return p or fewer candidates that cover all demand, and whether it is sure when there are none.

    Parameters
    ----------
    reach
        Whether a candidate covers a demand, shape (demand, candidates); every demand by one at least.
    begin
        Candidates that nearly do.
    """
    progress, deadline = progress or Silent(), effort_s() + seconds
    rows, columns = essential(reach)
    small = reach[np.ix_(rows, columns)]
    if len(columns) <= p:
        return columns, True
    costs: Floats = np.ascontiguousarray(np.where(small.T, 0.0, 1.0))
    missed, sites = _searched(costs, p, columns, begin, seed)
    if missed < NO:
        return columns[sites], True
    # To miss one counts as much as to miss many: what is sought misses none.
    best = Best(1.0, sites, 0.0)
    root = raise_bound(costs, p, best, rounds=400, gap=0.0, deadline=deadline, progress=progress, patient=False)
    if best.cost >= NO and not root.settled and best.bound < NO:
        by_cases(costs, root, p, best, gap=0.0, deadline=deadline, cases=CASES // p, progress=progress)
    if best.cost < NO:
        return columns[best.sites], True
    left = deadline - effort_s()
    if root.settled or best.bound >= NO or left <= 0:
        return None, root.settled or best.bound >= NO
    found = fewest(small, seconds=left, most=p)
    return None if found.sites is None else columns[found.sites], found.proven


def essential(reach: Mask) -> tuple[Ints, Ints]:
    """Return demand and candidates that say all: without what follows from another demand or candidate."""
    rows, columns = np.arange(reach.shape[0]), np.arange(reach.shape[1])
    for _ in range(2):
        # Demand is covered whenever another is whose candidates are all among its own.
        rows = rows[~_contains(reach[np.ix_(rows, columns)])]
        # A candidate is worth nothing beside another that covers all that it does.
        columns = columns[~_contains(~reach[np.ix_(rows, columns)].T)]
    return rows, columns


def _contains(sets: Mask) -> Mask:
    """Return which rows contain all that another row does; of equal rows all but the first."""
    _, first = np.unique(np.packbits(sets, axis=1), axis=0, return_index=True)
    out = np.ones(len(sets), dtype=bool)
    out[first] = False
    kept = np.sort(first)
    if len(kept) > DENSE_AT_MOST:
        return out
    own = sets[kept].astype(np.float32)
    common = own @ own.T
    size = own.sum(axis=1)
    inside = common >= size[:, None] - 0.5  # row i lies inside row k
    np.fill_diagonal(inside, val=False)
    out[kept[inside.any(axis=0)]] = True
    return out


def _searched(costs: Floats, p: int, columns: Ints, begin: Ints | None, seed: int) -> tuple[float, Ints]:
    """Return what the best choice found misses, and the choice."""
    rng = np.random.default_rng(seed)
    best, sites = swap_search(costs, greedy(costs, p))
    if begin is not None and best > 0:
        known = np.flatnonzero(np.isin(columns, begin))[:p]
        rest = np.setdiff1d(np.arange(len(costs)), known)
        start = np.r_[known, rng.choice(rest, p - len(known), replace=False)] if len(known) < p else known
        found, fresh = swap_search(costs, start)
        if found < best:
            best, sites = found, fresh
    for _ in range(STARTS):
        if best < NO:
            break
        fresh = sites.copy()
        moved = rng.choice(p, max(1, p // 3), replace=False)
        others = np.setdiff1d(np.arange(len(costs)), fresh)
        count = min(len(moved), len(others))
        fresh[moved[:count]] = rng.choice(others, count, replace=False)
        found, fresh = swap_search(costs, fresh)
        if found <= best:
            best, sites = found, fresh
    return best, sites

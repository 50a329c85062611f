"""p-dispersion: sites as far from each other as can be (Kuby 1987), those that stay counted among them.

Whether p sites fit that are all a distance apart is asked by halves: a greedy choice mostly answers, else HiGHS.
"""

from __future__ import annotations

import time

import numpy as np

from planning.choice import Choice, Floats, Ints, Status, infeasible
from planning.effort import effort_s
from planning.listening import heard, say
from planning.side import NO_PAIRS, Side


def least_distance(between: Floats, there: Floats, sites: Ints) -> float:
    """Return the least distance among some sites and to what is there; infinite when there is only one of all.

    Parameters
    ----------
    between
        Of candidates, shape (candidates, candidates).
    there
        From each candidate to the nearest that stays, shape (candidates,); infinite where there is none.
    """
    own = between[np.ix_(sites, sites)][np.triu_indices(len(sites), 1)]
    return float(min(own.min(initial=np.inf), there[sites].min(initial=np.inf)))


def solve_dispersion(between: Floats, there: Floats, side: Side, *, seconds: float = 60.0) -> Choice:
    """Return sites whose least distance is greatest. Objective and bound are negative: the smaller, the farther."""
    began, deadline, nobody = time.perf_counter(), effort_s() + seconds, 0
    first, _ = side.choose(-np.where(np.isfinite(there), there, 0.0), seconds=seconds / 4)
    if first is None:
        return infeasible(side.binding() or "time", nobody, began)
    values = np.unique(np.r_[between[np.triu_indices(len(between), 1)], there])
    best, sites = least_distance(between, there, first), first
    if len(first) == 1 and not np.isfinite(there).any():
        return _choice(sites, 0.0, 0.0, began)  # one alone is far from nothing
    low, refused = int(np.searchsorted(values, best)), len(values)
    while refused - low > 1:
        heard()
        say(-best, -float(values[refused - 1]))
        middle = (low + refused) // 2
        left = deadline - effort_s()
        found, known = _apart(between, there, values[middle], side, first=sites, seconds=left / 2)
        if found is not None:
            sites, best = found, least_distance(between, there, found)
            low = max(middle, int(np.searchsorted(values, best)))
        elif known:
            refused = middle
        else:
            break  # given up in time: only what was refused bounds from above
    return _choice(sites, best, max(best, float(values[refused - 1])), began)


def _choice(sites: Ints, best: float, bound: float, began: float) -> Choice:
    status: Status = "optimal" if bound <= best else "feasible"
    nobody = np.empty(0, dtype=np.int64)
    chosen = tuple(int(site) for site in np.sort(sites))
    return Choice(status, -best, -bound, chosen, nobody, time.perf_counter() - began)


def _apart(
    between: Floats, there: Floats, distance: float, side: Side, *, first: Ints, seconds: float
) -> tuple[Ints | None, bool]:
    """Return sites all at least a distance apart, and whether it is sure when there are none."""
    far = np.flatnonzero(there >= distance)
    if len(far) < max(side.least, 1) or not np.isin(side.fixed, far).all():
        return None, True
    close = between < distance
    np.fill_diagonal(close, val=False)
    for start in (*first[:1], *far[: min(8, len(far))]):
        chosen = [int(each) for each in side.fixed]
        allowed = np.isin(np.arange(side.candidates), far) & ~close[:, chosen].any(axis=1)
        order = [int(start), *(int(each) for each in np.argsort(close.sum(axis=1), kind="stable"))]
        for at in order:
            if len(chosen) < side.most and allowed[at] and at not in chosen:
                chosen.append(at)
                allowed &= ~close[:, at]
        made = np.array(sorted(chosen), dtype=np.int64)
        if side.allows(made) and not close[np.ix_(made, made)].any():
            return made, True
    if seconds <= 0:
        return None, False
    pairs = np.argwhere(np.triu(close[np.ix_(far, far)], 1))
    back = np.full(side.candidates, -1)
    back[far] = np.arange(len(far))
    kept = side.conflicts[np.isin(side.conflicts, far).all(axis=1)] if len(side.conflicts) else NO_PAIRS
    small = Side(
        len(far), side.least, side.most, back[side.fixed], np.concatenate([pairs, back[kept]]).astype(np.int64),
        None if side.cost is None else side.cost[far], side.budget,
        None if side.floor is None else side.floor.among(far),
    )  # fmt: skip
    found = small.solve(np.zeros(len(far)), seconds=seconds)
    if found.x is not None:
        return far[np.flatnonzero(found.x[: len(far)] > 0.5)], True
    return None, found.status == 2

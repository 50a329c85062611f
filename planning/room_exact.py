"""Sites with little room, to the end by HiGHS: what is left of a question, small enough for it."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.optimize import LinearConstraint

from planning.listening import INFEASIBLE, LARGEST, LEAST, OPTIMAL, scale_of
from planning.rooms import Floats, Rooms
from planning.side import Others

FINE = 12
"""HiGHS lets a sum pass its limit by a millionth; rooms are told in units so fine that this is a billionth of them."""
MILLIONTH, THOUSAND = 1e-6, 1e3
"""HiGHS ends a millionth before the best; costs are told so that their least sum is a thousand, where that can be."""


def finish(rooms: Rooms, *, seconds: float, told: bool = True) -> bool:
    """Learn what HiGHS finds and proves; return whether it proved that there is no choice at all.

    Parameters
    ----------
    told
        Whether a watcher hears of it: not where ``rooms`` is a part of a question only.
    """
    size, side = rooms.size, rooms.side
    fine = 2.0 ** max(0.0, FINE - np.floor(np.log2(max(float(size.max(initial=0.0)), 1.0))))
    candidates, demand = rooms.rows.shape
    capacity = np.minimum(rooms.capacity, size.sum())  # more is never used, and may be infinite
    pairs = np.flatnonzero(np.isfinite(rooms.left).ravel())
    column, row = np.divmod(pairs, demand)
    count = len(pairs)
    own = candidates + np.arange(count)
    width = candidates + count
    once = sp.csr_array((np.ones(count), (row, own)), shape=(demand, width))
    fits = sp.csr_array(
        (fine * np.r_[size[row], -capacity], (np.r_[column, np.arange(candidates)], np.r_[own, np.arange(candidates)])),
        shape=(candidates, width),
    )
    opened = sp.csr_array(
        (
            np.r_[np.ones(count), -np.ones(count)],
            (np.r_[np.arange(count), np.arange(count)], np.r_[own, column]),
        ),
        shape=(count, width),
    )
    costs = rooms.rows.ravel()[pairs]
    finer = _finer(costs, max(rooms.bound, float(rooms.left.min(axis=0).sum())))
    answer = side.solve(
        np.r_[np.zeros(candidates), finer * costs],
        more=[
            LinearConstraint(once, 1, 1),
            LinearConstraint(fits, -np.inf, 0),
            LinearConstraint(opened, -np.inf, 0),
        ],
        others=Others(count, whole=1),
        seconds=seconds,
        standing=(lambda found, bound: (
            min(rooms.cost, found / finer), min(max(rooms.bound, bound / finer), rooms.cost)
        )) if told else None,
    )  # fmt: skip
    if answer.status == INFEASIBLE:
        rooms.raise_bound(np.inf)  # of what was left nothing is better
        return rooms.assignment is None
    if answer.x is not None:
        taken = np.flatnonzero(answer.x[own] > 0.5)
        assignment = np.full(demand, -1, dtype=np.int64)
        assignment[row[taken]] = column[taken]
        sites = np.flatnonzero(answer.x[:candidates] > 0.5)
        rooms.learn(float(rooms.rows[assignment, np.arange(demand)].sum()), assignment, sites)
    if answer.status == OPTIMAL:
        rooms.raise_bound(np.inf)
    elif answer.mip_dual_bound is not None and np.isfinite(answer.mip_dual_bound):
        spared = MILLIONTH / scale_of(finer * costs)  # a bound of whole costs rounds up: not by what is a tolerance
        rooms.raise_bound((float(answer.mip_dual_bound) * (1 - 1e-9) - spared) / finer)
    return False


def _finer(costs: Floats, least: float) -> float:
    """Return by what to multiply costs of which no sum is below ``least``; a power of two, so exact."""
    largest = float(costs.max(initial=0.0))
    if not LEAST < least < np.inf or not LEAST < largest < np.inf:
        return 1.0
    return float(2.0 ** max(0.0, np.floor(np.log2(min(THOUSAND / least, LARGEST / largest)))))

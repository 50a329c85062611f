"""The capacitated p-median: sites that hold so many at most, each demand whole at one of them.

Bound and search are in `planning.rooms`; what they leave open is ended by HiGHS, where it is little enough.
"""

from __future__ import annotations

import time

import numpy as np
import scipy.sparse as sp
from scipy.optimize import LinearConstraint

from core.errors import InvalidInput
from core.progress import Progress, Silent
from planning.choice import ROUNDING, Choice, Floats, checked_costs, infeasible
from planning.effort import effort_s
from planning.listening import INFEASIBLE, OPTIMAL, scale_of
from planning.rooms import Rooms, moves, relax
from planning.side import Others, Side
from planning.watching import enough

EXACT_PAIRS = 30_000
"""Pairs of demand and candidate up to which HiGHS is asked."""
TINY_PAIRS = 300
FINE = 12
"""HiGHS lets a sum pass its limit by a millionth; rooms are told in units so fine that this is a billionth of them."""
"""Pairs up to which it is asked at once."""


def solve_capacitated(  # noqa: C901  (each way a question can have no answer)
    costs: Floats, size: Floats, capacity: Floats, p: int, *, seconds: float = 60.0, progress: Progress | None = None,
    side: Side | None = None,
) -> Choice:  # fmt: skip
    """Return p sites and who goes where at the least cost, no site above its capacity.

    Parameters
    ----------
    costs
        Of serving each demand from each candidate, shape (demand, candidates); infinite where there is no way.
    size
        Room that each demand takes, shape (demand,).
    capacity
        Room of each candidate, shape (candidates,).
    side
        What the choice keeps to besides; its number of sites is ``p``.

    Raises
    ------
    InvalidInput
        When sizes of arrays do not fit, p is below one, or a number is negative or missing.
    """
    began, deadline, progress = time.perf_counter(), effort_s() + seconds, progress or Silent()
    costs, size, capacity = checked_costs(costs), np.asarray(size, float), np.asarray(capacity, float)
    if p < 1:
        raise InvalidInput(f"{p} sites cannot be chosen.", hint="Ask for at least one.")
    if size.shape != costs.shape[:1] or capacity.shape != costs.shape[1:]:
        raise InvalidInput("Sizes of demand, capacities and costs do not fit together.")
    if not ((size >= 0).all() and (capacity >= 0).all() and np.isfinite(size).all()):
        raise InvalidInput("Sizes and capacities must not be negative or missing.")
    if p > costs.shape[1]:
        return infeasible("candidates", len(costs), began)
    lost = np.flatnonzero(~(np.isfinite(costs) & (size[:, None] <= capacity)).any(axis=1))
    if len(lost):
        roomless = np.isfinite(costs[lost]).any()
        return infeasible("capacity" if roomless else "reach", len(costs), began, lost)
    if np.sort(capacity)[-p:].sum() < size.sum() * (1 - ROUNDING):
        return infeasible("capacity", len(costs), began)
    fits = scale_of(size) if size.max(initial=0.0) < 1 else 1.0
    size, capacity = size * fits, capacity * fits
    side = side or Side(costs.shape[1], p, p)
    binding = side.binding()
    if binding:
        return infeasible(binding, len(costs), began)
    best = Rooms(costs.T, size, capacity, side)
    proven_none = costs.size <= TINY_PAIRS and _exact(best, seconds=seconds / 2)
    if not best.closed and not proven_none:
        relax(best, deadline=deadline - 0.65 * seconds, progress=progress)
        moves(best, deadline=deadline - 0.5 * seconds, progress=progress)
        _settled(best, deadline=deadline, seconds=seconds, progress=progress)
    left = deadline - effort_s()
    done = best.sites is not None and enough(progress)
    if not proven_none and not best.closed and np.isfinite(best.left).sum() <= EXACT_PAIRS and left > 0 and not done:
        progress.step("Proving the answer")
        proven_none = _exact(best, seconds=left)
        progress.advance()
    if best.assignment is None or best.sites is None:
        return infeasible("capacity" if proven_none else "time", len(costs), began)
    closed = best.closed
    return Choice(
        "optimal" if closed else "feasible",
        best.cost,
        best.cost if closed else best.bound,
        tuple(int(site) for site in best.sites),
        best.assignment,
        time.perf_counter() - began,
    )


def _settled(best: Rooms, *, deadline: float, seconds: float, progress: Progress) -> None:
    """Raise the bound and search on while more is open than HiGHS is asked about, for as long as there is time."""
    for spared in (0.3, 0.2, 0.1):
        if best.closed or np.isfinite(best.left).sum() <= EXACT_PAIRS or best.sites is None or enough(progress):
            return
        relax(best, deadline=deadline - (spared + 0.05) * seconds, progress=progress)
        moves(best, deadline=deadline - spared * seconds, progress=progress)


def _exact(rooms: Rooms, *, seconds: float) -> bool:
    """Learn what HiGHS finds and proves; return whether it proved that there is no choice at all."""
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
    answer = side.solve(
        np.r_[np.zeros(candidates), rooms.rows.ravel()[pairs]],
        more=[
            LinearConstraint(once, 1, 1),
            LinearConstraint(fits, -np.inf, 0),
            LinearConstraint(opened, -np.inf, 0),
        ],
        others=Others(count, whole=1),
        seconds=seconds,
        standing=lambda found, bound: (min(rooms.cost, found), min(max(rooms.bound, bound), rooms.cost)),
    )
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
        rooms.raise_bound(float(answer.mip_dual_bound) * (1 - 1e-9))
    return False

"""The capacitated p-median: sites that hold so many at most, each demand whole at one of them.

Bound and search are in `planning.rooms`; what they leave open is ended by HiGHS, where it is little enough.
"""

from __future__ import annotations

import time

import numpy as np

from core.errors import InvalidInput
from core.progress import Progress, Silent
from planning.choice import ROUNDING, Choice, Floats, checked_costs, infeasible
from planning.effort import effort_s
from planning.listening import scale_of
from planning.room_cases import by_cases
from planning.room_exact import finish
from planning.room_parts import polish
from planning.rooms import Rooms, moves, relax
from planning.side import Side
from planning.watching import enough

EXACT_PAIRS = 30_000
"""Pairs of demand and candidate up to which HiGHS is asked."""
TINY_PAIRS = 300
"""Pairs up to which it is asked at once."""
CASE_PAIRS = 10_000
"""Pairs up to which cases have all the time that is left; beyond, HiGHS has its share of it."""


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
    proven_none = costs.size <= TINY_PAIRS and finish(best, seconds=seconds / 2)
    if not best.closed and not proven_none:
        relax(best, deadline=deadline - 0.65 * seconds, progress=progress)
        moves(best, deadline=deadline - 0.5 * seconds, progress=progress)
        _settled(best, deadline=deadline, seconds=seconds, progress=progress)
        _refined(best, deadline=deadline, progress=progress)
    left = deadline - effort_s()
    done = best.sites is not None and enough(progress)
    if not proven_none and not best.closed and np.isfinite(best.left).sum() <= EXACT_PAIRS and left > 0 and not done:
        progress.step("Proving the answer")
        proven_none = finish(best, seconds=left)
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


def _refined(best: Rooms, *, deadline: float, progress: Progress) -> None:
    """Improve the best part by part, raise the bound against it, and prove case by case where cases are few."""
    if best.closed or best.sites is None or not best.side.quick or enough(progress):
        return
    left = deadline - effort_s()
    cost = best.cost
    polish(best, deadline=deadline - 0.7 * left, progress=progress)
    if best.cost < cost:
        relax(best, deadline=deadline - 0.6 * left, progress=progress)
    few = np.isfinite(best.left).sum() <= CASE_PAIRS
    by_cases(best, deadline=deadline if few else deadline - 0.4 * left, progress=progress)


def _settled(best: Rooms, *, deadline: float, seconds: float, progress: Progress) -> None:
    """Raise the bound and search on while more is open than HiGHS is asked about, for as long as there is time."""
    for spared in (0.3, 0.2, 0.1):
        if best.closed or np.isfinite(best.left).sum() <= EXACT_PAIRS or best.sites is None or enough(progress):
            return
        relax(best, deadline=deadline - (spared + 0.05) * seconds, progress=progress)
        moves(best, deadline=deadline - spared * seconds, progress=progress)

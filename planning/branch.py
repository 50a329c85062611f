"""Proof by cases: branch and bound over the Lagrangian relaxation (Christofides and Beasley 1982).

A case is a set of candidates that are open and of those that are closed. Its bound is raised a little from where the
case before it stood; candidates are settled by what the bound rises to without them or with them; the case with the
lowest bound is split next, at a candidate that the relaxation takes now and then. So the least bound of all cases that
are left rises steadily, and is the bound of the whole.
"""

from __future__ import annotations

import heapq
import itertools

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress
from planning.best import Best
from planning.bound import Root, learn
from planning.effort import effort_s
from planning.lagrange_kernels import CLOSED, FREE, OPEN, Floats, States
from planning.lists import Ascent, Lists
from planning.search import swap_search
from planning.watching import enough, tell

ROUNDS = 20
AGAIN = 6
NEAR = 3.0
"""A case goes on being raised while what lacks is at most so many times what the last rounds brought."""
SPLIT_AT = 0.8
"""Share of rounds in which the relaxation takes the candidate that a case is split at, about."""
PACE = 0.5
Singles = NDArray[np.float32]
SEARCH_EVERY = 25
BYTES_AT_MOST = 1 << 29


def by_cases(
    costs: Floats, root: Root, p: int, best: Best, *, gap: float, deadline: float, cases: int, progress: Progress
) -> bool:
    """Raise the bound in ``best`` by splitting into at most so many cases; return whether all are settled."""
    count, margin, lists = itertools.count(), root.margin, root.lists
    states, multipliers = root.states.copy(), _single(root.ascent.at_best)
    heap: list[tuple[float, int, States, Singles]] = [(root.ascent.bound, next(count), states, multipliers)]
    most = BYTES_AT_MOST // (4 * len(multipliers) + len(states) + 200)
    number = 0
    progress.step("Proving the answer case by case")
    while heap:
        bound = heap[0][0]
        learn(best, bound, margin)
        if best.is_within(gap) or best.cost - bound <= margin:
            break
        if effort_s() > deadline or len(heap) > most or number >= cases or enough(progress):
            return False
        bound, _, settled, multipliers = heapq.heappop(heap)
        number += 1
        # What went through single precision may have become larger: above the cap no bound holds.
        case = Ascent(np.minimum(multipliers.astype(np.float64), lists.cap), len(settled), PACE)
        small = lists.without(settled)
        if not _worked(case, small, settled, p, best=best, margin=margin):
            progress.advance()
            tell(progress, best.cost, best.bound)
            continue
        if number % SEARCH_EVERY == 1:
            _searched(costs, case, p, best)
        at = _splitting(case, settled)
        if at < 0:
            _leaf(costs, settled, best)
            continue
        bound = max(bound, case.bound)
        for state in (OPEN, CLOSED):
            part = settled.copy()
            part[at] = state
            heapq.heappush(heap, (bound, next(count), part, _single(case.at_best)))
        progress.advance()
        tell(progress, best.cost, best.bound)
    best.learn_bound(best.cost if not heap or best.cost - heap[0][0] <= margin else heap[0][0])
    return True


def _worked(case: Ascent, small: Lists, settled: States, p: int, *, best: Best, margin: float) -> bool:
    """Raise and settle a case; return whether something better may be in it."""
    closed, was = best.cost - margin, -np.inf
    for _ in range(AGAIN):
        before = int((settled == FREE).sum())
        case.raised(small, settled, p, target=best.cost, enough=closed, rounds=ROUNDS)
        if not case.settle(settled, p, closed):
            return False
        left = int((settled == FREE).sum())
        near = closed - case.bound <= NEAR * (case.bound - was)
        was = case.bound
        if left == 0 or (left > 0.8 * before and not near):
            break
    return True


def _splitting(case: Ascent, settled: States) -> int:
    """Return the candidate to split at; -1 when all is settled."""
    free = np.flatnonzero(settled == FREE)
    if not len(free):
        return -1
    share = case.share[free]
    return int(free[np.argmin(np.abs(share - SPLIT_AT))])


def _searched(costs: Floats, case: Ascent, p: int, best: Best) -> None:
    sites = np.flatnonzero(case.taken)
    if len(sites) == p:
        best.learn_choice(*swap_search(costs, sites))


def _leaf(costs: Floats, settled: NDArray[np.int8], best: Best) -> None:
    sites = np.flatnonzero(settled == OPEN)
    best.learn_choice(float(costs[sites].min(axis=0).sum()), sites)


def _single(multipliers: Floats) -> Singles:
    """Return multipliers in half the room; up to the cap of the lists, the bound of any holds."""
    return multipliers.astype(np.float32)

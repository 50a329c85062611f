"""The capacitated p-median: sites that hold so many at most, each demand whole at one of them.

Bound: the assignment of each demand is relaxed with a price, so that every candidate fills its room with what
pays most, and the best p candidates are taken (Lagrangian relaxation with a fractional knapsack; Mulvey and Beck
1984, Lorena and Senne 2004). Choice: sites of the relaxation, demand assigned by regret (Martello and Toth 1981),
then moved, exchanged, and sites moved inside their own catchments. Small questions are ended by HiGHS.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.optimize import LinearConstraint

from core.errors import InvalidInput
from core.progress import Progress, Silent
from planning.choice import ROUNDING, Choice, Floats, Ints, checked_costs, infeasible
from planning.listening import heard, scale_of
from planning.search import greedy
from planning.side import Others, Side
from planning.watching import enough, tell

ROUNDS = 400
EXACT_PAIRS = 30_000
"""Pairs of demand and candidate up to which HiGHS is asked."""
PAIRS_A_TRY = 3_000
"""The more pairs of demand and site, the fewer of the relaxation's choices are improved."""
TINY_PAIRS = 300
"""Pairs up to which it is asked at once."""


@dataclass
class _Best:
    cost: float = np.inf
    assignment: Ints | None = None
    sites: Ints | None = None
    bound: float = 0.0

    def learn(self, cost: float, assignment: Ints, sites: Ints) -> None:
        if cost < self.cost:
            self.cost, self.assignment, self.sites = cost, assignment.copy(), np.sort(sites)

    def closed(self) -> bool:
        return self.cost <= self.bound * (1 + ROUNDING) + 1e-9


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
    began, progress = time.perf_counter(), progress or Silent()
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
    best = _Best()
    proven_none = False
    if costs.size <= TINY_PAIRS:
        proven_none = _exact(costs, size, capacity, side, best, seconds=seconds / 2)
    if not best.closed() and not proven_none:
        _relax(costs, size, capacity, side, best, deadline=began + seconds / 2, progress=progress)
    left = began + seconds - time.perf_counter()
    done = best.sites is not None and enough(progress)
    if not proven_none and not best.closed() and costs.size <= EXACT_PAIRS and left > 0 and not done:
        progress.step("Proving the answer")
        proven_none = _exact(costs, size, capacity, side, best, seconds=left)
        progress.advance()
    if best.assignment is None or best.sites is None:
        return infeasible("capacity" if proven_none else "time", len(costs), began)
    if (costs[np.isfinite(costs)] % 1 == 0).all():  # whole costs have whole sums
        best.bound = float(np.ceil(best.bound - ROUNDING))
    closed = best.closed()
    return Choice(
        "optimal" if closed else "feasible",
        best.cost,
        best.cost if closed else best.bound,
        tuple(int(site) for site in best.sites),
        best.assignment,
        time.perf_counter() - began,
    )


def _relax(
    costs: Floats, size: Floats, capacity: Floats, side: Side, best: _Best, *, deadline: float, progress: Progress
) -> None:
    """Raise the bound by prices for demand, and try the sites that the relaxation takes."""
    progress.step("Raising the bound", ROUNDS)
    finite = np.where(np.isfinite(costs), costs, costs[np.isfinite(costs)].max(initial=1.0) * 1e6)
    first = _begun(np.ascontiguousarray(finite.T), side)
    highest = costs[np.isfinite(costs)].max(initial=1.0)
    prices = np.minimum(np.partition(finite[:, first], min(1, len(first) - 1), axis=1)[:, :2].mean(axis=1), highest)
    step, since, tried = 1.5, 0, set()
    every = max(1, costs.shape[0] * side.most // PAIRS_A_TRY)
    if side.allows(first):
        _try(finite, costs, size, capacity, first, side, best, deadline=deadline)
    for number in range(ROUNDS):
        left = max(deadline - time.perf_counter(), 0.2)
        value, sites, taken = _knapsacks(finite, size, capacity, prices, side, seconds=left)
        if sites is None:
            return
        since += 1
        if value > best.bound:
            best.bound, since = value, 0
        key = tuple(np.sort(sites))
        if key not in tried and number % every == 0:
            tried.add(key)
            _try(finite, costs, size, capacity, sites, side, best, deadline=deadline)
        progress.advance()
        tell(progress, best.cost, best.bound)
        if best.closed() or time.perf_counter() > deadline or (best.sites is not None and enough(progress)):
            return
        if since > 15:
            step, since = step / 2, 0
        slack = 1.0 - taken
        norm = float(slack @ slack)
        target = best.cost if np.isfinite(best.cost) else value * 1.1 + 1.0
        if norm < 1e-12 or step < 1e-4:
            return
        prices = prices + step * max(target - value, 1e-9) / norm * slack


def _begun(rows: Floats, side: Side) -> Ints:
    """Return the fixed sites and, one after the other, those that lower the cost most; rows are candidates."""
    rest = np.setdiff1d(np.arange(len(rows)), side.fixed)
    if not len(side.fixed):
        return greedy(rows, side.most)
    fresh = greedy(np.minimum(rows[rest], rows[side.fixed].min(axis=0)), side.most - len(side.fixed))
    return np.sort(np.r_[side.fixed, rest[fresh]])


def _knapsacks(
    costs: Floats, size: Floats, capacity: Floats, prices: Floats, side: Side, *, seconds: float
) -> tuple[float, Ints | None, Floats]:
    """Return the value of the relaxation, its sites (None: none in time), how often each demand is taken by them."""
    gain = costs - prices[:, None]  # negative pays
    rate = np.where(size[:, None] > 0, gain / np.where(size > 0, size, 1)[:, None], np.where(gain < 0, -np.inf, 0))
    order = np.argsort(rate, axis=0, kind="stable")
    sorted_gain = np.take_along_axis(gain, order, axis=0)
    sorted_size = size[order]
    before = np.cumsum(sorted_size, axis=0) - sorted_size
    room = np.clip(capacity - before, 0, None)
    share = np.where(sorted_size > 0, np.clip(room / np.where(sorted_size > 0, sorted_size, 1), 0, 1), 1.0)
    share = np.where(sorted_gain < 0, share, 0.0)
    worth = (sorted_gain * share).sum(axis=0)
    sites, value = side.choose(worth, seconds=seconds)
    taken = np.zeros(len(costs))
    for site in () if sites is None else sites:
        taken[order[:, site]] += share[:, site]
    return float(prices.sum() + value), sites, taken


def _try(  # noqa: PLR0917  (the question, part by part)
    finite: Floats,
    costs: Floats,
    size: Floats,
    capacity: Floats,
    sites: Ints,
    side: Side,
    best: _Best,
    *,
    deadline: float,
) -> None:
    """Assign all demand to some sites and improve; learn it where it fits."""
    sites = np.array(sites, dtype=np.int64)
    for _ in range(6):
        assignment = _by_regret(finite[:, sites], size, capacity[sites])
        if assignment is None:
            return
        assignment = _moved(finite[:, sites], size, capacity[sites], assignment, deadline=deadline)
        chosen = sites[assignment]
        cost = float(costs[np.arange(len(costs)), chosen].sum())
        if np.isfinite(cost):
            best.learn(cost, chosen, sites)
        # Each site moves to the candidate that serves its own demand cheapest and has the room.
        fresh = sites.copy()
        for at in range(len(sites)):
            mine = assignment == at
            if not mine.any() or sites[at] in side.fixed:
                continue
            totals = finite[mine].sum(axis=0)
            totals[capacity < size[mine].sum()] = np.inf
            totals[np.delete(fresh, at)] = np.inf
            if totals.min() < totals[fresh[at]] - 1e-9:
                was, fresh[at] = fresh[at], int(totals.argmin())
                if not side.allows(fresh):
                    fresh[at] = was
        if (fresh == sites).all() or time.perf_counter() > deadline:
            return
        sites = fresh


def _by_regret(costs: Floats, size: Floats, capacity: Floats) -> Ints | None:
    """Return for each demand its site, those first that lose most by their second choice; None when it does not fit."""
    room, assignment = capacity.copy(), np.full(len(costs), -1, dtype=np.int64)
    left = np.arange(len(costs))
    while len(left):
        open_ = np.where(size[left, None] <= room + 1e-9, costs[left], np.inf)
        first = open_.argmin(axis=1)
        cheapest = open_[np.arange(len(left)), first]
        if not np.isfinite(cheapest).all():
            return None
        second = np.partition(open_, 1, axis=1)[:, 1] if costs.shape[1] > 1 else np.full(len(left), np.inf)
        regret = np.where(np.isfinite(second), second - cheapest, 1e18 + size[left])
        at = int(regret.argmax())
        assignment[left[at]] = first[at]
        room[first[at]] -= size[left[at]]
        left = np.delete(left, at)
    return assignment


def _moved(costs: Floats, size: Floats, capacity: Floats, assignment: Ints, *, deadline: float) -> Ints:
    """Return the assignment after moving one demand, or exchanging two, as long as it gains."""
    assignment, everyone = assignment.copy(), np.arange(len(costs))
    room = capacity - np.bincount(assignment, weights=size, minlength=len(capacity))
    for _ in range(20 * len(costs)):
        heard()
        if time.perf_counter() > deadline:
            break
        own = costs[everyone, assignment]
        gain = np.where(size[:, None] <= room + 1e-9, costs - own[:, None], np.inf)
        one, site = np.unravel_index(int(gain.argmin()), gain.shape)
        if gain[one, site] < -1e-9:
            room[assignment[one]] += size[one]
            room[site] -= size[one]
            assignment[one] = site
            continue
        swap = costs[:, assignment] - own[:, None]  # what one costs at the site of the other, more than now
        swap = swap + swap.T
        change = size[:, None] - size[None, :]  # what the other's site has to take in addition
        fits = (change <= room[assignment][None, :] + 1e-9) & (-change <= room[assignment][:, None] + 1e-9)
        swap = np.where(fits & (assignment[:, None] != assignment[None, :]), swap, np.inf)
        one, other = np.unravel_index(int(swap.argmin()), swap.shape)
        if not swap[one, other] < -1e-9:
            return assignment
        room[assignment[one]] += size[one] - size[other]
        room[assignment[other]] += size[other] - size[one]
        assignment[one], assignment[other] = assignment[other], assignment[one]
    return assignment


def _exact(costs: Floats, size: Floats, capacity: Floats, side: Side, best: _Best, *, seconds: float) -> bool:
    """Learn what HiGHS finds and proves; return whether it proved that there is no choice at all."""
    demand, candidates = costs.shape
    capacity = np.minimum(capacity, size.sum())  # more is never used, and may be infinite
    pairs = np.flatnonzero(np.isfinite(costs).ravel() & (size[:, None] <= capacity).ravel())
    row, column = np.divmod(pairs, candidates)
    count = len(pairs)
    own = candidates + np.arange(count)
    width = candidates + count
    once = sp.csr_array((np.ones(count), (row, own)), shape=(demand, width))
    fits = sp.csr_array(
        (np.r_[size[row], -capacity], (np.r_[column, np.arange(candidates)], np.r_[own, np.arange(candidates)])),
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
        np.r_[np.zeros(candidates), costs.ravel()[pairs]],
        more=[
            LinearConstraint(once, 1, 1),
            LinearConstraint(fits, -np.inf, 0),
            LinearConstraint(opened, -np.inf, 0),
        ],
        others=Others(count, whole=1),
        seconds=seconds,
        standing=lambda found, bound: (min(best.cost, found), max(best.bound, bound)),
    )
    if answer.status == 2:
        return True
    if answer.x is not None:
        taken = np.flatnonzero(answer.x[own] > 0.5)
        assignment = np.full(demand, -1, dtype=np.int64)
        assignment[row[taken]] = column[taken]
        sites = np.flatnonzero(answer.x[:candidates] > 0.5)
        best.learn(float(costs[np.arange(demand), assignment].sum()), assignment, sites)
    if answer.status == 0:
        best.bound = best.cost
    elif answer.mip_dual_bound is not None and np.isfinite(answer.mip_dual_bound):
        best.bound = max(best.bound, float(answer.mip_dual_bound) * (1 - 1e-9))
    return False

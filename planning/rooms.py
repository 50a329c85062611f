"""Sites with little room: a bound by prices for demand, what that settles, and a search for who goes where.

The assignment of each demand is relaxed with a price, so that every candidate fills its room with what pays most, and
the best p candidates are taken (Mulvey and Beck 1984, Lorena and Senne 2004); rooms are filled exactly, in whole units
(rounded so that the bound holds). Who would cost more than the best found allows is settled away. Choices: sites of
the relaxation, and of the best choice with a site moved; demand assigned by regret (Martello and Toth 1981), then
moved and exchanged, and sites moved inside their own catchments.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress
from planning.effort import effort_s
from planning.listening import heard
from planning.room_kernels import by_regret, fill_rooms, improve, repair, take
from planning.search import greedy
from planning.side import Side
from planning.watching import enough, tell

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROUNDING, EXACT = 1e-6, 1e-10
"""What a sum of whole costs may be off, at least, and as a share of it."""
ROUNDS = 800
UNITS = 2000
"""Rooms that are no whole numbers, or larger, are counted in so many units at most."""
WORK = 60_000_000
"""Pairs times units gone through in one round at most; rooms are counted in fewer units where there are more pairs."""
STEP, AGAIN_STEP, LEAST_STEP, PATIENCE = 1.5, 0.1, 2e-4, 20
ROUNDS_ANYWAY = 10
"""So many rounds of the bound are gone however short the time was, where a round is quick; else one."""
MOVES = 1000
REPAIRS = 200
NEAR = 12
"""A site moves to one of so many candidates that serve its demand next best."""
PAIRS_A_TRY = 20_000
MADE_AT_MOST = 60


@dataclass(eq=False)
class Rooms:
    """A capacitated question, the best found of it and its bound.

    Attributes
    ----------
    rows
        Costs, shape (candidates, demand); infinite where there is no way.
    left
        The same, infinite also where no choice better than the best can use a pair.
    prices, step
        Of each demand at the highest bound, and how far they last moved: where the bound is raised from again.
    """

    rows: Floats
    size: Floats
    capacity: Floats
    side: Side
    cost: float = np.inf
    assignment: Ints | None = None
    sites: Ints | None = None
    bound: float = 0.0
    prices: Floats | None = None
    step: float = 0.0
    left: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Leave out pairs that do not fit."""
        self.rows = np.ascontiguousarray(self.rows)
        self.left = np.where(self.size <= self.capacity[:, None], self.rows, np.inf)
        ways = self.rows[np.isfinite(self.rows)]
        self.price = 3.0 * float(ways.max(initial=1.0)) / max(float(self.size.mean()), 1e-300)
        self.whole = bool((self.rows[np.isfinite(self.rows)] % 1 == 0).all())

    @property
    def closed(self) -> bool:
        """Return whether nothing better is possible."""
        return self.cost <= self.bound * (1 + ROUNDING / 1000) + 1e-9

    @property
    def wanted(self) -> float:
        """Return the cost from which on a choice is no better: all whole where costs are."""
        return self.cost - (1 - _off(self.cost) if self.whole and self.cost < 1e9 else ROUNDING / 1000 * self.cost)

    def learn(self, cost: float, assignment: Ints, sites: Ints) -> None:
        """Keep a choice that is better."""
        if cost < self.cost:
            self.cost, self.assignment, self.sites = cost, assignment.copy(), np.sort(sites)

    def raise_bound(self, bound: float) -> None:
        """Keep a bound that is higher; where costs are whole it rounds up."""
        if self.whole and np.isfinite(bound) and abs(bound) < 1e9:
            bound = float(np.ceil(bound - _off(bound)))
        self.bound = min(max(self.bound, bound), self.cost)


def _off(total: float) -> float:
    return max(ROUNDING, EXACT * abs(total))


def units_of(rooms: Rooms) -> tuple[Ints, Ints]:
    """Return sizes and capacities in whole units, so that whatever fits still fits."""
    size, capacity = rooms.size, np.minimum(rooms.capacity, rooms.size.sum())
    most = float(capacity.max(initial=1.0))
    units = max(50, min(UNITS, WORK // max(1, rooms.rows.size)))
    whole = (size % 1 == 0).all() and most <= 2 * units
    factor = 1.0 if whole or most <= 0 else units / most
    return np.floor(size * factor).astype(np.int64), np.floor(capacity * factor + 1e-9).astype(np.int64)


def relax(rooms: Rooms, *, deadline: float, progress: Progress) -> None:
    """Raise the bound and try the sites that the relaxation takes."""
    progress.step("Raising the bound", ROUNDS)
    unit, room = units_of(rooms)
    candidates, demand = rooms.rows.shape
    prices = _begin(rooms, deadline=deadline) if rooms.prices is None else rooms.prices.copy()
    worth, more, table = np.empty(candidates), np.empty((candidates, demand)), np.empty(int(room.max(initial=0)) + 1)
    rooms.step, since, highest_bound = max(rooms.step, AGAIN_STEP), 0, -np.inf
    tried: set[tuple[int, ...]] = set()
    every = max(1, demand * rooms.side.most // PAIRS_A_TRY)
    for number in range(ROUNDS):
        fill_rooms(rooms.left, unit, room, prices, worth, more, table)
        sites, value = rooms.side.choose(worth, seconds=max(deadline - effort_s(), 0.2))
        bound = float(prices.sum() + value)
        if sites is None or not np.isfinite(bound):  # without a bound prices would become infinite
            rooms.raise_bound(np.inf if value == np.inf else rooms.bound)
            return
        since += 1
        if bound > highest_bound:
            since = 0 if bound > highest_bound + 1e-5 * abs(bound) else since
            highest_bound, rooms.prices = bound, prices.copy()
            rooms.raise_bound(bound)
        _settle(rooms, bound, worth, more, sites=sites)
        key = tuple(int(site) for site in sites)
        if key not in tried and number % every == 0:
            tried.add(key)
            attempt(rooms, sites, deadline=deadline)
        progress.advance()
        tell(progress, rooms.cost, rooms.bound)
        late = effort_s() > deadline and number + 1 >= (ROUNDS_ANYWAY if rooms.side.quick else 1)
        if rooms.closed or late or (rooms.sites is not None and enough(progress)):
            return
        taken = np.zeros(demand)
        for site in sites:
            take(rooms.left[site], unit, room[site], prices, taken)
        slack = 1.0 - taken
        norm = float(slack @ slack)
        if since > PATIENCE:
            rooms.step, since = rooms.step / 2, 0
        if norm < 1e-12 or rooms.step < LEAST_STEP:
            return
        target = rooms.cost if np.isfinite(rooms.cost) else bound * 1.1 + 1.0
        prices += rooms.step * max(target - bound, 1e-6 * abs(target), 1e-9) / norm * slack


def _begin(rooms: Rooms, *, deadline: float) -> Floats:
    """Try the first sites that come to mind, and return prices to begin with: what second best costs."""
    ways = np.isfinite(rooms.rows)
    first = begun(rooms)
    finite = np.where(ways[first], rooms.rows[first], float(rooms.rows[ways].max(initial=1.0)))
    prices: Floats = np.partition(finite, min(1, len(first) - 1), axis=0)[:2].mean(axis=0)
    rooms.prices, rooms.step = prices, STEP
    if rooms.side.allows(first):
        attempt(rooms, first, deadline=deadline)
    return prices.copy()


def _settle(rooms: Rooms, bound: float, worth: Floats, more: Floats, *, sites: Ints) -> None:
    """Leave out pairs that would make a choice cost as much as the best found, and more."""
    if not np.isfinite(rooms.cost) or bound < 0.9 * rooms.cost:
        return
    extra = np.zeros(len(worth))
    moved = np.setdiff1d(sites, rooms.side.fixed)
    if rooms.side.quick and len(sites) == rooms.side.most and len(moved):
        extra = np.maximum(worth - worth[moved].max(), 0.0)
        extra[sites] = 0.0
    rooms.left[bound + extra[:, None] + more > rooms.wanted] = np.inf


def begun(rooms: Rooms) -> Ints:
    """Return the fixed sites and, one after the other, those that lower the cost most."""
    side = rooms.side
    rest = np.setdiff1d(np.arange(side.candidates), side.fixed)
    ways = np.isfinite(rooms.rows)
    finite = np.where(ways, rooms.rows, rooms.rows[ways].max(initial=1.0) * 1e6)
    if not len(side.fixed):
        return greedy(finite, side.most)
    fresh = greedy(np.minimum(finite[rest], finite[side.fixed].min(axis=0)), side.most - len(side.fixed))
    return np.sort(np.r_[side.fixed, rest[fresh]])


def attempt(rooms: Rooms, sites: Ints, *, deadline: float) -> tuple[float, Ints]:
    """Assign all demand to some sites and improve both; learn what fits; return its cost and sites."""
    sites = np.array(sites, dtype=np.int64)
    goes, best = np.empty(len(rooms.size), dtype=np.int64), (np.inf, sites)
    for _ in range(6):
        heard()
        own = np.ascontiguousarray(rooms.rows[sites])
        fits = by_regret(own, rooms.size, rooms.capacity[sites], goes)
        if not fits and (goes.min() < 0 or rooms.capacity[sites].sum() < rooms.size.sum()):
            break
        if not fits and not repair(own, rooms.size, rooms.capacity[sites], goes, rooms.price, REPAIRS):
            break
        cost = improve(own, rooms.size, rooms.capacity[sites], goes, 50)
        if cost < best[0]:
            best = cost, sites
        rooms.learn(cost, sites[goes], sites)
        fresh = _moved_inside(rooms, sites, goes)
        if (fresh == sites).all() or effort_s() > deadline:
            break
        sites = fresh
    return best


def _moved_inside(rooms: Rooms, sites: Ints, goes: Ints) -> Ints:
    """Return sites each moved to the candidate that serves its own demand cheapest and has the room."""
    fresh = sites.copy()
    for at in range(len(sites)):
        mine = goes == at
        if not mine.any() or sites[at] in rooms.side.fixed:
            continue
        totals = rooms.rows[:, mine].sum(axis=1)
        totals[rooms.capacity < rooms.size[mine].sum()] = np.inf
        totals[np.delete(fresh, at)] = np.inf
        if totals.min() < totals[fresh[at]] - 1e-9:
            was, fresh[at] = fresh[at], int(totals.argmin())
            if not rooms.side.allows(fresh):
                fresh[at] = was
    return fresh


def moves(rooms: Rooms, *, deadline: float, progress: Progress) -> None:
    """Move sites of the best choice elsewhere at random, and improve what comes of it."""
    if rooms.sites is None or rooms.assignment is None:
        return
    rng, cost, sites, since = np.random.default_rng(0), rooms.cost, rooms.sites, 0
    total = min(MOVES, max(MADE_AT_MOST, MOVES * PAIRS_A_TRY // max(1, len(rooms.size) * rooms.side.most)))
    progress.step("Searching for sites", total)
    for _ in range(total):
        free = np.setdiff1d(sites, rooms.side.fixed)
        if effort_s() > deadline or rooms.closed or not len(free) or enough(progress):
            return
        fresh = sites.copy()
        for go in rng.choice(free, min(len(free), int(rng.integers(1, 3))), replace=False):
            own = rooms.rows[go]
            near = np.setdiff1d(np.arange(len(rooms.rows)), fresh)
            if not len(near):
                return
            if rng.random() < 0.6:
                mine = np.argsort(own, kind="stable")[: max(3, len(own) // rooms.side.most)]
                near = near[np.argsort(rooms.rows[np.ix_(near, mine)].sum(axis=1), kind="stable")[:NEAR]]
            fresh[fresh == go] = rng.choice(near)
        progress.advance()
        if not rooms.side.allows(fresh):
            continue
        before = rooms.cost
        made, where = attempt(rooms, fresh, deadline=deadline)
        tell(progress, rooms.cost, rooms.bound)
        since = 0 if rooms.cost < before else since + 1
        if made <= 1.005 * cost:
            cost, sites = made, where
        if since and since % 40 == 0:
            cost, sites = rooms.cost, rooms.sites

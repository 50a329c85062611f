"""Sites with little room, case by case: some candidates open, some closed, each case with a bound of its own.

The relaxation of `planning.rooms` leaves some hundredths where rooms are nearly full; splitting at candidates brings
most of that (Ceselli and Righini 2005 split so as well). A case is raised a little from the prices of the case before
it; the one with the lowest bound is split next. Where its sites are settled only who goes where is open, and HiGHS
ends it; a case that it does not end in time waits with the bound it reached, and is given more when its turn comes.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress
from planning.effort import effort_s
from planning.listening import heard
from planning.room_exact import finish
from planning.room_kernels import fill_rooms, take
from planning.rooms import Rooms, attempt, units_of
from planning.side import Side
from planning.watching import enough, tell

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
States = NDArray[np.int8]
FREE, OPEN, CLOSED = 0, 1, 2
ROUNDS, STEP, LEAST_STEP, PATIENCE = 40, 0.3, 1e-3, 5
FADING = 0.8
SPLIT_AT = 0.6
"""Share of late rounds in which the relaxation takes the candidate that a case is split at, about."""
FIRST_S, LONGER = 0.5, 4.0
"""What HiGHS is given for a case at first, and how many times more whenever that did not do."""
PAIRS = 250
"""A case with so few pairs is given to HiGHS though some candidates are free."""
SEARCH_EVERY = 20
BYTES_AT_MOST = 1 << 28


@dataclass(eq=False)
class Case:
    """What is settled of each candidate, prices to go on from, and a bound of all that is left.

    Attributes
    ----------
    seconds
        What HiGHS is given for it next; 0 where it is split.
    open_pairs
        Where HiGHS is asked: places in a flat table of candidates by demand that something better could use.
    """

    states: States
    prices: Floats
    bound: float
    seconds: float = 0.0
    open_pairs: Ints | None = None

    @property
    def size(self) -> int:
        """Return about how many bytes it takes while it waits."""
        pairs = 0 if self.open_pairs is None else self.open_pairs.nbytes
        return self.states.nbytes + self.prices.nbytes + pairs + 200


@dataclass(eq=False)
class _Raised:
    """Where a case stands after some rounds; arrays are of the candidates that are not closed."""

    bound: float
    prices: Floats
    worth: Floats
    more: Floats
    sites: Ints
    taken: Floats


def by_cases(rooms: Rooms, *, deadline: float, progress: Progress) -> None:
    """Raise the bound by cases while there is time; only the number of sites and those that are fixed may be given."""
    side, count = rooms.side, itertools.count()
    if not side.quick or rooms.prices is None or rooms.sites is None:
        return
    states: States = np.zeros(side.candidates, dtype=np.int8)
    states[side.fixed] = OPEN
    whole = Case(states, rooms.prices, rooms.bound)
    heap, held = [(whole.bound, next(count), whole)], whole.size
    progress.step("Proving the answer case by case")
    while heap:
        rooms.raise_bound(heap[0][0])
        tell(progress, rooms.cost, rooms.bound)
        if rooms.closed or effort_s() > deadline or held > BYTES_AT_MOST or enough(progress):
            return
        heard()
        number, case = heapq.heappop(heap)[1:]
        held -= case.size
        for part in _ended(rooms, case, deadline=deadline) if case.seconds else _split(rooms, case, number, deadline):
            if not _settled(rooms, part.bound):
                heapq.heappush(heap, (part.bound, next(count), part))
                held += part.size
        progress.advance()
    rooms.raise_bound(np.inf)


def _settled(rooms: Rooms, bound: float) -> bool:
    """Return whether a case with such a bound holds nothing better."""
    return bound > rooms.wanted


def _split(rooms: Rooms, case: Case, number: int, deadline: float) -> list[Case]:
    """Raise a case, and return what is left of it: nothing, itself for HiGHS, or two cases."""
    columns = np.flatnonzero(case.states != CLOSED)
    opened = case.states[columns] == OPEN
    done = _raised(rooms, case, columns, opened, deadline=deadline)
    bound = max(done.bound, case.bound)
    if _settled(rooms, bound):
        return []
    if number % SEARCH_EVERY == 0:
        attempt(rooms, columns[done.sites], deadline=deadline)
    states = _with_settled(rooms, case.states, columns, done)
    free = np.flatnonzero(states[columns] == FREE)
    places = rooms.side.most - int((states == OPEN).sum())
    pairs = _open_pairs(rooms, columns, done)
    if places <= 0 or len(free) <= places or len(pairs) <= PAIRS:
        if places <= 0:
            states[states == FREE] = CLOSED
        return [Case(states, done.prices, bound, FIRST_S, pairs)]
    at = columns[free[np.argmin(np.abs(done.taken[free] - SPLIT_AT))]]
    parts = []
    for state in (OPEN, CLOSED):
        part = states.copy()
        part[at] = state
        parts.append(Case(part, done.prices, bound))
    return parts


def _raised(rooms: Rooms, case: Case, columns: Ints, opened: NDArray[np.bool_], *, deadline: float) -> _Raised:
    """Return a case with its bound raised by some steps of the prices: one however late it is."""
    unit, room = units_of(rooms)
    left, room = np.ascontiguousarray(rooms.left[columns]), room[columns]
    worth, more, table = np.empty(len(columns)), np.empty(left.shape), np.empty(int(room.max(initial=0)) + 1)
    prices, step, since = case.prices.copy(), STEP, 0
    best = _Raised(-np.inf, prices, worth, more, np.empty(0, dtype=np.int64), np.zeros(len(columns)))
    share = best.taken
    for _ in range(ROUNDS):
        fill_rooms(left, unit, room, prices, worth, more, table)
        tuned = worth.copy()
        tuned[opened] = -np.inf
        sites = np.argsort(tuned, kind="stable")[: rooms.side.most]
        bound = float(prices.sum() + worth[sites].sum())
        share *= FADING
        share[sites] += 1 - FADING
        since += 1
        if bound > best.bound:
            best, since = _Raised(bound, prices.copy(), worth.copy(), more.copy(), sites, share), 0
        if since > PATIENCE:
            step, since = step / 2, 0
        if _settled(rooms, bound) or step < LEAST_STEP or effort_s() > deadline:
            break
        heard()
        taken = np.zeros(len(prices))
        for site in sites:
            take(left[site], unit, room[site], prices, taken)
        slack = 1.0 - taken
        norm = float(slack @ slack)
        if norm < 1e-12:
            break
        prices += step * max(rooms.cost - bound, 1e-9) / norm * slack
    return best


def _with_settled(rooms: Rooms, states: States, columns: Ints, done: _Raised) -> States:
    """Return states with those candidates settled that something better has to have, or cannot have."""
    made, worth = states.copy(), done.worth
    inside = np.zeros(len(columns), dtype=bool)
    inside[done.sites] = True
    free = states[columns] == FREE
    if not (inside & free).any() or inside.all():
        return made
    leaves, comes = worth[inside & free].max(), worth[~inside].min()
    made[columns[free & ~inside & (done.bound - leaves + worth > rooms.wanted)]] = CLOSED
    made[columns[free & inside & (done.bound - worth + comes > rooms.wanted)]] = OPEN
    return made


def _open_pairs(rooms: Rooms, columns: Ints, done: _Raised) -> Ints:
    """Return which pairs something better of a case could use, as places in a flat table of candidates by demand."""
    extra = np.maximum(done.worth - done.worth[done.sites].max(), 0.0)  # of one more, in the place of the least of them
    extra[done.sites] = 0.0
    made = np.zeros(rooms.left.shape, dtype=bool)
    made[columns] = np.isfinite(rooms.left[columns]) & (done.bound + extra[:, None] + done.more <= rooms.wanted)
    return np.flatnonzero(made)


def _ended(rooms: Rooms, case: Case, *, deadline: float) -> list[Case]:
    """Let HiGHS end a case; return it with the bound it reached where it did not."""
    columns = np.flatnonzero(case.states != CLOSED)
    side = rooms.side
    fixed = np.flatnonzero(case.states[columns] == OPEN)
    least, most = min(side.least, len(columns)), min(side.most, len(columns))
    part = Rooms(rooms.rows[columns], rooms.size, rooms.capacity[columns], Side(len(columns), least, most, fixed))
    part.whole = rooms.whole
    useful = np.isfinite(rooms.left)
    if case.open_pairs is not None:
        listed = np.zeros(useful.size, dtype=bool)
        listed[case.open_pairs] = True
        useful &= listed.reshape(useful.shape)
    part.left[~useful[columns]] = np.inf
    if not np.isfinite(part.left).any(axis=0).all():
        return []
    part.bound = case.bound
    finish(part, seconds=max(0.05, min(case.seconds, deadline - effort_s())), told=False)
    if part.assignment is not None and part.sites is not None and part.cost < rooms.cost:
        rooms.learn(part.cost, columns[part.assignment], columns[part.sites])
    if part.cost <= part.bound or _settled(rooms, part.bound):
        return []
    case.bound, case.seconds = max(case.bound, part.bound), case.seconds * LONGER
    return [case]

"""Market share of many candidates: a bound by lifted planes, raised case by case until nothing better is left.

The planes of `planning.draw_kernels` make a linear bound for any levels; the levels that make it lowest are found by
steps towards the sites that the planes of now like best (Frank and Wolfe 1956). Where the bound of a case, less what a
candidate is worth, falls below the best found, the candidate is settled; else the case is split at a candidate.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from planning.draw_kernels import draw_with, find_levels, sum_planes
from planning.effort import effort_s
from planning.listening import heard, say
from planning.side import Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
States = NDArray[np.int8]
FREE, OPEN, CLOSED = 0, 1, 2
CLOSE = 1e-8
ROUNDS, ROUNDS_A_CASE = 400, 25
ROUNDS_BESIDE = 6
GONE_BY = 80
"""A case goes on from the shares of the case before it by steps as small as after so many."""
LIKED = 60
"""Candidates beside those with a share that exchanges are tried with."""
STEPS = 200
ENDED = 0.05
"""Shares are good enough when what the bound lies above their worth is so little of what it lies above the best."""


@dataclass(eq=False)
class Draw:
    """A question of market share, and the best found of it.

    Attributes
    ----------
    pulls
        Shape (demand, candidates).
    rest
        Pull of all else on each demand, above zero.
    """

    pulls: Floats
    rest: Floats
    people: Floats
    side: Side
    deadline: float
    best: float = -np.inf
    sites: Ints = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    bound: float = np.inf
    told: Callable[[float, float], None] = field(default=say)

    @property
    def closed(self) -> bool:
        """Return whether nothing better is possible."""
        return self.best >= self.bound - CLOSE * max(self.bound, 1e-300)

    @property
    def late(self) -> bool:
        """Return whether the time is over; asks whoever listens."""
        heard()
        return effort_s() > self.deadline

    def drawn(self, sites: Ints) -> float:
        """Return how many people come to sites."""
        own = self.pulls[:, sites].sum(axis=1)
        return float(self.people @ (own / (own + self.rest)))

    def learn(self, sites: Ints) -> bool:
        """Keep a choice that is allowed and better; return whether it is."""
        value = self.drawn(sites)
        if value > self.best and self.side.allows(sites):
            self.best, self.sites = value, np.sort(sites)
            return True
        return False

    def begin(self) -> bool:
        """Find a first choice: each the best after those before it; return whether there is one."""
        chosen = np.sort(self.side.fixed)
        worth = np.empty(self.side.candidates)
        while len(chosen) < self.side.most:
            draw_with(self.pulls, self.rest, self.people, self.pulls[:, chosen].sum(axis=1), worth)
            worth[chosen] = -np.inf
            chosen = np.sort(np.append(chosen, int(worth.argmax())))
            heard()
        if not self.side.allows(chosen):
            made = self.side.choose(np.zeros(self.side.candidates))[0]
            if made is None:
                return False
            chosen = made
        self.learn(chosen)
        return self.best > -np.inf

    def exchange(self, among: Ints) -> None:
        """Exchange one site for one of some candidates as long as that draws more."""
        pulls = np.ascontiguousarray(self.pulls[:, among])
        worth = np.empty(len(among))
        for _ in range(STEPS):
            if not self._exchanged(pulls, among, worth):
                return

    def _exchanged(self, pulls: Floats, among: Ints, worth: Floats) -> bool:
        sites = self.sites
        for go in np.setdiff1d(sites, self.side.fixed):
            if self.late:
                return False
            kept = sites[sites != go]
            draw_with(pulls, self.rest, self.people, self.pulls[:, kept].sum(axis=1), worth)
            worth[np.isin(among, sites)] = -np.inf
            for at in np.argsort(-worth, kind="stable"):
                if not worth[at] > self.best + 1e-12 * abs(self.best):
                    break
                if self.learn(np.append(kept, among[at])):
                    return True
        return False


@dataclass(eq=False)
class Case:
    """Some candidates open, some closed; a bound of all that is left, shares that make it, and what each adds.

    Attributes
    ----------
    share
        Of each candidate, between 0 and 1, shape (candidates,).
    relaxed
        The bound where only the number of sites is kept to; ``levels`` and ``worth`` are of this one.
    levels
        Of each demand, where that bound is lowest.
    """

    states: States
    share: Floats
    bound: float = np.inf
    relaxed: float = np.inf
    levels: Floats | None = None
    worth: Floats | None = None


def raised(draw: Draw, case: Case, *, rounds: int, begin: int = 0) -> bool:
    """Lower the bound of a case and settle candidates; return whether something better may be in it."""
    columns = np.flatnonzero(case.states != CLOSED)
    pulls = draw.pulls if len(columns) == draw.side.candidates else np.ascontiguousarray(draw.pulls[:, columns])
    opened = case.states[columns] == OPEN
    free = np.flatnonzero(~opened)
    wanted = min(draw.side.most - int(opened.sum()), len(free))
    share = case.share[columns]
    share[opened] = 1.0
    if share[free].sum() > 0:
        share[free] = np.minimum(share[free] * (wanted / share[free].sum()), 1.0)
    levels, part = np.empty(len(draw.rest)), np.zeros(len(draw.rest), dtype=np.int64)
    slopes, bases = np.empty((1, len(columns))), np.empty(1)
    place = np.full(len(case.states), -1)
    place[columns] = np.arange(len(columns))
    before = case.levels
    for number in range(rounds):
        at = np.flatnonzero(share > 1e-9)
        if number == 0 and before is not None:  # the planes of the case before it bound this one too
            levels, value = before.copy(), -np.inf
        else:
            value = find_levels(pulls, draw.rest, draw.people, at, share[at], levels)
        sum_planes(pulls, draw.rest, draw.people, levels, part, slopes, bases)
        worth = slopes[0]
        liked, said = _liked(worth, free, wanted)
        relaxed = float(bases[0] + worth[opened].sum() + said)
        chosen, bound = np.r_[np.flatnonzero(opened), liked], relaxed
        if relaxed < case.relaxed:
            case.relaxed, case.levels = relaxed, levels.copy()
            case.worth = np.zeros(len(case.states))
            case.worth[columns] = worth
        if not draw.side.quick:
            sites, said = _allowed(draw, case.states, columns, worth)
            if said == -np.inf:
                return False
            bound = min(bound, float(bases[0] + said))
            chosen = chosen if sites is None else place[sites]
        draw.learn(columns[chosen])
        case.bound = min(case.bound, bound)
        if case.bound <= draw.best * (1 + CLOSE):
            return False
        if case.bound - value < ENDED * (case.bound - draw.best) or draw.late:
            break
        if value == -np.inf:
            continue
        step = 2.0 / (number + begin + 2.0)
        share *= 1.0 - step
        share[chosen] += step
    case.share = np.zeros(len(case.states))
    case.share[columns] = share
    return True


def _liked(worth: Floats, free: Ints, wanted: int) -> tuple[Ints, float]:
    """Return the free candidates that are worth most together, and what they are worth."""
    liked = free[np.argpartition(-worth[free], wanted - 1)[:wanted]] if 0 < wanted < len(free) else free[:wanted]
    return liked, float(worth[liked].sum())


def _allowed(draw: Draw, states: States, columns: Ints, worth: Floats) -> tuple[Ints | None, float]:
    """Return the sites that keep to all that is asked for and are worth most, and what none such is worth more than.

    No sites where none were found in time; minus infinity where a case holds none.
    """
    all_ = float(worth.sum()) + 1.0
    tuned = np.full(len(states), 2.0 * all_)  # one that is closed costs more than all others are worth
    tuned[columns] = -worth
    opened = np.flatnonzero(states == OPEN)
    left = max(0.2, min(5.0, draw.deadline - effort_s()))
    sites, least = dataclasses.replace(draw.side, fixed=opened).choose(tuned, seconds=left)
    if least > 0.5 * all_:  # nothing is possible without one that is closed
        return None, -np.inf
    if sites is None or (states[sites] == CLOSED).any() or not np.isin(opened, sites).all():
        return None, -least  # the search ended before it was done: the bound is all it says
    return sites, -least


def settle(draw: Draw, case: Case) -> int:
    """Settle each candidate without which, or with which, a case holds nothing better; return how many."""
    if case.worth is None:
        return 0
    free = np.flatnonzero(case.states == FREE)
    wanted = draw.side.most - int((case.states == OPEN).sum())
    if not 0 < wanted < len(free):
        return 0
    order = free[np.argsort(-case.worth[free], kind="stable")]
    inside, outside = order[:wanted], order[wanted:]
    target = draw.best * (1 + CLOSE)
    closed = outside[case.relaxed - case.worth[inside[-1]] + case.worth[outside] <= target]
    opened = inside[case.relaxed - case.worth[inside] + case.worth[outside[0]] <= target]
    case.states[closed], case.states[opened] = CLOSED, OPEN
    return len(closed) + len(opened)


def by_cases(draw: Draw, *, gap: float = 0.0) -> None:
    """Find the best sites and prove it while there is time."""
    states: States = np.zeros(draw.side.candidates, dtype=np.int8)
    states[draw.side.fixed] = OPEN
    share = np.zeros(draw.side.candidates)
    share[draw.sites] = 1.0
    root = Case(states, share)
    count = itertools.count()
    if not _worked(draw, root, rounds=ROUNDS if draw.side.quick else ROUNDS // 4, begin=0):
        draw.bound = draw.best
        return
    heap: list[tuple[float, int, Case]] = [(-root.bound, next(count), root)]
    while heap:
        draw.bound = min(draw.bound, max(-heap[0][0], draw.best))
        draw.told(-draw.best, -draw.bound)
        if draw.late or draw.bound <= draw.best * (1 + max(gap, CLOSE)):
            break
        case = heapq.heappop(heap)[2]
        for part in _parts(draw, case):
            heapq.heappush(heap, (-part.bound, next(count), part))
        if not heap:
            draw.bound = draw.best
    draw.bound = max(draw.bound, draw.best)


def _parts(draw: Draw, case: Case) -> list[Case]:
    """Return what is left of a case, split at a candidate: with it, and without it."""
    at = _splitting(case)
    if at < 0:
        draw.learn(np.flatnonzero(case.states == OPEN))
        return []
    made = []
    rounds = ROUNDS_A_CASE if draw.side.quick else ROUNDS_BESIDE
    for state in (OPEN, CLOSED):
        part = Case(case.states.copy(), case.share.copy(), levels=case.levels)
        part.states[at], part.share[at] = state, float(state == OPEN)
        opened, free = (int((part.states == state).sum()) for state in (OPEN, FREE))
        if opened == draw.side.most or not free:
            draw.learn(np.flatnonzero(part.states == OPEN))
        elif opened + free >= draw.side.least and _worked(draw, part, rounds=rounds, begin=GONE_BY):
            part.bound = min(part.bound, case.bound)
            made.append(part)
    return made


def _worked(draw: Draw, case: Case, *, rounds: int, begin: int) -> bool:
    """Lower the bound of a case as long as that settles a good part of it; return whether it may hold better."""
    while True:
        if not raised(draw, case, rounds=rounds, begin=begin):
            return False
        if not begin:
            liked = np.argsort(-case.worth, kind="stable")[:LIKED] if case.worth is not None else np.empty(0, int)
            draw.exchange(np.union1d(liked, np.flatnonzero(case.share > 1e-3)))
        left = int((case.states == FREE).sum())
        done = settle(draw, case)
        if case.bound <= draw.best * (1 + CLOSE):
            return False
        if done < 0.3 * left or draw.late:
            return True
        rounds, begin = ROUNDS_A_CASE, GONE_BY


def _splitting(case: Case) -> int:
    """Return the free candidate to split at; -1 when there is none."""
    free = np.flatnonzero(case.states == FREE)
    if not len(free) or case.worth is None:
        return -1
    share = case.share[free]
    weight = share * (1.0 - share) * case.worth[free]
    return int(free[int(weight.argmax())])

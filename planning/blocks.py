"""The p-median of so many candidates and so much demand that their travel times are never all in memory at once.

A choice among some of the candidates says how far anybody can have to go at most in a good choice. With that, all
candidates are gone through block by block, and of each only the ways are kept that are shorter than to the third
nearest open site: that is what the Lagrangian relaxation needs, and its bound holds for the whole question. The
candidates that the relaxation likes best are then searched among.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.progress import Progress, Silent
from planning.best import Best
from planning.effort import effort_s
from planning.lagrange_kernels import Floats, Ints, States, fill_below, join
from planning.listening import heard, listened
from planning.lists import Ascent, Lists, starts_below
from planning.search import greedy, swap_search
from planning.siting import UNSERVED, SitingResult, Stop
from planning.watching import enough, tell

Floats32 = NDArray[np.float32]
Times = Callable[[Ints], Floats32]
BLOCK = 250
SAMPLE = 500
BEHIND = 3
BEHIND_FEW = 2
FEW = 20
"""Up to so many sites each serves so many that the ways behind the second are left out already."""
CHUNK = 25
SEARCHED = 400
SEARCH_EVERY = 4
ROUNDING = 1e-9
"""What rounding may have added to the sum that is the bound."""


def solve_by_blocks(
    times: Times, candidates: int, people: Floats, p: int, *, stop: Stop | None = None, progress: Progress | None = None
) -> SitingResult:
    """Return p sites with the least sum of people times seconds, and a bound that no choice can beat.

    Parameters
    ----------
    times
        Gives for some candidates the seconds from each demand, shape (candidates asked for, demand); inf without a
        way. A way longer than twice the longest of some of the candidates counts as none.
    people
        Of each demand, shape (demand,).
    stop
        Its gap, rounds and seconds count, the latter for the bound alone: going through all candidates comes on top.
        The answer does not depend on a seed.
    """
    stop, progress, began = stop or Stop(gap=0.005), progress or Silent(), time.perf_counter()
    if not 1 <= p <= candidates:
        raise InvalidInput(f"{p:,} of {candidates:,} candidates cannot be chosen.")
    with listened(progress):
        sample = np.unique(np.linspace(0, candidates - 1, max(SAMPLE, 2 * p)).astype(np.int64))
        progress.step("Searching among some candidates", 1)
        some = times(sample)
        longest = float(some[np.isfinite(some)].max(initial=0.0))
        unserved_s = 2.0 * longest
        count = _Counted(times, people, unserved_s)
        costs = count.of(some)
        del some
        first = greedy(costs, min(p, len(sample)))
        cost, sites = swap_search(costs, first)
        del costs
        best = Best(cost, sample[sites], 0.0)
        progress.advance()
        lists = _lists(count, candidates, best.sites, progress)
        deadline = effort_s() + stop.seconds
        _raise(count, lists, p, candidates, best, stop=stop, deadline=deadline, progress=progress)
    return _result(count, best, began)


class _Counted:
    """Costs of some candidates: people times seconds, a person without a way counted as so many seconds."""

    def __init__(self, times: Times, people: Floats, unserved_s: float) -> None:
        self.times, self.people, self.unserved_s = times, people, unserved_s

    def of(self, times: Floats32) -> Floats:
        """Return costs of times, shape (candidates, demand)."""
        made = np.minimum(times, np.float32(self.unserved_s)).astype(np.float64)
        made *= self.people
        return made

    def at(self, sites: Ints) -> Floats:
        """Return costs of candidates."""
        return self.of(self.times(sites))


def _lists(count: _Counted, candidates: int, sites: Ints, progress: Progress) -> Lists:
    """Return the lists of all candidates, each demand up to the cost of one of its nearest open sites."""
    behind = min(BEHIND if len(sites) > FEW else BEHIND_FEW, len(sites))
    own = count.at(sites)
    cap: Floats = np.maximum(np.partition(own, behind - 1, axis=0)[behind - 1], 1e-9)
    if behind == len(sites) < BEHIND_FEW:
        cap = count.people * count.unserved_s * 1.01 + 1e-9
    del own
    parts = []
    progress.step("Going through all candidates", candidates)
    for begin in range(0, candidates, BLOCK):
        rows = np.arange(begin, min(begin + BLOCK, candidates))
        costs = count.at(rows)
        starts = starts_below(costs, cap)
        places, values = np.empty(int(starts[-1]), dtype=np.int32), np.empty(int(starts[-1]))
        fill_below(costs, cap, starts, places, values)
        parts.append((starts, places + np.int32(begin), not_above(values)))
        progress.advance(len(rows))
    total = np.zeros(len(cap) + 1, dtype=np.int64)
    for starts, _, _ in parts:
        total += starts
    places, values = np.empty(int(total[-1]), dtype=np.int32), np.empty(int(total[-1]))
    at = total[:-1].copy()
    while parts:
        join(at, *parts.pop(), places, values)
        heard()
    made = Lists(total, places, values, cap)
    made.sort()
    return made


def not_above(values: Floats) -> Floats32:
    """Return values in single precision, none larger than it was: the bound of lower costs holds for the costs."""
    made = values.astype(np.float32)
    return np.where(made > values, np.nextafter(made, np.float32(-np.inf)), made)


def _raise(
    count: _Counted, lists: Lists, p: int, candidates: int, best: Best, *, stop: Stop, deadline: float,
    progress: Progress,
) -> None:  # fmt: skip
    """Raise the bound and search among the candidates that the relaxation likes best."""
    states: States = np.zeros(candidates, dtype=np.int8)
    own = count.at(best.sites)
    begin = np.minimum(1.2 * own[0] if p == 1 else np.partition(own, 1, axis=0)[:2].mean(axis=0), lists.cap)
    del own
    ascent = Ascent(begin, candidates)
    progress.step("Bounding what is possible", stop.rounds)
    for number in range(max(1, stop.rounds // CHUNK)):
        late = effort_s() > deadline or enough(progress)
        if best.is_within(stop.gap) or ascent.weary or (number and late):  # some bound is told in any case
            break
        ascent.raised(lists, states, p, target=best.cost, enough=best.cost * (1 - stop.gap), rounds=CHUNK)
        best.learn_bound(ascent.bound * (1 - ROUNDING))
        progress.advance(CHUNK)
        tell(progress, best.cost, best.bound)
        if number % SEARCH_EVERY == 1:
            _search(count, ascent, p, best)
            tell(progress, best.cost, best.bound)


def _search(count: _Counted, ascent: Ascent, p: int, best: Best) -> None:
    liked = np.union1d(np.argsort(ascent.worth, kind="stable")[: max(SEARCHED, 2 * p)], best.sites)
    costs = count.at(liked)
    taken = np.flatnonzero(ascent.taken)
    for begin in (best.sites, taken):
        places = np.searchsorted(liked, begin)
        if len(begin) == p and (liked[np.minimum(places, len(liked) - 1)] == begin).all():
            cost, sites = swap_search(costs, places)
            best.learn_choice(cost, liked[sites])
            heard()


def _result(count: _Counted, best: Best, began: float) -> SitingResult:
    sites = np.sort(best.sites)
    times = count.times(sites).astype(np.float64)
    nearest = times.argmin(axis=0)
    shortest = times[nearest, np.arange(times.shape[1])]
    beyond = ~np.isfinite(shortest) | (shortest > count.unserved_s)
    return SitingResult(
        status="optimal" if best.is_within(0.0) else "feasible",
        objective=best.cost,
        bound=best.bound,
        gap=best.gap,
        unserved=float(count.people[beyond].sum()),
        sites=tuple(int(site) for site in sites),
        assignment=np.where(beyond, UNSERVED, sites[nearest]).astype(np.int64),
        times_s=np.where(beyond, np.inf, shortest),
        seconds=time.perf_counter() - began,
        unserved_s=count.unserved_s,
    )

"""How low the cost of p sites can go at most: Lagrangian relaxation, raised by subgradients.

Relaxing "each demand is served once" with a multiplier per demand leaves a problem that is solved by
looking: every candidate is worth the sum of what it undercuts, and the p worthiest are taken
(Cornuéjols, Fisher & Nemhauser 1977). Every set of multipliers gives a true lower bound. Candidates
that cannot be in a better choice than the one known are closed on the way, those that must be are opened.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.progress import Progress, Silent
from planning.best import PROVEN, Best
from planning.effort import effort_s
from planning.lagrange_kernels import CLOSED, Floats, Ints, States
from planning.lists import Ascent, Lists, lists_of, multipliers_of
from planning.search import swap_search
from planning.watching import enough, tell

CHUNK = 25
"""Rounds between two looks at what can be settled, and two searches from what the relaxation takes."""
CHUNKS_ANYWAY = 6
"""So much of a bound is told however short the time was: without it a good choice looks like a bad one."""
PAIRS_WHOLE = 4_000_000
"""Pairs of candidate and demand up to which lists hold all; beyond, what lies behind some open sites is left out."""
BEHIND = 3
SMALLEST_CAP = 1e-9
STALLED = 1e-5
LOOKS = 8
SLACK_AT_MOST = 0.1
"""Sums so large that rounding may be more are not known to a whole."""


@dataclass(eq=False)
class Root:
    """Where the bound stands: lists, multipliers, and what is settled of each candidate."""

    lists: Lists
    ascent: Ascent
    states: States
    margin: float
    settled: bool = False

    @property
    def rows(self) -> Ints:
        """Return the candidates that could still be in a better choice."""
        return np.flatnonzero(self.states != CLOSED)


def margin_of(costs: Floats, cost: float) -> float:
    """Return by how much anything better is cheaper: nearly one where all costs are whole, else next to nothing."""
    whole = bool(np.array_equal(costs, np.rint(costs)))
    slack = slack_of(cost)
    return 1 - slack if whole and slack < SLACK_AT_MOST else 0.5 * PROVEN * cost


def slack_of(cost: float) -> float:
    """Return what rounding may have added to a sum of about so much."""
    return 1e-6 + 1e-12 * abs(cost)


def raise_bound(
    costs: Floats, p: int, best: Best, *,
    rounds: int, gap: float, deadline: float, progress: Progress | None = None, patient: bool = True,
) -> Root:  # fmt: skip
    """Raise the bound in ``best`` and return where it stands.

    Parameters
    ----------
    costs
        Shape (candidates, demand).
    rounds
        Steps of the subgradient method at most.
    gap
        Proven gap that suffices.
    deadline
        Moment of `planning.effort.effort_s` to end at.
    patient
        Whether to go on while the bound rises but little; else a proof by cases is to go on from here.
    """
    progress = progress or Silent()
    costs = np.ascontiguousarray(costs)
    lists = lists_of(costs, _cap(costs, best.sites))
    states: States = np.zeros(len(costs), dtype=np.int8)
    root = Root(lists, Ascent(multipliers_of(costs, best.sites, lists.cap), len(costs)), states, margin_of(costs, best.cost))  # fmt: skip # noqa: E501
    seen: set[bytes] = set()
    progress.step("Bounding what is possible", rounds)
    before, looks = -np.inf, 0
    for number in range(-(-rounds // CHUNK)):
        late = number >= CHUNKS_ANYWAY and effort_s() > deadline
        if best.is_within(gap) or root.ascent.weary or late or enough(progress):
            break
        closed = min(best.cost - root.margin, best.cost * (1 - gap))
        root.ascent.raised(root.lists, states, p, target=best.cost, enough=closed, rounds=CHUNK)
        learn(best, root.ascent.bound, root.margin)
        _search(costs, root, seen, best)
        tell(progress, best.cost, best.bound)
        progress.advance(CHUNK)
        if not root.ascent.settle(states, p, best.cost - root.margin):
            root.settled = True
            best.learn_bound(best.cost)  # no p of the rest can be better
            break
        if (states == CLOSED).sum() > 0.1 * len(states) and _thinner(root):
            looks = 0
            continue
        risen = root.ascent.bound - before
        before = root.ascent.bound
        looks = looks + 1 if risen < STALLED * abs(before) else 0
        if looks >= LOOKS and not patient:
            break
    tell(progress, best.cost, best.bound)
    return root


def learn(best: Best, reached: float, margin: float) -> None:
    """Keep a bound; where costs are whole it rounds up."""
    best.learn_bound(float(np.ceil(reached - slack_of(reached))) if margin > 0.5 and reached > -1e200 else reached)


def _thinner(root: Root) -> bool:
    """Leave closed candidates out of the lists once that makes them a good deal shorter; return whether it did."""
    fresh = root.lists.without(root.states)
    if len(fresh.values) > 0.85 * len(root.lists.values):
        return False
    root.lists = fresh
    root.ascent.anew()
    return True


def _cap(costs: Floats, sites: Ints) -> Floats | None:
    if costs.size <= PAIRS_WHOLE or len(sites) <= BEHIND:
        return None
    cap: Floats = np.maximum(np.partition(costs[sites], BEHIND - 1, axis=0)[BEHIND - 1], SMALLEST_CAP)
    return cap


def _search(costs: Floats, root: Root, seen: set[bytes], best: Best) -> None:
    """Improve what the relaxation takes, where it was not seen before."""
    taken = np.flatnonzero(root.ascent.taken)
    if len(taken) != len(best.sites) or taken.tobytes() in seen:
        return
    seen.add(taken.tobytes())
    best.learn_choice(*swap_search(costs, taken))

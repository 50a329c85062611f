"""The least cost of serving everybody where a choice of sites keeps to more than a number.

Costs (candidates, demand) as in `planning.bound`, and a charge for each site where there is one. The bound is the
same relaxation; its sites are chosen under the side conditions by HiGHS, so each step gives a choice that may stand
and a bound that holds. Small questions are ended by HiGHS as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint

from core.progress import Progress, Silent
from planning.best import Best
from planning.effort import effort_s
from planning.listening import heard
from planning.side import Others, Side
from planning.watching import enough, tell

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROUNDS = 200
EXACT_PAIRS = 40_000
TINY_PAIRS = 2_000
TRIED = 40
"""Exchanges that are tried for what they must keep to before a choice counts as the best of its kind."""
LEAST_GAIN = 1e-12
PATIENCE = 12
ROUNDS_ANYWAY = 40
"""So many rounds are gone however short the time was, where a round is quick; else one."""
CHOOSE_S = 0.5
"""Time that choosing sites has at least: a round without a choice would end the bound."""


@dataclass(frozen=True, eq=False)
class Sum:
    """Costs of serving (candidates, demand) and the charge of each candidate; a choice costs both."""

    costs: Floats
    charge: Floats

    def of(self, sites: Ints) -> float:
        """Return what a choice costs; infinite for no site at all."""
        if not len(sites):
            return np.inf
        return float(self.costs[sites].min(axis=0).sum() + self.charge[sites].sum())


def least_sum(
    total: Sum,
    side: Side,
    *,
    seconds: float,
    gap: float = 0.0,
    initial: Ints | None = None,
    progress: Progress | None = None,
) -> Best | None:
    """Return the best choice that keeps to the side conditions, with its bound; None when none was found."""
    progress, deadline = progress or Silent(), effort_s() + seconds
    multipliers = np.partition(total.costs, min(1, len(total.costs) - 1), axis=0)[:2].mean(axis=0)
    first = initial if initial is not None and side.allows(initial) else None
    if first is None:
        first = side.choose(_worth(total, multipliers), seconds=seconds / 2)[0]
    if first is None:
        return None
    best = Best(*improved(total, first, side))
    best.learn_bound(max(0.0, float(total.costs.min(axis=0).sum())))
    if total.costs.size <= TINY_PAIRS:
        _exact(total, side, best, seconds=seconds / 2)
    tell(progress, best.cost, best.bound)
    if best.is_within(gap):
        return best
    start = _start(total, best.sites)
    if not side.quick:
        # The same without what is hard to keep to is quickly bounded, and below the whole.
        free = Side(side.candidates, side.least, side.most, side.fixed)
        loose = Best(best.cost, best.sites, best.bound)
        start = _raise(total, free, loose, start, gap=gap, deadline=deadline - 0.7 * seconds, progress=progress)
        best.learn_bound(loose.bound)
    _raise(total, side, best, start, gap=gap, deadline=deadline - 0.2 * seconds, progress=progress)
    left = deadline - effort_s()
    small = TINY_PAIRS < total.costs.size <= EXACT_PAIRS
    if not best.is_within(gap) and small and left > 0 and not enough(progress):
        _exact(total, side, best, seconds=left)
    tell(progress, best.cost, best.bound)
    return best


def _start(total: Sum, sites: Ints) -> Floats:
    """Return multipliers between the first and the second cost of each demand."""
    own = np.partition(total.costs[sites], min(1, len(sites) - 1), axis=0)
    between: Floats = 1.2 * own[0] if len(sites) == 1 else own[:2].mean(axis=0)
    return between


def _worth(total: Sum, multipliers: Floats) -> Floats:
    made: Floats = np.minimum(total.costs - multipliers, 0.0).sum(axis=1) + total.charge
    return made


def _raise(
    total: Sum, side: Side, best: Best, multipliers: Floats, *, gap: float, deadline: float, progress: Progress
) -> Floats:
    """Raise the bound by subgradients, improve the choices the relaxation takes; return the best multipliers."""
    at_best, highest, pace, tries = multipliers, -np.inf, 1.0, 0
    tried: set[bytes] = set()
    progress.step("Bounding what is possible", ROUNDS)
    for number in range(ROUNDS):
        left = deadline - effort_s()
        tell(progress, best.cost, best.bound)
        late = left <= 0 and number >= (ROUNDS_ANYWAY if side.quick else 1)
        if best.is_within(gap) or pace < 1e-3 or late or enough(progress):
            break
        worth = _worth(total, multipliers)
        sites, value = side.choose(worth, seconds=max(left / 4, CHOOSE_S))
        progress.advance()
        reached = float(multipliers.sum()) + value
        if sites is None or not np.isfinite(reached):
            break
        best.learn_bound(reached)
        if left > 0 and sites.tobytes() not in tried and len(tried) < 60:
            tried.add(sites.tobytes())
            best.learn_choice(*improved(total, sites, side))
        if reached > highest + 1e-9 * abs(highest):
            highest, at_best, tries = reached, multipliers, 0
        else:
            tries += 1
        if tries >= PATIENCE:
            pace, tries, multipliers = pace / 2, 0, at_best
            continue
        slack = 1.0 - (total.costs[sites] < multipliers).sum(axis=0)
        length = float(slack @ slack)
        if length == 0.0:
            break
        multipliers = np.maximum(multipliers + pace * (1.002 * best.cost - reached) / length * slack, 0.0)
    return at_best


def improved(total: Sum, sites: Ints, side: Side) -> tuple[float, Ints]:
    """Return cost and sites after the best exchange, addition or removal at a time, all of them allowed."""
    chosen, cost = np.unique(sites), total.of(np.unique(sites))
    while True:
        found = _step(total, chosen, cost, side)
        if found is None:
            return cost, chosen
        cost, chosen = found


def _step(total: Sum, chosen: Ints, cost: float, side: Side) -> tuple[float, Ints] | None:
    inside = np.zeros(len(total.costs), dtype=bool)
    inside[chosen] = True
    rest, free = np.flatnonzero(~inside), np.setdiff1d(chosen, side.fixed)
    moves: list[tuple[float, int, int]] = []  # what it changes, who comes, who goes; -1 nobody
    own = total.costs[chosen]
    if len(chosen) < side.most:
        gains = np.minimum(total.costs[rest], own.min(axis=0)).sum(axis=1) + total.charge[rest]
        gains += total.charge[chosen].sum() - cost
        moves += [(float(gain), int(come), -1) for gain, come in zip(gains, rest, strict=True)]
    for go in free:
        heard()
        kept = chosen[chosen != go]
        if not len(kept) and not len(rest):
            continue
        others = total.costs[kept].min(axis=0) if len(kept) else np.full(total.costs.shape[1], np.inf)
        charge = float(total.charge[kept].sum())
        if len(kept) >= max(side.least, 1):
            moves.append((float(others.sum()) + charge - cost, -1, int(go)))
        swaps = np.minimum(total.costs[rest], others).sum(axis=1) + total.charge[rest] + charge - cost
        moves += [(float(change), int(come), int(go)) for change, come in zip(swaps, rest, strict=True)]
    least = -LEAST_GAIN * max(abs(cost), 1e-12)
    gaining = sorted(move for move in moves if move[0] < least)
    for change, come, go in gaining[:TRIED] if not side.quick else gaining[:1]:
        fresh = np.sort(np.r_[chosen[chosen != go], [come] if come >= 0 else []].astype(np.int64))
        if side.allows(fresh):
            return cost + change, fresh
    return None


def _exact(total: Sum, side: Side, best: Best, *, seconds: float) -> None:
    """Learn what HiGHS finds and proves on the whole question."""
    candidates, demand = total.costs.shape
    pairs = candidates * demand
    one, other = np.divmod(np.arange(pairs), demand)
    once = sp.csr_array((np.ones(pairs), (other, candidates + np.arange(pairs))), shape=(demand, candidates + pairs))
    opened = sp.csr_array(
        (
            np.r_[np.ones(pairs), -np.ones(pairs)],
            (np.r_[np.arange(pairs), np.arange(pairs)], np.r_[candidates + np.arange(pairs), one]),
        ),
        shape=(pairs, candidates + pairs),
    )
    found = side.solve(
        np.r_[total.charge, total.costs.ravel()],
        more=[LinearConstraint(once, 1, 1), LinearConstraint(opened, -np.inf, 0)],
        others=Others(pairs),
        seconds=seconds,
        standing=lambda found, bound: (min(best.cost, found), max(best.bound, bound)),
    )
    if found.x is not None:
        sites = np.flatnonzero(found.x[:candidates] > 0.5)
        if side.allows(sites):
            best.learn_choice(total.of(sites), sites)
    if found.status == 0:
        best.learn_bound(best.cost)
    elif found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
        best.learn_bound(float(found.mip_dual_bound) * (1 - 1e-9))

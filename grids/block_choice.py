"""Choosing which cuts stay: as much town as possible in cells of lawful size, for little border on no line.

Every cut of a large block buys town in cells of lawful size and costs border that lies on no line. Inside a block
the cuts are given up one by one, the least useful for its length first; each number of cuts given up is a state
of the block. One price per metre, the same for all blocks, then says which state each block takes, and the price
is the lowest that keeps the share of border on no line.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from grids.block_merge import Joining, Rules
from grids.lattice import Floats, Ints

_ROUNDS = 60
_LEAST_PRICE, _DEAREST = 1e-3, 1e7


@dataclass
class _Trail:
    """Joins in the order in which their cuts are given up: the pieces, the town lost, the costs saved."""

    joins: list[tuple[int, int]] = field(default_factory=list)
    lost: list[float] = field(default_factory=list)
    saved: list[float] = field(default_factory=list)


def choose(joining: Joining, block: Ints, base_m: float, rules: Rules) -> None:
    """Join pieces of the same block until the border on no line is within ``rules.off_line_share``.

    Parameters
    ----------
    joining
        Pieces with their borders inside blocks alone; joined in place.
    block
        The block of each piece.
    base_m
        Length of the inner border between blocks, all of it on lines.
    """
    needed = _cost(joining, rules) - rules.off_line_share * base_m
    if needed <= 0:
        return
    trail = _given_up(joining.copy(), rules)
    if not trail.joins:
        return
    pieces = np.array(trail.joins, dtype=np.int64)
    chosen = _states(block[pieces[:, 0]], np.array(trail.lost), np.array(trail.saved), needed)
    for one, other in pieces[chosen].tolist():
        left, right = joining.root(one), joining.root(other)
        if left != right:
            joining.join(left, right)


def _cost(joining: Joining, rules: Rules) -> float:
    """Return how many metres of border on no line are too many, the border between blocks left out."""
    sides = [side for borders in joining.borders for side in borders.values()]
    return sum(off - rules.off_line_share * length for length, off in sides) / 2


def _given_up(joining: Joining, rules: Rules) -> _Trail:
    """Join until no cut is left that costs anything, and return the joins."""
    trail = _Trail()
    queue: list[tuple[float, int, int]] = []

    def saved(one: int, other: int) -> float:
        length, off = joining.borders[one][other]
        return off - rules.off_line_share * length

    def push(one: int, others: Iterable[int]) -> None:
        for other in others:
            metres = saved(one, other)
            if metres > 0:
                heapq.heappush(queue, (joining.lost(one, other, rules) / metres, min(one, other), max(one, other)))

    for one, borders in enumerate(joining.borders):
        push(one, [other for other in borders if one < other])
    while queue:
        worth, one, other = heapq.heappop(queue)
        if other not in joining.borders[one]:
            continue
        metres, lost = saved(one, other), joining.lost(one, other, rules)
        if metres <= 0 or worth != lost / metres:
            continue
        trail.joins.append((one, other))
        trail.lost.append(lost)
        trail.saved.append(metres)
        was = {each: joining.lawful(each, rules) for each in (one, other)}
        beside = {each: set(joining.borders[each]) for each in (one, other)}
        keeper = joining.join(one, other)
        joiner = other if keeper == one else one
        same = not was[keeper] and not joining.lawful(keeper, rules)
        push(keeper, (beside[joiner] if same else beside[one] | beside[other]) - {one, other})
    return trail


def _states(block: Ints, lost: Floats, saved: Floats, needed: float) -> npt.NDArray[np.bool_]:
    """Return which joins are done so that the costs saved reach what is needed, for the least town lost."""
    order = np.argsort(block, kind="stable")
    first = np.flatnonzero(np.r_[True, block[order][1:] != block[order][:-1]])
    group = np.repeat(np.arange(len(first)), np.diff(np.r_[first, len(order)]))

    def inside(values: Floats) -> Floats:
        total = np.cumsum(values[order])
        return total - (total[first] - values[order][first])[group]

    lost_so_far, saved_so_far = inside(lost), inside(saved)
    row = np.arange(len(order))

    def at_price(price: float) -> npt.NDArray[np.int64]:
        """Return how many joins each block does when a metre saved is worth ``price``."""
        profit = price * saved_so_far - lost_so_far
        best = np.maximum.reduceat(profit, first)
        where = np.minimum.reduceat(np.where(profit >= best[group], row, len(order)), first)
        return np.where(best > 0, where - first + 1, 0)

    def saving(count: npt.NDArray[np.int64]) -> Floats:
        return np.where(count > 0, saved_so_far[first + np.maximum(count, 1) - 1], 0.0)

    low, high = _LEAST_PRICE, _DEAREST
    for _ in range(_ROUNDS):
        middle = float(np.sqrt(low * high))
        low, high = (low, middle) if saving(at_price(middle)).sum() >= needed else (middle, high)
    count, fewer = at_price(high), at_price(low)
    slack = float(saving(count).sum()) - needed
    spare = saving(count) - saving(fewer)
    for at in np.argsort(-spare, kind="stable"):
        if 0 < spare[at] <= slack:
            slack -= float(spare[at])
            count[at] = fewer[at]
    done = np.zeros(len(order), dtype=bool)
    done[order] = row - first[group] < count[group]
    return done

"""The nearest of many places for every node of a prepared graph, in one climb and one sweep."""

from __future__ import annotations

import numpy as np

from core.kernels import kernel
from geodata.travel_hierarchy import Arcs, Costs, Floats32, Ints, Ints32
from geodata.travel_sweep import Ends


def nearest_of(costs: Costs, places: Ends) -> tuple[Floats32, Ints]:
    """Return for each node the seconds from the nearest place and its index; infinite and -1 where none leads.

    All places start together with their own number; what climbs and what is carried down is the fastest alone.
    """
    hierarchy = costs.hierarchy
    seconds = np.full(hierarchy.nodes, np.inf, dtype=np.float32)
    which = np.full(hierarchy.nodes, -1, dtype=np.int64)
    ranks = hierarchy.rank[places.nodes]
    _start(ranks, places.legs_s, seconds, which)
    _spread(costs.up, costs.down, seconds, which)
    return seconds[hierarchy.rank], which[hierarchy.rank]


@kernel
def _start(ranks: Ints32, legs_s: Floats32, seconds: Floats32, which: Ints) -> None:
    for place in range(len(ranks)):
        for end in range(ranks.shape[1]):
            at = ranks[place, end]
            if legs_s[place, end] < seconds[at]:
                seconds[at] = legs_s[place, end]
                which[at] = place


@kernel
def _spread(up: Arcs, down: Arcs, seconds: Floats32, which: Ints) -> None:
    for at in range(len(seconds)):
        if which[at] >= 0:
            for arc in range(up.offsets[at], up.offsets[at + 1]):
                _offer(seconds, which, at, up.above[arc], up.seconds[arc])
    for at in range(len(seconds) - 1, -1, -1):
        for arc in range(down.offsets[at], down.offsets[at + 1]):
            _offer(seconds, which, down.above[arc], at, down.seconds[arc])


@kernel
def _offer(seconds: Floats32, which: Ints, at: int, to: int, arc_s: float) -> None:
    there = seconds[at] + arc_s
    if which[at] >= 0 and (there < seconds[to] or (there == seconds[to] and which[at] < which[to])):
        seconds[to] = there
        which[to] = which[at]

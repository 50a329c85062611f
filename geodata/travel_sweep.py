"""Times from many places to many on a prepared graph, 32 places at a time.

After PHAST (Delling, Goldberg, Nowatzyk and Werneck 2011): the search from a place climbs the elimination tree,
then one sweep over the ranks from the highest carries the times of 32 places down together. Towards few
places only the ranks above them are swept (RPHAST, Delling, Goldberg and Werneck 2011).
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.kernels import kernel
from geodata.travel_hierarchy import Arcs, Costs, Floats32, Ints, Ints32

LANES = 32
_TILE = 16


@dataclass(frozen=True, eq=False)
class Ends:
    """Places on a graph, each met over one or two nodes.

    Attributes
    ----------
    nodes
        Shape (places, 2); a place that is a node has it twice.
    legs_s
        Seconds between the place and each node, shape (places, 2); infinite where there is no way.
    """

    nodes: Ints
    legs_s: Floats32

    def __len__(self) -> int:
        return len(self.nodes)


class Starts(NamedTuple):
    """Which rows of the times are wanted, and the ranks and legs of all starts."""

    rows: Ints
    ranks: Ints32
    legs_s: Floats32


class Goals(NamedTuple):
    """The ranks to sweep, from the highest, and the ranks and legs of the goals."""

    order: Ints
    ranks: Ints32
    legs_s: Floats32


def at_nodes(nodes: NDArray[np.integer]) -> Ends:
    """Return nodes as places."""
    twice = np.repeat(np.asarray(nodes, dtype=np.int64)[:, None], 2, axis=1)
    legs = np.tile(np.array([0, np.inf], dtype=np.float32), (len(twice), 1))
    return Ends(twice, legs)


def many_to_many(
    costs: Costs, origins: Ends, destinations: Ends | None = None, *, out: Floats32 | None = None, threads: int = 1
) -> Floats32:
    """Return seconds from each origin to each destination, shape (origins, destinations); infinite without a way.

    Parameters
    ----------
    destinations
        None for every node of the graph, in their order.
    out
        Where to write, of that shape and C order; None makes it.
    threads
        How many work at once; 0 for as many as there are processors.
    """
    hierarchy = costs.hierarchy
    shape = (len(origins), hierarchy.nodes if destinations is None else len(destinations))
    if out is None:
        out = np.empty(shape, dtype=np.float32)
    elif out.shape != shape or out.dtype != np.float32 or not out.flags.c_contiguous:
        raise InvalidInput(f"The times need a C-ordered float32 array of shape {shape}.")
    if not out.size:
        return out
    if not hierarchy.nodes:
        out[:] = np.inf
        return out
    starts = hierarchy.rank[origins.nodes]
    if destinations is None:
        order = np.arange(hierarchy.nodes - 1, -1, -1)
        goals, goal_legs = hierarchy.rank[:, None], np.empty((0, 1), dtype=np.float32)
    else:
        goals, goal_legs = hierarchy.rank[destinations.nodes], destinations.legs_s
        marked = np.zeros(hierarchy.nodes, dtype=np.bool_)
        _mark(hierarchy.parent, goals, marked)
        order = np.flatnonzero(marked)[::-1].copy()
    batches = np.argsort(starts[:, 0], kind="stable")  # near ones climb the same ranks
    workers = max(1, min(threads or os.cpu_count() or 1, -(-len(batches) // LANES)))
    shares = np.array_split(batches, workers) if workers > 1 else [batches]

    def sweep(rows: Ints) -> None:
        goes = Goals(order, goals, goal_legs)
        _sweep(hierarchy.parent, costs.up, costs.down, Starts(rows, starts, origins.legs_s), goes, out)

    if workers == 1:
        sweep(shares[0])
    else:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(sweep, shares))
    return out


@kernel
def _mark(parent: Ints32, goals: Ints32, marked: NDArray[np.bool_]) -> None:
    """Mark the ranks of the goals and all above them."""
    for goal in range(goals.shape[0]):
        for end in range(goals.shape[1]):
            at = goals[goal, end]
            while at >= 0 and not marked[at]:
                marked[at] = True
                at = parent[at]


@kernel
def _sweep(  # noqa: C901, PLR0912, PLR0917  (numba takes arguments by place)
    parent: Ints32, up: Arcs, down: Arcs, starts: Starts, goals: Goals, times: Floats32
) -> None:
    """Write the times of some rows, 32 at a time; a row of ``reached`` means something once it was opened."""
    reached = np.empty((len(parent), LANES), dtype=np.float32)
    opened = np.zeros(len(parent), dtype=np.bool_)
    row = np.empty(LANES, dtype=np.float32)
    everywhere = goals.ranks.shape[1] == 1
    turned = np.empty((LANES, len(parent) if everywhere else 1), dtype=np.float32)
    for first in range(0, len(starts.rows), LANES):
        rows = starts.rows[first : first + LANES]
        for lane in range(len(rows)):
            for end in range(starts.ranks.shape[1]):
                leg_s = starts.legs_s[rows[lane], end]
                _climb(parent, up, reached, opened, lane, starts.ranks[rows[lane], end], leg_s)
        for at in goals.order:
            mine = reached[at]
            if opened[at]:
                for lane in range(LANES):
                    row[lane] = mine[lane]
            else:
                for lane in range(LANES):
                    row[lane] = np.inf
            for arc in range(down.offsets[at], down.offsets[at + 1]):
                higher = reached[down.above[arc]]
                seconds = down.seconds[arc]
                for lane in range(LANES):
                    there = higher[lane] + seconds
                    row[lane] = there if there < row[lane] else row[lane]  # noqa: FURB136  (this form is vectorised)
            for lane in range(LANES):
                mine[lane] = row[lane]
        if everywhere:
            _write_all(reached, rows, goals.ranks, turned, times)
        else:
            _write(reached, rows, goals.ranks, goals.legs_s, times)
        for lane in range(len(rows)):
            for end in range(starts.ranks.shape[1]):
                at = starts.ranks[rows[lane], end]
                while at >= 0 and opened[at]:
                    opened[at] = False
                    at = parent[at]


@kernel
def _climb(  # noqa: PLR0917  (numba takes arguments by place)
    parent: Ints32, up: Arcs, reached: Floats32, opened: NDArray[np.bool_], lane: int, start: int, leg_s: float
) -> None:
    """Carry the time at a start to all ranks above it, and open these."""
    at = start
    while at >= 0 and not opened[at]:
        opened[at] = True
        for other in range(LANES):
            reached[at, other] = np.inf
        at = parent[at]
    if leg_s >= reached[start, lane]:
        return
    reached[start, lane] = leg_s
    at = start
    while at >= 0:
        here = reached[at, lane]
        if here < np.inf:
            for arc in range(up.offsets[at], up.offsets[at + 1]):
                there = here + up.seconds[arc]
                reached[up.above[arc], lane] = min(reached[up.above[arc], lane], there)
        at = parent[at]


@kernel
def _write_all(reached: Floats32, rows: Ints, ranks: Ints32, turned: Floats32, times: Floats32) -> None:
    """Turn what was reached into rows of times of every node: first by rank, then each row, which fits the cache."""
    for low in range(0, len(reached), _TILE):
        high = min(low + _TILE, len(reached))
        for lane in range(len(rows)):
            part = turned[lane]
            for at in range(low, high):
                part[at] = reached[at, lane]
    for lane in range(len(rows)):
        row, part = times[rows[lane]], turned[lane]
        for node in range(len(ranks)):
            row[node] = part[ranks[node, 0]]


@kernel
def _write(reached: Floats32, rows: Ints, goals: Ints32, legs: Floats32, times: Floats32) -> None:
    """Turn what was reached into rows of times, a few goals at a time so that both sides stay in cache."""
    for low in range(0, len(goals), _TILE):
        high = min(low + _TILE, len(goals))
        for lane in range(len(rows)):
            row = times[rows[lane]]
            for goal in range(low, high):
                one = reached[goals[goal, 0], lane] + legs[goal, 0]
                other = reached[goals[goal, 1], lane] + legs[goal, 1]
                row[goal] = one if one < other else other  # noqa: FURB136

"""The order in which a graph is taken apart: what separates it stands last (nested dissection).

By METIS where its wheel is installed (Karypis and Kumar 1998), else by our own, which cuts at a level of a
breadth-first search from a far end (George and Liu 1978, "automatic nested dissection"): slower to sweep by a
half or so, never wrong, since any order gives the same travel times.
"""

from __future__ import annotations

import importlib.util

import numpy as np
from numpy.typing import NDArray

from core.kernels import kernel

Ints = NDArray[np.int32]
_LEAF = 8


def neighbours(nodes: int, tails: NDArray[np.integer], heads: NDArray[np.integer]) -> tuple[Ints, Ints]:
    """Return the undirected graph of some arcs as offsets and neighbours, each pair once each way, no loops."""
    real = tails != heads
    one, other = tails[real].astype(np.int64), heads[real].astype(np.int64)
    pairs = np.unique(np.r_[one * nodes + other, other * nodes + one])
    offsets = np.searchsorted(pairs // max(nodes, 1), np.arange(nodes + 1))
    return offsets.astype(np.int32), (pairs % max(nodes, 1)).astype(np.int32)


def dissection_rank(offsets: Ints, adjacent: Ints, *, metis: bool | None = None) -> Ints:
    """Return the rank of each node, shape (nodes,): separators above what they separate.

    Parameters
    ----------
    offsets, adjacent
        An undirected graph as `neighbours` gives it.
    metis
        Whether METIS orders; None when it is installed.
    """
    if metis is None:
        metis = has_metis()
    if metis and len(adjacent):
        import pymetis

        # METIS gives the permutation and its inverse; the second one is the place of each node in the order.
        _, rank = pymetis.nested_dissection(pymetis.CSRAdjacency(offsets, adjacent))
        return np.asarray(rank, dtype=np.int32)
    order = _dissect(len(offsets) - 1, offsets, adjacent)
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return place


def has_metis() -> bool:
    """Return whether METIS is installed."""
    return importlib.util.find_spec("pymetis") is not None


@kernel
def _dissect(nodes: int, offsets: Ints, adjacent: Ints) -> Ints:
    """Return the nodes in order, lowest first.

    ``order[low:high]`` is a part still to be cut; a cut writes its two sides and then the separator in place.
    """
    order = np.arange(nodes).astype(np.int32)
    part = np.zeros(nodes, dtype=np.int32)
    level = np.full(nodes, -1, dtype=np.int32)
    queue = np.empty(nodes, dtype=np.int32)
    lows, highs = [0], [nodes]
    parts = 0
    while lows:
        low, high = lows.pop(), highs.pop()
        if high - low <= _LEAF:
            continue
        parts += 1
        for at in range(low, high):
            part[order[at]] = parts
        start, reached = order[low], 0
        for _ in range(3):  # the last node of a search lies at a far end: search again from there
            for at in range(low, high):
                level[order[at]] = -1
            reached = _search(start, parts, part, level, queue, offsets, adjacent)
            start = queue[reached - 1]
        depth = level[start]
        members = order[low:high].copy()
        if reached < high - low:  # a piece of its own: first it, then the rest, nothing between
            for at in range(len(members)):
                level[members[at]] = 0 if level[members[at]] >= 0 else 2
            cut = 1
        elif depth >= 2:
            cut = _thinnest(level, queue[:reached], depth)
        else:  # every node is next to the start: nothing to separate
            continue
        left, right = _divide(members, level, cut, order[low:high])
        lows.append(low)
        highs.append(low + left)
        lows.append(low + left)
        highs.append(low + left + right)
    return order


@kernel
def _search(  # noqa: PLR0917  (numba takes arguments by place)
    start: int, mark: int, part: Ints, level: Ints, queue: Ints, offsets: Ints, adjacent: Ints
) -> int:
    """Write the steps from a node to the others of its part, and these in order of steps; return their number."""
    queue[0], level[start] = start, 0
    reached, taken = 1, 0
    while taken < reached:
        here = queue[taken]
        taken += 1
        for at in range(offsets[here], offsets[here + 1]):
            there = adjacent[at]
            if part[there] == mark and level[there] < 0:
                level[there] = level[here] + 1
                queue[reached] = there
                reached += 1
    return reached


@kernel
def _divide(members: Ints, level: Ints, cut: int, order: Ints) -> tuple[int, int]:
    """Write what lies below the cut, above it and on it, one after the other; return the sizes of the first two."""
    written = 0
    sizes = [0, 0]
    for side in range(3):
        for node in members:
            where = 0 if level[node] < cut else 1 if level[node] > cut else 2
            if where == side:
                order[written] = node
                written += 1
                if side < 2:
                    sizes[side] += 1
    return sizes[0], sizes[1]


@kernel
def _thinnest(level: Ints, members: Ints, depth: int) -> int:
    """Return the level with fewest nodes among those that leave a quarter on either side, else the middle one."""
    sizes = np.zeros(depth + 1, dtype=np.int64)
    for node in members:
        sizes[level[node]] += 1
    below, best, middle = 0, -1, 1
    for at in range(1, depth):
        below += sizes[at - 1]
        above = len(members) - below - sizes[at]
        if below <= above:
            middle = at
        if 4 * below >= len(members) and 4 * above >= len(members) and (best < 0 or sizes[at] < sizes[best]):
            best = at
    return best if best >= 0 else middle

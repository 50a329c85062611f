"""A customisable contraction hierarchy: a graph prepared once for whatever its arcs cost.

Dibbelt, Strasser and Wagner, "Customizable Contraction Hierarchies" (ACM JEA 2016). The nodes are ranked by
nested dissection and taken away from the lowest; what a node was joined to above it is joined to each other.
That depends on which arcs there are alone. Costs come after (`Hierarchy.customise`), in a pass over the
triangles that took one node away each; a second pass ("perfect") finds the arcs that no fastest way needs.
New speeds or a closed street need those passes only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.kernels import kernel
from geodata.travel_order import dissection_rank, neighbours

Floats32 = NDArray[np.float32]
Ints32 = NDArray[np.int32]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Hierarchy:
    """A graph's nodes by rank, and for each the higher ones it is joined to; built by `build_hierarchy`.

    Attributes
    ----------
    rank
        Of each node, shape (nodes,); all else speaks of ranks.
    offsets, above
        ``above[offsets[r]:offsets[r + 1]]`` are the ranks above ``r`` that it is joined to, ascending.
    parent
        The lowest of them: the way up the elimination tree; -1 at a top.
    slot, upward
        For each arc given, its place in ``above`` (-1 for a loop) and whether it leads upwards in rank.
    """

    rank: Ints32
    offsets: Ints
    above: Ints32
    parent: Ints32
    slot: Ints
    upward: NDArray[np.bool_]

    @property
    def nodes(self) -> int:
        """Return the number of nodes."""
        return len(self.rank)

    def customise(self, seconds: NDArray[np.floating]) -> Costs:
        """Return the hierarchy with costs.

        Parameters
        ----------
        seconds
            Of each arc given to `build_hierarchy`, not negative; infinite closes it. Of several arcs between
            the same nodes the fastest counts.

        Raises
        ------
        InvalidInput
            When there is not one for each arc, or one is negative or no number.
        """
        seconds = np.asarray(seconds, dtype=np.float32)
        if seconds.shape != self.slot.shape:
            raise InvalidInput(f"There are {len(self.slot):,} arcs and {seconds.size:,} times.")
        bad = int((~(seconds >= 0)).sum())
        if bad:
            raise InvalidInput(
                f"{bad:,} of {len(seconds):,} arcs have a negative time or none.", hint="Infinite closes a street."
            )
        up = np.full(len(self.above), np.inf, dtype=np.float32)
        down = up.copy()
        _place(self.slot, self.upward, seconds, up, down)
        _triangles(self.offsets, self.above, up, down)
        keep_up, keep_down = _perfect(self.offsets, self.above, up, down)
        return Costs(self, _kept(self, up, keep_up), _kept(self, down, keep_down))


class Arcs(NamedTuple):
    """Arcs to higher ranks with their seconds; those of rank r are ``[offsets[r], offsets[r + 1])``."""

    offsets: Ints
    above: Ints32
    seconds: Floats32


@dataclass(frozen=True, eq=False)
class Costs:
    """A hierarchy with costs.

    Attributes
    ----------
    up
        Seconds from a rank to the higher ones.
    down
        Seconds from the higher ones to a rank.
    """

    hierarchy: Hierarchy
    up: Arcs
    down: Arcs

    def reversed(self) -> Costs:
        """Return the same with every arc turned round: times *to* a place become times *from* it."""
        return Costs(self.hierarchy, self.down, self.up)


def build_hierarchy(
    nodes: int, tails: NDArray[np.integer], heads: NDArray[np.integer], *, metis: bool | None = None
) -> Hierarchy:
    """Return the hierarchy of a directed graph; arcs may be parallel, loops, in one direction, or none.

    Parameters
    ----------
    nodes
        Their number; arcs name them from 0.
    metis
        Whether METIS finds the order; None when it is installed.

    Raises
    ------
    InvalidInput
        When an arc names a node that is not there.
    """
    tails, heads = np.asarray(tails, dtype=np.int64), np.asarray(heads, dtype=np.int64)
    if len(tails) and (min(tails.min(), heads.min()) < 0 or max(tails.max(), heads.max()) >= nodes):
        raise InvalidInput(f"An arc leads to a node outside 0…{nodes - 1}.")
    offsets, adjacent = neighbours(nodes, tails, heads)
    rank = dissection_rank(offsets, adjacent, metis=metis)
    node_of = np.empty(nodes, dtype=np.int32)
    node_of[rank] = np.arange(nodes, dtype=np.int32)
    parent, child, sibling, seen = (np.full(nodes, -1, dtype=np.int32) for _ in range(4))
    up_offsets = np.zeros(nodes + 1, dtype=np.int64)
    found = _eliminate(rank, node_of, offsets, adjacent, up_offsets, parent, child, sibling, seen)
    above = found[: up_offsets[-1]].copy()
    one, other = rank[tails].astype(np.int64), rank[heads].astype(np.int64)
    slot = _slots(up_offsets, above, np.minimum(one, other), np.maximum(one, other))
    return Hierarchy(rank, up_offsets, above, parent, slot, one < other)


@kernel
def _eliminate(  # noqa: PLR0917  (numba takes arguments by place)
    rank: Ints32,
    node_of: Ints32,
    offsets: Ints32,
    adjacent: Ints32,
    starts: Ints,
    parent: Ints32,
    child: Ints32,
    sibling: Ints32,
    seen: Ints32,
) -> Ints32:
    """Return the higher neighbours of each rank once all lower ones are taken away: symbolic elimination.

    Higher neighbours of a rank are its own and those of its children in the tree, but for itself. ``starts`` and
    ``parent`` are written; ``child`` holds the newest child of a rank, ``sibling`` of each child the one before.
    """
    nodes = len(rank)
    found = np.empty(4 * len(adjacent) + nodes, dtype=np.int32)
    for at in range(nodes):
        end = starts[at]
        if end + nodes - at > len(found):
            found = _longer(found, end, 2 * len(found) + nodes)
        node = node_of[at]
        for place in range(offsets[node], offsets[node + 1]):
            other = rank[adjacent[place]]
            if other > at and seen[other] != at:
                seen[other] = at
                found[end] = other
                end += 1
        lower = child[at]
        while lower >= 0:
            for place in range(starts[lower], starts[lower + 1]):
                other = found[place]
                if other > at and seen[other] != at:
                    seen[other] = at
                    found[end] = other
                    end += 1
            lower = sibling[lower]
        begin = starts[at]
        starts[at + 1] = end
        if end > begin:
            _ascend(found, begin, end)
            parent[at] = found[begin]
            sibling[at] = child[found[begin]]
            child[found[begin]] = at
    return found


@kernel
def _longer(numbers: Ints32, used: int, size: int) -> Ints32:
    made = np.empty(size, dtype=np.int32)
    for at in range(used):
        made[at] = numbers[at]
    return made


@kernel
def _ascend(numbers: Ints32, begin: int, end: int) -> None:
    """Sort a short part of an array in place; numba compiles this in a moment, its own sort in seconds."""
    for at in range(begin + 1, end):
        one, place = numbers[at], at
        while place > begin and numbers[place - 1] > one:
            numbers[place] = numbers[place - 1]
            place -= 1
        numbers[place] = one


@kernel
def _slots(offsets: Ints, above: Ints32, low: Ints, high: Ints) -> Ints:
    slots = np.full(len(low), -1, dtype=np.int64)
    for arc in range(len(low)):
        if low[arc] != high[arc]:
            place = offsets[low[arc]]
            while above[place] != high[arc]:
                place += 1
            slots[arc] = place
    return slots


@kernel
def _place(slot: Ints, upward: NDArray[np.bool_], seconds: Floats32, up: Floats32, down: Floats32) -> None:
    for arc in range(len(slot)):
        place = slot[arc]
        if place >= 0:
            if upward[arc]:
                up[place] = min(up[place], seconds[arc])
            else:
                down[place] = min(down[place], seconds[arc])


@kernel
def _triangles(offsets: Ints, above: Ints32, up: Floats32, down: Floats32) -> None:
    """Let each pair of higher neighbours be as near as the way over the node below them."""
    for low in range(len(offsets) - 1):
        begin, end = offsets[low], offsets[low + 1]
        for one in range(begin, end - 1):
            place = offsets[above[one]]
            to_low, from_low = down[one], up[one]
            for other in range(one + 1, end):
                while above[place] != above[other]:  # all of them are among the neighbours of ``above[one]``
                    place += 1
                up[place] = min(up[place], to_low + up[other])
                down[place] = min(down[place], from_low + down[other])


@kernel
def _perfect(offsets: Ints, above: Ints32, up: Floats32, down: Floats32) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Let each arc be as fast as any way between its ends, and return which arcs, up and down, are still needed.

    From the highest: arcs between higher ranks are right already. An arc that is slower than the way over a third
    rank is not needed, nor one as slow, where its first part alone is faster (else two could excuse each other).
    """
    needs_up = np.empty(len(above), dtype=np.bool_)
    needs_down = np.empty(len(above), dtype=np.bool_)
    best_up, best_down = up.copy(), down.copy()
    for low in range(len(offsets) - 2, -1, -1):
        begin, end = offsets[low], offsets[low + 1]
        for one in range(begin, end):
            needs_up[one], needs_down[one] = np.isfinite(up[one]), np.isfinite(down[one])
        for one in range(begin, end - 1):
            place = offsets[above[one]]
            for other in range(one + 1, end):
                while above[place] != above[other]:
                    place += 1
                ahead, back = best_up[place], best_down[place]  # from one to other, and from other to one
                for first, second, leg_up, leg_down in ((one, other, ahead, back), (other, one, back, ahead)):
                    by_up = up[first] + leg_up
                    if by_up < best_up[second] or (by_up == up[second] and up[first] < up[second]):
                        needs_up[second] = False
                    best_up[second] = min(best_up[second], by_up)
                    by_down = down[first] + leg_down
                    if by_down < best_down[second] or (by_down == down[second] and down[first] < down[second]):
                        needs_down[second] = False
                    best_down[second] = min(best_down[second], by_down)
    up[:] = best_up
    down[:] = best_down
    return needs_up, needs_down


def _kept(hierarchy: Hierarchy, seconds: Floats32, keep: NDArray[np.bool_]) -> Arcs:
    """Return the arcs that are needed."""
    before = np.r_[0, np.cumsum(keep)]
    return Arcs(before[hierarchy.offsets], hierarchy.above[keep], seconds[keep])

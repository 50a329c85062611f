"""Contiguous sets of unit grids, each for one grid worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from grids.lattice import Floats, Ints


def contiguous_groups(
    community: Ints,
    place: Floats,
    weight: Floats,
    pairs: npt.NDArray[np.int64],
    targets: Mapping[int, float],
) -> Ints:
    """Return the group of each cell, from 0; every group is contiguous and inside one community.

    A community is halved along its longer side, again and again, until a part weighs about the
    target. What a cut leaves behind as an island goes to the other side, so both stay contiguous.
    A part of a community that no side joins to the rest is a group of its own at least.

    Parameters
    ----------
    community
        Community of each cell.
    place
        A point of each cell, shape (n, 2), in metres.
    weight
        What is to be shared out evenly, e.g. 1 a cell, or its people; not negative.
    pairs
        Cells that share a side, shape (m, 2), as `grids.seams.neighbours` returns them.
    targets
        Weight that a group should have, by community.
    """
    adjacent: list[list[int]] = [[] for _ in range(len(community))]
    for one, other in pairs[community[pairs[:, 0]] == community[pairs[:, 1]]].tolist():
        adjacent[one].append(other)
        adjacent[other].append(one)
    group = np.full(len(community), -1, dtype=np.int64)
    made = 0
    for identity in np.unique(community):
        for part in _components(np.flatnonzero(community == identity).tolist(), adjacent):
            wanted = round(float(weight[part].sum()) / targets[int(identity)])
            for members in _split(part, min(max(wanted, 1), len(part)), place, weight, adjacent):
                group[members] = made
                made += 1
    return group


def _split(
    part: list[int],
    wanted: int,
    place: Floats,
    weight: Floats,
    adjacent: Sequence[Sequence[int]],
) -> list[list[int]]:
    """Return the contiguous part as up to ``wanted`` contiguous groups of about equal weight."""
    if wanted <= 1 or len(part) == 1:
        return [sorted(part)]
    nodes = np.array(sorted(part))
    spread = np.ptp(place[nodes], axis=0)
    axis = int(spread[1] > spread[0])
    ordered = nodes[np.lexsort((nodes, place[nodes, 1 - axis], place[nodes, axis]))]
    running = np.cumsum(weight[ordered])
    total = float(running[-1])
    share = (wanted // 2) / wanted
    at = int(np.searchsorted(running, share * total)) + 1 if total > 0 else round(share * len(ordered))
    at = min(max(at, 1), len(ordered) - 1)
    first, *islands = _components(ordered[:at].tolist(), adjacent)
    second, *left_over = _components(ordered[at:].tolist() + [node for island in islands for node in island], adjacent)
    first += [node for island in left_over for node in island]
    heavy = float(weight[first].sum()) / total if total > 0 else len(first) / len(nodes)
    of_first = min(max(round(wanted * heavy), 1), wanted - 1)
    return [
        *_split(first, of_first, place, weight, adjacent),
        *_split(second, wanted - of_first, place, weight, adjacent),
    ]


def _components(nodes: list[int], adjacent: Sequence[Sequence[int]]) -> list[list[int]]:
    """Return the connected parts of ``nodes``, the largest first."""
    left = set(nodes)
    parts = []
    for start in nodes:
        if start not in left:
            continue
        left.remove(start)
        part, reached = [], [start]
        while reached:
            node = reached.pop()
            part.append(node)
            for other in adjacent[node]:
                if other in left:
                    left.remove(other)
                    reached.append(other)
        parts.append(part)
    return sorted(parts, key=len, reverse=True)

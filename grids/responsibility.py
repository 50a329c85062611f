"""Contiguous sets of unit grids, each for one grid worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

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


def components(count: int, pairs: npt.NDArray[np.int64]) -> Ints:
    """Return the number of the connected part of each of ``count`` cells, from 0 in the order of their first cells."""
    if count == 0:
        return np.empty(0, dtype=np.int64)
    edges = (np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1]))
    _, label = connected_components(coo_array(edges, shape=(count, count)), directed=False)
    return np.asarray(label, dtype=np.int64)


def halves(place: Floats, weight: Floats, pairs: npt.NDArray[np.int64], k: int) -> Ints:
    """Return ``k`` contiguous areas of a connected set of cells, of about equal weight, by halving it again and again.

    Parameters
    ----------
    place, weight, pairs
        As `contiguous_groups` takes them; at least ``k`` cells.
    """
    adjacent: list[list[int]] = [[] for _ in range(len(place))]
    for one, other in pairs.tolist():
        adjacent[one].append(other)
        adjacent[other].append(one)
    groups = _split(list(range(len(place))), k, place, weight, adjacent)
    while len(groups) < k:  # a heavy cell took the share of several
        groups.sort(key=lambda members: float(weight[members].sum()) if len(members) > 1 else -1.0)
        groups += _split(groups.pop(), 2, place, weight, adjacent)
    area = np.empty(len(place), dtype=np.int64)
    for number, members in enumerate(groups):
        area[members] = number
    return area


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

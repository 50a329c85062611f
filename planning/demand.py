"""Demand: the people of many buildings at few points, with how far that moved them."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


SAME_PLACE_M = 0.01
"""Places closer than this on average are one."""


@dataclass(frozen=True, eq=False)
class Demand:
    """People gathered at points.

    Attributes
    ----------
    at
        Which of the places stands for each point, shape (n_points,).
    people
        People of each point, shape (n_points,); together all that were given.
    owner
        Point of each place, shape (n_places,); -1 where nobody lives.
    mean_shift_m
        How far a person counts away from home, in the straight line, on average.
    """

    at: Ints
    people: Floats
    owner: Ints
    mean_shift_m: float


def gather(xy_m: Floats, people: Floats, most: int) -> Demand:
    """Return at most ``most`` points for the people at places.

    The group of places that lie farthest from their middle, counted by people, is cut in two until
    there are enough groups; so points stand dense where people live dense. Each group counts at the
    place next to its middle, which is a real building on a real street.

    Parameters
    ----------
    xy_m
        Places in a metric CRS, shape (n_places, 2).
    people
        Shape (n_places,); places without people are left out.
    """
    lived_in = np.flatnonzero(people > 0)
    owner = np.full(len(people), -1, dtype=np.int64)
    if not len(lived_in):
        return Demand(np.empty(0, dtype=np.int64), np.empty(0), owner, 0.0)
    xy, weights = xy_m[lived_in], people[lived_in]
    groups: list[Ints] = []
    queue: list[tuple[float, int, Ints]] = []
    number = 0

    def put(members: Ints) -> None:
        nonlocal number
        spread = _spread(xy[members], weights[members])
        number += 1
        if len(members) > 1 and spread > SAME_PLACE_M * weights[members].sum():
            heapq.heappush(queue, (-spread, number, members))
        else:
            groups.append(members)

    put(np.arange(len(lived_in)))
    while queue and len(queue) + len(groups) < most:
        for half in _halves(xy, weights, heapq.heappop(queue)[2]):
            put(half)
    groups += [members for _, _, members in queue]
    at = np.empty(len(groups), dtype=np.int64)
    sums = np.empty(len(groups))
    shift = 0.0
    for group, members in enumerate(groups):
        own = weights[members]
        middle = np.average(xy[members], axis=0, weights=own)
        stands = members[np.hypot(*(xy[members] - middle).T).argmin()]
        at[group], sums[group] = lived_in[stands], own.sum()
        owner[lived_in[members]] = group
        shift += float(own @ np.hypot(*(xy[members] - xy[stands]).T))
    return Demand(at, sums, owner, shift / float(weights.sum()))


def _spread(xy: Floats, weights: Floats) -> float:
    middle = np.average(xy, axis=0, weights=weights)
    return float(weights @ np.hypot(*(xy - middle).T))


def _halves(xy: Floats, weights: Floats, members: Ints) -> tuple[Ints, Ints]:
    """Return the group cut across its longer side, at its middle by people."""
    places = xy[members]
    axis = int(np.ptp(places, axis=0).argmax())
    along = places[:, axis]
    low = along < np.average(along, weights=weights[members])
    if not low.any() or low.all():  # rounding at a group of almost one place
        low = np.arange(len(members)) < len(members) // 2
    return members[low], members[~low]

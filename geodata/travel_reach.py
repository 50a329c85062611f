"""Isochrones and catchments on the roads themselves: which parts of which stretches belong to which facility."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from geodata.crs import WGS84, project
from geodata.network import Floats, Ints, RoadNetwork, Snapped
from geodata.travel import costs_of, ends_of, nearest_s
from geodata.travel_nearest import nearest_of
from geodata.travel_sweep import LANES, Ends, many_to_many

BESIDE_M = 60.0
"""Ground so near to a reached road counts as reached."""
_SHORTEST = 1e-9


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts of stretches, a row each; the parts of one facility do not overlap.

    Attributes
    ----------
    facility
        Index of the facility.
    stretch, begin, end
        The stretch and the part of it, 0 ≤ begin < end ≤ 1.
    facilities
        How many there are.
    """

    network: RoadNetwork
    facility: Ints
    stretch: Ints
    begin: Floats
    end: Floats
    facilities: int

    def length_m(self) -> Floats:
        """Return the metres of road of each facility, shape (facilities,)."""
        metres = (self.end - self.begin) * self.network.length_m[self.stretch]
        summed: Floats = np.bincount(self.facility, weights=metres, minlength=self.facilities).astype(np.float64)
        return summed

    def lines(self) -> NDArray[np.object_]:
        """Return the roads of each facility, MultiLineStrings in longitude and latitude; empty where there are none."""
        return project(self._lines_m(), WGS84, self.network.metric_srid)

    def areas(self, cell_m: float = BESIDE_M) -> NDArray[np.object_]:
        """Return the ground around the roads of each facility, in longitude and latitude: cells that they pass.

        Exact buffers of a thousand overlapping networks take minutes; cells tell the same to `cell_m`.
        """
        count = np.maximum(np.ceil((self.end - self.begin) * self.network.length_m[self.stretch] / cell_m), 1) + 1
        row = np.repeat(np.arange(len(count)), count.astype(np.int64))
        step = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count.astype(np.int64))
        share = self.begin[row] + (self.end - self.begin)[row] * step / (count[row] - 1)
        points = shapely.line_interpolate_point(self.network.lines[self.stretch[row]], share, normalized=True)
        cells = np.unique(
            np.column_stack([self.facility[row], np.floor(shapely.get_coordinates(points) / cell_m)]).astype(np.int64),
            axis=0,
        )
        made = np.full(self.facilities, shapely.Polygon(), dtype=object)
        for mine in np.split(cells, np.flatnonzero(np.diff(cells[:, 0])) + 1) if len(cells) else []:
            low = mine[:, 1:] * cell_m
            made[mine[0, 0]] = shapely.union_all(shapely.box(*low.T, *(low + cell_m).T), grid_size=1.0)
        wide = shapely.buffer(made, cell_m / 2, quad_segs=2)
        return project(shapely.simplify(wide, cell_m / 8), WGS84, self.network.metric_srid)

    def _lines_m(self) -> NDArray[np.object_]:
        lines = self.network.lines[self.stretch]
        for at in np.flatnonzero((self.begin > 0) | (self.end < 1)):
            lines[at] = substring(lines[at], self.begin[at], self.end[at], normalized=True)
        order = np.argsort(self.facility, kind="stable")
        made = np.full(self.facilities, shapely.MultiLineString(), dtype=object)
        if len(order):
            which = np.unique(self.facility)
            made[which] = shapely.multilinestrings(lines[order], indices=np.searchsorted(which, self.facility[order]))
        return made


def isochrones(network: RoadNetwork, facilities: Snapped, limit_s: float, *, towards: bool = False) -> Parts:
    """Return the parts of roads within a time of each facility, access on foot to the road included.

    Parameters
    ----------
    towards
        Where people come from within that time; False: what is reached from the facility.
    """
    rows = [np.empty((0, 4))]
    if len(network.targets):
        costs = costs_of(network)
        costs = costs.reversed() if towards else costs
        starts = ends_of(network, facilities, leaving=not towards)
        own, ways = np.zeros(len(network.ends), dtype=bool), _ways(network, towards=towards)
        for first in range(0, len(facilities), LANES):
            batch = slice(first, min(first + LANES, len(facilities)))
            times = many_to_many(costs, Ends(starts.nodes[batch], starts.legs_s[batch]))
            for row, here in enumerate(range(batch.start, batch.stop)):
                own[facilities.stretch[here]] = True
                some, low, high = _within(ways, network.ends, times[row], limit_s, own)
                own[facilities.stretch[here]] = False
                whole = low >= high
                rows.append(_rows(here, some, np.zeros(len(some)), np.where(whole, 1.0, low)))
                rows.append(_rows(here, some[~whole], high[~whole], np.ones(int((~whole).sum()))))
                rows.append(_own(network, times[row], facilities, here, limit_s, towards=towards))
    found = np.concatenate(rows)
    return _parts(network, found, len(facilities))


def catchments(network: RoadNetwork, facilities: Snapped, *, towards: bool = True) -> Parts:
    """Return the parts of roads to which each facility is the nearest; no part belongs to two.

    Parameters
    ----------
    towards
        People go to the facility; False: help comes from it.
    """
    if not len(network.targets) or not len(facilities):
        return _parts(network, np.empty((0, 4)), len(facilities))
    costs = costs_of(network)
    sources = ends_of(network, facilities, leaving=not towards)
    reached, which = nearest_of(costs.reversed() if towards else costs, sources)
    to_first, to_last = _ways(network, towards=towards)
    everything = np.arange(len(network.ends))
    plain = np.setdiff1d(everything, facilities.stretch)
    one, other = network.ends[plain, 0], network.ends[plain, 1]
    zero, full = np.zeros(len(plain)), np.ones(len(plain))
    seconds = (reached[one], reached[other])
    rows = _split(plain, zero, full, seconds, (which[one], which[other]), (to_first[plain], to_last[plain]))
    rows_of_cut: list[Floats] = []
    # A facility on a stretch cuts it; what is nearest at the cut need not be that facility.
    cuts = np.unique(np.column_stack([facilities.stretch, facilities.along]), axis=0)
    row, at = cuts[:, 0].astype(np.int64), cuts[:, 1]
    near_s, nearest = nearest_s(network, Snapped(row, at, np.zeros(len(at))), facilities, towards=towards)
    for mine in np.split(np.arange(len(row)), np.flatnonzero(np.diff(row)) + 1):
        stretch = row[mine[0]]
        ends = network.ends[stretch]
        stops = np.r_[0.0, at[mine], 1.0]
        times = np.r_[reached[ends[0]], near_s[mine], reached[ends[1]]]
        names = np.r_[which[ends[0]], nearest[mine], which[ends[1]]]
        size = np.diff(stops)
        pieces = size > 0
        ways = (to_first[stretch] * size[pieces], to_last[stretch] * size[pieces])
        pairs = (times[:-1][pieces], times[1:][pieces]), (names[:-1][pieces], names[1:][pieces])
        where = np.full(int(pieces.sum()), stretch)
        rows_of_cut.append(_split(where, stops[:-1][pieces], stops[1:][pieces], *pairs, ways))
    rows = np.vstack([rows, *rows_of_cut])
    return _parts(network, rows, len(facilities))


def _ways(network: RoadNetwork, *, towards: bool) -> tuple[Floats, Floats]:
    """Return seconds over a whole stretch between its places and the first end, and the last end."""
    if towards:
        return network.backward_s, network.forward_s
    return network.forward_s, network.backward_s


def _rows(facility: int, stretch: Ints, begin: Floats, end: Floats) -> Floats:
    return np.column_stack([np.full(len(stretch), float(facility)), stretch, begin, end])


def _within(
    ways: tuple[Floats, Floats], ends: Ints, times: NDArray[np.float32], limit_s: float, own: NDArray[np.bool_]
) -> tuple[Ints, Floats, Floats]:
    """Return stretches that are reached over their ends, and up to and from which part; but for its own."""
    near = times <= limit_s
    some = np.flatnonzero((near[ends[:, 0]] | near[ends[:, 1]]) & ~own)
    left = np.maximum(limit_s - times[ends[some]].astype(np.float64), 0.0)
    return some, _share(left[:, 0], ways[0][some]), 1 - _share(left[:, 1], ways[1][some])


def _own(
    network: RoadNetwork, times: NDArray[np.float32], facilities: Snapped, here: int, limit_s: float, *, towards: bool
) -> Floats:
    """Return rows of the stretch on which the facility lies: what is reached straight, and around over its ends."""
    stretch, along = int(facilities.stretch[here]), float(facilities.along[here])
    by_first, by_last = (way[stretch] for way in _ways(network, towards=towards))
    straight = max(limit_s - float(facilities.access_s[here]), 0.0)
    around = np.maximum(limit_s - times[network.ends[stretch]].astype(np.float64), 0.0)
    spans = []
    if limit_s >= facilities.access_s[here]:
        # Away from the first end is where a stretch is passed from its first end on.
        spans.append((along - float(_share(straight, by_last)), along + float(_share(straight, by_first))))
    spans += [(0.0, float(_share(around[0], by_first))), (1 - float(_share(around[1], by_last)), 1.0)]
    merged: list[list[float]] = []
    for low, high in sorted((max(low, 0.0), min(high, 1.0)) for low, high in spans):
        if merged and low <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], high)
        else:
            merged.append([low, high])
    return np.array([[here, stretch, low, high] for low, high in merged]).reshape(-1, 4)


def _share(left_s: Floats | float, whole_s: Floats | float) -> Floats:
    """Return which part of a stretch is passed in a time; none where it may not be passed."""
    left, whole = np.asarray(left_s, dtype=np.float64), np.asarray(whole_s, dtype=np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isfinite(whole) & (left > 0), np.clip(left / np.where(whole > 0, whole, 1e-12), 0, 1), 0.0)


def _split(  # noqa: PLR0917  (a table, column by column)
    stretch: Ints,
    begin: Floats,
    end: Floats,
    seconds: tuple[NDArray[np.floating], NDArray[np.floating]],
    names: tuple[Ints, Ints],
    ways: tuple[Floats, Floats],
) -> Floats:
    """Return rows (facility, stretch, begin, end): pieces cut where both their ends lead to a facility as fast."""
    (first_s, last_s), (one, other), (by_first, by_last) = seconds, names, ways
    over_first, over_last = np.isfinite(first_s + by_first), np.isfinite(last_s + by_last)
    with np.errstate(invalid="ignore", divide="ignore"):
        even = (by_last + last_s - first_s) / (by_first + by_last)
    even = np.where(np.isfinite(even), even, 0.5)
    share = np.where(over_first & over_last, np.clip(even, 0, 1), np.where(over_first, 1.0, 0.0))
    share = np.where(over_first & over_last & (one == other), 1.0, share)
    middle = begin + share * (end - begin)
    low = np.column_stack([one, stretch, begin, middle])[over_first]
    high = np.column_stack([other, stretch, middle, end])[over_last]
    return np.vstack([low, high])


def _parts(network: RoadNetwork, rows: Floats, facilities: int) -> Parts:
    rows = rows[rows[:, 3] - rows[:, 2] > _SHORTEST]
    names, stretch = rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64)
    return Parts(network, names, stretch, rows[:, 2], rows[:, 3], facilities)

"""Travel times on the road graph: from anywhere to anywhere, by car, by cycle or on foot.

A point meets the network at the nearest place *along* a stretch of road, not at the nearest junction. The
straight way between point and road is walked in every mode. Driving is as fast as the road's speed, without
delay at junctions; walking is `WALK_KMH` everywhere and knows no one-way, cycling `CYCLE_KMH` where
`geodata.travel_modes` lets it. Times are seconds: few by a plain search (float64), many by `geodata.travel`
(right to 1 ms and a millionth).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from core.errors import InvalidInput
from geodata.crs import project
from geodata.routes import Arrivals, Route, share
from geodata.travel_modes import WALK_KMH, Mode, cycling, usable_by

__all__ = ["WALK_KMH", "Mode", "Route"]

MODES: tuple[Mode, ...] = ("drive", "walk")
"""The modes of the pages."""
WALK_M_S = WALK_KMH / 3.6
FRAGMENT_M = 5000.0
"""Pieces of road shorter than this that lead nowhere else (a yard behind a gate) are no place to set out from."""
_NODE_M = 0.5
_SOURCES_AT_ONCE = 64
_SWEEP_SOURCES, _SWEEP_JUNCTIONS = 24, 1500
"""From so many searches on a graph of this size on, `geodata.travel` is faster."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Snapped:
    """Where points meet the network, one entry a point.

    Attributes
    ----------
    stretch
        Index of the stretch; empty network: -1.
    along
        Part of the stretch between its first end and the meeting place, 0…1.
    access_s
        Seconds on foot, straight between the point and the meeting place.
    """

    stretch: Ints
    along: Floats
    access_s: Floats

    def __len__(self) -> int:
        return len(self.stretch)

    @property
    def distance_m(self) -> Floats:
        """Return the metres between each point and its meeting place; infinite in an empty network."""
        return self.access_s * WALK_M_S

    def part(self, rows: slice) -> Snapped:
        """Return the entries of these rows."""
        return Snapped(self.stretch[rows], self.along[rows], self.access_s[rows])


@dataclass(frozen=True, eq=False)
class RoadNetwork:
    """The roads of a territory that a mode of travel can use; built by `build_network`.

    Attributes
    ----------
    ends
        First and last junction of each stretch, shape (stretches, 2).
    forward_s, backward_s
        Seconds along and against a stretch; infinite where that is not allowed.
    lines
        The stretches in the metric CRS.
    graph, arc_stretch
        Seconds from junction to junction, one arc a pair, and the stretch of each arc in the order of its data.
    reversed_graph
        The same with every arc turned round.
    targets, tree
        The stretches that points may meet, and their index in space.
    fragment_m
        As in `build_network`.
    prepared
        What `geodata.travel` made of this network so far.
    """

    mode: Mode
    metric_srid: int
    ends: Ints
    forward_s: Floats
    backward_s: Floats
    length_m: Floats
    lines: NDArray[np.object_]
    graph: csr_array
    reversed_graph: csr_array
    arc_stretch: Ints
    targets: Ints
    tree: shapely.STRtree
    fragment_m: float = FRAGMENT_M
    prepared: dict[str, Any] = field(default_factory=dict)

    @property
    def junctions(self) -> int:
        """Return the number of junctions."""
        return int(self.graph.shape[0])

    def snap(self, points: Floats) -> Snapped:
        """Return where points (longitude, latitude; shape (n, 2)) meet the network.

        Raises
        ------
        InvalidInput
            When a coordinate is no number.
        """
        points = np.asarray(points, dtype=np.float64).reshape(-1, 2)
        if not np.isfinite(points).all():
            raise InvalidInput("A place without coordinates has no travel time.")
        if not len(self.targets) or not len(points):
            return Snapped(np.full(len(points), -1), np.zeros(len(points)), np.full(len(points), np.inf))
        places = project(np.asarray(shapely.points(points), dtype=np.object_), self.metric_srid)
        stretch = self.targets[self.tree.nearest(places)]
        lines = self.lines[stretch]
        along = shapely.line_locate_point(lines, places, normalized=True)
        # Within half a metre of a junction a point is the junction: no one-way keeps it from leaving either way.
        margin = _NODE_M / self.length_m[stretch]
        along = np.where(along < margin, 0.0, np.where(along > 1 - margin, 1.0, along))
        return Snapped(stretch, along, shapely.distance(lines, places) / WALK_M_S)

    def travel_s(self, origins: Floats, destinations: Floats) -> Floats:
        """Return seconds from each origin to each destination, shape (origins, destinations).

        Infinite where no way leads. The search runs from the side with fewer points: many workers to one
        incident is one run.
        """
        return self.times(self.snap(origins), self.snap(destinations))

    def times(self, origins: Snapped, destinations: Snapped) -> Floats:
        """Return seconds between points that were snapped before, shape (origins, destinations)."""
        if min(len(origins), len(destinations)) >= _SWEEP_SOURCES and self.junctions >= _SWEEP_JUNCTIONS:
            from geodata.travel import matrix_s

            return matrix_s(self, origins, destinations).astype(np.float64)
        if len(destinations) < len(origins):
            return np.ascontiguousarray(self._times(destinations, origins, backwards=True).T)
        return self._times(origins, destinations, backwards=False)

    def routes(self, origins: Floats, destination: Floats) -> list[Route | None]:
        """Return the fastest way from each origin to one destination; None where no way leads."""
        found = self.arrivals(origins, destination)
        return [found.route(at) for at in range(len(found.seconds))]

    def arrivals(self, origins: Floats, destination: Floats) -> Arrivals:
        """Return the times from many origins to one destination, and on demand their ways: one search for all."""
        start, goal = self.snap(origins), self.snap(destination)
        if not len(self.targets):
            nothing = np.full(len(start), np.inf)
            return Arrivals(self, start, goal, nothing, nothing, np.tile(nothing[:, None], 2), np.empty(0, np.int32))
        graph = self._with_sources(goal, backwards=True)
        reached, onward = dijkstra(graph, indices=np.array([self.junctions]), return_predecessors=True)
        legs = self.legs_s(start, leaving=True) + reached[0][self.ends[start.stretch]]
        direct = self._direct(start, goal)[:, 0]
        seconds = np.minimum(direct, legs.min(axis=1)) + start.access_s + goal.access_s[0]
        return Arrivals(self, start, goal, seconds, direct, legs, onward[0])

    def _times(self, sources: Snapped, others: Snapped, *, backwards: bool) -> Floats:
        times = np.full((len(sources), len(others)), np.inf)
        if not len(self.targets) or not times.size:
            return times
        ends = self.ends[others.stretch]
        legs = self.legs_s(others, leaving=backwards)
        for rows in _blocks(len(sources)):
            some = sources.part(rows)
            indices = np.arange(self.junctions, self.junctions + len(some))
            reached = np.atleast_2d(dijkstra(self._with_sources(some, backwards=backwards), indices=indices))
            block = np.minimum(reached[:, ends[:, 0]] + legs[:, 0], reached[:, ends[:, 1]] + legs[:, 1])
            direct = self._direct(others, some).T if backwards else self._direct(some, others)
            times[rows] = np.minimum(block, direct) + some.access_s[:, None] + others.access_s
        return times

    def legs_s(self, points: Snapped, *, leaving: bool) -> Floats:
        """Return seconds between points and the two ends of their stretch, shape (points, 2)."""
        there, back = self.forward_s[points.stretch], self.backward_s[points.stretch]
        to_first, to_last = (back, there) if leaving else (there, back)
        return np.column_stack([share(points.along, to_first), share(1 - points.along, to_last)])

    def _direct(self, origins: Snapped, destinations: Snapped) -> Floats:
        """Return seconds along the stretch that both points lie on, infinite where there is none."""
        times = np.full((len(origins), len(destinations)), np.inf)
        rows, columns = np.nonzero(origins.stretch[:, None] == destinations.stretch)
        stretch = origins.stretch[rows]
        ahead = destinations.along[columns] - origins.along[rows]
        onwards = np.where(ahead >= 0, self.forward_s[stretch], self.backward_s[stretch])
        times[rows, columns] = share(np.abs(ahead), onwards)
        return times

    def _with_sources(self, points: Snapped, *, backwards: bool) -> csr_array:
        """Return the graph with one more junction a point, from which the search starts."""
        base = self.reversed_graph if backwards else self.graph
        legs, ends = self.legs_s(points, leaving=not backwards), self.ends[points.stretch]
        usable = np.isfinite(legs)
        size = self.junctions + len(points)
        indptr = np.r_[base.indptr, base.indptr[-1] + np.cumsum(usable.sum(axis=1))]
        data, indices = np.r_[base.data, legs[usable]], np.r_[base.indices, ends[usable]]
        return csr_array((data, indices.astype(np.int32), indptr.astype(np.int32)), shape=(size, size))


def build_network(roads: pd.DataFrame, mode: Mode, metric_srid: int, *, fragment_m: float = FRAGMENT_M) -> RoadNetwork:
    """Return the network of a mode from stretches of road.

    Parameters
    ----------
    roads
        A row per stretch; columns from_node, to_node, speed_kmh, oneway (1, -1, 0), drivable, walkable,
        length_m, geom (shapely lines, longitude and latitude).
    fragment_m
        Length of the shortest piece that points may meet. A piece is all stretches from which each of the others
        can be reached and left again; the longest one always counts. 0 lets points meet any stretch.
    """
    usable = roads[usable_by(roads, mode)]
    nodes, ends = np.unique(usable[["from_node", "to_node"]].to_numpy(dtype=np.int64), return_inverse=True)
    ends = ends.reshape(-1, 2).astype(np.int64)
    length_m = usable["length_m"].to_numpy(dtype=np.float64)
    forward_s, backward_s = _seconds(usable, mode, length_m)
    lines = project(usable["geom"].to_numpy(dtype=object), metric_srid)
    empty = csr_array((len(nodes), len(nodes)))
    none: Ints = np.empty(0, dtype=np.int64)
    bare = RoadNetwork(
        mode, metric_srid, ends, forward_s, backward_s, length_m, lines, empty, empty, none, none,
        shapely.STRtree(lines[none]), fragment_m,
    )  # fmt: skip
    return remade(bare, forward_s, backward_s)


def remade(network: RoadNetwork, forward_s: Floats, backward_s: Floats) -> RoadNetwork:
    """Return the same roads with other times; points do not meet a stretch that is closed both ways."""
    graph, arc_stretch = _arcs(network.ends, forward_s, backward_s, network.junctions)
    open_ = np.isfinite(forward_s) | np.isfinite(backward_s)
    targets = _targets(graph, network.ends, np.where(open_, network.length_m, 0.0), network.fragment_m)
    targets = targets[open_[targets]]
    return replace(
        network,
        forward_s=forward_s,
        backward_s=backward_s,
        graph=graph,
        reversed_graph=csr_array(graph.T.tocsr()),
        arc_stretch=arc_stretch,
        targets=targets,
        tree=shapely.STRtree(network.lines[targets]),
        prepared={},
    )


def _seconds(roads: pd.DataFrame, mode: Mode, length_m: Floats) -> tuple[Floats, Floats]:
    if mode == "walk":
        seconds = length_m / WALK_M_S
        return seconds, seconds.copy()
    if mode == "cycle":
        kmh, oneway = cycling(roads)
        seconds = length_m * 3.6 / kmh
    else:
        seconds = length_m / (roads["speed_kmh"].to_numpy(dtype=np.float64) / 3.6)
        oneway = roads["oneway"].to_numpy(dtype=np.int64)
    return np.where(oneway >= 0, seconds, np.inf), np.where(oneway <= 0, seconds, np.inf)


def _arcs(ends: Ints, forward_s: Floats, backward_s: Floats, junctions: int) -> tuple[csr_array, Ints]:
    """Return the graph with the fastest arc of each pair of junctions, and the stretch of each arc."""
    stretch = np.tile(np.arange(len(ends)), 2)
    seconds = np.r_[forward_s, backward_s]
    rows, columns = np.r_[ends[:, 0], ends[:, 1]], np.r_[ends[:, 1], ends[:, 0]]
    kept = np.isfinite(seconds) & (rows != columns)
    stretch, seconds, rows, columns = stretch[kept], seconds[kept], rows[kept], columns[kept]
    order = np.lexsort((seconds, columns, rows))
    stretch, seconds, rows, columns = stretch[order], seconds[order], rows[order], columns[order]
    best = np.ones(len(rows), dtype=bool)
    best[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
    graph = coo_array((seconds[best], (rows[best], columns[best])), shape=(junctions, junctions)).tocsr()
    return csr_array(graph), stretch[best]


def _targets(graph: csr_array, ends: Ints, length_m: Floats, fragment_m: float) -> Ints:
    """Return the stretches that points may meet: those of pieces that are long enough, else all."""
    everything = np.arange(len(ends))
    if fragment_m <= 0 or not len(ends):
        return everything
    pieces, label = connected_components(graph, directed=True, connection="strong")
    inside = label[ends[:, 0]] == label[ends[:, 1]]
    lengths = np.bincount(label[ends[inside, 0]], weights=length_m[inside], minlength=pieces)
    enough = lengths >= min(fragment_m, lengths.max())
    kept = everything[inside & enough[label[ends[:, 0]]]]
    return kept if lengths.max() > 0 else everything


def _blocks(count: int) -> Iterator[slice]:
    for first in range(0, count, _SOURCES_AT_ONCE):
        yield slice(first, first + _SOURCES_AT_ONCE)

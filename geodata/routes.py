"""Fastest ways: which roads they run along, and their line."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.crs import WGS84, project

if TYPE_CHECKING:
    from geodata.network import RoadNetwork, Snapped

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Route:
    """A fastest way.

    Attributes
    ----------
    seconds
        Access on foot at both ends included.
    length_m
        On roads.
    line
        Along the roads from meeting place to meeting place, longitude and latitude.
    """

    seconds: float
    length_m: float
    line: shapely.LineString


@dataclass(frozen=True, eq=False)
class Arrivals:
    """What one search towards a destination found; made by `RoadNetwork.arrivals`.

    Attributes
    ----------
    seconds
        From each origin, access on foot included; infinite where no way leads.
    direct_s, legs_s
        Without access: along the stretch both points lie on, and by either end of the origin's stretch.
    onward
        The next junction towards the destination, from each junction.
    """

    network: RoadNetwork
    start: Snapped
    goal: Snapped
    seconds: Floats
    direct_s: Floats
    legs_s: Floats
    onward: NDArray[np.int32]

    def route(self, at: int) -> Route | None:
        """Return the way from the origin of this index; None where no way leads."""
        if not np.isfinite(self.seconds[at]):
            return None
        legs = self.legs_s[at]
        junctions = [] if self.direct_s[at] <= legs.min() else self._follow(at, int(np.argmin(legs)))
        return self._route(float(self.seconds[at]), self._pieces(at, junctions))

    def _follow(self, at: int, end: int) -> list[int]:
        """Return the junctions of a way, from the chosen end of the origin's stretch to the goal's."""
        junctions = [int(self.network.ends[self.start.stretch[at], end])]
        while (following := int(self.onward[junctions[-1]])) < self.network.junctions:
            junctions.append(following)
        return junctions

    def _pieces(self, at: int, junctions: list[int]) -> list[tuple[int, float, float]]:
        """Return the stretches of a way in order, each with the part where it is entered and left."""
        net = self.network
        first, last = int(self.start.stretch[at]), int(self.goal.stretch[0])
        begin, finish = float(self.start.along[at]), float(self.goal.along[0])
        if not junctions:
            return [(first, begin, finish)]
        pieces = [(first, begin, self._end_part(first, junctions[0], begin, net.backward_s, net.forward_s))]
        for here, there in itertools.pairwise(junctions):
            span = slice(net.graph.indptr[here], net.graph.indptr[here + 1])
            stretch = int(net.arc_stretch[span][net.graph.indices[span] == there][0])
            pieces.append((stretch, 0.0, 1.0) if net.ends[stretch, 0] == here else (stretch, 1.0, 0.0))
        entry = self._end_part(last, junctions[-1], finish, net.forward_s, net.backward_s)
        return [*pieces, (last, entry, finish)]

    def _end_part(self, stretch: int, junction: int, along: float, by_first: Floats, by_last: Floats) -> float:
        """Return 0 or 1: at which end of a stretch the junction lies; for a loop the faster of the two."""
        if self.network.ends[stretch, 0] != self.network.ends[stretch, 1]:
            return float(self.network.ends[stretch, 1] == junction)
        costs = share(np.array([along, 1 - along]), np.array([by_first[stretch], by_last[stretch]]))
        return float(np.argmin(costs))

    def _route(self, seconds: float, pieces: list[tuple[int, float, float]]) -> Route:
        coordinates = [self._piece_points(*piece) for piece in pieces]
        points = np.concatenate(coordinates)
        fresh = np.r_[True, (np.diff(points, axis=0) != 0).any(axis=1)]
        points = points[fresh] if fresh.sum() > 1 else points[[0, -1]]
        line = project(np.array([shapely.linestrings(points)]), WGS84, self.network.metric_srid)[0]
        lengths = self.network.length_m
        return Route(seconds, float(sum(lengths[stretch] * abs(b - a) for stretch, a, b in pieces)), line)

    def _piece_points(self, stretch: int, begin: float, finish: float) -> Floats:
        line = self.network.lines[stretch]
        points: Floats = shapely.get_coordinates(line)
        low, high = min(begin, finish), max(begin, finish)
        if (low, high) != (0.0, 1.0):
            ends = shapely.get_coordinates(shapely.line_interpolate_point(line, [low, high], normalized=True))
            steps = np.hypot(*np.diff(points, axis=0).T)
            parts = np.r_[0, np.cumsum(steps)] / steps.sum()
            points = np.vstack([ends[:1], points[(parts > low) & (parts < high)], ends[1:]])
        return points if begin <= finish else points[::-1]


def share(part: Floats, seconds: Floats) -> Floats:
    """Return a part of a time; no part of a time without end is no time."""
    with np.errstate(invalid="ignore"):
        return np.where(part == 0, 0.0, part * seconds)

"""Small road graphs for tests, in metres around a corner of UTM zone 30 N, and an oracle that cuts stretches."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import networkx as nx
import numpy as np
import pandas as pd
import shapely

from geodata.crs import project
from geodata.network import WALK_M_S, RoadNetwork

SRID = 32630
CORNER = np.array([620_000.0, 5_615_000.0])
KMH = 36.0
M_S = KMH / 3.6


def roads(stretches: Iterable[tuple[int, int, Sequence[tuple[float, float]], int]], **columns) -> pd.DataFrame:
    """Return a frame of stretches (from, to, points in metres, oneway), 36 km/h, open to cars and walkers."""
    rows = list(stretches)
    lines = np.array([shapely.LineString(np.array(row[2]) + CORNER) for row in rows], dtype=object)
    frame = pd.DataFrame(
        {
            "from_node": [row[0] for row in rows],
            "to_node": [row[1] for row in rows],
            "speed_kmh": KMH,
            "oneway": [row[3] for row in rows],
            "drivable": True,
            "walkable": True,
            "length_m": shapely.length(lines),
            "geom": project(lines, 4326, SRID) if rows else lines,
        }
    )
    return frame.assign(**columns)


def lonlat(*points: tuple[float, float]) -> np.ndarray:
    """Return places given in metres as longitude and latitude."""
    moved = project(shapely.points(np.array(points, dtype=float) + CORNER), 4326, SRID)
    return shapely.get_coordinates(moved)


def metres(line: shapely.LineString) -> np.ndarray:
    """Return the points of a line in metres."""
    return shapely.get_coordinates(project(np.array([line]), SRID)) - CORNER


def oracle_s(network: RoadNetwork, points: np.ndarray) -> np.ndarray:
    """Return seconds between all points by networkx, on a graph whose stretches are cut at the points."""
    snapped = network.snap(points)
    graph = nx.DiGraph()
    graph.add_nodes_from(("point", at) for at in range(len(points)))
    for stretch, (first, last) in enumerate(network.ends):
        stops = [(0.0, ("node", first)), (1.0, ("node", last))]
        stops += [(snapped.along[at], ("on", at)) for at in np.flatnonzero(snapped.stretch == stretch)]
        # At the same place the first end stands first and the last end last.
        stops.sort(key=lambda stop: (stop[0], stop[1] == ("node", last) and stop[0] == 1.0))
        for (low, here), (high, there) in itertools.pairwise(stops):
            for one, other, whole in (
                (here, there, network.forward_s[stretch]),
                (there, here, network.backward_s[stretch]),
            ):
                seconds = 0.0 if high == low else (high - low) * whole
                if np.isfinite(seconds) and seconds < graph.get_edge_data(one, other, {"weight": np.inf})["weight"]:
                    graph.add_edge(one, other, weight=seconds)
    for at, walk in enumerate(snapped.access_s):
        graph.add_edge(("point", at), ("on", at), weight=walk)
        graph.add_edge(("on", at), ("goal", at), weight=walk)
    times = np.full((len(points), len(points)), np.inf)
    for at in range(len(points)):
        reached = nx.single_source_dijkstra_path_length(graph, ("point", at))
        times[at] = [reached.get(("goal", other), np.inf) for other in range(len(points))]
    return times


def walked_s(metres_: float) -> float:
    """Return the seconds of a walk."""
    return metres_ / WALK_M_S

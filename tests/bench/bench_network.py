"""Travel times on the roads of the Isle of Wight, against networkx in the same run.

CPU seconds, the best of several runs; every time compared. Writes docs/figures/bench_network.md.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from typing import Any

import networkx as nx
import numpy as np
import scipy
from figures import FIGURES, left_out
from numpy.typing import NDArray

from core.errors import SourceUnavailable
from geodata.crs import metric_srid_of
from geodata.extracts import fetch_extract
from geodata.network import MODES, RoadNetwork, build_network
from geodata.osm import read_osm

REPORT = FIGURES / "bench_network.md"
WORKERS, FROM, TO = 64, 100, 3_000
COMPARED = 3


def best(work: Callable[[], Any], rounds: int) -> tuple[float, Any]:
    """Return the least CPU seconds of several rounds, and the last result."""
    least, result = float("inf"), None
    for _ in range(rounds):
        began = time.process_time()
        result = work()
        least = min(least, time.process_time() - began)
    return least, result


def networkx_of(network: RoadNetwork) -> nx.DiGraph:
    """Return the junctions and arcs of a network as networkx has them."""
    graph = nx.DiGraph()
    graph.add_nodes_from(range(network.junctions))
    arcs = network.graph.tocoo()
    graph.add_weighted_edges_from(zip(arcs.row.tolist(), arcs.col.tolist(), arcs.data.tolist(), strict=True))
    return graph


def run(network: RoadNetwork, points: NDArray[np.float64]) -> tuple[float, ...]:
    """Return CPU seconds: meeting places of 3,000 points, workers to one, three ways, a matrix, networkx a source."""
    from scipy.sparse.csgraph import dijkstra

    snap_s, _ = best(lambda: network.snap(points[:TO]), 5)
    one_s, _ = best(lambda: network.travel_s(points[:WORKERS], points[-1:]), 10)
    ways_s, _ = best(lambda: [network.arrivals(points[:WORKERS], points[-1:]).route(at) for at in range(3)], 10)
    matrix_s, _ = best(lambda: network.travel_s(points[:FROM], points[:TO]), 3)
    graph = networkx_of(network)
    theirs_s, theirs = best(
        lambda: [nx.single_source_dijkstra_path_length(graph, source) for source in range(COMPARED)], 1
    )
    ours = dijkstra(network.graph, indices=np.arange(COMPARED))
    for source, reached in enumerate(theirs):
        expected = np.full(network.junctions, np.inf)
        expected[list(reached)] = list(reached.values())
        np.testing.assert_allclose(ours[source], expected, rtol=1e-9)
    return snap_s, one_s, ways_s, matrix_s, theirs_s / COMPARED


def main() -> None:
    """Measure and write the report."""
    try:
        roads = read_osm(fetch_extract("isle-of-wight")).roads
    except SourceUnavailable as error:
        left_out(str(error))
    srid = metric_srid_of(-1.3, 50.7)
    west, south, east, north = -1.55, 50.6, -1.1, 50.76
    points = np.random.default_rng(1).uniform((west, south), (east, north), (TO + 1, 2))
    lines = []
    for mode in MODES:
        build_s, network = best(lambda mode=mode: build_network(roads, mode, srid), 3)
        snap_s, one_s, ways_s, matrix_s, theirs_s = run(network, points)
        lines.append(
            f"| {mode} | {network.junctions:,} | {network.graph.nnz:,} | {build_s:.2f} | {snap_s * 1000:.0f} ms"
            f" | {one_s * 1000:.1f} ms | {ways_s * 1000:.1f} ms | {matrix_s:.2f} | {theirs_s * 1000:.0f} ms |"
        )
    REPORT.write_text(
        "# Travel times: speed\n\n"
        f"CPU time; Python {platform.python_version()}, scipy {scipy.__version__}. Made by `make bench`.\n\n"
        f"Isle of Wight, {len(roads):,} stretches of road; points at random places, on land and at sea.\n\n"
        f"| mode | junctions | arcs | built, s | {TO:,} points met | {WORKERS} workers to one incident"
        f" | the same with three ways drawn | {FROM} × {TO:,}, s | networkx, one source |\n"
        "|---|---|---|---|---|---|---|---|---|\n" + "\n".join(lines) + "\n\n"
        "Times from junction to junction were compared with networkx, one by one.\n"
    )
    print(REPORT.read_text())  # noqa: T201


if __name__ == "__main__":
    main()

"""A peer of bench_travel.py: times from some nodes to all, by the library named first; answers as one JSON line.

python peer_travel.py LIBRARY GRAPH.npz OUT.npz SOURCES ROUNDS
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np


def scipy(graph: Any, sources: np.ndarray) -> Callable[[], Any]:
    """Dijkstra with a Fibonacci heap, compiled; nothing to prepare."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    nodes = len(graph["offsets"]) - 1
    made = csr_array((graph["seconds"], graph["heads"], graph["offsets"]), shape=(nodes, nodes))
    return lambda: dijkstra(made, indices=sources)


def networkx(graph: Any, sources: np.ndarray) -> Callable[[], Any]:
    """Dijkstra in Python, on the kind of graph that OSMnx makes."""
    import networkx as nx

    made = nx.MultiDiGraph()  # as OSMnx has it
    made.add_nodes_from(range(len(graph["offsets"]) - 1))
    rows = zip(graph["tails"].tolist(), graph["heads"].tolist(), graph["seconds"].tolist(), strict=True)
    made.add_weighted_edges_from(rows)

    return lambda: [nx.single_source_dijkstra_path_length(made, source) for source in sources.tolist()]


def igraph(graph: Any, sources: np.ndarray) -> Callable[[], Any]:
    """Dijkstra with a binary heap, compiled."""
    import igraph as ig

    made = ig.Graph(len(graph["offsets"]) - 1, np.column_stack([graph["tails"], graph["heads"]]), directed=True)
    seconds = graph["seconds"].tolist()
    return lambda: made.distances(source=sources.tolist(), weights=seconds, mode="out")


def pyroutingkit(graph: Any, sources: np.ndarray) -> Callable[[], Any]:
    """Customisable contraction hierarchy in C++, whole milliseconds."""
    import pyroutingkit as kit

    nodes = len(graph["offsets"]) - 1
    lat, lon = (graph[name].astype(np.float32) for name in ("lat", "lon"))
    tails, heads = (graph[name].astype(np.uint32) for name in ("tails", "heads"))
    made = kit.CCH()
    made.build_topology(tails, heads, lat, lon, nodes)
    made.customize_weights(np.round(graph["seconds"] * 1000).astype(np.uint32))
    everything = np.arange(nodes, dtype=np.uint32)
    starts = sources.astype(np.uint32)

    return lambda: made.distances_many_to_many(starts, everything)


def as_seconds(name: str, found: Any, nodes: int) -> np.ndarray:
    """Return what a library answered as seconds, infinite without a way; this is not measured."""
    if name == "networkx":
        times = np.full((len(found), nodes), np.inf)
        for row, reached in enumerate(found):
            times[row, list(reached)] = list(reached.values())
        return times
    times = np.array(found, dtype=np.float64)
    if name == "pyroutingkit":
        import pyroutingkit as kit

        return np.where(times >= kit.INF_WEIGHT, np.inf, times / 1000)
    return times


def main() -> None:
    """Measure one library."""
    name, graph_file, out_file, count, rounds = sys.argv[1:]
    graph = np.load(graph_file)
    sources = graph["sources"][: int(count)]
    began = time.process_time()
    work = {"scipy": scipy, "networkx": networkx, "igraph": igraph, "pyroutingkit": pyroutingkit}[name](graph, sources)
    prepared = time.process_time() - began
    spent = []
    for _ in range(int(rounds)):
        began = time.process_time()
        found = work()
        spent.append(time.process_time() - began)
    np.savez(out_file, times=as_seconds(name, found[:4], len(graph["offsets"]) - 1))
    told = {"version": version(name), "prepare_s": prepared, "source_s": statistics.median(spent) / len(sources)}
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()

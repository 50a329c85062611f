"""Travel times on the largest shared networks, against scipy, pyroutingkit, igraph and networkx in the same run.

CPU seconds, medians, warm; what peers find is compared with ours. Peers run in an environment of their own, made
from peers_travel.lock in the state folder. Writes docs/figures/bench_travel.md.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from figures import FIGURES, SHORT, left_out, peers_python

from core.settings import settings
from geodata.crs import WGS84, metric_srid_of, project
from geodata.network import RoadNetwork, build_network
from geodata.travel import closed, compile_all, costs_of, matrix_s, nearest_s
from geodata.travel_files import read_streets
from geodata.travel_hierarchy import build_hierarchy
from geodata.travel_order import has_metis
from geodata.travel_reach import catchments, isochrones
from geodata.travel_sweep import at_nodes, many_to_many

HERE = Path(__file__).resolve().parent
SHARED = HERE.parents[2] / "shared" / "data" / "osm"
REPORT = FIGURES / "bench_travel.md"
NETWORKS = (
    ("Bucaramanga, on foot", "streets/bucaramanga_4617.parquet", "walk"),
    ("Isle of Wight, by car", "isle_of_wight_2020.osm.pbf", "drive"),
)
PEERS = {"scipy": (32, 5, 12), "pyroutingkit": (64, 5, 5), "igraph": (16, 3, None), "networkx": (2, 3, 300)}
"""Sources, rounds and the goal (times as fast) of each peer."""
OURS, ROUNDS = 256, 5
FROM, TO, FACILITIES = 2_000, 20_000, 1_000


def median_s(work: Callable[[], Any], rounds: int = ROUNDS) -> float:
    """Return the median CPU seconds of some rounds after one that does not count."""
    work()
    spent = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return statistics.median(spent)


def graph_file(network: RoadNetwork, sources: np.ndarray, path: Path) -> None:
    """Write the graph as peers read it."""
    graph = network.graph
    nodes = network.junctions
    ends = np.zeros((nodes, 2))
    firsts = shapely.get_coordinates(shapely.get_point(network.lines, 0))
    lasts = shapely.get_coordinates(shapely.get_point(network.lines, -1))
    ends[network.ends[:, 0]], ends[network.ends[:, 1]] = firsts, lasts
    lonlat = shapely.get_coordinates(project(shapely.points(ends), WGS84, network.metric_srid))
    tails = np.repeat(np.arange(nodes), np.diff(graph.indptr))
    np.savez(
        path, offsets=graph.indptr, heads=graph.indices, tails=tails, seconds=graph.data, sources=sources,
        lon=lonlat[:, 0], lat=lonlat[:, 1],
    )  # fmt: skip


def against_peers(network: RoadNetwork, python: Path) -> tuple[float, dict[str, dict[str, Any]]]:
    """Return our CPU seconds a source to all nodes, and what each peer told."""
    sources = np.random.default_rng(1).integers(0, network.junctions, OURS)
    costs, starts = costs_of(network), at_nodes(sources)
    out = np.empty((OURS, network.junctions), dtype=np.float32)
    ours = median_s(lambda: many_to_many(costs, starts, out=out)) / OURS
    told = {}
    with tempfile.TemporaryDirectory() as folder:
        graph, answer = Path(folder) / "graph.npz", Path(folder) / "answer.npz"
        graph_file(network, sources, graph)
        for name, (count, rounds, _) in PEERS.items():
            command = [python, HERE / "peer_travel.py", name, graph, answer, str(count), str(rounds)]
            alone = {**os.environ, "OMP_NUM_THREADS": "1"}
            done = subprocess.run(command, check=True, capture_output=True, text=True, env=alone)
            told[name] = json.loads(done.stdout)
            print(name, told[name], file=sys.stderr, flush=True)  # noqa: T201
            with np.load(answer) as file:
                theirs = file["times"]
            # Whole milliseconds add up: half of one for each arc of a way.
            loose = 0.5e-3 * 1500 if name == "pyroutingkit" else 1e-3
            np.testing.assert_allclose(out[: len(theirs)], theirs, rtol=1e-6, atol=loose)
    return ours, told


def by_ourselves(network: RoadNetwork) -> list[tuple[str, str]]:
    """Return what else was measured, in words."""
    rng = np.random.default_rng(2)
    tails = np.r_[network.ends[:, 0], network.ends[:, 1]]
    heads = np.r_[network.ends[:, 1], network.ends[:, 0]]
    seconds = np.r_[network.forward_s, network.backward_s]
    hierarchy = build_hierarchy(network.junctions, tails, heads)
    own = build_hierarchy(network.junctions, tails, heads, metis=False)
    sources = at_nodes(rng.integers(0, network.junctions, OURS))
    out = np.empty((OURS, network.junctions), dtype=np.float32)
    costs, own_costs = hierarchy.customise(seconds), own.customise(seconds)
    shut = rng.integers(0, len(network.ends), 100)
    lines = network.lines[network.targets[rng.integers(0, len(network.targets), FROM + TO)]]
    places = shapely.line_interpolate_point(lines, rng.random(len(lines)), normalized=True)
    lonlat = shapely.get_coordinates(project(places, WGS84, network.metric_srid))
    points = network.snap(lonlat)
    origins, destinations = points.part(slice(0, FROM)), points.part(slice(FROM, None))
    few, others, facilities = (points.part(slice(*part)) for part in ((0, 32), (32, 64), (0, FACILITIES)))
    nodes = network.junctions

    def swept() -> None:
        many_to_many(own_costs, sources, out=out)

    measured: list[tuple[str, Callable[[], Any], int]] = [
        ("order and hierarchy, METIS", lambda: build_hierarchy(nodes, tails, heads), 3),
        ("the same by our own order", lambda: build_hierarchy(nodes, tails, heads, metis=False), 3),
        (f"{OURS} sources to all junctions, our own order", swept, 5),
        ("new speeds: customised", lambda: hierarchy.customise(seconds), ROUNDS),
        ("100 streets closed: network and costs", lambda: costs_of(closed(network, shut)), 3),
        (f"{FROM + TO:,} points met", lambda: network.snap(lonlat), 3),
        (f"{FROM:,} × {TO:,} points", lambda: matrix_s(network, origins, destinations), 3),
        ("32 × 32 points", lambda: matrix_s(network, few, others), ROUNDS),
        (f"nearest of {FACILITIES:,} for {TO:,} points", lambda: nearest_s(network, destinations, facilities), 5),
        (f"isochrones of 10 min, {FACILITIES:,} at once", lambda: isochrones(network, facilities, 600), 3),
        (f"catchments, {FACILITIES:,} at once", lambda: catchments(network, facilities), 3),
    ]
    return [
        ("arcs of the hierarchy, METIS; our own order", f"{len(hierarchy.above):,}; {len(own.above):,}"),
        ("arcs still needed once customised, up; down", f"{len(costs.up.above):,}; {len(costs.down.above):,}"),
        *((name, f"{median_s(work, rounds) * 1000:,.1f} ms") for name, work, rounds in measured),
    ]


def machine() -> str:
    """Return the processor and the versions."""
    named = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    processor = named[0].partition(":")[2].strip() if named else platform.machine()
    ours = ", ".join(f"{name} {version(name)}" for name in ("numba", "numpy", "shapely"))
    metis = f"pymetis {version('pymetis')}" if has_metis() else "no METIS"
    return f"{processor}, {os.cpu_count()} processors, one thread; Python {platform.python_version()}, {ours}, {metis}"


def main() -> None:
    """Measure and write the report."""
    if not SHARED.exists():
        left_out("../shared/data/osm is absent: nothing to measure on.")
    compile_all()
    python = peers_python("travel", settings().state_dir)
    lines, facts, versions = [], [], {}
    for title, file, mode in NETWORKS[1:] if SHORT else NETWORKS:
        roads = read_streets(SHARED / file).roads
        network = build_network(roads, mode, metric_srid_of(*roads["geom"].iloc[0].coords[0]))
        ours, told = against_peers(network, python)
        versions |= {name: each["version"] for name, each in told.items()}
        cells = [f"{each['source_s'] * 1000:,.2f} ms, **{each['source_s'] / ours:,.0f}×**" for each in told.values()]
        cells = [f"{network.junctions:,} / {network.graph.nnz:,}", f"{ours * 1000:.3f} ms", *cells]
        lines.append(f"| {title} | {' | '.join(cells)} |")
        facts.append((title, by_ourselves(network), told))
    goals = ", ".join(f"≥ {goal}× {name}" for name, (_, _, goal) in PEERS.items() if goal)
    peers = ", ".join(f"{name} {number}" for name, number in versions.items())
    text = [
        "# Many travel times: speed", "",
        (f"CPU time, medians, warm, output reused where a library can. {machine()}. Peers, each in a process of its"
        f" own: {peers} (networkx on a MultiDiGraph, as OSMnx makes it). The machine was busy with other work."), "",
        f"Seconds from a junction to all others; how many times as fast we are. Goals: {goals}.", "",
        f"| network | junctions / arcs | ours | {' | '.join(PEERS)} |", "|---" * (3 + len(PEERS)) + "|", *lines, "",
        "Each peer's times of four junctions were compared with ours: to 1 ms and a millionth; pyroutingkit's, which",
        "counts in whole milliseconds, to what its rounding adds up to. The graph of 59,761 nodes that the design",
        "speaks of is not among the shared files; Bucaramanga is the largest that is.", "",
        f"| ours besides | {' | '.join(title for title, _, _ in facts)} |", "|---" * (1 + len(facts)) + "|",
    ]  # fmt: skip
    for rows in zip(*(each for _, each, _ in facts), strict=True):
        text += [f"| {rows[0][0]} | {' | '.join(cell for _, cell in rows)} |"]
    prepared = [f"{told['pyroutingkit']['prepare_s'] * 1000:,.1f} ms" for _, _, told in facts]
    text.append(f"| pyroutingkit prepares and customises | {' | '.join(prepared)} |")
    REPORT.write_text("\n".join([*text, "", *PUBLIC_TRANSPORT]) + "\n")
    print(REPORT.read_text())  # noqa: T201


PUBLIC_TRANSPORT = [
    "## Public transport",
    "",
    "By timetable (GTFS) and on foot; figures and what was tried beside it: [travel](../travel.md#public-transport).",
]

if __name__ == "__main__":
    main()

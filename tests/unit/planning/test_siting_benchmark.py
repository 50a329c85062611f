"""The p-median instances of the OR-Library: every bound holds, every optimum is found and proven."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from planning.siting import SitingProblem, Stop, solve

FIRST = (1, 2, 3, 4, 5, 10)


def read(path: Path) -> SitingProblem:
    numbers = np.array(path.read_text().split(), dtype=np.int64)
    nodes, edges, p = (int(each) for each in numbers[:3])
    lengths = np.full((nodes, nodes), np.inf)
    for first, second, length in numbers[3 : 3 + 3 * edges].reshape(-1, 3):
        lengths[first - 1, second - 1] = lengths[second - 1, first - 1] = length  # the last of twins counts
    rows, columns = np.nonzero(np.isfinite(lengths))
    graph = coo_array((lengths[rows, columns], (rows, columns)), shape=(nodes, nodes)).tocsr()
    return SitingProblem("p-median", dijkstra(graph), np.ones(nodes), p)


def optima(folder: Path) -> dict[int, float]:
    pairs = [line.split() for line in (folder / "pmedopt.txt").read_text().splitlines()]
    return {int(pair[0][4:]): float(pair[1]) for pair in pairs if len(pair) == 2 and pair[0][:4] == "pmed"}


@pytest.mark.parametrize("number", FIRST)
def test_small_instances_are_proven_optimal(shared_data: Path, number: int) -> None:
    folder = shared_data / "benchmarks" / "pmed"
    found = solve(read(folder / f"pmed{number}.txt"), Stop(seconds=30))
    assert (found.status, found.objective) == ("optimal", optima(folder)[number])


@pytest.mark.slow
def test_all_forty_instances(shared_data: Path) -> None:
    folder = shared_data / "benchmarks" / "pmed"
    known = optima(folder)
    hit = proven = 0
    gaps = {}
    for number in range(1, 41):
        found = solve(read(folder / f"pmed{number}.txt"), Stop(seconds=60))
        assert found.bound <= known[number] + 1e-6 <= found.objective + 2e-6, number
        hit += found.objective == known[number]
        proven += found.status == "optimal"
        gaps[number] = found.gap
    assert hit == 40, f"{hit} of 40 optima found"
    assert proven == 40, {number: gap for number, gap in gaps.items() if gap > 0}

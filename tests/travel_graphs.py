"""Random graphs, real extracts, and scipy as the oracle of travel times."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

ABSOLUTE_S, RELATIVE = 1e-3, 1e-6
"""What float32 may differ from float64."""


def oracle_s(nodes: int, tails: np.ndarray, heads: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Return seconds between all nodes by scipy; of parallel arcs the fastest counts, infinite ones are none."""
    return dijkstra(graph_of(nodes, tails, heads, seconds))


def graph_of(nodes: int, tails: np.ndarray, heads: np.ndarray, seconds: np.ndarray) -> csr_array:
    """Return the graph as scipy takes it; an explicit zero is an arc that costs nothing."""
    order = np.lexsort((seconds, heads, tails))
    order = order[np.isfinite(seconds[order])]
    tails, heads, seconds = tails[order], heads[order], seconds[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (tails[1:] != tails[:-1]) | (heads[1:] != heads[:-1])
    offsets = np.searchsorted(tails[first], np.arange(nodes + 1))
    return csr_array((seconds[first], heads[first].astype(np.int32), offsets.astype(np.int32)), shape=(nodes, nodes))


def assert_same(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.dtype == np.float32
    assert (np.isfinite(found) == np.isfinite(expected)).all()
    there = np.isfinite(expected)
    np.testing.assert_allclose(found[there], expected[there], rtol=RELATIVE, atol=ABSOLUTE_S)

"""Times on a prepared graph are those of scipy's Dijkstra, whatever the graph."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from geodata.travel_hierarchy import build_hierarchy
from geodata.travel_nearest import nearest_of
from geodata.travel_order import dissection_rank, neighbours
from geodata.travel_sweep import Ends, at_nodes, many_to_many
from tests.travel_graphs import assert_same, oracle_s


@st.composite
def graphs(draw):
    """Nodes and arcs: one-ways, parallel arcs, loops, arcs of no time, closed arcs, separate parts, one node."""
    nodes = draw(st.integers(1, 24))
    seconds = st.sampled_from([0.0, 0.0, 1.0, 1.0, 2.0, 7.25, np.inf]) | st.floats(0, 5000, width=32)
    ends = st.integers(0, nodes - 1)
    arcs = draw(st.lists(st.tuples(ends, ends, seconds, st.booleans()), max_size=70))
    both = arcs + [(there, here, cost, False) for here, there, cost, back in arcs if back]
    tails, heads, costs = (np.array([arc[part] for arc in both]) for part in range(3))
    return nodes, tails.astype(np.int64), heads.astype(np.int64), costs.astype(np.float64)


NO_ARC = (3, np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
ZERO_TRIANGLE = (3, np.array([0, 1, 2, 1, 2, 0]), np.array([1, 2, 0, 0, 1, 2]), np.zeros(6))


@given(graphs(), st.booleans())
@example(NO_ARC, True)
@example(ZERO_TRIANGLE, False)
@settings(max_examples=150, deadline=None)
def test_times_are_those_of_a_plain_search(graph, metis):
    nodes, tails, heads, seconds = graph
    costs = build_hierarchy(nodes, tails, heads, metis=metis).customise(seconds)
    expected = oracle_s(nodes, tails, heads, seconds)
    everywhere = at_nodes(np.arange(nodes))
    assert_same(many_to_many(costs, everywhere), expected)
    assert_same(many_to_many(costs.reversed(), everywhere).T, expected)
    some = np.arange(0, nodes, 3)[::-1]
    assert_same(many_to_many(costs, everywhere, at_nodes(some), threads=2), expected[:, some])


@given(graphs(), st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_new_times_need_no_new_order(graph, seed):
    nodes, tails, heads, seconds = graph
    hierarchy = build_hierarchy(nodes, tails, heads)
    hierarchy.customise(seconds)
    rng = np.random.default_rng(seed)
    changed = np.where(rng.random(len(seconds)) < 0.3, np.inf, seconds * rng.uniform(0.2, 3, len(seconds)))
    found = many_to_many(hierarchy.customise(changed), at_nodes(np.arange(nodes)))
    assert_same(found, oracle_s(nodes, tails, heads, changed))


@given(graphs(), st.data())
@settings(max_examples=150, deadline=None)
def test_places_over_two_nodes_and_the_nearest_of_them(graph, data):
    nodes, tails, heads, seconds = graph
    costs = build_hierarchy(nodes, tails, heads).customise(seconds)
    whole = oracle_s(nodes, tails, heads, seconds)
    leg = st.sampled_from([0.0, 3.0, 12.5, np.inf])
    place = st.tuples(st.integers(0, nodes - 1), st.integers(0, nodes - 1), leg, leg)
    sources = data.draw(st.lists(place, min_size=1, max_size=40))
    ends = Ends(np.array([each[:2] for each in sources]), np.array([each[2:] for each in sources], np.float32))
    legs = ends.legs_s.astype(float)
    expected = (whole[ends.nodes] + legs[:, :, None]).min(axis=1)
    assert_same(many_to_many(costs, ends), expected)
    between = (expected[:, ends.nodes] + legs).min(axis=2)
    assert_same(many_to_many(costs, ends, ends), between)
    nearest, which = nearest_of(costs, ends)
    assert_same(nearest, expected.min(axis=0))
    assert ((which == -1) == np.isinf(nearest)).all()
    there = np.flatnonzero(which >= 0)
    np.testing.assert_allclose(expected[which[there], there], nearest[there], rtol=1e-6, atol=1e-3)


@given(graphs())
@settings(max_examples=50, deadline=None)
def test_our_own_order_names_each_node_once(graph):
    nodes, tails, heads, _ = graph
    offsets, adjacent = neighbours(nodes, tails, heads)
    for metis in (False, True):
        assert sorted(dissection_rank(offsets, adjacent, metis=metis)) == list(range(nodes))


def test_our_own_order_separates_a_lattice():
    """The last ranks cut a lattice of 40 × 40 in two parts, neither above three quarters."""
    side = 40
    at = np.arange(side * side).reshape(side, side)
    tails, heads = np.r_[at[:, :-1].ravel(), at[:-1].ravel()], np.r_[at[:, 1:].ravel(), at[1:].ravel()]
    rank = dissection_rank(*neighbours(side * side, tails, heads), metis=False)
    above = len(build_hierarchy(side * side, tails, heads, metis=False).above)
    assert above < 14 * side * side  # one after the other would leave 40 a node
    from scipy.sparse.csgraph import connected_components

    from tests.travel_graphs import graph_of

    low = rank < side * side - 2 * side
    kept = low[tails] & low[heads]
    _, label = connected_components(
        graph_of(side * side, tails[kept], heads[kept], np.ones(kept.sum())), directed=False
    )
    assert np.bincount(label[low]).max() <= 0.75 * side * side


def test_bad_arcs_are_refused():
    from core.errors import InvalidInput

    hierarchy = build_hierarchy(2, np.array([0]), np.array([1]))
    for seconds, said in (([-1.0], "1 of 1 arcs"), ([np.nan], "negative time or none"), ([1.0, 2.0], "2 times")):
        with pytest.raises(InvalidInput, match=said):
            hierarchy.customise(np.array(seconds))
    with pytest.raises(InvalidInput, match="outside"):
        build_hierarchy(2, np.array([0]), np.array([2]))
    with pytest.raises(InvalidInput, match="C-ordered"):
        many_to_many(hierarchy.customise(np.ones(1)), at_nodes(np.arange(2)), out=np.empty((2, 3), np.float32))

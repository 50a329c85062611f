"""p-center, covering and capacitated p-median agree with brute force on small tables of costs."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from planning.capacitated import solve_capacitated
from planning.center import solve_center
from planning.choice import Choice
from planning.covering import solve_covering


@st.composite
def tables(draw, demand_most=7, candidates_most=6):
    """Costs with ties, zeros and missing ways."""
    demand, candidates = draw(st.integers(1, demand_most)), draw(st.integers(1, candidates_most))
    cost = st.sampled_from([0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, np.inf]) | st.floats(0, 50, width=16)
    rows = st.lists(cost, min_size=candidates, max_size=candidates)
    return np.array(draw(st.lists(rows, min_size=demand, max_size=demand)))


def choices(candidates: int, p: int):
    return (list(each) for each in itertools.combinations(range(candidates), p))


def check(found: Choice, costs: np.ndarray, best: float) -> None:
    assert found.status == "optimal"
    assert found.objective == pytest.approx(best)
    assert found.bound == pytest.approx(found.objective)
    assert found.gap == pytest.approx(0, abs=1e-6)
    assert set(found.assignment.tolist()) <= set(found.sites)
    assert np.isfinite(costs[np.arange(len(costs)), found.assignment]).all()


@given(tables(), st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_p_center(costs, p):
    found = solve_center(costs, p)
    if p > costs.shape[1]:
        assert (found.status, found.binding) == ("infeasible", "candidates")
        return
    best = min(costs[:, sites].min(axis=1).max() for sites in choices(costs.shape[1], p))
    if np.isinf(best):
        assert (found.status, found.binding) == ("infeasible", "reach")
        return
    check(found, costs, best)
    assert len(found.sites) == p
    assert costs[:, list(found.sites)].min(axis=1).max() == best


@given(tables(), st.sampled_from([1.0, 2.5, 8.0, 40.0]))
@settings(max_examples=100, deadline=None)
def test_covering(costs, limit):
    found = solve_covering(costs, limit)
    reach = costs <= limit
    if not reach.any(axis=1).all():
        assert (found.status, found.binding) == ("infeasible", "reach")
        assert found.unserved == tuple(np.flatnonzero(~reach.any(axis=1)))
        return
    sizes = range(1, costs.shape[1] + 1)
    best = next(p for p in sizes if any(reach[:, each].any(axis=1).all() for each in choices(costs.shape[1], p)))
    check(found, costs, best)
    assert reach[:, list(found.sites)].any(axis=1).all()


@given(tables(5, 4), st.integers(1, 4), st.data())
@settings(max_examples=100, deadline=None)
def test_capacitated_p_median(costs, p, data):
    demand, candidates = costs.shape
    size = np.array(data.draw(st.lists(st.integers(0, 5), min_size=demand, max_size=demand)), float)
    capacity = np.array(data.draw(st.lists(st.integers(0, 14), min_size=candidates, max_size=candidates)), float)
    found = solve_capacitated(costs, size, capacity, p)
    best = np.inf
    for sites in choices(candidates, p) if p <= candidates else ():
        for assigned in itertools.product(sites, repeat=demand):
            if (np.bincount(assigned, weights=size, minlength=candidates) <= capacity).all():
                best = min(best, costs[np.arange(demand), list(assigned)].sum())
    if np.isinf(best):
        assert found.status == "infeasible"
        assert found.binding in {"candidates", "reach", "capacity"}
        return
    check(found, costs, best)
    assert len(found.sites) == p
    assert (np.bincount(found.assignment, weights=size, minlength=candidates) <= capacity + 1e-9).all()


def test_a_candidate_without_room_or_way_and_one_without_end():
    costs = np.array([[1.0, 2.0, np.inf], [4.0, 1.0, np.inf]])
    found = solve_capacitated(costs, np.array([2.0, 2.0]), np.array([2.0, np.inf, 0.0]), 2)
    check(found, costs, 2.0)
    assert found.assignment.tolist() == [0, 1]


def test_what_cannot_be_computed_with_is_refused():
    for ask in (
        lambda: solve_center(np.array([[-1.0]]), 1),
        lambda: solve_center(np.array([[1.0]]), 0),
        lambda: solve_covering(np.array([[np.nan]]), 1),
        lambda: solve_covering(np.array([[1.0]]), 0),
        lambda: solve_capacitated(np.ones((2, 1)), np.ones(1), np.ones(1), 1),
        lambda: solve_capacitated(np.ones((1, 1)), -np.ones(1), np.ones(1), 1),
        lambda: solve_capacitated(np.ones((1, 1)), np.ones(1), np.ones(1), 0),
    ):
        with pytest.raises(InvalidInput):
            ask()


@pytest.mark.parametrize("seed", range(3))
def test_a_bound_holds_where_time_runs_out(seed):
    rng = np.random.default_rng(seed)
    places = rng.uniform(0, 100, (60, 2))
    costs = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    size, capacity = rng.integers(1, 20, 60).astype(float), np.full(60, 150.0)
    short = solve_capacitated(costs, size, capacity, 6, seconds=0.3)
    assert short.bound <= short.objective
    assert (np.bincount(short.assignment, weights=size, minlength=60) <= 150).all()

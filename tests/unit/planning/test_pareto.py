"""Fronts: each point stands on the best there is by brute force, no point beats another, the ends are proven."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from planning.pareto import Front, cost_coverage, efficiency_equity, fronts
from planning.placement import Placement


def question(seed: int, **more) -> Placement:
    rng = np.random.default_rng(seed)
    homes, places = rng.random((14, 2)) * 1000, rng.random((7, 2)) * 1000
    od_s = np.hypot(*(homes[:, None] - places[None]).transpose(2, 0, 1))
    if seed % 2:
        od_s[0] = np.inf  # nobody reaches the first
    people = rng.integers(1, 30, 14).astype(float)
    there = rng.random((14, 1)) * 1500 if seed % 3 == 0 else None
    return Placement("p-median", od_s, people, 3, limit_s=300.0, there_s=there, **more)


def plans(problem: Placement, p: int):
    """Times of everybody who can be served under every choice of p sites."""
    for sites in itertools.combinations(range(problem.od_s.shape[1]), p):
        times = problem.od_s[:, list(sites)].min(axis=1)
        if problem.there_s is not None:
            times = np.minimum(times, problem.there_s.min(axis=1))
        yield sites, times


@pytest.mark.parametrize("seed", range(6))
def test_efficiency_against_equity_is_the_least_mean_for_each_longest_way(seed):
    problem = question(seed)
    front = efficiency_equity(problem, points=5, seconds=20)
    assert front is not None
    served = np.isfinite(problem.od_s).any(axis=1) | (np.isfinite(problem.there_s).any(axis=1) if problem.there_s is not None else False)  # fmt: skip # noqa: E501
    people = problem.people[served]
    known = [(times[served].max(), np.average(times[served], weights=people)) for _, times in plans(problem, 3)]
    for point in front.points:
        best = min(mean for farthest, mean in known if farthest <= point.x * (1 + 1e-9))
        assert point.y == pytest.approx(best)
        assert point.bound <= best * (1 + 1e-9)
        assert (point.mean_s, point.farthest_s) == (pytest.approx(point.y), pytest.approx(point.x))
    assert front.points[0].x == pytest.approx(min(farthest for farthest, _ in known)) == pytest.approx(front.x_least)
    assert front.points[-1].y == pytest.approx(min(mean for _, mean in known)) == pytest.approx(front.y_best)
    unbeaten(front, rising=False)


@pytest.mark.parametrize("seed", range(4))
def test_coverage_is_the_most_people_for_so_many_sites(seed):
    problem = question(seed)
    front = cost_coverage(problem, seconds=20)
    assert front is not None
    assert not front.priced
    for point in front.points:
        best = max(problem.people[times <= 300].sum() for _, times in plans(problem, int(point.x)))
        assert point.y == point.within == point.bound == best
        assert point.proven
    unbeaten(front, rising=True)


def test_coverage_is_the_most_people_for_so_much_money():
    cost = np.array([5.0, 3, 9, 4, 2, 8, 6])
    front = cost_coverage(question(2, cost=cost), points=6, seconds=20)
    assert front is not None
    assert front.priced
    problem = question(2)
    for point in front.points:
        assert point.x == point.cost == cost[list(point.sites)].sum()
        values = [
            problem.people[times <= 300].sum()
            for p in (1, 2, 3)
            for sites, times in plans(problem, p)
            if cost[list(sites)].sum() <= point.x
        ]
        assert point.y == max(values)
    unbeaten(front, rising=True)


def test_a_question_without_a_limit_has_one_front_and_without_people_none():
    problem = question(0)
    assert [front.trade for front in fronts(problem, seconds=10)] == ["efficiency-equity", "cost-coverage"]
    plain = Placement("p-median", problem.od_s, problem.people, 2)
    assert [front.trade for front in fronts(plain, seconds=5)] == ["efficiency-equity"]
    assert fronts(Placement("p-median", problem.od_s, np.zeros(14), 2)) == ()


def unbeaten(front: Front, *, rising: bool) -> None:
    x, y = [point.x for point in front.points], [point.y for point in front.points]
    assert x == sorted(set(x))
    assert y == sorted(set(y), reverse=not rising)

"""Siting by blocks: the bound holds for the whole question, and the choice is as good as that of the whole matrix."""

from __future__ import annotations

import numpy as np
import pytest

from core.errors import InvalidInput
from core.progress import Cancelled
from planning import blocks
from planning.blocks import solve_by_blocks
from planning.branch import by_cases
from planning.siting import SitingProblem, Stop, solve


def asked(seed: int, demand: int = 120, candidates: int = 40):
    rng = np.random.default_rng(seed)
    homes, places = rng.random((demand, 2)) * 9000, rng.random((candidates, 2)) * 9000
    od_s = np.abs(homes[:, None] - places[None]).sum(axis=2).astype(np.float32)
    if seed % 2:
        od_s[rng.random(od_s.shape) < 0.1] = np.inf
    return od_s, rng.integers(1, 60, demand).astype(float)


@pytest.mark.parametrize("p", [1, 2, 5, 24])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_bound_holds_and_the_choice_is_near(monkeypatch, seed, p):
    monkeypatch.setattr(blocks, "BLOCK", 7)
    od_s, people = asked(seed)
    whole = solve(SitingProblem("p-median", od_s.astype(float), people, p))
    assert whole.status == "optimal"
    found = solve_by_blocks(lambda rows: od_s.T[rows], 40, people, p, stop=Stop(gap=0.0, rounds=800))
    assert found.bound <= whole.objective * (1 + 1e-6)
    assert whole.objective * (1 - 1e-6) <= found.objective <= whole.objective * 1.02
    assert found.gap < 0.1
    assert len(found.sites) == p
    assert found.objective == pytest.approx(
        people @ np.where(np.isfinite(found.times_s), found.times_s, found.unserved_s)
    )
    assert found.unserved == people[~np.isfinite(od_s[:, list(found.sites)]).any(axis=1)].sum()


def test_some_candidates_are_enough_to_begin_with(monkeypatch):
    monkeypatch.setattr(blocks, "SAMPLE", 8)
    monkeypatch.setattr(blocks, "SEARCHED", 12)
    od_s, people = asked(2)
    whole = solve(SitingProblem("p-median", od_s.astype(float), people, 5))
    found = solve_by_blocks(lambda rows: od_s.T[rows], 40, people, 5, stop=Stop(gap=0.0, rounds=800))
    assert found.bound <= whole.objective * (1 + 1e-6) <= found.objective * (1 + 2e-6)
    assert found.objective <= whole.objective * 1.02
    with pytest.raises(InvalidInput):
        solve_by_blocks(lambda rows: od_s.T[rows], 40, people, 41)


def test_a_bound_is_told_however_short_the_time():
    od_s, people = asked(0)
    found = solve_by_blocks(lambda rows: od_s.T[rows], 40, people, 5, stop=Stop(gap=0.0, seconds=0.0))
    assert 0 < found.bound <= found.objective
    assert found.gap < 0.5


def test_a_wish_to_stop_is_heard_between_blocks():
    class Impatient:
        def step(self, name: str, total: int | None = None) -> None: ...

        def advance(self, items: int = 1) -> None:
            raise Cancelled(f"enough after {items}")

    od_s, people = asked(0)
    with pytest.raises(Cancelled):
        solve_by_blocks(lambda rows: od_s.T[rows], 40, people, 5, progress=Impatient())


@pytest.mark.parametrize("seed", range(12))
def test_cases_prove_what_looking_at_everything_says(seed, monkeypatch):
    rng = np.random.default_rng(seed)
    costs = rng.integers(1, 60, (14, 30)).astype(float) if seed % 2 else rng.random((14, 30))
    from itertools import combinations

    from core.progress import Silent
    from planning.best import Best
    from planning.bound import raise_bound

    best_of_all = min(costs[list(sites)].min(axis=0).sum() for sites in combinations(range(14), 4))
    worst = np.arange(4)
    best = Best(float(costs[worst].min(axis=0).sum()), worst, 0.0)
    monkeypatch.setattr("planning.bound.swap_search", lambda *_: (np.inf, worst))
    monkeypatch.setattr("planning.branch.swap_search", lambda *_: (np.inf, worst))
    root = raise_bound(costs, 4, best, rounds=25, gap=0.0, deadline=np.inf)
    assert by_cases(costs, root, 4, best, gap=0.0, deadline=np.inf, cases=10_000, progress=Silent()) or root.settled
    assert best.cost == pytest.approx(best_of_all)
    assert best.bound == pytest.approx(best_of_all, rel=1e-8)
    assert costs[best.sites].min(axis=0).sum() == pytest.approx(best.cost)

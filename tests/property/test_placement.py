"""Every kind of siting question with all it can keep to: brute force over every choice agrees."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from planning.kinds import KINDS
from planning.placement import Placement, place
from planning.siting import EXISTING, UNSERVED, Stop
from tests.sitings import brute_force, random_problem

SEEDS = 50
QUICK = Stop(seconds=20, starts=2)


@pytest.mark.parametrize("kind", KINDS)
def test_brute_force_agrees(kind: str) -> None:
    agree(kind, range(SEEDS))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_brute_force_agrees_on_many_more(kind: str) -> None:
    agree(kind, range(SEEDS, 400))


def agree(kind: str, seeds: range) -> None:
    answered = 0
    for seed in seeds:
        problem = random_problem(kind, seed)
        found, best = place(problem, QUICK, seed=seed), brute_force(problem)
        if found.status == "infeasible":
            nobody = found.binding == "people" or (found.binding == "reach" and kind != "lscp")
            assert best is None or nobody, (seed, found.binding, best)
            assert found.binding, seed
            continue
        answered += 1
        assert best is not None, seed
        sites = np.array(found.sites, dtype=int)
        assert problem.side().allows(sites), seed
        assert found.objective == pytest.approx(best, rel=1e-6, abs=1e-6), (seed, found)
        assert found.bound == pytest.approx(best, rel=1e-5, abs=1e-5), (seed, found)
        assert found.status == "optimal", (seed, found)
        without = (problem.people > 0) & (found.assignment == UNSERVED)
        assert np.isin(found.assignment[~without & (problem.people > 0)], [*found.sites, EXISTING]).all(), seed
    assert answered > len(seeds) / 8


def test_a_bound_holds_and_an_answer_keeps_to_all_where_time_is_short() -> None:
    rng = np.random.default_rng(3)
    homes, places = rng.random((300, 2)) * 5000, rng.random((80, 2)) * 5000
    od_s = np.abs(homes[:, None] - places[None]).sum(axis=2)
    between = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    problem = Placement(
        "p-median", od_s, rng.random(300) * 20, 6, limit_s=900.0, conflicts=np.argwhere(np.triu(between < 700, 1)),
        cost=rng.random(80), budget=2.0, group=rng.integers(0, 4, 300), floor=0.15,
    )  # fmt: skip
    found = place(problem, Stop(seconds=1))
    assert problem.side().allows(np.array(found.sites))
    assert found.bound <= found.objective
    assert 0 <= found.gap <= 1
    free = place(
        dataclasses.replace(problem, conflicts=np.empty((0, 2), int), budget=None, floor=None), Stop(seconds=1)
    )
    assert free.bound <= found.objective, "what must be kept to makes nothing cheaper"

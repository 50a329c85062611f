"""What a bound promises holds where a search is cut short, weights are tiny or huge, and fewer sites may do."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from planning import listening
from planning.blocks import not_above
from planning.bound import margin_of
from planning.kinds import INFO, KINDS
from planning.listening import scale_of
from planning.placement import Placement, place
from planning.siting import Stop
from tests.sitings import brute_force, random_problem

SCALES = (1e-7, 1.0, 1e9)
STOPS = (Stop(seconds=20, starts=1), Stop(seconds=20, starts=1, rounds=25, cases=3), Stop(seconds=0.0, starts=1))


def asked(kind: str, seed: int) -> Placement:
    """A small question; people, rooms and money are all so many times what they were, in places fewer sites do."""
    rng, problem = np.random.default_rng(seed), random_problem(kind, 5000 + seed)
    scale = SCALES[seed % len(SCALES)]
    there = problem.there_capacity
    return dataclasses.replace(
        problem, people=problem.people * scale, capacity=problem.capacity * scale, hour_cost=problem.hour_cost / scale,
        there_capacity=None if there is None else there * scale,
        fewer=bool(rng.random() < 0.3), p=problem.p + int(rng.random() < 0.1),
    )  # fmt: skip


def holds(kind: str, seeds: range) -> None:
    sign = -1.0 if INFO[kind].maximised else 1.0
    for seed in seeds:
        problem = asked(kind, seed)
        found, best = place(problem, STOPS[seed // 3 % 3], seed=seed), brute_force(problem)
        if found.status == "infeasible":
            assert best is None or found.binding in {"people", "time"} or (found.binding == "reach" and kind != "lscp")
            continue
        assert best is not None, seed
        spare = 1e-8 * abs(best)
        assert problem.side().allows(np.array(found.sites, dtype=int)), seed
        assert sign * found.bound <= sign * best + spare, (seed, found, best)
        assert sign * best <= sign * found.objective + spare, (seed, found, best)
        if found.status == "optimal":
            assert abs(found.objective - best) <= 2 * spare, (seed, found, best)


@pytest.mark.parametrize("kind", KINDS)
def test_no_choice_beats_a_bound(kind: str) -> None:
    holds(kind, range(9))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_no_choice_beats_a_bound_in_many_more(kind: str) -> None:
    holds(kind, range(9, 400))


@pytest.mark.parametrize("kind", ["p-median", "mclp"])
def test_no_money_for_anything_new_is_an_answer_where_something_is_there(kind: str) -> None:
    problem = Placement(
        kind, np.array([[100.0, 50.0], [70.0, 20.0]]), np.array([3.0, 4.0]), 2, limit_s=60.0,
        there_s=np.array([[30.0], [900.0]]), cost=np.array([5.0, 6.0]), budget=1.0, fewer=True,
    )  # fmt: skip
    found = place(problem, Stop(seconds=5))
    assert (found.status, found.sites) == ("optimal", ())
    assert found.objective == (3.0 if kind == "mclp" else 3 * 30 + 4 * 900)


@pytest.mark.parametrize("kind", KINDS)
def test_without_what_is_private_of_scipy_the_answer_is_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = random_problem(kind, 7)
    monkeypatch.setattr(listening, "SMALL", 0)
    heard = place(problem, Stop(seconds=20))
    monkeypatch.setattr(listening, "_highs", None)
    alone = place(problem, Stop(seconds=20))
    assert heard.status == alone.status
    assert heard.objective == pytest.approx(alone.objective, nan_ok=True)


def test_single_precision_never_makes_a_cost_larger() -> None:
    values = np.random.default_rng(1).random(1000) * 1e5
    assert (not_above(values) <= values).all()
    assert not_above(values) == pytest.approx(values, rel=2e-7)


def test_a_sum_too_large_to_be_known_to_a_whole_is_not_rounded_up() -> None:
    assert 0.99 < margin_of(np.ones((1, 2)), 1e6) < 1
    assert margin_of(np.ones((1, 2)), 1e13) == pytest.approx(5e3)


@pytest.mark.parametrize(
    ("largest", "scale"), [(0.0, 1.0), (5.0, 1.0), (3e-7, 2.0**22), (1e-310, 1.0), (3e9, 2.0**-31)]
)
def test_numbers_are_brought_where_tolerances_fit(largest: float, scale: float) -> None:
    assert scale_of(np.array([largest, -largest, np.inf])) == scale

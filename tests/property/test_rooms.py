"""Sites with little room: full to the last person is no more than full, and a little too little is too little."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from planning.capacitated import solve_capacitated
from planning.placement import Placement, place
from planning.siting import Stop
from tests.sitings import brute_force

SHORT = (-1e-5, -5e-7, -1e-7, -1e-8, 0.0)
"""By which share the room of every site is too little for a way to send everybody somewhere."""
SIZES = (1.0, 1e-6, 1e5, 50.0)


@pytest.mark.parametrize("scale", [1e-9, 1e-6, 1e-3, 1.0, 1e7])
def test_a_site_is_full_whatever_people_are_counted_in(scale: float) -> None:
    """8, 4 and 3 millionths add up to a little more than 15 millionths; nobody is turned away for that."""
    problem = Placement(
        "cpmp", np.array([[10.0], [np.inf], [1.0], [9.0]]), np.array([8.0, 3.0, 4.0, 3.0]) * scale, 1,
        capacity=np.array([15.0]) * scale,
    )  # fmt: skip
    found = place(problem, Stop(seconds=5))
    assert found.status == "optimal"
    assert found.objective == pytest.approx(111.0 * scale, rel=1e-9)
    assert found.objective == pytest.approx(brute_force(problem), rel=1e-9)
    short = dataclasses.replace(problem, capacity=np.array([14.0]) * scale)
    assert place(short, Stop(seconds=5)).binding == "capacity"
    assert brute_force(short) is None


def agree(seeds: range) -> None:
    for seed in seeds:
        rng = np.random.default_rng(seed)
        demand, sites = int(rng.integers(2, 7)), int(rng.integers(1, 4))
        size, costs = rng.random(demand) * SIZES[seed % 4], rng.integers(0, 9, (demand, sites)).astype(float)
        room = np.bincount(rng.integers(0, sites, demand), size, sites) * (1 + SHORT[seed % 5])
        best = np.inf
        for chosen in itertools.product(range(sites), repeat=demand):
            if (np.bincount(np.array(chosen), size, sites) <= room * (1 + 1e-9)).all():
                best = min(best, costs[np.arange(demand), np.array(chosen)].sum())
        found = solve_capacitated(costs, size, room, sites, seconds=5)
        assert (found.status == "optimal") == np.isfinite(best), seed
        if np.isfinite(best):
            assert found.objective == pytest.approx(best, rel=1e-9), seed
            assert (np.bincount(found.assignment, size, sites) <= room * (1 + 1e-9)).all(), seed


def test_room_that_lacks_a_ten_millionth_is_not_enough() -> None:
    agree(range(60))


@pytest.mark.slow
def test_room_that_lacks_a_ten_millionth_is_not_enough_in_many_more() -> None:
    agree(range(60, 6000))

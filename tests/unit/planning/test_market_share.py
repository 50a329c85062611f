"""Market share: planes lie above what any choice draws, and the best choice is found and proved."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from planning.draw_kernels import find_levels, sum_planes
from planning.huff import drawn, solve_huff
from planning.side import Side


def question(seed: int, demand: int, candidates: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pulls of every strength, some none; what is there; people."""
    rng = np.random.default_rng(seed)
    pulls = rng.random((demand, candidates)) ** 6
    pulls[rng.random(pulls.shape) < 0.2] = 0.0
    return pulls, rng.random(demand) ** 4 + 1e-4, rng.integers(0, 9, demand).astype(float)


@pytest.mark.parametrize("seed", range(2))
def test_planes_lie_above_every_choice_and_touch_where_they_were_made(seed: int) -> None:
    pulls, rest, people = question(seed, 30, 7)
    rng = np.random.default_rng(seed)
    one, slopes, bases = np.zeros(30, dtype=np.int64), np.empty((1, 7)), np.empty(1)
    for _ in range(8):
        levels = rng.random(30) * rng.choice([0.0, 0.01, 1.0, 4.0])
        sum_planes(pulls, rest, people, levels, one, slopes, bases)
        for sites in itertools.chain.from_iterable(itertools.combinations(range(7), count) for count in range(1, 8)):
            assert bases[0] + slopes[0][list(sites)].sum() >= drawn(pulls, rest, people, np.array(sites)) - 1e-9
    sites, share = np.array([1, 4, 5]), np.array([1.0, 1.0, 1.0])
    said = find_levels(pulls, rest, people, sites, share, levels)
    assert said == pytest.approx(drawn(pulls, rest, people, sites))


@pytest.mark.parametrize("seed", range(4))
def test_levels_make_the_lowest_of_all_planes(seed: int) -> None:
    pulls, rest, people = question(seed, 12, 8)
    at, levels = np.arange(8), np.empty(12)
    share = np.random.default_rng(seed).dirichlet(np.ones(8)) * 2.5
    share = np.minimum(share, 1.0)
    said = find_levels(pulls, rest, people, at, share, levels)
    one, slopes, bases = np.zeros(12, dtype=np.int64), np.empty((1, 8)), np.empty(1)
    sum_planes(pulls, rest, people, levels, one, slopes, bases)
    assert bases[0] + slopes[0] @ share == pytest.approx(said)
    for factor in (0.0, 0.5, 0.9, 1.1, 2.0):
        sum_planes(pulls, rest, people, levels * factor, one, slopes, bases)
        assert bases[0] + slopes[0] @ share >= said - 1e-9


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("beside", [False, True])
def test_the_best_of_all_choices_is_found_and_proved(seed: int, *, beside: bool) -> None:
    pulls, rest, people = question(seed, 60, 10)
    fixed = np.array([3]) if seed % 2 else np.empty(0, dtype=np.int64)
    conflicts = np.array([[0, 1], [2, 9], [5, 9]]) if beside else np.empty((0, 2), dtype=np.int64)
    side = Side(10, 3, 3, fixed=fixed, conflicts=conflicts)
    every = [np.array(sites) for sites in itertools.combinations(range(10), 3) if side.allows(sites)]
    best = max(drawn(pulls, rest, people, sites) for sites in every)
    found = solve_huff(pulls, rest, people, side, seconds=60)
    assert (found.status, -found.objective) == ("optimal", pytest.approx(best))
    short = solve_huff(pulls, rest, people, side, seconds=0.0)
    assert side.allows(short.sites)
    assert -short.bound >= best - 1e-9
    near = solve_huff(pulls, rest, people, side, seconds=60, gap=0.1)
    assert -near.bound >= best - 1e-9
    assert near.gap <= 0.1 + 1e-9


class Hasty(Side):
    """Its search is always ended too early: it has the worst choice, and a bound."""

    def choose(self, worth: np.ndarray, *, seconds: float = 10.0) -> tuple[np.ndarray | None, float]:
        del seconds
        every = [np.array(sites) for sites in itertools.combinations(range(self.candidates), self.most)]
        allowed = [sites for sites in every if self.allows(sites)]
        if not allowed:
            return None, np.inf
        sums = [float(worth[sites].sum()) for sites in allowed]
        return allowed[int(np.argmax(sums))], min(sums) - 1.0


@pytest.mark.parametrize("seed", [37, 55])
def test_a_search_beside_that_ends_too_early_proves_nothing(seed: int) -> None:
    pulls, rest, people = question(seed, 20, 6)
    side = Hasty(6, 2, 2, conflicts=np.array([[0, 1], [2, 5]]))
    every = [np.array(sites) for sites in itertools.combinations(range(6), 2) if side.allows(sites)]
    best = max(drawn(pulls, rest, people, sites) for sites in every)
    found = solve_huff(pulls, rest, people, side, seconds=30)
    assert -found.bound >= best - 1e-6
    assert found.status == "feasible" or -found.objective == pytest.approx(best)

"""The numbers of a study's report hold for every city: they add up, and what is certified is never rounded down."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning.report import count, most_gaining, most_left_out, quantile
from planning.report_model import NOBODY, Homes, at_most
from planning.report_trials import SPEED, factors

LIMIT_S = 900.0
TIMES = st.one_of(st.floats(0, 20_000), st.just(math.inf))


@st.composite
def cities(draw: st.DrawFn) -> Homes:
    size = draw(st.integers(1, 40))

    def many(each: st.SearchStrategy, kind: type = float) -> np.ndarray:
        return np.array(draw(st.lists(each, min_size=size, max_size=size)), dtype=kind)

    people = many(st.one_of(st.just(0.0), st.floats(0.1, 500)))
    now, saved = many(TIMES), many(st.floats(0, 1))
    then = np.where(np.isfinite(now), np.nan_to_num(now, posinf=0.0) * saved, many(TIMES))
    place = np.zeros((size, 2))
    area, grid = many(st.integers(0, 4), int), many(st.integers(0, 9), int)
    return Homes(place, people, grid, area, now, then, np.full(size, NOBODY), np.zeros(size, dtype=int))


@given(cities())
def test_everybody_is_counted_once_in_every_table(homes: Homes) -> None:
    numbers = count(homes, LIMIT_S, there=True)
    everybody = homes.people.sum()
    near = pytest.approx(everybody, abs=1e-6)
    assert numbers.now is not None
    assert numbers.spread_now is not None
    assert numbers.change.shorter + numbers.change.longer + numbers.change.same == near
    for rows in (numbers.communities, numbers.grids):
        assert sum(row.then.people for row in rows) == near
        assert sum(row.then.within for row in rows) == pytest.approx(numbers.then.within, abs=1e-6)
        assert sum(row.left_out for row in rows) == pytest.approx(everybody - numbers.then.within, abs=1e-6)
    assert numbers.spread_then.bars.sum() + numbers.then.unreached == near
    assert numbers.spread_now.bars.sum() + numbers.now.unreached == near
    gained = numbers.change.newly_in - numbers.change.newly_out
    assert gained == pytest.approx(numbers.then.within - numbers.now.within, abs=1e-6)


@given(cities())
def test_shorter_ways_harm_nobody_and_lists_are_in_order(homes: Homes) -> None:
    numbers = count(homes, LIMIT_S, there=True)
    finite = np.isfinite(homes.now_s)
    if finite.all():
        assert numbers.change.longer == 0
        assert numbers.change.newly_out == 0
    gaining, left = most_gaining(numbers.grids, 3), most_left_out(numbers.grids, 3)
    assert len(gaining) <= 3
    assert [row.gained for row in gaining] == sorted((row.gained for row in gaining), reverse=True)
    assert all(row.left_out >= 1 for row in left)
    then = numbers.then
    if then.mean_s is not None and then.middle_s is not None and then.far_s is not None:
        assert then.middle_s <= then.far_s


def test_without_anything_there_is_no_before() -> None:
    homes = Homes(
        np.zeros((2, 2)), np.array([3.0, 0.0]), np.array([1, 1]), np.array([0, 0]), np.full(2, np.inf),
        np.array([60.0, np.inf]), np.array([1, NOBODY]), np.array([0, -1]),
    )  # fmt: skip
    numbers = count(homes, LIMIT_S, there=False)
    assert (numbers.now, numbers.spread_now) == (None, None)
    assert (numbers.change.newly_in, numbers.then.within) == (3.0, 3.0)
    assert [row.key for row in numbers.communities] == [0]


@given(st.floats(0, 1))
def test_a_certified_gap_is_rounded_up(gap: float) -> None:
    shown = at_most(gap)
    assert shown >= gap - 1e-6
    assert shown < gap + 0.001 + 1e-6
    assert math.isclose(shown * 1000, round(shown * 1000), abs_tol=1e-9)


@pytest.mark.parametrize(("gap", "shown"), [(0.0, 0.0), (1e-7, 0.0), (2e-6, 0.001), (0.012, 0.012), (0.0121, 0.013)])
def test_a_small_gap_is_not_called_none(gap: float, shown: float) -> None:
    assert at_most(gap) == pytest.approx(shown)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0.1, 9)), min_size=1, max_size=30), st.floats(0.01, 1))
def test_a_quantile_holds_its_share(pairs: list[tuple[float, float]], share: float) -> None:
    values, weight = np.array(pairs).T
    found = quantile(values, weight, share)
    assert weight[values <= found].sum() >= share * weight.sum() * (1 - 1e-9)
    assert weight[values < found].sum() <= share * weight.sum() * (1 + 1e-9)


@given(st.integers(0, 2**32), st.lists(st.integers(0, 5), min_size=1, max_size=30))
def test_a_trial_keeps_to_its_speeds_and_its_seed(seed: int, squares: list[int]) -> None:
    at = np.array(squares)
    slower = factors(at, np.random.default_rng(seed))
    assert (1 / slower >= 1 - SPEED - 1e-12).all()
    assert (1 / slower <= 1 + SPEED + 1e-12).all()
    assert (slower == factors(at, np.random.default_rng(seed))).all()
    assert all(len(set(slower[at == square])) == 1 for square in set(squares))

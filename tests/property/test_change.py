"""A change between two periods: symmetric, exact, never alarmed by chance more than allowed."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidInput
from insight.change import LEVEL, MORE, NO_CLEAR, NOTHING, TOO_FEW, change

Pairs = list[tuple[int, int]]
pairs = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=30)
days = st.integers(1, 400)


def arrays(drawn: Pairs) -> tuple[np.ndarray, np.ndarray]:
    table = np.array(drawn, dtype=np.int64)
    return table[:, 0], table[:, 1]


def exact(before: int, after: int, share: Fraction) -> float:
    """The same by whole numbers: the smaller tail of the binomial, doubled."""
    total = before + after
    weight = [math.comb(total, k) * share**k * (1 - share) ** (total - k) for k in range(total + 1)]
    return float(min(Fraction(1), 2 * min(sum(weight[: after + 1]), sum(weight[after:]))))


@given(pairs, days, days)
def test_p_is_that_of_the_binomial_counted_out(drawn: Pairs, first: int, second: int) -> None:
    before, after = arrays(drawn[:4])
    found = change(before, after, days_before=first, days_after=second)
    share = Fraction(second, first + second)
    expected = [exact(int(b), int(a), share) for b, a in zip(before, after, strict=True)]
    assert found.p == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(pairs, days, days)
def test_the_periods_exchanged_turn_every_verdict_round(drawn: Pairs, first: int, second: int) -> None:
    before, after = arrays(drawn)
    there = change(before, after, days_before=first, days_after=second)
    back = change(after, before, days_before=second, days_after=first)
    assert there.p == pytest.approx(back.p, rel=1e-9)
    turned = np.where(back.verdict > 0, 6 - back.verdict, back.verdict)
    # At a ratio of exactly two the last digit of a division may tip a place over.
    same = there.verdict == turned
    at_two = np.isclose(there.ratio, 2) | np.isclose(there.ratio, 0.5)
    assert (same | at_two).all()


@given(pairs, days, days)
def test_what_is_called_clear_is_clear_and_the_order_of_places_says_nothing(
    drawn: Pairs, first: int, second: int
) -> None:
    before, after = arrays(drawn)
    found = change(before, after, days_before=first, days_after=second)
    judged = np.isfinite(found.q)
    assert (found.q[judged] >= found.p[judged] - 1e-12).all(), "holding down never makes surer"
    assert ((found.verdict == NOTHING) == (before + after == 0)).all()
    assert ((found.verdict == TOO_FEW) == (~judged & (before + after > 0))).all()
    assert (found.p[found.verdict == TOO_FEW] > LEVEL).all(), "what is left out could not have been found"
    order = np.random.default_rng(len(drawn)).permutation(len(before))
    again = change(before[order], after[order], days_before=first, days_after=second)
    assert (again.verdict == found.verdict[order]).all()


@given(st.integers(0, 40), st.integers(0, 40), days)
def test_more_afterwards_never_looks_less_like_a_rise(before: int, after: int, length: int) -> None:
    b, a = np.array([before]), np.array([after])
    one = change(b, a, days_before=length, days_after=length)
    more = change(b, a + 1, days_before=length, days_after=length)
    if after >= before:
        assert more.p[0] <= one.p[0] + 1e-12
    assert more.verdict[0] >= MORE or one.verdict[0] < MORE


def test_where_nothing_changed_alarms_are_rare() -> None:
    rng = np.random.default_rng(9)
    alarmed = 0
    for _ in range(200):
        rate = rng.gamma(1.5, 4.0, 400)
        found = change(rng.poisson(rate * 3), rng.poisson(rate), days_before=90, days_after=30)
        alarmed += bool(found.clear)
    assert alarmed <= 200 * LEVEL, "with nothing to find, any alarm in a city is a false discovery"


def test_a_real_rise_is_found_among_many_quiet_places() -> None:
    rng = np.random.default_rng(3)
    before, after = rng.poisson(8, 500), rng.poisson(8, 500)
    after[:10] = 40
    found = change(before, after, days_before=30, days_after=30)
    assert (found.verdict[:10] >= MORE).all()
    assert (found.verdict[10:] == NO_CLEAR).mean() > 0.97


def test_nothing_at_all_is_answered_and_nonsense_is_refused() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert not change(none, none, days_before=1, days_after=1).judged
    with pytest.raises(InvalidInput, match="Counts"):
        change(np.array([-1]), np.array([1]), days_before=1, days_after=1)
    with pytest.raises(InvalidInput, match="one day"):
        change(np.array([1]), np.array([1]), days_before=0, days_after=1)

"""The indicators: the published golden vector, and what an interval must be for every count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insight import indicators
from insight.indicators import BY_KEY, COUNTS, INDICATORS, Weights, weighted, wilson

TIANMEN = {"accepted": 1054, "filed": 996, "due": 972, "closed": 911, "closed_on_time": 737}
"""Tianmen, December 2016, as published."""
pairs = st.integers(0, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def per_cent(key: str, counts: dict[str, int]) -> float:
    top, bottom = BY_KEY[key].of(counts)
    return round(100 * top / bottom, 2)


def test_golden_vector() -> None:
    assert per_cent("closing", TIANMEN) == 93.72
    assert per_cent("closing_on_time", TIANMEN) == 75.82
    assert per_cent("closing", {"due": 956, "closed": 902}) == 94.35
    assert per_cent("closing", {"due": 16, "closed": 9}) == 56.25
    assert per_cent("filing", TIANMEN) == 94.5


def test_postponed_leave_the_due_count_and_returns_the_dispatches() -> None:
    assert BY_KEY["closing"].of({"due": 10, "postponed": 2, "closed": 8}) == (8, 8)
    assert BY_KEY["accurate_dispatch"].of({"dispatches": 10, "returns": 3}) == (7, 10)


def test_every_indicator_is_made_of_counts_that_exist() -> None:
    names = {name for each in INDICATORS for name in (each.numerator, each.denominator, each.less, each.off)}
    assert names - {""} <= set(COUNTS)


@given(pairs)
def test_the_interval_holds_the_rate_and_lies_in_0_to_1(pair: tuple[int, int]) -> None:
    k, n = pair
    low, high = (float(end[0]) for end in wilson([k], [n]))
    assert 0 <= low <= high <= 1
    if n:
        assert low <= k / n <= high


@given(pairs)
def test_one_more_success_lowers_no_end(pair: tuple[int, int]) -> None:
    k, n = pair
    low, high = wilson([k, k + 1], [n + 1, n + 1])
    assert low[1] >= low[0]
    assert high[1] >= high[0]


@given(pairs, st.integers(2, 50))
def test_more_incidents_of_the_same_rate_are_surer(pair: tuple[int, int], times: int) -> None:
    k, n = pair
    low, high = wilson([k, k * times], [n, n * times])
    assert high[1] - low[1] <= high[0] - low[0] + 1e-12


@given(pairs)
def test_successes_and_failures_mirror_each_other(pair: tuple[int, int]) -> None:
    k, n = pair
    low, high = wilson([k, n - k], [n, n])
    assert low[0] == pytest.approx(1 - high[1], abs=1e-9)
    assert high[0] == pytest.approx(1 - low[1], abs=1e-9)


def test_wilson_as_published() -> None:
    """Newcombe 1998, table I, method 3: 81/263 and 15/148, 0/20, 1/29."""
    low, high = wilson([81, 15, 0, 1], [263, 148, 20, 29])
    assert np.round(low, 4).tolist() == [0.2553, 0.0624, 0.0, 0.0061]
    assert np.round(high, 4).tolist() == [0.3662, 0.1605, 0.1611, 0.1718]


def test_five_incidents_make_no_champion() -> None:
    closed, due = [5, 960, 930, 900, 850], [5, 1000, 1000, 1000, 1000]
    low, high = indicators.rank_intervals(closed, due)
    assert (low[0], high[0]) == (1, 5)
    assert high[1] <= 2 + 1
    assert low[4] >= 4
    assert indicators.shrunk(closed, due)[0] < 0.96


@given(st.lists(pairs, min_size=1, max_size=12), st.booleans())
def test_ranks_are_places_that_exist(counts: list[tuple[int, int]], high_is_good: bool) -> None:
    k, n = zip(*counts, strict=True)
    low, high = indicators.rank_intervals(k, n, high_is_good=high_is_good, draws=200)
    places = sum(each > 0 for each in n)
    for first, last, counted in zip(low, high, n, strict=True):
        assert (1 <= first <= last <= places) if counted else (first, last) == (0, 0)


def test_the_same_seed_gives_the_same_ranks_and_low_may_be_good() -> None:
    first = indicators.rank_intervals([1, 50, 90], [100, 100, 100], high_is_good=False)
    again = indicators.rank_intervals([1, 50, 90], [100, 100, 100], high_is_good=False)
    assert [ends.tolist() for ends in first] == [ends.tolist() for ends in again] == [[1, 2, 3], [1, 2, 3]]


@given(st.lists(pairs, min_size=1, max_size=12))
def test_a_shrunk_rate_lies_between_its_own_and_that_of_all(counts: list[tuple[int, int]]) -> None:
    k, n = np.array(counts).T
    drawn = indicators.shrunk(k, n)
    whole = k.sum() / max(n.sum(), 1)
    for top, bottom, rate in zip(k, n, drawn, strict=True):
        if bottom == 0:
            assert np.isnan(rate)
        else:
            assert min(top / bottom, whole) - 1e-9 <= rate <= max(top / bottom, whole) + 1e-9


def test_what_is_expected_follows_the_mix_of_classes() -> None:
    closed, due = np.array([[90, 0], [81, 9]]), np.array([[100, 0], [90, 90]])
    hoped = indicators.expected(closed, due)
    assert hoped[0] == pytest.approx(171 / 190)
    assert hoped[1] == pytest.approx((171 / 190 + 0.1) / 2)
    assert np.isnan(indicators.expected(np.zeros((1, 1)), np.zeros((1, 1)))[0])


def test_nothing_is_expected_of_who_does_all_of_its_classes_alone() -> None:
    hoped = indicators.expected(np.array([[90, 0], [0, 9]]), np.array([[100, 0], [1, 90]]))
    assert np.isnan(hoped).all(), "compared with itself, everybody is as expected"


def test_the_three_rates_are_weighted_as_the_city_sets_it() -> None:
    assert weighted([None, 0.5, 0.5]) is None
    assert weighted([0.9, 0.6, 0.3]) == pytest.approx(0.6)
    assert weighted([0.9, 0.6, 0.3], Weights(1, 4.5, 4.5)) == pytest.approx(0.495)
    with pytest.raises(ValueError, match="weights"):
        weighted([1, 1, 1], Weights(0, 0, 0))

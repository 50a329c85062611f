"""Class breaks: every value has a class, classes part the values as the scheme says."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.errors import InvalidInput
from layers.breaks import LEAST, MOST, PUOR, RAMPS, SCHEMES, breaks, colours, own_breaks
from layers.style import contrast

counts = st.lists(st.integers(0, 400), max_size=80).map(lambda drawn: np.array(drawn, dtype=np.float32))
rates = st.lists(st.floats(0, 1e6, width=32), max_size=80).map(lambda drawn: np.array(drawn, dtype=np.float32))


@given(counts, st.sampled_from(["auto", "quantile", "jenks", "equal"]), st.integers(LEAST, MOST))
def test_counts_get_whole_rising_edges_from_the_smallest(values: np.ndarray, scheme: str, classes: int) -> None:
    edges = breaks(values, scheme, classes, whole=True)
    positive = values[values > 0]
    assert bool(edges) == bool(len(positive))
    assert len(edges) <= max(classes, 6)
    assert list(edges) == sorted(set(edges))
    assert all(edge == int(edge) for edge in edges)
    assert not len(positive) or edges[0] <= positive.min()


@given(rates, st.sampled_from(["quantile", "jenks", "equal"]), st.integers(LEAST, MOST))
@example(np.array([1e-30, 2e-30, 3e-30, 1.0], dtype=np.float32), "quantile", 2)
def test_rates_are_all_above_the_first_edge(values: np.ndarray, scheme: str, classes: int) -> None:
    edges = breaks(values, scheme, classes, whole=False)
    positive = values[np.isfinite(values) & (values > 0)]
    assert list(edges) == sorted(set(edges))
    assert not len(positive) or edges[0] <= float(positive.min())
    assert len(edges) <= classes


def test_quantiles_part_a_city_into_equal_shares() -> None:
    values = np.random.default_rng(1).gamma(2, 3, 10_000)
    edges = breaks(values, "quantile", 5, whole=False)
    share = np.diff([*np.searchsorted(np.sort(values), edges), len(values)]) / len(values)
    assert share == pytest.approx([0.2] * 5, abs=0.005)


def test_natural_breaks_lie_in_the_gaps_and_equal_ones_do_not_care() -> None:
    values = np.concatenate([np.linspace(1, 2, 50), np.linspace(10, 11, 50), np.linspace(98, 100, 50)])
    edges = breaks(values, "jenks", 3, whole=False)
    assert 2 < edges[1] <= 10
    assert 11 < edges[2] <= 98
    assert breaks(values, "jenks", 3, whole=False) == edges, "the same values, the same breaks"
    assert breaks(np.arange(1.0, 101.0), "equal", 4, whole=True) == (1, 26, 51, 76)


def test_own_breaks_are_read_and_kept() -> None:
    assert own_breaks(" 1, 3；8 ") == (1, 3, 8)
    assert own_breaks("２、５") == (2, 5)
    values = np.array([1.0, 4.0, 9.0])
    assert breaks(values, "manual", 5, whole=True, own=(3, 8)) == (1, 3, 8), "what lies below has a class too"
    seven = breaks(values, "manual", 5, whole=True, own=(3, 4, 5, 6, 7, 8, 9))
    assert seven == (1, 3, 4, 5, 6, 7, 8), "the lowest keep their class also where there is no colour left"
    for wrong in ("", "a", "3, 1", "0, 1", "-1", "1e999", "nan", "1 1", "1,2,3,4,5,6,7,8", "<script>"):
        with pytest.raises(InvalidInput, match=r"[Bb]reaks"):
            own_breaks(wrong)
    with pytest.raises(InvalidInput, match="scheme"):
        breaks(values, "<script>", 5, whole=True)
    with pytest.raises(InvalidInput, match="numbers"):
        breaks(values, "manual", 5, whole=True)


def test_every_ramp_gets_darker_and_neighbours_are_told_apart() -> None:
    assert set(SCHEMES) >= {"quantile", "jenks", "equal", "manual"}
    for name, ramp in RAMPS.items():
        for classes in range(1, MOST + 1):
            shades = colours(name, classes)
            assert len(shades) == classes == len(ramp[classes])
            assert all(
                contrast(one, "#000000") > contrast(two, "#000000") * 1.12 for one, two in itertools.pairwise(shades)
            )
    assert len(PUOR) == 5
    assert colours("YlGnBu", 0) == ()

"""The median read out of bins is off by less than the width of its bin."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from incidents.summary import BIN_HOURS, N_BINS, bin_of, median_hours, median_hours_of_rows

times = st.lists(st.floats(0, BIN_HOURS[-1], exclude_max=True), min_size=1, max_size=200)


@given(times)
def test_the_median_lies_in_the_bin_of_the_middle_time(hours: list[float]) -> None:
    middle = sorted(hours)[(len(hours) - 1) // 2]
    index = int(bin_of([middle])[0])
    lower = BIN_HOURS[index - 1] if index else 0.0
    found = median_hours(np.bincount(bin_of(hours), minlength=N_BINS))
    assert found is not None
    assert lower <= found <= BIN_HOURS[index]


@given(st.lists(st.lists(st.integers(0, 50), min_size=N_BINS, max_size=N_BINS), min_size=1, max_size=20))
def test_many_rows_give_what_each_gives(rows: list[list[int]]) -> None:
    together = median_hours_of_rows(np.array(rows))
    for row, found in zip(rows, together, strict=True):
        alone = median_hours(row)
        assert (alone is None and np.isnan(found)) or np.isclose(found, alone)


def test_nothing_closed_has_no_median() -> None:
    assert median_hours([0] * N_BINS) is None
    assert np.isnan(median_hours_of_rows(np.zeros((1, N_BINS), dtype=int))[0])


def test_a_median_beyond_the_last_bound_is_its_lower_bound() -> None:
    assert median_hours([0] * (N_BINS - 1) + [3]) == BIN_HOURS[-1]

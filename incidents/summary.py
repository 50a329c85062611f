"""The day × cell × category summary: bins of the time to close, and what is read out of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BIN_HOURS: tuple[float, ...] = (1, 2, 4, 8, 12, 24, 36, 48, 72, 96, 144, 192, 288, 384, 576, 768, 1440, 2880)
"""Upper bounds, in hours, of all bins but the last, which is open: 19 bins in ``closed_within``.

Bin *i* holds times from ``BIN_HOURS[i - 1]`` (inclusive) to ``BIN_HOURS[i]`` (exclusive). From four
hours on neighbouring bounds differ by a factor of 2 at most, mostly 4/3 to 3/2.
"""

N_BINS = len(BIN_HOURS) + 1


def bin_of(hours: npt.ArrayLike) -> npt.NDArray[np.intp]:
    """Return the bin of each time to close; negative times fall in bin 0."""
    return np.searchsorted(np.asarray(BIN_HOURS), np.asarray(hours, dtype=float), side="right")


def median_hours(counts: Sequence[int] | npt.NDArray[np.integer]) -> float | None:
    """Return the median time to close in hours, read out of bins; None when nothing was closed.

    Inside the bin of the median the times are taken as evenly spread, so the answer is off by less
    than the width of that bin: a quarter to a third of the time for most bins between four hours and
    a month. Of an even number of times the earlier of the two middle ones counts. A median in the
    open last bin is returned as its lower bound (2,880 h, 120 days).
    """
    filled = np.asarray(counts, dtype=np.int64)
    total = int(filled.sum())
    if total == 0:
        return None
    running = filled.cumsum()
    index = int(np.searchsorted(running, total / 2))
    lower = BIN_HOURS[index - 1] if index else 0.0
    if index == len(BIN_HOURS):
        return float(lower)
    before = int(running[index - 1]) if index else 0
    return float(lower + (BIN_HOURS[index] - lower) * (total / 2 - before) / int(filled[index]))


def median_hours_of_rows(counts: npt.NDArray[np.integer]) -> npt.NDArray[np.float64]:
    """Return `median_hours` of each row of ``counts``, shape (n, N_BINS); NaN where nothing was closed."""
    filled = np.asarray(counts, dtype=np.int64).reshape(-1, N_BINS)
    running = filled.cumsum(axis=1)
    half = running[:, -1] / 2
    index = (running < half[:, None]).sum(axis=1)
    rows = np.arange(len(filled))
    lower = np.concatenate([[0.0], BIN_HOURS])[index]
    upper = np.concatenate([BIN_HOURS, [BIN_HOURS[-1]]])[index]
    inside = filled[rows, index]
    share = (half - (running[rows, index] - inside)) / np.where(inside > 0, inside, 1)
    return np.where(running[:, -1] > 0, lower + (upper - lower) * share, np.nan)

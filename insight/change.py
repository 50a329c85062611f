"""What changed between two periods and is more than chance: an exact test a place, with false discoveries held down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from core.errors import InvalidInput

Ints = NDArray[np.int64]
LEVEL = 0.05
"""Share of false alarms among all that is called a change."""
TWICE = 2.0
FEWER_BY_HALF, FEWER, NO_CLEAR, MORE, MORE_THAN_TWICE = range(1, 6)
"""Verdicts, from the strongest fall to the strongest rise."""
NOTHING, TOO_FEW = 0, -1
"""Nothing was reported in either period; so little that no outcome could have been more than chance."""


@dataclass(frozen=True, eq=False)
class Change:
    """What changed, place by place.

    Attributes
    ----------
    ratio
        Rate of the later period divided by that of the earlier; infinite where nothing was before, NaN where
        nothing was at all.
    p
        Two-sided probability of a difference this large when nothing changed; 1 where nothing was.
    q
        The same with false discoveries held down over all places that could be judged; NaN elsewhere.
    verdict
        One of the verdicts of this module.
    """

    ratio: NDArray[np.float64]
    p: NDArray[np.float64]
    q: NDArray[np.float64]
    verdict: NDArray[np.int8]

    @property
    def judged(self) -> int:
        """Return in how many places the test could have found a change."""
        return int(np.isfinite(self.q).sum())

    @property
    def clear(self) -> int:
        """Return in how many places the change is more than chance."""
        return int((np.isin(self.verdict, (FEWER_BY_HALF, FEWER, MORE, MORE_THAN_TWICE))).sum())


def change(before: Ints, after: Ints, *, days_before: int, days_after: int, level: float = LEVEL) -> Change:
    """Return how counts changed between two periods, and where that is more than chance.

    Given the sum of both counts of a place, the later one is binomial when the rate stayed the same, with the later
    period's share of the days as its probability: the exact conditional test of two Poisson rates of Przyborowski
    and Wilenski (Biometrika 31, 1940), two-sided by doubling the smaller tail. Places whose sum is so small that
    no outcome could reach ``level`` are left out (Tarone, Biometrics 46, 1990); over the others the false discovery
    rate is held by the step-up procedure of Benjamini and Hochberg (J. R. Stat. Soc. B 57, 1995), which stays valid
    for discrete counts and for neighbours that rise together (Benjamini and Yekutieli, Ann. Statist. 29, 2001).

    Parameters
    ----------
    before, after
        Counts, shape (places,).
    level
        Share of false alarms among all places called changed.

    Raises
    ------
    InvalidInput
        When counts are negative, lengths differ, or a period has no day.
    """
    if before.shape != after.shape or (len(before) and min(before.min(), after.min()) < 0):
        raise InvalidInput("Counts of two periods are whole numbers from zero, one pair a place.")
    if days_before < 1 or days_after < 1:
        raise InvalidInput("Each period has one day at least.")
    share = days_after / (days_before + days_after)
    total = before + after
    # Most places share few pairs of counts: each pair is judged once.
    pairs, at = np.unique(np.stack([total, after]), axis=1, return_inverse=True)
    p = _two_sided(pairs[0], pairs[1], share)[at.reshape(-1)]
    sums, at = np.unique(total, return_inverse=True)
    best = np.minimum(_two_sided(sums, np.zeros_like(sums), share), _two_sided(sums, sums, share))
    judged = best[at.reshape(-1)] <= level
    q = np.full(len(p), np.nan)
    if judged.any():
        q[judged] = stats.false_discovery_control(p[judged], method="bh")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = (after / days_after) / (before / days_before)
    return Change(ratio, p, q, _verdict(total, ratio, q, judged, level))


def _two_sided(total: Ints, after: Ints, share: float) -> NDArray[np.float64]:
    low = stats.binom.cdf(after, total, share)
    high = stats.binom.sf(after - 1, total, share)
    return np.minimum(1.0, 2.0 * np.minimum(low, high))


def _verdict(
    total: Ints, ratio: NDArray[np.float64], q: NDArray[np.float64], judged: NDArray[np.bool_], level: float
) -> NDArray[np.int8]:
    found = np.where(total == 0, NOTHING, np.where(judged, NO_CLEAR, TOO_FEW)).astype(np.int8)
    clear = judged & (q <= level)
    found[clear & (ratio > 1)] = MORE
    found[clear & (ratio >= TWICE)] = MORE_THAN_TWICE
    found[clear & (ratio < 1)] = FEWER
    found[clear & (ratio <= 1 / TWICE)] = FEWER_BY_HALF
    return found

"""The indicators of evaluation as one table, and how sure each of them is (pure).

A rate of few incidents says little, so none stands alone: it has an interval, and a place in a league is
an interval too.

Sources
-------
Formulas: the table of indicators in digital city management; the golden vector of its tests is a
published monthly report. Interval of a rate: E. B. Wilson, JASA 22 (1927) 209. Interval of a rank:
H. Goldstein and D. J. Spiegelhalter, J. R. Stat. Soc. A 159 (1996) 385, by draws from Jeffreys' posterior.
Shrinking: J. C. Kleinman, JASA 68 (1973) 46 (beta prior by moments).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z95 = 1.959963984540054
TOO_FEW = 10
"""A rate over fewer is shown, and marked as too few to judge by."""
OTHERS_AT_LEAST = 0.1
"""Share of what a subject is compared with that has to be other subjects' work."""
DRAWS = 2000
SEED = 20161231
COUNTS = (
    "accepted",
    "filed",
    "filed_on_time",
    "dispatches",
    "returns",
    "due",
    "postponed",
    "closed",
    "closed_on_time",
    "urgent_due",
    "urgent_postponed",
    "urgent_closed",
    "urgent_closed_on_time",
    "to_handle",
    "handled",
    "handled_on_time",
    "ever_handled",
    "reworked",
    "checks",
    "checked_on_time",
    "ever_closed",
    "reopened",
    "words",
    "reached_in_time",
    "answered",
    "solved",
    "satisfied",
)
"""What is counted in the facts; every indicator is made of these."""
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Indicator:
    """One rate: counts over counts.

    Attributes
    ----------
    numerator, denominator
        Names of `COUNTS`.
    less
        Is taken off the denominator: what does not count, such as postponed ones.
    off
        Is taken off the numerator.
    high_is_good
        Which way a league of it is read.
    """

    key: str
    numerator: str
    denominator: str
    less: str = ""
    off: str = ""
    high_is_good: bool = True

    def of(self, counts: Mapping[str, int]) -> tuple[int, int]:
        """Return numerator and denominator; a count that lacks is none."""
        top = counts.get(self.numerator, 0) - (counts.get(self.off, 0) if self.off else 0)
        return top, counts.get(self.denominator, 0) - (counts.get(self.less, 0) if self.less else 0)


INDICATORS: tuple[Indicator, ...] = (
    Indicator("filing", "filed", "accepted"),
    Indicator("filing_on_time", "filed_on_time", "filed"),
    Indicator("accurate_dispatch", "dispatches", "dispatches", off="returns"),
    Indicator("closing", "closed", "due", less="postponed"),
    Indicator("closing_on_time", "closed_on_time", "due", less="postponed"),
    Indicator("urgent_closing", "urgent_closed", "urgent_due", less="urgent_postponed"),
    Indicator("urgent_closing_on_time", "urgent_closed_on_time", "urgent_due", less="urgent_postponed"),
    Indicator("handling", "handled", "to_handle"),
    Indicator("handling_on_time", "handled_on_time", "to_handle"),
    Indicator("rework", "reworked", "ever_handled", high_is_good=False),
    Indicator("reopen", "reopened", "ever_closed", high_is_good=False),
    Indicator("verification_on_time", "checked_on_time", "checks"),
    Indicator("response", "reached_in_time", "words"),
    Indicator("solution", "solved", "answered"),
    Indicator("satisfaction", "satisfied", "answered"),
)
OF_THE_CITIZEN = ("response", "solution", "satisfaction")
"""The three rates of the citizens' word, in the order of their weights."""
BESIDE_CLOSING = ("rework", "reopen", "satisfaction")
"""What stands beside every closing rate: closing fast is nothing when the work comes back."""
BY_KEY: Mapping[str, Indicator] = {each.key: each for each in INDICATORS}
OF_POST: Mapping[str, tuple[str, ...]] = {
    "acceptor": ("filing", "filing_on_time"),
    "dispatcher": ("accurate_dispatch",),
    "verifier": ("verification_on_time",),
}
"""What each post of the two centres answers for; a post is the desk, not a person."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each of the three rates of the citizens' word counts; a city sets its own."""

    response: float = 1.0
    solution: float = 1.0
    satisfaction: float = 1.0


def weighted(rates: Sequence[float | None], weights: Weights | None = None) -> float | None:
    """Return the weighted mean of response, solution and satisfaction rate; None when one of them is not known.

    Raises
    ------
    ValueError
        When the weights are negative or all 0.
    """
    given = weights or Weights()
    shares = (given.response, given.solution, given.satisfaction)
    if min(shares) < 0 or sum(shares) <= 0:
        raise ValueError("weights must not be negative, and not all 0")
    known = [rate for rate in rates if rate is not None]
    if len(known) < len(shares):
        return None
    return sum(share * rate for share, rate in zip(shares, known, strict=True)) / sum(shares)


def wilson(numerators: ArrayLike, denominators: ArrayLike, z: float = Z95) -> tuple[Floats, Floats]:
    """Return the lower and upper end of the score interval of each rate; (0, 1) where nothing was counted."""
    k, n = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    some = np.maximum(n, 1.0)
    rate = k / some
    middle = rate + z * z / (2 * some)
    half = z * np.sqrt(rate * (1 - rate) / some + z * z / (4 * some * some))
    scale = 1 + z * z / some
    low = np.where(k == 0, 0.0, np.clip((middle - half) / scale, 0.0, rate))
    high = np.where(k == n, 1.0, np.clip((middle + half) / scale, rate, 1.0))
    return np.where(n > 0, low, 0.0), np.where(n > 0, high, 1.0)


def rank_intervals(
    numerators: ArrayLike,
    denominators: ArrayLike,
    *,
    high_is_good: bool = True,
    draws: int = DRAWS,
    seed: int = SEED,
) -> tuple[Ints, Ints]:
    """Return the best and worst rank (1 is best) each subject may hold, 95 %; 0 where nothing was counted.

    Each draw takes a rate for every subject from its Beta(k + ½, n − k + ½) and ranks them.
    """
    k, n = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    low, high = np.zeros(len(k), dtype=np.int64), np.zeros(len(k), dtype=np.int64)
    counted = np.flatnonzero(n > 0)
    if len(counted) == 0:
        return low, high
    rng = np.random.default_rng(seed)
    rates = rng.beta(k[counted] + 0.5, n[counted] - k[counted] + 0.5, size=(draws, len(counted)))
    order = np.argsort(-rates if high_is_good else rates, axis=1)
    ranks = np.empty_like(order)
    np.put_along_axis(ranks, order, np.arange(1, len(counted) + 1)[None, :], axis=1)
    low[counted] = np.floor(np.quantile(ranks, 0.025, axis=0, method="lower")).astype(np.int64)
    high[counted] = np.ceil(np.quantile(ranks, 0.975, axis=0, method="higher")).astype(np.int64)
    return low, high


def shrunk(numerators: ArrayLike, denominators: ArrayLike) -> Floats:
    """Return each rate drawn towards that of all, the more the fewer incidents it rests on; NaN without any.

    A beta prior is fitted by moments; where the subjects differ no more than chance lets them, all get
    the rate of all.
    """
    k, n = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    counted = n > 0
    result = np.full(len(k), np.nan)
    if not counted.any():
        return result
    k, n = k[counted], n[counted]
    mean = k.sum() / n.sum()
    noise = mean * (1 - mean)
    between = float((n * (k / n - mean) ** 2).sum() - (len(n) - 1) * noise)
    room = float(n.sum() - (n * n).sum() / n.sum())
    spread = between / room if room > 0 else 0.0
    if spread <= 0 or noise <= 0:
        result[counted] = mean
        return result
    strength = max(noise / spread - 1, 0.0)
    result[counted] = (k + strength * mean) / (n + strength)
    return result


def expected(numerators: ArrayLike, denominators: ArrayLike) -> Floats:
    """Return what each subject's rate would be if each class went as it goes everywhere; NaN where that says nothing.

    Nothing is said where nothing was counted, and of a subject that does nearly all of its classes itself: it
    would be compared with itself (`OTHERS_AT_LEAST`).

    Parameters
    ----------
    numerators, denominators
        Counts, shape (subjects, classes). A subject with the harder classes has the lower expectation
        (indirect standardisation).
    """
    k, n = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    everywhere = np.maximum(n.sum(axis=0), 1.0)
    total = n.sum(axis=1)
    of_others = (n * (1 - n / everywhere)).sum(axis=1)
    hoped = (n * (k.sum(axis=0) / everywhere)).sum(axis=1) / np.maximum(total, 1.0)
    return np.where((total > 0) & (of_others >= OTHERS_AT_LEAST * total), hoped, np.nan)


def add(counts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    """Return the sum of counts, name by name."""
    return {name: sum(each.get(name, 0) for each in counts) for name in COUNTS}

"""The best p of a few candidates, proven by HiGHS; for what the relaxation leaves open."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint

from planning.listening import milp

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

COVERING_ENTRIES = 2_000_000
MEDIAN_ENTRIES = 150_000
"""Pairs of candidate and demand beyond which HiGHS does not end in a useful time (measured)."""
SCALE = 1e3


@dataclass(frozen=True)
class Exact:
    """What HiGHS found: rows of the matrix (None: none in time), a true bound, and whether it is proven."""

    rows: Ints | None
    bound: float
    proven: bool


def covers(costs: Floats) -> bool:
    """Return whether each demand has but two costs: served or not."""
    over = costs - costs.min(axis=0)
    return bool(((over == 0) | (over == over.max(axis=0))).all())


def best_of_rows(costs: Floats, p: int, *, seconds: float, known: float = np.inf) -> Exact | None:
    """Return the cheapest p rows of a matrix (candidates, demand); None when it is too large to try.

    Each demand has its candidates in order of cost. A variable for each step of that order says "none
    up to here is open", and costs what the next step adds (the radius formulation of Cornuéjols,
    Nemhauser & Wolsey 1980, in the chained form of Elloumi 2010); it is far smaller than one variable
    per pair.
    """
    base = costs.min(axis=0)
    over = costs - base
    highest = over.max(axis=0)
    if covers(costs):
        return _best_cover(over > 0, highest, p, floor=float(base.sum()), seconds=seconds, known=known)
    if over.size > MEDIAN_ENTRIES:
        return None
    candidates = len(over)
    floor = float(base.sum())
    scale = SCALE / max(float(over.max(axis=0).sum()), 1e-300)
    reach = candidates - p + 1  # of so many nearest candidates at least one is open
    order = np.argsort(over, axis=0, kind="stable")[:reach].T
    steps = np.take_along_axis(over.T, order, axis=1) * scale
    new = np.diff(steps, axis=1, prepend=-1.0) > 0
    level = np.cumsum(new.ravel()) - 1  # levels of all demand, one after the other
    level_cost = steps.ravel()[new.ravel()]
    first = new & (np.arange(steps.shape[1]) == 0)
    level_is_first = first.ravel()[new.ravel()]
    level_is_last = np.append(level_is_first[1:], True)
    variable = np.cumsum(~level_is_last) - 1  # of every level but the last of each demand
    count = int((~level_is_last).sum())
    if count == 0:
        return Exact(np.arange(p), floor, proven=True)
    member = ~level_is_last[level]
    chained = np.flatnonzero(~level_is_last & ~level_is_first)
    row = np.concatenate((variable[level[member]], np.arange(count), variable[chained]))
    column = np.concatenate(
        (order.ravel()[member], candidates + np.arange(count), candidates + variable[chained] - 1),
    )
    value = np.concatenate((np.ones(int(member.sum()) + count), -np.ones(len(chained))))
    matrix = sp.csr_array((value, (row, column)), shape=(count, candidates + count))
    exactly_p = sp.csr_array(np.concatenate((np.ones(candidates), np.zeros(count)))[None, :])
    steps_up = np.diff(level_cost, append=0.0)[~level_is_last]
    answer = milp(
        np.concatenate((np.zeros(candidates), steps_up)),
        constraints=[
            LinearConstraint(matrix, level_is_first[~level_is_last].astype(float), np.inf),
            LinearConstraint(exactly_p, p, p),
        ],
        integrality=np.concatenate((np.ones(candidates), np.zeros(count))),
        bounds=Bounds(0.0, 1.0),
        seconds=seconds,
        standing=lambda incumbent, bound: (min(known, floor + incumbent / scale), floor + bound / scale),
    )
    chosen: Ints | None = None if answer.x is None else np.flatnonzero(answer.x[:candidates] > 0.5)
    if chosen is not None and len(chosen) != p:
        chosen = None
    lowest = answer.mip_dual_bound if answer.mip_dual_bound is not None else 0.0
    bound = floor + max(float(lowest), 0.0) / scale * (1 - 1e-9)
    return Exact(chosen, bound, proven=answer.status == 0 and chosen is not None)


def _best_cover(missed: Mask, lost: Floats, p: int, *, floor: float, seconds: float, known: float) -> Exact | None:
    """Return the p rows that miss least; ``missed`` (candidates, demand), ``lost`` what each demand costs when missed.

    A variable for each demand says that it is missed; demand that the same candidates reach counts as one.
    """
    some = np.flatnonzero((lost > 0) & ~missed.all(axis=0))
    always = float(lost[(lost > 0) & missed.all(axis=0)].sum())
    masks, which = np.unique(np.packbits(~missed[:, some], axis=0), axis=1, return_inverse=True)
    weight = np.bincount(which.ravel(), weights=lost[some], minlength=masks.shape[1])
    reach = sp.csr_array(np.unpackbits(masks, axis=0, count=len(missed)).T.astype(np.float64))
    demand, candidates = reach.shape
    if reach.nnz > COVERING_ENTRIES:
        return None
    if not demand:
        return Exact(np.arange(p), floor + always, proven=True)
    scale = SCALE / max(float(weight.sum()), 1e-300)
    exactly_p = sp.csr_array(np.concatenate((np.ones(candidates), np.zeros(demand)))[None, :])

    def cost(value: float) -> float:
        return floor + always + value / scale

    answer = milp(
        np.concatenate((np.zeros(candidates), weight * scale)),
        constraints=[
            LinearConstraint(sp.csr_array(sp.hstack([reach, sp.eye_array(demand)])), 1.0, np.inf),
            LinearConstraint(exactly_p, p, p),
        ],
        integrality=np.concatenate((np.ones(candidates), np.zeros(demand))),
        bounds=Bounds(0.0, 1.0),
        seconds=seconds,
        standing=lambda incumbent, bound: (min(known, cost(incumbent)), cost(bound)),
    )
    chosen: Ints | None = None if answer.x is None else np.flatnonzero(answer.x[:candidates] > 0.5)
    if chosen is not None and len(chosen) != p:
        chosen = None
    lowest = answer.mip_dual_bound if answer.mip_dual_bound is not None else 0.0
    bound = floor + always + max(float(lowest), 0.0) / scale * (1 - 1e-9)
    return Exact(chosen, bound, proven=answer.status == 0 and chosen is not None)

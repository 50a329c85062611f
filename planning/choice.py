"""A choice of sites with its proof, whatever the question; and covering, the core of two of the questions."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint

from core.errors import InvalidInput
from planning.listening import milp
from planning.side import Side

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Status = Literal["optimal", "feasible", "infeasible"]
ROUNDING = 1e-6


@dataclass(frozen=True)
class Choice:
    """Sites, what they reach, and what no choice can beat.

    Attributes
    ----------
    status
        ``optimal`` (proven), ``feasible`` (best found) or ``infeasible`` (``binding`` says why).
    objective, bound
        Of the question; smaller is better, no choice goes below the bound. NaN when infeasible.
    assignment
        For each demand its candidate, -1 where it has none.
    binding
        ``candidates``, ``reach`` (demand no candidate serves), ``capacity``, ``sites`` (so few cannot cover all),
        ``time`` (nothing found in time), or what `planning.side.Side.binding` names.
    """

    status: Status
    objective: float
    bound: float
    sites: tuple[int, ...]
    assignment: Ints
    seconds: float
    binding: str = ""
    unserved: tuple[int, ...] = field(default=())

    @property
    def gap(self) -> float:
        """Return the share of the objective that any choice could gain at most; NaN when infeasible."""
        if self.objective == self.bound:
            return 0.0
        return max(0.0, (self.objective - self.bound) / max(abs(self.objective), 1e-12))


def infeasible(binding: str, demand: int, began: float, unserved: Ints | None = None) -> Choice:
    """Return the answer that there is none, and why."""
    nan, nobody = float("nan"), np.full(demand, -1, dtype=np.int64)
    left = () if unserved is None else tuple(int(at) for at in unserved)
    return Choice("infeasible", nan, nan, (), nobody, time.perf_counter() - began, binding, left)


def checked_costs(costs: Floats) -> Floats:
    """Return costs (demand, candidates) as float64.

    Raises
    ------
    InvalidInput
        When they are no table, or a cost is negative or missing; infinite means that there is no way.
    """
    made = np.asarray(costs, dtype=np.float64)
    if made.ndim != 2 or not made.size:
        raise InvalidInput("Costs must be a table of demand by candidates.")
    bad = int((~(made >= 0)).sum())
    if bad:
        raise InvalidInput(f"{bad:,} of {made.size:,} costs are negative or missing.")
    return made


def nearest(costs: Floats, sites: Ints) -> Ints:
    """Return for each demand its cheapest site, -1 where none serves it."""
    own = costs[:, sites]
    return np.where(np.isfinite(own.min(axis=1)), sites[own.argmin(axis=1)], -1)


def greedy_cover(reach: Mask) -> Ints:
    """Return candidates that cover all demand, each the one that covers most of what is left; then none too many.

    Parameters
    ----------
    reach
        Whether a candidate covers a demand, shape (demand, candidates); every demand by one at least.
    """
    left, chosen = np.ones(len(reach), dtype=bool), []
    while left.any():
        best = int(reach[left].sum(axis=0).argmax())
        chosen.append(best)
        left &= ~reach[:, best]
    for site in list(chosen):
        rest = [other for other in chosen if other != site]
        if rest and reach[:, rest].any(axis=1).all():
            chosen = rest
    return np.array(chosen, dtype=np.int64)


@dataclass(frozen=True)
class Cover:
    """Fewest candidates that cover all: the best found (None: none in time) and the least there can be."""

    sites: Ints | None
    least: int
    proven: bool


def fewest(reach: Mask, *, seconds: float, most: int | None = None, side: Side | None = None) -> Cover:
    """Return the fewest candidates that cover all demand, by HiGHS.

    Parameters
    ----------
    most
        Ask only whether so many are enough; ``proven`` without sites says that they are not.
    side
        What the choice keeps to besides; its own number of sites then counts instead of ``most``.
    """
    if side is not None:
        return _fewest_beside(reach, side, seconds=seconds)
    rows, columns = _essential(reach)
    if not len(columns):
        return Cover(np.empty(0, dtype=np.int64), 0, proven=True)
    small = sp.csr_array(reach[np.ix_(rows, columns)].astype(float))
    constraints = [LinearConstraint(small, 1, np.inf)]
    if most is not None:
        constraints.append(LinearConstraint(sp.csr_array(np.ones((1, len(columns)))), 0, most))
    answer = milp(
        np.ones(len(columns)),
        constraints=constraints,
        integrality=np.ones(len(columns), dtype=np.int64),
        bounds=Bounds(0, 1),
        seconds=seconds,
    )
    if answer.status == 2:
        return Cover(None, (most or 0) + 1, proven=True)
    sites = None if answer.x is None else columns[np.flatnonzero(answer.x > 0.5)]
    bound = answer.mip_dual_bound
    least = 1 if bound is None or not np.isfinite(bound) else max(1, int(np.ceil(bound - ROUNDING)))
    return Cover(sites, least, proven=answer.status == 0)


def _fewest_beside(reach: Mask, side: Side, *, seconds: float) -> Cover:
    _, rows = np.unique(np.packbits(reach, axis=1), axis=0, return_index=True)
    small = LinearConstraint(sp.csr_array(reach[rows].astype(float)), 1, np.inf)
    answer = side.solve(np.ones(reach.shape[1]), more=[small], seconds=seconds)
    if answer.status == 2:
        return Cover(None, side.most + 1, proven=True)
    sites = None if answer.x is None else np.flatnonzero(answer.x[: reach.shape[1]] > 0.5)
    bound = answer.mip_dual_bound
    least = 0 if bound is None or not np.isfinite(bound) else max(0, int(np.ceil(bound - ROUNDING)))
    return Cover(sites, least, proven=answer.status == 0)


def _essential(reach: Mask) -> tuple[Ints, Ints]:
    """Return demand and candidates without twins: rows and columns that say what another says already."""
    _, rows = np.unique(np.packbits(reach, axis=1), axis=0, return_index=True)
    some = reach[np.sort(rows)]
    _, columns = np.unique(np.packbits(some, axis=0), axis=1, return_index=True)
    columns = np.sort(columns)
    return np.sort(rows), columns[some[:, columns].any(axis=0)]

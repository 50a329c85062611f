"""Backup coverage: as many people as possible reached once, and again by a second site.

As BACOP2 of Hogan and ReVelle (1986): each person counts one when one facility is within the limit, two when at least
two are. HiGHS proves; where time runs out, a choice that was improved by exchanges stands with the bound of then.
"""

from __future__ import annotations

import time

import numpy as np
import scipy.sparse as sp
from scipy.optimize import LinearConstraint

from planning.choice import Choice, Floats, Ints, Mask, infeasible
from planning.climb import climbed
from planning.side import Others, Side

TWICE = 2


def count_backup(reach: Mask, there: Ints, people: Floats, sites: Ints) -> float:
    """Return people reached once and people reached twice, together.

    Parameters
    ----------
    reach
        Shape (demand, candidates).
    there
        How many facilities that stay reach each demand, shape (demand,).
    """
    near = np.minimum(there + reach[:, sites].sum(axis=1), TWICE)
    return float(people @ near)


def solve_backup(reach: Mask, there: Ints, people: Floats, side: Side, *, seconds: float = 60.0) -> Choice:
    """Return the sites that reach most people, those reached twice counted twice.

    Objective and bound are negative: the smaller, the more people.
    """
    began = time.perf_counter()
    there = np.minimum(there, TWICE)
    reach = reach & (there < TWICE)[:, None]
    signs = np.concatenate([np.packbits(reach, axis=1), there[:, None].astype(np.uint8)], axis=1)
    _, first, which = np.unique(signs, axis=0, return_index=True, return_inverse=True)
    weight = np.bincount(which.ravel(), weights=people, minlength=len(first))
    kept = np.flatnonzero(reach[first].any(axis=1) & (weight > 0))
    rows, weight, room = reach[first][kept], weight[kept], (TWICE - there[first][kept]).astype(float)
    count = len(kept)
    sure = float(people @ there)

    def worth(sites: Ints) -> float:
        return float(weight @ np.minimum(rows[:, sites].sum(axis=1), room))

    taken = sp.csr_array(sp.hstack([sp.csr_array(rows.astype(float)), -sp.eye_array(count)]))
    more = [LinearConstraint(taken, 0, np.inf)] if count else []
    found = side.solve(np.r_[np.zeros(side.candidates), -weight], more=more, others=Others(count, high=room),
                       seconds=seconds, standing=lambda found, bound: (-sure + found, -sure + bound))  # fmt: skip
    if found.status == 2:
        return infeasible(side.binding(), len(people), began)
    sites = None if found.x is None else np.flatnonzero(found.x[: side.candidates] > 0.5)
    if found.status != 0 or sites is None:
        sites = climbed(worth, side, sites)
    if sites is None:
        return infeasible("time", len(people), began)
    value = worth(sites)
    bound = value if found.status == 0 else min(-float(found.mip_dual_bound or -np.inf), float(weight @ room))
    return Choice(
        "optimal" if found.status == 0 else "feasible",
        -(sure + value),
        -(sure + max(value, bound)),
        tuple(int(site) for site in sites),
        np.full(len(people), -1, dtype=np.int64),
        time.perf_counter() - began,
    )

"""Market share: how many people come to the new sites, where a shorter way draws more (Huff 1964).

A person goes to each place with a chance in proportion to its pull, pull = 1 / time^2 here; places that are there
pull too, and staying at home pulls as a place as far away as ``home_s``. What the new sites draw from a place is
v / (v + rest), which is concave in their pull v: HiGHS maximises over its tangents until none lies higher
(outer approximation, Duran and Grossmann 1986), so the answer is proven.
"""

from __future__ import annotations

import time

import numpy as np
import scipy.sparse as sp
from scipy.optimize import LinearConstraint

from planning.choice import Choice, Floats, Ints, infeasible
from planning.climb import climbed
from planning.listening import heard, say, scale_of
from planning.side import Others, Side

POWER = 2.0
NEAREST_S = 60.0
"""Ways shorter than this pull no more than this."""
HOME_S = 3600.0
CLOSED = 1e-8
PARTS = 100
"""Of demand, each with planes of its own: one for all says too little (measured)."""
SHARES = 1024.0
"""People that are shares of one count so much more, far above what HiGHS takes for nothing."""


def pull(od_s: Floats) -> Floats:
    """Return the pull of places at some time; 0 where there is no way."""
    made: Floats = (np.maximum(od_s, NEAREST_S) / 60.0) ** -POWER
    return made


def drawn(pulls: Floats, rest: Floats, people: Floats, sites: Ints) -> float:
    """Return how many people come to the new sites.

    Parameters
    ----------
    pulls
        Shape (demand, candidates).
    rest
        Pull of all else on each demand, above zero, shape (demand,).
    """
    own = pulls[:, sites].sum(axis=1)
    return float(people @ (own / (own + rest)))


def solve_huff(pulls: Floats, rest: Floats, people: Floats, side: Side, *, seconds: float = 60.0) -> Choice:
    """Return the sites that draw most people. Objective and bound are negative: the smaller, the more people."""
    began = time.perf_counter()
    scale = SHARES * scale_of(people) if people.max(initial=0.0) < 1 else 1.0
    people = people * scale
    total = float(people.sum())
    sites = climbed(lambda some: drawn(pulls, rest, people, some), side)
    if sites is None:
        return infeasible(side.binding() or "time", len(people), began)
    best, bound = drawn(pulls, rest, people, sites), total
    bucket = _buckets(pulls)
    parts = int(bucket.max(initial=0)) + 1
    part = sp.csr_array(np.eye(parts))
    slopes: list[Floats] = []
    levels: list[Floats] = []
    at = sites
    while best < bound - CLOSED * max(bound, 1e-9) and (left := began + seconds - time.perf_counter()) > 0:
        heard()
        say(-best / scale, -bound / scale)
        slope, level = _tangents(pulls, rest, people, at, bucket)
        slopes, levels = [*slopes, slope], [*levels, level]
        rows = sp.csr_array(sp.hstack([sp.csr_array(-np.vstack(slopes)), sp.vstack([part] * len(slopes))]))
        more = [LinearConstraint(rows, -np.inf, np.concatenate(levels))]
        found = side.solve(
            np.r_[np.zeros(side.candidates), -np.ones(parts)], more=more, others=Others(parts, high=total), seconds=left
        )
        if found.mip_dual_bound is not None and np.isfinite(found.mip_dual_bound):
            bound = max(best, min(bound, -float(found.mip_dual_bound)))
        if found.x is None or found.status != 0:
            break
        fresh = np.flatnonzero(found.x[: side.candidates] > 0.5)
        value = drawn(pulls, rest, people, fresh)
        if value > best:
            best, sites = value, fresh
        if (fresh == at).all() if len(fresh) == len(at) else False:
            bound = best
            break
        at = fresh
    closed = best >= bound - CLOSED * max(bound, 1e-9)
    return Choice(
        "optimal" if closed else "feasible",
        -best / scale,
        -(best if closed else bound) / scale,
        tuple(int(site) for site in np.sort(sites)),
        np.full(len(people), -1, dtype=np.int64),
        time.perf_counter() - began,
    )


def _buckets(pulls: Floats) -> Ints:
    """Return for each demand its part: demand whose pulls are alike has one plane together, so that few are needed."""
    if len(pulls) <= PARTS:
        return np.arange(len(pulls))
    order = np.lexsort((-pulls.max(axis=1, initial=0.0), pulls.argmax(axis=1)))
    bucket = np.empty(len(pulls), dtype=np.int64)
    bucket[order] = np.arange(len(pulls)) * PARTS // len(pulls)
    return bucket


def _tangents(pulls: Floats, rest: Floats, people: Floats, at: Ints, bucket: Ints) -> tuple[Floats, Floats]:
    """Return slopes over candidates and levels of the planes that touch what is drawn of each part at a choice."""
    own = pulls[:, at].sum(axis=1)
    rate = people * rest / (own + rest) ** 2
    parts = int(bucket.max(initial=0)) + 1
    which = sp.csr_array((np.ones(len(bucket)), (bucket, np.arange(len(bucket)))), shape=(parts, len(bucket)))
    slope: Floats = which @ (rate[:, None] * pulls)
    return slope, np.bincount(bucket, people * own / (own + rest), parts) - slope[:, at].sum(axis=1)

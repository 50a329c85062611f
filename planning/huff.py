"""Market share: how many people come to the new sites, where a shorter way draws more (Huff 1964).

A person goes to each place with a chance in proportion to its pull, pull = 1 / time^2 here; places that are there
pull too, and staying at home pulls as a place as far away as ``home_s``. What the new sites draw from a place is
v / (v + rest), which is concave in their pull v. Planes that lie above it at every choice of sites (tangents, lifted
where one site is enough: `planning.draw_kernels`) bound what any choice draws; the bound is brought down case by case
(`planning.drawing`).
"""

from __future__ import annotations

import time

import numpy as np

from planning.choice import Choice, Floats, Ints, infeasible
from planning.drawing import Draw, by_cases
from planning.effort import effort_s
from planning.listening import say, scale_of
from planning.side import Side

POWER = 2.0
NEAREST_S = 60.0
"""Ways shorter than this pull no more than this."""
HOME_S = 3600.0
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


def solve_huff(
    pulls: Floats, rest: Floats, people: Floats, side: Side, *, seconds: float = 60.0, gap: float = 0.0
) -> Choice:
    """Return the sites that draw most people. Objective and bound are negative: the smaller, the more people."""
    began = time.perf_counter()
    scale = SHARES * scale_of(people) if people.max(initial=0.0) < 1 else 1.0
    people = people * scale
    pulls = np.ascontiguousarray(pulls)
    draw = Draw(
        pulls, rest, people, side, effort_s() + seconds, bound=float(people.sum()),
        told=lambda best, bound: say(best / scale, bound / scale),
    )  # fmt: skip
    if not draw.begin():
        return infeasible(side.binding() or "time", len(people), began)
    by_cases(draw, gap=gap)
    closed = draw.closed
    return Choice(
        "optimal" if closed else "feasible",
        -draw.best / scale,
        -(draw.best if closed else draw.bound) / scale,
        tuple(int(site) for site in draw.sites),
        np.full(len(people), -1, dtype=np.int64),
        time.perf_counter() - began,
    )

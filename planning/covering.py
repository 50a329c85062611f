"""Set covering: the fewest sites that leave nobody beyond a limit (LSCP; Toregas, Swain, ReVelle and Bergman 1971)."""

from __future__ import annotations

import time

import numpy as np

from core.errors import InvalidInput
from core.progress import Progress, Silent
from planning.choice import Choice, Floats, checked_costs, fewest, greedy_cover, infeasible, nearest
from planning.side import Side
from planning.watching import tell


def solve_covering(
    costs: Floats, limit: float, *, seconds: float = 60.0, progress: Progress | None = None, side: Side | None = None
) -> Choice:
    """Return the fewest sites so that each demand has one within the limit.

    Where some demand has none whatever is chosen, the answer is infeasible and names it.

    Parameters
    ----------
    costs
        Shape (demand, candidates); infinite where there is no way.
    side
        What the choice keeps to besides, the most sites among it.

    Raises
    ------
    InvalidInput
        When the limit is no number above zero or a cost is negative or missing.
    """
    began, progress = time.perf_counter(), progress or Silent()
    costs = checked_costs(costs)
    if not 0 < limit < np.inf:
        raise InvalidInput("Covering needs a limit above zero.")
    reach = costs <= limit
    lost = np.flatnonzero(~reach.any(axis=1))
    if len(lost):
        return infeasible("reach", len(costs), began, lost)
    progress.step("Covering")
    best = greedy_cover(reach)
    tell(progress, float(len(best)), 1.0)
    found = fewest(reach, seconds=seconds, side=side)
    if side is not None and (found.sites is None or not side.allows(best)):
        if found.sites is None:
            binding = (side.binding() or "sites") if found.proven else "time"
            return infeasible(binding, len(costs), began)
        best = found.sites
    elif found.sites is not None and len(found.sites) <= len(best):
        best = found.sites
    progress.advance()
    least = len(best) if found.proven else min(found.least, len(best))
    tell(progress, float(len(best)), float(least))
    return Choice(
        "optimal" if least == len(best) else "feasible",
        float(len(best)),
        float(least),
        tuple(int(site) for site in np.sort(best)),
        nearest(costs, np.sort(best)),
        time.perf_counter() - began,
    )

"""The p-center: sites so that the farthest demand is as near as it can be.

A radius is enough when p sites cover all demand within it, so the answer is the least of the distances for which
covering works (Minieka 1970; bisection as in Daskin 1995): each step is a covering question, mostly answered by a
greedy choice, else by HiGHS.
"""

from __future__ import annotations

import time

import numpy as np

from core.errors import InvalidInput
from core.progress import Progress, Silent
from planning.choice import Choice, Floats, Ints, checked_costs, fewest, greedy_cover, infeasible, nearest
from planning.coverable import coverable
from planning.effort import effort_s
from planning.side import Side
from planning.watching import enough as wants_end
from planning.watching import tell


def solve_center(  # noqa: C901  (each way a question can have no answer)
    costs: Floats, p: int, *, seconds: float = 60.0, progress: Progress | None = None, side: Side | None = None
) -> Choice:
    """Return p sites with the least greatest cost.

    Parameters
    ----------
    costs
        Shape (demand, candidates); infinite where there is no way.
    side
        What the choice keeps to besides; its number of sites is ``p``.

    Raises
    ------
    InvalidInput
        When p is below one or a cost is negative or missing.
    """
    began, deadline, progress = time.perf_counter(), effort_s() + seconds, progress or Silent()
    costs = checked_costs(costs)
    if p < 1:
        raise InvalidInput(f"{p} sites cannot be chosen.", hint="Ask for at least one.")
    if p > costs.shape[1]:
        return infeasible("candidates", len(costs), began)
    lost = np.flatnonzero(~np.isfinite(costs).any(axis=1))
    if len(lost):
        return infeasible("reach", len(costs), began, lost)
    binding = "" if side is None else side.binding()
    if binding:
        return infeasible(binding, len(costs), began)
    radii = np.unique(costs[np.isfinite(costs)])
    # Nobody is nearer than to the nearest candidate; below the last refused radius no choice exists.
    refused = int(np.searchsorted(radii, costs.min(axis=1).max())) - 1
    enough = len(radii)
    best: Ints | None = None
    proven = True
    progress.step("Halving the radius")
    low = refused
    while enough - low > 1 and (best is None or not wants_end(progress)):
        middle = (low + enough) // 2
        reach = costs <= radii[middle]
        sites: Ints | None = greedy_cover(reach)
        sure = True
        if side is not None or (sites is not None and len(sites) > p):
            left = deadline - effort_s()
            sites, sure = None, False
            if left > 0 and side is None:
                sites, sure = coverable(reach, p, seconds=left / 2, begin=best, progress=progress)
            elif left > 0:
                found = fewest(reach, seconds=left / 2, most=p, side=side)
                sites, sure = found.sites, found.proven
        if sites is not None and len(sites) <= p:
            enough, best = middle, sites
            tell(progress, radii[middle], radii[refused + 1])
        else:
            # A radius that was only given up in time is not refused, and no later one can be proven least.
            low = middle
            if sure:
                refused = middle
            proven = refused == low
        progress.advance()
    proven = proven and enough - low == 1
    if best is None:
        return infeasible("reach" if proven else "time", len(costs), began)
    chosen = _filled(costs, best, p) if side is None else best
    objective = float(costs[:, chosen].min(axis=1).max())
    bound = objective if proven else float(radii[refused + 1])
    return Choice(
        "optimal" if proven else "feasible",
        objective,
        bound,
        tuple(int(site) for site in np.sort(chosen)),
        nearest(costs, np.sort(chosen)),
        time.perf_counter() - began,
    )


def _filled(costs: Floats, sites: Ints, p: int) -> Ints:
    """Return the sites with others added until there are p: each where the cost of all falls most."""
    chosen = list(dict.fromkeys(int(site) for site in sites))
    finite = np.where(np.isfinite(costs), costs, costs[np.isfinite(costs)].max() * 2 + 1)
    while len(chosen) < p:
        now = finite[:, chosen].min(axis=1)
        totals = np.minimum(finite, now[:, None]).sum(axis=0)
        totals[chosen] = np.inf
        chosen.append(int(totals.argmin()))
    return np.array(chosen, dtype=np.int64)

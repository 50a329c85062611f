"""From the ways of all buildings to the numbers of a report: before and after, who gains, who is left out, how even."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from planning.equity import gini_of, lorenz, share_of_lowest
from planning.report_model import AreaRow, Change, Homes, Numbers, Spread, Ways

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

NOTICED_S = 60.0
"""A way that changes by less is called the same."""
BARS = 12
"""Bars of the histogram beside the open one."""
FAR_SHARE = 0.9
CURVE_POINTS = 60
STEPS_MIN = (1.0, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0)


def count(homes: Homes, limit_s: float, *, there: bool) -> Numbers:
    """Return the numbers of a report.

    Parameters
    ----------
    there
        Whether something of the kind serves now; else there is no before.
    """
    lived = homes.people > 0
    step = step_min(homes, limit_s)
    return Numbers(
        now=ways(homes.now_s, homes.people, limit_s) if there else None,
        then=ways(homes.then_s, homes.people, limit_s),
        change=changed(homes, limit_s),
        communities=by_area(homes, homes.community_id, limit_s, lived),
        grids=by_area(homes, homes.grid_id, limit_s, lived),
        spread_now=spread(homes.now_s, homes.people, step) if there else None,
        spread_then=spread(homes.then_s, homes.people, step),
    )


def ways(times_s: Floats, people: Floats, limit_s: float) -> Ways:
    """Return how far it is for people."""
    has = np.isfinite(times_s) & (people > 0)
    total = float(people.sum())
    within = float(people[times_s <= limit_s].sum())
    if not has.any():
        return Ways(total, within, None, None, None, total)
    mean = float(np.average(times_s[has], weights=people[has]))
    middle, far = (quantile(times_s[has], people[has], share) for share in (0.5, FAR_SHARE))
    return Ways(total, within, mean, middle, far, float(people[~has].sum()))


def quantile(values: Floats, weight: Floats, share: float) -> float:
    """Return the least value that a share of the weight does not exceed."""
    order = np.argsort(values, kind="stable")
    covered = np.cumsum(weight[order])
    at = int(np.searchsorted(covered, share * covered[-1] * (1 - 1e-12)))
    return float(values[order][min(at, len(values) - 1)])


def changed(homes: Homes, limit_s: float) -> Change:
    """Return for how many people the way becomes shorter or longer, and who comes within the limit."""
    people = homes.people
    now, then = homes.now_s, homes.then_s
    with np.errstate(invalid="ignore"):
        less = now - then  # two infinite ways are the same
    shorter = np.nan_to_num(less, nan=0.0) > NOTICED_S
    longer = np.nan_to_num(less, nan=0.0) < -NOTICED_S
    near_now, near_then = now <= limit_s, then <= limit_s

    def of(mask: Mask) -> float:
        return float(people[mask].sum())

    return Change(of(shorter), of(longer), of(~shorter & ~longer), of(near_then & ~near_now), of(near_now & ~near_then))


def by_area(homes: Homes, key: Ints, limit_s: float, lived: Mask) -> tuple[AreaRow, ...]:
    """Return a row for each area with people, by key; 0 for those who live in none."""
    rows: list[AreaRow] = []
    if not lived.any():
        return ()
    order = np.argsort(key[lived], kind="stable")
    members = np.flatnonzero(lived)[order]
    keys, first = np.unique(key[members], return_index=True)
    for area, mine in zip(keys, np.split(members, first[1:]), strict=True):
        people = homes.people[mine]
        now, then = (ways(times[mine], people, limit_s) for times in (homes.now_s, homes.then_s))
        rows.append(AreaRow(int(area), now, then))
    return tuple(rows)


def step_min(homes: Homes, limit_s: float) -> float:
    """Return the width of the bars in minutes: a round number of which a few make the limit."""
    has = np.isfinite(homes.then_s) & (homes.people > 0)
    last = limit_s if not has.any() else max(limit_s, quantile(homes.then_s[has], homes.people[has], 0.97))
    return next((step for step in STEPS_MIN if BARS * step * 60 >= last), STEPS_MIN[-1])


def spread(times_s: Floats, people: Floats, step: float) -> Spread:
    """Return how the lengths of ways are spread over people."""
    edges = step * np.arange(BARS + 1, dtype=np.float64)
    has = np.isfinite(times_s) & (people > 0)
    minutes, who = times_s[has] / 60, people[has]
    place = np.minimum((minutes // step).astype(np.int64), BARS)
    bars = np.bincount(place, weights=who, minlength=BARS + 1).astype(np.float64)
    if not (minutes > 0).any():
        return Spread(edges, bars, np.array([0.0, 1.0]), np.array([0.0, 1.0]), None, None)
    curve = lorenz(minutes, who)
    grid = np.linspace(0.0, 1.0, CURVE_POINTS + 1)
    thinned = np.interp(grid, curve.people, curve.value)
    tenth = 1.0 - share_of_lowest(curve, FAR_SHARE)
    return Spread(edges, bars, grid, thinned, gini_of(curve), tenth)


def most_gaining(rows: tuple[AreaRow, ...], most: int) -> tuple[AreaRow, ...]:
    """Return the areas that gain people within the limit, most first."""
    gaining = [row for row in rows if row.gained >= 1]
    return tuple(sorted(gaining, key=lambda row: (-row.gained, row.key))[:most])


def most_left_out(rows: tuple[AreaRow, ...], most: int) -> tuple[AreaRow, ...]:
    """Return the areas where most people stay beyond the limit, most first."""
    left = [row for row in rows if row.left_out >= 1]
    return tuple(sorted(left, key=lambda row: (-row.left_out, row.key))[:most])

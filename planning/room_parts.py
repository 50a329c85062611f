"""Sites with little room, a few neighbours at a time: who goes where among them, and where they stand, chosen anew.

A site and those that serve its demand next best are a question by themselves, small enough for HiGHS; whatever it
finds better is better for the whole (Stefanello, de Araújo and Müller 2015).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress
from planning.effort import effort_s
from planning.listening import heard
from planning.room_exact import finish
from planning.rooms import NEAR, Rooms
from planning.side import Side
from planning.watching import enough, tell

Ints = NDArray[np.int64]
TOGETHER = (3, 4)
"""Sites chosen anew together; more once fewer bring nothing."""
PART_S = 2.0
PAIRS_AT_MOST, PAIRS_ANYWAY = 2500, 30_000
"""Of a part with more pairs fewer candidates are looked at; of one with still more HiGHS finds nothing in time."""


def polish(rooms: Rooms, *, deadline: float, progress: Progress) -> None:
    """Lower the cost of the best choice part by part, until no part can be better or the time is over."""
    if rooms.sites is None or not rooms.side.quick:
        return
    for together in TOGETHER:
        waiting = [int(site) for site in rooms.sites]
        progress.step("Searching for sites", len(waiting))
        while waiting:
            if effort_s() > deadline or rooms.closed or enough(progress):
                return
            heard()
            site = waiting.pop(0)
            progress.advance()
            if site not in rooms.sites:
                continue
            part = _beside(rooms, site, together)
            if _better(rooms, part, deadline=deadline):
                tell(progress, rooms.cost, rooms.bound)
                waiting = [int(each) for each in rooms.sites]
                progress.step("Searching for sites", len(waiting))  # anew, or more would be done than there is


def _beside(rooms: Rooms, site: int, together: int) -> Ints:
    """Return a site and those open ones that serve its demand next best."""
    sites, mine = _known(rooms.sites), _known(rooms.assignment) == site
    own = rooms.rows[np.ix_(sites, mine)]
    far = np.where(np.isfinite(own), own, 2 * rooms.price * rooms.size.max(initial=1.0))
    order = np.argsort(far.sum(axis=1), kind="stable")
    return np.union1d([site], sites[order[:together]])


def _better(rooms: Rooms, sites: Ints, *, deadline: float) -> bool:
    """Choose some sites and who goes to them anew; return whether that is better."""
    assignment, whole_cost = _known(rooms.assignment), rooms.cost
    demand = np.flatnonzero(np.isin(assignment, sites))
    if not len(demand):
        return False
    columns = _near(rooms, sites, demand)
    if len(columns) * len(demand) > PAIRS_ANYWAY:
        return False
    fixed = np.flatnonzero(np.isin(columns, np.intersect1d(sites, rooms.side.fixed)))
    part = Rooms(
        rooms.rows[np.ix_(columns, demand)], rooms.size[demand], rooms.capacity[columns],
        Side(len(columns), len(sites), len(sites), fixed),
    )  # fmt: skip
    part.whole = rooms.whole
    before = float(rooms.rows[assignment[demand], demand].sum())
    part.learn(before, np.searchsorted(columns, assignment[demand]), np.searchsorted(columns, sites))
    finish(part, seconds=max(0.05, min(PART_S, deadline - effort_s())), told=False)
    if part.assignment is None or part.sites is None or part.cost >= before * (1 - 1e-12):
        return False
    made = assignment.copy()
    made[demand] = columns[part.assignment]
    stay = np.setdiff1d(_known(rooms.sites), sites)
    cost = float(rooms.rows[made, np.arange(len(made))].sum())
    rooms.learn(cost, made, np.r_[stay, columns[part.sites]])
    return rooms.cost < whole_cost  # what is better for a part by less than the whole is counted to is no gain


def _near(rooms: Rooms, sites: Ints, demand: Ints) -> Ints:
    """Return sites and the candidates that serve the demand of each cheapest, no other open site among them."""
    assignment = _known(rooms.assignment)
    taken = np.setdiff1d(_known(rooms.sites), sites)
    most = max(1, min(NEAR, PAIRS_AT_MOST // (len(demand) * len(sites))))
    found = [sites]
    for site in sites:
        mine = assignment == site
        total = rooms.rows[:, mine].sum(axis=1)
        total[taken] = np.inf
        order = np.argsort(total, kind="stable")[:most]
        found.append(order[np.isfinite(total[order])])
    return np.unique(np.concatenate(found))


def _known(these: Ints | None) -> Ints:
    return np.empty(0, dtype=np.int64) if these is None else these

"""Compiled core of the plan: ruin and recreate on linked routes.

Slack induction by string removals (J. Christiaens, G. Vanden Berghe, *Transportation Science* 54(2), 2020), with
a cost of our own. Routes are linked lists of tasks; each task keeps how much later it may begin before
anything behind it costs more or breaks, so most insertions are weighed without walking the route.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.kernels import inner, kernel

F4 = NDArray[np.float32]
F8 = NDArray[np.float64]
I4 = NDArray[np.int32]
B1 = NDArray[np.bool_]
U8 = NDArray[np.uint64]

# columns of the table of tasks: first what a schedule writes, then what is given
START, LEAVE, LEG, SLACK, HARD, REST, FLOW, CALM = range(8)
EARLY, DUE, LAST, SERVICE, SIZE, RESPONSE, LATE, PRIZE = range(8, 16)
# columns of the links of tasks
WHO, AFTER, BEFORE, GROUP, STAYS, FEW = range(6)
# columns of the table of workers: first what is given, then what a schedule writes
FREE, END, STOP, ROOM, SPAN, COST, LOAD, USED = range(8)
# columns of the links of workers
HEAD, TAIL, COUNT, FIXED, LAST_FIXED, HOME, BACK, KIND = range(8)
# entries of the weights
TRAVEL, OVERTIME, FAIRNESS, LATE_STEP = range(4)
# entries of the totals
NOW, BEST, ABSENT = range(3)
BROKEN = 1e9
"""What a second beyond a hard limit costs in a route that was given, so that the search leaves it."""


class Core(NamedTuple):
    """A problem with its routes as few arrays; the place of a task is its own row, those of workers follow.

    A task keeps: START when it begins, LEAVE when it is done, LEG the way to it; SLACK and HARD, how much later
    it may begin until the cost of a second changes or a limit breaks; REST, lateness, response and overtime
    from it on; FLOW, what each second later costs; CALM, the seconds after which somebody's waiting ends that.
    """

    ways: F4  # 0 from row to column, 1 from column to row; place, place
    extra: F4  # task, worker: cost of this worker beside the way; inf may not
    task: F8
    link: I4
    crew: F8
    hand: I4
    rests: F8  # worker, break: earliest, latest beginning, length; length 0 none
    weights: F8


class Lists(NamedTuple):
    """What the search needs beside: who is close to what, who is absent, and the best routes seen."""

    near: I4  # task, rank: tasks close to it
    begin: I4  # task, rank: workers that could begin with it, the nearest first, -1 none
    fleet: I4  # workers that are like another
    mates: I4  # group, member: tasks that go to different workers, -1 none
    absent: I4  # tasks in nobody's route
    random: U8
    totals: F8
    best_after: I4
    best_head: I4


@inner
def uniform(random: U8) -> float:
    """Return a number in 0…1 and step the generator (xorshift64)."""
    x = random[0]
    x ^= x << np.uint64(13)
    x ^= x >> np.uint64(7)
    x ^= x << np.uint64(17)
    random[0] = x
    return float(x >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inner
def rested(rests: F8, w: int, at: int, t: float, leg: float, early: float, service: float) -> tuple[float, int]:
    """Return when the worker sets out for a task, and how many breaks are then behind.

    A break is taken before setting out when after the task it would begin too late.
    """
    while at < rests.shape[1] and rests[w, at, 2] > 0 and max(t + leg, early) + service > rests[w, at, 1]:
        t = max(t, rests[w, at, 0]) + rests[w, at, 2]
        at += 1
    return t, at


@inner
def schedule(c: Core, w: int) -> None:
    """Time a route and price it; write what insertions need."""
    c.crew[w, COST], c.crew[w, LOAD], c.crew[w, USED] = 0.0, 0.0, 0.0
    j = int(c.hand[w, HEAD])
    if j < 0:
        return
    at, t, travel, work, size, cost, rests = int(c.hand[w, HOME]), c.crew[w, FREE], 0.0, 0.0, 0.0, 0.0, 0
    while j >= 0:
        leg = float(c.ways[0, at, j])
        t, rests = rested(c.rests, w, rests, t, leg, c.task[j, EARLY], c.task[j, SERVICE])
        t = max(t + leg, c.task[j, EARLY])
        c.task[j, LEG], c.task[j, START] = leg, t
        travel += leg
        cost += c.extra[j, w]
        size += c.task[j, SIZE]
        work += c.task[j, SERVICE]
        t += c.task[j, SERVICE]
        c.task[j, LEAVE] = t
        at = j
        j = int(c.link[j, AFTER])
    if c.hand[w, BACK] >= 0:
        leg = float(c.ways[0, at, c.hand[w, BACK]])
        travel += leg
        t += leg
    over, hard, flow, calm = t - c.crew[w, END], c.crew[w, STOP] - t, 0.0, np.inf
    slack, suffix = -over, 0.0
    if over > 0:
        slack, flow, suffix = np.inf, c.weights[OVERTIME], c.weights[OVERTIME] * over
    if hard < -1e-6:
        cost -= BROKEN * hard
    j = int(c.hand[w, TAIL])
    while j >= 0:
        begun, late = c.task[j, START], c.task[j, START] - c.task[j, DUE]
        flow += c.task[j, RESPONSE]
        suffix += c.task[j, RESPONSE] * begun
        if late > 0:
            flow += c.task[j, LATE]
            suffix += c.task[j, LATE] * (late + c.weights[LATE_STEP])
        else:
            slack = min(slack, -late)
        if begun > c.task[j, LAST] + 1e-6:
            cost += BROKEN * (begun - c.task[j, LAST])
        hard = min(hard, c.task[j, LAST] - begun)
        c.task[j, SLACK], c.task[j, HARD], c.task[j, REST] = slack, hard, suffix
        c.task[j, FLOW], c.task[j, CALM] = flow, calm
        before = int(c.link[j, BEFORE])
        wait = begun - c.task[j, LEG] - (c.task[before, LEAVE] if before >= 0 else c.crew[w, FREE])
        if wait > 0:
            slack += wait
            hard += wait
            if flow > 0:
                flow, calm = 0.0, wait
            elif calm < np.inf:
                calm += wait
        j = before
    c.crew[w, LOAD] = travel + work
    c.crew[w, USED] = size
    if size > c.crew[w, ROOM] + 1e-9:
        cost += BROKEN * (size - c.crew[w, ROOM])
    cost += c.weights[TRAVEL] * travel + suffix
    c.crew[w, COST] = cost + c.weights[FAIRNESS] * c.crew[w, LOAD] ** 2 / (2 * c.crew[w, SPAN])


@inner
def walked(c: Core, w: int, j: int, t: float, limit: float) -> float:
    """Return lateness, response and overtime from task ``j`` on when it begins at ``t``; inf beyond ``limit``."""
    cost = 0.0
    while True:
        if t > c.task[j, LAST] + 1e-6:
            return np.inf
        cost += c.task[j, RESPONSE] * t
        if t > c.task[j, DUE]:
            cost += c.task[j, LATE] * (t - c.task[j, DUE] + c.weights[LATE_STEP])
        if cost > limit:
            return np.inf
        t += c.task[j, SERVICE]
        if c.link[j, AFTER] < 0:
            break
        j = int(c.link[j, AFTER])
        t = max(t + c.task[j, LEG], c.task[j, EARLY])
        if t == c.task[j, START]:
            return float(cost + c.task[j, REST])
    if c.hand[w, BACK] >= 0:
        t += c.ways[0, j, c.hand[w, BACK]]
    if t > c.crew[w, STOP] + 1e-6:
        return np.inf
    return float(cost + c.weights[OVERTIME] * max(0.0, t - c.crew[w, END]))


@inner
def simulated(c: Core, w: int, j: int, p: int) -> float:
    """Return the cost of a route with task ``j`` after ``p`` (-1: first), breaks included; inf when it may not be."""
    at, t, travel, work, cost, rests = int(c.hand[w, HOME]), c.crew[w, FREE], 0.0, 0.0, 0.0, 0
    x, inserted = (j, True) if p < 0 else (int(c.hand[w, HEAD]), False)
    while x >= 0:
        leg = float(c.ways[0, at, x])
        t, rests = rested(c.rests, w, rests, t, leg, c.task[x, EARLY], c.task[x, SERVICE])
        t = max(t + leg, c.task[x, EARLY])
        if t > c.task[x, LAST] + 1e-6:
            return np.inf
        travel += leg
        cost += c.extra[x, w] + c.task[x, RESPONSE] * t
        if t > c.task[x, DUE]:
            cost += c.task[x, LATE] * (t - c.task[x, DUE] + c.weights[LATE_STEP])
        t += c.task[x, SERVICE]
        work += c.task[x, SERVICE]
        at = x
        if x == j:
            x = int(c.hand[w, HEAD]) if p < 0 else int(c.link[p, AFTER])
        elif x == p and not inserted:
            x, inserted = j, True
        else:
            x = int(c.link[x, AFTER])
    if c.hand[w, BACK] >= 0:
        leg = float(c.ways[0, at, c.hand[w, BACK]])
        travel += leg
        t += leg
    if t > c.crew[w, STOP] + 1e-6:
        return np.inf
    load = travel + work
    cost += c.weights[TRAVEL] * travel + c.weights[OVERTIME] * max(0.0, t - c.crew[w, END])
    return float(cost + c.weights[FAIRNESS] * load * load / (2 * c.crew[w, SPAN]))


@inner
def weighed(c: Core, w: int, j: int, p: int, limit: float) -> float:
    """Return what task ``j`` after ``p`` (-1: first) adds to the cost of a route; inf at ``limit`` or more."""
    q = int(c.hand[w, HEAD]) if p < 0 else int(c.link[p, AFTER])
    there = float(c.ways[1, j, c.hand[w, HOME] if p < 0 else p])
    if q >= 0:
        detour = there + c.ways[0, j, q] - c.task[q, LEG]
    elif c.hand[w, BACK] >= 0:
        detour = there + c.ways[0, j, c.hand[w, BACK]]
        detour -= c.ways[0, p, c.hand[w, BACK]] if p >= 0 else 0.0
    else:
        detour = there
    cost = c.weights[TRAVEL] * detour + c.extra[j, w]
    if not cost < limit:
        return np.inf
    if c.rests[w, 0, 2] > 0:
        cost = simulated(c, w, j, p) - c.crew[w, COST]
        return cost if cost < limit else np.inf
    t = max((c.crew[w, FREE] if p < 0 else c.task[p, LEAVE]) + there, c.task[j, EARLY])
    if t > c.task[j, LAST]:
        return np.inf
    cost += c.task[j, RESPONSE] * t
    if t > c.task[j, DUE]:
        cost += c.task[j, LATE] * (t - c.task[j, DUE] + c.weights[LATE_STEP])
    if c.weights[FAIRNESS] > 0:
        more = detour + c.task[j, SERVICE]
        cost += c.weights[FAIRNESS] * more * (c.crew[w, LOAD] + more / 2) / c.crew[w, SPAN]
    if not cost < limit:
        return np.inf
    t += c.task[j, SERVICE]
    if q < 0:
        if c.hand[w, BACK] >= 0:
            t += c.ways[0, j, c.hand[w, BACK]]
        if t > c.crew[w, STOP]:
            return np.inf
        cost += c.weights[OVERTIME] * max(0.0, t - c.crew[w, END])
        if p >= 0:
            done = c.task[p, LEAVE] + (c.ways[0, p, c.hand[w, BACK]] if c.hand[w, BACK] >= 0 else 0.0)
            cost -= c.weights[OVERTIME] * max(0.0, done - c.crew[w, END])
        return cost if cost < limit else np.inf
    t = max(t + c.ways[0, j, q], c.task[q, EARLY])
    delay = t - c.task[q, START]
    if delay > c.task[q, HARD]:
        return np.inf
    if delay >= 0 and delay <= c.task[q, SLACK] and delay <= c.task[q, CALM]:
        cost += delay * c.task[q, FLOW]
    else:
        cost += walked(c, w, q, t, limit - cost + c.task[q, REST]) - c.task[q, REST]
    return cost if cost < limit else np.inf


@kernel
def insert(c: Core, w: int, j: int, p: int) -> None:
    """Put a task into a route after ``p`` (-1: first)."""
    q = int(c.hand[w, HEAD]) if p < 0 else int(c.link[p, AFTER])
    c.link[j, WHO], c.link[j, BEFORE], c.link[j, AFTER] = w, p, q
    if p < 0:
        c.hand[w, HEAD] = j
    else:
        c.link[p, AFTER] = j
    if q < 0:
        c.hand[w, TAIL] = j
    else:
        c.link[q, BEFORE] = j
    c.hand[w, COUNT] += 1
    schedule(c, w)


@kernel
def relink(c: Core, w: int, tasks: I4, first: int, length: int) -> None:
    """Make a route of ``length`` tasks from ``first`` on."""
    p = -1
    c.hand[w, HEAD], c.hand[w, COUNT] = -1, length
    for at in range(first, first + length):
        j = int(tasks[at])
        c.link[j, WHO], c.link[j, BEFORE], c.link[j, AFTER] = w, p, -1
        if p < 0:
            c.hand[w, HEAD] = j
        else:
            c.link[p, AFTER] = j
        p = j
    c.hand[w, TAIL] = p
    schedule(c, w)

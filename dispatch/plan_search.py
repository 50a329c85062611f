"""Compiled search: where a task goes best, and ruin and recreate over all routes."""

from __future__ import annotations

import numpy as np

from core.kernels import inner, kernel
from dispatch.plan_kernels import (
    ABSENT,
    AFTER,
    BACK,
    BEFORE,
    BEST,
    COST,
    COUNT,
    DUE,
    FEW,
    GROUP,
    HEAD,
    HOME,
    KIND,
    LAST,
    LAST_FIXED,
    LATE,
    LATE_STEP,
    LEG,
    NOW,
    PRIZE,
    ROOM,
    SIZE,
    START,
    STAYS,
    TRAVEL,
    USED,
    WHO,
    Core,
    Lists,
    insert,
    relink,
    uniform,
    weighed,
)
from dispatch.plan_moves import by_key, cut, keep, ordered, remember, swap_tails

MOVES = "e2eb21d876f1"
"""Digest of plan_moves.py, for the reason given there."""
STRINGS, LENGTH = 10.0, 10.0
"""Tasks taken out in a round on average, and the longest string of one route (Christiaens & Vanden Berghe)."""
WHOLE, MANY = 0.03, 2.0
"""Share of rounds that take a whole route out, where routes are so many times longer than the longest string."""
TAILS = 10
"""Pairs of routes in a round that may change their tails, and how near their tasks are."""
LURE, LURED = 4.0, 0.1
"""In a share of the rounds a task may cost so many times what leaving it out costs: another may join it there."""
OLD = 8
"""Tasks that were absent before the round and are tried again in it."""


@kernel
def may(c: Core, s: Lists, w: int, j: int) -> bool:
    """Return whether a worker may do a task, room and companions considered."""
    if c.extra[j, w] == np.inf or c.crew[w, USED] + c.task[j, SIZE] > c.crew[w, ROOM] + 1e-9:
        return False
    if c.link[j, GROUP] >= 0:
        for k in range(s.mates.shape[1]):
            mate = s.mates[c.link[j, GROUP], k]
            if mate >= 0 and mate != j and c.link[mate, WHO] == w:
                return False
    return True


@inner
def passed_over(salt: int, place: int, skip: float) -> bool:
    """Return whether a place is passed over in this search; the same place gives the same answer each time."""
    mixed = (np.uint64(place) + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
    return float(mixed >> np.uint64(40)) < skip * 16777216.0


@inner
def salted(s: Lists, skip: float) -> int:
    """Return a number for `passed_over`, drawn by lot."""
    return int(uniform(s.random) * 1e15) if skip > 0 else 0


@kernel
def best_in_route(c: Core, w: int, j: int, limit: float, skip: float, salt: int) -> tuple[float, int]:
    """Return the least a task adds to a route and the task it then follows; ``limit`` when it is not below."""
    best, place, p, back = limit, -1, int(c.hand[w, LAST_FIXED]), int(c.hand[w, BACK])
    there, onward, extra = c.ways[1, j], c.ways[0, j], c.extra[j, w]
    while True:
        q = int(c.hand[w, HEAD]) if p < 0 else int(c.link[p, AFTER])
        way = there[p if p >= 0 else c.hand[w, HOME]]
        if q >= 0:
            way += onward[q] - c.task[q, LEG]
        elif back >= 0:
            way += onward[back] - (c.ways[0, p, back] if p >= 0 else 0.0)
        if c.weights[TRAVEL] * way + extra < best and not (
            skip > 0 and passed_over(salt, p if p >= 0 else c.task.shape[0] + w, skip)
        ):
            cost = weighed(c, w, j, p, best)
            if cost < best:
                best, place = cost, p
        if q < 0:
            break
        p = q
        late = c.task[p, START] - c.task[j, DUE]
        if c.task[p, START] > c.task[j, LAST] or (late > 0 and c.task[j, LATE] * (late + c.weights[LATE_STEP]) > best):
            break
    return best, place


@kernel
def best_anywhere(c: Core, s: Lists, j: int, limit: float, skip: float) -> tuple[float, int, int]:
    """Return the least a task adds to any route, the worker (-1 none) and the task it then follows."""
    best, worker, place, workers = limit, -1, -1, c.hand.shape[0]
    tried, salt = -1, salted(s, skip)
    for at in range(c.link[j, FEW] if c.link[j, FEW] > 0 else workers):
        w = int(s.begin[j, at]) if c.link[j, FEW] > 0 else at
        if not c.extra[j, w] < best:
            continue
        if c.hand[w, COUNT] == 0:
            if c.hand[w, KIND] == tried:
                continue
            tried = c.hand[w, KIND]
        if may(c, s, w, j):
            cost, p = best_in_route(c, w, j, best, skip, salt)
            if cost < best:
                best, worker, place = cost, w, p
    return best, worker, place


@inner
def best_near(c: Core, s: Lists, j: int, limit: float, skip: float, breadth: int) -> tuple[float, int, int]:
    """Return the same as `best_anywhere` of places beside tasks close by and at the beginning of routes close by.

    What the way alone would cost is looked at here; only what that leaves open is weighed.
    """
    best, worker, place, salt, tasks = limit, -1, -1, salted(s, skip), c.task.shape[0]
    there, onward, extra = c.ways[1, j], c.ways[0, j], c.extra[j]
    for at in range(min(breadth, s.near.shape[1])):
        v = int(s.near[j, at])
        w = int(c.link[v, WHO])
        if w < 0 or not extra[w] < best:
            continue
        for side in range(2):
            p, q = (v, int(c.link[v, AFTER])) if side == 0 else (int(c.link[v, BEFORE]), v)
            if q >= 0 and c.link[q, STAYS]:
                continue
            if q >= 0:
                way = there[p if p >= 0 else c.hand[w, HOME]] + onward[q] - c.task[q, LEG]
            elif c.hand[w, BACK] >= 0:
                way = there[p] + onward[c.hand[w, BACK]] - c.ways[0, p, c.hand[w, BACK]]
            else:
                way = there[p]
            if not c.weights[TRAVEL] * way + extra[w] < best or not may(c, s, w, j):
                continue
            if not (skip > 0 and passed_over(salt, p if p >= 0 else tasks + w, skip)):
                cost = weighed(c, w, j, p, best)
                if cost < best:
                    best, worker, place = cost, w, p
    for at in range(s.begin.shape[1]):
        w = int(s.begin[j, at])
        if w < 0:
            break
        p = int(c.hand[w, LAST_FIXED])
        q = int(c.hand[w, HEAD]) if p < 0 else int(c.link[p, AFTER])
        way = there[p if p >= 0 else c.hand[w, HOME]]
        if q >= 0:
            way += onward[q] - c.task[q, LEG]
        if skip > 0 and passed_over(salt, p if p >= 0 else tasks + w, skip):
            continue
        if c.weights[TRAVEL] * way + extra[w] < best and may(c, s, w, j):
            cost = weighed(c, w, j, p, best)
            if cost < best:
                best, worker, place = cost, w, p
    tried = -1
    for at in range(s.fleet.shape[0]):  # of those that are alike and have nothing to do, one is enough
        w = int(s.fleet[at])
        if c.hand[w, COUNT] == 0 and c.hand[w, KIND] != tried:
            tried = c.hand[w, KIND]
            if may(c, s, w, j):
                cost = weighed(c, w, j, -1, best)
                if cost < best:
                    best, worker, place = cost, w, -1
    return best, worker, place


@kernel
def improve(c: Core, s: Lists, rounds: int, hot: float, cold: float, breadth: int, skip: float, tails: int) -> int:
    """Ruin and recreate ``rounds`` times, cooling from ``hot`` to ``cold``; return how often the best was bettered."""
    tasks, workers = c.task.shape[0], c.hand.shape[0]
    kept, line, out = np.empty(tasks, np.int32), np.empty(tasks, np.int32), np.empty(tasks, np.int32)
    first, length, touched = np.empty(workers, np.int32), np.empty(workers, np.int32), np.empty(workers, np.int32)
    was = np.empty(workers, np.float64)
    mark = np.zeros(workers, np.int64)
    before, key = np.empty(tasks, np.int32), np.empty(tasks, np.float64)
    temperature, cool, bettered = hot, (cold / hot) ** (1.0 / max(rounds, 1)), 0
    for turn in range(1, rounds + 1):
        for _ in range(tails if s.near.shape[1] > 0 else 0):
            a = int(uniform(s.random) * tasks)
            v = int(s.near[a, int(uniform(s.random) * min(TAILS, s.near.shape[1]))])
            gain = swap_tails(c, a, v, -temperature * np.log(uniform(s.random) + 1e-300), line, kept)
            if gain < np.inf:
                s.totals[NOW] += gain
                if s.totals[NOW] < s.totals[BEST] - 1e-7:
                    bettered += 1
                    remember(c, s)
        absent = int(s.totals[ABSENT])
        for k in range(absent):
            before[k] = s.absent[k]
        n, filled, removed, used = 0, 0, 0, 0
        for w in range(workers):
            used += c.hand[w, COUNT] > 0
        longest = min(LENGTH, max(1.0, (tasks - absent) / max(used, 1)))
        strings = int(uniform(s.random) * max(1.0, 4 * STRINGS / (1 + longest) - 1) + 1)
        seed = int(uniform(s.random) * tasks)
        if uniform(s.random) < WHOLE and tasks - absent > MANY * LENGTH * used:
            strings, longest = 1, 0.0
        at = -1
        while n < strings and at < s.near.shape[1]:
            j = seed if at < 0 else int(s.near[seed, at])
            at += 1
            w = int(c.link[j, WHO])
            if w < 0 or mark[w] == turn or c.link[j, STAYS]:
                continue
            was[w] = c.crew[w, COST]
            mark[w] = turn
            n, filled = keep(c, w, kept, first, length, touched, n, filled)
            removed = cut(c, s, w, j, longest, line, out, removed)
        for k in range(min(absent, OLD)):  # some of those that were out before
            other = k + int(uniform(s.random) * (absent - k))
            s.absent[k], s.absent[other] = s.absent[other], s.absent[k]
        tried = min(absent, OLD)
        todo = removed + tried
        for k in range(tried):
            out[removed + k] = s.absent[k]
        left = absent - tried
        for k in range(left):
            s.absent[k] = s.absent[tried + k]
        ordered(c, s, out, todo, key)
        change = 0.0
        bait = LURE if uniform(s.random) < LURED else 1.0
        for k in range(todo):
            j = int(out[k])
            _, w, p = best_near(c, s, j, bait * c.task[j, PRIZE], skip, breadth)
            if w < 0:
                _, w, p = best_anywhere(c, s, j, bait * c.task[j, PRIZE], skip)
            if w < 0:
                s.absent[left] = j
                left += 1
                continue
            if mark[w] != turn:
                was[w] = c.crew[w, COST]
                mark[w] = turn
                n, filled = keep(c, w, kept, first, length, touched, n, filled)
            insert(c, w, j, p)
        for k in range(n):
            change += c.crew[touched[k], COST] - was[touched[k]]
        for k in range(left):
            change += c.task[s.absent[k], PRIZE]
        for k in range(absent):
            change -= c.task[before[k], PRIZE]
        if change < -temperature * np.log(uniform(s.random) + 1e-300):
            s.totals[NOW] += change
            s.totals[ABSENT] = left
            if s.totals[NOW] < s.totals[BEST] - 1e-7:
                bettered += 1
                remember(c, s)
        else:
            for k in range(n):
                j = c.hand[touched[k], HEAD]
                while j >= 0:
                    c.link[j, WHO] = -1
                    j = c.link[j, AFTER]
            for k in range(n):
                w = int(touched[k])
                relink(c, w, kept, int(first[w]), int(length[w]))
            for k in range(absent):
                s.absent[k] = before[k]
        temperature *= cool
    return bettered


@kernel
def fill(c: Core, s: Lists) -> None:
    """Put absent tasks where they cost least, one after the other, those that must not be left out first."""
    n, tasks, left = int(s.totals[ABSENT]), c.task.shape[0], 0
    todo, key = np.empty(tasks, np.int32), np.empty(tasks, np.float64)
    for k in range(n):
        todo[k] = s.absent[k]
        key[k] = c.task[todo[k], DUE] - 10.0 * c.task[todo[k], PRIZE]
    by_key(todo, key, n)
    for k in range(n):
        j = int(todo[k])
        _, w, p = best_anywhere(c, s, j, c.task[j, PRIZE], 0.0)
        if w < 0:
            s.absent[left] = j
            left += 1
        else:
            insert(c, w, j, p)
    s.totals[ABSENT] = left
    s.totals[NOW] = 0.0
    for w in range(c.crew.shape[0]):
        s.totals[NOW] += c.crew[w, COST]
    for k in range(left):
        s.totals[NOW] += c.task[s.absent[k], PRIZE]
    remember(c, s)

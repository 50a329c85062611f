"""Compiled moves: strings of tasks that are taken out, in which order they come back, and tails that change places."""

from __future__ import annotations

import numpy as np

from core.kernels import inner
from dispatch.plan_kernels import (
    AFTER,
    BACK,
    BEFORE,
    BEST,
    COST,
    COUNT,
    DUE,
    EARLY,
    F8,
    FIXED,
    GROUP,
    HARD,
    HEAD,
    HOME,
    I4,
    LAST,
    LEAVE,
    LEG,
    NOW,
    PRIZE,
    SIZE,
    START,
    STAYS,
    TRAVEL,
    WHO,
    Core,
    Lists,
    relink,
    uniform,
)

KERNELS = "985743b062c1"
"""Digest of plan_kernels.py: what is compiled here holds a copy of it, and numba looks at this file alone."""
SPLIT = 0.5
"""Share of strings that keep some tasks in their middle."""
KEPT = 0.01
"""Chance that one more task of the middle is kept, each time."""
LARGE = 100.0
"""What a unit of size counts beside what leaving a task out costs, where the largest come first."""


@inner
def keep(c: Core, w: int, kept: I4, first: I4, length: I4, touched: I4, n: int, filled: int) -> tuple[int, int]:
    """Copy a route before it is changed for the first time; return the new numbers of routes and tasks kept."""
    touched[n], first[w], length[w] = w, filled, c.hand[w, COUNT]
    j = c.hand[w, HEAD]
    while j >= 0:
        kept[filled] = j
        filled += 1
        j = c.link[j, AFTER]
    return n + 1, filled


@inner
def cut(c: Core, s: Lists, w: int, j: int, longest: float, line: I4, out: I4, n: int) -> int:
    """Take a string of tasks around ``j`` out of a route, all of it when ``longest`` is 0; return how many are out."""
    count, at, k, x = int(c.hand[w, COUNT]), -1, 0, int(c.hand[w, HEAD])
    while x >= 0:
        line[k] = x
        if x == j:
            at = k
        k += 1
        x = c.link[x, AFTER]
    low = int(c.hand[w, FIXED])
    free = count - low
    take = min(int(uniform(s.random) * min(longest, float(free)) + 1), free)
    if longest == 0:
        take = free
    spare = 0
    if take > 1 and take < free and uniform(s.random) < SPLIT:
        spare = 1
        while take + spare < free and uniform(s.random) < KEPT:
            spare += 1
    size = take + spare
    earliest, latest = max(low, at - size + 1), min(at, count - size)
    first = earliest + int(uniform(s.random) * (latest - earliest + 1))
    skip = first + 1 + int(uniform(s.random) * (take - 1)) if spare > 0 else -1
    left = 0
    for k in range(count):
        x = line[k]
        inside = first <= k < first + size
        if inside and not (spare > 0 and skip <= k < skip + spare):
            out[n] = x
            n += 1
            c.link[x, WHO] = -1
        else:
            line[left] = x
            left += 1
    relink(c, w, line, 0, left)
    return n


@inner
def ordered(c: Core, s: Lists, out: I4, n: int, key: F8) -> None:
    """Order the first ``n`` tasks by one of several rules, drawn by lot."""
    rule = uniform(s.random)
    for k in range(n):
        j = out[k]
        if rule < 0.36:
            key[k] = uniform(s.random)
        elif rule < 0.52:
            key[k] = min(c.task[j, DUE], c.task[j, LAST])
        elif rule < 0.66:
            key[k] = -c.task[j, PRIZE] - c.task[j, SIZE] * LARGE + uniform(s.random)
        elif rule < 0.78:
            key[k] = min(c.task[j, DUE], c.task[j, LAST]) - c.task[j, EARLY]
        elif rule < 0.9:
            key[k] = -c.ways[1, j, c.hand[0, HOME]]
        else:
            key[k] = c.ways[1, j, c.hand[0, HOME]]
    by_key(out, key, n)


@inner
def by_key(tasks: I4, key: F8, n: int) -> None:
    """Order the first ``n`` tasks by their keys (D. L. Shell, 1959)."""
    gap = 1
    while gap < n // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, n):
            j, value, at = tasks[k], key[k], k
            while at >= gap and key[at - gap] > value:
                tasks[at], key[at] = tasks[at - gap], key[at - gap]
                at -= gap
            tasks[at], key[at] = j, value
        gap //= 3


@inner
def remember(c: Core, s: Lists) -> None:
    """Keep the routes as the best seen."""
    s.totals[BEST] = s.totals[NOW]
    for j in range(c.link.shape[0]):
        s.best_after[j] = c.link[j, AFTER]
    for w in range(c.hand.shape[0]):
        s.best_head[w] = c.hand[w, HEAD]


@inner
def swap_tails(c: Core, a: int, v: int, limit: float, line: I4, kept: I4) -> float:
    """Let task ``v`` and what follows it come after ``a``, and what followed ``a`` after what came before ``v``.

    Return the change of the cost; inf when it is ``limit`` or more, and then nothing has changed.
    """
    w, other = int(c.link[a, WHO]), int(c.link[v, WHO])
    if w < 0 or other < 0 or w == other or c.link[v, STAYS]:
        return np.inf
    b, u, back = int(c.link[a, AFTER]), int(c.link[v, BEFORE]), int(c.hand[w, BACK])
    if back != c.hand[other, BACK] or (b >= 0 and c.link[b, STAYS]):
        return np.inf
    there = float(c.ways[0, a, v])
    way = there - c.task[v, LEG]
    if b >= 0:
        way += c.ways[0, u if u >= 0 else c.hand[other, HOME], b] - c.task[b, LEG]
    elif back >= 0:
        way += (c.ways[0, u, back] if u >= 0 else 0.0) - c.ways[0, a, back]
    if not c.weights[TRAVEL] * way < limit or c.task[a, LEAVE] + there - c.task[v, START] > c.task[v, HARD] + 1e-6:
        return np.inf
    extra, x = 0.0, v
    while x >= 0:
        extra += c.extra[x, w] - c.extra[x, other] if c.link[x, GROUP] < 0 else np.inf
        x = int(c.link[x, AFTER])
    x = b
    while x >= 0:
        extra += c.extra[x, other] - c.extra[x, w] if c.link[x, GROUP] < 0 else np.inf
        x = int(c.link[x, AFTER])
    if not c.weights[TRAVEL] * way + extra < limit:
        return np.inf
    was, n, first = c.crew[w, COST] + c.crew[other, COST], int(c.hand[w, COUNT]), 0
    k, m, x = 0, n, int(c.hand[w, HEAD])
    while x >= 0:
        kept[k] = x
        k += 1
        if x == a:
            first = k
        x = int(c.link[x, AFTER])
    second, x = 0, int(c.hand[other, HEAD])
    while x >= 0:
        if x == v:
            second = k - n
        kept[k] = x
        k += 1
        x = int(c.link[x, AFTER])
    count, m = k - n, 0
    for at in range(first):
        line[m] = kept[at]
        m += 1
    for at in range(second, count):
        line[m] = kept[n + at]
        m += 1
    split = m
    for at in range(second):
        line[m] = kept[n + at]
        m += 1
    for at in range(first, n):
        line[m] = kept[at]
        m += 1
    relink(c, w, line, 0, split)
    relink(c, other, line, split, m - split)
    change = float(c.crew[w, COST] + c.crew[other, COST] - was)
    if change < limit:
        return change
    relink(c, w, kept, 0, n)
    relink(c, other, kept, n, count)
    return np.inf

"""Compiled loops of balancing: moving border cells between areas without ever tearing one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.kernels import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@kernel
def stays_whole(  # noqa: PLR0917  (a compiled kernel takes arrays)
    node: int, offsets: Ints, adjacent: Ints, part: Ints, seen: Ints, stamp: int, queue: Ints
) -> bool:
    """Return whether the area of ``node`` still hangs together without it; an area of one cell does not."""
    own = part[node]
    wanted = 0
    first = -1
    for at in range(offsets[node], offsets[node + 1]):
        other = adjacent[at]
        if part[other] == own:
            wanted += 1
            first = other
    if wanted <= 1:
        return wanted == 1
    seen[node] = stamp
    seen[first] = stamp
    queue[0] = first
    head, tail = 0, 1
    found = 0
    # ``wanted`` neighbours must be reached; whoever is reached and borders on the node counts.
    while head < tail:
        here = queue[head]
        head += 1
        for at in range(offsets[node], offsets[node + 1]):
            if adjacent[at] == here:
                found += 1
        if found == wanted:
            return True
        for at in range(offsets[here], offsets[here + 1]):
            other = adjacent[at]
            if part[other] == own and seen[other] != stamp:
                seen[other] = stamp
                queue[tail] = other
                tail += 1
    return False


@kernel
def polish(  # noqa: C901, PLR0912, PLR0917  (a compiled kernel is one long loop)
    offsets: Ints,
    adjacent: Ints,
    border: Floats,
    weight: Floats,
    part: Ints,
    home: Ints,
    load: Floats,
    low: float,
    high: float,
    even: float,
    short: float,
    change: float,
    order: Ints,
    rounds: int,
) -> int:
    """Move border cells to a neighbouring area while that gains; return how many moves were made.

    What is made small: ``even`` × the squares of loads outside ``low`` … ``high`` (and a trace of those inside),
    ``short`` × the border between areas, ``change`` × the cells that left their ``home``. ``part`` and ``load``
    are changed in place; every area stays contiguous and keeps at least one cell.
    """
    count = len(weight)
    seen = np.full(count, -1, np.int64)
    queue = np.empty(count, np.int64)
    moves = 0
    stamp = 0
    for _ in range(rounds):
        moved = 0
        for place in range(count):
            node = order[place]
            own = part[node]
            inside = 0.0
            outer = False
            for at in range(offsets[node], offsets[node + 1]):
                if part[adjacent[at]] == own:
                    inside += border[at]
                else:
                    outer = True
            if not outer:
                continue
            heavy = weight[node]
            best = -1e-9
            to = -1
            for at in range(offsets[node], offsets[node + 1]):
                other = part[adjacent[at]]
                if other in (own, to):
                    continue
                common = 0.0
                for again in range(offsets[node], offsets[node + 1]):
                    if part[adjacent[again]] == other:
                        common += border[again]
                gain = short * (inside - common)
                gain += even * (
                    beyond(load[own] - heavy, low, high)
                    + beyond(load[other] + heavy, low, high)
                    - beyond(load[own], low, high)
                    - beyond(load[other], low, high)
                )
                if home[node] == own:
                    gain += change
                elif home[node] == other:
                    gain -= change
                if gain < best:
                    best = gain
                    to = other
            if to < 0:
                continue
            stamp += 1
            if not stays_whole(node, offsets, adjacent, part, seen, stamp, queue):
                continue
            part[node] = to
            load[own] -= heavy
            load[to] += heavy
            moved += 1
        moves += moved
        if moved == 0:
            break
    return moves


@kernel
def beyond(load: float, low: float, high: float) -> float:
    """Return the square of how far a load lies outside its bounds, and a hundredth of its square from the middle."""
    middle = 0.5 * (low + high)
    away = (load - middle) * (load - middle) * 0.01
    if load > high:
        return away + (load - high) * (load - high)
    if load < low:
        return away + (low - load) * (low - load)
    return away


@kernel
def relay(  # noqa: C901, PLR0912, PLR0915, PLR0917  (a compiled kernel is one long loop)
    offsets: Ints,
    adjacent: Ints,
    border: Floats,
    weight: Floats,
    part: Ints,
    home: Ints,
    load: Floats,
    high: float,
    rounds: int,
) -> int:
    """Hand cells on from the heaviest area, from neighbour to neighbour, to the nearest light one; return hand-overs.

    Where all neighbours of a heavy area are full, no single exchange helps: each area of the way takes a cell and
    gives one. It ends when no area is above ``high`` or the way of the heaviest is barred.
    """
    count, k = len(weight), len(load)
    seen = np.full(count, -1, np.int64)
    queue = np.empty(count, np.int64)
    before = np.empty(k, np.int64)
    row = np.empty(k, np.int64)
    touching = np.zeros((k, k), np.bool_)
    barred = np.zeros(k, np.bool_)
    stamp, made = 0, 0
    for node in range(count):
        for at in range(offsets[node], offsets[node + 1]):
            touching[part[node], part[adjacent[at]]] = True
    for _ in range(rounds):
        heavy = -1
        for area in range(k):
            if not barred[area] and load[area] > high and (heavy < 0 or load[area] > load[heavy]):
                heavy = area
        if heavy < 0:
            return made
        before[:] = -1
        before[heavy] = heavy
        row[0] = heavy
        head, tail, light = 0, 1, -1
        while head < tail and light < 0:
            here = row[head]
            head += 1
            for area in range(k):
                if touching[here, area] and before[area] < 0:
                    before[area] = here
                    row[tail] = area
                    tail += 1
                    if load[area] < 1.0 - 0.25 * (high - 1.0):
                        light = area
                        break
        if light < 0:
            barred[heavy] = True
            continue
        taker = light
        done = 0
        while taker != heavy:
            giver = before[taker]
            want = min(1.0 - load[taker], load[heavy] - 1.0) if taker == light else load[taker] - 1.0
            want = max(want, 0.25 * (high - 1.0))
            best, chosen = np.inf, -1
            for node in range(count):
                if part[node] != giver:
                    continue
                inside, common = 0.0, 0.0
                for at in range(offsets[node], offsets[node + 1]):
                    if part[adjacent[at]] == taker:
                        common += border[at]
                    elif part[adjacent[at]] == giver:
                        inside += border[at]
                if common == 0.0 or weight[node] == 0.0:
                    continue
                cost = abs(weight[node] - want) / high * 50.0 + inside - common
                if home[node] == giver:
                    cost += 1.0
                elif home[node] == taker:
                    cost -= 1.0
                if cost < best:
                    stamp += 1
                    if stays_whole(node, offsets, adjacent, part, seen, stamp, queue):
                        best, chosen = cost, node
            if chosen < 0:
                break
            part[chosen] = taker
            load[giver] -= weight[chosen]
            load[taker] += weight[chosen]
            for at in range(offsets[chosen], offsets[chosen + 1]):
                touching[taker, part[adjacent[at]]] = True
                touching[part[adjacent[at]], taker] = True
            made += 1
            done += 1
            taker = giver
        if done == 0:
            barred[heavy] = True
    return made

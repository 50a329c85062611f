"""Compiled loops of sites with little room: what each fills its room with best, and who goes where."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.kernels import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
LEAST = 1e-9


@kernel
def fill_rooms(  # noqa: C901, PLR0917  (a compiled function is one long loop)
    rows: Floats, unit: Ints, room: Ints, prices: Floats, worth: Floats, more: Floats, table: Floats
) -> None:
    """Write what each candidate fills its room with is worth at most, and what serving each demand adds to that.

    Parameters
    ----------
    rows
        Costs, shape (candidates, demand); infinite where there is no way.
    unit, room
        Room that each demand takes and each candidate has, in whole units.
    worth
        Of each candidate, not above zero.
    more
        Shape (candidates, demand); by how much a candidate is worth less when it has to serve a demand that does not
        pay; 0 for those that do.
    table
        Work space, one longer than the largest room.
    """
    for j in range(len(rows)):
        row, most = rows[j], room[j]
        free, total = 0.0, 0
        for i in range(len(row)):
            gain = row[i] - prices[i]
            if gain < 0.0 and unit[i] <= most:
                if unit[i] == 0:
                    free += gain
                total += unit[i]
        top = min(most, total)
        for c in range(top + 1):
            table[c] = free
        for i in range(len(row)):
            gain = row[i] - prices[i]
            if gain < 0.0 and 0 < unit[i] <= most:
                for c in range(top, unit[i] - 1, -1):
                    with_it = table[c - unit[i]] + gain
                    table[c] = min(table[c], with_it)
        worth[j] = table[top]
        for i in range(len(row)):
            gain = row[i] - prices[i]
            if unit[i] > most:
                more[j, i] = np.inf
            elif gain >= 0.0:
                more[j, i] = gain + table[min(most - unit[i], top)] - worth[j]
            else:
                more[j, i] = 0.0


@kernel
def take(row: Floats, unit: Ints, room: int, prices: Floats, taken: Floats) -> None:
    """Count up whom a site takes that fills its room best."""
    paying = np.empty(len(row), np.int64)
    count, total = 0, 0
    for i in range(len(row)):
        if row[i] - prices[i] < 0.0 and unit[i] <= room:
            paying[count] = i
            count += 1
            total += unit[i]
    top = min(room, total)
    table = np.zeros((count + 1, top + 1))
    for k in range(count):
        i = paying[k]
        gain = row[i] - prices[i]
        for c in range(top + 1):
            table[k + 1, c] = table[k, c]
            if unit[i] <= c and table[k, c - unit[i]] + gain < table[k + 1, c]:
                table[k + 1, c] = table[k, c - unit[i]] + gain
    c = top
    for k in range(count - 1, -1, -1):
        if table[k + 1, c] != table[k, c]:
            taken[paying[k]] += 1.0
            c -= unit[paying[k]]


@kernel
def by_regret(  # noqa: C901  (a compiled function is one long loop)
    rows: Floats, size: Floats, capacity: Floats, goes: Ints
) -> bool:
    """Write for each demand its site, those first that lose most by their second choice; return whether all fit.

    Who fits nowhere goes where most room is left, and more than there is.
    """
    sites, demand = rows.shape
    fits = True
    room = capacity.copy()
    goes[:] = -1
    for _ in range(demand):
        worst, who, where = -1.0, -1, -1
        for i in range(demand):
            if goes[i] >= 0:
                continue
            first, low, next_low = -1, np.inf, np.inf
            for s in range(sites):
                if size[i] <= room[s] + LEAST:
                    if rows[s, i] < low:
                        next_low, low, first = low, rows[s, i], s
                    elif rows[s, i] < next_low:
                        next_low = rows[s, i]
            if first < 0:
                fits, next_low = False, np.inf
                for s in range(sites):
                    if rows[s, i] < np.inf and (first < 0 or room[s] > room[first]):
                        low, first = rows[s, i], s
                if first < 0:
                    return False
            regret = next_low - low if next_low < np.inf else 1e18 + size[i]
            if regret > worst:
                worst, who, where = regret, i, first
        goes[who] = where
        room[where] -= size[who]
    return fits


@kernel
def repair(  # noqa: C901, PLR0912, PLR0917  (a compiled function is one long loop)
    rows: Floats, size: Floats, capacity: Floats, goes: Ints, price: float, rounds: int
) -> bool:
    """Move and exchange demand until no site takes more than it has room for; return whether that came about.

    What is too much at a site costs so much a unit beside the ways.
    """
    sites, demand = rows.shape
    room = capacity.copy()
    for i in range(demand):
        room[goes[i]] -= size[i]
    for _ in range(rounds):
        over = 0.0
        for s in range(sites):
            over += max(-room[s], 0.0)
        if over <= LEAST:
            return True
        low, who, with_whom, where = -LEAST, -1, -1, -1
        for i in range(demand):
            a = goes[i]
            for s in range(sites):
                if s == a or rows[s, i] == np.inf:
                    continue
                less = max(-room[a], 0.0) - max(-room[a] - size[i], 0.0)
                worse = max(-room[s] + size[i], 0.0) - max(-room[s], 0.0)
                change = rows[s, i] - rows[a, i] + price * (worse - less)
                if change < low:
                    low, who, with_whom, where = change, i, -1, s
            for k in range(i + 1, demand):
                b = goes[k]
                if a == b or (room[a] >= 0.0 and room[b] >= 0.0) or rows[b, i] + rows[a, k] == np.inf:
                    continue
                move = size[i] - size[k]
                change = rows[b, i] + rows[a, k] - rows[a, i] - rows[b, k]
                change += price * (max(-room[a] - move, 0.0) - max(-room[a], 0.0))
                change += price * (max(-room[b] + move, 0.0) - max(-room[b], 0.0))
                if change < low:
                    low, who, with_whom, where = change, i, k, b
        if who < 0:
            return False
        a = goes[who]
        move = size[who] - (size[with_whom] if with_whom >= 0 else 0.0)
        room[a] += move
        room[where] -= move
        goes[who] = where
        if with_whom >= 0:
            goes[with_whom] = a
    return False


@kernel
def improve(rows: Floats, size: Floats, capacity: Floats, goes: Ints, rounds: int) -> float:  # noqa: C901, PLR0912
    """Move one demand, exchange two, or make room for one by moving another, as long as that gains; return the cost."""
    sites, demand = rows.shape
    room = capacity.copy()
    for i in range(demand):
        room[goes[i]] -= size[i]
    for _ in range(rounds):
        better = False
        for i in range(demand):
            own = goes[i]
            for s in range(sites):
                if s != own and size[i] <= room[s] + LEAST and rows[s, i] < rows[own, i] - LEAST:
                    room[own] += size[i]
                    room[s] -= size[i]
                    goes[i], own, better = s, s, True
        for i in range(demand):
            for k in range(i + 1, demand):
                a, b = goes[i], goes[k]
                if a == b or rows[b, i] + rows[a, k] >= rows[a, i] + rows[b, k] - LEAST:
                    continue
                change = size[i] - size[k]
                if change <= room[b] + LEAST and -change <= room[a] + LEAST:
                    room[b] -= change
                    room[a] += change
                    goes[i], goes[k], better = b, a, True
        if not better:
            for i in range(demand):
                for s in range(sites):
                    gain = rows[goes[i], i] - rows[s, i]
                    if s == goes[i] or gain <= LEAST:
                        continue
                    own = goes[i]
                    for k in range(demand):
                        if goes[k] != s or size[i] > room[s] + size[k] + LEAST:
                            continue
                        into, low = -1, gain - LEAST
                        for t in range(sites):
                            left = room[t] + (size[i] if t == own else 0.0)
                            if t != s and size[k] <= left + LEAST and rows[t, k] - rows[s, k] < low:
                                into, low = t, rows[t, k] - rows[s, k]
                        if into >= 0:
                            room[own] += size[i]
                            room[s] += size[k] - size[i]
                            room[into] -= size[k]
                            goes[i], goes[k], better = s, into, True
                            break
        if not better:
            break
    total = 0.0
    for i in range(demand):
        total += rows[goes[i], i]
    return total

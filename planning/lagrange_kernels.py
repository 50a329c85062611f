"""Compiled loops of the Lagrangian relaxation: costs by demand in rising order, and the ascent of its multipliers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.kernels import inner, kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Places = NDArray[np.int32]
Floats32 = NDArray[np.float32]
States = NDArray[np.int8]
FREE, OPEN, CLOSED = 0, 1, 2
"""What is settled of a candidate."""


@kernel
def count_below(costs: Floats, cap: Floats, starts: Ints) -> None:
    """Write where the costs of each demand below its cap begin; ``starts`` has one more than there is demand."""
    for i in range(len(starts)):
        starts[i] = 0
    for j in range(costs.shape[0]):
        row = costs[j]
        for i in range(costs.shape[1]):
            if row[i] < cap[i]:
                starts[i + 1] += 1
    for i in range(costs.shape[1]):
        starts[i + 1] += starts[i]


@kernel
def fill_below(costs: Floats, cap: Floats, starts: Ints, places: Places, values: Floats) -> None:
    """Write candidates and costs of each demand below its cap, by number of the candidate."""
    demand = costs.shape[1]
    at = starts[:demand].copy()
    for j in range(costs.shape[0]):
        row = costs[j]
        for i in range(demand):
            if row[i] < cap[i]:
                places[at[i]] = j
                values[at[i]] = row[i]
                at[i] += 1


@kernel
def sort_each(starts: Ints, places: Places, values: Floats) -> None:
    """Bring the list of each demand into rising order of cost."""
    for i in range(len(starts) - 1):
        low, high = starts[i], starts[i + 1]
        order = np.argsort(values[low:high], kind="mergesort")
        values[low:high] = values[low:high][order]
        places[low:high] = places[low:high][order]


@kernel
def join(  # noqa: PLR0917  (arrays in, arrays out)
    at: Ints, starts: Ints, places: Places, values: Floats32, all_places: Places, all_values: Floats
) -> None:
    """Write the lists of some candidates behind those before; ``at`` says where each demand goes on."""
    for i in range(len(at)):
        for k in range(starts[i], starts[i + 1]):
            all_places[at[i]] = places[k]
            all_values[at[i]] = values[k]
            at[i] += 1


@kernel
def squeeze(  # noqa: PLR0917  (arrays in, arrays out)
    starts: Ints,
    places: Places,
    values: Floats,
    states: States,
    new_starts: Ints,
    new_places: Places,
    new_values: Floats,
) -> int:
    """Write the lists without closed candidates and what lies behind the first open one; return their length."""
    at = 0
    for i in range(len(starts) - 1):
        new_starts[i] = at
        for k in range(starts[i], starts[i + 1]):
            j = places[k]
            if states[j] == CLOSED:
                continue
            new_places[at] = j
            new_values[at] = values[k]
            at += 1
            if states[j] == OPEN:
                break
    new_starts[len(starts) - 1] = at
    return at


@inner
def smallest(values: Floats, work: Floats, count: int) -> float:
    """Return the ``count``-th smallest of the values; ``work`` is as long as they."""
    for j in range(len(values)):
        work[j] = values[j]
    low, high, wanted = 0, len(values) - 1, count - 1
    while low < high:
        pivot = work[(low + high) >> 1]
        i, j = low, high
        while i <= j:
            while work[i] < pivot:
                i += 1
            while work[j] > pivot:
                j -= 1
            if i <= j:
                work[i], work[j] = work[j], work[i]
                i += 1
                j -= 1
        if wanted <= j:
            high = j
        elif wanted >= i:
            low = i
        else:
            break
    return float(work[wanted])


@kernel
def ascend(  # noqa: C901, PLR0912, PLR0915, PLR0917  (a compiled kernel is one long loop)
    starts: Ints,
    places: Places,
    values: Floats,
    cap: Floats,
    states: States,
    p: int,
    target: float,
    enough: float,
    rounds: int,
    momentum: float,
    patience: int,
    slower: float,
    multipliers: Floats,
    direction: Floats,
    at_best: Floats,
    worth_at_best: Floats,
    taken: States,
    share: Floats,
    told: Floats,
) -> None:
    """Raise the multipliers by deflected subgradients.

    ``multipliers``, ``direction``, ``share`` (how often each candidate was taken, of late more) and ``told`` (highest
    bound, pace, tries since) go on from call to call; ``at_best`` and ``worth_at_best`` belong to the highest bound.
    ``target`` is a cost that is known; the work ends where the bound is ``enough``.
    """
    demand, candidates = len(starts) - 1, len(states)
    worth, work, slack = np.empty(candidates), np.empty(candidates), np.empty(demand)
    highest, pace, tries = told[0], told[1], told[2]
    fixed = 0
    for j in range(candidates):
        if states[j] == OPEN:
            fixed += 1
    choose = p - fixed
    for _ in range(rounds):
        for j in range(candidates):
            worth[j] = 0.0
        total = 0.0
        for i in range(demand):
            level = multipliers[i]
            total += level
            for k in range(starts[i], starts[i + 1]):
                less = values[k] - level
                if less >= 0.0:
                    break
                worth[places[k]] += less
        for j in range(candidates):
            work[j] = worth[j] if states[j] == FREE else np.inf
            taken[j] = 0
            if states[j] == OPEN:
                taken[j] = 1
                total += worth[j]
        if choose > 0:
            edge = smallest(work.copy(), work, choose)
            left = choose
            for j in range(candidates):
                if states[j] == FREE and worth[j] < edge:
                    taken[j] = 1
                    total += worth[j]
                    left -= 1
            for j in range(candidates):
                if left > 0 and states[j] == FREE and worth[j] == edge:
                    taken[j] = 1
                    total += worth[j]
                    left -= 1
        for j in range(candidates):
            share[j] = 0.95 * share[j] + 0.05 * taken[j]
        if total > highest + 1e-9 * abs(highest):
            highest, tries = total, 0.0
            for i in range(demand):
                at_best[i] = multipliers[i]
            for j in range(candidates):
                worth_at_best[j] = worth[j]
            if highest >= enough:
                break
        else:
            tries += 1.0
            if tries >= patience:
                tries = 0.0
                pace *= slower
                for i in range(demand):
                    multipliers[i] = at_best[i]
                    direction[i] = 0.0
                continue
        length = 0.0
        for i in range(demand):
            level, free = multipliers[i], 1.0
            for k in range(starts[i], starts[i + 1]):
                if values[k] >= level:
                    break
                if taken[places[k]]:
                    free -= 1.0
            slack[i] = free
            direction[i] = free + momentum * direction[i]
            length += direction[i] * direction[i]
        if length <= 1e-18:
            break
        step = pace * (target - total) / length
        for i in range(demand):
            level = multipliers[i] + step * direction[i]
            least = values[starts[i]] if starts[i] < starts[i + 1] else cap[i]
            multipliers[i] = min(max(level, least), cap[i])
    told[0], told[1], told[2] = highest, pace, tries

"""Compiled loops of market share: lifted planes above what sites draw, and what each exchange of a site would draw.

What sites draw of a person is g(v) = v / (v + rest), concave in their pull v = sum of a over the sites. At a level
u >= 0 the plane that touches g there, alpha + c * v, lies above g; and where one site alone pulls more than u, what it
adds to the plane may be lowered from c * a to g(a) - alpha, and the plane still lies above g at every choice of sites:
one such site makes it g(a) and more, and what comes beside it raises g by less than the plane, since g is concave.
Of all levels the lowest plane at shares x of candidates is at u = sum of min(a, u) * x.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from core.kernels import kernel

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
ROUNDS = 60
WHOLE = 1.0 - 1e-12


@kernel
def find_levels(  # noqa: PLR0917  (compiled functions take arrays by place)
    pulls: Floats, rest: Floats, people: Floats, at: Ints, share: Floats, levels: Floats
) -> float:
    """Write the level of the lowest plane of each demand at shares of some candidates; return what the planes say."""
    total = 0.0
    for i in range(len(rest)):
        row = pulls[i]
        level = 0.0
        for k in range(len(at)):
            level += row[at[k]] * share[k]
        for _ in range(ROUNDS):
            below, above = 0.0, 0.0
            for k in range(len(at)):
                pull = row[at[k]]
                if pull <= level:
                    below += pull * share[k]
                else:
                    above += share[k]
            if above >= WHOLE:
                break
            fresh = below / (1.0 - above)
            if fresh >= level * WHOLE:
                break
            level = fresh
        levels[i] = level
        slope = rest[i] / (level + rest[i]) ** 2
        base = (level / (level + rest[i])) ** 2
        said = base
        for k in range(len(at)):
            pull = row[at[k]]
            said += (slope * pull if pull <= level else pull / (pull + rest[i]) - base) * share[k]
        total += people[i] * said
    return total


@kernel
def sum_planes(  # noqa: PLR0917  (compiled functions take arrays by place)
    pulls: Floats, rest: Floats, people: Floats, levels: Floats, part: Ints, slopes: Floats, bases: Floats
) -> None:
    """Write the sums of the planes at such levels over the demand of each part: bases, and slopes (part, candidate)."""
    slopes[:] = 0.0
    bases[:] = 0.0
    for i in range(len(rest)):
        level, which = levels[i], part[i]
        slope = people[i] * rest[i] / (level + rest[i]) ** 2
        base = (level / (level + rest[i])) ** 2
        bases[which] += people[i] * base
        row, into = pulls[i], slopes[which]
        for j in range(len(row)):
            pull = row[j]
            into[j] += slope * pull if pull <= level else people[i] * (pull / (pull + rest[i]) - base)


@kernel
def draw_with(pulls: Floats, rest: Floats, people: Floats, own: Floats, worth: Floats) -> None:
    """Write what is drawn where each candidate joins sites that pull ``own`` at each demand."""
    worth[:] = 0.0
    for i in range(len(rest)):
        row, own_i, rest_i, people_i = pulls[i], own[i], rest[i], people[i]
        for j in range(len(row)):
            pull = own_i + row[j]
            worth[j] += people_i * (pull / (pull + rest_i))

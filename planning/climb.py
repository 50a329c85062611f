"""Exchanges of one site for another as long as a choice becomes better, whatever "better" is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from planning.choice import Ints
from planning.listening import heard
from planning.side import Side

STEPS = 200


def climbed(worth: Callable[[Ints], float], side: Side, sites: Ints | None = None) -> Ints | None:
    """Return a choice that no single exchange makes worth more; None when no choice keeps to the side conditions.

    Parameters
    ----------
    worth
        Of a choice; more is better.
    sites
        To begin with; else each the best after those before it, where that is allowed.
    """
    chosen = _begun(worth, side) if sites is None else np.sort(sites)
    if chosen is None:
        return None
    best = worth(chosen)
    for _ in range(STEPS):
        better: Ints | None = None
        for go in np.setdiff1d(chosen, side.fixed):
            kept = chosen[chosen != go]
            heard()
            for come in np.setdiff1d(np.arange(side.candidates), chosen):
                fresh = np.sort(np.append(kept, come))
                value = worth(fresh)
                if value > best + 1e-12 * max(abs(best), 1) and side.allows(fresh):
                    best, better = value, fresh
        if better is None:
            return chosen
        chosen = better
    return chosen


def _begun(worth: Callable[[Ints], float], side: Side) -> Ints | None:
    chosen = np.sort(side.fixed)
    while len(chosen) < side.most:
        heard()
        rest = np.setdiff1d(np.arange(side.candidates), chosen)
        values = [worth(np.sort(np.append(chosen, come))) for come in rest]
        if not len(rest):
            break
        chosen = np.sort(np.append(chosen, rest[int(np.argmax(values))]))
    if side.allows(chosen):
        return chosen
    return side.choose(np.zeros(side.candidates))[0]

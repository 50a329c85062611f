"""How a search stands while it runs: seconds, the best choice so far, the bound so far; for a chart that is alive.

A listener to progress that has a method ``standing(seconds, incumbent, bound)`` is told, in the numbers of the
question (people for coverage, person-seconds for the p-median). Incumbent and bound only ever move towards each other.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from core.progress import Progress

EVERY_S = 0.1


@runtime_checkable
class Watcher(Protocol):
    """Who wants to know how a search stands."""

    def standing(self, seconds: float, incumbent: float, bound: float) -> None:
        """Hear where the search stands; ``incumbent`` or ``bound`` is nan while there is none."""


class Told:
    """Progress that passes on, and tells a `Watcher` behind it how the search stands.

    Parameters
    ----------
    turn
        From what the solver counts (costs, smaller is better) to the numbers of the question.
    """

    def __init__(self, progress: Progress, turn: Callable[[float], float] | None = None) -> None:
        self._progress = progress
        self._watcher = progress if isinstance(progress, Watcher) else None
        self._inner = progress if isinstance(progress, Told) else None
        self._turn = turn or (lambda value: value)
        self._began = time.perf_counter()
        self._said = -math.inf
        self._incumbent, self._bound = math.inf, -math.inf

    def step(self, name: str, total: int | None = None) -> None:
        """Pass on that a step begins."""
        self._progress.step(name, total)

    def advance(self, items: int = 1) -> None:
        """Pass on that items are done; `core.progress.Cancelled` comes through."""
        self._progress.advance(items)

    def tell(self, cost: float, bound: float) -> None:
        """Say how the search stands; what is no better than before changes nothing."""
        if self._inner is not None:
            self._inner.tell(self._turn(cost), self._turn(bound))
            return
        if self._watcher is None:
            return
        better, higher = cost < self._incumbent, bound > self._bound
        self._incumbent, self._bound = min(self._incumbent, cost), max(self._bound, bound)
        now = time.perf_counter()
        if not better and not (higher and now - self._said >= EVERY_S):
            return
        self._said = now
        self._watcher.standing(
            now - self._began,
            self._turn(self._incumbent) if math.isfinite(self._incumbent) else math.nan,
            self._turn(min(self._bound, self._incumbent)) if math.isfinite(self._bound) else math.nan,
        )


def tell(progress: Progress, cost: float, bound: float) -> None:
    """Say how a search stands to whoever listens."""
    if isinstance(progress, Told):
        progress.tell(cost, bound)

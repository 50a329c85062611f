"""The work of a study hears how the search stands, writes it where pages read it, and hears when it is enough."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from core.identity import Actor
from core.progress import Progress
from geodata import db
from planning import living

WRITTEN_EVERY_S = 0.7
STEPS_AT_MOST = 240


class Watch:
    """Progress of a study that keeps the trail of best found and bound."""

    def __init__(self, actor: Actor, study_id: int, people: float, progress: Progress) -> None:
        self._actor, self._study_id, self._people, self._progress = actor, study_id, people, progress
        self._began = self._written = time.monotonic()
        self._trail: list[tuple[float, float, float]] = []
        self._enough = False

    @property
    def trail(self) -> Sequence[tuple[float, float, float]]:
        """Return seconds, best found, bound in order of time."""
        return tuple(self._trail)

    @property
    def stopped(self) -> bool:
        """Return whether the search was ended by a wish."""
        return self._enough

    def step(self, name: str, total: int | None = None) -> None:
        """Begin a named step."""
        self._progress.step(name, total)

    def advance(self, items: int = 1) -> None:
        """Count; `core.progress.Cancelled` passes through."""
        self._progress.advance(items)
        self._look()

    def tell(self, found: float, bound: float) -> None:
        """Hear the best found and the bound."""
        if not (math.isfinite(found) and math.isfinite(bound)):
            return
        if self._trail and self._trail[-1][1:] == (found, bound):
            return
        point = (round(time.monotonic() - self._began, 2), found, bound)
        if self._trail and self._trail[-1][0] == point[0]:
            self._trail[-1] = point
        else:
            self._trail.append(point)
        if len(self._trail) > STEPS_AT_MOST:
            self._trail = [*self._trail[:-1:2], self._trail[-1]]
        self._look()

    def enough(self) -> bool:
        """Return whether the search should end with the best found."""
        self._look()
        return self._enough

    def _look(self) -> None:
        """Write what is new and hear the wish, not oftener than is useful."""
        if time.monotonic() - self._written < WRITTEN_EVERY_S or not self._trail or self._enough:
            return
        self._written = time.monotonic()
        with db.transaction(self._actor, purpose="answer a study") as session:
            self._enough = living.note(session, self._actor, self._study_id, self._trail, self._people)

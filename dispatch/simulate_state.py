"""Where everybody stands at a moment of a simulated day: what a rule may look at, and nothing more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dispatch.plan_model import Break
from dispatch.simulate_model import Day

LEAST_LEFT = 0.25
"""Work that takes longer than its mean is expected to take this share of the mean from now on."""


class State:
    """The day at a moment.

    Attributes
    ----------
    open
        Incidents that are known and nobody has set out for.
    held
        Those of them that somebody is being asked for just now.
    place
        Row of where each worker is, or will be when free.
    news
        Counts what happened: somebody arrived, became free, refused or rests. Setting out is no news.
    free_s
        When each worker will be free; known to the game, to a rule only through `expected_free_s`.
    working
        Incident each worker is at or on the way to, -1 none.
    barred
        Workers and incidents that do not go together: refused.
    """

    def __init__(self, day: Day, overtime_s: float) -> None:
        self.day = day
        self.news = 0
        self.now = 0.0
        self.open: set[int] = set()
        self.held: set[int] = set()
        self.barred: set[tuple[int, int]] = set()
        self.place = np.array([each.at for each in day.members], np.int64)
        self.start_s = np.array([each.start_s for each in day.members])
        self.end_s = np.array([each.end_s for each in day.members])
        self._stop_s = self.end_s + overtime_s
        self.free_s = self.start_s.copy()
        self.working = np.full(len(day.members), -1, np.int64)
        self.begun_s = np.full(len(day.members), -np.inf)
        self.breaks: list[tuple[Break, ...]] = [each.breaks for each in day.members]
        kinds = {each.skills for each in day.arrivals}
        able = {need: np.array([need <= each.skills for each in day.members]) for need in kinds}
        self._able: list[NDArray[np.bool_]] = [able[each.skills] for each in day.arrivals]
        self.mean_s = np.array([each.mean_s for each in day.arrivals])

    def able(self, j: int) -> NDArray[np.bool_]:
        """Return who may do an incident, shape (workers,)."""
        ok = self._able[j]
        for w, k in self.barred:
            if k == j:
                ok = ok.copy()
                ok[w] = False
        return ok

    def idle(self) -> NDArray[np.bool_]:
        """Return who is on shift and has nothing to do, shape (workers,)."""
        return np.asarray((self.free_s <= self.now + 1e-9) & (self.working < 0) & (self.now < self.end_s))

    def asked(self) -> list[int]:
        """Return the open incidents nobody is being asked for, in order of their coming."""
        return sorted(self.open - self.held)

    def reach_s(self, j: int) -> NDArray[np.float64]:
        """Return the seconds from where each worker is to an incident, shape (workers,).

        Infinite for who may not do it, has no way there, or would be done too late by the mean of such work.
        """
        way: NDArray[np.float64] = self.day.travel_s[self.place, self.day.arrivals[j].at].astype(np.float64)
        late = np.maximum(self.now, self.free_s) + way + self.mean_s[j] > self._stop_s + 1e-6
        return np.asarray(np.where(late | ~self.able(j), np.inf, way))

    def expected_free_s(self) -> NDArray[np.float64]:
        """Return when each worker can be expected to be free, by the mean of the work in hand."""
        mean = np.where(self.working >= 0, self.mean_s[self.working], 0.0)
        left = np.maximum(mean - np.maximum(self.now - self.begun_s, 0.0), LEAST_LEFT * mean)
        at_work = np.maximum(self.now, self.begun_s) + left
        return np.asarray(np.where(self.working >= 0, at_work, np.maximum(self.free_s, self.now)))

    def send(self, w: int, j: int, begun_s: float, done_s: float) -> None:
        """Let a worker set out now."""
        self.open.discard(j)
        self.working[w], self.begun_s[w], self.free_s[w] = j, begun_s, done_s
        self.place[w] = self.day.arrivals[j].at

    def rest_until(self, w: int, moment: float) -> None:
        """Let a worker rest."""
        self.free_s[w] = moment

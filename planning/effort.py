"""The clock that a search is limited by: its own work, not the hours of a machine that is busy with other things.

A search computes in one thread at a time, so what the process computed says how far it came. Where the machine is
shared, the clock slows down with the search, but never below one in `AT_MOST`: whoever waits is not left waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

AT_MOST = 6.0
"""A search takes at most so many times its limit by the clock on the wall, however busy the machine."""
EVERY_S = 0.2
"""The least time over which work is measured: some systems count it in steps of a sixtieth of a second."""


class Effort:
    """Seconds of work since it was made; runs as fast as the clock on the wall at most."""

    def __init__(
        self, wall: Callable[[], float] = time.perf_counter, work: Callable[[], float] = time.process_time
    ) -> None:
        self._wall, self._work, self._lock = wall, work, threading.Lock()
        self._wall_s, self._work_s, self._total_s = wall(), work(), 0.0

    def __call__(self) -> float:
        """Return the seconds of work until now; never less than before."""
        with self._lock:
            wall_s, work_s = self._wall(), self._work()
            passed = wall_s - self._wall_s
            total_s = self._total_s + min(max(work_s - self._work_s, passed / AT_MOST), passed)
            if passed >= EVERY_S:
                self._wall_s, self._work_s, self._total_s = wall_s, work_s, total_s
            return total_s


effort_s = Effort()

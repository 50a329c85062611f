"""The long search at the start of a shift, beside the process that keeps the plans: offers and messages go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from core.progress import Cancelled, Silent
from dispatch.plan import solve
from dispatch.plan_model import Id, Problem, Result, Stop

STARTS = 2
"""Searches from nothing, each on a core of its own; the compiled core lets the others work meanwhile."""

Routes = Mapping[Id, Sequence[Id]]


class _Until(Silent):
    """Stops the search when nobody wants it any more."""

    def __init__(self, over: Event) -> None:
        self._over = over

    def advance(self, items: int = 1) -> None:  # noqa: ARG002  (of Progress)
        """Go on, or stop."""
        if self._over.is_set():
            raise Cancelled("The search is no longer wanted.")


class LongSearch:
    """A search that has begun; ask it now and then."""

    def __init__(self, problem: Problem, stop: Stop) -> None:
        self._over = Event()
        self._pool = ThreadPoolExecutor(STARTS, thread_name_prefix="shift")
        self._works: list[Future[Result]] = [
            self._pool.submit(solve, problem, stop, seed, None, _Until(self._over)) for seed in range(STARTS)
        ]

    @property
    def ended(self) -> bool:
        """Whether there is an answer, or never will be."""
        return all(work.done() for work in self._works)

    def routes(self) -> Routes:
        """Return the routes of the best plan; what went wrong in the search is raised here."""
        return min((work.result() for work in self._works), key=lambda each: each.cost_s).routes

    def close(self) -> None:
        """Stop it where it stands."""
        self._over.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

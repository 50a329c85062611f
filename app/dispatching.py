"""The process that keeps the standing plan of every territory up to date; it proposes only.

It sleeps until something is announced: an incident, a task, a pin, a closure, the cost table. New work gets an offer
at once; a second later the plan is made anew. Once a minute it looks by itself, where somebody is on shift or work
is open, because time passes and shifts begin and end.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from app.dispatch_jobs import deliver_all
from app.dispatch_search import LongSearch, Routes
from core import log
from core.clock import now
from core.errors import GridkeeperError, SourceUnavailable
from core.identity import system_actor
from core.settings import settings
from dispatch.plan import warm_up
from dispatch.plan_model import Stop
from dispatch.standing_plan import ORDINARY_S, look, make_room, offer_new, refresh, shift_search
from geodata import db
from geodata.changes import EVERYTHING
from geodata.listening import DISPATCH_LOCK, Ears, listening
from geodata.territory import TerritoryInfo, list_territories

CHANNELS = ("gridkeeper_dispatch", "gridkeeper_layer")
HEARD = frozenset({"incidents", "tasks", "pins", "closures", "costs"})
DEBOUNCE_S = 1.0
HEARTBEAT_S = 60.0
RETRY_S = 2.0
SEARCH_LOOK_S = 1.0
"""While a long search runs it is looked at so often."""
STOP_LOOK_S = 1.0
"""After so much waiting for news at most it is asked whether to end."""
NICE = 5
REST_MOST_S = 5.0
"""After a pass there is a pause as long as the pass, at most so long."""
NEWCOMERS = 0.3
"""When so large a part of a shift has just begun, the plan is made from nothing."""

logger = log.get("app.dispatching")
stopping = threading.Event()
"""Set when the process is to end: an exception raised by a signal may come up where it is swallowed."""


@dataclass
class Turn:
    """When a territory is looked at next (monotonic seconds).

    Attributes
    ----------
    empty
        Its last plan held nothing.
    search
        The long search at the start of a shift, while it runs.
    """

    territory: TerritoryInfo
    due: float = 0.0
    rested: float = 0.0
    offers: bool = False
    empty: bool = False
    search: LongSearch | None = None

    def heard(self, what: str, clock: float) -> None:
        """Note that something changed: the plan is made a second later, and not before the pause is over."""
        self.due = min(self.due, max(clock + DEBOUNCE_S, self.rested))
        self.offers = self.offers or what == "incidents"


class Dispatching:
    """The turns of all territories."""

    def __init__(self) -> None:
        self.turns: dict[int, Turn] = {}
        self._looked = -HEARTBEAT_S

    def heard(self, payload: str, clock: float) -> None:
        """Note one announcement, ``"<territory>:<what>"``, or `EVERYTHING`."""
        territory, _, what = payload.partition(":")
        if payload == EVERYTHING:
            for turn in self.turns.values():
                turn.heard("incidents", clock)
        if what in HEARD and territory.isdecimal() and int(territory) in self.turns:
            self.turns[int(territory)].heard(what, clock)

    def wait_s(self, clock: float) -> float:
        """Return how long nothing has to be done."""
        due = [turn.due for turn in self.turns.values()] + [self._looked + HEARTBEAT_S]
        if any(turn.search for turn in self.turns.values()):
            due.append(clock + SEARCH_LOOK_S)
        return max(0.0, min(due) - clock)

    def work(self) -> int:
        """Do what is due, and return how many plans were made."""
        if time.monotonic() - self._looked >= HEARTBEAT_S:
            self._look_round()
        _told("messages", deliver_all)
        made = 0
        for turn in list(self.turns.values()):
            if turn.offers:
                turn.offers = False
                self._guarded(turn, self._offer)
            if time.monotonic() >= turn.due or (turn.search and turn.search.ended):
                began = time.monotonic()
                made += self._guarded(turn, self._plan)
                ended = time.monotonic()
                turn.due, turn.rested = ended + HEARTBEAT_S, ended + min(REST_MOST_S, ended - began)
        return made

    def close(self) -> None:
        """Stop the long searches."""
        for turn in self.turns.values():
            if turn.search:
                turn.search.close()

    def _look_round(self) -> None:
        """Learn which territories there are."""
        self._looked = time.monotonic()
        with db.transaction(system_actor()) as session:
            known = {each.id: each for each in list_territories(session)}
        self.turns = {
            one: Turn(each, self._looked) if one not in self.turns else self.turns[one] for one, each in known.items()
        }

    @staticmethod
    def _guarded(turn: Turn, act: Callable[[Turn], int]) -> int:
        """Do one act for a territory; what goes wrong there is told and stops no other."""
        return _told(turn.territory.name, lambda: act(turn))

    @staticmethod
    def _offer(turn: Turn) -> int:
        actor = system_actor(turn.territory.id, "dispatch")
        with db.transaction(actor) as session:
            return len(offer_new(session, actor, turn.territory))

    @staticmethod
    def _plan(turn: Turn) -> int:
        actor, at = system_actor(turn.territory.id, "dispatch"), now()
        with db.transaction(actor) as session:
            state = look(session, actor, turn.territory, at)
            if turn.empty and not state.crew and not state.work_open:
                return 0
            anew, first = begins(state.crew_before, state.crew), _found(turn)
            # The first plan takes half a second; the long search goes on beside it, and the next plan begins with it.
            plan = refresh(session, actor, turn.territory, at, Stop(ORDINARY_S), anew=anew, first=first)
            ahead = shift_search(session, actor) if anew else None
        if ahead is not None:
            if turn.search:
                turn.search.close()
            turn.search = LongSearch(*ahead)
        turn.empty = not plan.rows and not plan.unserved
        logger.info("plan %d of %s: %d stops, %d safe", plan.id, turn.territory.name, len(plan.rows), plan.summary.safe)
        # Last: the plan stands and is searched on, also where this fails.
        with db.transaction(actor) as session:
            make_room(session, actor, turn.territory, at)
        return 1


def _told(where: str, act: Callable[[], int]) -> int:
    """Do something; what goes wrong is told and stops nothing else, unless the database is away."""
    try:
        return act()
    except SourceUnavailable:
        raise
    except GridkeeperError as error:
        logger.warning("not done for %s: %s", where, error)
    except Exception as error:  # noqa: BLE001  (a fault in one territory must not end the plans of the others)
        logger.warning("%s was left out, see error %s", where, log.unknown_error(logger, error))
    return 0


def _found(turn: Turn) -> Routes | None:
    """Return what a long search that has ended found, once."""
    search = turn.search
    if search is None or not search.ended:
        return None
    turn.search = None
    search.close()
    return search.routes()


def begins(before: frozenset[str], crew: frozenset[str]) -> bool:
    """Return whether a shift begins: many of those on shift were not there in the plan before."""
    return len(crew - before) > NEWCOMERS * max(1, len(crew))


def serve() -> None:
    """Keep the plans of all territories until told to stop; alone on its database, and never in the way of the pages.

    Raises
    ------
    Conflict
        When another process does it.
    """
    os.nice(NICE)
    logger.info("getting ready")
    warm_up()  # up to minutes, and nothing to put away: until here a signal ends the process at once
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    dispatching = Dispatching()
    try:
        while not stopping.is_set():
            try:
                with listening(CHANNELS, DISPATCH_LOCK, "dispatch") as ears:
                    logger.info("planning")
                    _keep(dispatching, ears)
            except SourceUnavailable as error:
                logger.warning("%s", error)
                stopping.wait(RETRY_S)
                db.engine().dispose()
    finally:
        dispatching.close()


def _keep(dispatching: Dispatching, ears: Ears) -> None:
    while not stopping.is_set():
        dispatching.work()
        for payload in _next(ears, dispatching.wait_s(time.monotonic())):
            dispatching.heard(payload, time.monotonic())


def _next(ears: Ears, wait_s: float) -> list[str]:
    """Return what is heard first, or nothing after the wait or when the process is to end."""
    until, heard = time.monotonic() + wait_s, ears.hear(0.0)
    while not heard and not stopping.is_set() and time.monotonic() < until:
        heard = ears.hear(min(STOP_LOOK_S, until - time.monotonic()))
    return [payload for _, payload in heard]


def _stop(_signal: int, _frame: FrameType | None) -> None:
    stopping.set()


def main() -> None:
    """Serve without the rest of the command line, which takes memory."""
    log.configure(settings().log_level)
    with contextlib.suppress(KeyboardInterrupt):
        serve()


if __name__ == "__main__":
    main()

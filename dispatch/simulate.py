"""A day played by a rule: who would have gone where, and what would have come of it.

The same seed gives the same answer everywhere. What chance decides (how long work takes, who refuses what) hangs on
the incident and the worker, never on the rule: two rules are compared on the very same day.
"""

from __future__ import annotations

import dataclasses
import heapq
import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from core.progress import Progress, Silent
from dispatch.plan_model import Break
from dispatch.simulate_model import Change, Day, Leg, Options, Outcome, Policy, measure
from dispatch.simulate_rules import RULES
from dispatch.simulate_state import State

ARRIVES, FREE, AGAIN = range(3)
HORIZON_S = 24 * 3600.0
"""So long after the last arrival a day is over where shifts have no end."""


def play(
    day: Day, policy: Policy, options: Options | None = None, progress: Progress | None = None, *, step: str = ""
) -> Outcome:
    """Return what comes of a day under a rule.

    Parameters
    ----------
    progress
        Hears of each incident; `core.progress.Cancelled` passes through.
    step
        What the progress is told that it is; the policy's name when empty.
    """
    began = time.thread_time()
    options, listener = options or Options(), progress or Silent()
    run = _Run(day, policy, options)
    listener.step(step or policy.value, len(day.arrivals))
    for count in run.events():
        listener.advance(count)
    measures = measure(day, run.legs(), run.end_s, churn=run.rule.churn, refusals=run.refused)
    return Outcome(policy, Change(), measures, run.legs(), time.thread_time() - began)


def runs_of(policies: Sequence[Policy], changes: Sequence[Change]) -> list[tuple[Policy, Change]]:
    """Return each policy with each change, in that order.

    A change of the owner penalty says nothing to a rule that has no cost table; such a run is left out when the
    same rule runs with a change that differs in nothing else.
    """
    found: dict[tuple[Policy, Change], Change] = {}
    for policy in policies:
        for change in changes:
            says = change if policy is Policy.ROLLING else dataclasses.replace(change, owner_s=None)
            found.setdefault((policy, says), change)
    return [(policy, change) for (policy, _), change in found.items()]


def compare(
    runs: Sequence[tuple[Policy, Change]],
    day_of: Callable[[Change], Day],
    options: Options | None = None,
    progress: Progress | None = None,
) -> tuple[Outcome, ...]:
    """Return the outcome of each run, on the same day with the same chance.

    The progress is told the policy, which run it is and how many there are, as "rolling 3 9".
    """
    options, found = options or Options(), []
    for number, (policy, change) in enumerate(runs, 1):
        step = f"{policy.value} {number} {len(runs)}"
        done = play(day_of(change), policy, change.of(options), progress, step=step)
        found.append(dataclasses.replace(done, change=change))
    return tuple(found)


class _Run:
    """One day being played."""

    def __init__(self, day: Day, policy: Policy, options: Options) -> None:
        self.day, self.options = day, options
        self.state = State(day, options.overtime_s)
        self.rule = RULES[policy](day, options)
        self.refused = 0
        self._breaks: list[list[Break]] = [sorted(m.breaks, key=lambda b: b.earliest_s) for m in day.members]
        self._heap: list[tuple[float, int, int, int]] = []
        self._legs: list[Leg] = [Leg(-1, math.nan, math.nan, math.nan)] * len(day.arrivals)
        last = max(each.arrival_s for each in day.arrivals)
        ends = max(each.end_s for each in day.members)
        self.end_s = max(last, ends + options.overtime_s) if math.isfinite(ends) else last + HORIZON_S
        for j, each in enumerate(day.arrivals):
            self._at(each.arrival_s, ARRIVES, j)
        for w, member in enumerate(day.members):
            self._at(member.start_s, FREE, w)
            for rest in member.breaks:
                self._at(max(rest.earliest_s, member.start_s), FREE, w)

    def legs(self) -> tuple[Leg, ...]:
        """Return what became of each incident."""
        return tuple(self._legs)

    def events(self) -> Iterator[int]:
        """Play event after event; yield how many incidents arrived at each."""
        state = self.state
        while self._heap and self._heap[0][0] <= self.end_s:
            now, arrived = self._heap[0][0], 0
            state.now = now
            while self._heap and self._heap[0][0] <= now:
                _, kind, k, _ = heapq.heappop(self._heap)
                state.news += k >= 0
                if kind == ARRIVES:
                    state.open.add(k)
                    arrived += 1
                elif kind == FREE:
                    self._free(k)
                else:
                    state.held.discard(k)
            if state.open:
                self._send()
            yield arrived

    def _at(self, moment: float, kind: int, k: int) -> None:
        heapq.heappush(self._heap, (moment, kind, k, len(self._heap)))

    def _free(self, w: int) -> None:
        """Let a worker rest who is due a break; one who is busy rests when done."""
        state = self.state
        if state.now < state.free_s[w] - 1e-9:
            return
        state.working[w] = -1
        if self._breaks[w] and state.now >= self._breaks[w][0].earliest_s - 1e-9:
            rest = self._breaks[w].pop(0)
            state.rest_until(w, state.now + rest.length_s)
            self._at(state.free_s[w], FREE, w)
        state.breaks[w] = tuple(self._breaks[w])

    def _send(self) -> None:
        """Send whom the rule names, until it names nobody more."""
        while True:
            decided = self.rule.decide(self.state)
            for w, j in decided:
                self._go(w, j)
            if not decided:
                break
        later = self.rule.wake_s
        if later is not None and later > self.state.now:
            self._at(later, AGAIN, -1)

    def _go(self, w: int, j: int) -> None:
        state, arrival = self.state, self.day.arrivals[j]
        if refuses(self.options, j, w):
            self.refused += 1
            state.barred.add((w, j))
            state.held.add(j)
            self._at(state.now + self.options.answer_s, AGAIN, j)
            return
        begun = state.now + float(self.day.travel_s[state.place[w], arrival.at])
        done = begun + arrival.service_s
        state.send(w, j, begun, done)
        self._legs[j] = Leg(w, state.now, begun, done)
        self._at(done, FREE, w)


def refuses(options: Options, j: int, w: int) -> bool:
    """Return whether a worker refuses an incident; the same under every rule."""
    if options.refusals <= 0:
        return False
    drawn = np.random.SeedSequence([options.seed, j, w]).generate_state(1)[0] / 2**32
    return bool(drawn < options.refusals)

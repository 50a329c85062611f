"""Where p new sites serve people best, and how much better any other choice could be at most.

Two questions are one problem here. The p-median counts the seconds people travel; maximal covering
counts the people beyond a limit. Either way every pair of candidate and demand has a cost, a choice
of sites costs the sum over demand of its cheapest open site, and the least cost is sought: by a
swap search, with a bound from a relaxation, and where little is left open by HiGHS.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.progress import Progress, Silent
from planning.best import Best
from planning.bound import Root, raise_bound
from planning.branch import by_cases
from planning.effort import effort_s
from planning.exact import best_of_rows, covers
from planning.listening import listened
from planning.search import completed, greedy, swap_search
from planning.watching import Turned, enough, tell

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Kind = Literal["p-median", "mclp"]
KINDS: tuple[Kind, ...] = ("p-median", "mclp")
SHAKEN = 3
"""One of so many sites is moved at random before the search goes on."""
EXISTING, UNSERVED = -1, -2
"""In an assignment: served by a facility that is there already; served by nobody."""


@dataclass(frozen=True)
class SitingProblem:
    """A siting question as numbers.

    Attributes
    ----------
    od_s
        Travel times in seconds from demand to candidate sites, shape (n_demand, n_candidates); inf
        where there is no way.
    people
        People at each demand point, shape (n_demand,), not negative.
    p
        How many new sites to choose.
    limit_s
        Time that counts as served; ``mclp`` needs it, the p-median does not use it.
    existing_s
        Time from each demand point to its nearest facility that stays, shape (n_demand,); None when
        none is there or none is kept.

    Raises
    ------
    InvalidInput
        When sizes do not fit, numbers are missing or negative, or the question is none of `KINDS`.
    """

    kind: Kind
    od_s: Floats
    people: Floats
    p: int
    limit_s: float | None = None
    existing_s: Floats | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be computed with."""
        if self.kind not in KINDS:
            raise InvalidInput(f"There is no siting question {self.kind!r}.", hint=f"Take one of: {', '.join(KINDS)}.")
        if self.p < 1:
            raise InvalidInput(f"{self.p} sites cannot be chosen.", hint="Ask for at least one.")
        if self.kind == "mclp" and not (self.limit_s is not None and 0 < self.limit_s < np.inf):
            raise InvalidInput("Maximal covering needs a time limit above zero.")
        per_demand = [self.people] if self.existing_s is None else [self.people, self.existing_s]
        if self.od_s.ndim != 2 or any(values.shape != self.od_s.shape[:1] for values in per_demand):
            raise InvalidInput("Travel times, people and existing times do not fit together in size.")
        if any(np.isnan(values).any() or (values < 0).any() for values in (self.od_s, *per_demand)):
            raise InvalidInput("Times and numbers of people must not be negative or missing.")
        if not np.isfinite(self.people).all():
            raise InvalidInput("Numbers of people must be finite.")


@dataclass(frozen=True)
class Stop:
    """When to be content: a gap, a number of rounds of the bound and of cases, or seconds, whichever comes first.

    Unless ``seconds`` run out, the same seed gives the same answer.
    """

    gap: float = 0.0
    rounds: int = 6000
    seconds: float = 60.0
    starts: int = 4
    cases: int = 200_000


@dataclass(frozen=True)
class SitingResult:
    """A choice of sites with its proof.

    Attributes
    ----------
    status
        ``optimal`` (proven best), ``feasible`` (best found, at most ``gap`` from the best there is)
        or ``infeasible`` (``binding`` names what cannot be met, no site is chosen, numbers are nan).
    objective, bound
        p-median: person-seconds of the choice, and what no choice can go below; a person without any
        way counts ``unserved_s``. mclp: people within the limit, and what no choice can exceed.
    gap
        Share of the objective (mclp: of the bound) that any choice could gain at most.
    unserved
        People without a way to any open site or facility; for mclp all those beyond the limit.
    sites
        Indices of candidates, ascending.
    assignment
        For each demand point the index of its candidate, `EXISTING` or `UNSERVED`.
    times_s
        For each demand point the time to where it is assigned; inf without a way.
    binding
        ``candidates`` (fewer than p), ``people`` (no demand), ``reach`` (no candidate can be reached).
    """

    status: Literal["optimal", "feasible", "infeasible"]
    objective: float
    bound: float
    gap: float
    unserved: float
    sites: tuple[int, ...]
    assignment: Ints
    times_s: Floats
    seconds: float
    unserved_s: float = 0.0
    binding: str = ""


def solve(
    problem: SitingProblem,
    stop: Stop | None = None,
    seed: int = 0,
    initial: Sequence[int] | None = None,
    progress: Progress | None = None,
) -> SitingResult:
    """Return the best choice of p candidates found, with a bound that no choice can beat.

    Parameters
    ----------
    initial
        Candidates to begin the search with.
    progress
        Hears how far the work is; `core.progress.Cancelled` passes through.
    """
    stop, progress, began = stop or Stop(), progress or Silent(), time.perf_counter()
    binding = _binding(problem)
    if binding:
        return _infeasible(problem, binding)
    costs, unserved_s = _costs(problem)
    if problem.kind == "mclp":
        progress = Turned(progress, float(problem.people.sum()))
    with listened(progress) as told:
        best = least_cost(costs, problem.p, stop, seed=seed, initial=initial, progress=told)
    return _result(problem, best, unserved_s, time.perf_counter() - began)


def least_cost(
    costs: Floats, p: int, stop: Stop, *, seed: int = 0, initial: Sequence[int] | None, progress: Progress
) -> Best:
    """Return the best p rows of a matrix of costs (candidates, demand), and the bound that no p rows go below."""
    deadline = effort_s() + stop.seconds
    best = _first_choice(costs, p, starts=stop.starts, seed=seed, initial=initial, progress=progress)
    best.learn_bound(float(costs.min(axis=0).sum()))
    tell(progress, best.cost, best.bound)
    root = raise_bound(
        costs, p, best, rounds=stop.rounds, gap=stop.gap, deadline=deadline, progress=progress, patient=False
    )
    if best.is_within(stop.gap) or root.settled or effort_s() > deadline or enough(progress):
        return best
    if covers(costs):
        _prove_cover(costs, p, best, root, deadline=deadline, progress=progress)
    if not best.is_within(stop.gap) and stop.cases and not enough(progress):
        by_cases(costs, root, p, best, gap=stop.gap, deadline=deadline, cases=stop.cases, progress=progress)
    return best


def _prove_cover(costs: Floats, p: int, best: Best, root: Root, *, deadline: float, progress: Progress) -> None:
    """Let HiGHS end a question of coverage; candidates that are closed cannot be in a better choice."""
    progress.step("Proving the answer")
    rows = root.rows
    found = best_of_rows(costs[rows], p, seconds=deadline - effort_s(), known=best.cost)
    if found is None:
        return
    if found.rows is not None:
        sites = rows[found.rows]
        best.learn_choice(float(costs[sites].min(axis=0).sum()), sites)
    best.learn_bound(best.cost if found.proven else found.bound)
    progress.advance()


def _limit_s(problem: SitingProblem) -> float:
    return np.inf if problem.limit_s is None else problem.limit_s


def _binding(problem: SitingProblem) -> str:
    if problem.p > problem.od_s.shape[1]:
        return "candidates"
    if problem.people.sum() <= 0:
        return "people"
    if not np.isfinite(problem.od_s[problem.people > 0]).any():
        return "reach"
    return ""


def _infeasible(problem: SitingProblem, binding: str) -> SitingResult:
    count, nan = problem.od_s.shape[0], float("nan")
    nobody, never = np.full(count, UNSERVED, dtype=np.int64), np.full(count, np.inf)
    people = float(problem.people.sum())
    return SitingResult("infeasible", nan, nan, nan, people, (), nobody, never, 0.0, binding=binding)


def _costs(problem: SitingProblem) -> tuple[Floats, float]:
    """Return the cost of serving each demand from each candidate, shape (candidates, demand).

    A facility that stays caps the cost of its demand, whatever is chosen. Second is what a person
    without any way counts, in seconds: twice the longest way, so that nobody gains by being left out.
    """
    times = np.ascontiguousarray(problem.od_s.T, dtype=np.float64)
    if problem.existing_s is not None:
        times = np.minimum(times, problem.existing_s)
    if problem.kind == "mclp":
        return np.where(times <= _limit_s(problem), 0.0, problem.people), 0.0
    there = np.isfinite(times)
    unserved_s = 2.0 * float(times.max(initial=0.0, where=there))
    return np.where(there, times, unserved_s) * problem.people, unserved_s


def _first_choice(
    costs: Floats, p: int, *, starts: int, seed: int, initial: Sequence[int] | None, progress: Progress
) -> Best:
    rng = np.random.default_rng(seed)
    progress.step("Searching for sites", max(1, starts))
    first = greedy(costs, p) if initial is None else completed(costs, initial, p)
    best = Best(*swap_search(costs, first))
    progress.advance()
    for _ in range(starts - 1):
        # Some of the sites go elsewhere at random, then each exchange that gains is made.
        fresh = best.sites.copy()
        moved = rng.choice(p, max(1, p // SHAKEN), replace=False)
        others = np.setdiff1d(np.arange(len(costs)), fresh)
        count = min(len(moved), len(others))
        fresh[moved[:count]] = rng.choice(others, count, replace=False)
        best.learn_choice(*swap_search(costs, fresh))
        progress.advance()
    return best


def _result(problem: SitingProblem, best: Best, unserved_s: float, seconds: float) -> SitingResult:
    sites = np.sort(best.sites)
    times = problem.od_s[:, sites]
    nearest = times.argmin(axis=1)
    shortest = times[np.arange(len(times)), nearest]
    assignment = sites[nearest]
    if problem.existing_s is not None:
        stays = problem.existing_s <= shortest
        assignment = np.where(stays, EXISTING, assignment)
        shortest = np.minimum(shortest, problem.existing_s)
    beyond = ~np.isfinite(shortest)
    assignment = np.where(beyond, UNSERVED, assignment)
    if problem.kind == "mclp":
        beyond = ~(shortest <= _limit_s(problem))
    unserved = float(problem.people[beyond].sum())
    objective, bound, gap = best.cost, best.bound, best.gap
    if problem.kind == "mclp":
        people = float(problem.people.sum())
        objective, bound = people - best.cost, people - best.bound
        gap = 0.0 if bound <= 0 else max(0.0, (bound - objective) / bound)
    return SitingResult(
        status="optimal" if best.is_within(0.0) else "feasible",
        objective=objective,
        bound=bound,
        gap=gap,
        unserved=unserved,
        sites=tuple(int(site) for site in sites),
        assignment=assignment.astype(np.int64),
        times_s=shortest,
        seconds=seconds,
        unserved_s=unserved_s,
    )

"""Any kind of siting question with all that its answer keeps to, as numbers; and its proven answer."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput
from core.progress import Progress, Silent
from planning.backup import solve_backup
from planning.center import solve_center
from planning.choice import ROUNDING, Choice, infeasible
from planning.covering import solve_covering
from planning.dispersion import solve_dispersion
from planning.huff import HOME_S, pull, solve_huff
from planning.kinds import INFO, Kind
from planning.listening import listened
from planning.side import NO_PAIRS, Floor, Side
from planning.sided import Sum, least_sum
from planning.siting import EXISTING, UNSERVED, SitingResult, Stop, least_cost
from planning.watching import Turned

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NOBODY_HALF = 2.0


@dataclass(frozen=True, eq=False)
class Placement:
    """A siting question as numbers.

    Attributes
    ----------
    od_s
        Travel times from demand to candidates, shape (demand, candidates); inf where there is no way.
    there_s
        Travel times from demand to the facilities that stay, shape (demand, facilities).
    p
        New sites, fixed ones among them; 0 for as many as it takes (lscp, fixed-charge), else the most of these.
    capacity, there_capacity
        People that fit into each candidate and each facility that stays; for the capacitated kinds.
    cost, budget
        Of each candidate, in any money, and what all may cost; fixed-charge adds the cost to the time.
    hour_cost
        What an hour of one person on the way counts, in the money of ``cost``.
    between_m, there_m
        Distances of candidates from each other and from the nearest facility that stays; for p-dispersion.
    fixed
        Candidates that are built in any case.
    conflicts
        Pairs of candidates that are too close, shape (n, 2).
    fewer
        Whether fewer than p sites do as well; p is the most then.
    group, floor
        Group of each demand (-1: none) and the share of each group's people to be within the limit at least.

    Raises
    ------
    InvalidInput
        When something is missing or does not fit; says what.
    """

    kind: Kind
    od_s: Floats
    people: Floats
    p: int
    limit_s: float | None = None
    there_s: Floats | None = None
    capacity: Floats | None = None
    there_capacity: Floats | None = None
    cost: Floats | None = None
    budget: float | None = None
    hour_cost: float = 1.0
    between_m: Floats | None = None
    there_m: Floats | None = None
    fixed: Ints = dataclasses.field(default_factory=lambda: np.empty(0, dtype=np.int64))
    conflicts: Ints = dataclasses.field(default_factory=lambda: NO_PAIRS)
    group: Ints | None = None
    floor: float | None = None
    fewer: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be computed with."""
        info = INFO.get(self.kind)
        if info is None:
            raise InvalidInput(f"There is no siting question {self.kind!r}.", hint=f"Take one of: {', '.join(INFO)}.")
        if self.p < (1 if info.needs_p else 0):
            raise InvalidInput(f"{self.p} sites cannot be chosen.", hint="Ask for at least one.")
        if (info.needs_limit or self.floor is not None) and not (
            self.limit_s is not None and 0 < self.limit_s < np.inf
        ):
            raise InvalidInput(f"{self.kind} needs a time limit above zero.")
        for needed, what, given in (
            (info.needs_capacity, "the capacity of each candidate", self.capacity),
            (info.needs_cost or self.budget is not None, "the cost of each candidate", self.cost),
            (self.kind == "p-dispersion", "the distances between candidates", self.between_m),
            (self.floor is not None, "the group of each demand", self.group),
        ):
            if needed and given is None:
                raise InvalidInput(f"{self.kind} needs {what}.")
        self._sizes()

    def _sizes(self) -> None:
        if self.od_s.ndim != 2:
            raise InvalidInput("Travel times must be a table of demand by candidates.")
        demand, candidates = self.od_s.shape
        for what, values, shape in (
            ("people", self.people, (demand,)),
            ("capacities", self.capacity, (candidates,)),
            ("costs", self.cost, (candidates,)),
            ("distances", self.between_m, (candidates, candidates)),
            ("groups", self.group, (demand,)),
        ):
            if values is not None and values.shape != shape:
                raise InvalidInput(f"Travel times and {what} do not fit together in size.")
        numbers = (self.od_s, self.people, self.there_s, self.capacity, self.cost)
        if any(each is not None and (np.isnan(each).any() or (each < 0).any()) for each in numbers):
            raise InvalidInput("Times, people, capacities and costs must not be negative or missing.")
        if not np.isfinite(self.people).all():
            raise InvalidInput("Numbers of people must be finite.")
        if len(self.fixed) and not (self.fixed.min() >= 0 and self.fixed.max() < candidates):
            raise InvalidInput("A site that is to be built in any case is none of the candidates.")

    @property
    def existing_s(self) -> Floats | None:
        """Return the time from each demand to the nearest facility that stays; None when there is none."""
        if self.there_s is None or not self.there_s.shape[1]:
            return None
        nearest: Floats = self.there_s.min(axis=1)
        return nearest

    def side(self) -> Side:
        """Return what a choice keeps to."""
        candidates = self.od_s.shape[1]
        info = INFO[self.kind]
        nobody = self.kind == "lscp" or self.existing_s is not None
        fewer = self.fewer and self.kind != "p-dispersion"  # fewer are always farther apart
        least = self.p if info.needs_p and not fewer else int(not nobody)
        most = min(self.p, candidates) if fewer else self.p
        return Side(
            candidates, least, most or candidates, np.unique(self.fixed), self.conflicts, self.cost, self.budget,
            self._floor(),
        )  # fmt: skip

    def _floor(self) -> Floor | None:
        if self.floor is None or self.group is None or self.limit_s is None:
            return None
        existing = self.existing_s
        there = np.zeros(len(self.people), dtype=bool) if existing is None else existing <= self.limit_s
        return Floor(self.od_s <= self.limit_s, there, self.people, self.group, self.floor)


def place(
    problem: Placement,
    stop: Stop | None = None,
    *,
    seed: int = 0,
    initial: Ints | None = None,
    progress: Progress | None = None,
) -> SitingResult:
    """Return the best choice found with a bound that no choice can beat; infeasible names what binds.

    Of a question that is maximised the bound lies above the objective. Demand without any way is never dropped:
    ``unserved`` counts it.
    """
    stop, progress = stop or Stop(), progress or Silent()
    if problem.kind in {"mclp", "cmclp"}:  # they are searched for by those who are not reached
        progress = Turned(progress, float(problem.people.sum()))
    elif INFO[problem.kind].maximised:  # counted below zero
        progress = Turned(progress, 0.0)
    with listened(progress):
        return _placed(problem, stop, seed=seed, initial=initial, progress=progress)


def _placed(  # noqa: PLR0911  (each way a question can have no answer)
    problem: Placement, stop: Stop, *, seed: int, initial: Ints | None, progress: Progress
) -> SitingResult:
    side, began = problem.side(), time.perf_counter()
    if side.least > side.candidates or not side.candidates or len(side.fixed) > side.most:
        return refused(problem, "candidates", began)
    if problem.people.sum() <= 0:
        return refused(problem, "people", began)
    ways = [problem.od_s] if problem.there_s is None else [problem.od_s, problem.there_s]
    if not any(np.isfinite(each[problem.people > 0]).any() for each in ways):
        return refused(problem, "reach", began)
    binding = side.binding()
    if binding:
        return refused(problem, binding, began)
    if problem.kind in {"p-median", "mclp"} and side.quick:
        return _plain(problem, side, stop, seed=seed, initial=initial, progress=progress)
    if problem.kind in {"p-median", "mclp", "fixed-charge"}:
        return _summed(problem, side, stop, initial=initial, progress=progress, began=began)
    if problem.kind in {"cpmp", "cmclp"}:
        from planning.roomed import roomed

        return roomed(problem, side, stop, progress=progress, began=began)
    return _chosen(problem, side, stop, progress=progress, began=began)


def _plain(
    problem: Placement, side: Side, stop: Stop, *, seed: int, initial: Ints | None, progress: Progress
) -> SitingResult:
    """Answer by the search for plain questions; sites that are fixed serve as what is there does."""
    began, fixed, costs = time.perf_counter(), side.fixed, costs_of(problem).costs
    rest = np.setdiff1d(np.arange(side.candidates), fixed)
    if len(fixed):
        costs = np.minimum(costs, costs[fixed].min(axis=0))[rest]
    if side.most == len(fixed):
        value = bound = costs_of(problem).of(fixed)
        sites = fixed
    else:
        where = None if initial is None else [int(np.searchsorted(rest, at)) for at in initial if at in rest]
        best = least_cost(costs, side.most - len(fixed), stop, seed=seed, initial=where or None, progress=progress)
        sites, value, bound = np.sort(np.r_[rest[best.sites], fixed]), best.cost, best.bound
    if problem.kind == "mclp":
        people = float(problem.people.sum())
        value, bound = people - value, people - bound
    return described(problem, sites, value, bound, began=began)


def unserved_s(problem: Placement) -> float:
    """Return what a person without any way counts, in seconds: twice the longest way there is."""
    times = problem.od_s if problem.existing_s is None else np.minimum(problem.od_s, problem.existing_s[:, None])
    return NOBODY_HALF * float(times.max(initial=0.0, where=np.isfinite(times)))


def costs_of(problem: Placement) -> Sum:
    """Return what serving each demand from each candidate counts, shape (candidates, demand), and the charges."""
    times = np.ascontiguousarray(problem.od_s.T, dtype=np.float64)
    existing = problem.existing_s
    if existing is not None:
        times = np.minimum(times, existing)
    none = np.zeros(len(times))
    if problem.kind == "mclp":
        return Sum(np.where(times <= (problem.limit_s or 0.0), 0.0, problem.people), none)
    costs = np.where(np.isfinite(times), times, unserved_s(problem)) * problem.people
    if problem.kind == "fixed-charge" and problem.cost is not None:
        return Sum(costs / 3600.0 * problem.hour_cost, problem.cost)
    return Sum(costs, none)


def costs_of_nothing(problem: Placement, existing: Floats) -> Floats:
    """Return what serving each demand counts where nothing new is built, shape (demand,)."""
    if problem.kind == "mclp":
        return np.where(existing <= (problem.limit_s or 0.0), 0.0, problem.people)
    costs: Floats = np.where(np.isfinite(existing), existing, unserved_s(problem)) * problem.people
    return costs / 3600.0 * problem.hour_cost if problem.kind == "fixed-charge" else costs


def _summed(
    problem: Placement, side: Side, stop: Stop, *, initial: Ints | None, progress: Progress, began: float
) -> SitingResult:
    total = costs_of(problem)
    if not side.least and problem.existing_s is not None:
        # To build nothing is a choice too: a candidate that costs nothing and serves as what is there does.
        total = Sum(
            np.vstack([total.costs, costs_of_nothing(problem, problem.existing_s)]), np.append(total.charge, 0.0)
        )
        side = _with_nothing(side)
    best = least_sum(total, side, seconds=stop.seconds, gap=stop.gap, initial=initial, progress=progress)
    if best is None:
        return refused(problem, side.binding() or "time", began)
    sites = best.sites[best.sites < problem.od_s.shape[1]]
    value, bound = best.cost, best.bound
    if problem.kind == "mclp":
        people = float(problem.people.sum())
        value, bound = people - value, people - bound
    return described(problem, sites, value, bound, began=began)


def _with_nothing(side: Side) -> Side:
    """Return the side conditions with one more candidate that is always taken and is no site."""
    floor = side.floor
    if floor is not None:
        floor = dataclasses.replace(floor, reach=np.column_stack([floor.reach, floor.there]))
    return Side(
        side.candidates + 1, side.least + 1, side.most + 1, np.append(side.fixed, side.candidates), side.conflicts,
        None if side.cost is None else np.append(side.cost, 0.0), side.budget, floor,
    )  # fmt: skip


def _chosen(problem: Placement, side: Side, stop: Stop, *, progress: Progress, began: float) -> SitingResult:
    """Answer p-center, lscp, backup, p-dispersion and huff."""
    existing = problem.existing_s
    times = problem.od_s if existing is None else np.minimum(problem.od_s, existing[:, None])
    counted = np.flatnonzero((problem.people > 0) & np.isfinite(times).any(axis=1))
    beside = None if side.plain else side
    seconds = stop.seconds
    if problem.kind == "p-center":
        choice = solve_center(times[counted], side.most, seconds=seconds, side=beside, progress=progress)
    elif problem.kind == "lscp":
        choice = _fewest(problem, side, existing, counted, seconds=seconds, progress=progress)
    elif problem.kind == "backup":
        limit = problem.limit_s or 0.0
        there = np.zeros(len(times), dtype=np.int64)
        if problem.there_s is not None:
            there = (problem.there_s <= limit).sum(axis=1)
        choice = solve_backup(problem.od_s <= limit, there, problem.people, side, seconds=seconds)
    elif problem.kind == "p-dispersion" and problem.between_m is not None:
        alone = np.full(side.candidates, np.inf) if problem.there_m is None else problem.there_m
        choice = solve_dispersion(problem.between_m, alone, side, seconds=seconds)
    else:
        choice = solve_huff(pull(problem.od_s), rest_pull(problem), problem.people, side, seconds=seconds, gap=stop.gap)
    if choice.status == "infeasible":
        return refused(problem, choice.binding, began, counted[list(choice.unserved)])
    sign = -1.0 if INFO[problem.kind].maximised else 1.0
    sites = np.array(choice.sites, dtype=np.int64)
    return described(problem, sites, sign * choice.objective, sign * choice.bound, began=began)


def _fewest(
    problem: Placement, side: Side, existing: Floats | None, counted: Ints, *, seconds: float, progress: Progress
) -> Choice:
    limit = problem.limit_s or 0.0
    open_ = counted if existing is None else counted[existing[counted] > limit]
    beside = side if not side.plain or problem.p else None
    if not len(open_) and beside is None:
        nobody = np.empty(0, dtype=np.int64)
        return Choice("optimal", 0.0, 0.0, (), nobody, 0.0)
    if not len(open_):
        sites, least = side.choose(np.ones(side.candidates), seconds=max(seconds, 0.2))
        if sites is None:
            return infeasible(side.binding() or "time", len(counted), time.perf_counter())
        least = min(float(len(sites)), float(np.ceil(max(least, 0.0) - ROUNDING)))
        chosen, proved = tuple(int(site) for site in sites), least == len(sites)
        return Choice(
            "optimal" if proved else "feasible", float(len(sites)), float(least), chosen, np.empty(0, np.int64), 0.0,
        )  # fmt: skip
    choice = solve_covering(problem.od_s[open_], limit, seconds=seconds, progress=progress, side=beside)
    back = tuple(int(at) for at in np.searchsorted(counted, open_[list(choice.unserved)]))
    return dataclasses.replace(choice, unserved=back)


def rest_pull(problem: Placement) -> Floats:
    """Return the pull of all but the new sites on each demand: what is there, and staying at home."""
    rest = np.full(len(problem.people), float(pull(np.array([HOME_S]))[0]))
    if problem.there_s is not None:
        rest += pull(problem.there_s).sum(axis=1)
    return rest


def described(
    problem: Placement, sites: Ints, objective: float, bound: float, *, began: float, assignment: Ints | None = None
) -> SitingResult:
    """Return a choice with everybody's nearest site, who is left out, and the gap."""
    info = INFO[problem.kind]
    existing = problem.existing_s
    demand = np.arange(len(problem.people))
    if assignment is None:
        own = problem.od_s[:, sites] if len(sites) else np.full((len(demand), 1), np.inf)
        at = own.argmin(axis=1)
        shortest = own[demand, at]
        assignment = sites[at] if len(sites) else np.full(len(demand), UNSERVED)
        if existing is not None:
            assignment = np.where(existing <= shortest, EXISTING, assignment)
            shortest = np.minimum(existing, shortest)
    else:
        shortest = problem.od_s[demand, np.maximum(assignment, 0)]
        if existing is not None:
            shortest = np.where(assignment == EXISTING, existing, shortest)
    assignment = np.where(np.isfinite(shortest), assignment, UNSERVED)
    shortest = np.where(assignment == UNSERVED, np.inf, shortest)
    beyond = ~np.isfinite(shortest)
    if info.needs_limit:
        beyond = ~(shortest <= (problem.limit_s or 0.0))
    bound = max(bound, objective) if info.maximised else min(bound, objective)
    wide = abs(bound) if info.maximised else abs(objective)
    gap = 0.0 if wide < 1e-12 else abs(bound - objective) / wide
    return SitingResult(
        status="optimal" if gap <= ROUNDING / 100 else "feasible",
        objective=float(objective),
        bound=float(bound),
        gap=min(gap, 1.0),
        unserved=float(problem.people[beyond].sum()),
        sites=tuple(int(site) for site in np.sort(sites)),
        assignment=assignment.astype(np.int64),
        times_s=shortest,
        seconds=time.perf_counter() - began,
        unserved_s=unserved_s(problem) if info.unit in {"person_s", "cost"} else 0.0,
    )


def refused(problem: Placement, binding: str, began: float, unserved: Ints | None = None) -> SitingResult:
    """Return that there is no answer, what binds, and in the assignment whom it is about (`UNSERVED`)."""
    count, nan = len(problem.people), float("nan")
    nobody = np.full(count, EXISTING, dtype=np.int64)
    about = np.arange(count) if unserved is None else unserved
    nobody[about] = UNSERVED
    return SitingResult(
        "infeasible", nan, nan, nan, float(problem.people[about].sum()), (), nobody, np.full(count, np.inf),
        time.perf_counter() - began, binding=binding,
    )  # fmt: skip

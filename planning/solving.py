"""A posed question answered, or a plan made by hand weighed against the best; and why there is no answer."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.progress import Progress
from planning.choice import Status
from planning.kinds import INFO
from planning.model import Question
from planning.placement import Placement, place
from planning.posing import Candidates
from planning.siting import UNSERVED, SitingResult, Stop
from planning.weigh import weigh

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Solved:
    """A result and what it is good to know beside it."""

    result: SitingResult
    told: dict[str, Any] = field(default_factory=dict)


def solved(problem: Placement, where: Candidates, question: Question, stop: Stop, *, progress: Progress) -> Solved:
    """Return the best choice, or for a plan by hand that plan with the bound of the best."""
    found = place(problem, stop, seed=question.seed, progress=progress)
    if not len(where.by_hand):
        return Solved(found, _why(problem, found, question))
    stays = np.arange(where.new, len(where.lonlat))
    mine = weigh(problem, np.r_[where.by_hand, stays].astype(np.int64))
    if mine.status == "infeasible":
        return Solved(mine, _why(problem, mine, question))
    if found.status == "infeasible":
        return Solved(found, _why(problem, found, question))
    more = INFO[problem.kind].maximised
    bound = max(found.bound, mine.objective) if more else min(found.bound, mine.objective)
    wide = abs(bound) if more else abs(mine.objective)
    gap = abs(bound - mine.objective) / wide if wide > 1e-12 else 0.0
    told = {"machine": found.objective, "machine_gap": found.gap}
    status: Status = "optimal" if gap <= 1e-8 else "feasible"
    return Solved(dataclasses.replace(mine, bound=bound, gap=min(gap, 1.0), status=status), told)


def _why(problem: Placement, found: SitingResult, question: Question) -> dict[str, Any]:
    """Return the numbers that say why a question has no answer."""
    if found.status != "infeasible":
        return {}
    told: dict[str, Any] = {}
    if found.binding == "sites" and problem.kind == "lscp" and problem.p and not question.terms.by_hand:
        free = place(dataclasses.replace(problem, p=0), Stop(seconds=10))
        told["least_sites"] = len(free.sites) if free.status != "infeasible" else None
    if found.binding == "capacity" and problem.capacity is not None:
        room = float(np.sort(problem.capacity)[-problem.p :].sum())
        there = problem.there_capacity
        told["room"] = room + (0.0 if there is None else float(there.sum()))
        told["demand"] = float(problem.people.sum())
    return told


def who(problem: Placement, found: SitingResult, community: Ints) -> dict[str, Any]:
    """Return about whom it is that there is no answer: people, the community of most, the time they would need."""
    about = (found.assignment == UNSERVED) & (problem.people > 0)
    if found.binding not in {"reach", "sites"} or not about.any():
        return {}
    times = problem.od_s.min(axis=1, initial=np.inf)
    if problem.existing_s is not None:
        times = np.minimum(times, problem.existing_s)
    finite = times[about & np.isfinite(times)]
    counts = np.bincount(community[about], weights=problem.people[about])
    return {
        "people": float(problem.people[about].sum()),
        "community_id": int(counts.argmax()),
        "needs_s": float(finite.max()) if len(finite) else None,
    }

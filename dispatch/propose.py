"""Who should go: workers ranked by what sending each would cost, in seconds, and the reasons in points.

What a worker costs is the way there plus what the table `Costs` says for work in hand, for leaving the own
grid and for staying past the end of the shift. A reason is a key with its figures; the page has the words.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

NAMED_AGAINST = 2
_SAME_S = 30.0


@dataclass(frozen=True, slots=True)
class Costs:
    """What a choice costs beside the way, in seconds.

    Attributes
    ----------
    task_s
        Each task already in hand: about what one takes to handle.
    other_grid_s
        Sending somebody who does not know the grid: so much longer a way the own worker may have.
    overtime
        Seconds for each second of work past the end of the shift.
    """

    task_s: float = 20 * 60
    other_grid_s: float = 5 * 60
    overtime: float = 2.0


class Term(enum.StrEnum):
    """The parts of a cost; their order is the order in which equal reasons are told."""

    TRAVEL = "travel"
    WORKLOAD = "workload"
    OTHER_GRID = "other_grid"
    OVERTIME = "overtime"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A worker who could go.

    Attributes
    ----------
    travel_s
        From where the worker is taken to be; infinite when no way leads there.
    own_grid
        The incident lies in the worker's responsibility grid.
    shift_left_s
        Until the usual shift ends; infinite when it has no end.
    """

    worker_id: int
    code: str
    travel_s: float
    open_tasks: int = 0
    own_grid: bool = False
    shift_left_s: float = math.inf


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with what sending it would cost, by term."""

    candidate: Candidate
    travel_s: float
    workload_s: float
    other_grid_s: float
    overtime_s: float

    @property
    def total_s(self) -> float:
        """Return the sum of the terms."""
        return self.travel_s + self.workload_s + self.other_grid_s + self.overtime_s

    def of(self, term: Term) -> float:
        """Return one term in seconds."""
        return {
            Term.TRAVEL: self.travel_s,
            Term.WORKLOAD: self.workload_s,
            Term.OTHER_GRID: self.other_grid_s,
            Term.OVERTIME: self.overtime_s,
        }[term]


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a comparison: which term, and by how many seconds it differs (always above zero)."""

    term: Term
    seconds: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Why ``worker`` stands behind the chosen one.

    Attributes
    ----------
    against
        What speaks against, the heaviest first; empty when both cost the same.
    though
        What would speak for.
    """

    worker: Ranked
    against: tuple[Point, ...]
    though: tuple[Point, ...]

    @property
    def same(self) -> bool:
        """Return whether nothing worth telling differs, so that the staff number decided."""
        return not self.against


@dataclass(frozen=True, slots=True)
class Ranking:
    """All who can get there, the cheapest first, and those who cannot."""

    ranked: tuple[Ranked, ...]
    unreachable: tuple[Candidate, ...]

    @property
    def best(self) -> Ranked | None:
        """Return the proposed one; None when nobody can get there."""
        return self.ranked[0] if self.ranked else None

    def find(self, worker_id: int) -> Ranked | None:
        """Return the entry of a worker; None when not among those who can get there."""
        return next((each for each in self.ranked if each.candidate.worker_id == worker_id), None)

    def place_of(self, worker_id: int) -> int:
        """Return the place of a worker in the ranking, from 1."""
        return [each.candidate.worker_id for each in self.ranked].index(worker_id) + 1

    def is_nearest(self, ranked: Ranked) -> bool:
        """Return whether nobody would be there sooner."""
        return ranked.travel_s <= min(each.travel_s for each in self.ranked)


def rank(candidates: Sequence[Candidate], costs: Costs | None = None) -> Ranking:
    """Return the candidates by cost; equal ones by way, then by staff number."""
    costs = costs or Costs()
    ranked = [_cost(each, costs) for each in candidates if math.isfinite(each.travel_s)]
    ranked.sort(key=lambda each: (each.total_s, each.travel_s, each.candidate.code))
    lost = sorted((each for each in candidates if not math.isfinite(each.travel_s)), key=lambda each: each.code)
    return Ranking(tuple(ranked), tuple(lost))


def compare(chosen: Ranked, other: Ranked) -> Comparison:
    """Return what speaks against ``other`` and what for, compared with ``chosen``.

    Differences below half a minute are not told, unless there is no other.
    """
    differences = [(term, other.of(term) - chosen.of(term)) for term in Term]
    for least in (_SAME_S, 0.0):
        against = [Point(term, by) for term, by in differences if by > least]
        though = [Point(term, -by) for term, by in differences if -by > least]
        if against or least == 0.0:
            break
    return Comparison(
        other,
        tuple(sorted(against, key=lambda point: -point.seconds)),
        tuple(sorted(though, key=lambda point: -point.seconds)),
    )


def reasons(ranking: Ranking, chosen: Ranked) -> tuple[Comparison, ...]:
    """Return why not the next two in rank, and why not the nearest when somebody else is sent."""
    others = [each for each in ranking.ranked if each is not chosen]
    named = others[:NAMED_AGAINST]
    nearest = min(others, key=lambda each: each.travel_s, default=None)
    if nearest is not None and nearest not in named and nearest.travel_s < chosen.travel_s - _SAME_S:
        named.append(nearest)
    return tuple(compare(chosen, other) for other in named)


def _cost(candidate: Candidate, costs: Costs) -> Ranked:
    done_s = candidate.travel_s + (candidate.open_tasks + 1) * costs.task_s
    return Ranked(
        candidate,
        travel_s=candidate.travel_s,
        workload_s=candidate.open_tasks * costs.task_s,
        other_grid_s=0.0 if candidate.own_grid else costs.other_grid_s,
        overtime_s=max(0.0, done_s - candidate.shift_left_s) * costs.overtime,
    )

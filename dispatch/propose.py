"""Who could go to one incident, ranked as the plan ranks: by its own table of costs and its own hard limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dispatch.explain import Choice, Explanation
from dispatch.plan_model import Id, Reason

NAMED_AGAINST = 2
_SAME_S = 30.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A worker on duty of whom a place is known.

    Attributes
    ----------
    travel_s
        From where the worker is taken to be; infinite when no way leads there.
    own_grid
        The incident lies in the worker's responsibility grid.
    """

    worker_id: int
    code: str
    travel_s: float
    open_tasks: int = 0
    own_grid: bool = False


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with what sending it adds to the plan, by term; or with the limit that speaks against."""

    candidate: Candidate
    choice: Choice | None
    cannot: Reason | None = None

    @property
    def travel_s(self) -> float:
        """Return the way there from where the worker is."""
        return self.candidate.travel_s

    @property
    def against(self) -> Reason | None:
        """Return what weighs most against it, compared with the proposed one; None for that."""
        return self.cannot if self.choice is None else self.choice.against

    def term(self, name: str) -> float:
        """Return one term of its cost in seconds; 0 for whom the plan would not send."""
        return 0.0 if self.choice is None else self.choice.terms.get(name, 0.0)


@dataclass(frozen=True, slots=True)
class Ranking:
    """All whom the plan could send, the cheapest first, and those it would not."""

    ranked: tuple[Ranked, ...]
    others: tuple[Ranked, ...] = ()

    @property
    def all(self) -> tuple[Ranked, ...]:
        """Return everybody, those whom the plan would not send last."""
        return (*self.ranked, *self.others)

    @property
    def best(self) -> Ranked | None:
        """Return the proposed one; None when the plan could send nobody."""
        return self.ranked[0] if self.ranked else None

    def find(self, worker_id: int) -> Ranked | None:
        """Return the entry of a worker; None when not on duty or without a place."""
        return next((each for each in self.all if each.candidate.worker_id == worker_id), None)

    def place_of(self, worker_id: int) -> int:
        """Return the place of a worker in the ranking, from 1."""
        return [each.candidate.worker_id for each in self.all].index(worker_id) + 1

    def is_nearest(self, ranked: Ranked) -> bool:
        """Return whether nobody would be there sooner."""
        return ranked.travel_s <= min(each.travel_s for each in self.ranked or self.all)

    def behind(self, chosen: Ranked) -> tuple[Ranked, ...]:
        """Return the next two in rank, and the nearest when somebody else is sent."""
        rest = [each for each in self.ranked if each is not chosen]
        named = rest[:NAMED_AGAINST]
        nearest = min(rest, key=lambda each: each.travel_s, default=None)
        if nearest is not None and nearest not in named and nearest.travel_s < chosen.travel_s - _SAME_S:
            named.append(nearest)
        return tuple(named)


def ranking_of(told: Explanation, candidates: Mapping[Id, Candidate]) -> Ranking:
    """Return the candidates as the plan ranks them; whom the plan does not know is not among them."""
    first = () if told.chosen is None else (told.chosen,)
    ranked = [
        Ranked(candidates[choice.worker], choice) for choice in (*first, *told.others) if choice.worker in candidates
    ]
    others = [Ranked(candidates[code], None, why) for code, why in told.rejected.items() if code in candidates]
    others.sort(key=lambda each: (each.travel_s, each.candidate.code))
    return Ranking(tuple(ranked), tuple(others))

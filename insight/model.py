"""The nouns of evaluation: a subject's row in a league, a month of a trend, how far the facts reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from core.identity import Role

SUBJECTS = ("department", "community", "class", "post")
"""Whom a league may compare. Workers are none of them."""
WORKER = "worker"
_WHOLE = frozenset({Role.SUPERVISOR, Role.AUDITOR, Role.DISPATCHER, Role.SYSTEM})
_OF_ROLE: Mapping[Role, tuple[str, ...]] = {
    Role.GRID_MANAGER: ("community", "department", "class"),
    Role.HANDLER: ("department", "class"),
    Role.PLANNER: ("community", "class"),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """Counts of one subject, class and month; the subject is None for incidents that have none."""

    subject_id: int | None
    class_id: int
    month: dt.date | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Score:
    """One indicator of one subject.

    Attributes
    ----------
    subject_id
        Id of the unit, community or class; None for a post, or for incidents without a unit.
    rate, low, high
        The rate and its 95 % interval; None and 0 to 1 where nothing was counted.
    rank_low, rank_high
        Best and worst place it may hold among ``ranked``; None where nothing was counted or it is not ranked.
    shrunk
        The rate drawn towards that of all, the more the fewer incidents it rests on.
    expected
        What the rate would be if each of its classes went as everywhere.
    """

    subject: str
    subject_id: int | None
    name: str
    name_zh: str
    indicator: str
    numerator: int
    denominator: int
    rate: float | None
    low: float
    high: float
    rank_low: int | None
    rank_high: int | None
    ranked: int
    shrunk: float | None
    expected: float | None
    too_few: bool


@dataclass(frozen=True, slots=True)
class Month:
    """One indicator in one month; the rate is None where nothing was counted."""

    month: dt.date
    numerator: int
    denominator: int
    rate: float | None


@dataclass(frozen=True, slots=True)
class Folded:
    """What a fold did: acts of the record read, facts written, and how long it took."""

    acts: int
    facts: int
    seconds: float


def subjects_for(role: Role) -> tuple[str, ...]:
    """Return whom the role may compare; a grid worker nobody, an administrator nothing."""
    return SUBJECTS if role in _WHOLE else _OF_ROLE.get(role, ())

"""The nouns of evaluation: a row of a league, a month of a trend, what stands behind a number, the rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.identity import Role
from insight.indicators import Weights

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
    before_numerator: int = 0
    before_denominator: int = 0

    @property
    def before(self) -> float | None:
        """Return the rate as it was before appeals were granted."""
        return self.before_numerator / self.before_denominator if self.before_denominator else None

    @property
    def appealed(self) -> bool:
        """Return whether a granted appeal changed this number."""
        return (self.numerator, self.denominator) != (self.before_numerator, self.before_denominator)


@dataclass(frozen=True, slots=True)
class Behind:
    """An incident that a number counts, ``times`` over."""

    incident_id: int
    number: str
    name_en: str
    name_zh: str
    place: str
    status: str
    reported_at: dt.datetime
    due_at: dt.datetime | None
    closed_at: dt.datetime | None
    reworks: int
    reopens: int
    excused: int
    times: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What a numerator or denominator counts: its value, how many incidents, and a page of them."""

    value: int
    incidents: int
    rows: Sequence[Behind]


@dataclass(frozen=True, slots=True)
class Rule:
    """How a territory counts the citizens' word, and until when a score may be appealed.

    Attributes
    ----------
    base
        Of solution and satisfaction: ``asked`` are all calls, ``reached`` those that were answered.
    contact_hours
        Reached so soon after the close counts as in time.
    satisfied_from
        The lowest of 1 to 5 that counts as satisfied.
    excluded_classes
        Classes whose calls are not counted.
    version
        0 is what holds before anything was decided.
    """

    weights: Weights = field(default_factory=Weights)
    base: str = "asked"
    contact_hours: float = 48.0
    satisfied_from: int = 4
    excluded_classes: tuple[int, ...] = ()
    appeal_days: int = 15
    version: int = 0
    decided_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class RuleProposal:
    """A rule as it was proposed, and what became of it: proposed, approved or rejected."""

    id: int
    state: str
    rule: Rule
    reason: str
    proposed_by: int | None
    proposed_label: str
    proposed_at: dt.datetime
    decided_label: str


@dataclass(frozen=True, slots=True)
class AppealInfo:
    """An objection of a department to an incident that was counted against it.

    Attributes
    ----------
    effect
        Key of `insight.appeals.EFFECTS`: what the score would change by.
    state
        waiting, granted or refused.
    signature
        The platform's key over `insight.appeals.decision_text`; empty while it waits.
    """

    id: int
    incident_id: int
    number: str
    unit_id: int
    unit: str
    unit_zh: str
    effect: str
    ground: str
    evidence: str
    state: str
    asked_by: int | None
    asked_label: str
    asked_at: dt.datetime
    decided_by: int | None
    decided_label: str
    decided_at: dt.datetime | None
    answer: str
    signature: str


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

"""A question of the page "What if", and its answer as it is kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput
from dispatch.simulate_model import Change, Outcome, Policy

MOST_MORE = 20
MOST_OWNER_S = 3600.0
MOST_REFUSALS = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """Which day, by which rules, with what changed; zero and None change nothing."""

    day: dt.date
    policies: tuple[Policy, ...]
    workers: int = 0
    owner_s: float | None = None
    refusals: float = 0.0
    seed: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be asked."""
        if not self.policies:
            raise InvalidInput(
                "No rule is chosen.", hint="Choose at least one.", zh="尚未选择派遣规则，请至少选择一种。"
            )
        within = (
            abs(self.workers) <= MOST_MORE
            and 0 <= (self.owner_s or 0) <= MOST_OWNER_S
            and 0 <= self.refusals <= MOST_REFUSALS
        )
        if not within:
            raise InvalidInput(
                "A change is out of bounds.", hint="Move the sliders.", zh="调整值超出范围，请重新选择。"
            )

    def changes(self) -> tuple[Change, ...]:
        """Return the day as it is, then each change by itself."""
        found = [Change()]
        if self.workers:
            found.append(Change(workers=self.workers))
        if self.owner_s is not None:
            found.append(Change(owner_s=self.owner_s))
        if self.refusals:
            found.append(Change(refusals=self.refusals))
        return tuple(found)

    def as_json(self) -> dict[str, Any]:
        """Return the question for the queue."""
        return dataclasses.asdict(self) | {"day": self.day.isoformat(), "policies": [p.value for p in self.policies]}


def read_question(given: Mapping[str, Any]) -> Question:
    """Return the question that the queue keeps."""
    policies = tuple(Policy(each) for each in given["policies"])
    return Question(**{**given, "day": dt.date.fromisoformat(given["day"]), "policies": policies})


@dataclass(frozen=True, slots=True)
class Row:
    """A run of the answer; see `dispatch.simulate_model.Measures`."""

    policy: Policy
    change: Change
    incidents: int
    workers: int
    response_s: float | None
    response_p90_s: float | None
    low_p90_s: float | None
    breaches: int
    unserved: int
    travel_s: float
    load_cv: float
    churn: int
    refusals: int
    own_grid: float | None
    overtime_s: float


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: what was asked, the runs, and what was assumed in both languages."""

    question: Question
    rows: tuple[Row, ...]
    notes: tuple[tuple[str, str], ...]
    cpu_s: float


def row_of(outcome: Outcome) -> Row:
    """Return a run as it is kept."""
    m = outcome.measures
    low = m.by_priority[max(m.by_priority)]
    return Row(
        outcome.policy,
        outcome.change,
        m.incidents,
        m.workers,
        _plain(m.response_s),
        _plain(m.response_p90_s),
        _plain(low[1]),
        m.breaches,
        m.unserved,
        round(m.travel_s, 1),
        round(m.load_cv, 4),
        m.churn,
        m.refusals,
        _plain(m.own_grid),
        round(m.overtime_s, 1),
    )


def reply_as_json(reply: Reply) -> dict[str, Any]:
    """Return an answer for the job's row."""
    return {
        "question": reply.question.as_json(),
        "rows": [dataclasses.asdict(each) for each in reply.rows],
        "notes": [list(each) for each in reply.notes],
        "cpu_s": round(reply.cpu_s, 2),
    }


def read_reply(given: Mapping[str, Any]) -> Reply:
    """Return the answer that a job's row keeps."""
    rows = tuple(
        Row(**{**each, "policy": Policy(each["policy"]), "change": Change(**each["change"])}) for each in given["rows"]
    )
    notes = tuple((en, zh) for en, zh in given["notes"])
    return Reply(read_question(given["question"]), rows, notes, float(given["cpu_s"]))


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)

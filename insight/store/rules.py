"""SQL of the rule by which the citizens' word is counted."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from insight.indicators import Weights
from insight.model import Rule, RuleProposal

_READ = """
    SELECT id, state, weight_response, weight_solution, weight_satisfaction, base, contact_hours, satisfied_from,
           excluded_classes, appeal_days, reason, proposed_by, proposed_label, proposed_at, decided_label, decided_at
    FROM evaluation_rule WHERE territory_id = :territory
"""


def in_force(session: Session, territory_id: int) -> Rule | None:
    """Return the rule that was approved last; None before the first."""
    query = text(f"{_READ} AND state = 'approved' ORDER BY decided_at DESC, id DESC LIMIT 1")
    row = session.execute(query, {"territory": territory_id}).one_or_none()
    return None if row is None else _rule(row)


def proposals(session: Session, territory_id: int) -> list[RuleProposal]:
    """Return all proposals, the newest first."""
    rows = session.execute(text(f"{_READ} ORDER BY id DESC LIMIT 100"), {"territory": territory_id})
    return [
        RuleProposal(
            row.id,
            row.state,
            _rule(row),
            row.reason,
            row.proposed_by,
            row.proposed_label,
            row.proposed_at,
            row.decided_label,
        )
        for row in rows
    ]


def _rule(row: Any) -> Rule:
    return Rule(
        Weights(row.weight_response, row.weight_solution, row.weight_satisfaction),
        row.base,
        row.contact_hours,
        row.satisfied_from,
        tuple(row.excluded_classes),
        row.appeal_days,
        row.id,
        row.decided_at,
    )


def add(session: Session, territory_id: int, rule: Rule, reason: str) -> int:
    """Insert a proposal and return its number; the database says who proposes."""
    return int(
        session.execute(
            text(
                "INSERT INTO evaluation_rule (territory_id, weight_response, weight_solution, weight_satisfaction,"
                " base, contact_hours, satisfied_from, excluded_classes, appeal_days, reason, proposed_at)"
                " VALUES (:territory, :response, :solution, :satisfaction, :base, :hours, :from, :excluded, :days,"
                " :reason, now()) RETURNING id"
            ),
            {
                "territory": territory_id,
                "response": rule.weights.response,
                "solution": rule.weights.solution,
                "satisfaction": rule.weights.satisfaction,
                "base": rule.base,
                "hours": rule.contact_hours,
                "from": rule.satisfied_from,
                "excluded": list(rule.excluded_classes),
                "days": rule.appeal_days,
                "reason": reason,
            },
        ).scalar_one()
    )


def decide(session: Session, proposal_id: int, state: str, at: dt.datetime) -> bool:
    """Write a decision; return whether the proposal was there and waited for one."""
    done = session.execute(
        text("UPDATE evaluation_rule SET state = :state, decided_at = :at WHERE id = :id AND state = 'proposed'"),
        {"state": state, "at": at, "id": proposal_id},
    )
    return bool(done.rowcount)  # type: ignore[attr-defined]

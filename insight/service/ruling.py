"""Use cases of the rule by which the citizens' word is counted: one proposes, another approves."""

from __future__ import annotations

import math

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.clock import now
from core.errors import Conflict, InvalidInput, NotPermitted
from core.identity import Actor, May, Role, require
from insight.appeals import check_words
from insight.model import Rule, RuleProposal
from insight.store import rules as store

REASON_MOST = 500
BASES = ("asked", "reached")
LONGEST_H, LONGEST_DAYS = 24.0 * 31, 180


def rule_in_force(session: Session, actor: Actor) -> Rule:
    """Return the rule as it stands; what holds before anything was decided when nothing was."""
    require(actor, May.SEE_SCORES)
    return store.in_force(session, actor.territory_id or 0) or Rule()


def rules(session: Session, actor: Actor) -> list[RuleProposal]:
    """Return every version that was proposed, the newest first."""
    require(actor, May.SEE_SCORES)
    return store.proposals(session, actor.territory_id or 0)


def propose_rule(session: Session, actor: Actor, rule: Rule, reason: str) -> int:
    """Propose a rule and return its number; it holds when another supervisor approves it.

    Raises
    ------
    InvalidInput
        When a value lies outside its bounds, or no reason is given.
    """
    _decider(actor)
    shares = (rule.weights.response, rule.weights.solution, rule.weights.satisfaction)
    numbers_hold = all(math.isfinite(each) and 0 <= each <= 100 for each in shares) and sum(shares) > 0
    if not numbers_hold:
        raise InvalidInput("Weights lie between 0 and 100, and are not all 0.", zh="权重须在 0 至 100 之间且不全为 0。")
    if rule.base not in BASES:
        raise InvalidInput(f"There is no base {rule.base!r}.", hint=f"Bases are: {', '.join(BASES)}.")
    if not 0 < rule.contact_hours <= LONGEST_H or not 1 <= rule.satisfied_from <= 5:
        raise InvalidInput(
            f"In time is 1 to {LONGEST_H:.0f} hours, satisfied 1 to 5.",
            zh=f"联系时限为 1 至 {LONGEST_H:.0f} 小时，满意分为 1 至 5。",
        )
    if not 1 <= rule.appeal_days <= LONGEST_DAYS:
        raise InvalidInput(f"Appeals are open 1 to {LONGEST_DAYS} days.", zh=f"申诉期为 1 至 {LONGEST_DAYS} 天。")
    check_words(reason, REASON_MOST, "A change needs its reason in words.", "请填写变更理由。")
    return store.add(session, actor.territory_id or 0, rule, reason.strip())


def decide_rule(session: Session, actor: Actor, proposal_id: int, *, approve: bool) -> None:
    """Approve or reject a proposal of somebody else.

    Raises
    ------
    NotPermitted
        When the actor proposed it himself.
    Conflict
        When it was decided already.
    """
    _decider(actor)
    mine = next((each for each in rules(session, actor) if each.id == proposal_id), None)
    if mine is not None and mine.proposed_by is not None and mine.proposed_by == actor.user_id:
        raise NotPermitted(
            "Who proposes a rule does not approve it.",
            hint="Another supervisor does.",
            zh="提出人不得审批，请由另一位监督员审批。",
        )
    try:
        done = store.decide(session, proposal_id, "approved" if approve else "rejected", now())
    except IntegrityError as error:
        raise NotPermitted("The database refuses it.", hint="Another supervisor decides.") from error
    if not done:
        raise Conflict("This proposal was decided already, or there is none.", zh="该提议已处理或不存在。")


def _decider(actor: Actor) -> None:
    require(actor, May.SEE_SCORES)
    if actor.role not in {Role.SUPERVISOR, Role.SYSTEM}:
        raise NotPermitted("Supervisors change this rule, two of them.", zh="该规则由监督员两人变更。")

"""Use cases of evaluation."""

from insight.service.appealing import decide, file_appeal, list_appeals, may_appeal, may_decide, signed
from insight.service.evaluating import (
    PARTS,
    behind,
    evaluate,
    evaluate_all,
    facts_as_of,
    name_of,
    refresh,
    refresh_day,
    trend,
    worker_scores,
)
from insight.service.ruling import decide_rule, propose_rule, rule_in_force, rules

__all__ = [
    "PARTS", "behind", "decide", "decide_rule", "evaluate", "evaluate_all", "facts_as_of", "file_appeal",
    "list_appeals", "may_appeal", "may_decide", "name_of", "propose_rule", "refresh", "refresh_day",
    "rule_in_force", "rules", "signed", "trend", "worker_scores",
]  # fmt: skip

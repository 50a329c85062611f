"""One fact per incident, folded from what the record tells of it (pure).

This is the rule in its plainest form. `insight.store` does the same for a whole city in SQL, and the
tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GIVEN_OUT = frozenset({"dispatched", "handling"})
KEPT = (
    "status",
    "source",
    "class_id",
    "category",
    "priority",
    "grid_id",
    "community_id",
    "unit_id",
    "worker_id",
    "dispatched_by",
    "closed_by",
    "reported_at",
    "filed_at",
    "dispatched_at",
    "handled_at",
    "closed_at",
    "reworks",
    "simulated",
)
"""Columns of the incident that the fact takes over as they stand last."""
URGENT_PRIORITY = 1


@dataclass(frozen=True, slots=True)
class Act:
    """A row of the record about one incident: what stood there before and after; None where nothing did."""

    seq: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def fold(acts: Iterable[Act]) -> dict[str, Any] | None:
    """Return the fact of one incident from its acts, in any order; None when it was deleted.

    Times are as the record writes them. The deadline is the one that stood when the incident was
    closed, so that a later change of it makes nothing punctual. ``dispatches`` counts every time it was
    given out, ``returns`` every time it came back to the dispatcher.
    """
    ordered = sorted(acts, key=lambda act: act.seq)
    last = ordered[-1].after if ordered else None
    if last is None:
        return None
    closing = [act for act in ordered if _became(act, "closed")]
    deadline = (closing[-1].after or {}).get("due_at") if closing else last.get("due_at")
    return {name: last.get(name) for name in KEPT} | {
        "due_at": deadline,
        "urgent": bool(last.get("emergency")) or last.get("priority") == URGENT_PRIORITY,
        "dispatches": sum(_given_out(act) for act in ordered),
        "returns": sum(_given_back(act) for act in ordered),
        "last_seq": ordered[-1].seq,
    }


def _became(act: Act, status: str) -> bool:
    return (act.after or {}).get("status") == status and (act.before or {}).get("status") != status


def _given_out(act: Act) -> bool:
    moment = (act.after or {}).get("dispatched_at")
    return moment is not None and moment != (act.before or {}).get("dispatched_at")


def _given_back(act: Act) -> bool:
    return (act.before or {}).get("status") in GIVEN_OUT and (act.after or {}).get("status") == "filed"

"""One fact per incident, folded from what the record tells of it (pure).

This is the rule in its plainest form. `insight.store.folding` does the same for a whole city in SQL, and
the tests hold the two together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GIVEN_OUT = frozenset({"dispatched", "handling"})
KEPT = (
    "status",
    "source",
    "class_id",
    "grid_id",
    "community_id",
    "unit_id",
    "worker_id",
    "reported_at",
    "filed_at",
    "handled_at",
    "closed_at",
    "postponed_until",
    "duplicate_of",
    "reworks",
    "simulated",
)
"""Columns of the incident that the fact takes over as they stand last."""
URGENT_PRIORITY = 1
FILING_H = 4.0
"""Hours from report to filing that count as on time; the limit of checking a public report on site."""
CHECKING_H = 24.0
"""Hours from handled to closed that count as verified on time."""
MARKS = {
    name: 1 << place
    for place, name in enumerate(
        (
            "filed",
            "filed_on_time",
            "urgent",
            "eligible",
            "closed",
            "closed_on_time",
            "given_out",
            "handled",
            "handled_on_time",
            "ever_handled",
            "reworked",
            "checking",
            "checked_on_time",
            "ever_closed",
            "reopened",
        )
    )
}
"""What is true of an incident whatever the moment it is looked at: one bit each of the fact's ``marks``."""


@dataclass(frozen=True, slots=True)
class Act:
    """A row of the record about one incident: what stood there before and after; None where nothing did."""

    seq: int
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def fold(acts: Iterable[Act]) -> dict[str, Any] | None:
    """Return the fact of one incident from its acts, in any order; None when it was deleted.

    Times are as the record writes them. The deadline of a closed incident is the one that stood when it was
    closed, so that a later change of it makes nothing punctual; one that was reopened and is still open has
    the deadline that the reopening set. ``dispatches`` counts every time it was
    given out, ``returns`` every time it came back to the dispatcher, ``reopens`` every time it came back
    after the close.
    """
    ordered = sorted(acts, key=lambda act: act.seq)
    last = ordered[-1].after if ordered else None
    if last is None:
        return None
    closing = [act for act in ordered if _became(act, "closed")]
    judged = (closing[-1].after or {}) if closing and last.get("closed_at") is not None else last
    fact = {name: last.get(name) for name in KEPT} | {
        "due_at": judged.get("due_at"),
        "urgent": bool(last.get("emergency")) or last.get("priority") == URGENT_PRIORITY,
        "dispatches": sum(_given_out(act) for act in ordered),
        "returns": sum(_given_back(act) for act in ordered),
        "reopens": sum(_opened_again(act) for act in ordered),
        "last_seq": ordered[-1].seq,
    }
    return fact | {"marks": marks(fact)}


def marks(fact: Mapping[str, Any]) -> int:
    """Return the bits of `MARKS` that are true of a fact.

    Eligible, that is one that can fall due, is what was filed under a deadline and is neither void nor the
    child of another report of the same thing. What was reopened was handled and closed before, and its
    second round is judged by the deadline that the reopening set.
    """
    reported, filed, handled, closed, due = (
        _moment(fact[name]) for name in ("reported_at", "filed_at", "handled_at", "closed_at", "due_at")
    )
    settled = handled or closed
    true = {
        "filed": filed is not None,
        "filed_on_time": filed is not None
        and reported is not None
        and filed <= reported + dt.timedelta(hours=FILING_H),
        "urgent": bool(fact["urgent"]),
        "eligible": None not in {filed, due} and fact["status"] != "void" and fact["duplicate_of"] is None,
        "closed": closed is not None,
        "closed_on_time": _by(closed, due),
        "given_out": fact["dispatches"] > 0,
        "handled": settled is not None,
        "handled_on_time": _by(settled, due),
        "ever_handled": handled is not None or fact["reworks"] > 0,
        "reworked": fact["reworks"] > 0,
        "checking": handled is not None and fact["status"] in {"checking", "closed"},
        "checked_on_time": handled is not None and _by(closed, handled + dt.timedelta(hours=CHECKING_H)),
        "ever_closed": closed is not None or fact["reopens"] > 0,
        "reopened": fact["reopens"] > 0,
    }
    return sum(MARKS[name] for name, is_true in true.items() if is_true)


def _by(done: dt.datetime | None, limit: dt.datetime | None) -> bool:
    return done is not None and limit is not None and done <= limit


def _moment(written: str | dt.datetime | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(written) if isinstance(written, str) else written


def _became(act: Act, status: str) -> bool:
    return (act.after or {}).get("status") == status and (act.before or {}).get("status") != status


def _given_out(act: Act) -> bool:
    moment = (act.after or {}).get("dispatched_at")
    return moment is not None and moment != (act.before or {}).get("dispatched_at")


def _given_back(act: Act) -> bool:
    return (act.before or {}).get("status") in GIVEN_OUT and (act.after or {}).get("status") == "filed"


def _opened_again(act: Act) -> bool:
    return (act.before or {}).get("status") == "closed" and (act.after or {}).get("status") == "filed"

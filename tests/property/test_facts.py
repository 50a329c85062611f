"""Facts are folded alike in whatever order the record is read, and only as much as was told."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from insight.facts import MARKS, Act, fold, marks

START = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
STATUSES = ("reported", "filed", "dispatched", "handling", "checking", "closed", "void")
moments = st.none() | st.integers(0, 400).map(lambda hours: (START + dt.timedelta(hours=hours)).isoformat())
states = st.fixed_dictionaries(
    {
        "status": st.sampled_from(STATUSES),
        "source": st.sampled_from(["patrol", "hotline"]),
        "priority": st.integers(1, 4),
        "emergency": st.booleans(),
        "reported_at": st.just(START.isoformat()),
        **dict.fromkeys(("filed_at", "dispatched_at", "handled_at", "closed_at", "due_at", "postponed_until"), moments),
        "duplicate_of": st.none() | st.just(7),
        "reworks": st.integers(0, 3),
        "simulated": st.just(False),
        **dict.fromkeys(("class_id", "grid_id", "community_id", "unit_id", "worker_id"), st.just(1)),
    }
)


def life(rows: list[dict[str, Any]]) -> list[Act]:
    return [Act(seq, before, after) for seq, (before, after) in enumerate(zip([None, *rows], rows, strict=False))]


@given(st.lists(states, min_size=1, max_size=8), st.randoms())
def test_the_order_of_reading_does_not_matter(rows: list[dict[str, Any]], chance: Any) -> None:
    acts = life(rows)
    mixed = list(acts)
    chance.shuffle(mixed)
    assert fold(mixed) == fold(acts)


@given(st.lists(states, min_size=1, max_size=8))
def test_what_stands_last_is_kept_and_what_happened_is_counted_once(rows: list[dict[str, Any]]) -> None:
    fact = fold(life(rows))
    assert fact is not None
    assert fact["status"] == rows[-1]["status"]
    assert fact["returns"] + fact["reopens"] <= len(rows) - 1
    assert fact["dispatches"] <= len(rows)
    assert fold([*life(rows), Act(99, rows[-1], None)]) is None, "what is deleted has no fact"


@given(states)
def test_marks_hold_together(row: dict[str, Any]) -> None:
    fact = fold(life([row]))
    assert fact is not None
    true = {name for name, bit in MARKS.items() if fact["marks"] & bit}
    assert fact["marks"] == marks(fact) < 1 << len(MARKS)
    for part, whole in (
        ("filed_on_time", "filed"),
        ("closed_on_time", "closed"),
        ("closed", "handled"),
        ("handled_on_time", "handled"),
        ("closed", "ever_closed"),
        ("reopened", "ever_closed"),
        ("reworked", "ever_handled"),
        ("checked_on_time", "closed"),
    ):
        assert part not in true or whole in true, part
    if row["duplicate_of"] or row["status"] == "void" or row["due_at"] is None or row["filed_at"] is None:
        assert "eligible" not in true

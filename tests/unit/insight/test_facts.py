"""The fold of one incident, told as a life."""

from __future__ import annotations

from insight.facts import KEPT, MARKS, Act, fold

BASE = {"status": "filed", "priority": 3, "emergency": False, "due_at": "2026-03-02T12:00:00+00:00", "reworks": 0}


def life(*rows: dict[str, object] | None) -> list[Act]:
    states = [None if row is None else BASE | row for row in rows]
    return [Act(seq, before, after) for seq, (before, after) in enumerate(zip([None, *states], states, strict=False))]


def test_nothing_and_a_deleted_one_have_no_fact() -> None:
    assert fold([]) is None
    assert fold(life({}, None)) is None


def test_given_out_twice_returned_once() -> None:
    out = {"status": "dispatched", "dispatched_at": "2026-03-01T08:00:00+00:00"}
    again = {"status": "dispatched", "dispatched_at": "2026-03-01T09:00:00+00:00"}
    back = {"status": "filed", "dispatched_at": out["dispatched_at"]}
    fact = fold(life({}, out, out | {"status": "handling"}, back, again))
    assert fact is not None
    assert (fact["dispatches"], fact["returns"], fact["status"]) == (2, 1, "dispatched")


def test_the_deadline_at_the_close_counts_and_order_does_not() -> None:
    closed = {"status": "closed", "closed_at": "2026-03-03T00:00:00+00:00"}
    acts = life({}, closed, closed | {"due_at": "2026-03-09T12:00:00+00:00"})
    fact = fold(reversed(acts))
    assert fact is not None
    assert fact["due_at"] == BASE["due_at"]
    assert fact["last_seq"] == 2


def test_urgent_is_an_emergency_or_the_first_priority() -> None:
    urgent = [fold(life(row)) for row in ({}, {"priority": 1}, {"emergency": True})]
    assert [fact and fact["urgent"] for fact in urgent] == [False, True, True]


def test_a_second_round_is_judged_by_the_deadline_that_the_reopening_set() -> None:
    times = {"reported_at": "2026-03-01T07:00:00+00:00", "filed_at": "2026-03-01T08:00:00+00:00"}
    rest = dict.fromkeys(KEPT) | BASE | times
    closed = rest | {"status": "closed", "closed_at": "2026-03-03T00:00:00+00:00"}
    again = rest | {"due_at": "2026-03-09T12:00:00+00:00", "reworks": 1}
    done = again | {"status": "closed", "closed_at": "2026-03-08T00:00:00+00:00"}
    first, second = fold(life(rest, closed)), fold(life(rest, closed, again, done))
    assert first is not None
    assert second is not None
    assert not first["marks"] & MARKS["closed_on_time"]
    assert (second["reopens"], second["due_at"]) == (1, "2026-03-09T12:00:00+00:00")
    for name in ("closed_on_time", "reworked", "reopened", "ever_closed", "ever_handled"):
        assert second["marks"] & MARKS[name], name
    still_open = fold(life(rest, closed, again))
    assert still_open is not None
    assert (still_open["reopens"], still_open["due_at"]) == (1, "2026-03-09T12:00:00+00:00")
    assert not still_open["marks"] & MARKS["closed"]

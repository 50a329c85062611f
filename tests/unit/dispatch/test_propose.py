"""Who is proposed, why, and why not the others."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.propose import Candidate, Costs, Term, compare, rank, reasons


def codes(ranking) -> list[str]:
    return [each.candidate.code for each in ranking.ranked]


def test_the_least_way_wins_when_all_else_is_equal():
    ranking = rank([Candidate(1, "W1", 600), Candidate(2, "W2", 300), Candidate(3, "W3", math.inf)])
    assert codes(ranking) == ["W2", "W1"]
    assert [each.code for each in ranking.unreachable] == ["W3"]
    assert ranking.best is not None
    assert ranking.is_nearest(ranking.best)
    assert ranking.place_of(1) == 2
    assert ranking.find(3) is None


def test_every_term_counts_in_seconds():
    costs = Costs(task_s=1000, other_grid_s=200, overtime=2)
    entry = rank([Candidate(1, "W1", 300, open_tasks=2, shift_left_s=3000)], costs).ranked[0]
    assert (entry.travel_s, entry.workload_s, entry.other_grid_s) == (300, 2000, 200)
    assert entry.overtime_s == 2 * (300 + 3 * 1000 - 3000)
    assert entry.total_s == sum(entry.of(term) for term in Term)


def test_work_in_hand_outweighs_a_shorter_way_and_is_told():
    ranking = rank([Candidate(1, "W1", 300, open_tasks=1, own_grid=True), Candidate(2, "W2", 700)])
    best = ranking.best
    assert best is not None
    assert best.candidate.code == "W2"
    (why,) = reasons(ranking, best)
    assert [point.term for point in why.against] == [Term.WORKLOAD]
    assert [point.term for point in why.though] == [Term.TRAVEL, Term.OTHER_GRID]


def test_the_nearest_is_named_though_it_is_far_down_the_ranking():
    busy = Candidate(9, "W9", 60, open_tasks=9)
    ranking = rank([busy, *(Candidate(at, f"W{at}", 300.0 * at) for at in range(1, 6))])
    best = ranking.best
    assert best is not None
    assert [each.worker.candidate.code for each in reasons(ranking, best)] == ["W2", "W3", "W9"]


def test_equal_ones_go_by_staff_number_and_say_so():
    ranking = rank([Candidate(2, "W2", 300), Candidate(1, "W1", 300)])
    assert codes(ranking) == ["W1", "W2"]
    assert compare(*ranking.ranked).same


def test_small_differences_are_only_told_when_there_is_nothing_else():
    near, farther, busy = rank(
        [Candidate(1, "W1", 300), Candidate(2, "W2", 310), Candidate(3, "W3", 310, open_tasks=1)]
    ).ranked
    assert [(point.term, point.seconds) for point in compare(near, farther).against] == [(Term.TRAVEL, 10)]
    assert [point.term for point in compare(near, busy).against] == [Term.WORKLOAD]


def test_nobody_is_an_answer():
    assert rank([]).best is None
    assert rank([Candidate(1, "W1", math.inf)]).best is None


@given(
    st.lists(
        st.tuples(
            st.one_of(st.floats(0, 10_000), st.just(math.inf)),
            st.integers(0, 5),
            st.booleans(),
            st.one_of(st.floats(0, 30_000), st.just(math.inf)),
        ),
        max_size=12,
    )
)
def test_the_ranking_is_complete_and_its_reasons_hold(rows):
    candidates = [
        Candidate(at, f"W{at:02d}", way, open_tasks=tasks, own_grid=own, shift_left_s=left)
        for at, (way, tasks, own, left) in enumerate(rows)
    ]
    ranking = rank(candidates)
    assert len(ranking.ranked) + len(ranking.unreachable) == len(candidates)
    totals = [each.total_s for each in ranking.ranked]
    assert totals == sorted(totals)
    for each in ranking.ranked:
        for why in reasons(ranking, each):
            worse = sum(point.seconds for point in why.against) - sum(point.seconds for point in why.though)
            assert worse == pytest.approx(why.worker.total_s - each.total_s, abs=30 * len(Term))
            assert all(point.seconds > 0 for point in (*why.against, *why.though))

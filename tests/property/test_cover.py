"""Move-up against every possible choice, on small cases."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from core.errors import InvalidInput
from dispatch.cover import Area, Standby, expected_demand, move_ups, uncovered

STANDARD_S, LONGEST_S = 10.0, 25.0
Grid = NDArray[np.float64]
Case = tuple[list[Area], list[Standby], Grid, Grid]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw up to three workers and five areas on a line or scattered."""
    n, w = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    spot = st.tuples(st.integers(0, 40), st.integers(0, 3))
    at = np.array(draw(st.lists(spot, min_size=n, max_size=n)), float)
    stand = np.array(draw(st.lists(spot, min_size=w, max_size=w)), float)
    demand = draw(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0]), min_size=n, max_size=n))
    areas = [Area(a, f"A{a}", f"区{a}", at[a][0], at[a][1], demand[a]) for a in range(n)]
    reach = np.abs(stand[:, None] - at[None]).sum(-1)
    reach[np.array(draw(st.lists(st.booleans(), min_size=w, max_size=w)))] += 1
    return areas, [Standby(k, f"W{k}") for k in range(w)], reach, np.abs(at[:, None] - at[None]).sum(-1)


def brute(case: Case, moves: int) -> float:
    """Return the most demand that at most so many moves cover without uncovering anything."""
    areas, workers, reach, between = case
    demand = np.array([each.demand for each in areas])
    before = (reach <= STANDARD_S).any(axis=0)
    best = 0.0
    options = [[None, *(p for p in range(len(areas)) if reach[w, p] <= LONGEST_S)] for w in range(len(workers))]
    for choice in itertools.product(*options):
        if sum(p is not None for p in choice) <= moves:
            rows = [reach[w] if p is None else between[p] for w, p in enumerate(choice)]
            after = (np.array(rows) <= STANDARD_S).any(axis=0)
            if not (before & ~after).any():
                best = max(best, float(demand[after & ~before].sum()))
    return best


def play(case: Case, most: int) -> tuple[float, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what the proposal gains, and what was and is covered."""
    areas, workers, reach, between = case
    moves = move_ups(areas, workers, reach, between, standard_s=STANDARD_S, longest_s=LONGEST_S, most=most)
    assert len(moves) <= most
    assert len({each.worker for each in moves}) == len(moves)
    stand = reach.copy()
    for each in moves:
        assert reach[int(each.worker), int(each.area)] <= LONGEST_S
        assert (each.lon, each.lat) == (areas[int(each.area)].lon, areas[int(each.area)].lat)
        assert each.why.en
        assert each.why.zh
        stand[int(each.worker)] = between[int(each.area)]
    before, after = np.any(reach <= STANDARD_S, axis=0), np.any(stand <= STANDARD_S, axis=0)
    gained = float(np.array([each.demand for each in areas])[after & ~before].sum())
    assert gained == pytest.approx(sum({each.step: each.gain for each in moves}.values()))
    return gained, before, after


@settings(max_examples=40)
@given(cases())
def test_one_move_is_the_best_of_all_moves(case: Case) -> None:
    """With one move nothing better exists."""
    assert play(case, 1)[0] == pytest.approx(brute(case, 1))


@settings(max_examples=40)
@given(cases())
def test_nothing_is_uncovered_and_two_moves_miss_little(case: Case) -> None:
    """Nothing covered is lost; two moves find something whenever anything helps, and at least half of the best."""
    gained, before, after = play(case, 2)
    assert not (before & ~after).any()
    best = brute(case, 2)
    assert gained >= max(brute(case, 1), best / 2) - 1e-9


@settings(max_examples=40)
@given(cases())
def test_uncovered_areas_are_those_nobody_reaches(case: Case) -> None:
    """The busiest stands first; what nobody expects anything of is left away."""
    areas, _, reach, _ = case
    found = uncovered(areas, reach, STANDARD_S)
    assert {each.id for each in found} == {
        a for a in range(len(areas)) if areas[a].demand > 0 and reach[:, a].min() > STANDARD_S
    }
    assert [each.demand for each in found] == sorted((each.demand for each in found), reverse=True)


def test_the_second_takes_the_place_of_the_first() -> None:
    """Only the first one reaches the bare area; the second keeps what the first leaves."""
    areas = [Area("n", "North", "北", 0, 0, 1.0), Area("s", "South", "南", 40, 0, 1.0)]
    workers = [Standby(1, "W1"), Standby(2, "W2")]
    reach = np.array([[5.0, 20.0], [20.0, 60.0]])
    between = np.array([[0.0, 20.0], [20.0, 0.0]])
    moves = move_ups(areas, workers, reach, between, standard_s=10, longest_s=25)
    assert [(each.worker, each.area, each.step) for each in moves] == [(1, "s", 0), (2, "n", 0)]
    assert "W1" in moves[1].why.en
    assert "北" in moves[1].why.zh
    assert not move_ups(areas, workers, reach, between, standard_s=10, longest_s=25, most=1)


def test_demand_is_of_the_hour_and_of_the_day() -> None:
    """An incident an hour about noon counts at noon, less at night; what lies in no area counts nowhere."""
    area, hour = np.array([0, 0, 0, 1, -1]), np.array([11, 12, 13, 0, 12])
    noon, night = (expected_demand(area, hour, 2, 1.0, h) for h in (12, 0))
    assert noon[0] == pytest.approx((3 / 24 + 1) / 2)
    assert night[0] == pytest.approx(3 / 48)
    assert night[1] > noon[1]


def test_what_does_not_fit_is_refused() -> None:
    """A matrix of the wrong shape, a standard of nothing, a history of nothing."""
    area = [Area(1, "A", "", 0, 0, 1.0)]
    with pytest.raises(InvalidInput, match="shape"):
        move_ups(area, [Standby(1, "W")], np.zeros((2, 1)), np.zeros((1, 1)))
    with pytest.raises(InvalidInput, match="standard"):
        uncovered(area, np.zeros((1, 1)), 0)
    with pytest.raises(InvalidInput, match="history"):
        expected_demand(np.zeros(1, np.int64), np.zeros(1, np.int64), 1, 0, 3)
    assert move_ups([], [], np.zeros((0, 0)), np.zeros((0, 0))) == ()

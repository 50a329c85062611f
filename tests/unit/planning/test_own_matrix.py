"""A matrix of the planner's own: its order, what is refused, and its ways in place of a road network."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from core.errors import InvalidInput
from geodata.travel import matrix_s, nearest_s
from geodata.travel_matrix import Matrix
from planning.own_matrix import Expected, OwnMatrix, fitted

ROWS = np.array([[0.0, 0.0], [0.1, 0.0], [0.2, 0.0]])
CANDIDATES = np.array([[0.05, 0.0], [0.15, 0.0]])
THERE = np.array([[0.2, 0.0]])
PLACES = Expected(ROWS, np.array([5.0, 7.0, 9.0]), CANDIDATES, THERE, "clinic", "census")
SECONDS = np.array([[60, 120, 300], [90, np.inf, 240], [30, 45, 0]], dtype=np.float32)


def given(seconds=SECONDS, rows=("a", "b", "c"), columns=("x", "y", "z")) -> Matrix:
    return Matrix(np.array(rows), np.array(columns), np.asarray(seconds, dtype=np.float32))


def test_rows_and_columns_go_by_their_order_or_by_the_names_of_the_lists() -> None:
    assert np.array_equal(fitted(given(), PLACES, "m.csv").od_s, SECONDS)
    turned = given(SECONDS[::-1, [2, 0, 1]], rows=("p3", "p2", "p1"), columns=("f1", "c1", "c2"))
    assert np.array_equal(fitted(turned, PLACES, "m.csv").od_s, SECONDS)


@pytest.mark.parametrize(
    ("matrix", "says"),
    [
        (given(SECONDS[:2], rows=("a", "b")), "2 rows and 3 columns; the question has 3 places of people and 3"),
        (given(rows=("p1", "p2", "p9")), "1 of 3 rows are missing: p3"),
        (given(columns=("c1", "f9", "f8")), "2 of 3 columns are missing: c2, f1"),
    ],
)
def test_what_does_not_fit_is_told_with_the_places(matrix, says) -> None:
    with pytest.raises(InvalidInput, match=says):
        fitted(matrix, PLACES, "m.csv")


def test_pairs_go_by_the_names_of_the_lists_alone() -> None:
    """Their order is that of the alphabet: "10" before "2"."""
    with pytest.raises(InvalidInput, match="rows do not have the names of the lists"):
        fitted(dataclasses.replace(given(), ordered=False), PLACES, "pairs.csv")
    named = given(rows=("p1", "p2", "p3"), columns=("c1", "c2", "f1"))
    assert np.array_equal(fitted(dataclasses.replace(named, ordered=False), PLACES, "pairs.csv").od_s, SECONDS)


def test_two_rows_at_one_place_have_the_same_ways_or_are_refused() -> None:
    twins = dataclasses.replace(PLACES, rows=ROWS[[0, 1, 1]])
    with pytest.raises(InvalidInput, match="1 rows lie at the place of another"):
        fitted(given(), twins, "m.csv")
    near = SECONDS[[0, 1, 1]] + np.array([[0], [0], [2]], np.float32)
    assert np.array_equal(fitted(given(near), twins, "m.csv").od_s, SECONDS[[0, 1, 1]])


def test_it_is_the_same_after_packing_and_its_hash_tells_any_change() -> None:
    made = fitted(given(), PLACES, "m.csv")
    again = OwnMatrix.unpacked(made.packed())
    assert again.sha256 == made.sha256
    assert (again.places.kind, again.places.demand) == ("clinic", "census")
    other = dataclasses.replace(made, od_s=made.od_s + np.float32(1))
    assert other.sha256 != made.sha256


def test_its_ways_stand_in_for_a_network_and_lead_nowhere_else() -> None:
    ways = fitted(given(), PLACES, "m.csv").ways("walk", 32630)
    rows = ways.snap(ROWS[[2, 0]])
    columns = ways.snap(np.vstack([THERE, CANDIDATES, [[9.0, 9.0]]]))
    found = matrix_s(ways, rows, columns)
    assert found[:, :3].tolist() == [[0.0, 30.0, 45.0], [300.0, 60.0, 120.0]]
    assert np.isinf(found[:, 3]).all()
    least, which = nearest_s(ways, rows, ways.snap(CANDIDATES))
    assert (least.tolist(), which.tolist()) == ([30.0, 60.0], [0, 0])
    assert nearest_s(ways, ways.snap(np.array([[9.0, 9.0]])), columns)[1].tolist() == [-1]

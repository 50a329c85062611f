"""Suitability: weights from comparisons, contradictions refused, scores by hand and for every input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InvalidInput
from planning.suitability import Criterion, ahp, best_cells, suitability, weigh

NAN = np.nan
SAATY = np.array([[1, 3, 7, 9], [1 / 3, 1, 3, 7], [1 / 7, 1 / 3, 1, 3], [1 / 9, 1 / 7, 1 / 3, 1]])


@settings(max_examples=40)
@given(shares=st.lists(st.floats(1, 2.9), min_size=1, max_size=9))
def test_comparisons_that_agree_give_their_weights_back(shares):
    wanted = np.array(shares) / sum(shares)
    found = ahp(wanted[:, None] / wanted[None, :])
    assert found.shares == pytest.approx(wanted)
    assert found.consistency_ratio == pytest.approx(0, abs=1e-9)


def test_the_principal_eigenvector_and_its_consistency():
    found = weigh(SAATY)
    power = np.ones(4)
    for _ in range(200):
        power = SAATY @ power
        power /= power.sum()
    assert found.shares == pytest.approx(power)
    largest = float((SAATY @ power / power).mean())
    assert found.consistency_ratio == pytest.approx((largest - 4) / 3 / 0.90)
    assert ahp(SAATY) == found


def test_contradictions_are_refused_with_the_worst_of_them():
    circle = np.array([[1, 5, 1 / 5], [1 / 5, 1, 5], [5, 1 / 5, 1]])
    with pytest.raises(InvalidInput, match=r"contradict each other .* against .* is 5; from"):
        ahp(circle, names=("road", "slope", "flood"))
    assert weigh(circle).consistency_ratio > 0.1


def test_scores_by_hand():
    values = {"road_m": np.array([0.0, 500, 1000, 2000, 250]), "slope": np.array([0.0, 0, 10, 0, NAN])}
    criteria = (Criterion("road_m", worst=1000, best=0, weight=3), Criterion("slope", worst=10, best=0))
    found = suitability(values, criteria, {"water": np.array([True, False, False, False, False])})
    assert found.score[1:4] == pytest.approx([0.625, 0.0, 0.25])
    assert np.isnan(found.score[[0, 4]]).all()
    assert found.unknown.tolist() == [False, False, False, False, True]
    assert found.forbidden["water"].sum() == 1
    assert best_cells(found, 9).tolist() == [1, 3, 2]
    assert found.parts[1] == pytest.approx([0.375, 0.25])


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: weigh(np.ones((2, 3))), "shape"),
        (lambda: weigh(np.full((2, 2), 10.0)), "outside 1/9"),
        (lambda: weigh(np.array([[1.0, 3], [3, 1]])), "mirror"),
        (lambda: Criterion("slope", 3, 3), "runs from 3 to 3"),
        (lambda: Criterion("slope", 3, 0, weight=0), "the weight 0"),
        (lambda: suitability({}, ()), "Criteria are needed"),
        (lambda: suitability({}, (Criterion("slope", 3, 0),)), "no values of 'slope'"),
        (
            lambda: suitability({"slope": np.ones(3)}, (Criterion("slope", 3, 0),), {"water": np.zeros(2, dtype=bool)}),
            "different cells",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(act, words):
    with pytest.raises(InvalidInput, match=words):
        act()

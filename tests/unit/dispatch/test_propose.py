"""Who is proposed and why not the others, out of what the plan says of each."""

from __future__ import annotations

import math

import pytest

from dispatch.explain import Choice, Explanation
from dispatch.plan_model import TERMS, Reason
from dispatch.propose import Candidate, ranking_of

LACKS = Reason("lacks", "Has no chainsaw.", "没有油锯。")
FARTHER = Reason("farther", "The way is 4 min longer.", "路程多 4 分钟。")


def choice(worker: str, cost_s: float, against: Reason | None = FARTHER) -> Choice:
    return Choice(worker, cost_s, dict.fromkeys(TERMS, 0.0) | {"travel": cost_s}, None, 0.0, 0.0, against)


@pytest.fixture
def ranking():
    ways = {"W1": 900.0, "W2": 60.0, "W3": 300.0, "W4": 30.0, "W5": math.inf, "W7": 10.0}
    candidates = {code: Candidate(int(code[1]), code, way) for code, way in ways.items()}
    told = Explanation(
        "N",
        choice("W1", 100.0, None),
        (choice("W3", 200.0), choice("W5", 250.0), choice("W2", 300.0), choice("W6", 400.0)),
        {"W4": LACKS, "W8": LACKS},
    )
    return ranking_of(told, candidates)


def test_the_order_is_that_of_the_plan_and_who_is_not_here_stands_nowhere(ranking):
    assert [each.candidate.code for each in ranking.all] == ["W1", "W3", "W5", "W2", "W4"]
    assert ranking.best is ranking.ranked[0]
    assert [ranking.place_of(one) for one in (1, 4)] == [1, 5]
    assert ranking.find(8) is None


def test_a_limit_is_the_reason_of_whom_the_plan_would_not_send(ranking):
    four = ranking.find(4)
    assert (four.cannot, four.against, four.term("travel")) == (LACKS, LACKS, 0.0)
    assert ranking.find(3).against == FARTHER
    assert ranking.best.against is None


def test_the_next_two_and_the_nearest_are_named(ranking):
    assert [each.candidate.code for each in ranking.behind(ranking.best)] == ["W3", "W5", "W2"]
    assert ranking.is_nearest(ranking.find(2))


def test_nobody_can_be_ranked():
    nobody = ranking_of(Explanation("N", None, (), {"W4": LACKS}), {"W4": Candidate(4, "W4", 30.0)})
    assert nobody.best is None
    assert [each.candidate.code for each in nobody.all] == ["W4"]

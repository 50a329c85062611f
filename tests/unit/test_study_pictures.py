"""Pictures of studies: the search as it ran, the fronts; and what a decision says of a study."""

from __future__ import annotations

import re

import numpy as np
import pytest

from app import study_fronts, study_trail
from planning.sifting import DRAWN, Sieve, within
from planning.terms import Terms
from planning.watching import Turned, enough, tell

POINT = {"y": 600.0, "bound": 590.0, "mean_s": 600.0, "farthest_s": 3000.0, "within": 10.0, "gini": 0.4}


def numbers(path: str) -> list[float]:
    return [float(each) for each in re.findall(r"-?\d+\.?\d*", path)]


def test_best_found_and_bound_meet_in_the_picture() -> None:
    trail = [(2.0, 80.0, 120.0), (3.0, 90.0, 110.0), (5.0, 100.0, 100.0)]
    drawn = study_trail.svg("mclp", 140.0, trail)
    bound, found = (numbers(path) for path in re.findall(r'path d="(M[^"]*V[^"]*)" fill="none"', drawn))
    assert bound[-1] == found[-1], "both end at the right edge"
    assert bound[-2] == pytest.approx(found[-2]), "and at the same height"
    assert found[0] == study_trail.LEFT, "from the first news on"
    legend = [float(at) for at in re.findall(r'y="([\d.]+)">(?:best found|nothing can be better)<', drawn)]
    assert len(legend) == 2
    assert max(legend) < study_trail.TOP, "no line can run through the legend"
    assert study_trail.words("mclp", 140.0, trail[:1]).endswith("at most 33.33 % is still open.")
    assert "still open" not in study_trail.words("mclp", 140.0, trail)


@pytest.mark.parametrize("kind", ["p-median", "p-center", "lscp", "p-dispersion", "fixed-charge", "huff"])
def test_every_kind_has_its_unit(kind: str) -> None:
    assert "<svg" in study_trail.svg(kind, 10.0, [(1.0, 5.0, 4.0)], seconds=3.0)
    assert study_trail.words(kind, 10.0, [(1.0, 5.0, 4.0)])


def test_labels_of_a_front_do_not_lie_on_each_other() -> None:
    points = [POINT | {"x": x, "places": [[0, 0]]} for x in (1000.0, 1001.0, 2000.0)]
    drawn = study_fronts.svg({"trade": "efficiency-equity", "priced": False, "people": 100.0, "points": points})
    assert drawn.count("<circle") == 3
    assert drawn.count("16.7 min") == 1


def test_a_place_is_counted_by_the_first_reason_and_only_some_are_drawn() -> None:
    sieve = Sieve()
    places = np.column_stack([np.arange(1000.0), np.zeros(1000)])
    left = sieve.keep(places, places[:, 0] >= 900, "water")
    left = sieve.keep(left, left[:, 0] < 950, "road")
    assert (len(left), sieve.counts) == (50, {"water": 900, "road": 50})
    assert (len(sieve.drawn["water"]), len(sieve.drawn["road"])) == (DRAWN, 50)
    assert not within(np.array([], dtype=object), places, 5.0).any()


def test_terms_of_streets_and_places_come_back_from_the_database() -> None:
    terms = Terms(source="buildings", least_m2=300.0, closed=((1.0, 2.0),), stay=((3.0, 4.0),), closable=True)
    assert Terms.of_json(terms.as_json()) == terms
    assert "source" not in Terms().as_json()


def test_who_watches_hears_the_number_of_the_question() -> None:
    class Ears:
        heard: tuple[float, float] = (0.0, 0.0)

        def step(self, name: str, total: int | None = None) -> None: ...
        def advance(self, items: int = 1) -> None: ...
        def tell(self, found: float, bound: float) -> None:
            self.heard = (found, bound)

        def enough(self) -> bool:
            return True

    ears = Ears()
    turned = Turned(ears, 100.0)
    tell(turned, 30.0, 10.0)
    assert ears.heard == (70.0, 90.0)
    assert enough(turned)


@pytest.mark.parametrize(
    ("kind", "trail", "levels"),
    [
        ("mclp", [(34.0, 85_937.0, 137_357.0), (38.0, 85_937.0, 90_000.0)],
         ["90,000", "100,000", "110,000", "120,000", "130,000", "140,000"]),
        ("p-center", [(1.0, 4000.0, 2000.0), (2.0, 3000.0, 3000.0)],
         ["35 min", "40 min", "45 min", "50 min", "55 min", "60 min", "65 min"]),
        ("lscp", [(0.0, 9.0, 9.0), (1.0, 9.0, 9.0)], ["9"]),
        ("mclp", [(0.0, 5.0, 5.0)], ["5"]),
    ],
)  # fmt: skip
def test_levels_are_round_and_seconds_stand_where_they_are(kind, trail, levels) -> None:
    drawn = study_trail.svg(kind, 140_000.0, trail)
    assert re.findall(r'<text x="88" [^>]*>([^<]*)<', drawn) == levels
    places = [float(at) for at in re.findall(rf'<text x="([-\d.]+)" y="{study_trail.HIGH - 10}"', drawn)]
    assert places[0] == study_trail.LEFT
    assert places[-1] == study_trail.WIDE - study_trail.RIGHT

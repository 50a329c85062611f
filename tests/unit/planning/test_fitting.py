"""Ground in cells, areas of a size, and the question where something fits with its reasons."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import shapely

from core.errors import InvalidInput
from planning.areas import best_areas, mean_bound, too_small
from planning.cells import Land, cells_of, step_for
from planning.fitting import USES, FitQuestion, fit, opening, reason, told
from planning.suitability import Criterion

NO_SHAPES = np.empty(0, dtype=object)


def shapes(*made):
    found = np.empty(len(made), dtype=object)
    found[:] = made
    return found


@pytest.fixture(scope="module")
def cells():
    """Ten by ten cells of 100 m: a lake in the west, a road along the south, people in the north-east."""
    land = Land(
        boundary=shapely.box(0, 0, 1000, 1000),
        covers={"water": shapes(shapely.box(0, 0, 200, 1000))},
        waterways=NO_SHAPES,
        roads=shapes(shapely.LineString([(0, 50), (1000, 50)])),
        road_classes=["primary"],
        drivable=np.array([True]),
        buildings=np.array([[950.0, 950.0]]),
        footprints_m2=np.array([5000.0]),
        homes=np.array([[950.0, 950.0]]),
        people=np.array([400.0]),
        facilities={"clinic": np.array([[50.0, 50.0]])},
        zones=shapes(shapely.box(300, 300, 400, 400)),
    )
    return cells_of(land, 100.0, same="clinic")


def at(cells, x, y):
    return int(cells.at(np.array([[x, y]]))[0])


def test_what_covers_a_cell_and_what_lies_near_is_as_drawn(cells) -> None:
    assert len(cells) == 100
    assert cells.share["water"][at(cells, 150, 500)] == 1
    assert cells.share["water"][at(cells, 250, 500)] == 0
    assert cells.share["road"][at(cells, 550, 50)] == pytest.approx(0.18)  # 18 m of 100
    assert cells.share["built"][at(cells, 950, 950)] == pytest.approx(0.5)
    assert cells.share["protected"][at(cells, 350, 350)] == 1
    assert cells.value["road"][at(cells, 550, 550)] == pytest.approx(500, abs=1)
    assert cells.value["same"][at(cells, 350, 450)] == pytest.approx(500, abs=1)
    assert cells.value["people"][at(cells, 850, 950)] == pytest.approx(400)
    assert cells.value["people"][at(cells, 50, 950)] == 0
    assert np.isnan(cells.value["transit"]).all()
    assert at(cells, -1, 5) == -1
    assert shapely.area(cells.outline(np.array([0, 1]))) == 20_000


def test_the_side_of_a_cell_follows_the_size_of_the_city() -> None:
    assert step_for(1e6) == 25
    assert step_for(1e6, 100) == 100
    assert step_for(400e6) == 100


def asked(**changed):
    usual = {
        "use": "clinic", "area_ha": 4.0, "limits": {"water": 0.05, "protected": 0.0, "too_small": 0.0},
        "criteria": (Criterion("people", 0, 400, 3), Criterion("road", 1000, 0, 1)), "count": 2,
    }  # fmt: skip
    return FitQuestion(**(usual | changed))


def test_the_best_areas_are_contiguous_allowed_and_below_the_bound(cells) -> None:
    made = fit(cells, asked())
    assert made.size == 4
    for area in made.areas:
        ground = cells.outline(area.cells)
        assert ground.geom_type == "Polygon"
        assert len(area.cells) == 4
        assert not np.isnan(made.found.score[area.cells]).any()
        assert area.score <= made.bound + 1e-12
    assert made.areas[0].score >= made.areas[1].score
    assert told(made, lonlat=np.zeros((len(made.areas), 2)))["forbidden"]["water"] == 20


def test_every_cell_has_its_reason(cells) -> None:
    made = fit(cells, asked())
    wet = reason(made, at(cells, 150, 500))
    assert wet.forbidden["water"] == (1.0, 0.05)
    assert math.isnan(wet.score)
    shut = reason(made, at(cells, 350, 350))
    assert set(shut.forbidden) == {"protected"}
    good = reason(made, int(made.areas[0].cells[0]))
    assert good.area == 1
    assert good.score == pytest.approx(sum(score * weight for _, score, weight in good.parts.values()))
    assert good.better_than > 0.5


def test_a_criterion_nobody_knows_is_told_and_does_not_count(cells) -> None:
    made = fit(cells, asked(criteria=(Criterion("transit", 800, 0, 3), Criterion("road", 1000, 0, 1))))
    assert made.without == ("transit",)
    with pytest.raises(InvalidInput, match="No criterion is known"):
        fit(cells, asked(criteria=(Criterion("transit", 800, 0, 3),)))


def test_ground_without_room_has_no_area_and_says_too_small(cells) -> None:
    made = fit(cells, asked(area_ha=90.0))
    assert made.areas == ()
    assert made.allowed == 0
    assert math.isnan(made.bound)
    assert math.isnan(reason(made, at(cells, 950, 150)).forbidden["too_small"][1])


@pytest.mark.parametrize("use", USES)
def test_every_use_opens_with_a_question_that_can_be_asked(use, cells) -> None:
    assert opening(use).use == use
    assert fit(cells, opening(use)).found.score.shape == (100,)


@pytest.mark.parametrize(
    "changed", [{"use": "palace"}, {"area_ha": 0.0}, {"count": 0}, {"limits": {"mud": 1.0}}, {"limits": {"water": 2.0}}]
)
def test_what_cannot_be_asked_is_refused(changed) -> None:
    with pytest.raises(InvalidInput):
        asked(**changed)


def test_small_ground_is_found() -> None:
    allowed = np.array([[1, 1, 0, 1], [0, 1, 0, 0]], dtype=bool)
    assert too_small(allowed, 3).tolist() == [[False, False, False, True], [False] * 4]


def test_areas_on_small_lattices_come_close_to_the_best_of_all() -> None:
    rng = np.random.default_rng(4)
    ratios = []
    for _ in range(30):
        score = rng.random((4, 4))
        score[rng.random((4, 4)) < 0.2] = np.nan
        found = best_areas(score, 3, 1)
        best = max(
            (
                np.mean(score.ravel()[list(each)])
                for each in itertools.combinations(range(16), 3)
                if joined(score, each)
            ),
            default=math.nan,
        )
        if not math.isnan(best):
            ratios.append(found[0].score / best)
            assert found[0].score <= best + 1e-12 <= mean_bound(score.ravel(), 3) + 1e-9
    assert np.mean(ratios) > 0.93


def joined(score, cells):
    if np.isnan(score.ravel()[list(cells)]).any():
        return False
    boxes = [shapely.box(at % 4, at // 4, at % 4 + 1, at // 4 + 1) for at in cells]
    return shapely.union_all(boxes).geom_type == "Polygon"

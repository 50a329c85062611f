"""Communities of a file: what is taken, what is mended, and every fault that is named."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Point, box

from core.errors import DataQuality, InvalidInput
from geodata.communities import check_communities
from geodata.crs import project
from geodata.vector_files import Shapes

SRID = 32632
WHOLE = MultiPolygon([box(10.0, 50.0, 10.02, 50.02)])
WEST, EAST = box(10.0, 50.0, 10.01, 50.02), box(10.01, 50.0, 10.02, 50.02)


def shapes(*areas, **columns) -> Shapes:
    return Shapes(np.array(areas, dtype=object), {title: list(values) for title, values in columns.items()})


def check(given: Shapes, **more):
    return check_communities(given, WHOLE, SRID, name="areas.geojson", **more)


def test_two_neighbours_are_taken_as_they_are():
    frame, made = check(shapes(WEST, EAST, NAME=("West", "East"), 社区代码=("001", "002")))
    assert list(frame["code"]) == ["001", "002"]
    assert list(frame["name"]) == ["West", "East"]
    assert (made.communities, made.cut, made.mended, made.free_share) == (2, 0, 0, 0.0)
    metric = project(frame["geom"].to_numpy(dtype=object), SRID)
    assert shapely.area(shapely.intersection(*metric)) < 1e-6


def test_without_codes_they_are_numbered():
    frame, _ = check(shapes(WEST, EAST, name=("West", "East")), code_digits=3)
    assert list(frame["code"]) == ["001", "002"]


def test_every_fault_is_named_at_once():
    given = shapes(
        box(10.0, 50.0, 10.012, 50.02), EAST, box(10.5, 50.0, 10.51, 50.01), Point(10.0, 50.0),
        name=("West", "East", "", "Dot"), code=("1", "1", "x y", "4"),
    )  # fmt: skip
    with pytest.raises(DataQuality) as found:
        check(given)
    told = "\n".join(found.value.violations)
    for part in (
        "row 3 has no name", "the code 1 stands 2 times (West, East)", "Dot is no polygon but a Point",
        "row 3: the code 'x y'", "row 3 lies outside the territory by 100.0%", "West and East share",
    ):  # fmt: skip
        assert part in told
    assert len(found.value.violations) == 6


def test_what_sticks_out_a_little_is_cut_and_told():
    frame, made = check(shapes(box(9.9999, 50.0, 10.01, 50.02), EAST, name=("West", "East")))
    assert frame["geom"].iloc[0].bounds[0] == pytest.approx(10.0, abs=1e-6)
    assert made.cut == 1


def test_a_sliver_that_two_share_goes_to_the_smaller():
    _, made = check(shapes(box(10.0, 50.0, 10.010001, 50.02), EAST, name=("West", "East")))
    assert made.mended == 1


def test_land_without_a_community_is_told():
    _, made = check(shapes(WEST, name=("West",)))
    assert made.free_share == pytest.approx(0.5, abs=0.001)


def test_a_file_without_names_says_what_it_has():
    with pytest.raises(InvalidInput, match="no column with the names") as found:
        check(shapes(WEST, id=("1",)))
    assert "it has: id" in found.value.hint


def test_codes_of_the_chinese_scheme_have_three_digits():
    with pytest.raises(DataQuality, match="must have 3 digits"):
        check(shapes(WEST, EAST, name=("West", "East"), code=("1", "002")), code_digits=3)

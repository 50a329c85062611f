"""Names on the maps of reports: upon no site and upon no other name, elsewhere beside their place, or not at all."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import shapely

from app.report_map import WIDE, Frame
from app.report_signs import around, named_places
from planning.reporting import Ground

FAR = Frame(0.0, 0.0, 10_000.0, 6_000.0)
NEAR = Frame(0.0, 0.0, 1_000.0, 600.0)


def ground(places: list[Any], streets: list[Any]) -> Ground:
    return Ground(4326, shapely.box(0, 0, 1, 1), [], streets, places, np.empty(0, dtype=object))


def names(svg: str) -> list[tuple[str, float, float]]:
    found = re.findall(r'<text x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)</text>', svg)
    return [(text, float(x), float(y)) for x, y, text in found[1::2]]


@pytest.mark.parametrize("sites", [[], [(500.0, 282.0)]])
def test_the_name_of_a_village_gives_way_to_a_site(sites: list[tuple[float, float]]) -> None:
    village = ground([("village", "Godshill", "", shapely.Point(5_000, 3_000))], [])
    ((text, _, y),) = names(named_places(village, FAR, 9, 1.0, taken=around(np.array(sites).reshape(-1, 2), 17.0)))
    assert text == "Godshill"
    assert (y < 300) == (not sites)
    everywhere = [(0.0, 0.0, WIDE, FAR.high)]
    ((_, _, anyway),) = names(named_places(village, FAR, 9, 1.0, avoided=everywhere))
    assert anyway < 300  # what is there already is avoided where there is room, and never hides a town


def test_the_name_of_a_street_moves_along_it_and_is_left_out_where_no_room_is() -> None:
    line = shapely.LineString([(0, 300), (1_000, 300)])
    street = ground([], [("residential", "Church Lane", "", line)])
    ((_, free, _),) = names(named_places(street, NEAR, 9, 1.0))
    middle = around(np.array([[500.0, 300.0]]), 17.0)
    ((_, moved, _),) = names(named_places(street, NEAR, 9, 1.0, taken=middle))
    assert free == pytest.approx(WIDE / 2)
    assert abs(moved - WIDE / 2) > 17
    assert named_places(street, NEAR, 9, 1.0, taken=[(0.0, 0.0, WIDE, NEAR.high)]) == ""
    corner = ground([], [("residential", "Corner Road", "", shapely.LineString([(-100, 500), (100, 700)]))])
    assert named_places(corner, NEAR, 9, 1.0) == ""

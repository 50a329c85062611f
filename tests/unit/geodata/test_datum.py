"""Shifted datums against published offsets, and coordinates as people write them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geodata.coordinates import LONGEST, read_coordinates
from geodata.crs import GEOD
from geodata.datum import EAST, NORTH, SOUTH, WEST, Datum, from_wgs84, to_wgs84

GUANGZHOU = (113.0, 22.9, 113.6, 23.4)
WIGHT = (-1.6, 50.5, -1.0, 50.8)
OFFSETS_M = [  # lon, lat, GCJ-02, BD-09
    (116.3913, 39.9075, 556.1, 1379.5),
    (121.4737, 31.2304, 481.7, 1141.1),
    (113.264, 23.129, 621.2, 1268.2),
    (114.0579, 22.5431, 606.0, 1243.2),
]


@pytest.mark.parametrize(("lon", "lat", "gcj_m", "bd_m"), OFFSETS_M)
def test_published_offsets(lon: float, lat: float, gcj_m: float, bd_m: float) -> None:
    for datum, wanted in ((Datum.GCJ02, gcj_m), (Datum.BD09, bd_m)):
        x, y = from_wgs84(np.array([lon]), np.array([lat]), datum)
        assert GEOD.inv(lon, lat, x[0], y[0])[2] == pytest.approx(wanted, abs=0.4)


@pytest.mark.parametrize("datum", list(Datum))
@given(seed=st.integers(0, 2**32 - 1))
def test_there_and_back_is_below_a_micrometre(datum: Datum, seed: int) -> None:
    random = np.random.default_rng(seed)
    # a shift of up to 0.02 degrees may lead over the rectangle's edge
    lon, lat = random.uniform(WEST + 0.03, EAST - 0.03, 200), random.uniform(SOUTH + 0.03, NORTH - 0.03, 200)
    back = to_wgs84(*from_wgs84(lon, lat, datum), datum)
    assert GEOD.inv(lon, lat, *back)[2].max() < 1e-6


def test_elsewhere_nothing_moves_and_nothing_known_stays_nothing() -> None:
    lon, lat = np.array([-1.3, 24.9, np.nan, 116.4]), np.array([50.7, 60.2, 10.0, np.nan])
    for datum in Datum:
        for moved in (from_wgs84(lon, lat, datum), to_wgs84(lon, lat, datum)):
            np.testing.assert_array_equal(moved[0][:2], lon[:2])
            assert np.isnan(moved[0][2])
            assert np.isnan(moved[1][3])


@pytest.mark.parametrize(
    "text",
    [
        "113.264, 23.129", "23.129 113.264", "２３．１２９，１１３．２６４", "北纬23.129 东经113.264",
        "(113.264;23.129)",
        "N23.129 E113.264", "23.129N113.264E", "东经113.264° 北纬23.129°", "113.264E/23.129N", "WGS-84 113.264 23.129",
        "23°7′44.4″N 113°15′50.4″E", "23°7'44.4\" 113°15'50.4\"", "北纬23度7分44.4秒，东经113度15分50.4秒",
    ],
)  # fmt: skip
def test_many_ways_to_write_one_place(text: str) -> None:
    first = read_coordinates(text, GUANGZHOU)[0]
    assert (first.lon, first.lat, first.datum) == (pytest.approx(113.264), pytest.approx(23.129), Datum.WGS84)


def test_without_a_named_datum_all_three_are_offered_where_they_differ() -> None:
    assert [place.datum for place in read_coordinates("113.264,23.129", GUANGZHOU)] == list(Datum)
    assert [place.datum for place in read_coordinates("-1.3,50.7", WIGHT)] == [Datum.WGS84]


@pytest.mark.parametrize(("word", "datum"), [("gcj-02", Datum.GCJ02), ("高德", Datum.GCJ02), ("百度：", Datum.BD09)])
def test_a_named_datum_holds(word: str, datum: Datum) -> None:
    x, y = from_wgs84(np.array([113.264]), np.array([23.129]), datum)
    (place,) = read_coordinates(f"{word} {x[0]:.7f}, {y[0]:.7f}", GUANGZHOU)
    assert (place.lon, place.lat, place.datum) == (pytest.approx(113.264), pytest.approx(23.129), datum)


def test_the_order_that_falls_into_the_territory_comes_first() -> None:
    for text in ("50.7 -1.3", "-1.3 50.7"):
        assert read_coordinates(text, WIGHT)[0].lat == pytest.approx(50.7)
    assert read_coordinates("10.5, 20.5", WIGHT)[0].lon == 10.5


@pytest.mark.parametrize(
    "text",
    [
        "", "12.5", "2026 1234", "High Street 12", "113.264, 95.2", "113.264,23.129,5", "1e5,2", "23°61'N 113°E",
        "N23.1 N24.1", "1.5 2.5" + " " * LONGEST + "3", "IOW-2026-004417-N", "nan, 1.0", "113.264.1 23.1",
    ],
)  # fmt: skip
def test_what_is_no_pair_of_coordinates(text: str) -> None:
    assert read_coordinates(text, GUANGZHOU) == []


@given(st.text(max_size=LONGEST + 5))
@example("百度")
@example("°°°°'")
def test_any_text_is_read_or_left(text: str) -> None:
    for place in read_coordinates(text, GUANGZHOU):
        assert abs(place.lon) <= 180.1
        assert abs(place.lat) <= 90.1

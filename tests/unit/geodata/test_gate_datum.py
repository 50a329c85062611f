"""GCJ-02 and BD-09 are proposed by how near the places of a file then lie to the streets; else nothing is."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from geodata import datum
from geodata.datum import Datum
from geodata.exchange_place import ENOUGH, Ground, guess_datum

LON, LAT = np.arange(114.30, 114.36, 0.006), np.arange(30.50, 30.56, 0.006)
"""Streets about 600 m apart: as far as GCJ-02 is shifted there, so that chance does not tell."""
STREETS = np.array(
    [shapely.LineString([(x, LAT[0]), (x, LAT[-1])]) for x in LON]
    + [shapely.LineString([(LON[0], y), (LON[-1], y)]) for y in LAT],
    dtype=object,
)
GROUND = Ground("Wuhan", shapely.box(114.30, 30.50, 114.36, 30.56), 4547, "Asia/Shanghai", STREETS)


def beside_streets(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Places within a few metres of a street, as lamps stand."""
    random = np.random.default_rng(7)
    along, across = random.uniform(0, 0.05, count), random.normal(0, 3e-5, count)
    up = random.random(count) < 0.5
    lon = np.where(up, random.choice(LON, count) + across, LON[0] + along)
    lat = np.where(up, LAT[0] + along, random.choice(LAT, count) + across)
    return lon, lat


@pytest.mark.parametrize("written", list(Datum))
def test_the_datum_is_proposed_by_the_distance_to_the_streets(written: Datum) -> None:
    found, guess = guess_datum(*datum.from_wgs84(*beside_streets(200), written), GROUND)
    assert found is written
    assert guess is not None
    assert guess.value == written.value
    assert all(each.value in guess.reason for each in Datum)


def test_without_ground_to_tell_by_nothing_is_proposed() -> None:
    shifted = datum.from_wgs84(*beside_streets(200), Datum.GCJ02)
    few = tuple(each[: ENOUGH - 1] for each in shifted)
    bare = Ground("Wuhan", GROUND.boundary, 4547, "Asia/Shanghai", np.empty(0, dtype=object))
    for places, ground in ((few, GROUND), (shifted, bare), ((np.full(99, -1.3), np.full(99, 50.7)), GROUND)):
        assert guess_datum(*places, ground) == (Datum.WGS84, None)
    random = np.random.default_rng(3)
    anywhere = random.uniform(114.3, 114.35, 300), random.uniform(30.5, 30.55, 300)
    assert guess_datum(*anywhere, GROUND)[0] is Datum.WGS84

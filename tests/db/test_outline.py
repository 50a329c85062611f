"""A territory before it has a boundary, and the boundary it is given."""

from __future__ import annotations

from pathlib import Path

import pytest
from shapely import box
from sqlalchemy.orm import Session

from core.errors import Conflict, InvalidInput
from core.identity import system_actor
from geodata.outline import boundary_from_file, give_boundary, make_blank_territory, map_from_file
from geodata.territory import communities, list_territories
from grids.service import make_grid
from tests import osm_city

SYSTEM = system_actor(label="test")


def blank(session: Session):
    return make_blank_territory(session, SYSTEM, "new-town", title_en="New Town", title_zh="新城")


def test_a_territory_without_a_boundary_stands_in_the_list(session):
    made = blank(session)
    assert made.is_blank
    assert made in list_territories(session)
    assert len(communities(session, made.id)) == 0
    with pytest.raises(Conflict, match="exists already"):
        blank(session)
    with pytest.raises(InvalidInput, match="cannot be called"):
        make_blank_territory(session, SYSTEM, "New Town", title_en="New Town")


def test_a_boundary_brings_zone_metres_and_one_community(session):
    made = give_boundary(session, SYSTEM, blank(session), box(10.0, 50.0, 10.02, 50.02), where="The box")
    assert not made.is_blank
    assert (made.metric_srid, made.timezone) == (32632, "Europe/Berlin")
    assert made.bounds == pytest.approx((10.0, 50.0, 10.02, 50.02))
    assert list(communities(session, made.id)["name"]) == ["New Town"]


def test_another_boundary_is_taken_until_there_are_grids(session):
    made = give_boundary(session, SYSTEM, blank(session), box(10.0, 50.0, 10.02, 50.02), where="x")
    made = give_boundary(session, SYSTEM, made, box(-1.3, 50.6, -1.29, 50.61), where="x")
    assert made.timezone == "Europe/London"
    make_grid(session, SYSTEM, made, kind="square", size_m=500)
    with pytest.raises(Conflict, match="cut into unit grids already"):
        give_boundary(session, SYSTEM, made, box(10.0, 50.0, 10.02, 50.02), where="x")


def test_an_extract_fills_a_blank_territory(session, tmp_path: Path):
    made = blank(session)
    counts = map_from_file(session, SYSTEM, made, osm_city.write(tmp_path / "city.osm"))
    assert counts.roads == osm_city.STRETCHES
    (there,) = list_territories(session)
    assert not there.is_blank
    assert set(communities(session, there.id)["name"]) == {"West End", "East End"}
    again = map_from_file(session, SYSTEM, there, tmp_path / "city.osm")
    assert again.unchanged


def test_a_file_without_a_crs_gives_no_boundary(session, tmp_path: Path):
    import geopandas as gpd

    path = tmp_path / "outline.shp"
    gpd.GeoDataFrame({"n": [1]}, geometry=[box(500_000, 5_500_000, 501_000, 5_501_000)]).to_file(path)
    with pytest.raises(InvalidInput, match="coordinate reference system"):
        boundary_from_file(session, SYSTEM, blank(session), path)


def test_a_boundary_file_is_kept_as_a_load(session, tmp_path: Path):
    import geopandas as gpd

    path = tmp_path / "outline.geojson"
    gpd.GeoDataFrame({"n": [1]}, geometry=[box(10.0, 50.0, 10.02, 50.02)], crs=4326).to_file(path)
    assert not boundary_from_file(session, SYSTEM, blank(session), path).is_blank

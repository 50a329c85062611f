"""Communities of a file in the database: grids can be cut in them, and nothing half stands after a fault."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pytest
from shapely import Polygon, box

from core.errors import Conflict, DataQuality, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata.communities import communities_from_file
from geodata.outline import give_boundary, make_blank_territory
from geodata.territory import boundary_of, communities
from grids.service import make_grid

SYSTEM = system_actor(label="test")
# In metres, with corners of one on the side of the other, as files have them.
WEST = Polygon(
    [(500_000, 5_540_000), (501_000, 5_540_000), (501_013, 5_541_000), (501_000, 5_542_000), (500_000, 5_542_000)]
)
NORTH = Polygon([(501_013, 5_541_000), (503_000, 5_541_007), (503_000, 5_542_000), (501_000, 5_542_000)])
SOUTH = Polygon([(501_000, 5_540_000), (503_000, 5_540_000), (503_000, 5_541_007), (501_013, 5_541_000)])


@pytest.fixture
def home(session):
    made = make_blank_territory(session, SYSTEM, "new-town", title_en="New Town")
    outline = gpd.GeoSeries([box(500_000, 5_540_000, 503_000, 5_542_000)], crs=32632).to_crs(4326).iloc[0]
    return give_boundary(session, SYSTEM, made, outline, where="x")


def write(folder: Path, shapes, **columns) -> Path:
    path = folder / "areas.gpkg"
    gpd.GeoDataFrame(columns, geometry=shapes, crs=32632).to_file(path)
    return path


def test_grids_are_cut_in_the_communities_of_a_file(session, home, tmp_path):
    path = write(tmp_path, [WEST, NORTH, SOUTH], name=["West", "North", "South"], code=["A1", "B1", "B2"])
    made = communities_from_file(session, SYSTEM, home, path)
    assert (made.communities, made.free_share) == (3, 0.0)
    assert made.area_km2 == pytest.approx(6.0, abs=0.01)
    assert list(communities(session, home.id)["code"]) == ["A1", "B1", "B2"]
    grid = make_grid(session, SYSTEM, home, kind="square", size_m=100)
    assert grid.cells > 600
    assert grid.area_m2 == pytest.approx(grid.boundary_area_m2, rel=1e-6)
    with pytest.raises(Conflict, match="cut into unit grids already"):
        communities_from_file(session, SYSTEM, home, path)


def test_another_file_takes_the_place_of_the_first(session, home, tmp_path):
    communities_from_file(session, SYSTEM, home, write(tmp_path, [WEST, NORTH], name=["West", "North"]))
    other = tmp_path / "other"
    other.mkdir()
    made = communities_from_file(session, SYSTEM, home, write(other, [SOUTH], name=["South"]))
    assert made.free_share > 0.5
    assert list(communities(session, home.id)["name"]) == ["South"]
    assert boundary_of(session, home.id).area > sum(each.area for each in communities(session, home.id).geometry) * 1.5


def test_a_file_with_faults_changes_nothing(session, home, tmp_path):
    wide = box(500_000, 5_540_000, 502_500, 5_542_000)
    with pytest.raises(DataQuality) as found:
        communities_from_file(session, SYSTEM, home, write(tmp_path, [wide, NORTH], name=["Wide", "North"]))
    assert "Wide and North share" in found.value.violations[0]
    assert list(communities(session, home.id)["name"]) == ["New Town"]


def test_who_may_not_load_data_changes_nothing(session, home, tmp_path):
    planner = Actor(None, "planner", Role.PLANNER, home.id)
    with pytest.raises(NotPermitted):
        communities_from_file(session, planner, home, write(tmp_path, [WEST], name=["West"]))

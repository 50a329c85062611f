from __future__ import annotations

import gzip

import numpy as np
import pytest
import shapely

from core.errors import InvalidInput
from geodata.crs import GEOD
from geodata.osm import read_osm
from geodata.osm_people import with_people
from geodata.osm_territory import clip, communities_of, find_boundary
from tests import osm_city

FORMATS = ["city.osm", "city.osm.gz", "city.osm.bz2", "city.osm.pbf"]


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return read_osm(osm_city.write(tmp_path_factory.mktemp("osm") / "city.osm.pbf"))


def stretch(content, ref, piece=0):
    rows = content.roads[(content.roads["source_ref"] == ref) & (content.roads["piece"] == piece)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize("name", FORMATS)
def test_all_formats_say_the_same(tmp_path, content, name):
    other = read_osm(osm_city.write(tmp_path / name))
    for kind in ("roads", "facilities", "buildings", "cover", "areas", "places"):
        mine, its = getattr(content, kind), getattr(other, kind)
        assert sorted(mine["source_ref"]) == sorted(its["source_ref"])
    assert other.dropped == content.dropped


def test_roads_are_cut_at_junctions(content):
    assert len(content.roads) == osm_city.STRETCHES + 1  # and the road beyond
    first, second = stretch(content, "w100"), stretch(content, "w100", 1)
    assert (first["from_node"], first["to_node"]) == (1, 2)
    assert (second["from_node"], second["to_node"]) == (2, 3)
    assert first["length_m"] == pytest.approx(GEOD.inv(10, 50, 10.002, 50)[2])
    assert first["name"] == "Low Street"
    assert first["name_zh"] == "下街"
    assert first["limit_kmh"] == first["speed_kmh"] == 48.28


def test_direction_of_stretches(content):
    assert stretch(content, "w101")["oneway"] == -1
    assert stretch(content, "w112")["oneway"] == 0
    around = stretch(content, "w120")
    assert around["oneway"] == 1
    assert around["from_node"] == around["to_node"] == 9
    assert shapely.get_num_points(around["geom"]) == 5


def test_access_bridges_and_speeds(content):
    assert not stretch(content, "w110")["drivable"]
    assert not stretch(content, "w130")["drivable"]
    assert stretch(content, "w130")["walkable"]
    assert stretch(content, "w102")["bridge"]
    assert not stretch(content, "w111")["tunnel"]
    assert stretch(content, "w111")["speed_kmh"] == 7


def test_what_is_no_road_is_left_out(content):
    assert not set(content.roads["source_ref"]) & {"w142", "w143", "w144"}
    assert content.dropped["incomplete_roads"] == 1


def test_way_cut_off_at_the_edge_of_an_extract_keeps_its_runs(tmp_path):
    elements = [e for e in osm_city.city() if e["id"] != 2]
    content = read_osm(osm_city.write(tmp_path / "cut.osm", elements))
    assert content.dropped["cut_roads"] == 1  # w111 lost its end; w100 has no two neighbours left
    assert (content.roads["source_ref"] == "w111").sum() == 1


def test_areas_and_their_repair(content):
    assert set(content.buildings["source_ref"]) == {"w200", "w201", "w202", "w232", "r300"}
    assert content.repaired == 1
    assert shapely.is_valid(content.buildings["geom"].to_numpy(dtype=object)).all()
    holed = content.buildings.set_index("source_ref").loc["r300", "geom"]
    assert len(holed.geoms[0].interiors) == 1
    assert content.dropped["incomplete_land_cover"] == 1
    assert set(content.cover["kind"]) == {"water", "waterway"}


def test_facilities_and_places(content):
    kinds = content.facilities.set_index("source_ref")["kind"].to_dict()
    assert kinds == {"w220": "school", "n50": "school", "n51": "pharmacy", "n52": "bus_stop", "n53": "shop"}
    assert content.facilities.set_index("source_ref").loc["w220", "capacity"] == 240
    assert content.places.iloc[0][["name", "people"]].tolist() == ["Smalltown", 1200]


def test_the_territory_is_found_and_what_is_outside_dropped(content):
    found = find_boundary(content)
    assert found.name == "Smalltown"
    inside = clip(content, found.geometry)
    assert len(inside.roads) == osm_city.STRETCHES
    # The road that leaves the city stays whole.
    assert stretch(inside, "w140")["to_node"] == 24
    assert set(inside.buildings["source_ref"]) == {"w200", "w201", "w202", "r300"}
    assert set(inside.facilities["source_ref"]) == {"w220", "n51", "n52"}
    assert inside.dropped["outside_roads"] == 1
    assert inside.dropped["outside_buildings"] == 1
    assert inside.dropped["outside_facilities"] == 1
    assert inside.dropped["duplicate_facilities"] == 1


def test_a_box_cuts_the_boundary(content):
    box = shapely.box(osm_city.WEST, 49.9, osm_city.MIDDLE, 50.1)
    found = find_boundary(content, box)
    assert found.geometry.bounds == pytest.approx((osm_city.WEST, osm_city.SOUTH, osm_city.MIDDLE, osm_city.NORTH))


def test_without_boundaries_the_hull_of_the_roads(tmp_path):
    content = read_osm(osm_city.write(tmp_path / "bare.osm", osm_city.without_boundaries()))
    found = find_boundary(content)
    assert "hull" in found.how
    assert shapely.covers(found.geometry, content.roads["geom"].to_numpy(dtype=object)).mean() > 0.8


def test_communities_fill_the_territory(content):
    boundary = find_boundary(content).geometry
    made = communities_of(content.areas, content.places, boundary, 32632)
    assert made["name"].tolist() == ["West End", "East End"]
    assert sum(shape.area for shape in made["geom"]) == pytest.approx(boundary.area, rel=1e-9)


def test_land_in_no_community_is_kept(content):
    boundary = find_boundary(content).geometry
    west = content.areas[content.areas["name"] != "East End"]
    made = communities_of(west, content.places, boundary, 32632, level=10)
    assert made["source_ref"].tolist() == ["r311", "rest1"]
    assert sum(shape.area for shape in made["geom"]) == pytest.approx(boundary.area, rel=1e-9)


def test_an_unknown_level_is_refused(content):
    with pytest.raises(InvalidInput, match="level 9") as caught:
        communities_of(content.areas, content.places, find_boundary(content).geometry, 32632, level=9)
    assert "8 (1), 10 (2)" in caught.value.hint


def test_people_of_buildings(content):
    filled = with_people(content.buildings, content.sites, 32632, 1000).set_index("source_ref")
    assert filled["people"].sum() == pytest.approx(1000)
    assert filled.loc["w201", "levels"] == 3
    assert filled.loc["r300", "use"] == "commercial"
    assert filled.loc["w200", "footprint_m2"] == pytest.approx(14.3 * 11.1, rel=0.02)
    assert np.all(filled["people"] >= 0)


def broken(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_bad_files_are_refused_in_words(tmp_path):
    good = osm_city.write(tmp_path / "good.osm.pbf").read_bytes()
    text = osm_city.as_xml(osm_city.city()).encode()
    cases = {
        "cut.osm.pbf": good[: len(good) // 2],
        "tail.osm": text[:-40],
        "noise.osm.pbf": b"this is not a PBF file at all, not by a long way",
        "page.osm": b"<html><body>503</body></html>",
        "cut.osm.gz": gzip.compress(text)[:-300],
        "zero.osm.pbf": b"",
        "table.csv": b"a,b\n1,2\n",
        "bad-ref.osm": b'<osm version="0.6"><way id="1"><nd ref="x"/></way></osm>',
        "empty.osm": b'<osm version="0.6"></osm>',
    }
    for name, data in cases.items():
        with pytest.raises(InvalidInput) as caught:
            read_osm(broken(tmp_path, name, data))
        assert name in caught.value.message
        assert str(tmp_path) not in caught.value.message
        assert caught.value.hint


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InvalidInput, match="no file"):
        read_osm(tmp_path / "nowhere.osm")


@pytest.mark.parametrize("population", ["9" * 900, "99999999999", "²", "-4", "many", ""])
def test_a_population_that_is_none_is_left_out(tmp_path, population):
    path = tmp_path / "city.osm"
    tags = f'<tag k="place" v="town"/><tag k="name" v="A"/><tag k="population" v="{population}"/>'
    place = f'<node id="1" lat="1" lon="1">{tags}</node>'
    shop = '<node id="2" lat="1" lon="1"><tag k="amenity" v="school"/></node>'
    path.write_text(f'<osm version="0.6">{place}{shop}</osm>')
    assert read_osm(path).places["people"].tolist() == [None]


@pytest.mark.parametrize("lat", ["nan", "x", "91"])
def test_a_coordinate_that_is_none_is_no_trace(tmp_path, lat):
    path = tmp_path / "city.osm"
    node = f'<node id="1" lat="{lat}" lon="1"><tag k="amenity" v="school"/></node>'
    path.write_text(f'<osm version="0.6">{node}</osm>')
    with pytest.raises(InvalidInput):
        read_osm(path)


def test_an_impossible_level_of_a_boundary_is_no_boundary(tmp_path):
    path = tmp_path / "city.osm"
    corners = "".join(
        f'<node id="{at}" lat="{lat}" lon="{lon}"/>' for at, (lat, lon) in enumerate([(1, 1), (1, 2), (2, 2)], 1)
    )
    tags = '<tag k="boundary" v="administrative"/><tag k="name" v="A"/><tag k="admin_level" v="99999999999"/>'
    way = f'<way id="9"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/>{tags}</way>'
    school = '<node id="4" lat="1" lon="1"><tag k="amenity" v="school"/></node>'
    path.write_text(f'<osm version="0.6">{corners}{school}{way}</osm>')
    assert len(read_osm(path).areas) == 0

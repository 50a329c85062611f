from __future__ import annotations

import numpy as np
import pytest

from geodata import osm_landuse as landuse
from geodata import osm_roadtags as roadtags
from geodata.osm import FACILITY_KINDS
from geodata.osm_facilities import facility_attributes, facility_capacity, facility_kind


@pytest.mark.parametrize(
    ("text", "kmh"),
    [
        ("50", 50),
        ("30 mph", 48.28),
        ("30mph", 48.28),
        ("60 km/h", 60),
        ("7.5", 7.5),
        ("walk", 7),
        ("DE:urban", 50),
        ("DE:rural", 100),
        ("RU:urban", 60),
        ("RO:urban", 50),
        ("DE:30", 30),
        ("DE:zone:30", 30),
        ("GB:nsl_single", 96.56),
        ("GB:zone:20", 32.19),
        ("50;30", 30),
        ("none", None),
        ("signals", None),
        ("variable", None),
        ("fast", None),
        ("0", None),
        ("500", None),
        ("", None),
    ],
)
def test_speed_texts(text, kmh):
    assert roadtags.parse_speed_kmh(text) == kmh


def test_limit_comes_from_the_best_tag():
    assert roadtags.limit_kmh({"maxspeed": "signals", "maxspeed:type": "GB:nsl_dual"}) == 112.65
    assert roadtags.limit_kmh({"maxspeed:forward": "50", "maxspeed:backward": "30"}) == 30
    assert roadtags.limit_kmh({}) is None


def test_speed_is_the_limit_or_the_default_of_the_class():
    assert roadtags.speed_kmh("residential", None, {}) == 30
    assert roadtags.speed_kmh("residential", 20, {}) == 20
    assert roadtags.speed_kmh("motorway", None, {"maxspeed": "none"}) == roadtags.UNLIMITED_KMH
    assert roadtags.speed_kmh("steps", 50, {}) == 3


@pytest.mark.parametrize(
    ("road_class", "tags", "direction"),
    [
        ("residential", {}, 0),
        ("residential", {"oneway": "yes"}, 1),
        ("residential", {"oneway": "1"}, 1),
        ("residential", {"oneway": "-1"}, -1),
        ("residential", {"oneway": "reverse"}, -1),
        ("residential", {"oneway": "reversible"}, 0),
        ("residential", {"junction": "roundabout"}, 1),
        ("residential", {"junction": "roundabout", "oneway": "no"}, 0),
        ("motorway", {}, 1),
        ("motorway", {"oneway": "no"}, 0),
        ("motorway_link", {}, 0),
    ],
)
def test_direction(road_class, tags, direction):
    assert roadtags.oneway(road_class, tags) == direction


@pytest.mark.parametrize(
    ("road_class", "tags", "drives", "walks"),
    [
        ("residential", {}, True, True),
        ("motorway", {}, True, False),
        ("trunk", {"motorroad": "yes"}, True, False),
        ("footway", {}, False, True),
        ("steps", {"foot": "no"}, False, False),
        ("service", {"access": "private"}, False, False),
        ("service", {"access": "private", "foot": "yes"}, False, True),
        ("service", {"access": "no", "motor_vehicle": "yes"}, True, False),
        ("residential", {"access": "destination"}, True, True),
        ("residential", {"vehicle": "no"}, False, True),
        ("pedestrian", {"motor_vehicle": "yes"}, True, True),
        ("footway", {"motor_vehicle": "yes"}, False, True),
        ("track", {}, False, True),
        ("track", {"tracktype": "grade1"}, True, True),
        ("primary", {"foot": "use_sidepath"}, True, False),
    ],
)
def test_who_may_use_a_road(road_class, tags, drives, walks):
    assert roadtags.drivable(road_class, tags) is drives
    assert roadtags.walkable(road_class, tags) is walks


def test_what_is_no_road():
    assert roadtags.road_class_of({"highway": "proposed"}) is None
    assert roadtags.road_class_of({"highway": "pedestrian", "area": "yes"}) is None
    assert roadtags.road_class_of({"highway": "path"}) == "path"
    assert roadtags.road_class_of({}) is None


@pytest.mark.parametrize(
    ("tags", "kind"),
    [
        ({"amenity": "school"}, "school"),
        ({"amenity": "kindergarten"}, "kindergarten"),
        ({"amenity": "doctors"}, "clinic"),
        ({"amenity": "clinic", "healthcare": "hospital"}, "hospital"),
        ({"healthcare": "physiotherapist"}, "clinic"),
        ({"healthcare": "pharmacy"}, "pharmacy"),
        ({"amenity": "pharmacy", "shop": "chemist"}, "pharmacy"),
        ({"leisure": "pitch"}, "sports"),
        ({"leisure": "park"}, "park"),
        ({"leisure": "garden"}, None),
        ({"leisure": "garden", "name": "Botanic Garden"}, "park"),
        ({"leisure": "garden", "name": "Mine", "access": "private"}, None),
        ({"amenity": "parking"}, "parking"),
        ({"amenity": "parking", "access": "private"}, None),
        ({"shop": "supermarket;bakery"}, "shop"),
        ({"shop": "vacant"}, None),
        ({"shop": "no"}, None),
        ({"highway": "bus_stop"}, "bus_stop"),
        ({"railway": "tram_stop"}, "railway_station"),
        ({"amenity": "bench"}, None),
        ({}, None),
    ],
)
def test_kinds_of_facility(tags, kind):
    assert facility_kind(tags) == kind


def test_every_kind_has_both_labels_and_can_be_found():
    for name, kind in FACILITY_KINDS.items():
        assert kind.label_en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in kind.label_zh)
        key, value = kind.tags[0]
        assert facility_kind({key: "anything" if value == "*" else value, "name": "N"}) == name


def test_facility_facts():
    assert facility_capacity({"capacity": "240"}) == 240
    assert facility_capacity({"beds": "12"}) == 12
    assert facility_capacity({"capacity": "many"}) is None
    kept = facility_attributes(
        "school", {"amenity": "school", "operator": "Town", "contact:email": "a@b.c", "phone": "1"}
    )
    assert kept == {"type": "school", "operator": "Town"}


@pytest.mark.parametrize(
    ("tags", "use"),
    [
        ({"building": "house"}, "residential"),
        ({"building": "yes"}, None),
        ({"building": "yes", "shop": "bakery"}, "commercial"),
        ({"building": "apartments", "shop": "bakery"}, "residential"),
        ({"building": "yes", "amenity": "school"}, "public"),
        ({"building": "yes", "amenity": "pub"}, "commercial"),
        ({"building": "church"}, "public"),
        ({"building": "barn"}, "farm"),
        ({"building": "farm"}, "residential"),
        ({"building": "garage"}, "other"),
        ({"building": "yes", "power": "substation"}, "industrial"),
    ],
)
def test_use_of_buildings(tags, use):
    assert landuse.building_use(tags) == use


def test_levels():
    assert landuse.building_levels({"building": "yes", "building:levels": "3"}) == 3
    assert landuse.building_levels({"building": "yes", "building:levels": "2;3"}) == 2
    assert landuse.building_levels({"building": "yes", "building:levels": "-1"}) is None
    assert landuse.building_levels({"building": "yes", "height": "16 m"}) == 5
    assert landuse.building_levels({"building": "bungalow"}) == 1
    assert landuse.building_levels({"building": "yes"}) is None


def test_people_follow_floor_area_and_the_total():
    use = np.array(["residential", "residential", "industrial"], dtype=object)
    levels, footprint = np.array([1.0, 3.0, 1.0]), np.array([100.0, 100.0, 5000.0])
    people = landuse.people_of(use, levels, footprint, 400)
    assert people.tolist() == [100, 300, 0]
    assert landuse.people_of(use, levels, footprint, None)[1] == pytest.approx(300 / landuse.FLOOR_AREA_PER_PERSON_M2)


def test_land_cover():
    assert landuse.land_cover_kind({"natural": "water"}) == "water"
    assert landuse.land_cover_kind({"landuse": "forest"}) == "wood"
    assert landuse.land_cover_kind({"leisure": "park"}) == "green"
    assert landuse.land_cover_kind({"natural": "beach"}) == "sand"
    assert landuse.land_cover_kind({"landuse": "retail"}) is None

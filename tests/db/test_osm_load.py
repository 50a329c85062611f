from __future__ import annotations

import pytest
import shapely
from sqlalchemy import func, select, text, update

from core.errors import InvalidInput
from core.identity import system_actor
from geodata.osm import ATTRIBUTION, load_osm, load_osm_as_territory
from geodata.tables import Building, Facility, LandCover, Load, PlaceName, Railway, Road, Territory
from geodata.territory import boundary_of, communities, find_territory, make_territory
from tests import osm_city

SYSTEM = system_actor()


@pytest.fixture
def extract(tmp_path):
    return osm_city.write(tmp_path / "smalltown.osm.pbf")


def rows(session, table, territory):
    return session.scalar(select(func.count()).select_from(table).where(table.territory_id == territory.id))


def counted(session, territory):
    return {
        table.__tablename__: rows(session, table, territory)
        for table in (Road, Facility, Building, LandCover, PlaceName)
    }


def test_an_extract_becomes_a_territory(session, extract):
    territory, counts = load_osm_as_territory(session, SYSTEM, "smalltown", extract, people_total=1200)
    assert counts.territory == "smalltown"
    assert counts.roads == osm_city.STRETCHES
    assert counts.facilities == 3
    assert counts.buildings == 4
    assert counts.boundaries == 3
    assert counts.communities == 2
    assert counts.railways == rows(session, Railway, territory) == 1
    assert counts.repaired == 1
    assert counts.dropped["outside_roads"] == 1
    assert counts.hints == ()
    assert counted(session, territory) == {"road": 15, "facility": 3, "building": 4, "land_cover": 2, "place_name": 1}
    assert territory.title_en == "Smalltown"
    assert territory.attribution == ATTRIBUTION
    assert "1,200" in territory.people_note
    assert territory.opens[:2] == pytest.approx((10.001, 50.001))
    areas = communities(session, territory.id)
    assert areas["name"].tolist() == ["West End", "East End"]
    assert areas["code"].tolist() == ["001", "002"]
    assert areas["settlement"].tolist() == ["town", "town"]
    whole = boundary_of(session, territory.id)
    assert areas.to_crs(32632).area.sum() == pytest.approx(
        session.scalar(
            select(func.ST_Area(func.ST_Transform(Territory.boundary, 32632))).where(Territory.id == territory.id)
        ),
        rel=1e-9,
    )
    assert whole.is_valid
    people = session.scalar(select(func.sum(Building.people)).where(Building.territory_id == territory.id))
    assert people == pytest.approx(1200)


def test_what_is_written_can_be_read_back(session, extract):
    territory, _ = load_osm_as_territory(session, SYSTEM, "smalltown", extract)
    pharmacy = session.scalars(
        select(Facility).where(Facility.territory_id == territory.id, Facility.kind == "pharmacy")
    ).one()
    assert (pharmacy.name, pharmacy.name_zh, pharmacy.source, pharmacy.source_ref) == (
        "Green Cross",
        "绿十字药店",
        "osm",
        "n51",
    )
    assert pharmacy.attributes == {"type": "pharmacy"}
    lengths = session.execute(
        select(Road.length_m, func.ST_Length(func.geography(Road.geom))).where(Road.territory_id == territory.id)
    ).all()
    assert all(ours == pytest.approx(theirs, rel=1e-6) for ours, theirs in lengths)
    footprints = session.execute(
        select(Building.footprint_m2, func.ST_Area(func.ST_Transform(Building.geom, territory.metric_srid))).where(
            Building.territory_id == territory.id
        )
    ).all()
    assert all(ours == pytest.approx(theirs, rel=1e-6) for ours, theirs in footprints)


def test_the_same_file_twice_adds_nothing(session, extract):
    territory, first = load_osm_as_territory(session, SYSTEM, "smalltown", extract)
    before = counted(session, territory), session.scalar(select(func.count(Load.id)))
    records = session.scalar(text("SELECT count(*) FROM record"))
    again = load_osm(session, SYSTEM, territory, extract)
    assert again.unchanged
    assert again.roads == first.roads
    assert "loaded before" in again.hints[0]
    assert (counted(session, territory), session.scalar(select(func.count(Load.id)))) == before
    assert session.scalar(text("SELECT count(*) FROM record")) == records


def test_replace_takes_away_what_is_gone(session, extract, tmp_path):
    territory, first = load_osm_as_territory(session, SYSTEM, "smalltown", extract)
    ids = set(communities(session, territory.id)["id"])
    newer = osm_city.write(tmp_path / "newer.osm", [e for e in osm_city.city() if e["id"] not in {51, 130}])
    counts = load_osm(session, SYSTEM, territory, newer, replace=True)
    assert counts.replaced
    # Without the footway its junction with the Middle Road is none the less a crossing of two streets.
    assert counts.roads == first.roads - 1
    assert counted(session, territory)["facility"] == 2
    assert set(communities(session, territory.id)["id"]) == ids
    # What replaced the first file makes it news again.
    assert not load_osm(session, SYSTEM, territory, extract, replace=True).unchanged
    assert counted(session, territory)["facility"] == 3


def test_another_file_adds_and_mends(session, extract, tmp_path):
    territory, _ = load_osm_as_territory(session, SYSTEM, "smalltown", extract)
    elements = [e for e in osm_city.city() if e["id"] != 51]
    for element in elements:
        if element["id"] == 52:
            element["tags"]["name"] = "New Stop"
    elements.insert(0, {"type": "node", "id": 56, "lon": 10.003, "lat": 50.003, "tags": {"amenity": "library"}})
    load_osm(session, SYSTEM, territory, osm_city.write(tmp_path / "other.osm", elements), people_total=500)
    names = dict(
        session.execute(select(Facility.source_ref, Facility.name).where(Facility.territory_id == territory.id)).all()
    )
    assert names == {"w220": "Hill School", "n51": "Green Cross", "n52": "New Stop", "n56": None}
    assert rows(session, Road, territory) == osm_city.STRETCHES
    people = session.scalar(select(func.sum(Building.people)).where(Building.territory_id == territory.id))
    assert people == pytest.approx(500)


def test_communities_stay_once_there_are_grids(session, extract, tmp_path):
    territory, _ = load_osm_as_territory(session, SYSTEM, "smalltown", extract)
    area = communities(session, territory.id).iloc[0]
    session.execute(
        text(
            "INSERT INTO unit_grid"
            " (territory_id, community_id, scheme, code, sequence, kind, area_m2, started_on, geom)"
            " SELECT :territory, id, 'local', '1', 1, 'square', 1, current_date, (ST_Dump(boundary)).geom"
            " FROM area WHERE id = :area"
        ),
        {"territory": territory.id, "area": int(area["id"])},
    )
    fewer = [e for e in osm_city.city() if e["id"] not in {311, 312}]
    one_level = osm_city.write(tmp_path / "fewer.osm", fewer)
    load_osm(session, SYSTEM, territory, one_level, replace=True)
    assert communities(session, territory.id)["name"].tolist() == ["West End", "East End"]


def test_without_boundary_and_buildings_demand_is_asked_for(session, tmp_path):
    bare = [e for e in osm_city.without_boundaries() if "building" not in e["tags"]]
    territory, counts = load_osm_as_territory(session, SYSTEM, "bare", osm_city.write(tmp_path / "bare.osm", bare))
    assert counts.communities == 1
    assert "hull" in counts.boundary
    assert any("no building" in hint and "demand" in hint for hint in counts.hints)
    assert "Too few buildings" in territory.people_note


def test_a_given_boundary_cuts(session, extract):
    west = shapely.box(osm_city.WEST, osm_city.SOUTH, osm_city.MIDDLE, osm_city.NORTH)
    territory, counts = load_osm_as_territory(session, SYSTEM, "west", extract, boundary=west)
    assert counts.communities == 1
    assert counts.dropped["outside_buildings"] == 4
    assert territory.bounds == pytest.approx((osm_city.WEST, osm_city.SOUTH, osm_city.MIDDLE, osm_city.NORTH))


def test_two_territories_keep_their_own_rows(session, extract):
    first, _ = load_osm_as_territory(session, SYSTEM, "one", extract)
    second, _ = load_osm_as_territory(session, SYSTEM, "two", extract)
    assert counted(session, first) == counted(session, second)
    load_osm(session, SYSTEM, first, extract, replace=True)
    assert rows(session, Road, second) == osm_city.STRETCHES


def test_a_file_from_elsewhere_is_refused(session, extract):
    far = make_territory(session, SYSTEM, "far", boundary=shapely.box(20, 40, 20.1, 40.1))
    with pytest.raises(InvalidInput, match=r"Nothing in smalltown\.osm\.pbf lies inside"):
        load_osm(session, SYSTEM, far, extract)


def test_a_broken_file_leaves_nothing_behind(session, extract, tmp_path):
    cut = tmp_path / "cut.osm.pbf"
    cut.write_bytes(extract.read_bytes()[:-200])
    territory = make_territory(session, SYSTEM, "small", boundary=shapely.box(9.9, 49.9, 10.1, 50.1))
    with pytest.raises(InvalidInput, match=r"cut\.osm\.pbf"):
        load_osm(session, SYSTEM, territory, cut)
    assert sum(counted(session, territory).values()) == 0
    assert session.scalar(select(func.count(Load.id)).where(Load.territory_id == territory.id)) == 0


def settled(session, territory):
    areas = communities(session, territory.id)
    return dict(zip(areas["name"], areas["settlement"], strict=True))


def test_settlement_is_told_by_density(session, tmp_path):
    path = osm_city.write(tmp_path / "dense.osm", [e for e in osm_city.city() if e["tags"].get("place") != "town"])
    few, _ = load_osm_as_territory(session, SYSTEM, "few", path, people_total=20)
    assert settled(session, few) == {"West End": "countryside", "East End": "countryside"}
    many, _ = load_osm_as_territory(session, SYSTEM, "many", path, people_total=5000)
    assert settled(session, many)["West End"] == "town"


def test_a_community_that_holds_a_town_is_one_however_few_live_there(session, extract, tmp_path):
    territory, _ = load_osm_as_territory(session, SYSTEM, "named", extract, people_total=20)
    assert settled(session, territory) == {"West End": "town", "East End": "countryside"}
    # A second extract without the town takes nothing of that away.
    shop = {"type": "node", "id": 9001, "lon": 10.005, "lat": 50.003, "tags": {"shop": "bakery"}}
    load_osm(session, SYSTEM, territory, osm_city.write(tmp_path / "more.osm", [shop]))
    assert settled(session, territory) == {"West End": "town", "East End": "countryside"}


def test_community_level_can_be_chosen(session, extract):
    territory, counts = load_osm_as_territory(session, SYSTEM, "whole", extract, community_level=8)
    assert counts.communities == 1
    assert communities(session, territory.id)["name"].tolist() == ["Smalltown"]
    with pytest.raises(InvalidInput, match="level 9"):
        load_osm(session, SYSTEM, territory, extract, community_level=9, replace=True)


def test_facilities_are_on_the_record_and_roads_are_not(session, extract):
    territory, _ = load_osm_as_territory(session, SYSTEM, "told", extract)
    load = session.scalars(select(Load).where(Load.territory_id == territory.id)).one()
    assert load.counts["roads"] == osm_city.STRETCHES
    told = session.execute(
        text(
            "SELECT subject_table, (after ->> 'rows')::int FROM record WHERE load_id = :id AND action = 'bulk_insert'"
        ),
        {"id": load.id},
    ).all()
    assert ("facility", 3) in [tuple(row) for row in told]
    assert "road" not in {row[0] for row in told}
    session.execute(update(Territory).where(Territory.id == territory.id).values(title_en="Renamed"))
    assert find_territory(session, "told").title_en == "Renamed"

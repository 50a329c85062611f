"""Grids in the real database: made once, ended not lost, found again, shared among workers."""

from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest
import shapely
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from core.errors import DataQuality, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata.bulk import copy_rows
from geodata.crs import project
from geodata.tables import Area, Incident, IncidentClass, Load, Record, ResponsibilityGrid, Territory, UnitGrid
from geodata.territory import TerritoryInfo, find_territory, make_territory
from grids.codes import parse_code, scheme_of
from grids.service import (
    estimate_people,
    grid_card,
    locate,
    locate_one,
    make_grid,
    make_responsibility_grids,
    responsibilities,
)

SYSTEM = system_actor()
WEST, SOUTH, EAST, NORTH = 24.90, 60.16, 24.96, 60.18


def wkb(shape: shapely.Geometry) -> str:
    return "SRID=4326;" + shapely.MultiPolygon([shape] if shape.geom_type == "Polygon" else shape.geoms).wkt


@pytest.fixture
def town(session: Session) -> TerritoryInfo:
    """A territory of two communities: a town in the west, countryside in the east, a slanted line between."""
    line = [(24.93, NORTH), (24.925, 60.171), (24.935, SOUTH)]
    west = shapely.Polygon([(WEST, SOUTH), (WEST, NORTH), *line])
    east = shapely.Polygon([(EAST, NORTH), (EAST, SOUTH), *line[::-1]])
    territory = make_territory(session, SYSTEM, "two-parts", boundary=shapely.union_all([west, east]))
    first = session.scalars(select(Area).where(Area.territory_id == territory.id, Area.level == "community")).one()
    first.name, first.settlement, first.boundary = "Westend", "town", wkb(west)
    session.add(
        Area(
            territory_id=territory.id,
            level="community",
            parent_id=first.parent_id,
            code="002",
            name="Eastend",
            name_zh="东区",
            settlement="countryside",
            boundary=wkb(east),
        ),
    )
    session.flush()
    return find_territory(session, "two-parts")


def live(session: Session, territory: TerritoryInfo) -> list[UnitGrid]:
    statement = select(UnitGrid).where(UnitGrid.territory_id == territory.id, UnitGrid.ended_on.is_(None))
    return list(session.scalars(statement.order_by(UnitGrid.id)))


def file_an_incident(session: Session, territory: TerritoryInfo, cell: UnitGrid) -> None:
    kind = IncidentClass(
        scheme="gk",
        scheme_version="grids",
        kind="event",
        code="01-02",
        category="event-01",
        category_en="Appearance",
        category_zh="市容环境",
        name_en="Exposed refuse",
        name_zh="暴露垃圾",
    )
    session.add(kind)
    session.flush()
    session.add(
        Incident(
            territory_id=territory.id,
            number="I-1",
            source="patrol",
            class_id=kind.id,
            category=kind.category,
            status="filed",
            priority=3,
            reported_at=dt.datetime(2026, 1, 5, 8, tzinfo=dt.UTC),
            grid_id=cell.id,
            community_id=cell.community_id,
            geom="SRID=4326;POINT(24.92 60.17)",
        ),
    )
    session.flush()


@pytest.mark.parametrize("kind", ["square", "hexagon"])
def test_cells_fill_the_territory_as_postgis_measures_it(session: Session, town: TerritoryInfo, kind: str) -> None:
    made = make_grid(session, SYSTEM, town, kind=kind, size_m=500, town_size_m=100)
    assert made.area_m2 == pytest.approx(made.boundary_area_m2, rel=1e-9)
    measured = session.execute(
        text(
            "SELECT sum(ST_Area(ST_Transform(g.geom, :srid))), bool_and(ST_IsValid(g.geom)), count(*),"
            " bool_and(ST_GeometryType(g.geom) = 'ST_Polygon' AND ST_SRID(g.geom) = 4326),"
            " bool_and(ST_CoveredBy(ST_PointOnSurface(g.geom), a.boundary))"
            " FROM unit_grid AS g JOIN area AS a ON a.id = g.community_id WHERE g.territory_id = :id",
        ),
        {"id": town.id, "srid": town.metric_srid},
    ).one()
    assert measured[0] == pytest.approx(made.boundary_area_m2, rel=1e-9)
    assert tuple(measured[1:]) == (True, made.cells, True, True)
    overlap = session.execute(
        text(
            "SELECT coalesce(sum(ST_Area(ST_Intersection(a.geom, b.geom)::geography)), 0) FROM unit_grid AS a"
            " JOIN unit_grid AS b ON a.id < b.id AND ST_Intersects(a.geom, b.geom) AND a.territory_id = b.territory_id"
            " WHERE a.territory_id = :id",
        ),
        {"id": town.id},
    ).scalar_one()
    assert overlap < 1e-9 * made.boundary_area_m2
    sizes = session.execute(
        select(Area.settlement, UnitGrid.size_m)
        .join(Area, Area.id == UnitGrid.community_id)
        .where(UnitGrid.territory_id == town.id)
        .distinct(),
    )
    assert {tuple(row) for row in sizes} == {("town", 100.0), ("countryside", 500.0)}


def test_codes_are_those_of_the_scheme_and_the_sequence_begins_north_west(
    session: Session, town: TerritoryInfo
) -> None:
    make_grid(session, SYSTEM, town, kind="square", size_m=100)
    cells = live(session, town)
    for cell in cells:
        parts = parse_code(scheme_of(cell.scheme), cell.code)
        assert parts.sequence == cell.sequence
    first = next(cell for cell in cells if cell.code == "001-00001")
    north_west = locate_one(session, town.id, WEST + 1e-6, NORTH - 1e-6)
    assert north_west == (first.id, first.community_id)


def test_fifteen_digits_refuse_to_overflow_and_fit_bigger_cells(session: Session, town: TerritoryInfo) -> None:
    chinese = dataclasses.replace(town, code_scheme="cn15")
    with pytest.raises(InvalidInput, match="must have 6 digits"):
        make_grid(session, SYSTEM, chinese, kind="square", size_m=500)
    session.execute(
        text("UPDATE area SET code = '110101' WHERE territory_id = :id AND level = 'district'"), {"id": town.id}
    )
    session.execute(text("UPDATE area SET code = '001' WHERE territory_id = :id AND level = 'street'"), {"id": town.id})
    with pytest.raises(InvalidInput, match=r"end would get \S+ cells.*only 999.*local code scheme"):
        make_grid(session, SYSTEM, chinese, kind="square", size_m=20)
    make_grid(session, SYSTEM, chinese, kind="square", size_m=500)
    assert {cell.code[:12] for cell in live(session, town)} == {"110101001001", "110101001002"}


def test_the_same_grid_again_adds_nothing(session: Session, town: TerritoryInfo) -> None:
    first = make_grid(session, SYSTEM, town, kind="square", size_m=200)
    identities = [cell.id for cell in live(session, town)]
    for replace in (False, True):
        again = make_grid(session, SYSTEM, town, kind="square", size_m=200, replace=replace)
        assert again.unchanged
        assert "nothing was changed" in again.hint
        assert (again.cells, again.area_m2) == (first.cells, first.area_m2)
    assert [cell.id for cell in live(session, town)] == identities
    assert session.scalar(select(func.count()).select_from(Load).where(Load.territory_id == town.id)) == 1


def test_another_grid_needs_replace_and_keeps_what_incidents_refer_to(session: Session, town: TerritoryInfo) -> None:
    first = make_grid(session, SYSTEM, town, kind="square", size_m=200)
    used = live(session, town)[3]
    file_an_incident(session, town, used)
    with pytest.raises(InvalidInput, match=r"cells already \(square 200 m\).*--replace"):
        make_grid(session, SYSTEM, town, kind="hexagon", size_m=300)
    second = make_grid(session, SYSTEM, town, kind="hexagon", size_m=300, replace=True)
    assert (second.ended, second.removed) == (1, first.cells - 1)
    assert "1 earlier cells have incidents" in second.hint
    session.expire_all()
    assert session.get_one(UnitGrid, used.id).ended_on is not None
    assert len(live(session, town)) == second.cells
    # And back again: the first grid is not mistaken for the one in force.
    third = make_grid(session, SYSTEM, town, kind="square", size_m=200, replace=True)
    assert not third.unchanged
    assert (third.cells, third.removed, third.ended) == (first.cells, second.cells - 1, 1)  # the open one had moved


def test_the_record_covers_the_cells(session: Session, town: TerritoryInfo) -> None:
    made = make_grid(session, SYSTEM, town, kind="square", size_m=500)
    make_grid(session, SYSTEM, town, kind="square", size_m=250, replace=True)
    rows = session.scalars(
        select(Record).where(Record.subject_table == "unit_grid", Record.load_id.is_not(None)).order_by(Record.seq)
    ).all()
    assert [row.action for row in rows] == ["bulk_insert", "bulk_delete", "bulk_insert"]
    assert rows[0].after is not None
    assert rows[0].after["rows"] == made.cells


def test_who_may_and_what_may_be_cut(session: Session, town: TerritoryInfo) -> None:
    def officer(role: Role, territory_id: int) -> Actor:
        return Actor(user_id=1, label="x", role=role, territory_id=territory_id)

    for role in (Role.PLANNER, Role.GRID_MANAGER, Role.ADMINISTRATOR):
        with pytest.raises(NotPermitted):
            make_grid(session, officer(role, town.id), town, kind="square", size_m=500)
    with pytest.raises(NotPermitted, match="another territory"):
        make_grid(session, officer(Role.SUPERVISOR, town.id + 1), town, kind="square", size_m=500)
    with pytest.raises(InvalidInput, match="at most 2,000,000"):
        make_grid(session, SYSTEM, town, kind="square", size_m=1)
    with pytest.raises(InvalidInput, match="0 m wide"):
        make_grid(session, SYSTEM, town, kind="square", size_m=0)
    assert make_grid(session, officer(Role.SUPERVISOR, town.id), town, kind="square", size_m=500).cells > 0


def test_a_territory_without_communities_is_told_the_way_out(session: Session, town: TerritoryInfo) -> None:
    session.execute(text("DELETE FROM area WHERE territory_id = :id AND level = 'community'"), {"id": town.id})
    with pytest.raises(InvalidInput, match="no communities.*load osm"):
        make_grid(session, SYSTEM, town, kind="square", size_m=500)


def test_overlapping_communities_are_refused_and_uncovered_land_is_said(session: Session, town: TerritoryInfo) -> None:
    half = shapely.box(WEST, SOUTH, EAST, (SOUTH + NORTH) / 2)
    session.execute(
        text("UPDATE area SET boundary = ST_GeomFromEWKT(:wkt) WHERE territory_id = :id AND level = 'community'"),
        {"wkt": wkb(half), "id": town.id},
    )
    with pytest.raises(DataQuality, match="Communities overlap"):
        make_grid(session, SYSTEM, town, kind="square", size_m=500)
    session.execute(text("DELETE FROM area WHERE territory_id = :id AND code = '002'"), {"id": town.id})
    made = make_grid(session, SYSTEM, town, kind="square", size_m=500)
    assert "cover 50" in made.hint
    assert made.area_m2 < made.boundary_area_m2


@pytest.mark.parametrize("kind", ["square", "hexagon"])
def test_points_are_found_as_postgis_finds_them(session: Session, town: TerritoryInfo, kind: str) -> None:
    make_grid(session, SYSTEM, town, kind=kind, size_m=500, town_size_m=100)
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(WEST - 0.01, EAST + 0.01, 500), rng.uniform(SOUTH - 0.01, NORTH + 0.01, 500)
    found = locate(session, town.id, lon, lat)
    rows = session.execute(
        text(
            "SELECT coalesce(g.id, 0), coalesce(g.community_id, 0)"
            " FROM unnest(CAST(:lon AS float8[]), CAST(:lat AS float8[])) WITH ORDINALITY AS p (lon, lat, no)"
            " LEFT JOIN unit_grid AS g ON g.territory_id = :id AND g.ended_on IS NULL"
            " AND ST_Intersects(g.geom, ST_SetSRID(ST_MakePoint(p.lon, p.lat), 4326)) ORDER BY p.no",
        ),
        {"lon": lon.tolist(), "lat": lat.tolist(), "id": town.id},
    ).all()
    assert [tuple(row) for row in rows] == list(zip(found.grid_id.tolist(), found.community_id.tolist(), strict=True))
    assert 0 in found.grid_id
    for x, y, grid_id, community_id in list(zip(lon, lat, found.grid_id, found.community_id, strict=True))[:40]:
        assert (locate_one(session, town.id, x, y) or (0, 0)) == (grid_id, community_id)


def test_points_follow_the_grid_in_force(session: Session, town: TerritoryInfo) -> None:
    assert locate(session, town.id, [24.92], [60.17]).grid_id.tolist() == [0]
    assert locate_one(session, town.id, 24.92, 60.17) is None
    make_grid(session, SYSTEM, town, kind="square", size_m=500)
    first = locate(session, town.id, [24.92], [60.17]).grid_id[0]
    make_grid(session, SYSTEM, town, kind="square", size_m=250, replace=True)
    second = locate(session, town.id, [24.92], [60.17]).grid_id[0]
    assert 0 < first < second
    assert second in [cell.id for cell in live(session, town)]
    assert locate_one(session, town.id, float("nan"), 60.17) is None
    assert locate(session, town.id, [np.nan, 500.0], [60.17, 60.17]).grid_id.tolist() == [0, 0]
    with pytest.raises(NotFound):
        locate(session, -1, [24.92], [60.17])


def test_corners_and_sides_have_one_cell_the_same_in_bulk_and_alone(session: Session, town: TerritoryInfo) -> None:
    make_grid(session, SYSTEM, town, kind="square", size_m=500, town_size_m=100)
    corners = np.array([[384_500.0, 6_672_000.0], [384_600.0, 6_672_050.0], [384_650.0, 6_672_100.0]])
    degrees = shapely.get_coordinates(project(shapely.points(corners), 4326, town.metric_srid))
    found = locate(session, town.id, degrees[:, 0], degrees[:, 1]).grid_id
    assert (found > 0).all()
    alone = [locate_one(session, town.id, *point) for point in degrees.tolist()]
    assert [pair[0] for pair in alone if pair] == found.tolist()


def add_buildings(session: Session, territory: TerritoryInfo, lon: np.ndarray, lat: np.ndarray) -> float:
    people = np.arange(len(lon)) * 1.5
    count = len(lon)
    copy_rows(
        session,
        "building",
        {
            "territory_id": [territory.id] * count,
            "source": ["test"] * count,
            "source_ref": [str(n) for n in range(count)],
            "use": ["residential"] * count,
            "levels": [2.0] * count,
            "footprint_m2": [100.0] * count,
            "people": people,
            "geom": shapely.multipolygons(shapely.box(lon, lat, lon + 1e-5, lat + 1e-5), indices=np.arange(count)),
        },
    )
    return float(people.sum())


def test_people_are_those_of_the_buildings(session: Session, town: TerritoryInfo) -> None:
    make_grid(session, SYSTEM, town, kind="hexagon", size_m=200)
    assert estimate_people(session, SYSTEM, town).cells_changed == 0
    assert live(session, town)[0].people is None
    rng = np.random.default_rng(9)
    total = add_buildings(
        session, town, rng.uniform(WEST + 1e-4, EAST + 0.005, 300), rng.uniform(SOUTH + 1e-4, NORTH - 1e-4, 300)
    )
    estimate = estimate_people(session, SYSTEM, town)
    assert estimate.people + estimate.people_outside == pytest.approx(total)
    assert estimate.people_outside > 0
    session.expire_all()
    assert sum(cell.people or 0 for cell in live(session, town)) == pytest.approx(estimate.people)
    assert estimate_people(session, SYSTEM, town).cells_changed == 0
    make_grid(session, SYSTEM, town, kind="square", size_m=300, replace=True)  # buildings are known by now
    assert sum(cell.people or 0 for cell in live(session, town)) == pytest.approx(estimate.people)


def test_responsibility_grids_are_contiguous_and_stay_when_nothing_changes(
    session: Session, town: TerritoryInfo
) -> None:
    with pytest.raises(InvalidInput, match="no cells yet"):
        make_responsibility_grids(session, SYSTEM, town)
    make_grid(session, SYSTEM, town, kind="square", size_m=200)
    made = make_responsibility_grids(session, SYSTEM, town, cells_each=20)
    rows = session.execute(
        text(
            "SELECT r.code, r.name, r.name_zh, ST_NumGeometries(r.boundary) AS parts, count(*) AS cells,"
            " count(DISTINCT g.community_id) AS communities, sum(ST_Area(g.geom)) / ST_Area(r.boundary) AS filled"
            " FROM responsibility_grid AS r JOIN unit_grid AS g ON g.responsibility_grid_id = r.id"
            " WHERE r.territory_id = :id GROUP BY r.id ORDER BY r.code",
        ),
        {"id": town.id},
    ).all()
    assert len(rows) == made.grids > 2
    assert sum(row.cells for row in rows) == len(live(session, town))
    for row in rows:
        assert (row.parts, row.communities) == (1, 1)
        assert row.filled == pytest.approx(1)
    assert (rows[0].code, rows[0].name) == ("001-R01", "Westend 1")
    assert rows[-1].name_zh.startswith("东区第")
    again = make_responsibility_grids(session, SYSTEM, town, cells_each=20)
    assert (again.grids, again.cells_changed, again.dropped) == (made.grids, 0, 0)
    versions = session.scalars(select(ResponsibilityGrid.version).where(ResponsibilityGrid.territory_id == town.id))
    assert set(versions) == {1}
    grids, responsible = responsibilities(session, town.id)
    assert set(grids["id"]) == set(responsible.values())
    assert set(responsible) == {cell.id for cell in live(session, town)}
    fewer = make_responsibility_grids(session, SYSTEM, town, per_community=1)
    assert (fewer.grids, fewer.dropped) == (2, made.grids - 2)


def test_responsibility_grids_share_out_people_where_they_are_known(session: Session, town: TerritoryInfo) -> None:
    make_grid(session, SYSTEM, town, kind="square", size_m=100)
    rng = np.random.default_rng(3)
    add_buildings(session, town, rng.uniform(WEST, EAST - 1e-4, 2_000), rng.uniform(SOUTH, NORTH - 1e-4, 2_000))
    people = estimate_people(session, SYSTEM, town).people
    make_responsibility_grids(session, SYSTEM, town, people_each=people / 20)
    grids, _ = responsibilities(session, town.id)
    assert 18 <= len(grids) <= 22
    assert grids["people"].max() < 2 * people / 20


def test_the_card_of_a_cell(session: Session, town: TerritoryInfo) -> None:
    make_grid(session, SYSTEM, town, kind="square", size_m=500)
    make_responsibility_grids(session, SYSTEM, town, per_community=2)
    found = locate_one(session, town.id, 24.92, 60.17)
    assert found is not None
    copy_rows(
        session,
        "facility",
        {
            "territory_id": [town.id] * 4,
            "source": ["test"] * 4,
            "source_ref": list("abcd"),
            "kind": ["school", "clinic", "school", "school"],
            "geom": shapely.points([24.92, 24.92, 24.92, 24.95], [60.17, 60.17, 60.17, 60.17]),
        },
    )
    planner = Actor(user_id=1, label="x", role=Role.PLANNER, territory_id=town.id)
    card = grid_card(session, planner, found[0])
    assert (card.facilities, card.people) == ({"school": 2, "clinic": 1}, None)
    assert (card.community, card.settlement, card.kind, card.size_m) == ("Westend", "town", "square", 500.0)
    assert (card.responsibility_code or "").startswith("001-R0")
    with pytest.raises(NotFound):
        grid_card(session, dataclasses.replace(planner, territory_id=town.id + 1), found[0])
    make_grid(session, SYSTEM, town, kind="square", size_m=250, replace=True)
    with pytest.raises(NotFound, match="may have ended"):
        grid_card(session, planner, found[0])


def test_the_boundary_is_that_of_the_territory(session: Session, town: TerritoryInfo) -> None:
    made = make_grid(session, SYSTEM, town, kind="square", size_m=500)
    square_metres = session.scalar(
        select(func.ST_Area(func.ST_Transform(Territory.boundary, town.metric_srid))).where(Territory.id == town.id)
    )
    assert made.boundary_area_m2 == pytest.approx(square_metres, rel=1e-12)

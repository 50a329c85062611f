"""The search of every page: what is found, by whom, and what is refused."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from app import i18n
from app.api.search import found_things
from app.where import territory_of
from core.identity import Actor, Role, system_actor
from geodata.db import transaction
from layers.search import find_places
from people import accounts


@pytest.fixture(scope="module")
def actors(demo_database: Engine) -> dict[Role, Actor]:
    del demo_database
    with transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


def _one(actor: Actor, query: str) -> str:
    with transaction(actor) as session:
        return str(session.execute(text(query)).scalar_one())


def _found(actor: Actor, typed: str) -> list[dict[str, str]]:
    with transaction(actor) as session:
        return list(found_things(session, actor, territory_of(session, actor), typed))


def test_a_road_is_found_by_a_part_and_by_a_near_miss(actors: dict[Role, Actor]) -> None:
    planner = actors[Role.PLANNER]
    name = _one(planner, "SELECT name FROM road WHERE length(name) > 8 ORDER BY length_m DESC, id LIMIT 1")
    swapped = name[:3] + name[4] + name[3] + name[5:]
    for typed in (name, name.upper(), name[:6], swapped):
        with transaction(planner) as session:
            hits = find_places(session, planner.territory_id or 0, typed)
        assert name in {hit.name for hit in hits if hit.kind == "road"}
    roads = [hit for hit in hits if hit.kind == "road"]
    assert len({(hit.name, hit.near) for hit in roads}) == len(roads)


def test_each_thing_leads_to_its_address(actors: dict[Role, Actor]) -> None:
    supervisor = actors[Role.SUPERVISOR]
    grid = _one(
        supervisor, "SELECT id || ' ' || code FROM unit_grid WHERE ended_on IS NULL ORDER BY id LIMIT 1"
    ).split()
    number = _one(
        supervisor,
        "SELECT number FROM incident WHERE reported_at > now() - interval '2 years' ORDER BY id DESC LIMIT 1",
    )
    incident = _one(supervisor, f"SELECT id FROM incident WHERE number = '{number}'")
    assert f"/grid-file?grid={grid[0]}" in {each["href"] for each in _found(supervisor, grid[1])}
    for typed in (number, number.lower(), number.split("-")[2].lstrip("0"), "-".join(number.split("-")[1:3])):
        assert f"/incidents?incident={incident}" in {each["href"] for each in _found(supervisor, typed)}
    worker = _one(supervisor, "SELECT code FROM worker ORDER BY id LIMIT 1")
    assert f"/workers?worker={worker}" in {each["href"] for each in _found(supervisor, worker)}
    unit = _one(supervisor, "SELECT id || '|' || name FROM unit WHERE valid_to IS NULL ORDER BY id LIMIT 1").split("|")
    assert f"/units?unit={unit[0]}" in {each["href"] for each in _found(supervisor, unit[1])}


def test_who_sees_no_incident_and_no_person_finds_none(actors: dict[Role, Actor]) -> None:
    supervisor, planner = actors[Role.SUPERVISOR], actors[Role.PLANNER]
    number = _one(supervisor, "SELECT number FROM incident ORDER BY id DESC LIMIT 1")
    worker = _one(supervisor, "SELECT code FROM worker ORDER BY id LIMIT 1")
    assert _found(planner, number) == []
    assert not any(each["href"].startswith("/workers") for each in _found(planner, worker))


def test_an_incident_out_of_reach_is_not_found(actors: dict[Role, Actor]) -> None:
    manager = actors[Role.GRID_MANAGER]
    number = _one(
        actors[Role.SUPERVISOR],
        f"SELECT number FROM incident WHERE NOT community_id = ANY ('{{{','.join(map(str, manager.area_ids))}}}')"
        " ORDER BY id DESC LIMIT 1",
    )
    assert not any("incident=" in each["href"] for each in _found(manager, number))


def test_coordinates_lead_to_the_place(actors: dict[Role, Actor]) -> None:
    middle = (
        "SELECT ST_Y(p) || ', ' || ST_X(p) FROM (SELECT ST_PointOnSurface(boundary) AS p FROM territory LIMIT 1) AS t"
    )
    lat, lon = _one(actors[Role.PLANNER], middle).split(", ")
    first = _found(actors[Role.PLANNER], f"{float(lat):.5f}, {float(lon):.5f}")[0]
    assert first["href"] == f"/map?place={float(f'{float(lon):.5f}'):.6f},{float(f'{float(lat):.5f}'):.6f}"
    assert "WGS-84" in first["note"]


@pytest.mark.parametrize(
    "typed", ["", "a", "%", "__", "100%", "'; DROP TABLE road; --", "\\", "<b>", "（", "0", "2026-0", "١٢٣"]
)
def test_any_text_is_answered(actors: dict[Role, Actor], typed: str) -> None:
    for role in (Role.SUPERVISOR, Role.GRID_WORKER):
        found = _found(actors[role], typed)
        assert all(set(each) == {"kind", "title", "note", "href"} for each in found)
        assert typed not in {"%", "__", "<b>"} or not any("/map" in each["href"] for each in found)


def test_kinds_are_told_in_chinese(actors: dict[Role, Actor]) -> None:
    name = _one(actors[Role.PLANNER], "SELECT name FROM road WHERE name IS NOT NULL ORDER BY length_m DESC, id LIMIT 1")
    i18n.use("zh")
    try:
        kinds = {each["kind"] for each in _found(actors[Role.PLANNER], name)}
    finally:
        i18n.use("en")
    assert "道路" in kinds


def test_the_indexes_answer(session: Session) -> None:
    session.execute(text("SET LOCAL enable_seqscan = off"))
    for name in ("road", "facility", "place_name"):
        plan = session.execute(
            text(f"EXPLAIN SELECT 1 FROM {name} WHERE name ILIKE '%hospital%' OR name_zh ILIKE '%hospital%'")
        )
        assert any(f"{name}_by_name" in row[0] for row in plan)

"""Counts of a territory, as the first pages show them."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from core.clock import now
from core.identity import Role, system_actor
from geodata.db import transaction
from layers import overview
from people import accounts


@pytest.fixture
def actors(demo_database):
    with transaction(system_actor()) as session:
        return {account.role: account.actor() for account in accounts.demo_accounts(session)}


def test_counts_are_those_of_the_tables(actors):
    actor = actors[Role.PLANNER]
    with transaction(actor) as session:
        whole = overview.overview(session, actor.territory_id)
        cells = session.execute(text("SELECT count(*) FROM unit_grid WHERE ended_on IS NULL")).scalar_one()
        facilities = session.execute(text("SELECT count(*) FROM facility")).scalar_one()
    assert whole.unit_grids == cells > 0
    assert sum(whole.facilities.values()) == facilities > 0
    assert whole.communities == 2
    assert whole.people == pytest.approx(6_000, rel=0.01)
    assert whole.road_km > 1


def test_communities_are_counted_as_far_as_the_role_sees(actors):
    def load(role: Role, **more):
        actor = actors[role]
        with transaction(actor) as session:
            return overview.load_by_community(session, actor.territory_id, now(), **more)

    everything = load(Role.DISPATCHER)
    assert sum(each.open for each in everything) > 0
    assert [each.late for each in everything] == sorted((each.late for each in everything), reverse=True)
    areas = actors[Role.GRID_MANAGER].area_ids
    assert [each.community_id for each in load(Role.GRID_MANAGER, area_ids=areas)] == list(areas)
    assert sum(each.open for each in load(Role.PLANNER)) == 0, "the database shows a planner no incident"


def test_nothing_of_an_unknown_territory(actors):
    with transaction(system_actor()) as session:
        whole = overview.overview(session, 10**6)
        assert (whole.communities, whole.unit_grids, whole.people, whole.facilities) == (0, 0, None, {})
        assert overview.quarantine_by_reason(session, 10**6) == []
        assert overview.latest_loads(session, 10**6) == []


def test_the_latest_loads_come_first(actors):
    actor = actors[Role.ADMINISTRATOR]
    with transaction(actor) as session:
        loads = overview.latest_loads(session, actor.territory_id)
    assert "osm" in {load.kind for load in loads}
    assert [load.at for load in loads] == sorted((load.at for load in loads), reverse=True)

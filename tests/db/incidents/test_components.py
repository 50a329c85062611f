"""The register of components: who writes what, the nearest by brute force, filing about one, what others see."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from pyproj import Geod
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from core.errors import Conflict, DataQuality, InvalidInput, NotFound, NotPermitted
from core.identity import Actor, Role, system_actor
from geodata import db
from geodata.territory import TerritoryInfo, find_territory
from incidents.components import ComponentFilter, ComponentRow, ComponentSpec, is_restricted
from incidents.service import components as register
from incidents.service import incident_detail, report
from incidents.work import NewReport
from people import accounts

LAMP, PIPE = "component-01-18", "component-01-01"


@dataclasses.dataclass
class Town:
    """The demo town in one transaction that is never kept."""

    session: Session
    territory: TerritoryInfo
    actors: dict[Role, Actor]

    def act(self, role: Role) -> Actor:
        db.as_actor(self.session, self.actors[role])
        return self.actors[role]

    def everything(self) -> list[ComponentRow]:
        return [
            row
            for kind in register.component_classes(self.session, self.act(Role.SYSTEM))
            for row in self.all_of(kind.key)
        ]

    def all_of(self, key: str) -> list[ComponentRow]:
        actor = self.act(Role.SYSTEM)
        kind = next(each for each in register.component_classes(self.session, actor) if each.key == key)
        return register.list_components(self.session, actor, ComponentFilter(class_ids=(kind.id,)), limit=1000)


@pytest.fixture
def town(demo_database: Engine) -> Iterator[Town]:
    with demo_database.connect() as connection:
        outer = connection.begin()
        with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
            db.as_actor(session, system_actor())
            territory = find_territory(session, "tiny-town")
            actors = {each.role: each.actor("en") for each in accounts.demo_accounts(session)}
            actors[Role.SYSTEM] = system_actor(territory.id)
            actors.setdefault(Role.GRID_WORKER, dataclasses.replace(actors[Role.GRID_MANAGER], role=Role.GRID_WORKER))
            yield Town(session, territory, actors)
        outer.rollback()


def lamp_of(town: Town, **wanted: object) -> ComponentRow:
    return next(row for row in town.all_of(LAMP) if all(getattr(row, name) == each for name, each in wanted.items()))


def test_the_demo_register_is_simulated_and_incidents_name_their_component(town: Town) -> None:
    actor = town.act(Role.SYSTEM)
    assert register.count_components(town.session, actor) > 300
    assert all(row.simulated for row in town.all_of(LAMP))
    linked, wrong, far = town.session.execute(
        text(
            "SELECT count(*), count(*) FILTER (WHERE c.class_id <> i.class_id),"
            " max(ST_Distance(c.geom::geography, i.geom::geography))"
            " FROM incident AS i JOIN component AS c ON c.id = i.component_id"
        )
    ).one()
    assert linked > 0
    assert wrong == 0
    assert far <= 51


def test_the_nearest_are_those_that_brute_force_finds(town: Town) -> None:
    lamps = [row for row in town.all_of(LAMP) if row.state in {"in_use", "damaged"}]
    west, south, east, north = town.territory.bounds
    rng = np.random.default_rng(7)
    geod = Geod(ellps="WGS84")
    actor, some = town.act(Role.DISPATCHER), 0
    for lon, lat in zip(rng.uniform(west, east, 40), rng.uniform(south, north, 40), strict=True):
        _, _, metres = geod.inv(
            [lon] * len(lamps), [lat] * len(lamps), [row.lon for row in lamps], [row.lat for row in lamps]
        )
        pairs = sorted((round(each, 3), row.code) for each, row in zip(metres, lamps, strict=True) if each <= 100)[:5]
        found = register.nearest_components(town.session, actor, LAMP, lon, lat)
        assert [(each.row.code) for each in found] == [code for _, code in pairs]
        assert [each.metres for each in found] == pytest.approx([each for each, _ in pairs], abs=0.02)
        some += len(found)
    assert some > 20
    assert register.nearest_components(town.session, actor, "event-01-02", lon, lat) == []


def test_an_incident_about_a_component_names_it_and_no_other_class_does(town: Town) -> None:
    lamp = lamp_of(town, state="in_use")
    actor = town.act(Role.SUPERVISOR)
    new = NewReport(LAMP, lamp.lon, lamp.lat, source="patrol", component_id=lamp.id)
    done = report(town.session, actor, new, command_id=str(uuid.uuid4()))
    assert register.component_of_incident(town.session, actor, done.incident_id) == (lamp.id, lamp.code)
    row = incident_detail(town.session, actor, done.incident_id).row
    assert (row.lon, row.lat) == (lamp.lon, lamp.lat)
    assert done.number in {each.number for each in register.component_detail(town.session, actor, lamp.code).incidents}
    with pytest.raises(InvalidInput, match="none of this class"):
        wrong = dataclasses.replace(new, class_key="component-03-05")
        report(town.session, actor, wrong, command_id=str(uuid.uuid4()))


def test_an_empty_identifier_takes_the_next_free_one(town: Town) -> None:
    lamp = lamp_of(town)
    last = max(row.code for row in town.all_of(LAMP))
    actor = town.act(Role.SUPERVISOR)
    proposed = register.propose_identifier(town.session, actor, town.territory, LAMP, (lamp.lon, lamp.lat))
    assert int(proposed.text) == int(last) + 1
    made = register.add_component(
        town.session, actor, town.territory, ComponentSpec("", LAMP, lamp.lon, lamp.lat, unit_id=lamp.unit_id)
    )
    detail = register.component_detail(town.session, actor, made)
    assert detail.row.code == proposed.text
    assert [entry.action for entry in detail.history] == ["insert"]
    taken = ComponentSpec(proposed.text, LAMP, lamp.lon, lamp.lat)
    with pytest.raises(Conflict, match="is taken"):
        register.add_component(town.session, actor, town.territory, taken)


def test_used_up_numbers_are_said_and_nothing_runs_over(town: Town) -> None:
    lamp = lamp_of(town)
    actor = town.act(Role.SUPERVISOR)
    full = ComponentSpec(lamp.code[:10] + "999999", LAMP, lamp.lon, lamp.lat)
    register.add_component(town.session, actor, town.territory, full)
    with pytest.raises(InvalidInput, match="used up"):
        register.add_component(town.session, actor, town.territory, ComponentSpec("", LAMP, lamp.lon, lamp.lat))


def test_outside_and_unknown_classes_are_named(town: Town) -> None:
    lamp = lamp_of(town)
    actor = town.act(Role.SUPERVISOR)
    with pytest.raises(DataQuality, match="outside the territory"):
        spec = ComponentSpec("0000000118900001", LAMP, 10.0, 10.0)
        register.add_component(town.session, actor, town.territory, spec)
    with pytest.raises(DataQuality, match="there is no component class"):
        spec = ComponentSpec("0000009999000001", "component-99-99", lamp.lon, lamp.lat)
        register.add_component(town.session, actor, town.territory, spec)


def test_each_changes_his_own_only(town: Town) -> None:
    manager, handler = town.actors[Role.GRID_MANAGER], town.actors[Role.HANDLER]
    mine = lamp_of(town, community_id=manager.area_ids[0])
    other = next(row for row in town.all_of(LAMP) if row.community_id not in manager.area_ids)
    version = mine.version
    for role in (Role.SUPERVISOR, Role.GRID_MANAGER):
        actor = town.act(role)
        version = register.change_component(
            town.session, actor, town.territory, mine.id, version=version, place=f"by {role}"
        )
    with pytest.raises(Conflict):
        register.change_component(town.session, actor, town.territory, mine.id, version=1, place="late")
    with pytest.raises(NotPermitted, match="not yours"):
        register.change_component(town.session, manager, town.territory, other.id, version=other.version, place="x")
    everything = town.everything()
    own = next(row for row in everything if set(row.spec.owners) & set(handler.unit_ids))
    foreign = next(row for row in everything if not set(row.spec.owners) & set(handler.unit_ids))
    town.act(Role.HANDLER)
    register.change_component(town.session, handler, town.territory, own.id, version=own.version, state="damaged")
    with pytest.raises(NotPermitted):
        register.change_component(
            town.session, handler, town.territory, foreign.id, version=foreign.version, state="damaged"
        )
    for role in (Role.DISPATCHER, Role.PLANNER, Role.AUDITOR, Role.ADMINISTRATOR, Role.GRID_WORKER):
        actor = town.act(role)
        with pytest.raises(NotPermitted):
            register.change_component(town.session, actor, town.territory, mine.id, version=version, place="x")


def test_the_database_itself_lets_each_write_his_own_only(town: Town) -> None:
    manager, handler = town.actors[Role.GRID_MANAGER], town.actors[Role.HANDLER]
    mine = lamp_of(town, community_id=manager.area_ids[0])
    write = text("UPDATE component SET place = 'x'")
    town.act(Role.SYSTEM)
    at_home = town.session.execute(
        text("SELECT count(*) FROM component WHERE community_id = ANY (:areas)"), {"areas": list(manager.area_ids)}
    ).scalar_one()
    town.act(Role.GRID_MANAGER)
    assert town.session.execute(write).rowcount == at_home  # type: ignore[attr-defined]
    for role in (Role.DISPATCHER, Role.PLANNER, Role.AUDITOR, Role.ADMINISTRATOR, Role.GRID_WORKER):
        town.act(role)
        assert town.session.execute(write).rowcount == 0  # type: ignore[attr-defined]
    town.act(Role.HANDLER)
    with pytest.raises(DBAPIError, match="row-level security"), town.session.begin_nested():
        town.session.execute(
            text("UPDATE component SET unit_id = NULL, property_unit_id = NULL, upkeep_unit_id = NULL"
                 " WHERE ARRAY[unit_id, property_unit_id, upkeep_unit_id] && CAST(:units AS integer[])"),
            {"units": list(handler.unit_ids)},
        )  # fmt: skip
    town.act(Role.SUPERVISOR)
    assert town.session.execute(text("DELETE FROM component")).rowcount == 0  # type: ignore[attr-defined]
    with pytest.raises(IntegrityError, match="none of the class"), town.session.begin_nested():
        town.session.execute(text("UPDATE component SET code = '0000000305000001' WHERE id = :id"), {"id": mine.id})


def test_gas_power_telecom_and_water_stay_with_roles_with_incidents(town: Town) -> None:
    pipe = town.all_of(PIPE)[0]
    assert pipe.sensitivity == "restricted"
    for role in (Role.SUPERVISOR, Role.DISPATCHER, Role.AUDITOR, Role.GRID_MANAGER, Role.GRID_WORKER, Role.HANDLER):
        assert register.component_detail(town.session, town.act(role), pipe.id).row.code == pipe.code
    for role in (Role.PLANNER, Role.ADMINISTRATOR):
        actor = town.act(role)
        with pytest.raises(NotFound):
            register.component_detail(town.session, actor, pipe.id)
        seen = town.session.execute(text("SELECT count(*) FROM component WHERE sensitivity <> 'open'")).scalar_one()
        told = town.session.execute(
            text("SELECT count(*) FROM load_row WHERE subject_id = :id AND after ->> 'code' = :code"),
            {"id": str(pipe.id), "code": pipe.code},
        ).scalar_one()
        assert (seen, told) == (0, 0)
    town.act(Role.SUPERVISOR)
    town.session.execute(text("UPDATE component SET sensitivity = 'open' WHERE id = :id"), {"id": pipe.id})
    assert register.component_detail(town.session, town.act(Role.SUPERVISOR), pipe.id).row.sensitivity == "restricted"


def test_database_and_pages_agree_on_what_is_restricted(town: Town) -> None:
    for scheme in ("gk", "other"):
        for code in ("01-01", "01-03", "01-04", "01-05", "01-13", "01-18", "01-99", "02-01", "04-07"):
            asked = text("SELECT gk_is_restricted(:scheme, :code)")
            assert town.session.execute(asked, {"scheme": scheme, "code": code}).scalar() is is_restricted(scheme, code)


def test_a_removed_component_ends_and_leaves_the_list(town: Town) -> None:
    lamp = lamp_of(town, state="in_use")
    actor = town.act(Role.SUPERVISOR)
    before = register.count_components(town.session, actor)
    register.change_component(town.session, actor, town.territory, lamp.id, version=lamp.version, state="removed")
    row = register.component_detail(town.session, actor, lamp.id).row
    assert isinstance(row.valid_to, dt.date)
    assert register.count_components(town.session, actor) == before - 1
    assert register.nearest_components(town.session, actor, LAMP, lamp.lon, lamp.lat, within_m=0.5) == []


def test_the_list_narrows_by_owner_community_grid_and_text(town: Town) -> None:
    lamp = lamp_of(town)
    actor = town.act(Role.SUPERVISOR)
    detail = register.component_detail(town.session, actor, lamp.id)
    assert detail.grid is not None
    for wanted in (
        ComponentFilter(unit_id=lamp.unit_id),
        ComponentFilter(community_id=lamp.community_id),
        ComponentFilter(grid_id=detail.grid[0]),
        ComponentFilter(text=lamp.code[-7:]),
    ):
        found = register.list_components(town.session, actor, wanted, limit=1000)
        assert lamp.code in {row.code for row in found}
        assert len(found) == min(1000, register.count_components(town.session, actor, wanted))
    in_grid = register.list_components(town.session, actor, ComponentFilter(grid_id=detail.grid[0]), limit=1000)
    assert {register.component_detail(town.session, actor, row.id).grid for row in in_grid} == {detail.grid}
    first = register.list_components(town.session, actor, limit=3)
    rest = register.list_components(town.session, actor, after=first[0].code, limit=2)
    assert rest == first[1:]


@pytest.mark.parametrize("role", [Role.PLANNER, Role.DISPATCHER])
def test_finding_by_place_uses_an_index_under_the_policies(town: Town, role: Role) -> None:
    town.act(role)
    town.session.execute(text("SET LOCAL enable_seqscan = off"))
    box = "ST_MakeEnvelope(-1.3, 50.69, -1.299, 50.691, 4326)"
    plan = "\n".join(
        row[0]
        for row in town.session.execute(
            text(
                f"EXPLAIN SELECT id FROM component WHERE territory_id = {town.territory.id}"
                f" AND square = ANY ((SELECT gk_squares({box}))::bigint[])"
            )
        )
    )
    assert "ix_component_territory_id_square_class_id" in plan

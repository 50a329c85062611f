"""One row or many, the record holds the same; sealing changes nothing else; what policies ask stays quick to plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from core.identity import Actor, Role, system_actor
from geodata import record, sealing
from geodata.db import as_actor, transaction
from geodata.embedded import OWNER, Cluster
from layers.incidents import POINTS_FROM
from layers.incidents import statement as incidents_tile
from layers.tiles import tiles_of
from people import accounts
from tests.conftest import engine_for
from tests.demo_city import TINY_TOWN

CHANGES = {
    "a word": ("incident", "place = 'Mill Lane'"),
    "a place": ("incident", "geom = ST_SetSRID(ST_MakePoint(ST_X(geom) + 1e-7, ST_Y(geom)), 4326)"),
    "a shape": ("area", "boundary = ST_Multi(ST_Buffer(boundary, 0.0001))"),
    "beside a shape": ("area", "name = name || ' anew'"),
    "a key": ("class_owner", "id = id + 100000"),
    "what is hidden": ("app_user", "password_hash = 'x', title_en = 'Clerk'"),
}


@pytest.fixture
def city(demo_database: Engine) -> Iterator[Session]:
    with demo_database.connect() as connection, Session(connection) as session:
        yield session
        session.rollback()


@pytest.fixture
def owned(demo_database: Engine, cluster: Cluster) -> Iterator[Session]:
    """Who owns the tables, acting as the system: no guard but the record's."""
    assert demo_database.url.database is not None
    engine = engine_for(cluster, demo_database.url.database, OWNER)
    with engine.connect() as connection, Session(connection) as session:
        as_actor(session, system_actor())
        yield session
        session.rollback()
    engine.dispose()


def written(session: Session, statements: list[str]) -> list[tuple[Any, ...]]:
    """What the record holds of some statements, which are undone."""
    point = session.begin_nested()
    after = session.scalar(text("SELECT coalesce(max(seq), 0) FROM record"))
    for statement in statements:
        session.execute(text(statement))
    found = session.execute(
        text(
            "SELECT territory_id, action, subject_table, subject_id, grid_id, before::text, after::text,"
            " row_hash = sha256(convert_to(gk_record_text(record), 'UTF8')) FROM record WHERE seq > :after"
            " ORDER BY subject_table, subject_id, action, before IS NULL"
        ),
        {"after": after},
    ).all()
    point.rollback()
    return [tuple(row) for row in found]


@pytest.mark.parametrize("name", sorted(CHANGES))
def test_one_by_one_and_all_at_once_are_recorded_alike(owned: Session, name: str) -> None:
    table, change = CHANGES[name]
    session = owned
    ids = session.scalars(text(f"SELECT id FROM {table} ORDER BY id LIMIT 3")).all()
    assert len(ids) == 3
    together = written(session, [f"UPDATE {table} SET {change} WHERE id IN ({', '.join(map(str, ids))})"])
    singly = written(session, [f"UPDATE {table} SET {change} WHERE id = {each}" for each in ids])
    assert singly == together
    assert all(row[-1] for row in singly)
    own = [row for row in singly if row[2] == table]
    assert len(own) == (6 if name == "a key" else 3)
    for row in own:
        assert ("geom" in str(row[6])) is (name == "a place")
        assert ("boundary" in str(row[6])) is (name == "a shape")
        assert "password_hash" not in str(row[5:7])


def test_what_is_added_and_taken_away_is_recorded_alike(owned: Session) -> None:
    ids = owned.scalars(text("SELECT id FROM class_owner ORDER BY id LIMIT 2")).all()
    listed = ", ".join(map(str, ids))
    together = written(owned, [f"DELETE FROM class_owner WHERE id IN ({listed})"])
    singly = written(owned, [f"DELETE FROM class_owner WHERE id = {each}" for each in ids])
    assert singly == together
    assert [row[1] for row in singly] == ["delete"] * 2
    names = owned.scalars(
        text(
            "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
            " WHERE attrelid = 'class_owner'::regclass AND attnum > 0 AND NOT attisdropped AND attname <> 'id'"
        )
    ).one()
    take = f"DELETE FROM class_owner WHERE id IN ({listed})"
    keep = f"CREATE TEMP TABLE kept ON COMMIT DROP AS SELECT * FROM class_owner WHERE id IN ({listed})"
    give = f"INSERT INTO class_owner (id, {names}) OVERRIDING SYSTEM VALUE SELECT id, {names} FROM kept"
    together = written(owned, [keep, take, give])
    singly = written(owned, [keep, take, *(f"{give} WHERE id = {each}" for each in ids)])
    assert singly == together
    assert sorted(row[1] for row in singly) == ["delete", "delete", "insert", "insert"]


def test_a_statement_that_finds_no_row_writes_none(owned: Session) -> None:
    assert written(owned, ["UPDATE incident SET place = 'x' WHERE id = -1", "DELETE FROM area WHERE id = -1"]) == []
    assert record.first_bad(owned) is None


@pytest.mark.parametrize(
    "change",
    ["actor_label = 'x'", "row_hash = sha256('x')", "purpose = purpose || 'x'", "at = at + interval '1 microsecond'"],
)
def test_nothing_is_changed_under_the_cloak_of_sealing(owned: Session, change: str) -> None:
    sealing.seal(owned, rows=5)
    with pytest.raises(ProgrammingError, match="append-only"), owned.begin_nested():
        owned.execute(text(f"UPDATE record SET batch_id = 1, {change} WHERE batch_id IS NULL AND after IS NOT NULL"))
    assert owned.scalar(text("SELECT count(*) FROM record WHERE batch_id = 1")) <= 5


ROLES = [Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR, Role.GRID_MANAGER, Role.GRID_WORKER, Role.HANDLER]


@pytest.mark.parametrize("role", ROLES)
def test_indexes_stay_usable_under_the_policies(city: Session, role: Role) -> None:
    """Of a tile: its cells by their shapes (GiST), its incidents by their cells."""
    actor = person(city, role)
    as_actor(city, actor)
    city.execute(text("SET LOCAL enable_seqscan = off"))
    lon, lat, _ = TINY_TOWN.opens
    key = tiles_of((lon, lat, lon, lat), POINTS_FROM)[0]
    asked = {"territory": actor.territory_id, "z": key.z, "x": key.x, "y": key.y, "zone": "Europe/London"}
    cursor = city.connection().connection.cursor()
    plan = "\n".join(row[0] for row in cursor.execute("EXPLAIN " + incidents_tile(POINTS_FROM), asked).fetchall())
    assert "Seq Scan" not in plan, plan
    assert "ix_incident_grid_id" in plan, plan
    box = "ST_MakeEnvelope(-1.3, 50.69, -1.299, 50.691, 4326)"
    plan = "\n".join(city.scalars(text(f"EXPLAIN SELECT id FROM unit_grid WHERE geom && {box}")))
    assert "Index Cond: (geom &&" in plan, plan


def person(session: Session, role: Role) -> Actor:
    del session
    with transaction(system_actor()) as opened:
        return next(
            (each.actor() for each in accounts.demo_accounts(opened) if each.role is role),
            Actor(None, role.value, role, opened.scalar(text("SELECT min(id) FROM territory"))),
        )

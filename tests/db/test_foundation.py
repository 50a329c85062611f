"""Roles, record, row-level security, person keys and bulk loading on the real database."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
import shapely
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from core.identity import Actor, Role, system_actor
from geodata import bulk, persons, record
from geodata.db import as_actor
from geodata.tables import Area, Incident, IncidentClass, Load, Person, Territory, UnitGrid

SQUARE = shapely.box(0, 0, 0.1, 0.1)


def a_city(session: Session) -> tuple[Territory, list[Area], list[UnitGrid], IncidentClass]:
    """A territory of two communities with one cell each."""
    wkb = "SRID=4326;" + shapely.MultiPolygon([SQUARE]).wkt
    territory = Territory(name="toytown", title_en="Toytown", title_zh="玩具城", boundary=wkb, metric_srid=32631)
    session.add(territory)
    session.flush()
    areas = [
        Area(territory_id=territory.id, level="community", code=code, name=code, boundary=wkb)
        for code in ("001", "002")
    ]
    session.add_all(areas)
    session.flush()
    cells = [
        UnitGrid(
            territory_id=territory.id,
            community_id=area.id,
            scheme="local",
            code=f"{area.code}-00001",
            sequence=1,
            kind="square",
            area_m2=1.0,
            started_on=dt.date(2026, 1, 1),
            geom="SRID=4326;" + SQUARE.wkt,
        )
        for area in areas
    ]
    kind = IncidentClass(
        scheme="gk",
        scheme_version="t",
        kind="event",
        code="01-02",
        category="event-01",
        category_en="Appearance",
        category_zh="市容环境",
        name_en="Exposed refuse",
        name_zh="暴露垃圾",
    )
    session.add_all([*cells, kind])
    session.flush()
    return territory, areas, cells, kind


def an_incident(territory: Territory, cell: UnitGrid, kind: IncidentClass, number: str) -> Incident:
    return Incident(
        territory_id=territory.id,
        number=number,
        source="patrol",
        class_id=kind.id,
        category=kind.category,
        status="filed",
        priority=2,
        reported_at=dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC),
        grid_id=cell.id,
        community_id=cell.community_id,
        geom="SRID=4326;POINT(0.05 0.05)",
    )


def test_the_application_login_is_no_superuser_and_owns_nothing(session: Session) -> None:
    row = session.execute(
        text("SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user")
    ).one()
    assert tuple(row) == (False, False, False, False)
    owned = session.execute(
        text("SELECT count(*) FROM pg_class WHERE relowner = (SELECT oid FROM pg_roles WHERE rolname = current_user)")
    ).scalar()
    assert owned == 0


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE record SET actor_label = 'x'",
        "DELETE FROM record",
        "TRUNCATE record CASCADE",
        "INSERT INTO record (action, subject_table) VALUES ('insert', 'incident')",
        "DELETE FROM load_row",
        "UPDATE load_row SET subject_id = '1'",
        "TRUNCATE incident CASCADE",
        "ALTER TABLE incident DISABLE TRIGGER ALL",
        "ALTER TABLE incident DISABLE ROW LEVEL SECURITY",
        "UPDATE incident_day SET open = 0",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_login_cannot_get_round_the_record(session: Session, statement: str) -> None:
    a_city(session)
    with pytest.raises(ProgrammingError, match="denied|owner|append-only|must be"):
        session.execute(text(statement))


def test_not_even_the_owner_rewrites_the_record(cluster, fresh_database) -> None:
    from tests.conftest import engine_for

    engine = engine_for(cluster, fresh_database(), "gridkeeper_owner")
    with engine.begin() as connection:
        connection.execute(text("SELECT gk_record_event('login', 'app_user', '1', '{}')"))
    for statement in ("UPDATE record SET actor_label = 'x'", "DELETE FROM record", "TRUNCATE record"):
        with pytest.raises(ProgrammingError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))
    engine.dispose()


def test_each_changed_row_has_a_record_with_before_and_after(session: Session) -> None:
    territory, _, cells, kind = a_city(session)
    officer = Actor(user_id=None, label="Desk 1", role=Role.SUPERVISOR, territory_id=territory.id)
    as_actor(session, officer, purpose="test", command_id="c-1")
    incident = an_incident(territory, cells[0], kind, "T-1")
    session.add(incident)
    session.flush()
    incident.place = "Mill Lane"
    session.flush()
    created, changed = record.history(session, "incident", incident.id)
    assert (created.action, created.actor_label, created.actor_role, created.purpose) == (
        "insert",
        "Desk 1",
        "supervisor",
        "test",
    )
    assert created.changes["number"] == (None, "T-1")
    assert dict(changed.changes) == {"place": ("", "Mill Lane")}


def test_a_statement_that_changes_nothing_leaves_no_record(session: Session) -> None:
    a_city(session)
    before = session.execute(text("SELECT count(*) FROM record")).scalar()
    session.execute(text("UPDATE area SET name = name"))
    assert session.execute(text("SELECT count(*) FROM record")).scalar() == before


def test_an_update_that_leaves_the_shape_alone_does_not_keep_it_again(session: Session) -> None:
    _, areas, *_ = a_city(session)
    wider = "SRID=4326;" + shapely.MultiPolygon([shapely.box(0, 0, 0.2, 0.1)]).wkt
    session.execute(text("UPDATE area SET name = 'renamed' WHERE id = :id"), {"id": areas[0].id})
    session.execute(
        text("UPDATE area SET boundary = ST_GeomFromEWKT(:wkt) WHERE id = :id"), {"id": areas[0].id, "wkt": wider}
    )
    created, renamed, moved = record.history(session, "area", areas[0].id)
    assert "boundary" in created.changes
    assert dict(renamed.changes) == {"name": ("001", "renamed")}
    assert set(moved.changes) == {"boundary"}


def test_a_changed_key_does_not_escape_the_record(session: Session) -> None:
    territory, areas, *_ = a_city(session)
    spare = Area(territory_id=territory.id, level="street", code="9", name="spare", boundary=areas[0].boundary)
    session.add(spare)
    session.flush()
    session.execute(text("UPDATE area SET id = id + 1000, name = 'moved' WHERE id = :id"), {"id": spare.id})
    assert [entry.action for entry in record.history(session, "area", spare.id)] == ["insert", "update"]
    arrived = record.history(session, "area", spare.id + 1000)
    assert [entry.changes["name"] for entry in arrived] == [(None, "moved")]


def test_hashes_of_single_and_bulk_rows_can_be_recomputed(session: Session) -> None:
    territory, areas, _, _ = a_city(session)
    actor = system_actor(territory.id)
    load_id = bulk.begin_load(
        session, territory_id=territory.id, kind="grid", source_name="x", content_sha256="0", actor=actor
    )
    ids = bulk.reserve_ids(session, "unit_grid", 3)
    columns = {
        "id": ids,
        "territory_id": np.full(3, territory.id),
        "community_id": np.full(3, areas[0].id),
        "scheme": ["local"] * 3,
        "code": [f"001-{n:05d}" for n in (7, 8, 9)],
        "sequence": np.arange(7, 10),
        "kind": ["square"] * 3,
        "size_m": np.array([100.0, np.nan, 100.0]),
        "area_m2": np.ones(3),
        "started_on": [dt.date(2026, 1, 1)] * 3,
        "geom": [SQUARE] * 3,
    }
    assert bulk.copy_rows(session, "unit_grid", columns) == 3
    bulk.finish_load(session, load_id, {"cells": 3})
    assert session.scalar(select(UnitGrid.size_m).where(UnitGrid.id == int(ids[1]))) is None
    entries = record.history(session, "unit_grid", int(ids[0]))
    assert [entry.action for entry in entries] == ["insert"]
    assert record.first_bad(session) is None
    assert session.get(Load, load_id).counts == {"cells": 3}


def test_a_changed_byte_is_found(cluster, fresh_database) -> None:
    from tests.conftest import engine_for

    name = fresh_database()
    with Session(engine_for(cluster, name)) as session:
        as_actor(session, system_actor())
        a_city(session)
        session.commit()
    admin = engine_for(cluster, name, "gridkeeper_admin")
    with admin.begin() as connection:  # whoever owns the machine can alter everything; it must be found
        connection.execute(text("ALTER TABLE record DISABLE TRIGGER ALL"))
        seq = connection.execute(text("SELECT seq FROM record WHERE subject_table = 'area' LIMIT 1")).scalar()
        connection.execute(text("UPDATE record SET actor_label = 'nobody' WHERE seq = :seq"), {"seq": seq})
    with Session(admin) as session:
        assert record.first_bad(session) == seq
    admin.dispose()


SEES = {
    Role.SYSTEM: 2,
    Role.DISPATCHER: 2,
    Role.SUPERVISOR: 2,
    Role.AUDITOR: 2,
    Role.GRID_MANAGER: 1,
    Role.GRID_WORKER: 1,
    Role.HANDLER: 0,
    Role.PLANNER: 0,
    Role.ADMINISTRATOR: 0,
}


@pytest.mark.parametrize("role", list(Role))
def test_rows_of_incidents_by_role(session: Session, role: Role) -> None:
    territory, areas, cells, kind = a_city(session)
    session.add_all(an_incident(territory, cell, kind, f"T-{cell.id}") for cell in cells)
    session.flush()
    areas_seen = (areas[0].id,) if role in {Role.GRID_MANAGER, Role.GRID_WORKER} else ()
    as_actor(session, Actor(None, role.value, role, territory.id, area_ids=areas_seen))
    assert session.execute(text("SELECT count(*) FROM incident")).scalar() == SEES[role]


def test_another_territory_is_not_seen(session: Session) -> None:
    territory, _, cells, kind = a_city(session)
    session.add(an_incident(territory, cells[0], kind, "T-1"))
    session.flush()
    as_actor(session, Actor(None, "x", Role.DISPATCHER, territory.id + 1))
    assert session.execute(text("SELECT count(*) FROM incident")).scalar() == 0


def test_without_a_scope_nothing_is_seen(session: Session) -> None:
    territory, _, cells, kind = a_city(session)
    session.add(an_incident(territory, cells[0], kind, "T-1"))
    session.flush()
    session.execute(text("SELECT set_config('gridkeeper.role', '', true)"))
    assert session.execute(text("SELECT count(*) FROM incident")).scalar() == 0


def test_a_person_is_ciphertext_and_can_be_erased_while_the_record_stays_valid(session: Session) -> None:
    territory, *_ = a_city(session)
    subject = persons.new_subject(session)
    person = Person(
        territory_id=territory.id,
        subject_id=subject,
        name_cipher=persons.seal(session, subject, "Ada Lovelace"),
        phone_hash=persons.phone_hash("+44 1983 000 111"),
    )
    session.add(person)
    session.flush()
    assert persons.unseal(session, subject, person.name_cipher) == "Ada Lovelace"
    assert persons.phone_hash("0044 1983-000111") == person.phone_hash
    stored = session.execute(text("SELECT string_agg(after::text, '') FROM record")).scalar()
    assert "Lovelace" not in stored
    persons.erase(session, subject)
    assert persons.unseal(session, subject, person.name_cipher) is None
    assert record.first_bad(session) is None


def test_every_sealed_text_opens_again(session: Session) -> None:
    texts = ["井盖缺失", None, "", "a" * 5000]
    subjects, ciphers = persons.seal_many(session, texts)
    assert len(set(subjects)) == 4
    assert persons.unseal_many(session, subjects, ciphers) == texts


def test_numpy_types_survive_the_copy(session: Session) -> None:
    territory, areas, cells, kind = a_city(session)
    moments = np.array(["2026-03-01T10:00:00.123456", "NaT"], dtype="datetime64[us]")
    columns = {
        "territory_id": np.full(2, territory.id, dtype=np.int32),
        "number": np.array(["C-1", "C-2"], dtype=object),
        "source": ["import"] * 2,
        "class_id": np.full(2, kind.id),
        "category": [kind.category] * 2,
        "status": ["closed", "closed"],
        "priority": np.array([1, 2], dtype=np.int8),
        "reported_at": np.full(2, moments[0]),
        "closed_at": moments,
        "simulated": np.array([True, False]),
        "grid_id": np.full(2, cells[0].id),
        "community_id": np.full(2, areas[0].id),
        "geom": shapely.points([[0.01, 0.02], [0.03, 0.04]]),
    }
    assert bulk.copy_rows(session, "incident", columns) == 2
    rows = session.scalars(select(Incident).order_by(Incident.number)).all()
    assert rows[0].closed_at == dt.datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=dt.UTC)
    assert rows[1].closed_at is None
    assert (rows[0].simulated, rows[1].simulated) == (True, False)
    assert session.execute(text("SELECT ST_SRID(geom) FROM incident LIMIT 1")).scalar() == 4326


@pytest.mark.parametrize(
    ("role", "seen"), [(Role.DISPATCHER, 2), (Role.GRID_MANAGER, 1), (Role.AUDITOR, 2), (Role.PLANNER, 0)]
)
@pytest.mark.parametrize("bulk_load", [False, True])
def test_the_record_of_an_incident_is_read_by_whom_the_incident_is(
    session: Session, role: Role, seen: int, bulk_load: bool
) -> None:
    territory, areas, cells, kind = a_city(session)
    if bulk_load:
        bulk.begin_load(
            session,
            territory_id=territory.id,
            kind="demo",
            source_name="x",
            content_sha256="0",
            actor=system_actor(),
        )
    incidents = [an_incident(territory, cell, kind, f"T-{cell.id}") for cell in cells]
    session.add_all(incidents)
    session.flush()
    areas_seen = (areas[0].id,) if role is Role.GRID_MANAGER else ()
    as_actor(session, Actor(None, role.value, role, territory.id, area_ids=areas_seen))
    assert sum(len(record.history(session, "incident", incident.id)) for incident in incidents) == seen
    whole_table = "load_row" if bulk_load else "record"
    others = session.execute(text(f"SELECT count(*) FROM {whole_table} WHERE after ? 'number'")).scalar()
    assert others == seen


def test_bulk_writing_is_not_a_way_past_the_policies(session: Session, _session_engine: Engine) -> None:
    territory, areas, cells, kind = a_city(session)
    as_actor(session, Actor(None, "p", Role.PLANNER, territory.id))
    columns = {
        "territory_id": [territory.id],
        "number": ["P-1"],
        "source": ["import"],
        "class_id": [kind.id],
        "category": [kind.category],
        "status": ["filed"],
        "priority": [1],
        "reported_at": np.array(["2026-03-01"], dtype="datetime64[us]"),
        "grid_id": [cells[0].id],
        "community_id": [areas[0].id],
        "geom": [shapely.Point(0.01, 0.01)],
    }
    with pytest.raises(InsufficientPrivilege, match="row-level security"):
        bulk.copy_rows(session, "incident", columns)

"""Who may read, add, change and delete in every table, asked of the database itself with rows of a whole city."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege, IntegrityError
from sqlalchemy import Engine, select

from core.clock import now
from core.identity import Actor, Role, system_actor
from geodata.bulk import begin_load
from geodata.db import SCOPE_SQL, conninfo, scope_parameters, transaction
from geodata.persons import new_subject, seal
from geodata.tables import (
    Absence,
    AccessReview,
    Backup,
    Command,
    EmergencyRule,
    Erasure,
    Incident,
    Invitation,
    JobRun,
    Quarantine,
    RetentionRun,
    RosterException,
    RuleChange,
    SavedQueue,
    SizeDay,
    StandingDeputy,
    Study,
    StudyGround,
    StudySite,
    UnitGrid,
    UpstreamAnswer,
    UpstreamItem,
    Worker,
    WorkerPosition,
)
from insight import service as insight
from people import accounts
from tests.db.permission_matrix import (
    EVIDENCE,
    LETTERS,
    MATRIX,
    OF_INCIDENT,
    OPEN_COLUMNS,
    OPERATIONS,
    PROCRASTINATE,
    REVIEWED,
    SAID,
    SAMPLES,
    TODAY,
    TOLD,
)


@dataclasses.dataclass(frozen=True)
class City:
    """The connection of the application's login, and an actor of each role who owns nothing himself."""

    connection: psycopg.Connection
    actors: dict[str, Actor | None]

    def act(self, letter: str) -> None:
        actor = self.actors[letter]
        if actor is not None:
            self.connection.execute(SCOPE_SQL, scope_parameters(actor))

    def sample(self, table: str) -> dict[str, object]:
        """Return one row as JSON, found as the system."""
        query = SAMPLES.get(table, f"SELECT * FROM {table} LIMIT 1")
        if table in OF_INCIDENT:
            columns = OPEN_COLUMNS.get(table, "*")
            one = self.sample("incident")["id"]
            query = f"SELECT {columns} FROM {table} WHERE {OF_INCIDENT[table]} = {one} LIMIT 1"
        if table == "load_row":
            query = f"SELECT * FROM load_row WHERE subject_id = '{self.sample('incident')['id']}' LIMIT 1"
        with self.connection.transaction(force_rollback=True):
            self.act("S")
            row = self.connection.execute(f"SELECT to_jsonb(q) FROM ({query}) AS q").fetchone()
        assert row is not None, f"the demo city has no row in {table}"
        return dict(row[0])

    def key(self, table: str) -> str:
        """Return the first column of the primary key."""
        row = self.connection.execute(
            "SELECT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]"
            " WHERE indisprimary AND indrelid = to_regclass(%s)",
            [table],
        ).fetchone()
        assert row is not None
        return str(row[0])

    def may(self, letter: str, operation: str, table: str, row: dict[str, object]) -> bool:
        """Return whether the database lets the role do it to this row; everything is undone."""
        one = self.key(table)
        value = row[one]
        statement = {
            "see": "SELECT 1 FROM {table} WHERE {one} = {value}",
            "change": "UPDATE {table} SET {other} = {other} WHERE {one} = {value}",
            "delete": "DELETE FROM {table} WHERE {one} = {value}",
            "add": "INSERT INTO {table} OVERRIDING SYSTEM VALUE"
            " SELECT * FROM jsonb_populate_record(NULL::{table}, {row})",
        }[operation]
        query = sql.SQL(statement).format(
            table=sql.Identifier("public", table),
            one=sql.Identifier(one),
            other=sql.Identifier(list(row)[-1]),
            value=sql.Literal(value),
            row=sql.Literal(json.dumps(row)),
        )
        try:
            with self.connection.transaction(force_rollback=True):
                self.act(letter)
                return self.connection.execute(query).rowcount > 0
        except InsufficientPrivilege:
            return False
        except IntegrityError:
            return True


@pytest.fixture(scope="module")
def city(demo_database: Engine) -> Iterator[City]:
    del demo_database
    actors: dict[str, Actor | None] = {"N": None}
    with transaction(system_actor()) as session:
        officers = {each.role: each.actor("en") for each in accounts.demo_accounts(session)}
        officers[Role.GRID_WORKER] = dataclasses.replace(officers[Role.GRID_MANAGER], role=Role.GRID_WORKER)
        home = officers[Role.PLANNER].territory_id
        officers[Role.SYSTEM] = system_actor(home)
        accounts.start_session(session, accounts.demo_accounts(session)[0], locale="en")
        load = begin_load(
            session,
            territory_id=home or 0,
            kind="incidents",
            source_name="x",
            content_sha256="0",
            actor=system_actor(),
        )
        session.connection().exec_driver_sql("SELECT set_config('gridkeeper.load', '', true)")
        subject = new_subject(session)
        session.add(
            Quarantine(
                territory_id=home,
                load_id=load,
                row_no=1,
                reason="outside",
                message="x",
                fingerprint="x",
                subject_id=subject,
                raw_cipher=seal(session, subject, "x"),
            )
        )
        session.add(JobRun(territory_id=home, user_id=1, kind="load_osm", arguments={}, state="waiting"))
        session.add(
            Backup(
                at=now(),
                by_label="x",
                file_name="x",
                bytes=1,
                sha256="x",
                keys_saved=True,
                verified=True,
                counts={},
                last_seq=0,
                seconds=1,
            )
        )
        session.add(Erasure(subject_id="x", at=now(), territory_id=home, by_label="x", purpose="request"))
        session.add(Command(id="x", territory_id=home, user_id=1, act="close", digest="x"))
        session.add(RuleChange(title="x", edits=[], proposed_by=1))
        session.add(SavedQueue(territory_id=home, user_id=1, name="x", ask={"due": "late"}))
        away = session.scalars(select(Worker).order_by(Worker.id.desc()).limit(1)).one()
        away.unit_id = officers[Role.HANDLER].unit_ids[0]
        away.responsibility_grid_id = session.scalars(
            select(UnitGrid.responsibility_grid_id).where(
                UnitGrid.community_id.in_(officers[Role.GRID_MANAGER].area_ids),
                UnitGrid.responsibility_grid_id.is_not(None),
            )
        ).first()
        session.add(Absence(territory_id=home, worker_id=away.id, kind="leave", from_on=TODAY, to_on=TODAY))
        session.add(RosterException(territory_id=home, worker_id=away.id, day=TODAY, reason="free"))
        session.add(WorkerPosition(territory_id=home, worker_id=away.id, at=now(), geom="SRID=4326;POINT(0 0)"))
        first, second = officers[Role.PLANNER].user_id, officers[Role.AUDITOR].user_id
        session.add(Invitation(user_id=first, kind="invite", code_hash="x", expires_at=now()))
        session.add(StandingDeputy(territory_id=home, user_id=first, deputy_id=second))
        session.add(AccessReview(territory_id=home, user_id=first, reviewed_label="x"))
        session.add(EmergencyRule(territory_id=home, kind="word", phrase="x", service="fire"))
        session.add(UpstreamItem(territory_id=home, system="12345", ref="x", seen_at=now()))
        told = {"territory_id": home, "system": "12345", "batch": 1, "ref": "x", "digest": "x", "content": {}}
        session.add(UpstreamAnswer(incident_id=session.scalars(select(Incident.id).limit(1)).one(), **told))
        session.add(RetentionRun(at=now(), data_class="jobs", kept_days=90, deleted=0, actor_label="x"))
        session.add(SizeDay(day=TODAY, database_bytes=1))
        study = Study(
            territory_id=home,
            kind="p-median",
            p=1,
            mode="walk",
            limit_min=10,
            keep_existing=False,
            candidates=1,
            asked_label="x",
        )
        session.add(study)
        session.flush()
        part = {"study_id": study.id, "territory_id": home, "people": 1}
        session.add(StudySite(number=1, within=1, geom="SRID=4326;POINT(0 0)", **part))
        ground = "SRID=4326;MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))"
        session.add(StudyGround(kind="catchment", geom=ground, **part))
    for letter, role in LETTERS.items():
        if role is not None:
            actors[letter] = dataclasses.replace(officers[role], user_id=None)
    with psycopg.connect(conninfo(), autocommit=True) as connection:
        made = City(connection, actors)
        incident = made.sample("incident")
        with connection.transaction():
            made.act("S")
            connection.execute("UPDATE incident SET place = 'Mill Lane' WHERE id = %s", [incident["id"]])
            concerned = officers[Role.SUPERVISOR]
            given = {"home": home, "persons": [concerned.user_id]}
            for statement in REVIEWED:
                connection.execute(statement, given)
            connection.execute(SCOPE_SQL, scope_parameters(concerned))
            for statement in SAID:
                connection.execute(statement, given)
            made.act("S")
            for statement in (EVIDENCE, *TOLD):
                connection.execute(statement, {"home": home, "incident": incident["id"]})
            connection.execute(
                "INSERT INTO extension_request (territory_id, incident_id, reason, until, asked_at)"
                " VALUES (%s, %s, 'weather', now(), now())",
                [home, incident["id"]],
            )
            told_of = [home, incident["id"]]
            connection.execute(
                "INSERT INTO citizen_word (territory_id, incident_id, reached, told_at) VALUES (%s, %s, false, now())",
                told_of,
            )
            connection.execute(
                "INSERT INTO appeal (territory_id, incident_id, unit_id, effect, ground, evidence, asked_at)"
                " SELECT %s, id, unit_id, 1, 'weather', 'x', now() FROM incident WHERE id = %s",
                told_of,
            )
            connection.execute(
                "INSERT INTO evaluation_rule (territory_id, weight_response, weight_solution, weight_satisfaction,"
                " base, contact_hours, satisfied_from, appeal_days, reason, proposed_at)"
                " VALUES (%s, 1, 1, 1, 'asked', 48, 4, 15, 'x', now())",
                [home],
            )
            connection.execute(
                "INSERT INTO hand_over (territory_id, incident_id, service, phone) VALUES (%s, %s, 'fire', '119')",
                [home, incident["id"]],
            )
        with transaction(system_actor()) as session:
            insight.refresh(session, system_actor(), home or 0)
        yield made


def test_every_table_is_in_the_matrix(city: City) -> None:
    tables = city.connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
        " AND NOT relispartition AND relname NOT IN ('geometry_columns', 'geography_columns')"
    )
    assert {name for (name,) in tables if not name.startswith(PROCRASTINATE)} == set(MATRIX)


@pytest.mark.parametrize("table", [name for name in MATRIX if name not in {"record_batch", "incident_number", "draft"}])
def test_who_may_do_what(city: City, table: str) -> None:
    row = city.sample(table)
    found = tuple(
        "".join(letter for letter in LETTERS if city.may(letter, operation, table, row)) for operation in OPERATIONS
    )
    assert dict(zip(OPERATIONS, found, strict=True)) == dict(zip(OPERATIONS, MATRIX[table], strict=True))


@pytest.mark.parametrize("letter", "MWH")
def test_a_change_that_reads_nothing_reaches_no_further_than_the_eye(city: City, letter: str) -> None:
    with city.connection.transaction(force_rollback=True):
        city.act(letter)
        seen = city.connection.execute("SELECT count(*) FROM incident").fetchone()
        assert seen is not None
        assert city.connection.execute("UPDATE incident SET priority = 1").rowcount == seen[0]
        city.act("S")
        everything = city.connection.execute("SELECT count(*) FROM incident").fetchone()
        assert everything is not None
        assert seen[0] < everything[0]


@pytest.mark.parametrize("letter", "VDAMWHPT")
def test_another_territory_shows_and_takes_nothing(city: City, letter: str) -> None:
    actor = city.actors[letter]
    assert actor is not None
    away = dataclasses.replace(actor, territory_id=(actor.territory_id or 0) + 1)
    tables = ("incident", "incident_personal", "task", "incident_day", "person", "quarantine", "record", "load_row")
    for table in (*tables, "user_role", "job_run"):
        with city.connection.transaction(force_rollback=True):
            city.connection.execute(SCOPE_SQL, scope_parameters(away))
            assert city.connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    with city.connection.transaction(force_rollback=True):
        city.connection.execute(SCOPE_SQL, scope_parameters(away))
        assert city.connection.execute("UPDATE incident SET priority = 1").rowcount == 0


def test_nobody_deletes_incidents_by_deleting_their_territory(city: City) -> None:
    with pytest.raises(InsufficientPrivilege, match="delete rows of territory"), city.connection.transaction():
        city.act("V")
        city.connection.execute("DELETE FROM territory")


@pytest.mark.parametrize(("function", "arguments"), [("gk_record_change", "'id', ''"), ("gk_incident_changed", "")])
def test_the_owners_triggers_serve_no_table_of_ours(city: City, function: str, arguments: str) -> None:
    """A temporary table called incident would otherwise write a record of what never happened."""
    made = (
        f"CREATE TRIGGER forged AFTER INSERT ON incident REFERENCING NEW TABLE AS new_rows"
        f" FOR EACH STATEMENT EXECUTE FUNCTION {function}({arguments})"
    )
    with pytest.raises(InsufficientPrivilege), city.connection.transaction():
        city.act("D")
        city.connection.execute("CREATE TEMP TABLE incident (LIKE public.incident) ON COMMIT DROP")
        city.connection.execute(made)


def test_functions_with_the_owners_rights_look_into_the_catalogue_first(city: City) -> None:
    rows = city.connection.execute(
        "SELECT proname, proconfig, has_function_privilege(p.oid, 'EXECUTE') FROM pg_proc AS p"
        " WHERE prosecdef AND pronamespace = 'public'::regnamespace AND proname LIKE 'gk%' ORDER BY proname"
    ).fetchall()
    assert {name for name, _, callable_ in rows if callable_} == {
        "gk_accounts",
        "gk_administers",
        "gk_appeal_party",
        "gk_assign",
        "gk_changes",
        "gk_data_set_attach",
        "gk_data_set_in",
        "gk_data_set_table",
        "gk_data_sets_read",
        "gk_days_on",
        "gk_ground_days",
        "gk_publish",
        "gk_away",
        "gk_called_to",
        "gk_came_along",
        "gk_hand_over",
        "gk_held",
        "gk_is_party",
        "gk_is_steward",
        "gk_load_table",
        "gk_may_read_data_set",
        "gk_note_use",
        "gk_open_tasks",
        "gk_record_event",
        "gk_reporter",
        "gk_seal",
        "gk_stood_open",
        "gk_take_numbers",
        "gk_unit_open",
    }
    for name, settings, _ in rows:
        assert settings == ["search_path=pg_catalog, public, pg_temp"], name


def test_a_user_sees_his_own_account_and_stays_in_his_own_roles(city: City) -> None:
    with transaction(system_actor()) as session:
        mine, other = accounts.demo_accounts(session)[:2]
        accounts.start_session(session, mine, locale="en")
    actor = dataclasses.replace(mine.actor("en"), role=Role.GRID_MANAGER)
    own, away = {"mine": mine.role_id}, {"other": other.role_id}
    with city.connection.transaction(force_rollback=True):
        city.connection.execute(SCOPE_SQL, scope_parameters(actor))
        assert city.connection.execute("SELECT login FROM app_user").fetchall() == [(mine.login,)]
        assert city.connection.execute("SELECT DISTINCT user_id FROM user_session").fetchall() == [(mine.user_id,)]
        assert city.connection.execute("UPDATE user_session SET role_id = %(mine)s", own).rowcount >= 1
        with pytest.raises(InsufficientPrivilege), city.connection.transaction():
            city.connection.execute("UPDATE user_session SET role_id = %(other)s", away)


def test_the_map_still_finds_by_place_under_the_guards(city: City) -> None:
    """A policy on a table with geometry keeps its GiST index from being used; a study's few shapes need none."""
    rows = city.connection.execute(
        "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE atttypid = 'geometry'::regtype AND relrowsecurity AND relkind = 'r'"
    )
    few = {"closure", "grid_change_border", "grid_change_cell", "layer_place"}
    few |= {"study_site", "study_ground", "worker_position"}
    assert {name for (name,) in rows} == {"component", "incident", *few}

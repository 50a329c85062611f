"""What was written once stays, whoever asks the database itself: who sent out, and the answer of a study."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import Engine

from core.identity import Actor, Role, system_actor
from geodata.db import SCOPE_SQL, conninfo, scope_parameters, transaction
from geodata.tables import Study, StudySite
from people import accounts


@pytest.fixture(scope="module")
def officers(demo_database: Engine) -> dict[Role, Actor]:
    del demo_database
    with transaction(system_actor()) as session:
        found = {each.role: each.actor("en") for each in accounts.demo_accounts(session)}
        for state in ("asked", "answered"):
            study = Study(
                territory_id=found[Role.PLANNER].territory_id,
                title=state,
                kind="p-median",
                p=1,
                mode="walk",
                limit_min=10,
                keep_existing=False,
                candidates=1,
                asked_label="x",
                state=state,
            )
            session.add(study)
            session.flush()
            session.add(
                StudySite(
                    study_id=study.id,
                    territory_id=study.territory_id,
                    number=1,
                    people=1,
                    within=1,
                    geom="SRID=4326;POINT(0 0)",
                )
            )
    return found


@pytest.fixture
def connection(officers: dict[Role, Actor]) -> Iterator[psycopg.Connection]:
    del officers
    with psycopg.connect(conninfo()) as opened:
        yield opened
        opened.rollback()


def act(connection: psycopg.Connection, actor: Actor) -> None:
    connection.execute(SCOPE_SQL, scope_parameters(actor))


@pytest.mark.parametrize("value", ["NULL", "1"])
@pytest.mark.parametrize(
    ("table", "column"), [("task", "assigned_by"), ("incident", "dispatched_by")], ids=["task", "incident"]
)
def test_who_sent_out_is_not_written_away(
    connection: psycopg.Connection, officers: dict[Role, Actor], table: str, column: str, value: str
) -> None:
    dispatcher = officers[Role.DISPATCHER]
    act(connection, system_actor(dispatcher.territory_id))
    row = connection.execute(
        f"SELECT id FROM {table} WHERE {'kind' if table == 'task' else 'status'}"
        f" = '{'handle' if table == 'task' else 'dispatched'}' LIMIT 1"
    ).fetchone()
    assert row is not None
    connection.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [dispatcher.user_id, row[0]])
    act(connection, officers[Role.DISPATCHER])
    if value == str(dispatcher.user_id):
        value = "NULL"
    with pytest.raises(InsufficientPrivilege, match="is not changed"):
        connection.execute(f"UPDATE {table} SET {column} = {value} WHERE id = %s", [row[0]])


def test_an_answer_stands(connection: psycopg.Connection, officers: dict[Role, Actor]) -> None:
    act(connection, officers[Role.PLANNER])
    assert connection.execute("UPDATE study SET title = 'new' WHERE title = 'asked'").rowcount == 1
    gone = "DELETE FROM study_site USING study WHERE study.id = study_id AND title = '{}'"
    assert connection.execute(gone.format("answered")).rowcount == 0
    assert connection.execute(gone.format("new")).rowcount == 1
    with pytest.raises(InsufficientPrivilege, match="stands"):
        connection.execute("UPDATE study SET gap = 0 WHERE title = 'answered'")


def test_no_site_is_added_to_an_answer(connection: psycopg.Connection, officers: dict[Role, Actor]) -> None:
    act(connection, officers[Role.PLANNER])
    added = (
        "INSERT INTO study_site (study_id, territory_id, number, people, within, geom)"
        " SELECT id, territory_id, 2, 1, 1, 'SRID=4326;POINT(0 0)' FROM study WHERE title = %s"
    )
    assert connection.execute(added, ["asked"]).rowcount == 1
    with pytest.raises(InsufficientPrivilege):
        connection.execute(added, ["answered"])

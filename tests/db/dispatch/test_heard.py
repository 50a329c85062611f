"""Changes are heard of from the record: late commits, savepoints, and whoever begins to listen meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import Engine

from core.identity import system_actor
from geodata import changes, db

TOUCH = (
    "UPDATE incident SET version = version + 1 WHERE id = (SELECT max(id) - %s FROM incident) RETURNING territory_id"
)
Look = Callable[[], list[str]]


def _writer() -> psycopg.Connection:
    return psycopg.connect(db.conninfo())


def _write(writer: psycopg.Connection, which: int) -> str:
    """Touch an incident and return what has to be heard."""
    writer.execute(db.SCOPE_SQL, db.scope_parameters(system_actor()))
    row = writer.execute(TOUCH, [which]).fetchone()
    assert row is not None
    return f"{row[0]}:incidents"


def _looker(looking: psycopg.Connection, looks: int) -> Look:
    """Return how to look; so many looks are done already."""
    learned = changes.Changes()

    def look() -> list[str]:
        row = looking.execute(changes.SQL, learned.asked).fetchone()
        assert row is not None
        return learned.learn(row[0])

    for _ in range(looks):
        look()
    return look


@pytest.fixture
def looking(demo_database: Engine):
    """Return a connection of the application's login that acts for nobody."""
    del demo_database
    with psycopg.connect(db.conninfo(), autocommit=True) as connection:
        yield connection


def test_a_late_commit_is_heard_of_also_when_it_was_written_in_a_savepoint(looking: psycopg.Connection) -> None:
    look = _looker(looking, 4)
    with _writer() as slow, _writer() as quick:
        slow.execute("SELECT 1")
        with slow.transaction():  # a savepoint
            told = _write(slow, 0)
        assert look() == []
        _write(quick, 1)
        quick.commit()
        assert look() == [told]
        assert [look() for _ in range(4)] == [[]] * 4
        slow.commit()
        assert look() == [told]
        assert [look() for _ in range(4)] == [[]] * 4
        _write(quick, 2)
        quick.rollback()
        assert [look() for _ in range(4)] == [[]] * 4


def test_who_comes_again_hears_of_everything_when_those_at_work_have_ended(looking: psycopg.Connection) -> None:
    with _writer() as slow:
        told = _write(slow, 0)
        look = _looker(looking, 3)
        slow.commit()
        assert [each for _ in range(3) for each in look()] == [changes.EVERYTHING]
        assert _write(slow, 1) == told
        slow.commit()
        assert look() == [told]


def test_a_look_tells_who_has_no_role_nothing_but_that_something_changed(looking: psycopg.Connection) -> None:
    row = looking.execute(changes.SQL, {"since": 0, "upto": 0, "mark": False}).fetchone()
    assert row is not None
    assert set(row[0]) == {"last", "low", "mark", "rows"}
    assert {subject for _, subject, _, _ in row[0]["rows"]} <= {"incident", "task"}
    assert looking.execute("SELECT count(*) FROM record").fetchone() == (0,)

"""Rows by the million for proofs and measures, written by the database's owner with the triggers off."""

from __future__ import annotations

import contextlib
import datetime as dt
import time
from collections.abc import Callable, Iterator

from sqlalchemy import Connection, Engine, text

from geodata.record_search import RecordFilter

RECORD = """
    INSERT INTO record (seq, at, territory_id, actor_user_id, actor_role, actor_label, purpose, action, subject_table,
                        subject_id, grid_id, before, after, row_hash)
    OVERRIDING SYSTEM VALUE
    SELECT n, at, 1, person, role, label, '', act, tab, sub, grid, before, after,
           sha256(convert_to(jsonb_build_array(n, (extract(epoch FROM at) * 1000000)::bigint, 1, person, role, label,
                  '', NULL::text, act, tab, sub, grid, before, after, NULL::integer)::text, 'UTF8'))
    FROM (
        SELECT n, timestamptz '2024-01-01' + n * interval '6 seconds' AS at,
               1 + (n * 7919 % 300)::integer AS person,
               CASE WHEN n BETWEEN 5000 AND 5020 THEN 'left long ago' ELSE 'officer' || n * 7919 % 300 END AS label,
               (ARRAY['dispatcher', 'handler', 'grid_worker', 'supervisor', 'grid_manager'])[1 + n * 7919 % 300 % 5]
                   AS role,
               CASE WHEN n % 1000003 = 7 THEN 'export' WHEN n % 97 = 0 THEN 'login' WHEN n % 7 = 0 THEN 'insert'
                    ELSE 'update' END AS act,
               CASE WHEN n % 250007 = 3 THEN 'unit' WHEN n % 3 = 0 THEN 'task' ELSE 'incident' END AS tab,
               (n % 800000)::text AS sub, 1 + (n % 2003)::integer AS grid,
               jsonb_build_object('id', n % 800000, 'status', 'filed', 'version', n % 9, 'priority', 3,
                                  'place', 'High Street ' || n % 5000) AS before,
               jsonb_build_object('id', n % 800000, 'status', 'dispatched', 'version', n % 9 + 1, 'priority', 2,
                                  'place', 'High Street ' || n % 5000, 'unit_id', n % 40) AS after
        FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
    ) AS made
"""
STEP = 250_000


def many_records(owner: Engine, rows: int) -> None:
    """Fill an empty record; the indexes are made afterwards."""
    with without_triggers(owner, "record"):
        for first in range(1, rows + 1, STEP):
            with owner.begin() as connection:
                connection.execute(text(RECORD), {"first": first, "last": min(rows, first + STEP - 1)})


def many_incidents(owner: Engine, rows: int) -> None:
    """Repeat the incidents that are there, with their tasks left out, until there are so many."""
    with owner.connect() as connection:
        there, top = connection.execute(text("SELECT count(*), max(id) FROM incident")).one()
        names = connection.scalars(
            text(
                "SELECT attname FROM pg_attribute WHERE attrelid = 'incident'::regclass AND attnum > 0"
                " AND NOT attisdropped AND attgenerated = '' AND attname NOT IN ('id', 'number', 'external_ref')"
            )
        ).all()
    columns = ", ".join(f'"{name}"' for name in names)
    copied = text(
        f"INSERT INTO incident (id, number, {columns})"
        f" SELECT id + n * :top, number || '-' || n, {columns}"
        " FROM incident, generate_series(1, CAST(:times AS bigint)) AS n WHERE id <= :top"
    )
    with without_triggers(owner, "incident"), owner.begin() as connection:
        connection.execute(copied, {"times": rows // there, "top": top})


@contextlib.contextmanager
def without_triggers(owner: Engine, table: str) -> Iterator[None]:
    """Inside, the owner writes into a table past its triggers and its indexes but the unique ones."""
    with owner.begin() as connection:
        defined = connection.execute(
            text("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = :table AND indexname LIKE 'ix%'"),
            {"table": table},
        ).all()
        _alter(connection, table, "DISABLE TRIGGER USER")
        for name, _ in defined:
            connection.execute(text(f'DROP INDEX "{name}"'))
    yield
    with owner.begin() as connection:
        connection.execute(text("SET maintenance_work_mem = '1GB'"))
        for _, definition in defined:
            connection.execute(text(definition))
        _alter(connection, table, "ENABLE TRIGGER USER")
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"VACUUM ANALYZE {table}"))


def _alter(connection: Connection, table: str, *changes: str) -> None:
    for change in changes:
        connection.execute(text(f"ALTER TABLE {table} {change}"))


def record_filters(rows: int) -> dict[str, RecordFilter]:
    """What is looked for in a record of `many_records`: the common, the rare, and what is not there."""
    end = dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=6 * rows)
    return {
        "no filter": RecordFilter(),
        "person": RecordFilter(actor="officer17"),
        "person who left, 21 rows": RecordFilter(actor="left long ago"),
        "role": RecordFilter(role="supervisor"),
        "action, rare": RecordFilter(action="export"),
        "table, rare": RecordFilter(table="unit"),
        "one object": RecordFilter(table="incident", subject_id="4711"),
        "unit grid": RecordFilter(grid_id=77),
        "a week in the middle": RecordFilter(since=end - dt.timedelta(days=300), until=end - dt.timedelta(days=293)),
        "person and action": RecordFilter(actor="officer17", action="insert"),
        "person, table and grid": RecordFilter(actor="officer17", table="task", grid_id=77),
        "role and action that never meet": RecordFilter(role="auditor", action="update"),
    }


def milliseconds(work: Callable[[], object], runs: int) -> list[float]:
    """Wall time of client and server together, each run."""
    taken = []
    for _ in range(runs):
        begun = time.perf_counter()
        work()
        taken.append((time.perf_counter() - begun) * 1000)
    return taken

"""All SQL of data sets: their tables, batches, mappings and rows in quarantine."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import psycopg
import shapely
from numpy.typing import NDArray
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import CursorResult, Executable, func, select, text, update
from sqlalchemy.orm import Session

from geodata.exchange import Geometries
from geodata.exchange_pack import COLUMNS, HEADER, TRAILER
from geodata.tables import DataBatch, DataMapping, DataSet, DataSetRow, QuarantinedRow, Road, Unit

INCOMING = "incoming_rows"
NOT_PLACED = 200
"""Rows on no grid that are listed of one file."""


def find_data_set(session: Session, territory_id: int, key: str, *, lock: bool = False) -> DataSet | None:
    """Return a data set by its key; None when there is none."""
    query = select(DataSet).where(DataSet.territory_id == territory_id, DataSet.key == key)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def data_sets(session: Session, territory_id: int) -> list[DataSet]:
    """Return the data sets of a territory by key."""
    return list(session.scalars(select(DataSet).where(DataSet.territory_id == territory_id).order_by(DataSet.key)))


def has_table(session: Session, data_set_id: int) -> bool:
    """Return whether the data set was loaded before."""
    return (
        session.execute(text("SELECT to_regclass(:name)"), {"name": f"data_set_row_{data_set_id}"}).scalar() is not None
    )


def new_table(session: Session, data_set_id: int) -> str:
    """Make the bare table of a data set and return its name; the system alone may."""
    return str(session.execute(text("SELECT gk_data_set_table(:id)"), {"id": data_set_id}).scalar_one())


def attach(session: Session, data_set_id: int) -> list[tuple[int, bool, dict[str, Any] | None, bytes | None]]:
    """Make the filled table a partition with its indexes; return rows whose key stood there before, taken out.

    Each as its number in the file, whether it said the same, and else what it said and where.
    """
    session.execute(text("SET LOCAL maintenance_work_mem = '256MB'"))
    rows = session.execute(
        text("SELECT number, same, said, ST_AsBinary(place) FROM gk_data_set_attach(:id) ORDER BY number"),
        {"id": data_set_id},
    )
    return [(int(number), bool(same), said, place) for number, same, said, place in rows]


def begin_incoming(session: Session) -> str:
    """Make the temporary table that rows of a known data set come into first, and return its name."""
    session.execute(text(f"CREATE TEMP TABLE {INCOMING} (LIKE data_set_row INCLUDING DEFAULTS) ON COMMIT DROP"))
    return INCOMING


def copy_packed(session: Session, table: str, body: bytes) -> None:
    """Append packed rows to a table by binary COPY."""
    driver = cast("psycopg.Connection", session.connection().connection.dbapi_connection)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, COLUMNS))
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(HEADER)
        copy.write(body)
        copy.write(TRAILER)


def merge_incoming(
    session: Session, data_set_id: int, batch_id: int, moment: dt.datetime
) -> tuple[dict[str, int], list[tuple[int, dict[str, Any], bytes | None]]]:
    """Take over what is new or changed, and return the counts and the rows whose key stands in the file twice.

    A row that says what is held already is a duplicate; one that says something else is the next version, and the one
    before ends at ``moment``.
    """
    given = {"set": data_set_id, "batch": batch_id, "at": moment}
    session.execute(text(f"CREATE INDEX ON {INCOMING} (row_key)"))
    session.execute(text(f"ANALYZE {INCOMING}"))
    gone = session.execute(
        text(
            f"""
            WITH told AS (
                SELECT ctid AS at, content_hash, row_number() OVER same_key AS n,
                       first_value(content_hash) OVER same_key AS first
                FROM {INCOMING} WINDOW same_key AS (PARTITION BY row_key ORDER BY row_number)
            ), gone AS (
                DELETE FROM {INCOMING} AS r USING told WHERE r.ctid = told.at AND told.n > 1
                RETURNING r.row_number, told.first = r.content_hash AS same, r.properties, ST_AsBinary(r.geom) AS place
            )
            SELECT row_number, same, CASE WHEN same THEN NULL ELSE properties END, place FROM gone ORDER BY row_number
            """  # noqa: S608  (the name is our own)
        )
    ).all()
    known = session.execute(
        text(
            f"""
            WITH known AS (
                DELETE FROM {INCOMING} AS r USING data_set_row AS o
                WHERE o.data_set_id = :set AND o.row_key = r.row_key AND o.valid_to IS NULL
                  AND o.content_hash = r.content_hash RETURNING 1
            ) SELECT count(*) FROM known
            """  # noqa: S608
        ),
        given,
    ).scalar_one()
    changed = _changed(
        session,
        text(
            f"""
            UPDATE data_set_row AS o SET valid_to = :at, ended_by = :batch FROM {INCOMING} AS r
            WHERE o.data_set_id = :set AND o.row_key = r.row_key AND o.valid_to IS NULL
            """  # noqa: S608
        ),
        given,
    )
    added = _changed(
        session,
        text(f"INSERT INTO data_set_row SELECT * FROM {INCOMING}"),  # noqa: S608
    )
    placed = session.execute(
        text(
            "SELECT count(*) FROM data_set_row"
            " WHERE data_set_id = :set AND batch_id = :batch AND unit_grid_id IS NOT NULL"
        ),
        given,
    ).scalar_one()
    session.execute(text(f"DROP TABLE {INCOMING}"))
    same = sum(1 for row in gone if row[1])
    counts = {"loaded": added - changed, "changed": changed, "duplicates": known + same, "placed": placed}
    return counts, [(int(number), said, place) for number, same_, said, place in gone if not same_]


def _changed(session: Session, statement: Executable, given: Mapping[str, Any] | None = None) -> int:
    """Return how many rows a statement changed."""
    return cast("CursorResult[Any]", session.execute(statement, given)).rowcount


def next_batch_id(session: Session) -> int:
    """Return the number of the batch to come: its rows refer to it before it is written."""
    return int(session.execute(text("SELECT nextval(pg_get_serial_sequence('data_batch', 'id'))")).scalar_one())


def add_batch(session: Session, values: Mapping[str, Any]) -> DataBatch:
    """Write a batch once, with what came of it."""
    batch = DataBatch(**values)
    session.add(batch)
    session.flush()
    return batch


def not_placed(session: Session, data_set_id: int, batch_id: int, limit: int = NOT_PLACED) -> list[dict[str, Any]]:
    """Return rows of a batch that lie on no grid by number: its key, where it lies, or why it waits in quarantine."""
    given = {"set": data_set_id, "batch": batch_id, "limit": limit}
    rows = session.execute(
        text(
            "SELECT row_number AS row, row_key AS key, round(ST_X(ST_PointOnSurface(geom))::numeric, 6)::float AS lon,"
            " round(ST_Y(ST_PointOnSurface(geom))::numeric, 6)::float AS lat,"
            " CASE WHEN geom IS NULL THEN 'It has no place.' ELSE 'No unit grid lies there.' END AS why,"
            " CASE WHEN geom IS NULL THEN '没有位置。' ELSE '该处没有单元网格。' END AS why_zh"
            " FROM data_set_row WHERE data_set_id = :set AND batch_id = :batch AND unit_grid_id IS NULL"
            " UNION ALL SELECT row_number, NULL, NULL, NULL, 'Quarantine: ' || (violations -> 0 ->> 'sentence'),"
            " '隔离区：' || coalesce(violations -> 0 ->> 'sentence_zh', '')"
            " FROM quarantined_row WHERE batch_id = :batch"
            " ORDER BY row LIMIT :limit"
        ),
        given,
    )
    return [dict(each) for each in rows.mappings()]


def find_batch(session: Session, batch_id: int, *, lock: bool = False) -> DataBatch | None:
    """Return a batch; None when there is none that the actor may see."""
    query = select(DataBatch).where(DataBatch.id == batch_id)
    return session.scalars(query.with_for_update() if lock else query).one_or_none()


def batches(session: Session, data_set_id: int, limit: int = 50) -> list[DataBatch]:
    """Return the newest batches of a data set, newest first."""
    query = select(DataBatch).where(DataBatch.data_set_id == data_set_id).order_by(DataBatch.id.desc()).limit(limit)
    return list(session.scalars(query))


def recent_batches(session: Session, territory_id: int, limit: int) -> list[tuple[DataBatch, DataSet]]:
    """Return the newest batches of a territory with their data sets, the newest first."""
    query = (
        select(DataBatch, DataSet)
        .join(DataSet, DataSet.id == DataBatch.data_set_id)
        .where(DataBatch.territory_id == territory_id)
        .order_by(DataBatch.id.desc())
        .limit(limit)
    )
    return [(batch, data_set) for batch, data_set in session.execute(query)]


def newest_loaded(session: Session, data_set_id: int) -> DataBatch | None:
    """Return the newest batch of a data set that was not undone."""
    query = select(DataBatch).where(DataBatch.data_set_id == data_set_id, DataBatch.status == "loaded")
    return session.scalars(query.order_by(DataBatch.id.desc()).limit(1)).first()


def undo(session: Session, data_set_id: int, batch_id: int) -> tuple[int, int]:
    """Take the rows of a batch out and let those it ended hold again; return how many of each."""
    given = {"set": data_set_id, "batch": batch_id}
    ours = "FROM data_set_row WHERE data_set_id = :set"
    gone = _changed(session, text(f"DELETE {ours} AND batch_id = :batch"), given)
    back = _changed(
        session,
        text("UPDATE data_set_row SET valid_to = NULL, ended_by = NULL WHERE data_set_id = :set AND ended_by = :batch"),
        given,
    )
    session.execute(
        text("UPDATE quarantined_row SET state = 'dropped' WHERE batch_id = :batch AND state = 'open'"), given
    )
    session.execute(
        text("UPDATE quarantined_row SET state = 'open', fixed_batch_id = NULL WHERE fixed_batch_id = :batch"), given
    )
    return gone, back


def add_quarantined(
    session: Session, rows: Sequence[tuple[int, Mapping[str, Any], Sequence[Mapping[str, Any]]]], **of: int
) -> None:
    """Write rows into quarantine: number, cells as read, violations; ``of``: territory_id, data_set_id, batch_id."""
    if not rows:
        return
    driver = cast("psycopg.Connection", session.connection().connection.dbapi_connection)
    with driver.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO quarantined_row (territory_id, data_set_id, batch_id, row_number, raw, violations)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            [
                (of["territory_id"], of["data_set_id"], of["batch_id"], number, Jsonb(dict(raw)), Jsonb(list(wrong)))
                for number, raw, wrong in rows
            ],
        )


def newest_mapping(session: Session, territory_id: int, name: str) -> DataMapping | None:
    """Return the newest version of a mapping; None when there is none of that name."""
    query = select(DataMapping).where(DataMapping.territory_id == territory_id, DataMapping.name == name)
    return session.scalars(query.order_by(DataMapping.version.desc()).limit(1)).first()


def mappings(session: Session, territory_id: int) -> list[DataMapping]:
    """Return the newest version of every mapping of a territory, by name."""
    query = select(DataMapping).where(DataMapping.territory_id == territory_id)
    query = query.distinct(DataMapping.name).order_by(DataMapping.name, DataMapping.version.desc())
    return list(session.scalars(query))


def mapping_of(session: Session, mapping_id: int) -> DataMapping | None:
    """Return one version of a mapping."""
    return session.get(DataMapping, mapping_id)


def hidden_sets(session: Session, territory_id: int, keys: Iterable[str]) -> list[str]:
    """Return those of these data sets that the actor may not read."""
    query = select(DataSet.key).where(
        DataSet.territory_id == territory_id,
        DataSet.key.in_(list(keys)),
        text("NOT data_set.id = ANY (gk_data_sets_read())"),
    )
    return sorted(session.scalars(query))


def cells_of(session: Session, territory_id: int, key: str, field: str) -> frozenset[str]:
    """Return what stands in a field of a data set today, for rules that refer to it."""
    value = DataSetRow.properties[field].astext
    query = (
        select(value)
        .join(DataSet, DataSet.id == DataSetRow.data_set_id)
        .where(
            DataSet.territory_id == territory_id, DataSet.key == key, DataSetRow.valid_to.is_(None), value.is_not(None)
        )
        .distinct()
    )
    return frozenset(session.scalars(query))


def cells_with_keys(session: Session, data_set_id: int, field: str) -> tuple[list[str], list[str]]:
    """Return what stands in a field of the rows of today, and their keys beside it, for rules that ask for unique."""
    value = DataSetRow.properties[field].astext
    query = select(value, DataSetRow.row_key).where(
        DataSetRow.data_set_id == data_set_id, DataSetRow.valid_to.is_(None), value.is_not(None)
    )
    rows = session.execute(query.execution_options(yield_per=50_000)).all()
    return [row[0] for row in rows], [row[1] for row in rows]


def street_lines(session: Session, territory_id: int, most: int = 60_000) -> Geometries:
    """Return lines of the streets of a territory in EPSG:4326."""
    query = select(func.ST_AsBinary(Road.geom)).where(Road.territory_id == territory_id, Road.drivable).limit(most)
    rows = [bytes(each) for each in session.scalars(query)]
    made: NDArray[np.object_] = shapely.from_wkb(np.array(rows, dtype=object)) if rows else np.empty(0, dtype=object)
    return made


def unit_of(session: Session, unit_id: int) -> Unit | None:
    """Return a unit."""
    return session.get(Unit, unit_id)


def quarantined(
    session: Session, territory_id: int, *, data_set_id: int | None = None, batch_id: int | None = None,
    state: str = "open", limit: int = 1000, after: int = 0,
) -> list[QuarantinedRow]:  # fmt: skip
    """Return rows in quarantine that the actor may see, by number."""
    query = select(QuarantinedRow).where(QuarantinedRow.territory_id == territory_id, QuarantinedRow.id > after)
    if state:
        query = query.where(QuarantinedRow.state == state)
    if data_set_id is not None:
        query = query.where(QuarantinedRow.data_set_id == data_set_id)
    if batch_id is not None:
        query = query.where(QuarantinedRow.batch_id == batch_id)
    return list(session.scalars(query.order_by(QuarantinedRow.id).limit(limit)))


def quarantined_by_id(session: Session, territory_id: int, ids: Sequence[int]) -> list[QuarantinedRow]:
    """Return rows in quarantine by their numbers, locked, as far as the actor may see them."""
    query = select(QuarantinedRow).where(QuarantinedRow.territory_id == territory_id, QuarantinedRow.id.in_(list(ids)))
    return list(session.scalars(query.order_by(QuarantinedRow.id).with_for_update()))


def quarantine_counts(session: Session, territory_id: int) -> list[tuple[int, int, int]]:
    """Return data set, batch and number of open rows, the newest batch first."""
    query = (
        select(QuarantinedRow.data_set_id, QuarantinedRow.batch_id, func.count())
        .where(QuarantinedRow.territory_id == territory_id, QuarantinedRow.state == "open")
        .group_by(QuarantinedRow.data_set_id, QuarantinedRow.batch_id)
        .order_by(QuarantinedRow.batch_id.desc())
    )
    return [(int(one), int(two), int(count)) for one, two, count in session.execute(query)]


def settle(session: Session, ids: Iterable[int], values: Mapping[str, Any]) -> int:
    """Write what became of rows in quarantine; return how many."""
    query = update(QuarantinedRow).where(QuarantinedRow.id.in_(list(ids)))
    return _changed(session, query.values(version=QuarantinedRow.version + 1, **values))

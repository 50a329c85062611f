"""Bulk loading: binary COPY from arrays, and the load that the record refers to."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import psycopg
import shapely
from geoalchemy2 import Geometry
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Time,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.identity import Actor
from geodata.tables import Base, Load

SRID = 4326
_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (Geometry, "bytea"),  # EWKB is what the binary form of a geometry is
    (SmallInteger, "int2"),
    (BigInteger, "int8"),
    (Integer, "int4"),
    (Float, "float8"),
    (Boolean, "bool"),
    (JSONB, "jsonb"),
    (DateTime, "timestamptz"),
    (Date, "date"),
    (Time, "time"),
    (LargeBinary, "bytea"),
    (String, "text"),
)


def copy_rows(session: Session, table: str, columns: Mapping[str, Sequence[Any] | np.ndarray]) -> int:
    """Append rows by binary COPY and return how many.

    Parameters
    ----------
    columns
        Column name to values, all of one length. Geometry columns take shapely objects in
        EPSG:4326, JSONB takes dicts; None, NaN and NaT become NULL. Columns left out get their
        default.

    Raises
    ------
    InvalidInput
        When the columns differ in length.

    Notes
    -----
    PostgreSQL refuses COPY into tables with row-level security, so rows for those go through a
    temporary table and one INSERT, which the policies check.
    """
    target = Base.metadata.tables[table]
    names = list(columns)
    lengths = {len(values) for values in columns.values()}
    if len(lengths) != 1:
        raise InvalidInput(f"Columns for {table} differ in length: {sorted(lengths)}.")
    count = lengths.pop()
    if not count:
        return 0
    adapted = [_adapted(target.c[name], columns[name]) for name in names]
    types = [_type_name(target.c[name]) for name in names]
    driver = cast("psycopg.Connection", session.connection().connection.dbapi_connection)
    columns_sql = sql.SQL(", ").join(map(sql.Identifier, names))
    staged = session.execute(
        text("SELECT relrowsecurity FROM pg_class WHERE oid = to_regclass(:table)"), {"table": table}
    ).scalar()
    into = f"staged_{table}" if staged else table
    with driver.cursor() as cursor:
        if staged:
            cursor.execute(
                sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                    sql.Identifier(into), columns_sql, sql.Identifier(table)
                )
            )
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary)").format(sql.Identifier(into), columns_sql)
        with cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in zip(*adapted, strict=True):
                copy.write_row(row)
        if staged:
            cursor.execute(
                sql.SQL("INSERT INTO {0} ({1}) SELECT {1} FROM {2}").format(
                    sql.Identifier(table), columns_sql, sql.Identifier(into)
                )
            )
            cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(into)))
    return count


def reserve_ids(session: Session, table: str, count: int) -> np.ndarray:
    """Return ``count`` fresh primary keys of ``table``, so that rows that refer to them can be copied too."""
    sequence = session.execute(text("SELECT pg_get_serial_sequence(:table, 'id')"), {"table": table}).scalar_one()
    rows = session.execute(
        text("SELECT nextval(CAST(:sequence AS regclass)) FROM generate_series(1, :count)"),
        {"sequence": sequence, "count": count},
    )
    return np.fromiter((row[0] for row in rows), dtype=np.int64, count=count)


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content as hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def begin_load(
    session: Session, *, territory_id: int, kind: str, source_name: str, content_sha256: str, actor: Actor
) -> int:
    """Open a load and return its id; for the rest of the transaction the record keeps bulk rows for it."""
    load = Load(
        territory_id=territory_id,
        kind=kind,
        source_name=source_name,
        content_sha256=content_sha256,
        actor_label=actor.label,
        counts={},
    )
    session.add(load)
    session.flush()
    session.execute(text("SELECT set_config('gridkeeper.load', :id, true)"), {"id": str(load.id)})
    return load.id


def finish_load(session: Session, load_id: int, counts: Mapping[str, Any]) -> None:
    """Write what came of a load and return to one record row per changed row."""
    session.execute(text("SELECT set_config('gridkeeper.load', '', true)"))
    session.execute(update(Load).where(Load.id == load_id).values(counts=dict(counts)))


def find_load(session: Session, territory_id: int, kind: str, content_sha256: str) -> Load | None:
    """Return the newest load of the same content into the territory; None when there was none."""
    same = (Load.territory_id == territory_id, Load.kind == kind, Load.content_sha256 == content_sha256)
    return session.scalars(select(Load).where(*same).order_by(Load.id.desc()).limit(1)).first()


def _type_name(column: Column[Any]) -> str:
    kind = column.type
    if isinstance(kind, ARRAY):
        return _scalar_type_name(kind.item_type) + "[]"
    return _scalar_type_name(kind)


def _scalar_type_name(kind: Any) -> str:
    for python_type, name in _TYPE_NAMES:
        if isinstance(kind, python_type):
            return name
    raise InvalidInput(f"Bulk loading knows no column type {kind!r}.")


def _adapted(column: Column[Any], values: Sequence[Any] | np.ndarray) -> Iterable[Any]:  # noqa: PLR0911  (a line per type)
    kind = column.type
    if isinstance(kind, Geometry):
        array = np.asarray(values, dtype=object)
        return list(shapely.to_wkb(shapely.set_srid(array, SRID), include_srid=True))
    if isinstance(kind, JSONB):
        return (None if value is None else Jsonb(value) for value in values)
    if isinstance(kind, DateTime):
        moments = pd.to_datetime(pd.Series(values), utc=True).dt.as_unit("us")
        return (None if _missing(value) else value.to_pydatetime() for value in moments)
    if isinstance(kind, ARRAY):
        return (None if value is None else list(value) for value in values)
    if isinstance(kind, (Integer, Float)):
        return _numbers(values, integer=isinstance(kind, Integer))
    if isinstance(values, np.ndarray):
        return (None if _missing(value) else value for value in values.tolist())
    return (None if _missing(value) else value for value in values)


def _numbers(values: Sequence[Any] | np.ndarray, *, integer: bool) -> Iterator[Any]:
    plain = values.tolist() if isinstance(values, (np.ndarray, pd.Series)) else values
    convert = int if integer else float
    return (None if _missing(value) else convert(value) for value in plain)


def _missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))

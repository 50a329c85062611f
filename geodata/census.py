"""What stands in a database, so that two can be compared: rows and checksum of each table, and the record's hashes."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from core.progress import Progress
from geodata.dumping import APART
from geodata.record import BAD_LOADS, BAD_ROWS

_TABLES = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
      AND relname <> 'spatial_ref_sys' ORDER BY relname
"""
# The sum does not depend on the order of the rows; md5 is the same on every server.
_TABLE = """
    SELECT count(*), coalesce(sum(('x' || left(md5(t::text), 15))::bit(60)::bigint), 0)::text FROM ONLY public.{} AS t
"""
_WRITTEN_FORM = """
    SET LOCAL datestyle = 'ISO'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL timezone = 'UTC';
    SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1
"""
_FACTS = ("revision", "last_seq", "record_sha256", "bad_seq")
_HASHES = "SELECT string_agg(row_hash, ''::bytea ORDER BY seq) FROM record GROUP BY seq / 65536 ORDER BY seq / 65536"


@dataclass(frozen=True)
class Census:
    """What stands in a database.

    Attributes
    ----------
    tables
        Table to (rows, checksum over all columns of all rows).
    last_seq
        Last number of the record; 0 when it is empty.
    record_sha256
        Over the hashes of the record's rows, in their order.
    bad_seq
        First row of the record that does not fit its hash; None when all fit.
    """

    revision: str
    tables: Mapping[str, tuple[int, str]]
    last_seq: int
    record_sha256: str
    bad_seq: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return it for a manifest."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Census:
        """Return what a manifest says."""
        tables = {name: (int(rows), str(checksum)) for name, (rows, checksum) in said["tables"].items()}
        return cls(**dict(said) | {"tables": tables})

    @property
    def counts(self) -> dict[str, int]:
        """Return table to rows."""
        return {name: rows for name, (rows, _) in self.tables.items()}


def take_census(connection: psycopg.Connection, progress: Progress) -> Census | None:
    """Return what the connection's transaction sees, asked as the owner; None when the schema was never made."""
    if _one(connection, "SELECT to_regclass('public.alembic_version')") is None:
        return None
    connection.execute(_WRITTEN_FORM)
    tables = {}
    for (name,) in connection.execute(_TABLES).fetchall():
        rows, checksum = connection.execute(sql.SQL(_TABLE).format(sql.Identifier(name))).fetchone() or (0, "0")
        tables[name] = (rows, checksum)
        progress.advance()
    digest = hashlib.sha256()
    with connection.cursor(name="hashes") as cursor:
        for (piece,) in cursor.execute(_HASHES):
            digest.update(piece)
    bad = [seq for query in (BAD_ROWS, BAD_LOADS) if (seq := _one(connection, query)) is not None]
    return Census(
        revision=str(_one(connection, "SELECT version_num FROM alembic_version")),
        tables=tables,
        last_seq=_one(connection, "SELECT coalesce(max(seq), 0) FROM record"),
        record_sha256=digest.hexdigest(),
        bad_seq=min(bad, default=None),
    )


def _one(connection: psycopg.Connection, query: str) -> Any:
    row = connection.execute(query.encode()).fetchone()
    return None if row is None else row[0]


def differences(expected: Census, found: Census | None, *, with_keys: bool) -> list[str]:
    """Return in words where two differ; empty when they are equal.

    Parameters
    ----------
    with_keys
        Whether the keys of persons are to be equal too.
    """
    if found is None:
        return ["there is no schema"]
    left_out = () if with_keys else APART
    names = sorted((expected.tables.keys() | found.tables.keys()) - set(left_out))
    said = []
    for name in names:
        (rows, checksum), (others, other) = expected.tables.get(name, (0, "")), found.tables.get(name, (0, ""))
        if rows != others:
            said.append(f"{name} has {others:,} rows and not {rows:,}")
        elif checksum != other:
            said.append(f"rows of {name} differ")
    facts = ((what, getattr(expected, what), getattr(found, what)) for what in _FACTS)
    return [*said, *(f"{what} is {is_} and not {was}" for what, was, is_ in facts if is_ != was)]

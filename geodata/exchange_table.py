"""A table of another PostgreSQL, brought near as a Parquet file: read only, streamed, with its coordinate system.

Which databases there are stands in a file that whoever runs the platform keeps (`GRIDKEEPER_DATA_SOURCES`, TOML): a
name, and how to connect. Nobody else sees or gives a password, and none stands in a page, an address or the record.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import parquet

from core.errors import InvalidInput, NotFound, SourceUnavailable
from core.progress import Progress
from core.settings import settings
from geodata.exchange_fetch import Fetched

CONNECT_S: Final = 8
WHOLE_MS: Final = 30 * 60 * 1000
PIECE_ROWS: Final = 10_000
ROWS_AT_MOST: Final = 50_000_000
_SHOWN: Final = 20
_TABLES = """
    SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p') AND has_table_privilege(c.oid, 'SELECT') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%' ORDER BY 1, 2
"""
_COLUMNS = """
    SELECT a.attname, t.typname FROM pg_attribute AS a JOIN pg_type AS t ON t.oid = a.atttypid
    WHERE a.attrelid = to_regclass(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""


def names() -> tuple[str, ...]:
    """Return the names of the databases that tables may come from."""
    return tuple(sorted(_sources()))


def tables(source: str) -> list[str]:
    """Return the tables of a database that may be read, as schema.table."""
    with _connected(source) as connection:
        return [f"{schema}.{name}" for schema, name in connection.execute(_TABLES).fetchall()]


def brought(source: str, table: str, folder: Path, progress: Progress) -> Fetched:
    """Return a table of a named database as a file in a folder.

    Raises
    ------
    InvalidInput
        When there is no such source; NotFound when it has no such table; SourceUnavailable when it does not answer.
    """
    progress.step("Fetching from the server")
    schema, _, name = table.rpartition(".")
    schema = schema or "public"
    whole = sql.Identifier(schema, name)
    with _connected(source) as connection:
        columns = connection.execute(_COLUMNS, (whole.as_string(connection),)).fetchall()
        if not columns:
            known = [f"{one}.{two}" for one, two in connection.execute(_TABLES).fetchall()]
            raise NotFound(
                f"{source} has no table {table[:80]!r} that may be read.",
                hint=f"It has {', '.join(known[:_SHOWN]) or 'none'}.",
                zh=f"{source} 中没有可读取的表 {table[:80]}，现有：{'、'.join(known[:_SHOWN])}。",
            )
        shape = next((column for column, kind in columns if kind in {"geometry", "geography"}), "")
        others = [column for column, kind in columns if kind not in {"geometry", "geography", "raster", "bytea"}]
        path = folder / "fetched.parquet"
        rows = _stream(connection, _Table(whole, others, shape), path, progress)
    return Fetched(path, f"{source}: {schema}.{name}", rows)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table to read: its name, its columns as text, and its column of shapes; empty where it has none."""

    name: sql.Identifier
    columns: Sequence[str]
    shape: str

    def query(self) -> sql.Composed:
        """Return the statement that reads it."""
        parts: list[sql.Composable] = [sql.SQL("{}::text").format(sql.Identifier(each)) for each in self.columns]
        if self.shape:
            parts.append(sql.SQL("ST_AsBinary({}::geometry)").format(sql.Identifier(self.shape)))
        return sql.SQL("SELECT {} FROM {}").format(sql.SQL(", ").join(parts), self.name)

    def schema(self, connection: psycopg.Connection) -> pa.Schema:
        """Return the columns of the file it becomes, with the coordinate system of its shapes."""
        fields = [pa.field(column, pa.string()) for column in self.columns]
        if not self.shape:
            return pa.schema(fields)
        fields.append(pa.field(self.shape, pa.binary()))
        asked = sql.SQL("SELECT ST_SRID({0}::geometry) FROM {1} WHERE {0} IS NOT NULL LIMIT 1")
        first = connection.execute(asked.format(sql.Identifier(self.shape), self.name)).fetchone()
        return pa.schema(fields, metadata={"geo": json.dumps(_geo(self.shape, int(first[0]) if first else 0))})


def _stream(connection: psycopg.Connection, table: _Table, path: Path, progress: Progress) -> int:
    schema, rows = table.schema(connection), 0
    with connection.cursor(name="gate") as cursor, parquet.ParquetWriter(path, schema) as writer:
        cursor.itersize = PIECE_ROWS
        cursor.execute(table.query())
        while piece := cursor.fetchmany(PIECE_ROWS):
            cells = list(zip(*piece, strict=True))
            arrays = [pa.array(each, field.type) for each, field in zip(cells, schema, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=schema))
            rows += len(piece)
            if rows > ROWS_AT_MOST or path.stat().st_size > settings().upload_max_mib << 20:
                raise InvalidInput(
                    f"The table has more than is taken at once ({rows:,} rows so far).",
                    hint="Let it give a view of fewer rows or columns, or have the limit on uploads raised.",
                    zh=f"该表数据过多（已读 {rows:,} 行），请改用行列更少的视图或调高上传上限。",
                )
            progress.advance(len(piece))
    return rows


def _geo(shape: str, srid: int) -> dict[str, Any]:
    """Return what GeoParquet says of its shapes; of a table without a system nothing, so that it is found."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_epsg(srid).to_json_dict() if srid else None
    except CRSError:
        crs = None
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": [], "crs": crs}
    return {"version": "1.0.0", "primary_column": shape, "columns": {shape: column}}


@contextmanager
def _connected(source: str) -> Iterator[psycopg.Connection]:
    known = _sources()
    if source not in known:
        told = ", ".join(sorted(known)) or "none"
        raise InvalidInput(
            f"There is no database called {source[:60]!r}.",
            hint=f"There is {told}; whoever runs the platform names them in the file of GRIDKEEPER_DATA_SOURCES.",
            zh=f"没有名为 {source[:60]} 的数据库（现有：{told}），请由运维人员在 GRIDKEEPER_DATA_SOURCES 文件中配置。",
        )
    options = f"-c default_transaction_read_only=on -c statement_timeout={WHOLE_MS}"
    try:
        with psycopg.connect(known[source], connect_timeout=CONNECT_S, options=options) as connection:
            yield connection
    except psycopg.Error as error:  # its words may name the host and the login
        why = "it cannot be reached" if isinstance(error, psycopg.OperationalError) else "it refuses what is asked"
        raise SourceUnavailable(
            f"The database {source} gives nothing: {why}.",
            hint="Ask whoever runs the platform whether it is up and lets this platform read.",
            zh=f"数据库 {source} 无法读取，请联系平台运维人员核对连接与读取权限。",
        ) from None


def _sources() -> dict[str, str]:
    path = settings().data_sources
    if path is None:
        return {}
    try:
        found = dict(tomllib.loads(path.read_text(encoding="utf-8")).get("databases", {}))
    except (OSError, TypeError, ValueError) as error:
        raise InvalidInput(
            "The file of GRIDKEEPER_DATA_SOURCES cannot be read.",
            hint='Write it as TOML: [databases] and a line for each, warehouse = "postgresql://reader:…@host/city".',
            zh="GRIDKEEPER_DATA_SOURCES 指定的文件无法读取，应为 TOML 格式。",
        ) from error
    return {str(name): str(value) for name, value in found.items() if isinstance(value, str)}

"""Data that leave as a file: GeoPackage, GeoParquet, CSV and GeoJSON, row after row, with memory that does not grow.

One statement, ``COPY (SELECT …) TO STDOUT``, feeds all four: as the actor of the transaction, so that row-level
security holds, and a file is whole or not at all.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, LiteralString

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from psycopg import sql
from sqlalchemy.orm import Session

from core.errors import InvalidInput
from core.progress import Progress, Silent
from core.spreadsheets import neutral
from geodata.catalogue_builtin import Source
from geodata.catalogue_model import FieldInfo, Offer
from geodata.features import WGS84, Wanted, conditions, driver_of, feature, geometry, relation_of

FORMATS = {
    "csv": ("text/csv; charset=utf-8", "csv"),
    "geojson": ("application/geo+json", "geojson"),
    "gpkg": ("application/geopackage+sqlite3", "gpkg"),
    "parquet": ("application/vnd.apache.parquet", "parquet"),
}
"""Format to its media type and ending."""
PLACED = frozenset({"geojson", "gpkg"})
"""Formats that hold places only."""
BLOCK = 1 << 22
ROW_GROUP = 100_000
TIMEOUT_MS = 30 * 60 * 1000
_TYPES = {
    "text": pa.string(), "integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(),
    "day": pa.date32(), "moment": pa.timestamp("us", tz="UTC"),
}  # fmt: skip
_LIVE = "'*(\\s*[=+\\-@＝＋－＠]|[\\t\\r\\n])"
_SIGNS = "[\\x01-\\x08\\x0b-\\x1f\\x7f-\\u009f\\ufffe\\uffff]"
AXES = (sql.SQL("ST_X"), sql.SQL("ST_Y"))
Rows = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Given:
    """What was written: how many rows, how many bytes."""

    rows: int
    bytes: int


def write(
    session: Session,
    source: Source,
    territory_id: int,
    form: str,
    path: Path,
    *,
    wanted: Wanted | None = None,
    progress: Progress | None = None,
    with_grid: bool = False,
) -> Given:
    """Write the rows of a source that the actor may see into a file, and return how many.

    Parameters
    ----------
    with_grid
        Adds the code of the unit grid in force that a row lies in, as the column ``in_grid``.

    Raises
    ------
    InvalidInput
        For an unknown format, or places asked of a table that has none.
    """
    if form not in FORMATS:
        raise InvalidInput(f"There is no format {form!r}.", hint=f"Known are: {', '.join(FORMATS)}.")
    if source.geom is None and form in PLACED:
        raise InvalidInput(f"{source.offer.key} has no places.", hint="Take it as CSV or Parquet.")
    progress = progress or Silent()
    progress.step(f"Writing {path.name}")
    if with_grid:
        source = beside_grid(source, territory_id)
    job = _Job(session, source, territory_id, wanted or Wanted())
    job.connection.execute(sql.SQL("SELECT set_config('statement_timeout', {}, true)").format(str(TIMEOUT_MS)))
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    part.unlink(missing_ok=True)
    writer = {"csv": _csv, "geojson": _geojson, "gpkg": _gpkg, "parquet": _parquet}[form]
    try:
        writer(job, part, progress.advance)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return Given(job.rows, path.stat().st_size)


def beside_grid(source: Source, territory_id: int) -> Source:
    """Return the source with the code of the unit grid that a row's place lies in."""
    if source.geom is None or source.offer.column("in_grid") is not None:
        return source
    place = source.geom if source.offer.geometry == "Point" else sql.SQL("ST_PointOnSurface({})").format(source.geom)
    look = sql.SQL(
        "(SELECT u.code FROM unit_grid AS u WHERE u.territory_id = {} AND u.ended_on IS NULL"
        " AND ST_Intersects(u.geom, {}) LIMIT 1)"
    ).format(sql.Literal(territory_id), place)
    column = FieldInfo("in_grid", "text", "Code of the unit grid it lies in", "所在单元网格编码")
    return replace(
        source,
        offer=replace(source.offer, fields=(*source.offer.fields, column)),
        columns={**source.columns, "in_grid": look},
    )


class _Job:
    """One file being written: from where, what, where to."""

    def __init__(self, session: Session, source: Source, territory_id: int, wanted: Wanted) -> None:
        self.connection, self.source, self.wanted = driver_of(session), source, wanted
        self._territory_id = territory_id
        self.rows = 0

    @property
    def geom(self) -> sql.Composable:
        """Return the expression of the place, in the coordinate system that is wanted."""
        return geometry(self.source, self.wanted.srid)

    def blocks(self, columns: Sequence[sql.Composable], options: LiteralString, advance: Rows) -> Iterator[bytes]:
        """Yield what COPY gives, gathered into blocks of some megabytes; ``rows`` is told at the end."""
        source = self.source
        query = sql.SQL("SELECT {} FROM {} WHERE {} ORDER BY {}").format(
            sql.SQL(", ").join(columns),
            relation_of(source, []),
            conditions(source, self._territory_id, self.wanted),
            source.ident,
        )
        statement = sql.SQL("COPY ({}) TO STDOUT {}").format(query, sql.SQL(options))
        with self.connection.cursor() as cursor:
            with cursor.copy(statement) as copy:
                kept: list[bytes] = []
                size = lines = 0
                for data in copy:
                    kept.append(bytes(data))
                    size += len(data)
                    lines += 1
                    if size >= BLOCK:
                        yield b"".join(kept)
                        advance(lines)
                        kept, size, lines = [], 0, 0
                if kept:
                    yield b"".join(kept)
                    advance(lines)
            self.rows = max(cursor.rowcount, 0)


# --- text


def neutral_sql(value: sql.Composable) -> sql.Composed:
    """Return a text as a spreadsheet program takes it for text, as `core.spreadsheets.neutral` does."""
    clean = sql.SQL("regexp_replace({}, {}, '', 'g')").format(value, sql.Literal(_SIGNS))
    pattern = sql.Literal(f"^{_LIVE}")
    told = sql.SQL("regexp_replace({}, {}, {})").format(clean, pattern, sql.Literal("'\\&"))
    # Most texts need none of it: one look is quicker than two replacements.
    suspect = sql.Literal(f"{_SIGNS}|^{_LIVE}")
    return sql.SQL("CASE WHEN {} ~ {} THEN {} ELSE {} END").format(value, suspect, told, value)


def _csv(job: _Job, path: Path, advance: Rows) -> None:
    source = job.source
    columns: list[sql.Composable] = []
    for each in source.offer.fields:
        value = source.columns[each.name]
        told = neutral_sql(sql.SQL("({})::text").format(value)) if each.kind == "text" else value
        columns.append(sql.SQL("{} AS {}").format(told, sql.Identifier(neutral(each.name))))
    if source.geom is not None and source.offer.geometry == "Point":
        degrees = job.wanted.srid == WGS84
        for name, axis in zip(("lon", "lat") if degrees else ("x", "y"), AXES, strict=True):
            told = sql.SQL("round({}({})::numeric, {})").format(axis, job.geom, sql.Literal(7 if degrees else 2))
            columns.append(sql.SQL("{} AS {}").format(told, sql.Identifier(name)))
    elif source.geom is not None:
        columns.append(sql.SQL("ST_AsText({}, 7) AS wkt").format(job.geom))
    with path.open("wb") as file:
        file.write(b"\xef\xbb\xbf")  # without this mark spreadsheet programs take Chinese for noise
        for block in job.blocks(columns, "(FORMAT csv, HEADER)", advance):
            file.write(block)


def _geojson(job: _Job, path: Path, advance: Rows) -> None:
    """Write features one a line: JSON has no line breaks inside, and nothing is quoted by these options."""
    options: LiteralString = "(FORMAT csv, DELIMITER E'\\x01', QUOTE E'\\x02', ESCAPE E'\\x02')"
    with path.open("wb") as file:
        file.write(json.dumps({"type": "FeatureCollection", "name": job.source.offer.key})[:-1].encode())
        file.write(b', "features": [\n')
        between = b""
        for block in job.blocks([feature(job.source, job.wanted)], options, advance):
            file.write(between + block[:-1].replace(b"\n", b",\n"))
            between = b",\n"
        file.write(b"\n]}\n")


# --- tables


class _Stream(io.RawIOBase):
    """A file to read from what COPY gives."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = next(self._blocks, b"")
        part = self._rest[: len(buffer)]
        buffer[: len(part)] = part
        self._rest = self._rest[len(part) :]
        return len(part)


def schema_of(offer: Offer, geom_column: str | None) -> pa.Schema:
    """Return the columns of an offer in Arrow; the geometry as WKB."""
    fields = [pa.field(each.name, _TYPES[each.kind], metadata={"title": each.title_en}) for each in offer.fields]
    if geom_column:
        fields.append(pa.field(geom_column, pa.binary()))
    return pa.schema(fields)


@contextmanager
def _tables(
    job: _Job, geom_column: str, advance: Rows, moments: str = "US"
) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
    """Give the rows as record batches of Arrow, read from CSV as the database writes it; moments in US or MS."""
    source = job.source
    columns: list[sql.Composable] = []
    types: dict[str, pa.DataType] = {}
    for at, each in enumerate(source.offer.fields):
        value = source.columns[each.name]
        if each.kind == "moment":
            form = sql.Literal(f'YYYY-MM-DD"T"HH24:MI:SS.{moments}"Z"')
            value = sql.SQL("to_char(({})::timestamptz AT TIME ZONE 'UTC', {})").format(value, form)
        columns.append(sql.SQL("{} AS {}").format(value, sql.Identifier(f"c{at}")))
        types[f"c{at}"] = _TYPES[each.kind]
    if source.geom is not None:
        columns.append(sql.SQL("encode(ST_AsBinary({}), 'hex') AS shape").format(job.geom))
        types["shape"] = pa.string()
    blocks = job.blocks(columns, "(FORMAT csv, HEADER)", advance)
    schema = schema_of(source.offer, geom_column if source.geom is not None else None)
    convert = pacsv.ConvertOptions(
        column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False,
        true_values=["t"], false_values=["f"],
    )  # fmt: skip
    reading = pacsv.ReadOptions(block_size=BLOCK, use_threads=False)
    parse = pacsv.ParseOptions(newlines_in_values=True)
    stream = io.BufferedReader(_Stream(blocks), BLOCK)
    reader = pacsv.open_csv(stream, read_options=reading, parse_options=parse, convert_options=convert)

    def batches() -> Iterator[pa.RecordBatch]:
        for batch in reader:
            arrays = [batch.column(at) for at in range(len(source.offer.fields))]
            if source.geom is not None:
                shapes = [
                    None if hexed is None else bytes.fromhex(hexed) for hexed in batch.column("shape").to_pylist()
                ]
                arrays.append(pa.array(shapes, pa.binary()))
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    try:
        yield schema, batches()
    finally:
        blocks.close()  # type: ignore[attr-defined]


def _parquet(job: _Job, path: Path, advance: Rows) -> None:
    with _tables(job, "geometry", advance) as (plain, batches):
        schema = plain
        if job.source.geom is not None:
            schema = plain.with_metadata({"geo": json.dumps(_geo(job.source.offer, job.wanted.srid))})
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            kept: list[pa.RecordBatch] = []
            for batch in batches:
                kept.append(batch)
                if sum(each.num_rows for each in kept) >= ROW_GROUP:
                    writer.write_table(pa.Table.from_batches(kept).replace_schema_metadata(schema.metadata))
                    kept = []
            if kept:
                writer.write_table(pa.Table.from_batches(kept).replace_schema_metadata(schema.metadata))


def _geo(offer: Offer, srid: int) -> dict[str, Any]:
    """Return the metadata of GeoParquet 1.1."""
    from pyproj import CRS

    kinds = {
        "Point": ["Point"],
        "LineString": ["LineString", "MultiLineString"],
        "Polygon": ["Polygon", "MultiPolygon"],
    }
    column: dict[str, Any] = {"encoding": "WKB", "geometry_types": kinds.get(offer.geometry, [])}
    if srid != WGS84:  # without it the standard says longitude and latitude of WGS 84, which is what they are
        column["crs"] = CRS.from_epsg(srid).to_json_dict()
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}


def _gpkg(job: _Job, path: Path, advance: Rows) -> None:
    import pyogrio

    offer = job.source.offer
    kind = "Point" if offer.geometry == "Point" else "Unknown"  # lines and areas may come in several parts
    # GeoPackage counts milliseconds.
    with _tables(job, "geom", advance, moments="MS") as (schema, batches):
        pyogrio.write_arrow(
            pa.RecordBatchReader.from_batches(schema, batches),
            path,
            layer=re.sub(r"[^a-z0-9_]", "_", offer.key),
            driver="GPKG",
            geometry_name="geom",
            geometry_type=kind,
            crs=f"EPSG:{job.wanted.srid}",
        )

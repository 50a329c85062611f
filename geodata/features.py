"""Rows of an offer as features of GeoJSON, a page at a time, as the actor of the transaction may see them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy.orm import Session

from core.errors import InvalidInput, NotFound, SourceUnavailable
from geodata.catalogue_builtin import Source
from geodata.filters import Filter, condition, typed

DIGITS = 7
"""Decimals of degrees that leave: a centimetre."""
METRE_DIGITS = 2
TIMEOUT_MS = 20_000
COUNTED = 100_000
"""Rows are counted up to here; above, how many there are stays unsaid."""
WGS84 = 4326
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which rows, and how their places are written.

    Attributes
    ----------
    boxes
        West, south, east, north in EPSG:4326; one of them has to be touched. Empty: everywhere.
    since, until
        Both included; None leaves the side open.
    equals
        Column to value, as text.
    after
        Identity of the last row of the page before.
    filter
        A condition as CQL2 text.
    srid, flipped
        Of the answer; ``flipped`` writes the second axis first, as EPSG:4326 has it.
    """

    boxes: tuple[Box, ...] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    equals: Mapping[str, str] = field(default_factory=dict)
    filter: Filter | None = None
    after: str | None = None
    limit: int = 100
    srid: int = WGS84
    flipped: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Features as texts of JSON; ``last`` is None on the last page, ``matched`` where it was not counted."""

    features: tuple[str, ...]
    last: str | None
    matched: int | None


def driver_of(session: Session) -> psycopg.Connection:
    """Return the driver's connection of a session, in the same transaction."""
    return cast("psycopg.Connection", session.connection().connection.dbapi_connection)


def page(session: Session, source: Source, territory_id: int, wanted: Wanted) -> Page:
    """Return one page of features in the order of their identity.

    Raises
    ------
    InvalidInput
        For an unknown column or a value that is none of its kind.
    SourceUnavailable
        When the question takes too long.
    """
    base = conditions(source, territory_id, wanted)
    on = base
    if wanted.after is not None:
        on = sql.SQL("{} AND {} > {}").format(base, source.ident, _identity(source, wanted.after))
    relation = relation_of(source, [_envelope(box) for box in wanted.boxes])
    rows = sql.SQL("SELECT {}, {} FROM {} WHERE {} ORDER BY {} LIMIT {}").format(
        source.ident, feature(source, wanted), relation, on, source.ident, sql.Literal(wanted.limit + 1)
    )
    count = sql.SQL("SELECT count(*) FROM (SELECT FROM {} WHERE {} LIMIT {}) AS counted").format(
        relation, base, sql.Literal(COUNTED + 1)
    )
    connection = driver_of(session)
    try:
        _bound(connection)
        found = connection.execute(rows).fetchall()
        matched = None
        if wanted.after is None:
            told = connection.execute(count).fetchone()
            matched = int(told[0]) if told is not None and told[0] <= COUNTED else None
    except psycopg.errors.QueryCanceled as error:
        raise _too_long() from error
    more = len(found) > wanted.limit
    kept = found[: wanted.limit]
    return Page(tuple(row[1] for row in kept), str(kept[-1][0]) if more and kept else None, matched)


def one(session: Session, source: Source, territory_id: int, identity: str, wanted: Wanted) -> str:
    """Return one feature as a text of JSON.

    Raises
    ------
    NotFound
        When there is no such row, or not for this actor.
    """
    statement = sql.SQL("SELECT {} FROM {} WHERE {} AND {} = {}").format(
        feature(source, wanted),
        source.relation,
        conditions(source, territory_id, Wanted()),
        source.ident,
        _identity(source, identity),
    )
    row = _row(session, statement)
    if row is None:
        raise NotFound(
            f"There is no {source.offer.key} {identity!r}, or it lies outside your reach.",
            zh=f"{source.offer.key} 中没有 {identity}，或不在您的查看范围内。",
        )
    return str(row[0])


def _bound(connection: psycopg.Connection) -> None:
    """Let no statement of the transaction take longer than `TIMEOUT_MS`."""
    connection.execute(sql.SQL("SELECT set_config('statement_timeout', {}, true)").format(str(TIMEOUT_MS)))


def _row(session: Session, statement: sql.Composed) -> tuple[Any, ...] | None:
    """Return the first row of a statement that may not take too long."""
    connection = driver_of(session)
    _bound(connection)
    try:
        return connection.execute(statement).fetchone()
    except psycopg.errors.QueryCanceled as error:
        raise _too_long() from error


def _too_long() -> SourceUnavailable:
    return SourceUnavailable(
        "This question takes too long.", hint="Ask for a smaller box, a shorter time or fewer rows.",
        zh="此请求耗时过长，请缩小范围、缩短时段或减少行数。",
    )  # fmt: skip


def relation_of(source: Source, shapes: Sequence[sql.Composable]) -> sql.Composable:
    """Return where to look for rows that touch one shape; all rows without one, or with several."""
    if source.near is None or len(shapes) != 1:
        return source.relation
    return source.near.format(shape=shapes[0])


def conditions(source: Source, territory_id: int, wanted: Wanted) -> sql.Composed:
    """Return the condition of the rows that are wanted."""
    parts: list[sql.Composable] = [source.where.format(territory=sql.Literal(territory_id))]
    if wanted.boxes and source.box is not None:
        boxes = [source.box.format(shape=_envelope(box), territory=sql.Literal(territory_id)) for box in wanted.boxes]
        parts.append(sql.SQL("({})").format(sql.SQL(" OR ").join(boxes)))
    if source.offer.moment:
        column = source.columns[source.offer.moment]
        if wanted.since is not None:
            parts.append(sql.SQL("{} >= {}").format(column, sql.Literal(wanted.since)))
        if wanted.until is not None:
            parts.append(sql.SQL("{} <= {}").format(column, sql.Literal(wanted.until)))
    for name, value in wanted.equals.items():
        known = source.offer.column(name)
        if known is None:
            raise InvalidInput(f"{source.offer.key} has no column {name!r}.", hint="See its queryables.")
        parts.append(sql.SQL("{} = {}").format(source.columns[name], sql.Literal(typed(name, known.kind, value))))
    if wanted.filter is not None:
        parts.append(condition(source, wanted.filter, territory_id))
    return sql.SQL(" AND ").join(parts)


def _identity(source: Source, given: str) -> sql.Literal:
    if not source.numbered:
        return sql.Literal(typed("id", "text", given))
    if not (given.isascii() and given.isdecimal() and len(given) < 19):
        raise NotFound(
            f"There is no {source.offer.key} {given[:40]!r}.", hint="Its identities are numbers.",
            zh=f"{source.offer.key} 中没有 {given[:40]}，其标识为数字。",
        )  # fmt: skip
    return sql.Literal(int(given))


def _envelope(box: Sequence[float]) -> sql.Composed:
    return sql.SQL("ST_MakeEnvelope({}, 4326)").format(sql.SQL(", ").join(map(sql.Literal, map(float, box))))


def geometry(source: Source, srid: int, *, flipped: bool = False) -> sql.Composable:
    """Return the expression of a row's place in a coordinate system; NULL where the offer has no places."""
    if source.geom is None:
        return sql.SQL("NULL::geometry")
    made: sql.Composable = source.geom
    if srid != WGS84:
        made = sql.SQL("ST_Transform({}, {})").format(made, sql.Literal(srid))
    return sql.SQL("ST_FlipCoordinates({})").format(made) if flipped else made


def feature(source: Source, wanted: Wanted) -> sql.Composed:
    """Return the expression of a row as a feature."""
    digits = DIGITS if wanted.srid == WGS84 else METRE_DIGITS
    # GDAL counts milliseconds, and would round the last microseconds of a minute up to its sixtieth second.
    moments = {each.name for each in source.offer.fields if each.kind == "moment"}
    cut = sql.SQL("date_trunc('milliseconds', {})")
    told_of = {name: cut.format(value) if name in moments else value for name, value in source.columns.items()}
    properties = [sql.SQL("{}, {}").format(sql.Literal(name), value) for name, value in told_of.items()]
    # A function of PostgreSQL takes a hundred arguments: many columns are put together in parts.
    chunks = [properties[start : start + 45] for start in range(0, len(properties), 45)] or [[]]
    if len(chunks) == 1:
        told = sql.SQL("json_build_object({})").format(sql.SQL(", ").join(chunks[0]))
    else:
        built = [sql.SQL("jsonb_build_object({})").format(sql.SQL(", ").join(chunk)) for chunk in chunks]
        told = sql.SQL("({})::json").format(sql.SQL(" || ").join(built))
    return sql.SQL(
        "json_build_object('type', 'Feature', 'id', {}, 'geometry', ST_AsGeoJSON({}, {}, 0)::json,"
        " 'properties', {})::text"
    ).format(source.ident, geometry(source, wanted.srid, flipped=wanted.flipped), sql.Literal(digits), told)


def at_most(session: Session, source: Source, territory_id: int, many: int) -> bool:
    """Return whether the actor sees no more rows of a source than so many."""
    statement = sql.SQL("SELECT count(*) FROM (SELECT FROM {} WHERE {} LIMIT {}) AS counted").format(
        source.relation, conditions(source, territory_id, Wanted()), sql.Literal(many + 1)
    )
    row = _row(session, statement)
    return row is not None and int(row[0]) <= many


def tile(session: Session, source: Source, territory_id: int, key: tuple[int, int, int], most: int) -> bytes:
    """Return a vector tile of zoom, column and row with at most so many features; empty when nothing is there."""
    z, x, y = map(sql.Literal, key)
    place = sql.SQL("ST_TileEnvelope({}, {}, {})").format(z, x, y)
    shape = sql.SQL("ST_Transform(ST_TileEnvelope({}, {}, {}, margin => 64.0 / 4096), 4326)").format(z, x, y)
    if source.box is None or source.geom is None:
        return b""
    columns = [sql.SQL("{} AS {}").format(value, sql.Identifier(name)) for name, value in source.columns.items()]
    statement = sql.SQL(
        "SELECT ST_AsMVT(q, {key}, 4096, 'mvt_geom') FROM (SELECT {columns},"
        " ST_AsMVTGeom(ST_Transform({geom}, 3857), {place}, 4096, 64, true) AS mvt_geom"
        " FROM {relation} WHERE {where} AND {box} LIMIT {most}) AS q WHERE q.mvt_geom IS NOT NULL"
    ).format(
        key=sql.Literal(source.offer.key),
        columns=sql.SQL(", ").join(columns),
        geom=source.geom,
        place=place,
        relation=relation_of(source, [shape]),
        where=source.where.format(territory=sql.Literal(territory_id)),
        box=source.box.format(shape=shape, territory=sql.Literal(territory_id)),
        most=sql.Literal(most),
    )
    row = _row(session, statement)
    return bytes(row[0]) if row is not None and row[0] is not None else b""

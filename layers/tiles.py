"""Vector tiles: one database round trip a tile, as the actor who asks."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

import contextlib
import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from core.errors import NotFound, SourceUnavailable
from core.identity import Actor
from geodata.db import SCOPE_SQL, scope_parameters

MAX_ZOOM = 16
"""Deepest zoom with tiles of its own; the map enlarges these for more."""
TIMEOUT_MS = 8000

ENVELOPE: LiteralString = "ST_TileEnvelope(%(z)s, %(x)s, %(y)s)"
WITH_MARGIN: LiteralString = "ST_Transform(ST_TileEnvelope(%(z)s, %(x)s, %(y)s, margin => 64.0 / 4096), 4326)"
"""What to look for in the tables (EPSG:4326): strokes just outside a tile still paint inside it."""


@dataclass(frozen=True, slots=True)
class TileKey:
    """Which tile: zoom, column from the west, row from the north."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0 <= self.z <= MAX_ZOOM:
            raise NotFound(f"There are no tiles at zoom {self.z}.", hint=f"Zooms run from 0 to {MAX_ZOOM}.")
        if not (0 <= self.x < 2**self.z and 0 <= self.y < 2**self.z):
            raise NotFound(
                f"Tile {self.x}/{self.y} does not exist at zoom {self.z}.",
                hint=f"Columns and rows run from 0 to {2**self.z - 1}.",
            )

    @property
    def pixel_deg(self) -> float:
        """Return the width in degrees of one of the 512 pixels a tile is drawn on."""
        return math.ldexp(360 / 512, -self.z)


def in_tile(geometry: LiteralString, *, clip: bool = True) -> LiteralString:
    """Return SQL for ``geometry`` (EPSG:4326) in tile coordinates; NULL where nothing is left of it."""
    clipped: LiteralString = "true" if clip else "false"
    return f"ST_AsMVTGeom(ST_Transform({geometry}, 3857), {ENVELOPE}, 4096, 64, {clipped})"


def as_layer(name: LiteralString, rows: LiteralString, *, feature_id: bool = False) -> LiteralString:
    """Return SQL for one layer of a tile; ``rows`` has a column ``geom``, and an integer ``id`` where asked."""
    identity: LiteralString = ", 'id'" if feature_id else ""
    return f"(SELECT ST_AsMVT(q, '{name}', 4096, 'geom'{identity}) FROM ({rows}) q WHERE q.geom IS NOT NULL)"


def together(*layers: LiteralString) -> LiteralString:
    """Return the statement for a tile of several layers; an empty layer adds no bytes."""
    joined: LiteralString = " || ".join(layers)
    return f"SELECT {joined}"


@contextlib.contextmanager
def in_time(key: TileKey) -> Iterator[None]:
    """Say in a sentence that a tile took longer than `TIMEOUT_MS`."""
    try:
        yield
    except psycopg.errors.QueryCanceled as error:
        raise SourceUnavailable(
            f"The database took longer than {TIMEOUT_MS / 1000:g} s for tile {key.x}/{key.y} at zoom {key.z}.",
            hint="It is busy; the map asks for the tile again, at most twice until it is moved.",
        ) from error


async def tile_bytes(  # noqa: PLR0917  (who asks, and what)
    connection: psycopg.AsyncConnection[Any],
    actor: Actor,
    statement: LiteralString,
    key: TileKey,
    zone: str,
    day: dt.date | None = None,
) -> bytes:
    """Return the tile as the actor may see it; empty when nothing is there.

    Parameters
    ----------
    zone
        IANA name of the territory's time zone, for local days.
    day
        Of a statement that tells of a day.

    Raises
    ------
    SourceUnavailable
        The statement took longer than `TIMEOUT_MS`.
    """
    parameters = {
        "territory": actor.territory_id,
        "z": key.z,
        "x": key.x,
        "y": key.y,
        "pixel": key.pixel_deg,
        "zone": zone,
        "day": day,
    }
    with in_time(key):
        return await _tile_bytes(connection, actor, statement, parameters)


async def _tile_bytes(
    connection: psycopg.AsyncConnection[Any], actor: Actor, statement: LiteralString, parameters: dict[str, Any]
) -> bytes:
    async with connection.transaction(), connection.pipeline(), connection.cursor() as cursor:
        await cursor.execute(SCOPE_SQL, scope_parameters(actor))
        await cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(TIMEOUT_MS)])
        await cursor.execute(statement, parameters)
        row = await cursor.fetchone()
    return bytes(row[0]) if row and row[0] is not None else b""


def tiles_of(bounds: tuple[float, float, float, float], z: int) -> list[TileKey]:
    """Return the tiles at zoom ``z`` that a box (west, south, east, north in degrees) touches."""
    west, south, east, north = bounds
    first_x, first_y = _column_row(west, north, z)
    last_x, last_y = _column_row(east, south, z)
    return [TileKey(z, x, y) for y in range(first_y, last_y + 1) for x in range(first_x, last_x + 1)]


def _column_row(lon: float, lat: float, z: int) -> tuple[int, int]:
    span = 2**z
    column = int((lon + 180) / 360 * span)
    row = int((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * span)
    return min(max(column, 0), span - 1), min(max(row, 0), span - 1)

"""The cells of a draft of grids, as tiles: forty thousand of them are no feature collection."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import Any, LiteralString

import psycopg

from core.identity import Actor
from geodata.db import SCOPE_SQL, scope_parameters
from layers.tiles import TIMEOUT_MS, WITH_MARGIN, TileKey, as_layer, in_tile, in_time, together

ZOOMS = (6, 15)
CODES_FROM = 12
BORDERS_FROM = 14
VERSION = "SELECT version FROM grid_change WHERE id = %(change)s AND territory_id = %(territory)s"


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile: codes and sizes only where a cell is large enough to be pointed at.

    So are its borders and why they are there.
    """
    words: LiteralString = "code, round(area_m2) AS m2, " if z >= CODES_FROM else ""
    # Unclipped: a cell is cheap, and its outline must not run along the tile's edge.
    return together(
        as_layer(
            "cell",
            f"SELECT id, area, {words}{in_tile('geom', clip=False)} AS geom FROM grid_change_cell"
            f" WHERE change_id = %(change)s AND territory_id = %(territory)s AND geom && {WITH_MARGIN}",
            feature_id=True,
        ),
        *(
            [
                as_layer(
                    "border",
                    f"SELECT kind, name, {in_tile('geom')} AS geom FROM grid_change_border WHERE change_id = %(change)s"
                    f" AND territory_id = %(territory)s AND geom && {WITH_MARGIN}",
                )
            ]
            if z >= BORDERS_FROM
            else []
        ),
    )


async def draft_tile(
    connection: psycopg.AsyncConnection[Any], actor: Actor, change_id: int, key: TileKey
) -> tuple[int, bytes]:
    """Return the version of a draft and its tile as the actor may see it; version 0 and empty when nothing is there."""
    asked = {"territory": actor.territory_id, "change": change_id, "z": key.z, "x": key.x, "y": key.y}
    with in_time(key):
        return await _draft_tile(connection, actor, key, asked)


async def _draft_tile(
    connection: psycopg.AsyncConnection[Any], actor: Actor, key: TileKey, asked: dict[str, Any]
) -> tuple[int, bytes]:
    async with connection.transaction(), connection.pipeline(), connection.cursor() as cursor:
        await cursor.execute(SCOPE_SQL, scope_parameters(actor))
        await cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(TIMEOUT_MS)])
        await cursor.execute(VERSION, asked)  # before the cells: what is told is never newer than they are
        known = await cursor.fetchone()
        await cursor.execute(statement(key.z), asked)
        row = await cursor.fetchone()
    return int(known[0]) if known else 0, bytes(row[0]) if row and row[0] is not None else b""

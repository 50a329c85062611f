"""Roads by class and speed limit; called so, and not traffic, until readings come."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from layers.basemap import GROUP, visible_roads
from layers.registry import OPEN_STREETS, LayerEntry, t
from layers.tiles import as_layer, in_tile, together

EACH_FROM = 13


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile at zoom ``z``: drivable roads, ``signed`` where the limit stands on a sign."""
    columns: LiteralString = f"{GROUP} AS class, round(speed_kmh)::int AS speed, limit_kmh IS NOT NULL AS signed"
    where: LiteralString = f"{visible_roads(z)} AND drivable"
    if z < EACH_FROM:
        return together(
            as_layer(
                "limit",
                f"SELECT class, speed, signed, {in_tile('ST_Collect(line)')} AS geom FROM ("
                f"SELECT {columns}, ST_Simplify(geom, %(pixel)s / 2) AS line FROM road WHERE {where}) r"
                " GROUP BY class, speed, signed",
            )
        )
    return together(
        as_layer(
            "limit",
            f"SELECT name, name_zh, oneway, {columns}, {in_tile('geom')} AS geom FROM road WHERE {where}",
        )
    )


ENTRY = LayerEntry(
    key="traffic",
    title=t("Roads and limits"),
    title_zh="道路与限速",
    order=20,
    sensitivity="public",
    licence=OPEN_STREETS,
    depends_on=("roads",),
    zooms=(8, 15),
    statement=statement,
)

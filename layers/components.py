"""Components of the register by category; restricted ones only in the tiles of roles with incidents."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from layers.registry import LayerEntry, t
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together

POINTS_FROM = 15
"""First tile zoom with points; the map shows them from display zoom 16."""


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile at zoom ``z``.

    The database's policy on the table leaves restricted components (gas, power, telecom, water) out for
    roles without incidents. Because of that policy a spatial index would not be used: the squares that
    the tile touches are compared first, as plain numbers.
    """
    if z < POINTS_FROM:
        return "SELECT ''::bytea"
    return together(
        as_layer(
            "component",
            "SELECT c.id, c.code, k.category, k.name_en, k.name_zh, c.state,"
            f" {in_tile('c.geom')} AS geom FROM component AS c JOIN incident_class AS k ON k.id = c.class_id"
            f" WHERE c.territory_id = %(territory)s AND c.square = ANY((SELECT gk_squares({WITH_MARGIN}))::bigint[])"
            " AND c.state <> 'removed'",
            feature_id=True,
        )
    )


ENTRY = LayerEntry(
    key="components",
    title=t("Components"),
    title_zh="部件",
    order=50,
    sensitivity="restricted",
    depends_on=("components",),
    zooms=(POINTS_FROM, 15),
    statement=statement,
)

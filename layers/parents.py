"""Communities to be filled by value: what is seen of the grids while a unit grid is smaller than three pixels."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from layers.registry import OPEN_STREETS, LayerEntry
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together


def statement(_z: int) -> LiteralString:
    """Return the SQL of a tile: shape, identity and name of each community."""
    shape: LiteralString = in_tile("ST_Simplify(boundary, %(pixel)s / 2)", clip=False)
    return together(
        as_layer(
            "parent",
            f"SELECT id, code, name, name_zh, {shape} AS geom FROM area"
            f" WHERE territory_id = %(territory)s AND level = 'community' AND boundary && {WITH_MARGIN}",
            feature_id=True,
        )
    )


ENTRY = LayerEntry(
    key="parents",
    title="Communities",
    title_zh="社区",
    depends_on=("basemap", "grids"),
    zooms=(6, 13),
    statement=statement,
    order=11,
    chosen=False,
    fresh_s=600,
    sensitivity="public",
    licence=OPEN_STREETS,
)

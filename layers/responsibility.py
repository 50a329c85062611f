"""Responsibility grids: their outlines, and filled by value where unit grids would be too small to be seen."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from layers.registry import CUT_ALONG_STREETS, LayerEntry, Sign
from layers.style import LIGHT
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together


def statement(_z: int) -> LiteralString:
    """Return the SQL of a tile: shape, identity and code; the values come as one array."""
    # Unclipped: an outline must not run along the tile's edge.
    shape: LiteralString = in_tile("ST_Simplify(boundary, %(pixel)s / 2)", clip=False)
    return together(
        as_layer(
            "responsibility",
            f"SELECT id, code, name, name_zh, {shape} AS geom FROM responsibility_grid"
            f" WHERE territory_id = %(territory)s AND boundary && {WITH_MARGIN}",
            feature_id=True,
        )
    )


ENTRY = LayerEntry(
    key="responsibility",
    title="Responsibility grids",
    title_zh="责任网格",
    depends_on=("grids",),
    zooms=(6, 15),
    statement=statement,
    order=12,
    drawn=(
        {"of": "responsibility", "as": "line", "colour": LIGHT.primary, "width": [[9, 1], [15, 2.6]], "alpha": 0.85},
    ),
    legend=(Sign(LIGHT.primary, "line", "Responsibility grid", "责任网格"),),
    licence=CUT_ALONG_STREETS,
)

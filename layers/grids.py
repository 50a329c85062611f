"""The unit grids, to be filled by value: the tile carries only shape, identity and code."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from layers.registry import CUT_ALONG_STREETS, LayerEntry, t
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together

CODES_FROM = 12


def statement_on(z: int) -> LiteralString:
    """Return the SQL of a tile of the cells that were in force on ``%(day)s``."""
    return _statement(z, "started_on <= %(day)s AND (ended_on IS NULL OR ended_on > %(day)s)")


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile at zoom ``z``; codes come only where a cell is large enough to be pointed at."""
    return _statement(z, "ended_on IS NULL")


def _statement(z: int, when: LiteralString) -> LiteralString:
    code: LiteralString = "code, " if z >= CODES_FROM else ""
    # Unclipped: a cell is cheap, and its outline must not run along the tile's edge.
    return together(
        as_layer(
            "grid",
            f"SELECT id, {code}{in_tile('geom', clip=False)} AS geom FROM unit_grid"
            f" WHERE territory_id = %(territory)s AND {when} AND geom && {WITH_MARGIN}",
            feature_id=True,
        )
    )


ENTRY = LayerEntry(
    key="grids",
    title=t("Grids"),
    title_zh="单元网格",
    order=10,
    depends_on=("grids",),
    zooms=(6, 15),
    statement=statement,
    statement_on=statement_on,
    licence=CUT_ALONG_STREETS,
)

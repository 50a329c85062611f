"""Borders of districts, streets and communities, with their names."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from layers.registry import OPEN_STREETS, LayerEntry, Sign
from layers.style import LIGHT
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together

_WIDTH = {"district": [[8, 1.6], [15, 3]], "street": [[9, 1.1], [15, 2.2]], "community": [[10, 0.7], [15, 1.6]]}
_DASH = {"district": None, "street": [8, 4], "community": [3, 3]}


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile at zoom ``z``: the areas as surfaces, their names at a point inside each."""
    smaller: LiteralString = "" if z >= 9 else " AND level <> 'community'"
    shape: LiteralString = "ST_Simplify(boundary, %(pixel)s / 2)"
    here: LiteralString = f"territory_id = %(territory)s{smaller} AND boundary && {WITH_MARGIN}"
    return together(
        # Unclipped: a border must not run along the tile's edge.
        as_layer(
            "area",
            f"SELECT id, level, name, name_zh, {in_tile(shape, clip=False)} AS geom FROM area WHERE {here}",
            feature_id=True,
        ),
        as_layer(
            "area_name",
            f"SELECT level, name, name_zh, {in_tile('ST_PointOnSurface(boundary)')} AS geom FROM area WHERE {here}",
        ),
    )


ENTRY = LayerEntry(
    key="areas",
    title="Borders",
    title_zh="行政界线",
    depends_on=("basemap", "grids"),
    zooms=(6, 15),
    statement=statement,
    order=15,
    drawn=(
        *(
            {
                "of": "area",
                "as": "line",
                "colour": LIGHT.text,
                "alpha": 0.65,
                "width": _WIDTH[level],
                "dash": _DASH[level],
                "where": {"level": level},
            }
            for level in ("community", "street", "district")
        ),
        {"of": "area_name", "as": "words", "colour": LIGHT.text, "from": 11, "name": True},
    ),
    legend=(Sign(LIGHT.text, "line", "District, street, community", "区、街道、社区"),),
    fresh_s=600,
    freshness="as loaded or drawn last; within ten minutes",
    freshness_zh="以最近一次导入或绘制为准，十分钟内更新",
    sensitivity="public",
    licence=OPEN_STREETS,
)

"""Places of the data sets that departments brought, as far as who looks may read them."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from layers.registry import LayerEntry, Sign
from layers.style import CATEGORY_COLOURS
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together

MOST: LiteralString = "20000"


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile: rows of today in their newest version; when far only what is larger than a pixel.

    Which rows are read follows from the policy of the table, sets that are restricted included.
    """
    shape: LiteralString = "r.geom" if z >= 14 else "ST_Simplify(r.geom, %(pixel)s / 2, true)"
    return together(
        as_layer(
            "data_set",
            f"SELECT mod(d.id, 12) AS shade, d.key AS data_set, r.row_key AS name, {in_tile(shape)} AS geom"
            " FROM data_set AS d JOIN data_set_row AS r ON r.data_set_id = d.id"
            " WHERE d.territory_id = %(territory)s AND d.kind = 'places' AND r.valid_to IS NULL"
            f" AND r.geom && {WITH_MARGIN} LIMIT {MOST}",
        )
    )


_SHADES = {"by": "shade", "of": {str(at): colour for at, colour in enumerate(CATEGORY_COLOURS)}}

ENTRY = LayerEntry(
    key="datasets",
    title="Data sets",
    title_zh="数据集",
    depends_on=("basemap",),
    zooms=(9, 15),
    statement=statement,
    order=40,
    drawn=(
        {"of": "data_set", "as": "area", "colour": _SHADES, "alpha": 0.25, "line": True},
        {"of": "data_set", "as": "line", "colour": _SHADES, "width": [[10, 1], [16, 3]]},
        {"of": "data_set", "as": "dot", "colour": _SHADES, "radius": [[10, 2.5], [16, 5]], "tip": ["name", "data_set"]},
    ),
    legend=(Sign(CATEGORY_COLOURS[0], "circle", "Place of a data set, a colour each", "数据集的地点，各用一色"),),
    fresh_s=60,
    freshness="rows valid today, within a minute",
    freshness_zh="当日有效的行，一分钟内",
    licence="as the catalogue says of each data set",
)

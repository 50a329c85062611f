"""Places of the data sets that departments brought, as far as who looks may read them."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from layers.registry import LayerEntry, Sign
from layers.style import CATEGORY_COLOURS
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together

MOST: LiteralString = "20000"
PERSONAL: LiteralString = "'address', 'identity', 'name', 'person', 'personal', 'phone'"
"""Roles of columns that name a person: a key made of one is not shown."""
NEAR_FROM = 12
"""From this zoom on rows are found by their place; farther away the first that come are as good."""


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile: rows of today in their newest version; when far only what is larger than a pixel.

    Which rows are read follows from the policy of the table, sets that are restricted included.
    """
    shape: LiteralString = "r.geom" if z >= 14 else "ST_Simplify(r.geom, %(pixel)s / 2, true)"
    # The policy keeps an index on the place from being used, so the function asks it once for the whole set.
    near: LiteralString = f"CROSS JOIN LATERAL gk_data_set_in(d.id, {WITH_MARGIN}) AS r"
    far: LiteralString = (
        f"JOIN data_set_row AS r ON r.data_set_id = d.id AND r.valid_to IS NULL AND r.geom && {WITH_MARGIN}"
    )
    return together(
        as_layer(
            "data_set",
            "SELECT mod(d.id, 12) AS shade, d.key AS data_set, CASE WHEN d.named THEN r.row_key END AS name,"
            f" {in_tile(shape)} AS geom FROM (SELECT s.id, s.key, cardinality(s.natural_key) > 0 AND NOT EXISTS ("
            "SELECT FROM jsonb_array_elements(s.fields) AS f WHERE f ->> 'name' = ANY(s.natural_key)"
            f" AND lower(f ->> 'role') IN ({PERSONAL})) AS named FROM data_set AS s"
            " WHERE s.territory_id = %(territory)s AND s.kind = 'places') AS d"
            f" {near if z >= NEAR_FROM else far} LIMIT {MOST}",
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
    by_account=True,
    freshness="rows valid today, within a minute",
    freshness_zh="当日有效的行，一分钟内",
    licence="as the catalogue says of each data set",
)

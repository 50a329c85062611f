"""Layers that planners brought: people counted, candidates, zones; of each name the newest."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from core.identity import May
from layers.registry import LayerEntry, Sign
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together

MOST: LiteralString = "20000"
_COLOURS = {"demand": "#2C7FB8", "candidates": "#B86E00", "zones": "#6A4C93"}


def statement(_z: int) -> LiteralString:
    """Return the SQL of a tile: places larger than a pixel or points, the heaviest first where they are too many."""
    return together(
        as_layer(
            "place_of_layer",
            f"SELECT p.id, l.kind, l.name AS layer, p.name, round(p.weight)::int AS weight, {in_tile('p.geom')} AS geom"
            " FROM layer_place AS p JOIN (SELECT DISTINCT ON (kind, name) id, kind, name FROM named_layer"
            " WHERE territory_id = %(territory)s AND retired_at IS NULL ORDER BY kind, name, revision DESC) AS l"
            " ON l.id = p.layer_id"
            f" WHERE p.territory_id = %(territory)s AND p.geom && {WITH_MARGIN}"
            f" ORDER BY p.weight DESC LIMIT {MOST}",
            feature_id=True,
        )
    )


ENTRY = LayerEntry(
    key="planning",
    title="Planning layers",
    title_zh="规划图层",
    depends_on=("basemap",),
    zooms=(8, 15),
    statement=statement,
    capability=May.SEE_STUDIES,
    order=30,
    drawn=(
        {"of": "place_of_layer", "as": "area", "colour": _COLOURS["zones"], "alpha": 0.25, "line": True},
        {
            "of": "place_of_layer",
            "as": "dot",
            "colour": {"by": "kind", "of": _COLOURS},
            "radius": [[10, 2], [16, 4.5]],
            "tip": ["layer", "name", "weight"],
        },
    ),
    legend=(
        Sign(_COLOURS["demand"], "circle", "People counted", "人口"),
        Sign(_COLOURS["candidates"], "circle", "Candidate site", "候选地点"),
        Sign(_COLOURS["zones"], "box", "Zone", "区域"),
    ),
    fresh_s=60,
    freshness="the newest version, within a minute",
    freshness_zh="最新版本，一分钟内",
)

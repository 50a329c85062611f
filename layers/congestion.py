"""Congestion: how fast roads usually are at this hour, or were measured within the last one, against when free."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from layers.basemap import visible_roads
from layers.registry import LayerEntry, Sign
from layers.tiles import as_layer, in_tile, together

COLOURS = ("#2C7BB6", "#ABD9E9", "#FDAE61", "#D7191C")
"""Of ColorBrewer's RdYlBu, which the colour-blind tell apart: flowing to standing."""
SHARES = (0.75, 0.5, 0.3)
"""Shares of the free speed at which a class ends, and the next slower one begins."""
FRESH_S = 60
_HOUR: LiteralString = "(extract(hour FROM now() AT TIME ZONE %(zone)s)::int + 1)"
_DAY: LiteralString = (
    "(SELECT string_agg(coalesce(round(kmh)::text, ''), ',' ORDER BY at)"
    " FROM unnest(s.hours) WITH ORDINALITY AS usual (kmh, at))"
)
"""The usual speeds of the 24 local hours, so that the map shows another hour without other tiles."""
_MEASURED: LiteralString = (
    "LEFT JOIN LATERAL (SELECT sum(kmh * readings) / sum(readings) AS kmh FROM traffic_hour AS h"
    " WHERE h.road_id = r.id AND h.hour_at >= now() - interval '75 minutes') AS measured ON true"
)


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile: measured roads with ``class`` 0 flowing to 3 standing, ``kmh`` and ``free``."""
    return together(
        as_layer(
            "speed",
            "SELECT id, name, name_zh, round(kmh)::int AS kmh, round(free)::int AS free, measured, hours,"
            " CASE WHEN kmh >= 0.75 * free THEN 0 WHEN kmh >= 0.5 * free THEN 1 WHEN kmh >= 0.3 * free THEN 2"
            f" ELSE 3 END AS class, {in_tile('geom')} AS geom FROM ("
            "SELECT r.id, coalesce(r.name, r.ref) AS name, r.name_zh, coalesce(measured.kmh, s.hours["
            f"{_HOUR}]) AS kmh, s.free_kmh AS free, measured.kmh IS NOT NULL AS measured, r.geom,"
            f" {_DAY} AS hours"
            f" FROM (SELECT * FROM road WHERE {visible_roads(z)} AND drivable) AS r"
            f" JOIN road_speed AS s ON s.road_id = r.id {_MEASURED}) AS known WHERE kmh IS NOT NULL",
            feature_id=True,
        )
    )


ENTRY = LayerEntry(
    key="congestion",
    title="Traffic against free flow",
    title_zh="路况（与自由流相比）",
    order=22,
    depends_on=("roads", "traffic"),
    zooms=(8, 15),
    statement=statement,
    drawn=tuple(
        {
            "of": "speed",
            "as": "line",
            "colour": colour,
            "width": [[8, 1.2], [12, 2.4], [16, 6]],
            "where": {"class": k},
            "tip": ["name", "kmh", "free"],
            "hourly": list(SHARES),
        }
        for k, colour in enumerate(COLOURS)
    ),
    legend=(
        Sign(COLOURS[0], "line", "Flows: over 75 % of the free speed", "畅通：高于自由流速度 75%"),
        Sign(COLOURS[1], "line", "Slower: 50 to 75 %", "缓行：50–75%"),
        Sign(COLOURS[2], "line", "Slow: 30 to 50 %", "拥堵：30–50%"),
        Sign(COLOURS[3], "line", "Stands: below 30 %", "严重拥堵：低于 30%"),
    ),
    fresh_s=FRESH_S,
    freshness="measured within the last hour, else usual at this hour",
    freshness_zh="最近一小时实测，否则为该时段常态",
)

"""The ways the standing plan means workers to go: from stop to stop in its order, drawn straight."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from core.identity import May
from layers.registry import LayerEntry, Sign
from layers.style import LIGHT
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together

_NEWEST: LiteralString = (
    "(SELECT id FROM plan WHERE territory_id = %(territory)s ORDER BY made_at DESC, id DESC LIMIT 1)"
)
_STOPS: LiteralString = (
    "SELECT r.worker_id, w.code, r.place_in_route AS place, r.late_s > 0 AS late, i.number, i.geom"
    " FROM plan_row AS r JOIN incident AS i ON i.id = r.incident_id JOIN worker AS w ON w.id = r.worker_id"
    f" WHERE r.plan_id = {_NEWEST} AND r.territory_id = %(territory)s"
)


def statement(_z: int) -> LiteralString:
    """Return the SQL of a tile: a line a worker, from the place told last where there is one, and the stops."""
    line: LiteralString = in_tile("way")
    return together(
        as_layer(
            "route",
            f"SELECT worker_id AS id, code, stops, {line} AS geom FROM"
            " (SELECT s.worker_id, s.code, count(*)::int AS stops,"
            " CASE WHEN p.geom IS NULL THEN ST_MakeLine(s.geom ORDER BY s.place)"
            " ELSE ST_AddPoint(ST_MakeLine(s.geom ORDER BY s.place), p.geom, 0) END AS way"
            f" FROM ({_STOPS}) AS s LEFT JOIN worker_position AS p ON p.worker_id = s.worker_id"
            " AND p.at > now() - interval '30 minutes' GROUP BY s.worker_id, s.code, p.geom) AS ways"
            f" WHERE way && {WITH_MARGIN}",
            feature_id=True,
        ),
        as_layer(
            "stop",
            f"SELECT code, place, late, number, {in_tile('geom')} AS geom FROM ({_STOPS}) AS s"
            f" WHERE geom && {WITH_MARGIN}",
        ),
    )


ENTRY = LayerEntry(
    key="routes",
    title="Planned routes",
    title_zh="计划路线",
    depends_on=("tasks", "incidents"),
    zooms=(8, 15),
    statement=statement,
    capability=May.DISPATCH,
    order=75,
    drawn=(
        {"of": "route", "as": "line", "colour": LIGHT.primary, "width": [[10, 1.2], [16, 2.4]], "dash": [6, 4]},
        {
            "of": "stop",
            "as": "dot",
            "colour": LIGHT.primary,
            "radius": 7,
            "from": 13,
            "words": ["place"],
            "inside": True,
            "tip": ["number", "code", "place"],
        },
        {
            "of": "stop",
            "as": "dot",
            "colour": LIGHT.overdue,
            "radius": 7,
            "from": 13,
            "words": ["place"],
            "inside": True,
            "where": {"late": True},
            "tip": ["number", "code", "place"],
        },
    ),
    legend=(
        Sign(LIGHT.primary, "line", "Order of stops, not the streets taken", "停靠次序（非实际路线）"),
        Sign(LIGHT.overdue, "circle", "Stop that will be late", "将逾期的停靠点"),
    ),
    fresh_s=20,
    freshness="the newest plan, within 20 seconds",
    freshness_zh="最新方案，20 秒内",
    sensitivity="restricted",
)

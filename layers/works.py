"""Works and closures of streets: what is closed or slowed now, and what is planned for the coming weeks."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from layers.registry import LayerEntry, Sign
from layers.style import LIGHT
from layers.tiles import as_layer, in_tile, together

AHEAD: LiteralString = "interval '28 days'"
SLOWED, PLANNED = "#B86E00", "#5F6B73"


def statement(z: int) -> LiteralString:
    """Return the SQL of a tile: ``kind`` closed, slowed or planned, with name, reason and both ends in words."""
    del z
    begins: LiteralString = "to_char(from_at AT TIME ZONE %(zone)s, 'YYYY-MM-DD HH24:MI')"
    ends: LiteralString = "coalesce(to_char(to_at AT TIME ZONE %(zone)s, 'YYYY-MM-DD HH24:MI'), '…')"
    return together(
        as_layer(
            "works",
            f"SELECT id, name, reason, speed_kmh || ' km/h' AS speed, {begins} || ' – ' || {ends} AS span,"
            " CASE WHEN from_at > now() THEN 'planned' WHEN speed_kmh IS NULL THEN 'closed' ELSE 'slowed' END AS kind,"
            f" {in_tile('geom')} AS geom FROM closure WHERE territory_id = %(territory)s AND ended_at IS NULL"
            f" AND (to_at IS NULL OR to_at > now()) AND from_at < now() + {AHEAD}",
            feature_id=True,
        )
    )


def _drawn(kind: str, colour: str, dash: list[int] | None = None) -> dict[str, object]:
    return {
        "of": "works",
        "as": "line",
        "colour": colour,
        "width": [[8, 2], [12, 4], [16, 8]],
        "where": {"kind": kind},
        "tip": ["name", "speed", "span", "reason"],
    } | ({"dash": dash} if dash else {})


ENTRY = LayerEntry(
    key="works",
    title="Works and closures",
    title_zh="施工与封路",
    order=24,
    depends_on=("traffic",),
    zooms=(8, 15),
    statement=statement,
    drawn=(
        _drawn("planned", PLANNED, [4, 4]),
        _drawn("slowed", SLOWED),
        _drawn("closed", LIGHT.overdue),
    ),
    legend=(
        Sign(LIGHT.overdue, "line", "Closed now", "当前封闭"),
        Sign(SLOWED, "line", "Works now, slower", "当前施工，限速通行"),
        Sign(PLANNED, "line", "Planned within four weeks", "四周内计划"),
    ),
    fresh_s=60,
    freshness="at once after a change",
    freshness_zh="变更后即时更新",
)

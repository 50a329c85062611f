"""Workers on shift: where each one's phone told it was last. For who sends them, and never longer than the shift."""

# ruff: noqa: S608  (only constants are composed; every value is a parameter)
from __future__ import annotations

from typing import LiteralString

from core.identity import May
from layers.registry import LayerEntry, Sign
from layers.style import LIGHT
from layers.tiles import WITH_MARGIN, as_layer, in_tile, together

FRESH_MIN: LiteralString = "30"
"""A place told longer ago says nothing of where somebody is; a phone tells none outside its shift."""


def statement(_z: int) -> LiteralString:
    """Return the SQL of a tile: number of the worker and minutes since the place was told, no name."""
    return together(
        as_layer(
            "worker",
            "SELECT w.id, w.code, floor(EXTRACT(epoch FROM now() - p.at) / 60)::int AS minutes,"
            f" {in_tile('p.geom')} AS geom FROM worker_position AS p JOIN worker AS w ON w.id = p.worker_id"
            f" WHERE p.territory_id = %(territory)s AND w.active AND p.at > now() - interval '{FRESH_MIN} minutes'"
            f" AND p.geom && {WITH_MARGIN}",
            feature_id=True,
        )
    )


ENTRY = LayerEntry(
    key="workers",
    title="Workers on shift",
    title_zh="在岗网格员",
    depends_on=("tasks",),
    zooms=(8, 15),
    statement=statement,
    capability=May.DISPATCH,
    order=80,
    drawn=(
        {
            "of": "worker",
            "as": "dot",
            "colour": LIGHT.primary,
            "radius": 6,
            "words": ["code"],
            "words_from": 14,
            "tip": ["code", "minutes"],
        },
    ),
    legend=(Sign(LIGHT.primary, "circle", "Worker, place of the last half hour", "网格员（半小时内的位置）"),),
    fresh_s=20,
    freshness="within 20 seconds of what the phone told",
    freshness_zh="手机上报后 20 秒内",
    sensitivity="restricted",
)

"""A heat surface of what is counted: reckoned in the browser from the value array, so that it needs no tile."""

from __future__ import annotations

from layers.registry import LayerEntry, Sign
from layers.style import YLGNBU

ENTRY = LayerEntry(
    key="heat",
    title="Heat surface",
    title_zh="热力面",
    depends_on=("incidents", "grids"),
    zooms=(0, 0),
    statement=None,
    order=60,
    legend=(
        Sign(YLGNBU[5][1], "box", "Some counted nearby", "附近有计数"),
        Sign(YLGNBU[5][3], "box", "Many", "较多"),
        Sign(YLGNBU[5][4], "box", "Most on this screen", "本屏最多"),
    ),
    freshness="with the counts: at once after a change",
    freshness_zh="随计数即时更新",
)

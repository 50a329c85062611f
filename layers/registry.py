"""The layers there are: each a small entry that knows its tiles, its zooms and who may see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import LiteralString

from core.errors import NotFound
from core.identity import May


def t(message: str) -> str:
    """Return ``message`` unchanged; marks it for translation, which happens in the pages."""
    return message


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """One layer of the map.

    Attributes
    ----------
    title
        English message, translated where it is shown.
    depends_on
        The notifications that make its tiles stale.
    zooms
        First and last zoom with tiles of their own. The map draws a tile of zoom ``z`` at display
        zoom ``z + 1``.
    statement
        SQL of a tile at a zoom, with parameters ``territory, z, x, y, pixel, zone``.
    statement_on
        The same as of ``%(day)s``; None of a layer that is known as it stands today only.
    """

    key: str
    title: str
    depends_on: tuple[str, ...]
    zooms: tuple[int, int]
    statement: Callable[[int], LiteralString]
    capability: May = May.SEE_MAP
    statement_on: Callable[[int], LiteralString] | None = None


def layer_entries() -> dict[str, LayerEntry]:
    """Return all layers by key, in drawing order."""
    from layers import basemap, components, facilities, grids, incidents, traffic

    drawn = (basemap, grids, traffic, facilities, components, incidents)
    return {module.ENTRY.key: module.ENTRY for module in drawn}


def find_layer(key: str) -> LayerEntry:
    """Return the layer of a key, else raise `NotFound`."""
    entries = layer_entries()
    if key not in entries:
        raise NotFound(f"There is no layer {key!r}.", hint=f"Known are: {', '.join(entries)}.")
    return entries[key]

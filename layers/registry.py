"""The layers there are: a file of this package with an ``ENTRY`` is one, and knows all that is told about it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, LiteralString

from core.errors import NotFound
from core.identity import May

SENSITIVITIES = ("public", "internal", "restricted")
OPEN_STREETS = "OpenStreetMap contributors, ODbL 1.0"
OF_THE_CITY = "records of the city; not released"
CUT_ALONG_STREETS = "cut along OpenStreetMap streets: a derived database under ODbL 1.0, probably"


def t(message: str) -> str:
    """Return ``message`` unchanged; marks it for translation, which happens in the pages."""
    return message


@dataclass(frozen=True, slots=True)
class Sign:
    """One line of the legend of a layer: a colour, a shape of `layers.legend.LegendItem`, words in both languages."""

    colour: str
    shape: str
    label: str
    label_zh: str


@dataclass(frozen=True, slots=True)
class LayerEntry:
    """One layer of the map.

    Attributes
    ----------
    title, title_zh
        English message, translated where it is shown, and the Chinese one.
    depends_on
        The notifications that make its tiles stale.
    zooms
        First and last zoom with tiles of their own. The map draws a tile of zoom ``z`` at display
        zoom ``z + 1``.
    statement
        SQL of a tile at a zoom, with parameters ``territory, z, x, y, pixel, zone``; None of a layer that is
        reckoned in the browser from value arrays.
    statement_on
        The same as of ``%(day)s``; None of a layer that is known as it stands today only.
    order
        Place in the bar and on the map, the lowest first.
    chosen
        Whether it is offered in the bar of the City map; the ground and what others rest on is not.
    drawn
        Rules for the generic painter of the map, lowest first (see ``drawnRules`` in gridkeeper-style.js); empty where
        the map has a painter for this layer alone, or none.
    legend
        Lines of the legend; empty where a legend of its own is reckoned from values.
    fresh_s
        So old at most, in seconds, may a kept tile be; None where a notification tells of every change.
    by_account
        Accounts of one scope may see other rows, as with grants: tiles are kept for each account.
    freshness, freshness_zh
        How current it is, in words.
    sensitivity
        public | internal | restricted.
    licence
        What its rows were made from, and under which licence.
    """

    key: str
    title: str
    depends_on: tuple[str, ...]
    zooms: tuple[int, int]
    statement: Callable[[int], LiteralString] | None
    capability: May = May.SEE_MAP
    statement_on: Callable[[int], LiteralString] | None = None
    title_zh: str = ""
    order: int = 50
    chosen: bool = True
    drawn: tuple[Mapping[str, Any], ...] = ()
    legend: tuple[Sign, ...] = field(default=())
    fresh_s: int | None = None
    by_account: bool = False
    freshness: str = "as the database stands"
    freshness_zh: str = "与数据库同步"
    sensitivity: str = "internal"
    licence: str = OF_THE_CITY

    def name(self, locale: str) -> str:
        """Return the title in the language of ``locale``."""
        return self.title_zh or self.title if locale.startswith("zh") else self.title


@lru_cache(maxsize=1)
def layer_entries() -> dict[str, LayerEntry]:
    """Return all layers by key, in drawing order."""
    package = importlib.import_module("layers")
    found = []
    for module in pkgutil.iter_modules(package.__path__):
        entry = getattr(importlib.import_module(f"layers.{module.name}"), "ENTRY", None)
        if isinstance(entry, LayerEntry):
            found.append(entry)
    return {entry.key: entry for entry in sorted(found, key=lambda entry: (entry.order, entry.key))}


def find_layer(key: str) -> LayerEntry:
    """Return the layer of a key, else raise `NotFound`."""
    entries = layer_entries()
    if key not in entries:
        raise NotFound(f"There is no layer {key!r}.", hint=f"Known are: {', '.join(entries)}.")
    return entries[key]

"""The map of a draft of grids: its cells as tiles by their responsibility grid, the picked ones, a pen."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import folium
import shapely
import streamlit as st
from branca.element import MacroElement
from folium.elements import JSCSSMixin
from folium.plugins import Draw
from folium.template import Template

from app import grid_borders, i18n, maps, state
from app.api.assets import asset_url
from app.draw_form import Tint
from app.i18n import t
from core.clock import now
from core.identity import Actor
from geodata.territory import TerritoryInfo
from layers.style import CATEGORY_COLOURS, LIGHT
from layers.values import Question

HEIGHT_PX, WIDTH_PX = 560, 740
SAME_DEGREES = 1e-5
_HIDDEN = dict.fromkeys(("grids", "incidents", "facilities", "traffic"), False)
Extent = tuple[float, float, float, float]


class _Cells(JSCSSMixin, MacroElement):
    """The cells of a draft on a folium map; the drawing is done by ``gridkeeper-draft.js``."""

    _template = Template(
        "{% macro script(this, kwargs) %}"
        "GridkeeperDraft.attach({{ this._parent.get_name() }}, {{ this.settings }});"
        "{% endmacro %}"
    )
    default_js = [("gridkeeper-draft", asset_url("gk/gridkeeper-draft.js"))]  # noqa: RUF012  (folium reads it)

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "DraftCells"
        self.settings = maps.script_json(settings)


class _Push(MacroElement):
    """What changed since, for the living map."""

    _template = Template("{% macro script(this, kwargs) %}GridkeeperDraft.update({{ this.message }});{% endmacro %}")

    def __init__(self, message: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "DraftPush"
        self.message = maps.script_json(message)


@dataclass(frozen=True)
class Shown:
    """What the map of a draft shows: change and version, the areas that have a colour, picked cells, where to look.

    Attributes
    ----------
    hand
        Whether a click picks a cell.
    pen
        Whether lines can be drawn.
    turn, clicks
        Round of picking, and how many clicks of it are in ``picked``.
    tint
        What cells are coloured by instead of their responsibility grid.
    """

    change_id: int
    version: int
    areas: Sequence[str]
    picked: Sequence[int]
    extent: Extent
    hand: bool
    pen: bool
    turn: int = 0
    clicks: int = 0
    tint: Tint | None = None


def colours_of(areas: Sequence[str]) -> dict[str, str]:
    """Return a colour for each responsibility grid by code; they repeat past twelve."""
    codes = sorted(set(areas) - {""})
    return {code: CATEGORY_COLOURS[at % len(CATEGORY_COLOURS)] for at, code in enumerate(codes)}


def show(territory: TerritoryInfo, actor: Actor, shown: Shown) -> dict[str, Any]:
    """Put the map and return what was clicked and drawn; it lives on while version and picked cells change."""
    west, south, east, north = shown.extent
    day = now().astimezone(territory.zone).date()
    nothing = Question("reported", day, day)
    settings = maps.map_settings(territory, actor, {}, island=False) | {"cells": False}
    key = f"{state.DRAW_MAP}-{shown.change_id}-{'pen' if shown.pen else 'look'}-{i18n.locale()}"
    # A map that is just put has no size to fit anything to, so it opens at the first extent and fits later ones.
    first: Extent = st.session_state.setdefault(f"{key}-first", shown.extent)
    made = maps.city_map(opening_at(territory, first, HEIGHT_PX), settings)
    words = grid_borders.reason_words()
    looks = {kind: [*look, words[kind]] for kind, look in grid_borders.LOOKS.items()}
    said = {**settings["words"], "border": t("Border")}
    made.add_child(_Cells({**settings, "change": shown.change_id, "reasons": looks, "words": said}))
    if shown.pen:
        off = dict.fromkeys(("polygon", "rectangle", "circle", "marker", "circlemarker"), False)
        line = {"shapeOptions": {"color": LIGHT.overdue, "weight": 3}}
        pencil = Draw(  # type: ignore[no-untyped-call]
            draw_options={**off, "polyline": line}, edit_options={"edit": False, "remove": False}
        )
        pencil.add_to(made)
    message = {
        "version": shown.version,
        "colours": colours_of(shown.areas),
        "picked": list(shown.picked),
        "hand": shown.hand,
        "round": shown.turn,
        "clicks": shown.clicks,
        "tint": None if shown.tint is None else {"first": shown.tint.first, "digits": shown.tint.digits,
                                                 "colours": list(shown.tint.colours)},
    }  # fmt: skip
    pushed = folium.FeatureGroup(name="draft")
    pushed.add_child(_Push(message))
    fit = None if alike(shown.extent, first) else ((south, west), (north, east))
    told = maps.MapState(nothing, nothing, _HIDDEN, fit=fit)
    return maps.show(made, told, key=key, height=HEIGHT_PX, overlays=[pushed])


def alike(one: Extent, other: Extent) -> bool:
    """Return whether two extents are the same but for hairs, as of cells that were drawn anew on the same ground."""
    return all(abs(here - there) < SAME_DEGREES for here, there in zip(one, other, strict=True))


def zoom_of(extent: Extent, width_px: int, height_px: int) -> int:
    """Return the zoom at which an extent (west, south, east, north) just fits a map."""
    west, south, east, north = extent
    flat = math.cos(math.radians((south + north) / 2))
    scale = min(width_px / max(east - west, 1e-6), height_px * flat / max(north - south, 1e-6))
    return min(max(int(math.log2(scale * 360 / 256)), maps.MIN_ZOOM), 17)


def drawn_line(answer: dict[str, Any]) -> shapely.LineString | None:
    """Return the line that was drawn last; None without one."""
    lines = [
        each["geometry"]["coordinates"]
        for each in answer.get("all_drawings") or []
        if each.get("geometry", {}).get("type") == "LineString"
    ]
    return shapely.LineString(lines[-1]) if lines else None


def opening_at(territory: TerritoryInfo, extent: Extent, height_px: int) -> TerritoryInfo:
    """Return a territory whose map opens at an extent."""
    west, south, east, north = extent
    zoom = zoom_of(extent, WIDTH_PX, height_px)
    return replace(territory, opens=((west + east) / 2, (south + north) / 2, zoom))

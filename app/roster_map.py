"""The map of the roster: each responsibility grid covered, covered by a deputy, or uncovered, at a moment."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import folium
import numpy as np
import shapely

from app import i18n, maps, roster_words, state
from app.i18n import t
from core.identity import Actor
from geodata.territory import TerritoryInfo
from layers.style import LIGHT
from layers.values import Question as Values
from people.cover import GridNeed, GridState, State
from people.rostering import CoverView, RosterView

LAYERS = ("grids", "incidents", "facilities", "traffic")
MOST_SHAPES = 1000
"""With the sign in each, a map stays below two thousand features."""
_COLOURS = {
    State.HOME: LIGHT.on_time,
    State.DEPUTY: LIGHT.due_soon,
    State.UNCOVERED: LIGHT.overdue,
    State.REST: LIGHT.closed,
}
_DIGITS = 5


def show(
    territory: TerritoryInfo, actor: Actor, view: RosterView, cover: CoverView,
    shapes: dict[int, shapely.Geometry], *, island: bool, height: int,
) -> None:  # fmt: skip
    """Put the map; it lives on while the moment changes."""
    drawn = folium.FeatureGroup(name="roster")
    known = [(grid, each) for grid, each in zip(cover.grids, cover.states, strict=True) if grid.id in shapes]
    known.sort(key=lambda pair: pair[1].state is State.UNCOVERED)
    for grid, each in known[-MOST_SHAPES:]:
        for part in _parts(view, grid, each, shapes[grid.id]):
            part.add_to(drawn)
    day = cover.at.astimezone(territory.zone).date()
    nothing = Values("reported", day, day)
    corners = _corners([shapes[grid.id] for grid, _ in known]) if known else None
    pushed = maps.MapState(nothing, nothing, dict.fromkeys(LAYERS, False), fit=corners)
    settings = maps.map_settings(territory, actor, {}, island=island)
    key = f"{state.ROSTER_MAP}-{territory.id}-{i18n.locale()}"
    maps.show(maps.city_map(territory, settings), pushed, key=key, height=height, overlays=[drawn])


def legend(cover: CoverView) -> str:
    """Return the signs of the map in words with how many grids each has, as HTML."""
    items = []
    for key in State:
        count = sum(each.state is key for each in cover.states)
        if count:
            words = f"{roster_words.state(key)}: {i18n.number(count)}"
            sign = f'<span class="gk-mark-{key.value}">{roster_words.SIGNS[key]}</span>'
            items.append(f"<li>{sign} {escape(words)}</li>")
    return f'<div class="gk gk-roster-signs"><ul>{"".join(items)}</ul></div>'


def _parts(view: RosterView, grid: GridNeed, each: GridState, shape: shapely.Geometry) -> list[Any]:
    colour = _COLOURS[each.state]
    style = {
        "color": colour,
        "weight": 3 if each.state is State.UNCOVERED else 1.5,
        "dashArray": "6 4" if each.state is State.DEPUTY else None,
        "fillColor": colour,
        "fillOpacity": {State.UNCOVERED: 0.28, State.REST: 0.08}.get(each.state, 0.22),
    }
    rounded = shapely.transform(shape, lambda points: np.round(points, _DIGITS))
    tip = folium.Tooltip(
        f"<strong>{escape(i18n.either(grid.name, grid.name_zh) or grid.code)}</strong>"
        f"<div>{escape(tip_words(view, each))}</div>"
    )
    parts: list[Any] = [
        folium.GeoJson(json.loads(shapely.to_geojson(rounded)), style_function=lambda _: style, tooltip=tip)
    ]
    sign = roster_words.SIGNS[each.state]
    if sign:
        middle = shapely.point_on_surface(shape)
        html = (
            f'<div style="box-sizing:border-box;width:20px;height:20px;border:2px solid {colour};'
            f"background:{LIGHT.surface};color:{colour};font:700 12px/16px sans-serif;text-align:center;"
            f'border-radius:{0 if each.state is State.UNCOVERED else 10}px">{sign}</div>'
        )
        icon = folium.DivIcon(html=html, icon_size=(20, 20), icon_anchor=(10, 10), class_name="gk-cover")
        parts.append(folium.Marker((middle.y, middle.x), icon=icon, interactive=False))
    return parts


def tip_words(view: RosterView, each: GridState) -> str:
    """Return how a grid stands and who is there, or why nobody is."""
    who = t(", ").join(
        roster_words.worker(view.workers.get(view.members[row].id), view.members[row].code) for row in each.workers
    )
    if each.reason is not None:
        return t("{state}: {reason}", state=roster_words.state(each.state), reason=roster_words.reason(each.reason))
    return (
        t("{state}: {reason}", state=roster_words.state(each.state), reason=who)
        if who
        else roster_words.state(each.state)
    )


def _corners(shapes: list[shapely.Geometry]) -> tuple[tuple[float, float], tuple[float, float]]:
    west, south, east, north = (float(value) for value in shapely.total_bounds(shapes))
    return (south, west), (north, east)

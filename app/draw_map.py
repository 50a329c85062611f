"""The map of a draft of grids: the cells of one community by their responsibility grid, the picked ones, a pen."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import folium
import geopandas as gpd
import shapely
from folium.plugins import Draw

from app import i18n, maps, state
from app.i18n import t
from core.clock import now
from core.identity import Actor
from geodata.territory import TerritoryInfo
from layers.style import CATEGORY_COLOURS, LIGHT
from layers.values import Question

HEIGHT_PX, WIDTH_PX = 560, 740
_HIDDEN = dict.fromkeys(("grids", "incidents", "facilities", "traffic"), False)


def colours_of(areas: Sequence[str]) -> dict[str, str]:
    """Return a colour for each responsibility grid by code; they repeat past twelve."""
    codes = sorted(set(areas) - {""})
    return {code: CATEGORY_COLOURS[at % len(CATEGORY_COLOURS)] for at, code in enumerate(codes)}


def show(
    territory: TerritoryInfo,
    actor: Actor,
    cells: gpd.GeoDataFrame,
    picked: Collection[int],
    *,
    key: str,
    pen: bool,
) -> dict[str, Any]:
    """Put the map and return what was clicked and drawn."""
    west, south, east, north = cells.total_bounds
    day = now().astimezone(territory.zone).date()
    nothing = Question("reported", day, day)
    settings = maps.map_settings(territory, actor, {}, island=False)
    opens = ((west + east) / 2, (south + north) / 2, zoom_of((west, south, east, north), WIDTH_PX, HEIGHT_PX))
    made = maps.city_map(replace(territory, opens=opens), settings)
    if pen:
        off = dict.fromkeys(("polygon", "rectangle", "circle", "marker", "circlemarker"), False)
        line = {"shapeOptions": {"color": LIGHT.overdue, "weight": 3}}
        pencil = Draw(  # type: ignore[no-untyped-call]
            draw_options={**off, "polyline": line}, edit_options={"edit": False}
        )
        pencil.add_to(made)
    drawn = folium.FeatureGroup(name="draft")
    _cells(cells, picked).add_to(drawn)
    pushed = maps.MapState(nothing, nothing, _HIDDEN)
    return maps.show(made, pushed, key=key, height=HEIGHT_PX, overlays=[drawn])


def zoom_of(extent: tuple[float, float, float, float], width_px: int, height_px: int) -> int:
    """Return the zoom at which an extent (west, south, east, north) just fits a map."""
    west, south, east, north = extent
    flat = math.cos(math.radians((south + north) / 2))
    scale = min(width_px / max(east - west, 1e-6), height_px * flat / max(north - south, 1e-6))
    return min(max(int(math.log2(scale * 360 / 256)), maps.MIN_ZOOM), 17)


def map_key(change_id: int, community_id: int, *, pen: bool) -> str:
    """Return the key of the map; a pen is part of it, because it belongs to the map as it was made."""
    words = "pen" if pen else "hand"
    return f"{state.DRAW_MAP}-{change_id}-{community_id}-{words}-{i18n.locale()}"


def clicked_cell(cells: gpd.GeoDataFrame, answer: dict[str, Any]) -> tuple[tuple[float, float], int | None] | None:
    """Return where the map was clicked last and the cell there; None when it never was."""
    click = answer.get("last_clicked")
    if not click:
        return None
    point = shapely.Point(click["lng"], click["lat"])
    inside = cells["id"][shapely.intersects(cells.geometry.to_numpy(), point)]
    return (click["lat"], click["lng"]), int(inside.iloc[0]) if len(inside) else None


def drawn_line(answer: dict[str, Any]) -> shapely.LineString | None:
    """Return the line that was drawn last; None without one."""
    lines = [
        each["geometry"]["coordinates"]
        for each in answer.get("all_drawings") or []
        if each.get("geometry", {}).get("type") == "LineString"
    ]
    return shapely.LineString(lines[-1]) if lines else None


def _cells(cells: gpd.GeoDataFrame, picked: Collection[int]) -> folium.GeoJson:
    colours = colours_of(cells["area"].tolist())
    features = []
    columns = (cells[name].tolist() for name in ("id", "code", "area", "area_m2"))
    for identity, code, area, area_m2, shape in zip(*columns, cells.geometry, strict=True):
        words = escape(f"{code} · {i18n.number(area_m2 / 1e4, 2)} ha")
        if area:
            words += f"<br>{escape(area)}"
        features.append(
            {
                "type": "Feature",
                "id": str(identity),
                "geometry": shapely.geometry.mapping(shapely.set_precision(shape, 1e-7, mode="pointwise")),
                "properties": {
                    "fill": colours.get(area, LIGHT.closed),
                    "picked": identity in picked,
                    "bound": bool(area),
                    "words": words,
                },
            }
        )
    tooltip = folium.GeoJsonTooltip(fields=["words"], labels=False, sticky=False)
    return folium.GeoJson({"type": "FeatureCollection", "features": features}, style_function=_style, tooltip=tooltip)


def _style(feature: dict[str, Any]) -> dict[str, Any]:
    known = feature["properties"]
    chosen = known["picked"]
    return {
        "color": LIGHT.text if chosen else LIGHT.primary,
        "weight": 3 if chosen else 1.5,
        "fillColor": known["fill"],
        "fillOpacity": 0.75 if chosen else 0.45 if known["bound"] else 0.05,
    }


def legend(cells: gpd.GeoDataFrame) -> str:
    """Return what the colours mean, in words."""
    count = len(set(cells["area"]) - {""})
    if not count:
        return t("No cell belongs to a responsibility grid yet.")
    return t("Colours are responsibility grids; point at a cell to read its code.")
